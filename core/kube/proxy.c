/* A Service's HTTP endpoint, reached through the API server: /api/v1/namespaces/N/services/SCHEME:NAME:PORT/proxy/. */
#include "core/kube/kube_intern.h"

static bool service_port(struct kube *kube, struct arena *arena, struct str namespace, struct str name,
                         struct str *ret_port, struct err *err)
{
    const struct value *service;
    const struct resource_type type = {.version = STR("v1"), .plural = STR("services"), .namespaced = true};
    if (!kube_get(kube, arena, &type, namespace, name, &service, err))
        return false;
    const struct value *port = value_item(value_in(service, PATH("spec", "ports")), 0);
    struct str text = value_str(value_key(port, "name"));
    *ret_port = text.len ? text : value_text(value_key(port, "port"));
    return ret_port->len != 0 ||
           err_set(err, ERR_NOT_FOUND, "Service %.*s/%.*s has no port", STR_ARG(namespace), STR_ARG(name));
}

bool kube_service_text(struct kube *kube, struct arena *arena, struct str namespace, struct str name,
                       struct str path, struct str *ret_text, struct err *err)
{
    struct str port;
    struct kube_reply reply;
    if (!service_port(kube, arena, namespace, name, &port, err))
        return false;
    struct str space = http_escape(arena, namespace, false), service = http_escape(arena, name, false);
    struct kube_request request = {
        .method = "GET",
        .accept = "*/*",
        .plain_text = true,
        .max_body = 1 << 20,
        .path = str_fmt(arena, "/api/v1/namespaces/%.*s/services/http:%.*s:%.*s/proxy%.*s", STR_ARG(space),
                        STR_ARG(service), STR_ARG(port), STR_ARG(path)),
    };
    if (!kube_exchange(kube, arena, &request, &reply, err))
        return false;
    if (reply.status >= 300) {
        kube_fail(kube, &reply, err);
        return err_context(err, "GET %.*s", STR_ARG(request.path));
    }
    *ret_text = reply.body;
    return true;
}
