/* Filling a stash; how it is put in order is stash_finish.c. */
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

/* Alive until the next object. */
static struct str text_of(struct stash_writer *writer, const struct value *root)
{
    buf_clear(&writer->text);
    json_write(&writer->text, root);
    return buf_view(&writer->text);
}

/* The origin stands behind the JSON. */
static bool write_text(struct stash_writer *writer, struct stash_record *record, struct str json,
                       struct str origin, struct err *err)
{
    if (json.len > UINT32_MAX)
        return err_set(err, ERR_LIMIT, "an object of %zu bytes", json.len);
    record->writer = writer->number;
    record->offset = writer->file.bytes;
    record->bytes = (uint32_t)json.len;
    record->origin_len = (uint16_t)(origin.len < UINT16_MAX ? origin.len : UINT16_MAX);
    return tempfile_add(&writer->file, json.ptr, json.len, err) &&
           tempfile_add(&writer->file, origin.ptr, record->origin_len, err);
}

static bool add(struct stash_writer *writer, struct stash_list *list, uint32_t type,
                const struct resource *resource, struct str json, struct err *err)
{
    struct stash_record record = {.type = type};
    if (resource->name.len > UINT16_MAX || resource->namespace.len > UINT16_MAX)
        return err_set(err, ERR_LIMIT, "a name of %zu bytes", resource->name.len + resource->namespace.len);
    if (!write_text(writer, &record, json, resource->origin, err))
        return false;
    set_names(writer, &record, resource->namespace, resource->name);
    if (!buf_ok(&writer->names))
        return err_set(err, ERR_LIMIT, "the names of all objects have more than %zu bytes",
                       writer->names.max);
    *push(list) = record;
    return true;
}

bool stash_add(struct stash_writer *writer, struct stash_list *list, uint32_t type,
               const struct resource *resource, struct err *err)
{
    if (!add(writer, list, type, resource, text_of(writer, resource->object), err))
        return false;
    set_uid(&list->items[list->count - 1], value_str_in(resource->object, PATH("metadata", "uid")));
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

static bool add_document(struct stash_writer *writer, struct str json, struct stash_document *ret_document,
                         struct err *err)
{
    ret_document->writer = writer->number;
    ret_document->offset = writer->file.bytes;
    ret_document->bytes = json.len;
    return tempfile_add(&writer->file, json.ptr, json.len, err);
}

bool stash_add_document(struct stash_writer *writer, const struct value *root,
                        struct stash_document *ret_document, struct err *err)
{
    return add_document(writer, text_of(writer, root), ret_document, err);
}

/* ---- by one hand ---- */

static bool is_type(const struct resource_type *type, struct str group, struct str version, struct str kind)
{
    return str_eq(type->kind, kind) && str_eq(type->version, version) && str_eq(type->group, group);
}

/* What it is in truth is known when all are there (stash_finish.c). They mostly come in runs of one type. */
static uint32_t type_of(struct stash *stash, const struct resource *resource)
{
    struct str group = resource_group(resource), version = resource_version(resource);
    struct resource_types *put = &stash->put;
    struct arena *arena = stash->arena;
    if (put->count != 0 && is_type(&put->items[stash->last_put], group, version, resource->kind))
        return stash->last_put;
    size_t at = 0;
    while (at < put->count && !is_type(&put->items[at], group, version, resource->kind))
        at++;
    if (at == put->count)
        *ARENA_PUSH(arena, put) = (struct resource_type){
            .group = str_dup(arena, group),
            .version = str_dup(arena, version),
            .kind = str_dup(arena, resource->kind),
            .namespaced = resource->namespace.len != 0,
        };
    stash->last_put = (uint32_t)at;
    return stash->last_put;
}

bool stash_put_text(struct stash *stash, const struct resource *resource, struct str json, struct err *err)
{
    return add(&stash->writers[0], &stash->objects, type_of(stash, resource), resource, json, err);
}

bool stash_put(struct stash *stash, const struct resource *resource, struct err *err)
{
    return stash_put_text(stash, resource, text_of(&stash->writers[0], resource->object), err);
}

bool stash_put_document(struct stash *stash, struct str key, struct str json, struct err *err)
{
    struct stash_document document = {.key = str_dup(stash->arena, key)};
    if (!add_document(&stash->writers[0], json, &document, err))
        return false;
    *ARENA_PUSH(stash->arena, &stash->documents) = document;
    return true;
}

static bool put_bundle(struct stash *stash, const struct bundle *bundle, struct err *err)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (!stash_put(stash, &bundle->items[i], err))
            return false;
    MEMBER_EACH(member, bundle->openapi)
        if (!stash_put_document(stash, member->key, text_of(&stash->writers[0], &member->value), err))
            return false;
    return stash_finish(stash, err);
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
    stash->about.problems.cap = stash->about.problems.count; /* what is added goes into the stash's arena */
    if (!put_bundle(stash, bundle, err)) {
        stash_close(stash);
        return false;
    }
    *ret_stash = stash;
    return true;
}
