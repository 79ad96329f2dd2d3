#include "backupd/joint.h"

#include <stdlib.h>

#include "backupd/guard.h"
#include "core/base/json.h"
#include "core/base/version.h"

enum { PLAN_FORMAT = 1, PLAN_MAX_BYTES = 1 << 20 };

bool joint_parse_shard(struct str text, unsigned *ret_index, unsigned *ret_shards, struct err *err)
{
    struct str rest = text, first = str_cut(&rest, '/');
    uint64_t index, shards;
    if (str_to_u64(first, &index) && str_to_u64(rest, &shards) && index < shards &&
        shards <= JOINT_MAX_SHARDS) {
        *ret_index = (unsigned)index;
        *ret_shards = (unsigned)shards;
        return true;
    }
    err_set(err, ERR_USAGE, "--shard wants INDEX/NUMBER, not \"%.*s\"", STR_ARG(text));
    return err_next(err, "indexes count from 0: the shards of four are 0/4, 1/4, 2/4 and 3/4");
}

/* ---- keys ---- */

static struct str key_of(struct arena *arena, const struct joint *joint, const char *last)
{
    struct str cluster = store_key_part(arena, joint->cluster), name = store_key_part(arena, joint->name);
    return str_fmt(arena, "runs/%.*s/%.*s/%s", STR_ARG(cluster), STR_ARG(name), last);
}

static struct str part_key(struct arena *arena, const struct joint *joint, unsigned index)
{
    return key_of(arena, joint, str_fmt(arena, "shard-%u.json", index).ptr);
}

/* ---- the plan ---- */

static bool other_settings(const struct joint *joint, const char *what, struct err *err)
{
    err_set(err, ERR_USAGE, "run \"%.*s\" was begun with another %s", STR_ARG(joint->name), what);
    return err_next(err, "give all shards of a run the same settings, and every run a name of its own");
}

static bool read_plan(struct arena *arena, struct str text, struct joint *joint,
                      const struct value *selection, struct err *err)
{
    const struct value *plan;
    int64_t format = 0, shards = 0;
    if (!json_parse(arena, text, NULL, &plan, err)) {
        err->code = ERR_CORRUPT;
        return false;
    }
    if (!value_i64(value_key(plan, "format"), &format) || !value_i64(value_key(plan, "shards"), &shards) ||
        !value_i64(value_key(plan, "takenAtMs"), &joint->taken_ms) ||
        value_str(value_key(plan, "id")).len == 0)
        return err_set(err, ERR_CORRUPT, "it is no plan of a run");
    if (format != PLAN_FORMAT)
        return err_set(err, ERR_REFUSED, "format %lld is newer than this program reads", (long long)format);
    if (shards != (int64_t)joint->shards)
        return other_settings(joint, "number of shards", err);
    if (!value_equal(value_key(plan, "selection"), selection))
        return other_settings(joint, "selection", err);
    joint->id = value_str(value_key(plan, "id"));
    joint->resource_version = value_str(value_key(plan, "resourceVersion"));
    return true;
}

bool joint_find(struct run *run, struct joint *joint, const struct value *selection, bool *ret_found,
                struct err *err)
{
    struct str key = key_of(run->arena, joint, "plan.json"), text;
    *ret_found = false;
    if (!store_get(run->store, run->arena, key, PLAN_MAX_BYTES, &text, err))
        return err->code == ERR_NOT_FOUND;
    *ret_found = read_plan(run->arena, text, joint, selection, err);
    return *ret_found || err_context(err, "%.*s", STR_ARG(key));
}

bool joint_begin(struct run *run, struct joint *joint, struct str resource_version,
                 const struct value *selection, struct err *err)
{
    struct arena *a = run->arena;
    struct str id;
    bool found = false;
    if (!guard_new_id(run, &id, err))
        return false;
    const struct value *plan =
        VALUE_MAP(a, {"format", value_int(a, PLAN_FORMAT)}, {"id", value_string(a, id)},
                  {"tool", value_cstr(a, "gitops-pipe " GITOPS_PIPE_VERSION)},
                  {"takenAtMs", value_int(a, clock_now_ms(run->clock))},
                  {"resourceVersion", value_string(a, resource_version)},
                  {"shards", value_int(a, joint->shards)}, {"selection", selection});
    struct str key = key_of(a, joint, "plan.json"), text = json_text(a, plan);
    if (!store_create(run->store, a, key, text, NULL, err) && err->code != ERR_EXISTS)
        return err_context(err, "plan of the run");
    return joint_find(run, joint, selection, &found, err) &&
           (found || err_set(err, ERR_CORRUPT, "the store does not hold the plan that it was sent"));
}

