/* The tree: which values are encrypted, in which order, and what their MAC is. sops_meta.c has the map "sops". */
#include "core/crypto/sops.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/base/clock.h"
#include "core/base/sha256.h"
#include "core/crypto/sops_leaf.h"
#include "core/crypto/sops_meta.h"

enum { MAC_HEX = 128 };

/* One pass over a document. Without a key it changes nothing and only adds up the MAC of what is readable. */
struct walk {
    struct arena *arena;
    const struct sops_picker *picker;
    const uint8_t *key; /* of this document */
    bool decrypting;
    EVP_MD_CTX *mac;
    /* Encrypting beside an earlier document whose data key is the same: leaves that did not change keep their text. */
    const struct value *earlier;
    size_t kept, encrypted;
    struct err *err;
};

static void mac_cleanup(EVP_MD_CTX **mac)
{
    EVP_MD_CTX_free(*mac);
}

static void add_to_mac(struct walk *walk, struct str text)
{
    EVP_DigestUpdate(walk->mac, text.ptr ? text.ptr : "", text.len);
}

/* The earlier leaf when it holds the same under the same key at the same path; else a new one. */
static bool encrypt_leaf(struct walk *walk, struct str path, const struct value *leaf,
                         const struct value *earlier, const struct value **ret)
{
    const struct value *was;
    struct err ignored;
    walk->encrypted++;
    if (earlier != NULL && (earlier->kind == VALUE_STRING || earlier->kind == VALUE_NULL) &&
        sops_leaf_decrypt(walk->arena, walk->key, path, earlier, &was, &ignored) && value_equal(was, leaf)) {
        walk->kept++;
        *ret = earlier;
        return true;
    }
    return sops_leaf_encrypt(walk->arena, walk->key, path, leaf, ret, walk->err);
}

static bool walk_leaf(struct walk *walk, struct str path, bool picked, const struct value *leaf,
                      const struct value *earlier, const struct value **ret)
{
    const struct value *plain = leaf;
    *ret = leaf;
    if (picked && walk->decrypting) {
        if (!sops_leaf_decrypt(walk->arena, walk->key, path, leaf, ret, walk->err))
            return err_context(walk->err, "%.*s", STR_ARG(str_slice(path, 0, path.len - (path.len != 0))));
        plain = *ret;
    } else if (picked && !encrypt_leaf(walk, path, leaf, earlier, ret)) {
        return false;
    }
    if (picked || !walk->picker->mac_only_encrypted)
        add_to_mac(walk, sops_leaf_text(plain));
    return true;
}

/* `picked`: something above says that all below is encrypted, or that nothing is. Lists are not in the path. */
static bool walk_value(struct walk *walk, struct str path, enum sops_pick pick, const struct value *value,
                       const struct value *earlier, const struct value **ret)
{
    struct arena *arena = walk->arena;
    if (value_is(value, VALUE_MAP)) {
        struct value_map_builder map = {0};
        MEMBER_EACH(member, value) {
            struct str below = str_fmt(arena, "%.*s%.*s:", STR_ARG(path), STR_ARG(member->key));
            const struct value *changed;
            if (!walk_value(walk, below, sops_pick_below(walk->picker, pick, member->key), &member->value,
                            value_get(earlier, member->key), &changed))
                return false;
            value_put(arena, &map, member->key, changed);
        }
        *ret = value_map_done(arena, &map);
        return true;
    }
    if (value_is(value, VALUE_LIST)) {
        struct value_list_builder list = {0};
        for (size_t i = 0; i < value_count(value); i++) {
            const struct value *changed;
            if (!walk_value(walk, path, pick, value_item(value, i), value_item(earlier, i), &changed))
                return false;
            value_push(arena, &list, changed);
        }
        *ret = value_list_done(arena, &list);
        return true;
    }
    return walk_leaf(walk, path, sops_is_picked(walk->picker, pick), value, earlier, ret);
}

static bool walk_document(struct walk *walk, const struct value *document, const struct value **ret,
                          char hex[MAC_HEX + 1])
{
    static const char digits[] = "0123456789ABCDEF";
    CLEANUP(mac_cleanup) EVP_MD_CTX *mac = EVP_MD_CTX_new();
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    walk->mac = mac;
    if (mac == NULL || EVP_DigestInit_ex(mac, EVP_sha512(), NULL) != 1)
        return err_set(walk->err, ERR_INTERNAL, "SHA-512: OpenSSL does not start");
    if (walk->picker->mac_only_encrypted) {
        /* So that this MAC is none of the other kind: SHA-256 of "sops". */
        struct sha256 start = sha256_of(STR("sops"));
        add_to_mac(walk, (struct str){(const char *)start.bytes, SHA256_BYTES});
    }
    if (!walk_value(walk, STR_NONE, SOPS_UNDECIDED, document, walk->earlier, ret))
        return false;
    if (EVP_DigestFinal_ex(mac, sum, &len) != 1 || len * 2 != MAC_HEX)
        return err_set(walk->err, ERR_INTERNAL, "SHA-512: OpenSSL does not end");
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[MAC_HEX] = 0;
    return true;
}

