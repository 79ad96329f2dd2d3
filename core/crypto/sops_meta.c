#include "core/crypto/sops_meta.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define OUR_REGEX "^(data|stringData)$"
#define OUR_VERSION                                                                                          \
    "3.13.3" /* the sops that these documents were checked with; it reads its own quirks by it */

enum { MAX_PATTERN = 256, MAX_RECIPIENTS = 100 };

/* ---- which values ---- */

static bool is_match(const struct sops_picker *picker, struct str key)
{
    if (picker->is_data)
        return str_is(key, "data") || str_is(key, "stringData");
    if (!picker->has_regex)
        return str_ends(key, picker->suffix);
    regmatch_t whole = {0, (regoff_t)key.len};
    return key.ptr != NULL && regexec(&picker->regex, key.ptr, 1, &whole, REG_STARTEND) == 0;
}

enum sops_pick sops_pick_below(const struct sops_picker *picker, enum sops_pick above, struct str key)
{
    return above == SOPS_MATCHED || is_match(picker, key) ? SOPS_MATCHED : SOPS_UNDECIDED;
}

bool sops_is_picked(const struct sops_picker *picker, enum sops_pick pick)
{
    return (pick == SOPS_MATCHED) == picker->picks_matches;
}

struct sops_picker sops_picker_ours(void)
{
    return (struct sops_picker){.is_data = true, .picks_matches = true, .mac_only_encrypted = true};
}

void sops_picker_done(struct sops_picker *picker)
{
    if (picker->has_regex)
        regfree(&picker->regex);
    picker->has_regex = false;
}

/* The pattern comes with the document: no repetition counts and no back references, which cost without bound. */
static bool is_tame(struct str pattern)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.ptr[i] == '{' || pattern.ptr[i] == '\0' ||
            (pattern.ptr[i] == '\\' && i + 1 < pattern.len && pattern.ptr[i + 1] >= '0' &&
             pattern.ptr[i + 1] <= '9'))
            return false;
    return pattern.len <= MAX_PATTERN;
}

static bool read_regex(struct arena *arena, struct str pattern, struct sops_picker *picker, struct err *err)
{
    if (str_is(pattern, OUR_REGEX) && picker->picks_matches) {
        picker->is_data = true;
        return true;
    }
    if (is_tame(pattern) && regcomp(&picker->regex, str_c(arena, pattern), REG_EXTENDED) == 0) {
        picker->has_regex = true;
        return true;
    }
    return err_set(err, ERR_INVALID, "sops: a pattern that is not followed here");
}

static bool read_picker(struct arena *arena, const struct value *sops, struct sops_picker *picker,
                        struct err *err)
{
    struct str suffix = value_str(value_key(sops, "encrypted_suffix")),
               not_suffix = value_str(value_key(sops, "unencrypted_suffix")),
               regex = value_str(value_key(sops, "encrypted_regex")),
               not_regex = value_str(value_key(sops, "unencrypted_regex"));
    *picker = (struct sops_picker){.mac_only_encrypted = value_true(value_key(sops, "mac_only_encrypted"))};
    picker->picks_matches = suffix.len != 0 || regex.len != 0;
    if (value_key(sops, "encrypted_comment_regex") || value_key(sops, "unencrypted_comment_regex"))
        return err_set(err, ERR_INVALID, "sops: values picked by comments are not followed here");
    if ((suffix.len != 0) + (not_suffix.len != 0) + (regex.len != 0) + (not_regex.len != 0) > 1)
        return err_set(err, ERR_CORRUPT, "sops: values are picked in more than one way");
    if (regex.len != 0 || not_regex.len != 0)
        return read_regex(arena, regex.len ? regex : not_regex, picker, err);
    picker->suffix = suffix.len ? suffix : not_suffix.len ? not_suffix : STR("_unencrypted");
    return true;
}

/* ---- the map ---- */

bool sops_meta_read(struct arena *arena, const struct value *sops, struct sops_meta *ret_meta,
                    struct err *err)
{
    struct sops_meta meta = {.age = value_key(sops, "age"),
                             .lastmodified = value_str(value_key(sops, "lastmodified")),
                             .mac = value_str(value_key(sops, "mac"))};
    if (meta.lastmodified.len == 0 || meta.mac.len == 0)
        return err_set(err, ERR_CORRUPT, "sops: lastmodified or mac is missing");
    if (value_count(meta.age) == 0 || !value_is(meta.age, VALUE_LIST) ||
        value_count(meta.age) > MAX_RECIPIENTS)
        return err_set(err, ERR_INVALID, "sops: the document is not encrypted with age");
    if (!read_picker(arena, sops, &meta.picker, err))
        return false;
    meta.is_ours = meta.picker.is_data && meta.picker.mac_only_encrypted;
    *ret_meta = meta;
    return true;
}

