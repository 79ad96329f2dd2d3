#include "core/store/store.h"

#include <string.h>

#include "core/store/mirror.h"
#include "core/store/store_driver.h"

static const struct scheme {
    struct str prefix;
    bool (*open)(struct arena *, const struct config_store *, struct store **, struct err *);
} schemes[] = {
    {STR_INIT("file:"), store_fs_open},
    {STR_INIT("s3:"), store_s3_open},
    {STR_INIT("s3v2:"), store_s3v2_open},
    {STR_INIT("mem:"), store_mem_open},
};

bool store_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                struct err *err)
{
    struct store *store;
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (!str_starts(config->url, schemes[i].prefix))
            continue;
        if (!schemes[i].open(arena, config, &store, err))
            return err_context(err, "store %.*s", STR_ARG(config->url));
        store->url = str_dup(arena, config->url);
        store->name = str_dup(arena, config->name);
        *ret_store = store;
        return true;
    }
    err_set(err, ERR_USAGE, "store \"%.*s\": no such kind of store", STR_ARG(config->url));
    return err_next(err, "use s3://bucket/prefix or file:///folder");
}

bool store_open_all(struct arena *arena, const struct config_stores *config, struct store **ret_store,
                    struct err *err)
{
    struct store *copies[STORE_MAX_COPIES];
    if (config->count == 0 || config->count > STORE_MAX_COPIES)
        return err_set(err, ERR_USAGE, "%zu stores: one to %d can be used at once", config->count,
                       STORE_MAX_COPIES);
    for (size_t i = 0; i < config->count; i++) {
        if (store_open(arena, &config->items[i], &copies[i], err))
            continue;
        while (i-- > 0)
            store_close(copies[i]);
        return false;
    }
    *ret_store = config->count == 1 ? copies[0] : store_mirror(arena, copies, config->count);
    return true;
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->driver->close(store);
}

struct str store_url(const struct store *store)
{
    return store->url;
}

struct str store_label(const struct store *store)
{
    return store->name.len ? store->name : store->url;
}

size_t store_copies(const struct store *store)
{
    return store->copy_count ? store->copy_count : 1;
}

struct store *store_copy(struct store *store, size_t index)
{
    return store->copy_count ? store->copies[index] : store;
}

bool store_creates_atomically(const struct store *store)
{
    /* Of several copies the first decides who wins a key. */
    return store->copy_count != 0 ? store_creates_atomically(store->copies[0])
                                  : !store->driver->create_is_a_race;
}

/* ---- keys ---- */

/* No step upwards, and nothing hidden: the folder driver keeps its unfinished files in a hidden folder. */
static bool part_is_safe(struct str part)
{
    return part.len != 0 && part.ptr[0] != '.';
}

static bool check_key(struct str key, struct err *err)
{
    bool safe = key.len != 0 && key.len <= STORE_KEY_MAX && str_is_utf8(key);
    for (size_t i = 0; safe && i < key.len; i++)
        safe = (unsigned char)key.ptr[i] > 0x20 && key.ptr[i] != 0x7f && key.ptr[i] != '\\';
    struct str rest = key;
    while (safe && rest.len != 0) {
        bool slash_follows = str_find(rest, '/') + 1 == rest.len;
        safe = part_is_safe(str_cut(&rest, '/')) && !slash_follows;
    }
    return safe || err_set(err, ERR_INVALID, "\"%.*s\" cannot be a key of a store", STR_ARG(key));
}

static bool stays(struct str text, size_t i)
{
    char c = text.ptr[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c == '.' ? i > 0 : c != '\0' && strchr("-_:@+=", c) != NULL;
}

struct str store_key_part(struct arena *arena, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *part = arena_array(arena, text.len + 1, 3);
    size_t len = 0;
    if (text.len == 0)
        return STR("%");
    for (size_t i = 0; i < text.len; i++) {
        if (stays(text, i)) {
            part[len++] = text.ptr[i];
            continue;
        }
        part[len++] = '%';
        part[len++] = hex[(unsigned char)text.ptr[i] >> 4];
        part[len++] = hex[(unsigned char)text.ptr[i] & 15];
    }
    return (struct str){part, len};
}

bool store_missing(struct str key, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "%.*s is not in the store", STR_ARG(key));
}

