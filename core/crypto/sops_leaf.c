#include "core/crypto/sops_leaf.h"

#include <openssl/rand.h>

#include "core/base/base64.h"
#include "core/base/json.h"

/* sops takes a nonce of this length, which is not the usual 12. */
enum { IV_BYTES = 32 };

#define ENC_START "ENC[AES256_GCM,"

/* ---- ENC[…] ---- */

static bool take_part(struct str *rest, const char *name, char end, struct str *ret_text)
{
    struct str label = str_of(name);
    if (!str_starts(*rest, label))
        return false;
    *rest = str_from(*rest, label.len);
    if (str_find(*rest, end) == rest->len)
        return false;
    *ret_text = str_cut(rest, end);
    return true;
}

bool sops_enc_parse(struct arena *arena, struct str text, struct sops_enc *ret_enc)
{
    struct str rest = text, data, iv, tag, type;
    if (!str_starts(rest, STR(ENC_START)))
        return false;
    rest = str_from(rest, sizeof ENC_START - 1);
    if (!take_part(&rest, "data:", ',', &data) || !take_part(&rest, "iv:", ',', &iv) ||
        !take_part(&rest, "tag:", ',', &tag) || !take_part(&rest, "type:", ']', &type) || rest.len != 0)
        return false;
    ret_enc->type = type;
    return type.len != 0 && base64_decode(arena, data, BASE64_STANDARD, &ret_enc->data) &&
           base64_decode(arena, iv, BASE64_STANDARD, &ret_enc->iv) &&
           base64_decode(arena, tag, BASE64_STANDARD, &ret_enc->tag) && ret_enc->iv.len != 0 &&
           ret_enc->tag.len == GCM_TAG_BYTES;
}

static bool encrypt(struct arena *arena, const uint8_t *key, struct str aad, struct str plain,
                    const char *type, struct str *ret_text, struct err *err)
{
    uint8_t iv[IV_BYTES], tag[GCM_TAG_BYTES], *cipher = arena_alloc(arena, plain.len + 1);
    struct str nonce = {(const char *)iv, sizeof iv};
    if (RAND_bytes(iv, sizeof iv) != 1)
        return err_set(err, ERR_INTERNAL, "no random bytes");
    if (!gcm_seal(key, nonce, aad, plain, cipher, tag, err))
        return false;
    struct str data = base64_encode(arena, (struct str){(const char *)cipher, plain.len}, BASE64_STANDARD);
    struct str mark = base64_encode(arena, (struct str){(const char *)tag, sizeof tag}, BASE64_STANDARD);
    nonce = base64_encode(arena, nonce, BASE64_STANDARD);
    *ret_text = str_fmt(arena, ENC_START "data:%.*s,iv:%.*s,tag:%.*s,type:%s]", STR_ARG(data), STR_ARG(nonce),
                        STR_ARG(mark), type);
    return true;
}

static bool decrypt(struct arena *arena, const uint8_t *key, struct str aad, struct str text,
                    struct str *ret_plain, struct str *ret_type, struct err *err)
{
    struct sops_enc enc;
    if (!sops_enc_parse(arena, text, &enc))
        return err_set(err, ERR_CORRUPT, "this is no value that sops encrypted");
    uint8_t *plain = arena_alloc(arena, enc.data.len + 1);
    if (!gcm_open(key, enc.iv, aad, enc.data, (const uint8_t *)enc.tag.ptr, plain, err))
        return false;
    *ret_plain = (struct str){(const char *)plain, enc.data.len};
    *ret_type = enc.type;
    return true;
}

bool sops_text_encrypt(struct arena *arena, const uint8_t key[GCM_KEY_BYTES], struct str aad, struct str text,
                       struct str *ret_text, struct err *err)
{
    return encrypt(arena, key, aad, text, "str", ret_text, err);
}

bool sops_text_decrypt(struct arena *arena, const uint8_t key[GCM_KEY_BYTES], struct str aad, struct str text,
                       struct str *ret_text, struct err *err)
{
    struct str type;
    return decrypt(arena, key, aad, text, ret_text, &type, err);
}

/* ---- values ---- */

/* As Go's strconv and fmt spell them, booleans as Python once did. */
struct str sops_leaf_text(const struct value *leaf)
{
    if (value_is(leaf, VALUE_BOOL))
        return value_true(leaf) ? STR("True") : STR("False");
    return value_text(leaf);
}

static const char *type_of(const struct value *leaf)
{
    int64_t whole;
    if (value_is(leaf, VALUE_BOOL))
        return "bool";
    if (!value_is(leaf, VALUE_NUMBER))
        return "str";
    return value_i64(leaf, &whole) ? "int" : "float";
}

bool sops_leaf_encrypt(struct arena *arena, const uint8_t key[GCM_KEY_BYTES], struct str path,
                       const struct value *leaf, const struct value **ret_leaf, struct err *err)
{
    struct str text;
    *ret_leaf = leaf;
    if (leaf->kind == VALUE_NULL || (leaf->kind == VALUE_STRING && value_str(leaf).len == 0))
        return true;
    if (!encrypt(arena, key, path, sops_leaf_text(leaf), type_of(leaf), &text, err))
        return false;
    *ret_leaf = value_string(arena, text);
    return true;
}

static const struct value *typed(struct arena *arena, struct str plain, struct str type)
{
    if (str_is(type, "str") || str_is(type, "bytes") || str_is(type, "time"))
        return str_is_utf8(plain) ? value_string(arena, plain) : NULL;
    if (str_is(type, "int") || str_is(type, "float"))
        return json_is_number(plain) ? value_number(arena, plain) : NULL;
    if (str_is(type, "bool") && (str_eq_nocase(plain, STR("true")) || str_eq_nocase(plain, STR("false"))))
        return value_bool(arena, str_eq_nocase(plain, STR("true")));
    return NULL;
}

bool sops_leaf_decrypt(struct arena *arena, const uint8_t key[GCM_KEY_BYTES], struct str path,
                       const struct value *leaf, const struct value **ret_leaf, struct err *err)
{
    struct str plain, type;
    *ret_leaf = leaf;
    if (leaf->kind == VALUE_NULL || (leaf->kind == VALUE_STRING && value_str(leaf).len == 0))
        return true;
    if (!decrypt(arena, key, path, value_str(leaf), &plain, &type, err))
        return false;
    *ret_leaf = typed(arena, plain, type);
    return *ret_leaf != NULL || err_set(err, ERR_CORRUPT, "the value is not of the type it says");
}
