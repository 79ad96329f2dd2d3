/* stash_intern.h — how a snapshot fills a stash: by writers, one per thread, each with a file of its own; the objects of
 * one list collect in a stash_list, which can be cut back. What was faster does not show: lists are put together in the
 * order in which the caller hands them in. Types must be there first. (stash_put is for one hand.) */
#pragma once
#include "core/base/tempfile.h"
#include "core/kube/stash.h"

enum { STASH_WRITERS = 2, STASH_NAMES_MAX = 1 << 30 /* bytes of names, for each writer */ };

struct stash_record {
    uint64_t offset;                       /* of the JSON in its file */
    uint8_t uid[16];                       /* the very UUID, or a hash of what is none; zero without one */
    uint32_t bytes, type, namespace, name; /* the last two are offsets in the writer's names */
    uint16_t namespace_len, name_len;
    uint16_t origin_len; /* it stands behind the JSON; 0: where objects of the type are listed */
    uint8_t writer;
    bool dropped;
};

struct stash_list {
    struct stash_record *items; /* on the heap */
    size_t count, cap;
};

struct stash_writer {
    struct tempfile file;
    struct buf names; /* of namespaces and objects, one behind the other */
    uint32_t last_at; /* where the last namespace stands in them: objects come sorted by it */
    uint16_t last_len;
    struct buf text; /* of one object */
    uint8_t number;
};

struct stash_document {
    struct str key;
    uint64_t offset, bytes;
    uint8_t writer;
};

struct stash_documents {
    struct stash_document *items;
    size_t count, cap;
};

struct stash_parts {
    struct stash_part *items;
    size_t count, cap;
};

struct stash {
    struct arena *arena;
    struct bundle about;
    struct stash_writer writers[STASH_WRITERS];
    struct resource_types types; /* what records refer to: those of `about`, then others */
    struct resource_types put;   /* what those of stash_put refer to until stash_finish */
    uint32_t last_put;           /* the one that came last */
    struct stash_list objects;
    struct stash_parts parts;
    struct stash_documents documents;
};

/* Where a list can be cut back to. */
struct stash_mark {
    size_t objects;
    uint64_t bytes;
};

/* Adds an object to a list; `type` is its index in stash->types. */
bool stash_add(struct stash_writer *writer, struct stash_list *list, uint32_t type,
               const struct resource *resource, struct err *err) WARN_UNUSED;
struct stash_mark stash_marked(const struct stash_writer *writer, const struct stash_list *list);
/* Only what `writer` added since the mark was set may stand behind it. */
void stash_cut(struct stash_writer *writer, struct stash_list *list, struct stash_mark mark);
/* Writes a document and fills all but the key of `ret_document`. */
bool stash_add_document(struct stash_writer *writer, const struct value *root,
                        struct stash_document *ret_document, struct err *err) WARN_UNUSED;

/* Empties a list into the stash. */
void stash_take(struct stash *stash, struct stash_list *list);
struct str stash_record_name(const struct stash *stash, const struct stash_record *record);
struct str stash_record_namespace(const struct stash *stash, const struct stash_record *record);
bool stash_record_origin(const struct stash *stash, struct arena *arena, const struct stash_record *record,
                         struct str *ret_origin, struct err *err) WARN_UNUSED;
/* Of objects that were taken in twice under one uid the first stays: a server shows the same one in several groups. */
void stash_drop_same_uids(struct stash *stash);
