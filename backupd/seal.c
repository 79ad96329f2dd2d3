#include "backupd/seal.h"

#include <stdlib.h>
#include <string.h>

#include "backupd/catalog.h"

/* The last ones are enough: what did not change is in the newest, and a few more bridge incomplete ones. */
enum { MANIFESTS = 4 };

/* ---- what is there already ---- */

static int plain_cmp(const void *a, const void *b)
{
    const struct manifest_pack *x = a, *y = b;
    return memcmp(&x->plain, &y->plain, sizeof x->plain);
}

static bool same_recipients(const struct str_list *a, const struct str_list *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!str_in(a->items[i], b->items, b->count))
            return false;
    return a->count == b->count;
}

bool seal_index_read(struct run *run, struct str cluster, const struct str_list *recipients,
                     struct seal_index *ret_index, struct err *err)
{
    struct seal_index index = {0};
    struct catalog catalog;
    if (!catalog_list(run->store, run->arena, cluster, &catalog, err) ||
        !catalog_read(run->store, run->arena, MANIFESTS, &catalog, err))
        return false;
    for (size_t i = 0; i < catalog.count; i++) {
        const struct manifest *m = &catalog.items[i].manifest;
        if (catalog.items[i].problem.len != 0 || !same_recipients(&m->recipients, recipients))
            continue;
        for (size_t k = 0; k < m->packs.count; k++)
            if (m->packs.items[k].encrypted)
                *ARENA_PUSH(run->arena, &index.packs) = m->packs.items[k];
    }
    if (index.packs.count != 0)
        qsort(index.packs.items, index.packs.count, sizeof *index.packs.items, plain_cmp);
    *ret_index = index;
    return true;
}

bool seal_index_find(const struct seal_index *index, struct manifest_pack *pack)
{
    if (index->packs.count == 0)
        return false;
    const struct manifest_pack *found =
        bsearch(pack, index->packs.items, index->packs.count, sizeof *index->packs.items, plain_cmp);
    if (found == NULL)
        return false;
    pack->sha256 = found->sha256;
    pack->bytes = found->bytes;
    return true;
}

/* ---- sealing ---- */

struct sealing {
    struct spool *spool;
    struct sha256_stream *hash;
};

static bool take_piece(void *ctx, struct str piece, struct err *err)
{
    struct sealing *s = ctx;
    sha256_add(s->hash, piece.ptr, piece.len);
    return spool_write(s->spool, piece, err);
}

/* What `fill` writes, spooled and hashed. */
static bool spooled(const char *dir, bool (*fill)(struct sealing *, const void *, struct err *),
                    const void *ctx, struct spool **ret_spool, struct str *ret_bytes, struct sha256 *ret_hash,
                    struct err *err)
{
    struct sealing s = {.hash = sha256_begin()};
    bool good = spool_open(dir, &s.spool, err) && fill(&s, ctx, err) && spool_view(s.spool, ret_bytes, err);
    *ret_hash = sha256_end(s.hash);
    if (good)
        *ret_spool = s.spool;
    else
        spool_drop(s.spool);
    return good;
}

struct encrypting {
    const struct age_recipients *recipients;
    struct str plain;
};

static bool encrypt(struct sealing *s, const void *ctx, struct err *err)
{
    const struct encrypting *e = ctx;
    return age_encrypt(e->recipients, e->plain, take_piece, s, err);
}

bool seal_pack(const struct age_recipients *recipients, struct str plain, const char *dir,
               struct manifest_pack *pack, struct spool **ret_spool, struct str *ret_bytes, struct err *err)
{
    struct encrypting e = {recipients, plain};
    if (!spooled(dir, encrypt, &e, ret_spool, ret_bytes, &pack->sha256, err))
        return false;
    pack->bytes = ret_bytes->len;
    return true;
}

struct decrypting {
    const struct age_identities *identities;
    struct str sealed;
};

static bool decrypt(struct sealing *s, const void *ctx, struct err *err)
{
    const struct decrypting *d = ctx;
    return age_decrypt(d->identities, d->sealed, take_piece, s, err);
}

bool seal_open(const struct age_identities *identities, struct str sealed, const struct manifest_pack *pack,
               struct spool **ret_spool, struct str *ret_plain, struct err *err)
{
    struct decrypting d = {identities, sealed};
    struct sha256 hash;
    if (!spooled(NULL, decrypt, &d, ret_spool, ret_plain, &hash, err))
        return false;
    return sha256_eq(&hash, &pack->plain) ||
           err_set(err, ERR_CORRUPT, "what it decrypts to is not what was packed");
}
