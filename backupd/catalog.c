#include "backupd/catalog.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"

enum { PAGE = 1000, NAMED_AT_MOST = 3 };

/* backups/<cluster>/<id>/manifest.json */
static bool entry_of(struct str key, struct catalog_entry *ret_entry)
{
    struct str rest = key;
    struct str root = str_cut(&rest, '/'), cluster = str_cut(&rest, '/'), id = str_cut(&rest, '/');
    if (!str_is(root, "backups") || id.len == 0 || !str_is(rest, "manifest.json"))
        return false;
    *ret_entry = (struct catalog_entry){.id = id, .key = key, .cluster = cluster};
    return true;
}

/* Ids begin with the time. */
static int newest_first(const void *a, const void *b)
{
    const struct catalog_entry *x = a, *y = b;
    int order = str_cmp(y->id, x->id);
    return order ? order : str_cmp(x->key, y->key);
}

bool catalog_list(struct store *store, struct arena *arena, struct str cluster, struct catalog *ret_catalog,
                  struct err *err)
{
    struct str prefix = manifest_prefix(arena, cluster), after = STR_NONE;
    struct catalog catalog = {0};
    struct store_page page = {.more = true};
    while (page.more) {
        if (!store_list(store, arena, prefix, after, PAGE, &page, err))
            return err_context(err, "list backups");
        for (size_t i = 0; i < page.count; i++) {
            struct catalog_entry entry;
            after = page.items[i].key;
            if (entry_of(after, &entry))
                *ARENA_PUSH(arena, &catalog) = entry;
        }
    }
    if (catalog.count != 0)
        qsort(catalog.items, catalog.count, sizeof *catalog.items, newest_first);
    *ret_catalog = catalog;
    return true;
}

bool catalog_read(struct store *store, struct arena *arena, size_t limit, struct catalog *catalog,
                  struct err *err)
{
    if (catalog->count > limit)
        catalog->count = limit;
    for (size_t i = 0; i < catalog->count; i++) {
        struct catalog_entry *entry = &catalog->items[i];
        struct err why = {0};
        if (manifest_fetch(store, arena, entry->key, &entry->manifest, &why))
            continue;
        if (why.code == ERR_UNREACHABLE || why.code == ERR_DENIED) {
            *err = why;
            return false;
        }
        entry->problem = str_dup(arena, str_of(why.msg));
    }
    return true;
}

/* ---- one of them ---- */

static bool none(struct store *store, struct str cluster, struct str which, size_t backups, struct err *err)
{
    err_set(err, ERR_NOT_FOUND, "no backup \"%.*s\"%s%.*s in %.*s", STR_ARG(which), cluster.len ? " of " : "",
            STR_ARG(cluster), STR_ARG(store_url(store)));
    return err_next(err, backups ? "`gitops-pipe list` shows what is there"
                                 : "nothing is there yet: make one with `gitops-pipe backup`");
}

static bool several(struct arena *arena, struct str which, const struct catalog *found, struct err *err)
{
    struct str names[NAMED_AT_MOST];
    size_t count = found->count < NAMED_AT_MOST ? found->count : NAMED_AT_MOST;
    for (size_t i = 0; i < count; i++)
        names[i] = str_fmt(arena, "%.*s/%.*s", STR_ARG(found->items[i].cluster), STR_ARG(found->items[i].id));
    err_set(err, ERR_USAGE, "\"%.*s\" fits %zu backups: %.*s%s", STR_ARG(which), found->count,
            STR_ARG(str_join(arena, names, count, STR(", "))), found->count > count ? ", …" : "");
    return err_next(err, "name one as cluster/id");
}

/* The newest of each cluster, or those whose id starts with `which`; an id in full wins over a longer one. */
static void choose(struct arena *arena, const struct catalog *catalog, struct str which,
                   struct catalog *ret_found)
{
    struct catalog found = {0};
    bool latest = str_is(which, "latest");
    for (size_t i = 0; i < catalog->count; i++) {
        const struct catalog_entry *entry = &catalog->items[i];
        bool seen = false;
        for (size_t k = 0; latest && k < found.count; k++)
            seen = seen || str_eq(found.items[k].cluster, entry->cluster);
        if (latest ? !seen : str_starts(entry->id, which))
            *ARENA_PUSH(arena, &found) = *entry;
        if (str_eq(entry->id, which)) {
            found = (struct catalog){0};
            *ARENA_PUSH(arena, &found) = *entry;
            break;
        }
    }
    *ret_found = found;
}

bool catalog_find(struct store *store, struct arena *arena, struct str cluster, struct str which,
                  struct catalog_entry *ret_entry, struct err *err)
{
    struct catalog catalog, found;
    size_t slash = str_rfind(which, '/');
    struct str id = which;
    if (slash < which.len) {
        cluster = str_slice(which, 0, slash);
        id = str_from(which, slash + 1);
    }
    if (id.len == 0)
        return err_set(err, ERR_USAGE, "no backup is named");
    if (!catalog_list(store, arena, cluster, &catalog, err))
        return false;
    choose(arena, &catalog, id, &found);
    if (found.count == 0)
        return none(store, cluster, id, catalog.count, err);
    if (found.count > 1)
        return several(arena, which, &found, err);
    *ret_entry = found.items[0];
    return true;
}

/* ---- for people ---- */

static const struct value *entry_value(struct arena *a, const struct catalog_entry *entry)
{
    const struct manifest *m = &entry->manifest;
    uint64_t bytes = 0;
    if (entry->problem.len != 0)
        return VALUE_MAP(a, {"id", value_string(a, entry->id)}, {"cluster", value_string(a, entry->cluster)},
                         {"problem", value_string(a, entry->problem)});
    for (size_t i = 0; i < m->packs.count; i++)
        bytes += m->packs.items[i].bytes;
    return VALUE_MAP(
        a, {"id", value_string(a, entry->id)}, {"cluster", value_string(a, m->cluster)},
        {"takenAt", value_string(a, clock_rfc3339(a, m->taken_ms))}, {"complete", value_bool(a, m->complete)},
        {"narrowed", m->narrowed ? value_bool(a, true) : NULL},
        {"objects", value_int(a, (int64_t)m->objects)}, {"types", value_int(a, (int64_t)m->types.count)},
        {"packs", value_int(a, (int64_t)m->packs.count)}, {"bytes", value_int(a, (int64_t)bytes)});
}

const struct value *catalog_value(struct arena *arena, const struct catalog *catalog)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < catalog->count; i++)
        value_push(arena, &list, entry_value(arena, &catalog->items[i]));
    return value_list_done(arena, &list);
}
