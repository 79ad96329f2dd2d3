/* Giving: what stands in a finished stash. stash_write.c fills it. */
#include "core/kube/stash.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "core/kube/kube.h"
#include "core/kube/stash_intern.h"

bool stash_new(struct arena *arena, const char *dir, struct stash **ret_stash, struct err *err)
{
    struct stash *stash = ARENA_NEW(arena, struct stash);
    *stash = (struct stash){.arena = arena};
    bundle_init(&stash->about, arena);
    for (size_t i = 0; i < STASH_WRITERS; i++) {
        struct stash_writer *writer = &stash->writers[i];
        writer->number = (uint8_t)i;
        buf_init(&writer->names, STASH_NAMES_MAX);
        buf_init(&writer->text, UINT32_MAX);
        if (!tempfile_open(dir, &writer->file, err)) {
            stash_close(stash);
            return false;
        }
    }
    *ret_stash = stash;
    return true;
}

void stash_close(struct stash *stash)
{
    if (stash == NULL)
        return;
    for (size_t i = 0; i < STASH_WRITERS; i++) {
        tempfile_close(&stash->writers[i].file);
        buf_done(&stash->writers[i].names);
        buf_done(&stash->writers[i].text);
    }
    free(stash->objects.items);
    stash->objects = (struct stash_list){0};
}

struct bundle *stash_about(struct stash *stash)
{
    return &stash->about;
}

size_t stash_count(const struct stash *stash)
{
    return stash->objects.count;
}

size_t stash_part_count(const struct stash *stash)
{
    return stash->parts.count;
}

struct stash_part stash_part(const struct stash *stash, size_t index)
{
    return stash->parts.items[index];
}

struct str stash_record_name(const struct stash *stash, const struct stash_record *record)
{
    return (struct str){stash->writers[record->writer].names.ptr + record->name, record->name_len};
}

struct str stash_record_namespace(const struct stash *stash, const struct stash_record *record)
{
    return (struct str){stash->writers[record->writer].names.ptr + record->namespace, record->namespace_len};
}

struct stash_object stash_object(const struct stash *stash, size_t index)
{
    const struct stash_record *record = &stash->objects.items[index];
    return (struct stash_object){
        .type = &stash->types.items[record->type],
        .namespace = stash_record_namespace(stash, record),
        .name = stash_record_name(stash, record),
        .bytes = record->bytes,
    };
}

static bool read_text(const struct stash *stash, uint8_t writer, uint64_t offset, uint64_t bytes,
                      struct buf *buf, struct err *err)
{
    buf_clear(buf);
    char *to = buf_reserve(buf, bytes);
    if (to == NULL)
        return err_set(err, ERR_LIMIT, "%llu bytes of JSON; at most %zu are taken", (unsigned long long)bytes,
                       buf->max);
    buf->len += bytes;
    return tempfile_read(&stash->writers[writer].file, offset, to, bytes, err);
}

bool stash_read(const struct stash *stash, size_t index, struct buf *buf, struct err *err)
{
    const struct stash_record *record = &stash->objects.items[index];
    return read_text(stash, record->writer, record->offset, record->bytes, buf, err);
}

size_t stash_document_count(const struct stash *stash)
{
    return stash->documents.count;
}

struct str stash_document_key(const struct stash *stash, size_t index)
{
    return stash->documents.items[index].key;
}

bool stash_read_document(const struct stash *stash, size_t index, struct buf *buf, struct err *err)
{
    const struct stash_document *document = &stash->documents.items[index];
    return read_text(stash, document->writer, document->offset, document->bytes, buf, err);
}

/* ---- bundles ---- */

/* JSON of so many bytes, and what stands behind it. */
static bool read_tree(const struct stash *stash, struct arena *arena, uint8_t writer, uint64_t offset,
                      uint64_t bytes, struct str *behind, const struct value **ret_root, struct err *err)
{
    char *text = arena_alloc(arena, bytes + behind->len + 1);
    behind->ptr = text + bytes;
    return tempfile_read(&stash->writers[writer].file, offset, text, bytes + behind->len, err) &&
           json_parse(arena, (struct str){text, bytes}, NULL, ret_root, err);
}

