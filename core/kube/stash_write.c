/* Filling a stash, and putting it in order. */
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/kube/stash_intern.h"

/* ---- adding ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 8-4-4-4-12 in lower case, as every API server writes it. */
static bool parse_uuid(struct str text, uint8_t *to)
{
    size_t digits = 0;
    if (text.len != 36)
        return false;
    memset(to, 0, 16);
    for (size_t i = 0; i < text.len; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.ptr[i] != '-')
                return false;
            continue;
        }
        int digit = hex_digit(text.ptr[i]);
        if (digit < 0)
            return false;
        to[digits / 2] = (uint8_t)(to[digits / 2] << 4 | digit);
        digits++;
    }
    return true;
}

static void set_uid(struct stash_record *record, struct str uid)
{
    if (uid.len == 0 || parse_uuid(uid, record->uid))
        return;
    struct sha256 hash = sha256_of(uid);
    memcpy(record->uid, hash.bytes, sizeof record->uid);
}

static uint32_t add_name(struct stash_writer *writer, struct str name)
{
    uint32_t at = (uint32_t)writer->names.len;
    buf_str(&writer->names, name);
    return at;
}

static void set_names(struct stash_writer *writer, struct stash_record *record, struct str namespace,
                      struct str name)
{
    struct str last = {writer->names.ptr + writer->last_at, writer->last_len};
    if (namespace.len != 0 && !str_eq(namespace, last)) {
        writer->last_at = add_name(writer, namespace);
        writer->last_len = (uint16_t) namespace.len;
    }
    record->namespace = writer->last_at;
    record->namespace_len = (uint16_t) namespace.len;
    record->name = add_name(writer, name);
    record->name_len = (uint16_t)name.len;
}

static struct stash_record *push(struct stash_list *list)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 64;
        struct stash_record *items = realloc(list->items, cap * sizeof *items);
        if (items == NULL)
            abort();
        list->items = items;
        list->cap = cap;
    }
    return &list->items[list->count++];
}

static bool write_text(struct stash_writer *writer, const struct value *root, uint64_t *ret_offset,
                       uint64_t *ret_bytes, struct err *err)
{
    buf_clear(&writer->text);
    json_write(&writer->text, root);
    *ret_offset = writer->file.bytes;
    *ret_bytes = writer->text.len;
    return tempfile_add(&writer->file, writer->text.ptr, writer->text.len, err);
}

bool stash_add(struct stash_writer *writer, struct stash_list *list, uint32_t type,
               const struct resource *resource, struct err *err)
{
    struct stash_record record = {.type = type, .writer = writer->number};
    uint64_t bytes;
    if (resource->name.len > UINT16_MAX || resource->namespace.len > UINT16_MAX)
        return err_set(err, ERR_LIMIT, "a name of %zu bytes", resource->name.len + resource->namespace.len);
    if (!write_text(writer, resource->object, &record.offset, &bytes, err))
        return false;
    record.bytes = (uint32_t)bytes;
    set_uid(&record, value_str_in(resource->object, PATH("metadata", "uid")));
    set_names(writer, &record, resource->namespace, resource->name);
    if (!buf_ok(&writer->names))
        return err_set(err, ERR_LIMIT, "the names of all objects have more than %zu bytes",
                       writer->names.max);
    *push(list) = record;
    return true;
}

struct stash_mark stash_marked(const struct stash_writer *writer, const struct stash_list *list)
{
    return (struct stash_mark){.objects = list->count, .bytes = writer->file.bytes};
}

/* The names stay: they are few, and others may point to the namespaces among them. */
void stash_cut(struct stash_writer *writer, struct stash_list *list, struct stash_mark mark)
{
    list->count = mark.objects;
    tempfile_cut(&writer->file, mark.bytes);
}