bool store_taken(struct str key, struct err *err)
{
    return err_set(err, ERR_EXISTS, "%.*s is in the store already", STR_ARG(key));
}

/* ---- the calls ---- */

static bool write_object(struct store *store, struct arena *arena, const struct store_write *write,
                         struct store_info *ret_info, struct err *err)
{
    struct store_info info = {.key = write->key, .sha256 = write->sha256, .has_sha256 = true};
    info.bytes = write->body.len;
    if (!check_key(write->key, err) || !store->driver->write(store, arena, write, &info, err))
        return false;
    if (ret_info != NULL)
        *ret_info = info;
    return true;
}

bool store_create(struct store *store, struct arena *arena, struct str key, struct str body,
                  struct store_info *ret_info, struct err *err)
{
    struct store_write write = {.key = key, .body = body, .sha256 = sha256_of(body), .create = true};
    return write_object(store, arena, &write, ret_info, err);
}

bool store_put(struct store *store, struct arena *arena, struct str key, struct str body,
               struct store_info *ret_info, struct err *err)
{
    struct store_write write = {.key = key, .body = body, .sha256 = sha256_of(body)};
    return write_object(store, arena, &write, ret_info, err);
}

static bool collect(void *ctx, struct str piece, struct err *err)
{
    struct buf *buf = ctx;
    buf_str(buf, piece);
    return buf_ok(buf) || err_set(err, ERR_LIMIT, "larger than %zu bytes", buf->max);
}

struct getting {
    struct arena *arena;
    struct str key, body;
    size_t max_bytes;
    store_accept_fn accept;
    void *ctx;
};

static bool get_one(void *ctx, struct store *copy, struct err *err)
{
    struct getting *g = ctx;
    struct buf body CLEANUP(buf_done);
    buf_init(&body, g->max_bytes);
    if (!store_read(copy, g->key, &(struct store_sink){collect, &body}, err))
        return false;
    g->body = str_dup(g->arena, buf_view(&body));
    return g->accept == NULL || g->accept(g->ctx, g->body, err);
}

bool store_get_accepted(struct store *store, struct arena *arena, struct str key, size_t max_bytes,
                        store_accept_fn accept, void *ctx, struct str *ret_body, struct err *err)
{
    struct getting g = {.arena = arena, .key = key, .max_bytes = max_bytes, .accept = accept, .ctx = ctx};
    if (!store_try_copies(store, get_one, &g, err))
        return false;
    *ret_body = g.body;
    return true;
}

bool store_get(struct store *store, struct arena *arena, struct str key, size_t max_bytes,
               struct str *ret_body, struct err *err)
{
    return store_get_accepted(store, arena, key, max_bytes, NULL, NULL, ret_body, err);
}

bool store_read(struct store *store, struct str key, const struct store_sink *sink, struct err *err)
{
    if (!check_key(key, err))
        return false;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    return store->driver->read(store, scratch, key, sink, err);
}

bool store_head(struct store *store, struct arena *arena, struct str key, struct store_info *ret_info,
                struct err *err)
{
    struct store_info info = {.key = key};
    if (!check_key(key, err) || !store->driver->head(store, arena, key, &info, err))
        return false;
    *ret_info = info;
    return true;
}

bool store_list(struct store *store, struct arena *arena, struct str prefix, struct str after, size_t limit,
                struct store_page *ret_page, struct err *err)
{
    struct store_page page = {0};
    if (limit == 0 || limit > 1000)
        return err_set(err, ERR_INVALID, "a page holds 1 to 1000 keys, not %zu", limit);
    if (!store->driver->list(store, arena, prefix, after, limit, &page, err))
        return false;
    *ret_page = page;
    return true;
}

bool store_delete(struct store *store, struct str key, struct err *err)
{
    if (!check_key(key, err))
        return false;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    return store->driver->remove(store, scratch, key, err);
}

bool store_erase(struct store *store, struct str key, struct err *err)
{
    if (!check_key(key, err))
        return false;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    if (store->driver->erase != NULL)
        return store->driver->erase(store, scratch, key, err);
    return store->driver->remove(store, scratch, key, err);
}
