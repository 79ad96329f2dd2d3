#include "backupd/manifest.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/json.h"

static const char *const part_names[] = {[MANIFEST_CLUSTER] = "cluster",
                                         [MANIFEST_NAMESPACE] = "namespace",
                                         [MANIFEST_SCHEMA] = "schema",
                                         [MANIFEST_HOOK] = "hook"};

/* ---- keys and names ---- */

struct str manifest_pack_key(struct arena *arena, const struct manifest_pack *pack)
{
    return str_fmt(arena, "packs/%.*s.tar.zst%s", STR_ARG(sha256_hex(arena, &pack->sha256)),
                   pack->encrypted ? ".age" : "");
}

bool manifest_pack_of(struct str key, struct sha256 *ret_sha256)
{
    struct str name = str_from(key, sizeof "packs/" - 1);
    struct str hex = str_slice(name, 0, SHA256_HEX);
    return str_starts(key, STR("packs/")) && str_starts(str_from(name, SHA256_HEX), STR(".tar.zst")) &&
           sha256_from_hex(hex, ret_sha256);
}

struct str manifest_prefix(struct arena *arena, struct str cluster)
{
    if (cluster.len == 0)
        return STR("backups/");
    return str_fmt(arena, "backups/%.*s/", STR_ARG(store_key_part(arena, cluster)));
}

static struct str key_in_backup(struct arena *arena, struct str cluster, struct str id, const char *file)
{
    return str_fmt(arena, "backups/%.*s/%.*s/%s", STR_ARG(store_key_part(arena, cluster)),
                   STR_ARG(store_key_part(arena, id)), file);
}

struct str manifest_key(struct arena *arena, struct str cluster, struct str id)
{
    return key_in_backup(arena, cluster, id, "manifest.json");
}

struct str manifest_marker_key(struct arena *arena, struct str cluster, struct str id)
{
    return key_in_backup(arena, cluster, id, "in-progress.json");
}

bool manifest_has_objects(const struct manifest_pack *pack)
{
    return pack->part == MANIFEST_CLUSTER || pack->part == MANIFEST_NAMESPACE;
}

struct str manifest_pack_name(struct arena *arena, const struct manifest_pack *pack)
{
    const char *part = part_names[pack->part];
    struct str whose = pack->part == MANIFEST_HOOK ? pack->hook : pack->namespace;
    return whose.len ? str_fmt(arena, "%s %.*s", part, STR_ARG(whose)) : str_of(part);
}

struct str manifest_type_name(struct arena *arena, const struct resource_type *type)
{
    if (type->group.len == 0)
        return type->plural;
    return str_fmt(arena, "%.*s.%.*s", STR_ARG(type->plural), STR_ARG(type->group));
}

/* ---- writing ---- */

static const struct value *text_or_none(struct arena *arena, struct str text)
{
    return text.len ? value_string(arena, text) : NULL;
}

static const struct value *number(struct arena *arena, uint64_t number)
{
    return value_int(arena, (int64_t)number);
}

static const struct value *type_value(struct arena *a, const struct resource_type *type)
{
    return VALUE_MAP(
        a, {"group", value_string(a, type->group)}, {"version", value_string(a, type->version)},
        {"kind", value_string(a, type->kind)}, {"plural", value_string(a, type->plural)},
        {"singular", text_or_none(a, type->singular)}, {"namespaced", value_bool(a, type->namespaced)},
        {"listable", value_bool(a, type->listable)}, {"hasStatus", value_bool(a, type->has_status)},
        {"objects", number(a, type->count)}, {"resourceVersion", text_or_none(a, type->resource_version)},
        {"consistency", text_or_none(a, type->consistency)}, {"why", text_or_none(a, type->why)},
        {"missing", text_or_none(a, type->missing)});
}

