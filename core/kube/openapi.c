/* OpenAPI v3: an index of group versions, and a document for each. */
#include "core/kube/kube_intern.h"

bool kube_openapi_index(struct kube *kube, struct arena *arena, const struct value **ret_paths,
                        struct err *err)
{
    const struct value *index;
    if (!kube_call(kube, arena, "GET", STR("/openapi/v3"), NULL, STR_NONE, &index, err))
        return false;
    *ret_paths = value_key(index, "paths");
    return true;
}

/* The index names paths of this server only; a full URL would lead our credentials elsewhere. */
bool kube_openapi_document(struct kube *kube, struct arena *arena, const struct member *entry,
                           const struct value **ret_document, struct err *err)
{
    struct str path = value_str(value_key(&entry->value, "serverRelativeURL"));
    bool here = str_starts(path, STR("/openapi/v3")) ||
                err_set(err, ERR_CORRUPT, "the index leads out of /openapi/v3");
    if (here && kube_call(kube, arena, "GET", path, NULL, STR_NONE, ret_document, err))
        return true;
    return err_context(err, "OpenAPI of %.*s", STR_ARG(entry->key));
}

bool kube_openapi(struct kube *kube, struct arena *arena, const struct value **ret_documents, struct err *err)
{
    struct value_map_builder documents = {0};
    const struct value *paths, *document;
    if (!kube_openapi_index(kube, arena, &paths, err))
        return false;
    MEMBER_EACH(entry, paths) {
        if (!kube_openapi_document(kube, arena, entry, &document, err))
            return false;
        value_put(arena, &documents, entry->key, document);
    }
    *ret_documents = value_map_done(arena, &documents);
    return true;
}
