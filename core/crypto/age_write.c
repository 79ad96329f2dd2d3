#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/buf.h"
#include "core/crypto/age_intern.h"

enum { HEADER_MAX = 1 << 20 };

struct writing {
    uint8_t file_key[AGE_FILE_KEY_BYTES];
    age_piece_fn piece;
    void *ctx;
};

/* ---- the header ---- */

static void put_base64(struct buf *out, struct arena *arena, const uint8_t *bytes, size_t len)
{
    buf_str(out, base64_encode(arena, age_bytes(bytes, len), BASE64_UNPADDED));
}

/* The file key, for one recipient: a key pair made for this stanza alone, and the wrapped key. */
static bool put_stanza(const struct writing *w, const struct age_recipient *recipient, struct buf *out,
                       struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    static const uint8_t nonce[AGE_NONCE_BYTES];
    uint8_t ephemeral[32], share[32], shared[32], key[32], wrapped[AGE_FILE_KEY_BYTES + AGE_TAG_BYTES];
    bool good = age_random(ephemeral, sizeof ephemeral, err) && age_x25519_public(ephemeral, share, err) &&
                age_x25519(ephemeral, recipient->key, shared, err) &&
                age_wrap_key(shared, share, recipient->key, key, err) &&
                age_seal_chunk(key, nonce, age_bytes(w->file_key, sizeof w->file_key), wrapped, err);
    OPENSSL_cleanse(ephemeral, sizeof ephemeral);
    OPENSSL_cleanse(shared, sizeof shared);
    OPENSSL_cleanse(key, sizeof key);
    if (!good)
        return false;
    buf_text(out, "-> X25519 ");
    put_base64(out, scratch, share, sizeof share);
    buf_char(out, '\n');
    put_base64(out, scratch, wrapped,
               sizeof wrapped); /* 43 characters: less than a full line, so it ends the body */
    buf_char(out, '\n');
    return true;
}

static bool put_header(const struct writing *w, const struct age_recipients *recipients, struct buf *out,
                       struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    uint8_t key[32], mac[32];
    buf_text(out, AGE_VERSION_LINE "\n");
    for (size_t i = 0; i < recipients->count; i++)
        if (!put_stanza(w, &recipients->items[i], out, err))
            return false;
    buf_text(out, "---");
    bool good = age_hkdf(age_bytes(w->file_key, sizeof w->file_key), STR_NONE, AGE_HEADER_INFO, key, err) &&
                age_hmac(age_bytes(key, sizeof key), buf_view(out), mac, err);
    OPENSSL_cleanse(key, sizeof key);
    buf_char(out, ' ');
    put_base64(out, scratch, mac, sizeof mac);
    buf_char(out, '\n');
    return good && (buf_ok(out) || err_set(err, ERR_LIMIT, "too many recipients"));
}

/* ---- the payload ---- */

static bool put_chunks(const struct writing *w, struct str plain, const uint8_t key[32], uint8_t *sealed,
                       struct err *err)
{
    for (uint64_t number = 0;; number++) {
        struct str chunk = str_slice(plain, 0, AGE_CHUNK_BYTES);
        bool last = chunk.len == plain.len;
        uint8_t nonce[AGE_NONCE_BYTES];
        age_chunk_nonce(number, last, nonce);
        if (!age_seal_chunk(key, nonce, chunk, sealed, err) ||
            !w->piece(w->ctx, age_bytes(sealed, chunk.len + AGE_TAG_BYTES), err))
            return false;
        if (last)
            return true;
        plain = str_from(plain, chunk.len);
    }
}

static bool put_payload(const struct writing *w, struct str plain, struct err *err)
{
    uint8_t nonce[AGE_PAYLOAD_NONCE_BYTES], key[32];
    uint8_t *sealed = malloc(AGE_CHUNK_BYTES + AGE_TAG_BYTES);
    if (sealed == NULL)
        abort();
    bool good = age_random(nonce, sizeof nonce, err) &&
                age_hkdf(age_bytes(w->file_key, sizeof w->file_key), age_bytes(nonce, sizeof nonce),
                         AGE_PAYLOAD_INFO, key, err) &&
                w->piece(w->ctx, age_bytes(nonce, sizeof nonce), err) &&
                put_chunks(w, plain, key, sealed, err);
    OPENSSL_cleanse(key, sizeof key);
    free(sealed);
    return good;
}

bool age_encrypt(const struct age_recipients *recipients, struct str plain, age_piece_fn piece, void *ctx,
                 struct err *err)
{
    struct buf header CLEANUP(buf_done);
    struct writing w = {.piece = piece, .ctx = ctx};
    buf_init(&header, HEADER_MAX);
    if (recipients->count == 0)
        return err_set(err, ERR_USAGE, "nobody to encrypt for: no recipients");
    bool good = age_random(w.file_key, sizeof w.file_key, err) && put_header(&w, recipients, &header, err) &&
                piece(ctx, buf_view(&header), err) && put_payload(&w, plain, err);
    OPENSSL_cleanse(w.file_key, sizeof w.file_key);
    return good || err_context(err, "encrypt");
}

/* ---- whole ---- */

static bool collect(void *ctx, struct str piece, struct err *err)
{
    buf_str(ctx, piece);
    return buf_ok(ctx) || err_set(err, ERR_LIMIT, "larger than memory holds");
}

bool age_seal(struct arena *arena, const struct age_recipients *recipients, struct str plain,
              struct str *ret_file, struct err *err)
{
    struct buf file CLEANUP(buf_done);
    buf_init(&file, SIZE_MAX / 2);
    if (!age_encrypt(recipients, plain, collect, &file, err))
        return false;
    *ret_file = str_dup(arena, buf_view(&file));
    return true;
}

bool age_open(struct arena *arena, const struct age_identities *identities, struct str file,
              struct str *ret_plain, struct err *err)
{
    struct buf plain CLEANUP(buf_done);
    buf_init(&plain, file.len); /* a plaintext is shorter than its file */
    if (!age_decrypt(identities, file, collect, &plain, err))
        return false;
    *ret_plain = str_dup(arena, buf_view(&plain));
    return true;
}