void sops_meta_done(struct sops_meta *meta)
{
    sops_picker_done(&meta->picker);
}

const struct value *sops_meta_value(struct arena *arena, const struct value *age, struct str lastmodified,
                                    struct str mac)
{
    return VALUE_MAP(arena, {"age", age}, {"lastmodified", value_string(arena, lastmodified)},
                     {"mac", value_string(arena, mac)}, {"encrypted_regex", value_cstr(arena, OUR_REGEX)},
                     {"mac_only_encrypted", value_bool(arena, true)},
                     {"version", value_cstr(arena, OUR_VERSION)});
}

static bool has_recipient(const struct value *age, struct str recipient)
{
    VALUE_EACH(entry, age) {
        if (str_eq(value_str(value_key(entry, "recipient")), recipient))
            return true;
    }
    return false;
}

bool sops_is_for(const struct value *document, const struct str_list *recipients)
{
    const struct value *sops = value_key(document, "sops"), *age = value_key(sops, "age");
    bool same = value_count(age) != 0 && str_is(value_str(value_key(sops, "encrypted_regex")), OUR_REGEX) &&
                value_true(value_key(sops, "mac_only_encrypted"));
    for (size_t i = 0; same && i < recipients->count; i++)
        same = has_recipient(age, recipients->items[i]);
    VALUE_EACH(entry, age) {
        same = same && str_in(value_str(value_key(entry, "recipient")), recipients->items, recipients->count);
    }
    return same;
}

/* ---- the data key ---- */

static bool open_entry(struct arena *arena, const struct value *entry,
                       const struct age_identities *identities, uint8_t key[GCM_KEY_BYTES], struct err *err)
{
    struct str file, plain;
    if (!age_dearmor(arena, value_str(value_key(entry, "enc")), &file, err) ||
        !age_open(arena, identities, file, &plain, err))
        return false;
    bool fits = plain.len == GCM_KEY_BYTES;
    if (fits)
        memcpy(key, plain.ptr, GCM_KEY_BYTES);
    OPENSSL_cleanse((char *)plain.ptr, plain.len);
    return fits || err_set(err, ERR_CORRUPT, "sops.age: no key of %d bytes", GCM_KEY_BYTES);
}

/* A document for several people: the first entry that one of the identities opens. */
bool sops_data_key(struct arena *arena, const struct sops_meta *meta, const struct age_identities *identities,
                   uint8_t ret_key[GCM_KEY_BYTES], struct err *err)
{
    struct err last = {.code = ERR_DENIED};
    VALUE_EACH(entry, meta->age) {
        struct err why;
        if (open_entry(arena, entry, identities, ret_key, &why))
            return true;
        if (why.code != ERR_DENIED)
            last = why;
    }
    if (last.code != ERR_DENIED) {
        *err = last;
        return false;
    }
    return err_set(err, ERR_DENIED, "encrypted for others: none of the identities at hand opens it");
}

static bool seal_for(struct arena *arena, struct str recipient, const uint8_t key[GCM_KEY_BYTES],
                     const struct value **ret_entry, struct err *err)
{
    struct str_list one = {&recipient, 1, 1};
    struct age_recipients recipients = {0};
    struct str file;
    if (!age_recipients_parse(arena, &one, &recipients, err) ||
        !age_seal(arena, &recipients, (struct str){(const char *)key, GCM_KEY_BYTES}, &file, err))
        return false;
    *ret_entry = VALUE_MAP(arena, {"recipient", value_string(arena, recipient)},
                           {"enc", value_string(arena, age_armor(arena, file))});
    return true;
}

bool sops_new_key(struct arena *arena, const struct str_list *recipients, uint8_t ret_key[GCM_KEY_BYTES],
                  const struct value **ret_age, struct err *err)
{
    struct value_list_builder age = {0};
    if (recipients->count == 0 || recipients->count > MAX_RECIPIENTS) {
        err_set(err, ERR_USAGE,
                recipients->count ? "more than %d recipients" : "no recipients (of at most %d)",
                MAX_RECIPIENTS);
        return err_next(err,
                        "name age recipients under secrets.recipients; gitops-pipe secrets keygen makes one");
    }
    if (RAND_bytes(ret_key, GCM_KEY_BYTES) != 1)
        return err_set(err, ERR_INTERNAL, "no random bytes");
    for (size_t i = 0; i < recipients->count; i++) {
        const struct value *entry;
        if (!seal_for(arena, recipients->items[i], ret_key, &entry, err))
            return err_context(err, "recipient %zu", i + 1);
        value_push(arena, &age, entry);
    }
    *ret_age = value_list_done(arena, &age);
    return true;
}