bool stash_add_document(struct stash_writer *writer, const struct value *root,
                        struct stash_document *ret_document, struct err *err)
{
    ret_document->writer = writer->number;
    return write_text(writer, root, &ret_document->offset, &ret_document->bytes, err);
}

/* ---- putting together ---- */

void stash_take(struct stash *stash, struct stash_list *list)
{
    struct stash_list *all = &stash->objects;
    if (list->count != 0) {
        if (all->cap < all->count + list->count) {
            all->cap = all->count + list->count;
            all->items = realloc(all->items, all->cap * sizeof *all->items);
            if (all->items == NULL)
                abort();
        }
        memcpy(all->items + all->count, list->items, list->count * sizeof *all->items);
        all->count += list->count;
    }
    free(list->items);
    *list = (struct stash_list){0};
}

/* Indexes of records by uid, open addressing; 0 is an empty slot. */
struct uid_set {
    const struct stash_record *records;
    uint32_t *slots;
    size_t cap;
};

/* False when the uid was there already. Uids are random bits, or a hash. */
static bool uid_set_add(struct uid_set *set, size_t index)
{
    uint64_t hash;
    memcpy(&hash, set->records[index].uid, sizeof hash);
    size_t at = (hash * 0x9E3779B97F4A7C15u >> 20) & (set->cap - 1);
    for (; set->slots[at] != 0; at = (at + 1) & (set->cap - 1))
        if (memcmp(set->records[set->slots[at] - 1].uid, set->records[index].uid, 16) == 0)
            return false;
    set->slots[at] = (uint32_t)index + 1;
    return true;
}

static void drop_same_uids(struct stash *stash)
{
    static const uint8_t none[16];
    struct stash_list *all = &stash->objects;
    struct uid_set set = {.records = all->items, .cap = 1024};
    while (set.cap < 2 * all->count)
        set.cap *= 2;
    set.slots = calloc(set.cap, sizeof *set.slots);
    if (set.slots == NULL)
        abort();
    for (size_t i = 0; i < all->count; i++)
        all->items[i].dropped |= memcmp(all->items[i].uid, none, sizeof none) != 0 && !uid_set_add(&set, i);
    free(set.slots);
}

static int compare_names(const struct stash *stash, const struct stash_record *a,
                         const struct stash_record *b)
{
    int order = str_cmp(stash_record_namespace(stash, a), stash_record_namespace(stash, b));
    if (order == 0)
        order = (a->type > b->type) - (a->type < b->type);
    return order ? order : str_cmp(stash_record_name(stash, a), stash_record_name(stash, b));
}

/* What was dropped goes to the end. Of equal ones it does not matter which comes first, as long as it is always the
 * same: the file and the place in it tell. */
static int record_order(const void *x, const void *y, void *ctx)
{
    const struct stash_record *a = x, *b = y;
    int order = a->dropped - b->dropped;
    if (order == 0)
        order = compare_names(ctx, a, b);
    if (order == 0)
        order = a->writer - b->writer;
    return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static void name_dropped(struct stash *stash, const struct stash_record *record)
{
    struct arena *arena = stash->arena;
    struct str name = stash_record_name(stash, record);
    *ARENA_PUSH(arena, &stash->about.problems) =
        str_fmt(arena, "%.*s: \"%.*s\" came twice from the server; the first one counts",
                STR_ARG(stash->types.items[record->type].plural), STR_ARG(name));
}

static void sort(struct stash *stash)
{
    struct stash_list *all = &stash->objects;
    size_t kept = 0;
    if (all->count == 0)
        return;
    qsort_r(all->items, all->count, sizeof *all->items, record_order, stash);
    for (size_t i = 0; i < all->count && !all->items[i].dropped; i++) {
        if (kept > 0 && compare_names(stash, &all->items[kept - 1], &all->items[i]) == 0)
            name_dropped(stash, &all->items[i]);
        else
            all->items[kept++] = all->items[i];
    }
    all->count = kept;
}

static void find_parts(struct stash *stash)
{
    const struct stash_list *all = &stash->objects;
    struct stash_part *part = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct stash_record *record = &all->items[i];
        struct str namespace = stash_record_namespace(stash, record);
        if (part == NULL || !str_eq(part->namespace, namespace)) {
            part = ARENA_PUSH(stash->arena, &stash->parts);
            *part = (struct stash_part){.namespace = namespace, .from = i};
        }
        part->to = i + 1;
        part->bytes += record->bytes;
    }
}