bool sops_is_encrypted(const struct value *document)
{
    return value_is(value_key(document, "sops"), VALUE_MAP) &&
           value_key(value_key(document, "sops"), "mac") != NULL;
}

static const struct value *body_of(struct arena *arena, const struct value *document)
{
    return value_without(arena, document, STR("sops"));
}

/* ---- decrypting ---- */

static bool check_mac(struct walk *walk, const struct sops_meta *meta, const char *hex)
{
    struct str said;
    if (!sops_text_decrypt(walk->arena, walk->key, meta->lastmodified, meta->mac, &said, walk->err))
        return err_context(walk->err, "sops.mac");
    if (str_is(said, hex))
        return true;
    return err_set(walk->err, ERR_CORRUPT, "the MAC does not hold: a value was added, taken away or moved");
}

static bool decrypt_with(struct arena *arena, const struct value *document, const struct sops_meta *meta,
                         const uint8_t *key, const struct value **ret_document, struct err *err)
{
    struct walk walk = {.arena = arena, .picker = &meta->picker, .key = key, .decrypting = true, .err = err};
    const struct value *plain;
    char hex[MAC_HEX + 1];
    if (!walk_document(&walk, body_of(arena, document), &plain, hex) || !check_mac(&walk, meta, hex))
        return false;
    *ret_document = plain;
    return true;
}

bool sops_decrypt(struct arena *arena, const struct value *document, const struct age_identities *identities,
                  const struct value **ret_document, struct err *err)
{
    struct sops_meta meta;
    uint8_t key[GCM_KEY_BYTES];
    if (!sops_meta_read(arena, value_key(document, "sops"), &meta, err))
        return false;
    bool ok = sops_data_key(arena, &meta, identities, key, err) &&
              decrypt_with(arena, document, &meta, key, ret_document, err);
    OPENSSL_cleanse(key, sizeof key);
    sops_meta_done(&meta);
    return ok;
}

/* ---- encrypting ---- */

/* What goes on from an earlier document: its data key, and what "sops" said. */
struct before {
    const struct value *document; /* NULL: nothing */
    struct sops_meta meta;
};

/* Every value kept, and the MAC says that none has gone and that they stand in the same order. */
static bool is_unchanged(const struct walk *walk, const struct before *before, const char *hex)
{
    struct str said;
    struct err ignored;
    return before->document != NULL && walk->kept == walk->encrypted &&
           sops_text_decrypt(walk->arena, walk->key, before->meta.lastmodified, before->meta.mac, &said,
                             &ignored) &&
           str_is(said, hex);
}

static bool encrypt_with(struct arena *arena, const struct value *document, int64_t now_ms,
                         const uint8_t *key, const struct value *age, const struct before *before,
                         const struct value **ret_document, struct err *err)
{
    struct sops_picker picker = sops_picker_ours();
    struct walk walk = {
        .arena = arena, .picker = &picker, .key = key, .earlier = before->document, .err = err};
    const struct value *encrypted, *meta = value_key(before->document, "sops");
    char hex[MAC_HEX + 1];
    if (!walk_document(&walk, document, &encrypted, hex))
        return false;
    if (!is_unchanged(&walk, before, hex)) {
        struct str when = clock_rfc3339(arena, now_ms), mac;
        if (!sops_text_encrypt(arena, key, when, str_of(hex), &mac, err))
            return false;
        meta = sops_meta_value(arena, age, when, mac);
    }
    *ret_document = value_with(arena, encrypted, STR("sops"), meta);
    return true;
}

/* The data key of the earlier document, when it can be read and is for the same people. */
static bool goes_on(struct arena *arena, const struct sops_how *how, uint8_t key[GCM_KEY_BYTES],
                    struct before *before)
{
    struct err ignored;
    if (how->earlier == NULL || how->identities == NULL || !sops_is_for(how->earlier, &how->recipients) ||
        !sops_meta_read(arena, value_key(how->earlier, "sops"), &before->meta, &ignored))
        return false;
    bool ok = before->meta.is_ours && sops_data_key(arena, &before->meta, how->identities, key, &ignored);
    sops_meta_done(&before->meta);
    before->document = ok ? how->earlier : NULL;
    return ok;
}

bool sops_encrypt(struct arena *arena, const struct value *document, const struct sops_how *how,
                  const struct value **ret_document, struct err *err)
{
    uint8_t key[GCM_KEY_BYTES];
    struct before before = {0};
    const struct value *age;
    bool ok = true;
    if (goes_on(arena, how, key, &before))
        age = before.meta.age;
    else
        ok = sops_new_key(arena, &how->recipients, key, &age, err);
    ok = ok &&
         encrypt_with(arena, body_of(arena, document), how->now_ms, key, age, &before, ret_document, err);
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}
