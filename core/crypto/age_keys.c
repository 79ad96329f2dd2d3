#include <openssl/crypto.h>
#include <string.h>

#include "core/crypto/age_primitives.h"
#include "core/crypto/bech32.h"

#define RECIPIENT STR("age")
#define IDENTITY  STR("AGE-SECRET-KEY-")

/* Scratch memory that held a key is wiped before it is freed. */
static bool key_of(struct str prefix, struct str text, uint8_t ret_key[AGE_KEY_BYTES])
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str bytes = STR_NONE;
    bool good = bech32_decode(scratch, prefix, text, &bytes) && bytes.len == AGE_KEY_BYTES;
    if (good)
        memcpy(ret_key, bytes.ptr, AGE_KEY_BYTES);
    if (bytes.len != 0)
        OPENSSL_cleanse((void *)bytes.ptr, bytes.len);
    return good;
}

bool age_recipient_parse(struct str text, struct age_recipient *ret_recipient, struct err *err)
{
    if (key_of(RECIPIENT, text, ret_recipient->key))
        return true;
    /* Who mixes the two up must not find the secret one in a log. */
    if (str_starts(text, IDENTITY)) {
        err_set(err, ERR_USAGE, "a secret age key stands where a recipient belongs");
        return err_next(err, "put the public key there (age1…; `age-keygen -y` prints it), and replace this "
                             "key if the file was shared");
    }
    err_set(err, ERR_USAGE, "\"%.*s\" is no age recipient", STR_ARG(str_slice(text, 0, 80)));
    return err_next(err, "a recipient looks like age1… and has 62 characters; `age-keygen -y` prints it");
}

bool age_recipients_parse(struct arena *arena, const struct str_list *texts,
                          struct age_recipients *ret_recipients, struct err *err)
{
    struct age_recipients recipients = {0};
    for (size_t i = 0; i < texts->count; i++)
        if (!age_recipient_parse(texts->items[i], ARENA_PUSH(arena, &recipients), err))
            return false;
    *ret_recipients = recipients;
    return true;
}

bool age_identities_parse(struct arena *arena, struct str text, struct str name,
                          struct age_identities *ret_identities, struct err *err)
{
    struct age_identities identities = {0};
    for (size_t number = 1; text.len != 0; number++) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (key_of(IDENTITY, line, ARENA_PUSH(arena, &identities)->key))
            continue;
        age_wipe(&identities);
        err_set(err, ERR_USAGE, "%.*s:%zu: no age identity", STR_ARG(name), number);
        return err_next(err, "an identity is a line that begins with AGE-SECRET-KEY-1");
    }
    if (identities.count == 0) {
        err_set(err, ERR_USAGE, "%.*s holds no age identity", STR_ARG(name));
        return err_next(err, "an identity is a line that begins with AGE-SECRET-KEY-1");
    }
    *ret_identities = identities;
    return true;
}

void age_wipe(struct age_identities *identities)
{
    if (identities->cap != 0)
        OPENSSL_cleanse(identities->items, identities->cap * sizeof *identities->items);
    identities->count = 0;
}

bool age_keygen(struct age_identity *ret_identity, struct err *err)
{
    return age_random(ret_identity->key, sizeof ret_identity->key, err);
}

bool age_recipient_of(const struct age_identity *identity, struct age_recipient *ret_recipient,
                      struct err *err)
{
    return age_x25519_public(identity->key, ret_recipient->key, err);
}

struct str age_recipient_text(struct arena *arena, const struct age_recipient *recipient)
{
    return bech32_encode(arena, RECIPIENT, age_bytes(recipient->key, sizeof recipient->key));
}

struct str age_identity_text(struct arena *arena, const struct age_identity *identity)
{
    return bech32_encode(arena, IDENTITY, age_bytes(identity->key, sizeof identity->key));
}
