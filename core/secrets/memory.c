#include "core/secrets/memory.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/sha256.h"

enum { KEY_BYTES = 32, MAX_BYTES = 256 << 20 };

struct secrets_memory {
    struct arena *arena;
    struct str folder; /* empty: nothing is kept */
    uint8_t key[KEY_BYTES];
    bool key_is_new;
    const struct value *known; /* id → {settings, cipher, values{key → tag}} */
    struct value_map_builder noted;
};

static const char *path_in(const struct secrets_memory *memory, const char *name)
{
    return str_c(memory->arena, str_fmt(memory->arena, "%.*s/%s", STR_ARG(memory->folder), name));
}

/* ---- opening ---- */

static bool new_key(struct secrets_memory *memory, struct err *err)
{
    memory->key_is_new = true;
    return RAND_bytes(memory->key, KEY_BYTES) == 1 || err_set(err, ERR_INTERNAL, "no random bytes");
}

/* A key of another length is none of ours any more; with a new one no fingerprint holds, which is safe. */
static bool read_key(struct secrets_memory *memory, struct err *err)
{
    struct str bytes;
    if (!file_read(memory->arena, path_in(memory, "key"), 4096, &bytes, err))
        return err->code == ERR_NOT_FOUND && new_key(memory, err);
    if (bytes.len != KEY_BYTES)
        return new_key(memory, err);
    memcpy(memory->key, bytes.ptr, KEY_BYTES);
    OPENSSL_cleanse((char *)bytes.ptr, bytes.len);
    return true;
}

static bool read_known(struct secrets_memory *memory, struct err *err)
{
    struct str text;
    const struct value *root;
    struct err ignored;
    int64_t version;
    if (!file_read(memory->arena, path_in(memory, "fingerprints.json"), MAX_BYTES, &text, err))
        return err->code == ERR_NOT_FOUND;
    if (json_parse(memory->arena, text, NULL, &root, &ignored) &&
        value_i64(value_key(root, "version"), &version) && version == 1)
        memory->known = value_key(root, "secrets");
    if (!value_is(memory->known, VALUE_MAP))
        memory->known = NULL;
    return true;
}

bool secrets_memory_open(struct arena *arena, struct str state_dir, struct secrets_memory **ret_memory,
                         struct err *err)
{
    struct secrets_memory *memory = ARENA_NEW(arena, struct secrets_memory);
    memory->arena = arena;
    if (state_dir.len != 0) {
        memory->folder = str_fmt(arena, "%.*s/secrets", STR_ARG(state_dir));
        if (!read_key(memory, err) || !read_known(memory, err)) {
            secrets_memory_close(memory);
            return err_context(err, "state.dir");
        }
    } else if (!new_key(memory, err)) {
        return false;
    }
    *ret_memory = memory;
    return true;
}

void secrets_memory_close(struct secrets_memory *memory)
{
    if (memory != NULL)
        OPENSSL_cleanse(memory->key, KEY_BYTES);
}

/* Records are written in the order of their ids, and there may be many. */
static const struct value *record_of(const struct secrets_memory *memory, struct str id)
{
    const struct member *members = value_members(memory->known);
    size_t from = 0, to = value_count(memory->known);
    while (members != NULL && from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(members[middle].key, id);
        if (order == 0)
            return &members[middle].value;
        *(order < 0 ? &from : &to) = order < 0 ? middle + 1 : middle;
    }
    return NULL;
}

/* ---- fingerprints ---- */

static void add(struct buf *text, struct str part)
{
    buf_fmt(text, "%zu:", part.len);
    buf_str(text, part);
}

/* Every part with its length, so that no two lists of parts are the same text. */
static bool tag(const struct secrets_memory *memory, const struct str *parts, size_t count,
                struct sha256 *ret_tag)
{
    struct buf text CLEANUP(buf_done);
    unsigned len = 0;
    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        add(&text, parts[i]);
    bool ok = HMAC(EVP_sha256(), memory->key, KEY_BYTES, (const unsigned char *)text.ptr, text.len,
                   ret_tag->bytes, &len) != NULL;
    OPENSSL_cleanse(text.ptr, text.len);
    return ok && len == SHA256_BYTES;
}

static bool settings_tag(const struct secrets_memory *memory, const struct secrets_subject *subject,
                         struct sha256 *ret_tag)
{
    const struct str parts[] = {STR("settings"), subject->id, subject->settings};
    return tag(memory, parts, COUNT_OF(parts), ret_tag);
}

static bool cipher_tag(const struct secrets_memory *memory, const struct secrets_subject *subject,
                       struct sha256 *ret_tag)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str text = json_text(scratch, value_sorted(scratch, subject->cipher));
    const struct str parts[] = {STR("cipher"), subject->id, text};
    return tag(memory, parts, COUNT_OF(parts), ret_tag);
}