static const struct value *pack_value(struct arena *a, const struct manifest_pack *pack)
{
    return VALUE_MAP(a, {"part", value_cstr(a, part_names[pack->part])},
                     {"namespace", text_or_none(a, pack->namespace)}, {"hook", text_or_none(a, pack->hook)},
                     {"sha256", value_string(a, sha256_hex(a, &pack->sha256))},
                     {"bytes", number(a, pack->bytes)}, {"rawBytes", number(a, pack->raw_bytes)},
                     {"entries", number(a, pack->entries)}, {"versionId", text_or_none(a, pack->version)},
                     {"encryption", pack->encrypted ? value_cstr(a, "age") : NULL},
                     {"plainSha256", pack->encrypted ? value_string(a, sha256_hex(a, &pack->plain)) : NULL});
}

const struct value *manifest_missing(struct arena *a, const struct resource_types *types)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < types->count; i++)
        if (types->items[i].missing.len != 0)
            value_push(a, &list,
                       VALUE_MAP(a, {"type", value_string(a, manifest_type_name(a, &types->items[i]))},
                                 {"reason", value_string(a, types->items[i].missing)}));
    return value_list_done(a, &list);
}

#define DIGEST "digest"

static struct str digest_of(struct arena *a, const struct value *root)
{
    struct sha256 sha256 = sha256_of(json_text(a, value_sorted(a, value_without(a, root, STR(DIGEST)))));
    return sha256_hex(a, &sha256);
}

const struct value *manifest_seal(struct arena *a, const struct value *root)
{
    return value_with(a, root, STR(DIGEST), value_string(a, digest_of(a, root)));
}

const struct value *manifest_value(struct arena *a, const struct manifest *m)
{
    struct value_list_builder types = {0}, packs = {0}, problems = {0}, recipients = {0};
    for (size_t i = 0; i < m->recipients.count; i++)
        value_push(a, &recipients, value_string(a, m->recipients.items[i]));
    for (size_t i = 0; i < m->types.count; i++)
        value_push(a, &types, type_value(a, &m->types.items[i]));
    for (size_t i = 0; i < m->packs.count; i++)
        value_push(a, &packs, pack_value(a, &m->packs.items[i]));
    for (size_t i = 0; i < m->problems.count; i++)
        value_push(a, &problems, value_string(a, m->problems.items[i]));
    return manifest_seal(
        a, VALUE_MAP(a, {"format", number(a, MANIFEST_FORMAT)}, {"id", value_string(a, m->id)},
                     {"tool", value_string(a, m->tool)},
                     {"takenAt", value_string(a, clock_rfc3339(a, m->taken_ms))},
                     {"takenAtMs", value_int(a, m->taken_ms)},
                     {"cluster", VALUE_MAP(a, {"name", value_string(a, m->cluster)},
                                           {"uid", value_string(a, m->cluster_uid)},
                                           {"version", value_string(a, m->server_version)},
                                           {"sandbox", value_bool(a, m->sandbox)})},
                     {"resourceVersion", value_string(a, m->resource_version)},
                     {"complete", value_bool(a, m->complete)}, {"selection", m->selection},
                     {"missing", manifest_missing(a, &m->types)}, {"objects", number(a, m->objects)},
                     {"recipients", m->recipients.count ? value_list_done(a, &recipients) : NULL},
                     {"hooks", m->hooks}, {"packs", value_list_done(a, &packs)},
                     {"types", value_list_done(a, &types)},
                     {"problems", m->problems.count ? value_list_done(a, &problems) : NULL}));
}

/* ---- reading ---- */

/* Reads fields of one map; the first fault is kept and ends in CORRUPT. */
struct reader {
    struct arena *arena;
    const struct value *map;
    const char *fault; /* name of the field that is not as it should be */
};

static const struct value *field(struct reader *r, const char *key, enum value_kind kind, bool wanted)
{
    const struct value *value = value_key(r->map, key);
    if ((value == NULL && !wanted) || value_is(value, kind))
        return value;
    if (r->fault == NULL)
        r->fault = key;
    return NULL;
}

static struct str text(struct reader *r, const char *key, bool wanted)
{
    return value_str(field(r, key, VALUE_STRING, wanted));
}

static bool boolean(struct reader *r, const char *key)
{
    return value_true(field(r, key, VALUE_BOOL, true));
}

static uint64_t count(struct reader *r, const char *key)
{
    int64_t out = 0;
    if ((!value_i64(field(r, key, VALUE_NUMBER, true), &out) || out < 0) && r->fault == NULL)
        r->fault = key;
    return out < 0 ? 0 : (uint64_t)out;
}

