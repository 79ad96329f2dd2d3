/* OpenAPI v3: an index of group versions, and a document for each. */
#include "core/kube/kube_intern.h"

static bool wanted(struct str name, const struct str_list *names)
{
    return names == NULL || str_in(name, names->items, names->count);
}

/* The index names paths of this server only; a full URL would lead our credentials elsewhere. */
static bool read_document(struct kube *kube, struct arena *arena, struct str path,
                          const struct value **ret_document, struct err *err)
{
    if (!str_starts(path, STR("/openapi/v3")))
        return err_set(err, ERR_CORRUPT, "the OpenAPI index leads out of /openapi/v3");
    return kube_call(kube, arena, "GET", path, NULL, STR_NONE, ret_document, err);
}

bool kube_openapi_of(struct kube *kube, struct arena *arena, const struct str_list *names,
                     const struct value **ret_documents, struct err *err)
{
    struct value_map_builder documents = {0};
    const struct value *index;
    if (!kube_call(kube, arena, "GET", STR("/openapi/v3"), NULL, STR_NONE, &index, err))
        return false;
    MEMBER_EACH(entry, value_key(index, "paths"))
    {
        const struct value *document;
        if (!wanted(entry->key, names))
            continue;
        struct str path = value_str(value_key(&entry->value, "serverRelativeURL"));
        if (!read_document(kube, arena, path, &document, err))
            return err_context(err, "OpenAPI of %.*s", STR_ARG(entry->key));
        value_put(arena, &documents, entry->key, document);
    }
    *ret_documents = value_map_done(arena, &documents);
    return true;
}

bool kube_openapi(struct kube *kube, struct arena *arena, const struct value **ret_documents, struct err *err)
{
    return kube_openapi_of(kube, arena, NULL, ret_documents, err);
}
