#include "transform/verify.h"

#include "core/base/diff.h"
#include "core/base/pointer.h"
#include "transform/rule.h"

struct verifying {
    struct arena *arena;   /* of the result */
    struct arena *scratch; /* of what is done again to one object */
    const struct scene *scene;
    struct verification *result;
    const struct resource *resource; /* the one at hand, as it was read */
};

static void unexplained(struct verifying *v, const struct resource *resource, struct str pointer,
                        struct str what)
{
    struct arena *arena = v->arena;
    value_push(arena, &v->result->unexplained,
               VALUE_MAP(arena, {"resource", value_string(arena, resource_label(arena, resource))},
                         {"path", value_string(arena, pointer_dotted(arena, pointer))},
                         {"what", value_string(arena, what)}));
}

static void explained(struct verifying *v, const struct transform_entry *entry)
{
    v->result->explained++;
    v->result->by_rule[transform_rule_index(entry->rule)]++;
}

/* As subject_set does: the maps that are missing on the way are made. */
static bool set_at(struct arena *arena, const struct value *root, struct str pointer,
                   const struct value *value, const struct value **ret_root)
{
    struct err ignored;
    for (size_t end = 1; pointer_get(root, pointer) == NULL && end < pointer.len; end++) {
        end += str_find(str_from(pointer, end), '/');
        struct str parent = str_slice(pointer, 0, end);
        if (end < pointer.len && pointer_get(root, parent) == NULL &&
            !pointer_add(arena, root, parent, VALUE_MAP(arena, {"", NULL}), &root, &ignored))
            return false;
    }
    return pointer_get(root, pointer) ? pointer_replace(arena, root, pointer, value, ret_root, &ignored)
                                      : pointer_add(arena, root, pointer, value, ret_root, &ignored);
}

/* Done again as the log tells it; what cannot be done was not so. */
static const struct value *replay_entry(struct verifying *v, const struct value *object,
                                        const struct transform_entry *entry)
{
    const struct value *after = NULL;
    struct err err;
    bool done =
        entry->action == TRANSFORM_REMOVED
            ? pointer_remove(v->scratch, object, entry->pointer, &after, &err)
            : entry->value != NULL && set_at(v->scratch, object, entry->pointer, entry->value, &after);
    if (done) {
        explained(v, entry);
        return after;
    }
    unexplained(v, entry->resource, entry->pointer,
                str_fmt(v->arena, "%s says that it %s this, and there is nothing to do it to",
                        entry->rule->id, entry->action == TRANSFORM_REMOVED ? "removed" : "changed"));
    return object;
}

/* What was taken out as a default comes back as it was, or the rule was wrong. */
static void check_defaults(struct verifying *v, const struct value *before, const struct value *after)
{
    struct str_list lost = {0};
    default_lost(v->scratch, default_kinds_find(&v->scene->defaults, v->resource), before, after, &lost);
    for (size_t i = 0; i < lost.count; i++)
        unexplained(v, v->resource, lost.items[i], STR("removed as a default, which it is not"));
}

static void compare(struct verifying *v, const struct value *expected, const struct value *written)
{
    static const char *const words[] = {
        [DIFF_ADDED] = "is written, and no rule added it",
        [DIFF_REMOVED] = "is not written, and no rule removed it",
        [DIFF_CHANGED] = "is written with another value, and no rule changed it",
    };
    struct diff_list differences = {0};
    diff_values(v->scratch, expected, written, &differences);
    for (size_t i = 0; i < differences.count; i++)
        unexplained(v, v->resource, differences.items[i].pointer, str_of(words[differences.items[i].kind]));
}

static const struct value *replay(struct verifying *v, const struct transform_entry *entries, size_t count)
{
    const struct value *object = v->resource->object;
    for (size_t i = 0; i < count;) {
        const struct transform_rule *rule = entries[i].rule;
        const struct value *before = object;
        for (; i < count && entries[i].rule == rule; i++)
            object = replay_entry(v, object, &entries[i]);
        if (rule->apply == rule_defaults)
            check_defaults(v, before, object);
    }
    return object;
}

static void verify_resource(struct verifying *v, const struct transform_entry *entries, size_t count,
                            const struct resource *written)
{
    const struct transform_entry *dropped = NULL;
    for (size_t i = 0; i < count; i++)
        if (entries[i].action == TRANSFORM_DROPPED)
            dropped = &entries[i];
    if (dropped != NULL) {
        explained(v, dropped);
        if (written != NULL)
            unexplained(v, v->resource, STR_NONE,
                        str_fmt(v->arena, "is written, and %s left it out", dropped->rule->id));
    } else if (written == NULL) {
        unexplained(v, v->resource, STR_NONE, STR("is not written, and no rule left it out"));
    } else {
        compare(v, replay(v, entries, count), written->object);
    }
}

static const struct resource *same_object(const struct bundle *bundle, const struct resource *resource)
{
    return bundle_find(bundle, resource_group(resource), resource->kind, resource->namespace, resource->name);
}

void verification_init(struct arena *arena, struct verification *verification)
{
    *verification = (struct verification){.by_rule = ARENA_ARRAY(arena, size_t, transform_rule_count())};
}

void transform_verify(struct arena *arena, const struct transform_log *log, const struct bundle *written,
                      struct verification *verification)
{
    const struct bundle *live = &log->live;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct verifying v = {.arena = arena, .scratch = scratch, .scene = log->scene, .result = verification};
    size_t from = 0;
    verification->objects += live->count;
    for (size_t i = 0; i < live->count; i++) {
        size_t to = from;
        v.resource = &live->items[i];
        arena_reset(scratch);
        while (to < log->count && log->items[to].resource == v.resource)
            to++;
        verify_resource(&v, log->items + from, to - from, same_object(written, v.resource));
        from = to;
    }
    for (size_t i = 0; i < written->count; i++)
        if (same_object(live, &written->items[i]) == NULL)
            unexplained(&v, &written->items[i], STR_NONE,
                        STR("is written, and the snapshot has no such object"));
}

const struct value *verification_rules(struct arena *arena, const struct verification *verification)
{
    struct value_map_builder rules = {0};
    for (size_t i = 0; i < transform_rule_count(); i++)
        if (verification->by_rule[i] != 0)
            value_put(arena, &rules, str_of(transform_rule_at(i)->id),
                      value_int(arena, (int64_t)verification->by_rule[i]));
    return value_map_done(arena, &rules);
}