static bool whole(const struct reader *r, const char *where, size_t index, struct err *err)
{
    if (r->fault == NULL)
        return true;
    if (where == NULL)
        return err_set(err, ERR_CORRUPT, "%s is missing or of the wrong kind", r->fault);
    return err_set(err, ERR_CORRUPT, "%s[%zu].%s is missing or of the wrong kind", where, index, r->fault);
}

static bool read_types(struct arena *arena, const struct value *list, struct manifest *m, struct err *err)
{
    VALUE_EACH(item, list) {
        struct reader r = {arena, item, NULL};
        struct resource_type type = {
            .group = text(&r, "group", true),
            .version = text(&r, "version", true),
            .kind = text(&r, "kind", true),
            .plural = text(&r, "plural", true),
            .singular = text(&r, "singular", false),
            .namespaced = boolean(&r, "namespaced"),
            .listable = boolean(&r, "listable"),
            .has_status = boolean(&r, "hasStatus"),
            .count = count(&r, "objects"),
            .resource_version = text(&r, "resourceVersion", false),
            .consistency = text(&r, "consistency", false),
            .why = text(&r, "why", false),
            .missing = text(&r, "missing", false),
        };
        if (!whole(&r, "types", m->types.count, err))
            return false;
        *ARENA_PUSH(arena, &m->types) = type;
    }
    return true;
}

static bool read_part(struct reader *r, enum manifest_part *ret_part)
{
    struct str name = text(r, "part", true);
    for (size_t i = 0; i < COUNT_OF(part_names); i++)
        if (str_is(name, part_names[i])) {
            *ret_part = (enum manifest_part)i;
            return true;
        }
    return false;
}

static void read_encryption(struct reader *r, struct manifest_pack *pack)
{
    struct str name = text(r, "encryption", false), plain = text(r, "plainSha256", name.len != 0);
    pack->encrypted = name.len != 0;
    if (pack->encrypted && !str_is(name, "age") && r->fault == NULL)
        r->fault = "encryption";
    if (pack->encrypted && !sha256_from_hex(plain, &pack->plain) && r->fault == NULL)
        r->fault = "plainSha256";
}

static bool read_packs(struct arena *arena, const struct value *list, struct manifest *m, struct err *err)
{
    VALUE_EACH(item, list) {
        struct reader r = {arena, item, NULL};
        struct manifest_pack pack = {
            .namespace = text(&r, "namespace", false),
            .hook = text(&r, "hook", false),
            .bytes = count(&r, "bytes"),
            .raw_bytes = count(&r, "rawBytes"),
            .entries = count(&r, "entries"),
            .version = text(&r, "versionId", false),
        };
        if (!read_part(&r, &pack.part) && r.fault == NULL)
            r.fault = "part";
        if (!sha256_from_hex(text(&r, "sha256", true), &pack.sha256) && r.fault == NULL)
            r.fault = "sha256";
        read_encryption(&r, &pack);
        if ((pack.part == MANIFEST_NAMESPACE) != (pack.namespace.len != 0) && r.fault == NULL)
            r.fault = "namespace";
        if ((pack.part == MANIFEST_HOOK) != (pack.hook.len != 0) && r.fault == NULL)
            r.fault = "hook";
        if (!whole(&r, "packs", m->packs.count, err))
            return false;
        *ARENA_PUSH(arena, &m->packs) = pack;
    }
    return true;
}

static bool check_sum(const struct manifest *m, struct err *err)
{
    uint64_t objects = 0;
    for (size_t i = 0; i < m->packs.count; i++)
        if (manifest_has_objects(&m->packs.items[i]))
            objects += m->packs.items[i].entries;
    if (objects == m->objects)
        return true;
    return err_set(err, ERR_CORRUPT, "it says %llu objects, its packs %llu", (unsigned long long)m->objects,
                   (unsigned long long)objects);
}

