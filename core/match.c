#include "core/match.h"

bool match_text(const struct str_list *globs, struct str text)
{
    for (size_t i = 0; i < globs->count; i++)
        if (str_glob(globs->items[i], text))
            return true;
    return globs->count == 0;
}

static bool takes_labels(const struct config_match *match, const struct resource *resource)
{
    const struct value *labels = value_in(resource->object, PATH("metadata", "labels"));
    MEMBER_EACH(wanted, match->labels) {
        const struct value *there = value_get(labels, wanted->key);
        if (there == NULL || !str_glob(value_str(&wanted->value), value_str(there)))
            return false;
    }
    return true;
}

bool match_place(const struct config_match *match, const struct resource *resource)
{
    return match_text(&match->names, resource->name) && match_text(&match->namespaces, resource->namespace) &&
           takes_labels(match, resource);
}
