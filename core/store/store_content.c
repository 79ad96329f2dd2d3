/* Content that is known before it is read or sent: proven against its hash, in every copy. */
#include "core/store/mirror.h"
#include "core/store/spool.h"

/* ---- reading ---- */

struct fetching {
    struct str key;
    const struct sha256 *sha256;
    struct spool *spool;
    struct sha256_stream *hash;
    uint64_t bytes, most;
};

static bool fetch_piece(void *ctx, struct str piece, struct err *err)
{
    struct fetching *f = ctx;
    f->bytes += piece.len;
    if (f->bytes > f->most)
        return err_set(err, ERR_CORRUPT, "%.*s is larger than the %llu bytes it should have", STR_ARG(f->key),
                       (unsigned long long)f->most);
    sha256_add(f->hash, piece.ptr, piece.len);
    return spool_write(f->spool, piece, err);
}

static bool fetch_one(void *ctx, struct store *copy, struct err *err)
{
    struct fetching *f = ctx;
    if (!spool_clear(f->spool, err))
        return false;
    f->hash = sha256_begin();
    f->bytes = 0;
    bool got = store_read(copy, f->key, &(struct store_sink){fetch_piece, f}, err);
    struct sha256 there = sha256_end(f->hash);
    if (!got)
        return false;
    if (f->bytes != f->most)
        return err_set(err, ERR_CORRUPT, "%.*s: %llu bytes, where it should have %llu: cut short",
                       STR_ARG(f->key), (unsigned long long)f->bytes, (unsigned long long)f->most);
    return sha256_eq(&there, f->sha256) ||
           err_set(err, ERR_CORRUPT, "%.*s: its hash is not what its name says: the content was changed",
                   STR_ARG(f->key));
}

bool store_fetch(struct store *store, struct str key, uint64_t bytes, const struct sha256 *sha256,
                 const char *dir, struct spool **ret_spool, struct str *ret_bytes, struct err *err)
{
    struct fetching f = {.key = key, .sha256 = sha256, .most = bytes};
    struct str view = STR_NONE;
    if (!spool_open(dir, &f.spool, err))
        return false;
    if (!store_try_copies(store, fetch_one, &f, err) || !spool_view(f.spool, &view, err)) {
        spool_drop(f.spool);
        return false;
    }
    *ret_spool = f.spool;
    *ret_bytes = view;
    return true;
}

/* ---- sending ---- */

struct ensuring {
    struct arena *arena;
    const struct store_content *content;
    bool dry, informed;
    struct store_info info; /* of the first copy */
    enum store_held held;
};

static bool look(struct store *copy, const struct ensuring *e, struct store_info *info,
                 enum store_held *ret_held, struct err *err)
{
    const struct store_content *c = e->content;
    if (!store_head(copy, e->arena, c->key, info, err)) {
        *ret_held = STORE_LACKS;
        return err->code == ERR_NOT_FOUND;
    }
    bool same = info->has_sha256 ? sha256_eq(&info->sha256, &c->sha256) : !copy->keeps_sums;
    *ret_held = same && info->bytes == c->body.len ? STORE_HOLDS : STORE_DIFFERS;
    return true;
}

static bool send(struct store *copy, const struct ensuring *e, struct store_info *info, struct err *err)
{
    const struct store_content *c = e->content;
    struct store_write write = {.key = c->key, .body = c->body, .sha256 = c->sha256};
    struct store_info written = {0};
    enum store_held held = STORE_LACKS;
    if (!copy->driver->write(copy, e->arena, &write, &written, err) || !look(copy, e, info, &held, err))
        return false;
    if (held == STORE_HOLDS)
        return true;
    err_set(err, ERR_CORRUPT, "%.*s: the store does not hold what it was sent", STR_ARG(c->key));
    return err_next(err, "check the health of the store; nothing was published");
}

static bool ensure_one(void *ctx, struct store *copy, struct err *err)
{
    struct ensuring *e = ctx;
    struct store_info info = {0};
    enum store_held held = STORE_LACKS;
    if (!look(copy, e, &info, &held, err))
        return false;
    if (held != STORE_HOLDS && !e->dry && !send(copy, e, &info, err))
        return false;
    e->held = held < e->held ? held : e->held;
    if (!e->informed)
        e->info = info;
    e->informed = true;
    return true;
}

bool store_ensure(struct store *store, struct arena *arena, const struct store_content *content, bool dry,
                  struct store_info *ret_info, enum store_held *ret_held, struct err *err)
{
    struct ensuring e = {.arena = arena, .content = content, .dry = dry, .held = STORE_HOLDS};
    if (!store_write_copies(store, ensure_one, &e, err))
        return false;
    *ret_info = e.info;
    *ret_held = e.held;
    return true;
}

/* ---- the probe ---- */

/* The first proof writes the object and fails to write it again; every later one already fails the first time. */
struct probing {
    struct arena *arena;
    struct err refused;
};

/* Whether the store tells checksums is seen on an object that surely has one. What died writers left is looked at now
 * and then, which is here; that it cannot be listed (permissions, old servers) stops nothing. */
static bool after_probe(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct store_info info = {0};
    struct err ignored = {0};
    if (!store_head(store, arena, key, &info, err))
        return err_context(err, "store %.*s", STR_ARG(store->url));
    store->keeps_sums = info.has_sha256;
    bool tidied = store->driver->tidy == NULL || store->driver->tidy(store, arena, &ignored);
    (void)tidied;
    return true;
}

static bool probe_one(void *ctx, struct store *store, struct err *err)
{
    struct probing *probing = ctx;
    struct arena *arena = probing->arena;
    static const struct str key = STR_INIT(STORE_PROBE_KEY);
    static const struct str body =
        STR_INIT("gitops-pipe proves with this object that the store refuses to overwrite what must not be "
                 "overwritten.\nIt may be deleted; the next backup writes it again.\n");
    for (int i = 0; i < 2; i++) {
        if (store_create(store, arena, key, body, NULL, err))
            continue;
        if (err->code == ERR_EXISTS)
            return after_probe(store, arena, key, err);
        return err_context(err, "store %.*s", STR_ARG(store->url));
    }
    err_set(err, ERR_REFUSED, "store %.*s: it overwrites objects although told not to (If-None-Match)",
            STR_ARG(store->url));
    err_next(err, "two backups at once could destroy each other here: use a store with conditional writes");
    probing->refused = *err;
    return false;
}

bool store_probe(struct store *store, struct arena *arena, struct err *err)
{
    struct probing probing = {.arena = arena};
    if (!store_write_copies(store, probe_one, &probing, err))
        return false;
    /* One that is away is sat out; one that breaks the rules must not get backups at all. */
    if (probing.refused.code != ERR_NONE)
        *err = probing.refused;
    return probing.refused.code == ERR_NONE;
}
