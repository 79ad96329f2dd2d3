/* A pack stream of our own (gitformat-pack: header, objects, SHA-1 trailer). libgit2 would write ten thousand loose
 * files, or look for deltas; a plain pack at the lowest compression is many times faster and as small as needed. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/git/repo.intern.h"

enum { CHUNK = 256 * 1024 };

static EVP_MD_CTX *sha1_start(void)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha1(), NULL) != 1)
        abort();
    return hash;
}

void object_id(const char *type, struct str bytes, git_oid *ret_id)
{
    char head[64];
    int len = snprintf(head, sizeof head, "%s %zu", type, bytes.len) + 1; /* the NUL counts */
    EVP_MD_CTX *hash = sha1_start();
    EVP_DigestUpdate(hash, head, (size_t)len);
    EVP_DigestUpdate(hash, bytes.ptr, bytes.len);
    EVP_DigestFinal_ex(hash, ret_id->id, NULL);
    EVP_MD_CTX_free(hash);
}

static int object_order(const void *a, const void *b)
{
    return git_oid_cmp(&((const struct object *)a)->id, &((const struct object *)b)->id);
}

/* Sorts, and keeps each object once and only where the repository does not have it. */
static void keep_missing(git_odb *odb, struct objects *objects)
{
    size_t kept = 0;
    if (objects->count != 0)
        qsort(objects->items, objects->count, sizeof *objects->items, object_order);
    for (size_t i = 0; i < objects->count; i++) {
        const struct object *object = &objects->items[i];
        if (kept > 0 && git_oid_equal(&objects->items[kept - 1].id, &object->id))
            continue;
        if (!git_odb_exists_ext(odb, &object->id, GIT_ODB_LOOKUP_NO_REFRESH))
            objects->items[kept++] = *object;
    }
    objects->count = kept;
}

/* One pack being written. The first failure of libgit2 stays in `code`. */
struct packer {
    git_odb_writepack *sink;
    git_indexer_progress stats;
    EVP_MD_CTX *hash;
    z_stream zlib;
    unsigned char *chunk;
    int code;
};

static void emit(struct packer *p, const void *bytes, size_t len)
{
    if (p->code == 0)
        p->code = p->sink->append(p->sink, bytes, len, &p->stats);
}

static void emit_hashed(struct packer *p, const void *bytes, size_t len)
{
    EVP_DigestUpdate(p->hash, bytes, len);
    emit(p, bytes, len);
}

/* Type in three bits and length in seven-bit groups, the first group of four. */
static void emit_object_head(struct packer *p, git_object_t type, size_t len)
{
    unsigned char head[16];
    size_t used = 0, rest = len >> 4;
    head[used] = (unsigned char)((unsigned)type << 4 | (len & 15));
    for (; rest != 0; rest >>= 7) {
        head[used++] |= 0x80;
        head[used] = rest & 0x7F;
    }
    emit_hashed(p, head, used + 1);
}

static void emit_deflated(struct packer *p, struct str bytes)
{
    int result;
    deflateReset(&p->zlib);
    p->zlib.next_in = (unsigned char *)bytes.ptr;
    do {
        size_t step = bytes.len < CHUNK ? bytes.len : CHUNK;
        if (p->zlib.avail_in == 0) {
            p->zlib.avail_in = (unsigned)step;
            bytes = str_from(bytes, step);
        }
        p->zlib.next_out = p->chunk;
        p->zlib.avail_out = CHUNK;
        result = deflate(&p->zlib, bytes.len == 0 ? Z_FINISH : Z_NO_FLUSH);
        emit_hashed(p, p->chunk, CHUNK - p->zlib.avail_out);
    } while (result != Z_STREAM_END && p->code == 0);
}

static void emit_pack(struct packer *p, const struct repo *repo, const struct objects *objects)
{
    unsigned char head[12] = {'P', 'A', 'C', 'K', 0, 0, 0, 2}, trailer[20];
    for (int i = 0; i < 4; i++)
        head[8 + i] = (unsigned char)(objects->count >> (8 * (3 - i)));
    emit_hashed(p, head, sizeof head);
    for (size_t i = 0; i < objects->count && p->code == 0; i++) {
        emit_object_head(p, objects->items[i].type, objects->items[i].bytes.len);
        emit_deflated(p, objects->items[i].bytes);
        if (i % 512 == 0)
            progress_step(repo->options.progress, "packing", i, objects->count, "objects", STR(""));
    }
    EVP_DigestFinal_ex(p->hash, trailer, NULL);
    emit(p, trailer, sizeof trailer);
    if (p->code == 0)
        p->code = p->sink->commit(p->sink, &p->stats);
    progress_step(repo->options.progress, "packing", objects->count, objects->count, "objects", STR(""));
}

bool pack_write(struct repo *repo, struct objects *objects, struct err *err)
{
    struct packer p = {0};
    git_odb *odb = NULL;
    int code = git_repository_odb(&odb, repo->git);
    if (code != 0)
        return repo_fail(repo, code, err, "object database");
    git_odb_refresh(odb);
    keep_missing(odb, objects);
    code = objects->count != 0 ? git_odb_write_pack(&p.sink, odb, NULL, NULL) : 0;
    if (code == 0 && p.sink != NULL) {
        p.hash = sha1_start();
        p.chunk = malloc(CHUNK);
        if (p.chunk == NULL || deflateInit(&p.zlib, 1) != Z_OK)
            abort();
        emit_pack(&p, repo, objects);
        deflateEnd(&p.zlib);
        free(p.chunk);
        EVP_MD_CTX_free(p.hash);
        p.sink->free(p.sink);
        code = p.code;
    }
    git_odb_free(odb);
    return code == 0 || repo_fail(repo, code, err, "write objects");
}