/* The format comes first: of a newer manifest nothing else can be judged. */
static bool check_format(const struct value *root, struct err *err)
{
    int64_t format = 0;
    if (!value_i64(value_key(root, "format"), &format) || format < 1)
        return err_set(err, ERR_CORRUPT, "format is missing: not a manifest");
    if (format == MANIFEST_FORMAT)
        return true;
    err_set(err, ERR_REFUSED, "format %lld is newer than this program reads (%d)", (long long)format,
            MANIFEST_FORMAT);
    struct str tool = value_str(value_key(root, "tool"));
    return err_next(err, "use the version that wrote it: %.*s", STR_ARG(tool));
}

static bool read_root(struct arena *arena, const struct value *root, struct manifest *m, struct err *err)
{
    struct reader r = {arena, root, NULL}, c = {arena, field(&r, "cluster", VALUE_MAP, true), NULL};
    m->id = text(&r, "id", true);
    m->tool = text(&r, "tool", true);
    m->taken_ms = (int64_t)count(&r, "takenAtMs");
    m->cluster = text(&c, "name", true);
    m->cluster_uid = text(&c, "uid", true);
    m->server_version = text(&c, "version", true);
    m->sandbox = boolean(&c, "sandbox");
    m->resource_version = text(&r, "resourceVersion", true);
    m->complete = boolean(&r, "complete");
    m->objects = count(&r, "objects");
    const struct value *types = field(&r, "types", VALUE_LIST, true),
                       *packs = field(&r, "packs", VALUE_LIST, true);
    VALUE_EACH(recipient, field(&r, "recipients", VALUE_LIST, false))
        *ARENA_PUSH(arena, &m->recipients) = value_str(recipient);
    VALUE_EACH(problem, field(&r, "problems", VALUE_LIST, false))
        *ARENA_PUSH(arena, &m->problems) = value_str(problem);
    m->hooks = field(&r, "hooks", VALUE_LIST, false);
    m->selection = field(&r, "selection", VALUE_MAP, false);
    m->narrowed = value_true(value_key(m->selection, "narrowed"));
    if (m->id.len == 0 && r.fault == NULL)
        r.fault = "id";
    return whole(&r, NULL, 0, err) && whole(&c, NULL, 0, err) && read_types(arena, types, m, err) &&
           read_packs(arena, packs, m, err) && check_sum(m, err);
}

/* Last, so that a field that is off is named. */
static bool check_digest(struct arena *arena, const struct value *root, struct err *err)
{
    return str_eq(value_str(value_key(root, DIGEST)), digest_of(arena, root)) ||
           err_set(err, ERR_CORRUPT, "its digest does not hold: something in it was changed");
}

bool manifest_parse(struct arena *arena, struct str json, struct manifest *ret_manifest, struct err *err)
{
    static const struct json_limits limits = {
        .max_bytes = MANIFEST_MAX_BYTES, .max_depth = 8, .max_values = 8 << 20};
    const struct value *root = NULL;
    struct manifest m = {0};
    if (!json_parse(arena, json, &limits, &root, err)) {
        err->code = ERR_CORRUPT;
        return false;
    }
    if (!check_format(root, err) || !read_root(arena, root, &m, err) || !check_digest(arena, root, err))
        return false;
    *ret_manifest = m;
    return true;
}

struct fetched {
    struct arena *arena;
    struct str key;
    struct manifest manifest;
};

static bool accept(void *ctx, struct str json, struct err *err)
{
    struct fetched *f = ctx;
    struct manifest *m = &f->manifest;
    if (!manifest_parse(f->arena, json, m, err))
        return err_context(err, "%.*s", STR_ARG(f->key));
    return str_eq(manifest_key(f->arena, m->cluster, m->id), f->key) ||
           err_set(err, ERR_CORRUPT, "%.*s: it says that it is %.*s of %.*s", STR_ARG(f->key), STR_ARG(m->id),
                   STR_ARG(m->cluster));
}

bool manifest_fetch(struct store *store, struct arena *arena, struct str key, struct manifest *ret_manifest,
                    struct err *err)
{
    struct fetched f = {.arena = arena, .key = key};
    struct str json = STR_NONE;
    if (!store_get_accepted(store, arena, key, MANIFEST_MAX_BYTES, accept, &f, &json, err))
        return false;
    *ret_manifest = f.manifest;
    return true;
}
