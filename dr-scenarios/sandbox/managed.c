/* managed.c — metadata.managedFields: who set what, and what server-side apply makes of it.
 *
 * The rules are those of sigs.k8s.io/structured-merge-diff: an apply owns exactly what it names; what it no longer
 * names and nobody else owns goes; what it names differently from its owner is a conflict unless forced. Every other
 * write owns what it changed.
 */
#include <string.h>

#include "dr-scenarios/sandbox/intern.h"

static const char *const server_owned[] = {"f:name",
                                           "f:namespace",
                                           "f:uid",
                                           "f:generation",
                                           "f:resourceVersion",
                                           "f:creationTimestamp",
                                           "f:selfLink",
                                           "f:managedFields",
                                           "f:generateName",
                                           "f:deletionTimestamp",
                                           "f:deletionGracePeriodSeconds"};

/* A set without what no client can own; of status only where status is written. */
static const struct value *strip(struct arena *arena, const struct value *set, bool has_status, bool status)
{
    if (set == NULL)
        return NULL;
    if (status) {
        const struct value *only = value_key(set, "f:status");
        return only ? VALUE_MAP(arena, {"f:status", only}) : NULL;
    }
    set = value_without(arena, value_without(arena, set, STR("f:apiVersion")), STR("f:kind"));
    if (has_status)
        set = value_without(arena, set, STR("f:status"));
    const struct value *meta = value_key(set, "f:metadata");
    for (size_t i = 0; meta && i < COUNT_OF(server_owned); i++)
        meta = value_without(arena, meta, str_of(server_owned[i]));
    if (meta != NULL)
        set = value_count(meta) ? value_with(arena, set, STR("f:metadata"), meta)
                                : value_without(arena, set, STR("f:metadata"));
    return value_count(set) ? set : NULL;
}

const struct value *managed_set(struct arena *arena, struct place place, const struct value *object,
                                bool status)
{
    return strip(arena, fields_of(arena, place, object), place.type->type.has_status, status);
}

static struct place root(const struct served *type)
{
    return (struct place){type, type->schema, STR_NONE};
}

static bool is_entry(const struct value *entry, const char *manager, const char *operation,
                     const char *subresource)
{
    return str_is(value_str(value_key(entry, "manager")), manager) &&
           str_is(value_str(value_key(entry, "operation")), operation) &&
           str_is(value_str(value_key(entry, "subresource")), subresource);
}

static const struct value *make_entry(struct arena *arena, const struct served *type, const char *manager,
                                      const char *operation, const char *subresource,
                                      const struct value *fields)
{
    return VALUE_MAP(
        arena, {"manager", value_cstr(arena, manager)}, {"operation", value_cstr(arena, operation)},
        {"apiVersion", value_string(arena, types_group_version(arena, type))},
        {"time", value_string(arena, state_now(arena))}, {"fieldsType", value_cstr(arena, "FieldsV1")},
        {"fieldsV1", fields}, {"subresource", *subresource ? value_cstr(arena, subresource) : NULL});
}

static const struct value *entries_of(const struct value *object)
{
    return value_in(object, PATH("metadata", "managedFields"));
}

static const struct value *fields_in(const struct value *entry)
{
    return value_key(entry, "fieldsV1");
}

/* Everyone's entries: others lose the fields in `lost` (NULL: none), `own` (may be NULL) becomes `mine` (NULL: goes).
 * The order stays, or a write that changes nothing would not look like one. */
static struct value_list_builder settle(struct arena *arena, const struct value *entries,
                                        const struct value *own, const struct value *mine,
                                        const struct value *lost)
{
    struct value_list_builder kept = {0};
    VALUE_EACH(entry, entries) {
        const struct value *left = entry == own ? NULL : fields_minus(arena, fields_in(entry), lost);
        if (entry == own && mine != NULL)
            value_push(arena, &kept, mine);
        else if (left != NULL)
            value_push(arena, &kept, value_with(arena, entry, STR("fieldsV1"), left));
    }
    if (own == NULL && mine != NULL)
        value_push(arena, &kept, mine);
    return kept;
}

static const struct value *own_entry(const struct value *entries, const char *manager, const char *operation,
                                     const char *subresource)
{
    VALUE_EACH(entry, entries) {
        if (is_entry(entry, manager, operation, subresource))
            return entry;
    }
    return NULL;
}