/* ---- parts ---- */

bool joint_is_in(struct run *run, const struct joint *joint, bool *ret_in, struct err *err)
{
    struct store_info info;
    *ret_in = store_head(run->store, run->arena, part_key(run->arena, joint, joint->index), &info, err);
    return *ret_in || err->code == ERR_NOT_FOUND;
}

bool joint_hand_in(struct run *run, const struct joint *joint, const struct manifest *part, struct err *err)
{
    struct str key = part_key(run->arena, joint, joint->index);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, MANIFEST_MAX_BYTES);
    json_write_pretty(&text, manifest_value(run->arena, part));
    if (!buf_ok(&text))
        return err_set(err, ERR_LIMIT, "the part of this shard is larger than %d bytes", MANIFEST_MAX_BYTES);
    return store_create(run->store, run->arena, key, buf_view(&text), NULL, err) || err->code == ERR_EXISTS ||
           err_context(err, "part of this shard");
}

struct parts_in {
    struct manifest *items;
    bool *is_in;
};

static bool read_parts(struct run *run, const struct joint *joint, struct parts_in *parts,
                       struct joint_state *state, struct err *err)
{
    struct arena *a = run->arena;
    parts->items = ARENA_ARRAY(a, struct manifest, joint->shards);
    for (unsigned i = 0; i < joint->shards; i++) {
        struct str key = part_key(a, joint, i), text;
        if (!store_get(run->store, a, key, MANIFEST_MAX_BYTES, &text, err)) {
            if (err->code != ERR_NOT_FOUND)
                return false;
            *ARENA_PUSH(a, &state->missing) = str_fmt(a, "%u", i);
            continue;
        }
        if (!manifest_parse(a, text, &parts->items[i], err))
            return err_context(err, "%.*s", STR_ARG(key));
        if (!str_eq(parts->items[i].id, joint->id))
            return err_set(err, ERR_CORRUPT, "%.*s belongs to backup %.*s", STR_ARG(key),
                           STR_ARG(parts->items[i].id));
    }
    state->waiting = (unsigned)state->missing.count;
    return true;
}

/* A prune may have come between a shard and the last one; what it took has to be stored again. */
static bool check_packs(struct run *run, const struct joint *joint, const struct parts_in *parts,
                        struct err *err)
{
    struct arena *a = run->arena;
    for (unsigned i = 0; i < joint->shards; i++)
        for (size_t k = 0; k < parts->items[i].packs.count; k++) {
            const struct manifest_pack *pack = &parts->items[i].packs.items[k];
            struct store_info info;
            struct err ignored;
            if (store_head(run->store, a, manifest_pack_key(a, pack), &info, err) &&
                info.bytes == pack->bytes)
                continue;
            if (err->code != ERR_NOT_FOUND && err->code != ERR_NONE)
                return false;
            if (!store_delete(run->store, part_key(a, joint, i), &ignored))
                return err_set(err, ERR_NOT_FOUND, "pack %.*s has gone, and the part of shard %u stays: %s",
                               STR_ARG(manifest_pack_name(a, pack)), i, ignored.msg);
            err_set(err, ERR_NOT_FOUND, "pack %.*s of shard %u has gone in the meantime",
                    STR_ARG(manifest_pack_name(a, pack)), i);
            return err_next(err, "run shard %u/%u again", i, joint->shards);
        }
    return true;
}

/* ---- putting together ---- */

static struct resource_type *same_type(struct resource_types *types, const struct resource_type *type)
{
    for (size_t i = 0; i < types->count; i++)
        if (str_eq(types->items[i].plural, type->plural) && str_eq(types->items[i].group, type->group))
            return &types->items[i];
    return NULL;
}