/* `listed`: the origin of objects that have none of their own. */
static bool read_object(const struct stash *stash, struct arena *arena, const struct stash_record *record,
                        struct str listed, struct resource *ret_resource, struct err *err)
{
    const struct value *object;
    struct str origin = {.len = record->origin_len};
    if (read_tree(stash, arena, record->writer, record->offset, record->bytes, &origin, &object, err) &&
        resource_from(object, origin.len ? origin : listed, ret_resource, err))
        return true;
    err->code = err->code == ERR_INVALID ? ERR_INTERNAL : err->code;
    return err_context(err, "stash");
}

static struct str listed_origin(const struct stash *stash, struct arena *arena,
                                const struct stash_record *record)
{
    return kube_path(arena, &stash->types.items[record->type], STR_NONE, STR_NONE);
}

bool stash_record_origin(const struct stash *stash, struct arena *arena, const struct stash_record *record,
                         struct str *ret_origin, struct err *err)
{
    struct str origin = {.len = record->origin_len};
    if (origin.len == 0) {
        *ret_origin = listed_origin(stash, arena, record);
        return true;
    }
    char *text = arena_alloc(arena, origin.len);
    origin.ptr = text;
    if (!tempfile_read(&stash->writers[record->writer].file, record->offset + record->bytes, text, origin.len,
                       err))
        return err_context(err, "stash");
    *ret_origin = origin;
    return true;
}

bool stash_origin(const struct stash *stash, struct arena *arena, size_t index, struct str *ret_origin,
                  struct err *err)
{
    return stash_record_origin(stash, arena, &stash->objects.items[index], ret_origin, err);
}

bool stash_resource(const struct stash *stash, struct arena *arena, size_t index,
                    struct resource *ret_resource, struct err *err)
{
    const struct stash_record *record = &stash->objects.items[index];
    struct str listed = record->origin_len ? STR_NONE : listed_origin(stash, arena, record);
    return read_object(stash, arena, record, listed, ret_resource, err);
}

static bool add_objects(struct stash *stash, size_t from, size_t to, struct bundle *bundle, struct err *err)
{
    struct arena *arena = bundle->arena;
    const struct resource_type *type = NULL;
    struct str listed = STR_NONE;
    for (size_t i = from; i < to; i++) {
        const struct stash_record *record = &stash->objects.items[i];
        struct resource resource;
        if (type != &stash->types.items[record->type]) { /* they come sorted by type */
            type = &stash->types.items[record->type];
            listed = listed_origin(stash, arena, record);
        }
        if (!read_object(stash, arena, record, listed, &resource, err))
            return false;
        bundle_add(bundle, &resource);
    }
    return true;
}

bool stash_document(const struct stash *stash, struct arena *arena, size_t index,
                    const struct value **ret_root, struct err *err)
{
    const struct stash_document *document = &stash->documents.items[index];
    struct str nothing = STR_NONE;
    return read_tree(stash, arena, document->writer, document->offset, document->bytes, &nothing, ret_root,
                     err) ||
           err_context(err, "stash");
}

static bool add_documents(struct stash *stash, struct bundle *bundle, struct err *err)
{
    struct value_map_builder map = {0};
    for (size_t i = 0; i < stash->documents.count; i++) {
        const struct value *root;
        if (!stash_document(stash, bundle->arena, i, &root, err))
            return false;
        value_put(bundle->arena, &map, stash->documents.items[i].key, root);
    }
    if (map.count != 0)
        bundle->openapi = value_map_done(bundle->arena, &map);
    return true;
}

static bool make_bundle(struct stash *stash, struct arena *arena, size_t from, size_t to, bool documents,
                        struct bundle *ret_bundle, struct err *err)
{
    struct bundle bundle = stash->about;
    bundle.arena = arena;
    bundle.types.cap = bundle.types.count; /* what is added goes into the bundle's own arena */
    bundle.problems.cap = bundle.problems.count;
    if (!add_objects(stash, from, to, &bundle, err) || (documents && !add_documents(stash, &bundle, err)))
        return false;
    bundle_sort(&bundle);
    *ret_bundle = bundle;
    return true;
}

bool stash_bundle(struct stash *stash, struct arena *arena, size_t part, struct bundle *ret_bundle,
                  struct err *err)
{
    const struct stash_part *p = &stash->parts.items[part];
    return make_bundle(stash, arena, p->from, p->to, false, ret_bundle, err);
}

bool stash_bundle_all(struct stash *stash, struct arena *arena, struct bundle *ret_bundle, struct err *err)
{
    return make_bundle(stash, arena, 0, stash->objects.count, true, ret_bundle, err);
}