bool stash_finish(struct stash *stash, struct err *err)
{
    if (stash->objects.count >= UINT32_MAX)
        return err_set(err, ERR_LIMIT, "%zu objects", stash->objects.count);
    for (size_t i = 0; i < STASH_WRITERS; i++)
        if (!tempfile_flush(&stash->writers[i].file, err))
            return false;
    drop_same_uids(stash);
    sort(stash);
    find_parts(stash);
    for (size_t i = 0; i < stash->about.types.count; i++)
        stash->about.types.items[i].count = 0;
    for (size_t i = 0; i < stash->objects.count; i++)
        if (stash->objects.items[i].type < stash->about.types.count)
            stash->about.types.items[stash->objects.items[i].type].count++;
    return true;
}

/* ---- a bundle, stashed ---- */

/* A type that discovery does not know cannot have been listed; a bundle from elsewhere may hold one all the same. */
static uint32_t type_of(struct stash *stash, const struct resource *resource)
{
    struct str group = resource_group(resource), version = resource_version(resource);
    struct resource_types *types = &stash->types;
    size_t other = types->count;
    for (size_t i = 0; i < types->count; i++) {
        const struct resource_type *type = &types->items[i];
        if (!str_eq(type->kind, resource->kind) || !str_eq(type->group, group))
            continue;
        if (str_eq(type->version, version))
            return (uint32_t)i;
        other = other == types->count ? i : other;
    }
    struct resource_type added = {.group = group, .version = version, .kind = resource->kind};
    added.plural =
        other < types->count ? types->items[other].plural : str_lower(stash->arena, resource->kind);
    added.namespaced = resource->namespace.len != 0;
    *ARENA_PUSH(stash->arena, types) = added;
    return (uint32_t)types->count - 1;
}

static bool add_bundle(struct stash *stash, const struct bundle *bundle, struct err *err)
{
    struct stash_writer *writer = &stash->writers[0];
    struct stash_list list = {0};
    bool good = true;
    for (size_t i = 0; good && i < bundle->count; i++) {
        uint32_t type = type_of(stash, &bundle->items[i]);
        good = stash_add(writer, &list, type, &bundle->items[i], err);
    }
    stash_take(stash, &list);
    MEMBER_EACH(member, bundle->openapi) {
        struct stash_document document = {.key = member->key};
        good = good && stash_add_document(writer, &member->value, &document, err);
        *ARENA_PUSH(stash->arena, &stash->documents) = document;
    }
    return good && stash_finish(stash, err);
}

bool stash_from_bundle(struct arena *arena, const char *dir, const struct bundle *bundle,
                       struct stash **ret_stash, struct err *err)
{
    struct stash *stash;
    if (!stash_new(arena, dir, &stash, err))
        return false;
    stash->about = *bundle;
    stash->about.arena = arena;
    stash->about.items = NULL;
    stash->about.count = stash->about.cap = 0;
    stash->about.openapi = NULL;
    stash->about.problems.cap = stash->about.problems.count;
    for (size_t i = 0; i < bundle->types.count; i++)
        *ARENA_PUSH(arena, &stash->types) = bundle->types.items[i];
    stash->about.types = stash->types;
    stash->about.types.cap = stash->types.count; /* types that are added stay the stash's own */
    if (!add_bundle(stash, bundle, err)) {
        stash_close(stash);
        return false;
    }
    *ret_stash = stash;
    return true;
}