/* The weakest promise counts, and every hole. */
static void merge_type(struct arena *arena, struct resource_types *types, const struct resource_type *type)
{
    struct resource_type *into = same_type(types, type);
    if (into == NULL) {
        *ARENA_PUSH(arena, types) = *type;
        return;
    }
    into->count += type->count;
    if (into->missing.len == 0)
        into->missing = type->missing;
    bool weaker = into->consistency.len == 0 ||
                  (str_is(into->consistency, "exact") && str_is(type->consistency, "per-resource"));
    if (!weaker || type->consistency.len == 0)
        return;
    into->consistency = type->consistency;
    into->resource_version = type->resource_version;
    into->why = type->why;
}

static int pack_order(const void *a, const void *b)
{
    const struct manifest_pack *x = a, *y = b;
    int order = ((int)x->part > (int)y->part) - ((int)x->part < (int)y->part);
    return order ? order : str_cmp(x->namespace, y->namespace);
}

static struct manifest merge(struct run *run, const struct joint *joint, const struct parts_in *parts)
{
    struct arena *a = run->arena;
    struct manifest m = parts->items[0];
    m.types.cap = m.types.count;
    m.packs.cap = m.packs.count;
    m.problems.cap = m.problems.count;
    for (unsigned i = 1; i < joint->shards; i++) {
        const struct manifest *part = &parts->items[i];
        m.complete = m.complete && part->complete;
        m.objects += part->objects;
        for (size_t k = 0; k < part->types.count; k++)
            merge_type(a, &m.types, &part->types.items[k]);
        for (size_t k = 0; k < part->packs.count; k++)
            *ARENA_PUSH(a, &m.packs) = part->packs.items[k];
        for (size_t k = 0; k < part->problems.count; k++)
            if (!str_in(part->problems.items[k], m.problems.items, m.problems.count))
                *ARENA_PUSH(a, &m.problems) = part->problems.items[k];
    }
    if (m.packs.count != 0)
        qsort(m.packs.items, m.packs.count, sizeof *m.packs.items, pack_order);
    return m;
}

static bool publish(struct run *run, const struct manifest *m, struct err *err)
{
    struct str key = manifest_key(run->arena, m->cluster, m->id);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, MANIFEST_MAX_BYTES);
    json_write_pretty(&text, manifest_value(run->arena, m));
    if (!buf_ok(&text))
        return err_set(err, ERR_LIMIT, "the manifest is larger than %d bytes", MANIFEST_MAX_BYTES);
    return store_create(run->store, run->arena, key, buf_view(&text), NULL, err) || err->code == ERR_EXISTS ||
           err_context(err, "manifest");
}

static bool find_published(struct run *run, const struct joint *joint, struct joint_state *state,
                           struct err *err)
{
    struct str key = manifest_key(run->arena, joint->cluster, joint->id);
    state->published = manifest_fetch(run->store, run->arena, key, &state->manifest, err);
    return state->published || err->code == ERR_NOT_FOUND;
}

bool joint_finish(struct run *run, const struct joint *joint, struct joint_state *ret_state, struct err *err)
{
    struct joint_state state = {0};
    struct parts_in parts;
    struct err ignored;
    if (!find_published(run, joint, &state, err))
        return false;
    if (!state.published && !read_parts(run, joint, &parts, &state, err))
        return false;
    if (!state.published && state.waiting == 0) {
        struct manifest merged = merge(run, joint, &parts);
        if (!check_packs(run, joint, &parts, err) || !publish(run, &merged, err))
            return false;
    }
    /* Another may have published meanwhile and cleared the parts away; and what counts is what the store holds. */
    if (!state.published && !find_published(run, joint, &state, err))
        return false;
    for (unsigned i = 0; state.published && i < joint->shards;
         i++) /* as far as we may: they say nothing any more */
        if (!store_delete(run->store, part_key(run->arena, joint, i), &ignored))
            break;
    if (state.published)
        state.waiting = 0;
    *ret_state = state;
    return true;
}