static const struct value *with_entries(struct arena *arena, const struct value *object,
                                        struct value_list_builder *entries)
{
    return value_with_in(arena, object, PATH("metadata", "managedFields"), value_list_done(arena, entries));
}

const struct value *managed_update(struct arena *arena, const struct served *type, const struct value *before,
                                   const struct value *now, const char *manager, const char *subresource)
{
    const struct value *entries = entries_of(before);
    bool status = *subresource != 0;
    const struct value *changed =
        strip(arena, fields_changed(arena, root(type), before, now), type->type.has_status, status);
    const struct value *removed = before ? fields_minus(arena, managed_set(arena, root(type), before, status),
                                                        managed_set(arena, root(type), now, status))
                                         : NULL;
    const struct value *own = own_entry(entries, manager, "Update", subresource);
    const struct value *mine = fields_join(arena, fields_minus(arena, fields_in(own), removed), changed);
    if (mine != NULL)
        mine = own && value_equal(mine, fields_in(own))
                   ? own
                   : make_entry(arena, type, manager, "Update", subresource, mine);
    struct value_list_builder kept = settle(arena, entries, own, mine, fields_join(arena, changed, removed));
    return with_entries(arena, now, &kept);
}

/* "kubectl" for an apply, "kubectl" using apps/v1 for any other write. */
static struct str print_manager(struct arena *arena, const struct value *entry)
{
    struct str name = value_str(value_key(entry, "manager")),
               sub = value_str(value_key(entry, "subresource"));
    struct str text = str_fmt(arena, "\"%.*s\"", STR_ARG(name));
    if (sub.len)
        text = str_fmt(arena, "%.*s with subresource \"%.*s\"", STR_ARG(text), STR_ARG(sub));
    if (str_is(value_str(value_key(entry, "operation")), "Apply"))
        return text;
    return str_fmt(arena, "%.*s using %.*s", STR_ARG(text),
                   STR_ARG(value_str(value_key(entry, "apiVersion"))));
}

static void add_causes(struct arena *arena, const struct value *entry, const struct value *changed,
                       struct value_list_builder *causes)
{
    struct str_list paths = {0};
    fields_common(arena, changed, fields_in(entry), STR_NONE, &paths);
    for (size_t i = 0; i < paths.count; i++) {
        struct str message = str_fmt(arena, "conflict with %.*s", STR_ARG(print_manager(arena, entry)));
        value_push(arena, causes,
                   VALUE_MAP(arena, {"reason", value_cstr(arena, "FieldManagerConflict")},
                             {"message", value_string(arena, message)},
                             {"field", value_string(arena, paths.items[i])}));
    }
}

static const struct value *owned_by(struct arena *arena, const struct value_list_builder *entries)
{
    const struct value *all = NULL;
    for (size_t i = 0; i < entries->count; i++)
        all = fields_join(arena, all, fields_in(&entries->items[i]));
    return all;
}

const struct value *managed_apply(struct arena *arena, const struct served *type, const struct value *live,
                                  const struct value *applied, const char *manager, bool force,
                                  const struct value **ret_causes)
{
    const struct value *entries = entries_of(live), *set = managed_set(arena, root(type), applied, false);
    const struct value *own = own_entry(entries, manager, "Apply", "");
    const struct value *changed =
        live ? strip(arena, fields_changed(arena, root(type), live, applied), type->type.has_status, false)
             : NULL;
    struct value_list_builder causes = {0};
    VALUE_EACH(entry, entries) {
        if (entry != own)
            add_causes(arena, entry, changed, &causes);
    }
    if (causes.count && !force) {
        *ret_causes = value_list_done(arena, &causes);
        return NULL;
    }
    struct value_list_builder others = settle(arena, entries, own, NULL, changed);
    const struct value *gone =
        fields_minus(arena, fields_minus(arena, fields_in(own), set), owned_by(arena, &others));
    const struct value *merged = live ? fields_merge(arena, root(type), live, applied) : applied;
    merged = fields_drop(arena, root(type), merged, gone);
    const struct value *mine = set;
    if (set != NULL)
        mine = own && value_equal(fields_in(own), set) ? own
                                                       : make_entry(arena, type, manager, "Apply", "", set);
    struct value_list_builder kept = settle(arena, entries, own, mine, changed);
    return with_entries(arena, merged, &kept);
}
