/* Reading is strict, as the format asks: one way to write each thing, and everything else is refused. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/crypto/age_intern.h"

enum { HEADER_MAX = 1 << 20, ARGUMENTS_MAX = 64 };

struct stanza {
    struct str arguments[ARGUMENTS_MAX];
    size_t count;
    struct str body; /* decoded */
};

struct reading {
    struct arena *arena;
    const struct age_identities *identities;
    struct str file, rest; /* all of it; what was not looked at yet */
    uint8_t file_key[AGE_FILE_KEY_BYTES];
    bool found; /* an identity opened a stanza */
    struct err *err;
};

static bool corrupt(struct reading *r, const char *what)
{
    return err_set(r->err, ERR_CORRUPT, "age file: %s", what);
}

/* A line without its end; false at the end of the file or of what a header may be. */
static bool next_line(struct reading *r, struct str *ret_line)
{
    size_t len = str_find(r->rest, '\n');
    if (len == r->rest.len || (size_t)(r->rest.ptr - r->file.ptr) + len > HEADER_MAX)
        return false;
    *ret_line = str_slice(r->rest, 0, len);
    r->rest = str_from(r->rest, len + 1);
    return true;
}

static bool decode(struct reading *r, struct str text, struct str *ret_bytes)
{
    return base64_decode(r->arena, text, BASE64_UNPADDED, ret_bytes);
}

/* ---- stanzas ---- */

static bool is_argument(struct str argument)
{
    for (size_t i = 0; i < argument.len; i++)
        if (argument.ptr[i] < 33 || argument.ptr[i] > 126)
            return false;
    return argument.len != 0;
}

static bool read_arguments(struct reading *r, struct str line, struct stanza *stanza)
{
    if (!str_starts(line, STR("-> ")) || str_ends(line, STR(" ")))
        return corrupt(r, "a line where a recipient stanza belongs");
    for (line = str_from(line, 3); line.len != 0;) {
        struct str argument = str_cut(&line, ' ');
        if (!is_argument(argument) || stanza->count == ARGUMENTS_MAX)
            return corrupt(r, "a malformed recipient stanza");
        stanza->arguments[stanza->count++] = argument;
    }
    return stanza->count != 0 || corrupt(r, "an empty recipient stanza");
}

/* Lines of 64 characters, and a shorter one that ends the body. */
static bool read_body(struct reading *r, struct stanza *stanza)
{
    struct str_list lines = {0};
    struct str line;
    do {
        if (!next_line(r, &line) || line.len > AGE_COLUMNS)
            return corrupt(r, "the body of a stanza does not end");
        *ARENA_PUSH(r->arena, &lines) = line;
    } while (line.len == AGE_COLUMNS);
    return decode(r, str_join(r->arena, lines.items, lines.count, STR_NONE), &stanza->body) ||
           corrupt(r, "the body of a stanza is no base64");
}

/* Tries each identity on it. That none fits is no fault: the stanza is somebody else's. */
static bool unwrap(struct reading *r, const struct stanza *stanza)
{
    static const uint8_t nonce[AGE_NONCE_BYTES];
    struct str share = STR_NONE;
    if (stanza->count != 2 || !decode(r, stanza->arguments[1], &share) || share.len != AGE_KEY_BYTES ||
        stanza->body.len != AGE_FILE_KEY_BYTES + AGE_TAG_BYTES)
        return corrupt(r, "a malformed X25519 stanza");
    for (size_t i = 0; i < r->identities->count && !r->found; i++) {
        const struct age_identity *identity = &r->identities->items[i];
        struct age_recipient own;
        uint8_t shared[32], key[32];
        bool good = age_recipient_of(identity, &own, r->err) &&
                    age_x25519(identity->key, (const uint8_t *)share.ptr, shared, r->err) &&
                    age_wrap_key(shared, (const uint8_t *)share.ptr, own.key, key, r->err);
        r->found = good && age_open_chunk(key, nonce, stanza->body, r->file_key);
        OPENSSL_cleanse(shared, sizeof shared);
        OPENSSL_cleanse(key, sizeof key);
        if (!good)
            return false;
    }
    return true;
}

