/* parts.h — a cluster a piece at a time, for stages that must not hold the whole of it: the cluster-scoped objects
 * first, then namespace after namespace in bytewise order.
 *
 * It is one face for two sources: a stash, whose objects lie on disk and are parsed when they are asked for, and a
 * sorted bundle, which is in memory already and of which a part is a view. A stage that works on parts does not know
 * which it has, and what comes out must not depend on it.
 * A source must outlive its parts. Any number of threads may take, each into an arena of its own.
 * Fails with what a stash fails with (IO, INTERNAL); a bundle never fails.
 */
#pragma once
#include "core/kube/stash.h"

/* A kind in the version in which objects of it are there. */
struct parts_kind {
    struct str api_version, kind;
};

struct parts {
    const struct bundle *about; /* without objects: cluster, types, moment, counts and problems */
    size_t objects;
    struct part {
        struct str namespace; /* empty: the cluster-scoped objects */
        size_t from, to;      /* range of objects in the source */
    } * items;                /* none is empty */
    size_t count, cap;
    struct {
        struct parts_kind *items; /* sorted; every kind of the objects */
        size_t count, cap;
    } kinds;
    const struct bundle *bundle; /* the source; NULL: */
    struct stash *stash;
};

/* What is listed lives in `arena`. */
void parts_of_bundle(struct arena *arena, const struct bundle *bundle, struct parts *ret_parts);
void parts_of_stash(struct arena *arena, struct stash *stash, struct parts *ret_parts);

/* Index of the part of that namespace; the count where there is none. */
size_t parts_find(const struct parts *parts, struct str namespace);
/* Index of a kind among parts->kinds; their count where it is not there. */
size_t parts_kind(const struct parts *parts, struct str api_version, struct str kind);
/* What an object is called, without its tree: nothing is parsed. Texts are the source's. */
struct parts_object {
    struct str group, version, kind, namespace, name;
};
struct parts_object parts_object(const struct parts *parts, size_t index);
/* One part as a sorted bundle, without documents; what had to be parsed is in `arena`. */
bool parts_take(const struct parts *parts, size_t index, struct arena *arena, struct bundle *ret_bundle,
                struct err *err) WARN_UNUSED;

/* Calls `visit` for every object of a kind in whatever version, in the order of the parts; nothing else is parsed. `kind`
 * NULL: all of them. The object is gone when `visit` returns. */
typedef bool (*parts_visit_fn)(void *ctx, const struct resource *resource, struct err *err);
bool parts_each(const struct parts *parts, const char *group, const char *kind, parts_visit_fn visit,
                void *ctx, struct err *err) WARN_UNUSED;
/* Only those of that name, in whatever namespace. */
bool parts_each_named(const struct parts *parts, const char *group, const char *kind, const char *name,
                      parts_visit_fn visit, void *ctx, struct err *err) WARN_UNUSED;

/* The OpenAPI v3 document of a group version ("apps/v1"), in `arena`; NULL where there is none. */
bool parts_document(const struct parts *parts, struct arena *arena, struct str api_version,
                    const struct value **ret_document, struct err *err) WARN_UNUSED;