static bool value_tag(const struct secrets_memory *memory, struct str id, const struct secret_entry *entry,
                      struct sha256 *ret_tag)
{
    const struct str parts[] = {STR("value"), id, entry->key, entry->value};
    return tag(memory, parts, COUNT_OF(parts), ret_tag);
}

static bool holds(const struct value *remembered, const struct sha256 *now)
{
    struct sha256 was;
    return sha256_from_hex(value_str(remembered), &was) &&
           CRYPTO_memcmp(was.bytes, now->bytes, SHA256_BYTES) == 0;
}

bool secrets_memory_knows(const struct secrets_memory *memory, const struct secrets_subject *subject)
{
    const struct value *record = record_of(memory, subject->id);
    struct sha256 settings, cipher;
    return record != NULL && subject->cipher != NULL && settings_tag(memory, subject, &settings) &&
           holds(value_key(record, "settings"), &settings) && cipher_tag(memory, subject, &cipher) &&
           holds(value_key(record, "cipher"), &cipher);
}

bool secrets_memory_has_value(const struct secrets_memory *memory, struct str id,
                              const struct secret_entry *entry)
{
    const struct value *values = value_key(record_of(memory, id), "values");
    struct sha256 now;
    return value_tag(memory, id, entry, &now) && holds(value_get(values, entry->key), &now);
}

size_t secrets_memory_values(const struct secrets_memory *memory, struct str id)
{
    return value_count(value_key(record_of(memory, id), "values"));
}

static const struct value *written(struct arena *arena, bool ok, const struct sha256 *now)
{
    return value_string(arena, ok ? sha256_hex(arena, now) : STR_NONE);
}

void secrets_memory_note(struct secrets_memory *memory, const struct secrets_subject *subject,
                         const struct secret_entries *entries)
{
    struct arena *arena = memory->arena;
    struct value_map_builder values = {0};
    struct sha256 settings, cipher, now;
    if (memory->folder.len == 0)
        return;
    for (size_t i = 0; i < entries->count; i++) {
        bool ok = value_tag(memory, subject->id, &entries->items[i], &now);
        value_put(arena, &values, str_dup(arena, entries->items[i].key), written(arena, ok, &now));
    }
    bool has_settings = settings_tag(memory, subject, &settings),
         has_cipher = cipher_tag(memory, subject, &cipher);
    value_put(arena, &memory->noted, str_dup(arena, subject->id),
              VALUE_MAP(arena, {"settings", written(arena, has_settings, &settings)},
                        {"cipher", written(arena, has_cipher, &cipher)},
                        {"values", value_map_done(arena, &values)}));
}

/* ---- saving ---- */

/* Nobody else may look in, and whoever keeps the state folder inside a repository does not commit this. */
static bool make_folder(const struct secrets_memory *memory, struct err *err)
{
    const char *folder = str_c(memory->arena, memory->folder);
    if (!file_make_dirs(folder, err))
        return false;
    if (chmod(folder, 0700) != 0)
        return err_errno(err, "%s", folder);
    return file_write(path_in(memory, ".gitignore"), STR("*\n"), 0600, err);
}

/* What was known and is not in `noted`, and `noted`; both sorted. */
static const struct value *merged(struct arena *arena, const struct value *known, const struct value *noted)
{
    struct value_map_builder all = {0};
    const struct member *a = value_members(known), *a_end = value_members_end(known),
                        *b = value_members(noted), *b_end = value_members_end(noted);
    while (a != a_end || b != b_end) {
        int order = a == a_end ? 1 : b == b_end ? -1 : str_cmp(a->key, b->key);
        const struct member *next = order < 0 ? a : b;
        a += order <= 0;
        b += order >= 0;
        value_put(arena, &all, next->key, &next->value);
    }
    return value_map_done(arena, &all);
}

bool secrets_memory_save(struct secrets_memory *memory, bool keep, struct err *err)
{
    struct arena *arena = memory->arena;
    const struct value *noted = value_sorted(arena, value_map_done(arena, &memory->noted));
    if (memory->folder.len == 0 || (value_count(noted) == 0 && value_count(memory->known) == 0))
        return true;
    if (keep)
        noted = merged(arena, memory->known, noted);
    const struct value *root = VALUE_MAP(arena, {"version", value_int(arena, 1)}, {"secrets", noted});
    struct buf text CLEANUP(buf_done);
    buf_init(&text, MAX_BYTES);
    json_write_pretty(&text, root);
    if (!buf_ok(&text))
        return err_set(err, ERR_LIMIT, "fingerprints of Secrets: more than %d bytes", MAX_BYTES);
    struct str key = {(const char *)memory->key, KEY_BYTES};
    return make_folder(memory, err) &&
           (!memory->key_is_new || file_write(path_in(memory, "key"), key, 0600, err)) &&
           file_write(path_in(memory, "fingerprints.json"), buf_view(&text), 0600, err);
}