/* A passphrase stanza must stand alone, so that who has the passphrase knows that nobody else does. */
static bool read_stanza(struct reading *r, struct str line, bool *has_passphrase)
{
    struct stanza stanza = {0};
    if (!read_arguments(r, line, &stanza) || !read_body(r, &stanza))
        return false;
    *has_passphrase = *has_passphrase || str_is(stanza.arguments[0], "scrypt");
    return !str_is(stanza.arguments[0], "X25519") || unwrap(r, &stanza);
}

/* ---- the header ---- */

static bool check_mac(struct reading *r, struct str line, const char *end_of_dashes)
{
    struct str mac = STR_NONE;
    uint8_t key[32], expected[32];
    struct str signed_part = {r->file.ptr, (size_t)(end_of_dashes - r->file.ptr)};
    if (!decode(r, str_from(line, 4), &mac) || mac.len != sizeof expected)
        return corrupt(r, "a malformed end of the header");
    if (!r->found) {
        err_set(r->err, ERR_DENIED, "age file: none of the identities can read it");
        return err_next(r->err, "it was encrypted for other recipients; name the identity of one of them");
    }
    bool good =
        age_hkdf(age_bytes(r->file_key, sizeof r->file_key), STR_NONE, AGE_HEADER_INFO, key, r->err) &&
        age_hmac(age_bytes(key, sizeof key), signed_part, expected, r->err);
    OPENSSL_cleanse(key, sizeof key);
    if (!good)
        return false;
    return CRYPTO_memcmp(expected, mac.ptr, sizeof expected) == 0 ||
           corrupt(r, "the header was changed after it was written");
}

static bool read_header(struct reading *r)
{
    struct str line;
    bool has_passphrase = false;
    size_t stanzas = 0;
    if (!next_line(r, &line) || !str_is(line, AGE_VERSION_LINE))
        return corrupt(r, "it does not begin as one of version 1 does");
    for (;; stanzas++) {
        if (!next_line(r, &line))
            return corrupt(r, "its header does not end");
        if (str_starts(line, STR("---")))
            break;
        if (!read_stanza(r, line, &has_passphrase))
            return false;
    }
    if (stanzas == 0 || (has_passphrase && stanzas > 1))
        return corrupt(r, "no recipient, or a passphrase beside others");
    if (!str_starts(line, STR("--- ")))
        return corrupt(r, "a malformed end of the header");
    return check_mac(r, line, line.ptr + 3);
}

/* ---- the payload ---- */

static bool read_chunks(struct reading *r, const uint8_t key[32], uint8_t *plain, age_piece_fn piece,
                        void *ctx)
{
    for (uint64_t number = 0;; number++) {
        struct str sealed = str_slice(r->rest, 0, AGE_CHUNK_BYTES + AGE_TAG_BYTES);
        bool last = sealed.len == r->rest.len;
        uint8_t nonce[AGE_NONCE_BYTES];
        age_chunk_nonce(number, last, nonce);
        if (!age_open_chunk(key, nonce, sealed, plain))
            return corrupt(r, "the payload was changed or cut short");
        size_t len = sealed.len - AGE_TAG_BYTES;
        if (len == 0 && number != 0)
            return corrupt(r, "an empty last chunk");
        if (!piece(ctx, age_bytes(plain, len), r->err))
            return false;
        if (last)
            return true;
        r->rest = str_from(r->rest, sealed.len);
    }
}

static bool read_payload(struct reading *r, age_piece_fn piece, void *ctx)
{
    struct str nonce = str_slice(r->rest, 0, AGE_PAYLOAD_NONCE_BYTES);
    uint8_t key[32];
    if (nonce.len != AGE_PAYLOAD_NONCE_BYTES)
        return corrupt(r, "cut short");
    r->rest = str_from(r->rest, nonce.len);
    uint8_t *plain = malloc(AGE_CHUNK_BYTES);
    if (plain == NULL)
        abort();
    bool good = age_hkdf(age_bytes(r->file_key, sizeof r->file_key), nonce, AGE_PAYLOAD_INFO, key, r->err) &&
                read_chunks(r, key, plain, piece, ctx);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(plain, AGE_CHUNK_BYTES);
    free(plain);
    return good;
}

bool age_decrypt(const struct age_identities *identities, struct str file, age_piece_fn piece, void *ctx,
                 struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct reading r = {.arena = arena, .identities = identities, .file = file, .rest = file, .err = err};
    bool good = read_header(&r) && read_payload(&r, piece, ctx);
    OPENSSL_cleanse(r.file_key, sizeof r.file_key);
    return good;
}
