/* route.c — from a path of the API to the type, the object and the verb. */
#include <string.h>

#include "core/base/yaml.h"
#include "dr-scenarios/sandbox/intern.h"

enum { MAX_SEGMENTS = 9 };

static size_t split(struct str path, struct str *segments)
{
    size_t count = 0;
    struct str rest = str_from(path, 1);
    while (rest.len && count < MAX_SEGMENTS)
        segments[count++] = str_cut(&rest, '/');
    return count;
}

static bool page_not_found(struct call *call)
{
    call->status = 404;
    call->reply = NULL;
    call->text = STR("404 page not found\n");
    return false;
}

bool route_locate(struct call *call)
{
    struct str at[MAX_SEGMENTS + 1] = {0};
    if (discovery_is(call->path))
        return true;
    size_t count = split(call->path, at), next = str_is(at[0], "api") ? 2 : 3;
    bool core = next == 2;
    if (count <= next || (!core && !str_is(at[0], "apis")))
        return page_not_found(call);
    struct str group = core ? STR_NONE : at[1], version = at[next - 1];

    /* /namespaces/x is the Namespace, /namespaces/x/pods its pods; status and finalize are no types. */
    bool inside = str_is(at[next], "namespaces") && count > next + 2 && !str_is(at[next + 2], "status") &&
                  !str_is(at[next + 2], "finalize");
    if (inside) {
        call->namespace = at[next + 1];
        next += 2;
    }
    call->type = types_find(call->sandbox, group, version, at[next]);
    if (call->type == NULL && types_serve(call->sandbox, group, version))
        return call_fail(call, 404, "NotFound", "the server could not find the requested resource");
    if (call->type == NULL || count > next + 3 || (inside && !call->type->type.namespaced))
        return page_not_found(call);
    call->name = count > next + 1 ? at[next + 1] : STR_NONE;
    call->subresource = count > next + 2 ? at[next + 2] : STR_NONE;
    if (call->subresource.len && !(str_is(call->subresource, "status") && call->type->type.has_status))
        return page_not_found(call);
    return !(call->name.len && call->type->type.namespaced && !inside) || page_not_found(call);
}

/* The object of a request body; JSON always, YAML where the content type says so. */
static bool read_body(struct call *call, bool yaml, const struct value **ret_object)
{
    struct err err;
    struct yaml_documents documents = {0};
    bool ok;
    if (yaml) {
        ok = yaml_parse(call->arena, call->body, STR("body"), &documents, &err) && documents.count == 1;
        *ret_object = ok ? documents.items[0].root : NULL;
    } else {
        const struct json_limits limits = {MAX_BODY, 200, 1 << 20};
        ok = json_parse(call->arena, call->body, &limits, ret_object, &err);
    }
    return (ok && value_is(*ret_object, VALUE_MAP)) ||
           call_fail(call, 400, "BadRequest", "the body of the request is not one object: %s",
                     ok ? "not a map" : err.msg);
}

static bool method_not_allowed(struct call *call)
{
    return call_fail(call, 405, "MethodNotAllowed",
                     "the server does not allow this method on the requested resource");
}

static bool answer_patch(struct call *call)
{
    struct str media = call->content_type;
    media = str_cut(&media, ';');
    bool apply = str_is(media, "application/apply-patch+yaml");
    bool merge = str_is(media, "application/merge-patch+json");
    const struct value *object;
    if (!apply && !merge)
        return call_fail(call, 415, "UnsupportedMediaType",
                         "the body of the request was in an unknown format - accepted media types include: "
                         "application/apply-patch+yaml, application/merge-patch+json");
    if (!read_body(call, apply, &object))
        return false;
    return apply ? write_apply(call, object) : write_merge_patch(call, object);
}

static bool answer_write(struct call *call)
{
    bool create = str_is(call->method, "POST"), yaml = str_contains(call->content_type, STR("yaml"));
    const struct value *object;
    if (create == (call->name.len != 0))
        return method_not_allowed(call);
    if (!read_body(call, yaml, &object))
        return false;
    return create ? write_create(call, object) : write_update(call, object);
}

bool route_answer(struct call *call)
{
    if (call->type == NULL)
        return discovery_answer(call);
    if (str_is(call->method, "GET") && !call->type->type.listable)
        return method_not_allowed(call);
    if (str_is(call->method, "GET"))
        return call->name.len ? read_get(call) : read_list(call);
    if (str_is(call->method, "POST") || str_is(call->method, "PUT"))
        return answer_write(call);
    if (str_is(call->method, "PATCH") && call->name.len)
        return answer_patch(call);
    if (str_is(call->method, "DELETE"))
        return call->name.len ? write_delete(call) : write_delete_all(call);
    return method_not_allowed(call);
}
