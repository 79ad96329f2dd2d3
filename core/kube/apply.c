/* Server-side apply: the object goes out as JSON, which is YAML too; the server merges by field ownership. */
#include "core/base/json.h"
#include "core/kube/kube_intern.h"

static struct str apply_path(struct arena *arena, const struct resource_type *type,
                             const struct resource *resource, const struct kube_apply *how)
{
    struct str path = kube_path(arena, type, resource->namespace, resource->name);
    struct str manager =
        http_escape(arena, how->field_manager ? str_of(how->field_manager) : STR("gitops-pipe"), false);
    return str_fmt(arena, "%.*s?fieldManager=%.*s%s%s", STR_ARG(path), STR_ARG(manager),
                   how->force ? "&force=true" : "", how->dry_run ? "&dryRun=All" : "");
}

bool kube_apply(struct kube *kube, struct arena *arena, const struct resource_type *type,
                const struct resource *resource, const struct kube_apply *how,
                const struct value **ret_object, struct err *err)
{
    struct kube_request request = {.method = "PATCH",
                                   .path = apply_path(arena, type, resource, how),
                                   .content_type = "application/apply-patch+yaml",
                                   .body = json_text(arena, resource->object)};
    struct kube_reply reply;
    if (!kube_exchange(kube, arena, &request, &reply, err))
        return false;
    if (reply.status < 300) {
        *ret_object = reply.object;
        return true;
    }
    kube_fail(kube, &reply, err);
    struct str label = resource_label(arena, resource);
    return err_context(err, "apply %.*s", STR_ARG(label));
}
