#include "core/secrets/memory.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/sha256.h"

enum { KEY_BYTES = 32, MAX_BYTES = 256 << 20 };
static const struct str HEADER = STR_INIT("gitops-pipe fingerprints 2\n");

struct secrets_memory {
    struct arena *arena;
    struct str folder; /* empty: nothing is kept */
    uint8_t key[KEY_BYTES];
    bool key_is_new;
    const struct secrets_print *known; /* sorted */
    size_t known_count;
    struct {
        struct secrets_print *items;
        size_t count, cap;
    } noted;
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
    if (!file_read(memory->arena, path_in(memory, "fingerprints"), MAX_BYTES, &text, err))
        return err->code == ERR_NOT_FOUND;
    struct str prints = str_from(text, HEADER.len);
    if (str_starts(text, HEADER) && prints.len % sizeof *memory->known == 0) {
        memory->known = (const struct secrets_print *)prints.ptr;
        memory->known_count = prints.len / sizeof *memory->known;
    }
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

/* ---- fingerprints ---- */

static void add(struct buf *text, struct str part)
{
    buf_fmt(text, "%zu:", part.len);
    buf_str(text, part);
}

/* Every part with its length, so that no two lists of parts are the same text. */
static bool print_of(const struct secrets_memory *memory, const struct str *parts, size_t count,
                     struct secrets_print *ret_print)
{
    struct buf text CLEANUP(buf_done);
    struct sha256 sum;
    unsigned len = 0;
    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        add(&text, parts[i]);
    bool ok = HMAC(EVP_sha256(), memory->key, KEY_BYTES, (const unsigned char *)text.ptr, text.len, sum.bytes,
                   &len) != NULL;
    OPENSSL_cleanse(text.ptr, text.len);
    if (ok)
        memcpy(ret_print->bytes, sum.bytes, sizeof ret_print->bytes);
    return ok && len == SHA256_BYTES;
}

static bool print_document(const struct secrets_memory *memory, const struct secrets_subject *subject,
                           struct secrets_print *ret_print)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str cipher = json_text(scratch, value_sorted(scratch, subject->cipher));
    const struct str parts[] = {STR("document"), subject->id, subject->settings, cipher};
    return print_of(memory, parts, COUNT_OF(parts), ret_print);
}

static struct str view_of(const struct secrets_print *print)
{
    return (struct str){(const char *)print->bytes, sizeof print->bytes};
}

static bool print_value(const struct secrets_memory *memory, const struct secrets_print *document,
                        const struct secret_entry *entry, struct secrets_print *ret_print)
{
    const struct str parts[] = {STR("value"), view_of(document), entry->key, entry->value};
    return print_of(memory, parts, COUNT_OF(parts), ret_print);
}

static bool print_count(const struct secrets_memory *memory, const struct secrets_print *document,
                        size_t count, struct secrets_print *ret_print)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", count);
    const struct str parts[] = {STR("values"), view_of(document), str_of(digits)};
    return print_of(memory, parts, COUNT_OF(parts), ret_print);
}

static int order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct secrets_print));
}

static bool is_known(const struct secrets_memory *memory, const struct secrets_print *print)
{
    return memory->known_count != 0 &&
           bsearch(print, memory->known, memory->known_count, sizeof *print, order) != NULL;
}

bool secrets_memory_knows(const struct secrets_memory *memory, const struct secrets_subject *subject,
                          struct secrets_print *ret_document)
{
    return subject->cipher != NULL && memory->known_count != 0 &&
           print_document(memory, subject, ret_document) && is_known(memory, ret_document);
}

bool secrets_memory_has_value(const struct secrets_memory *memory, const struct secrets_print *document,
                              const struct secret_entry *entry)
{
    struct secrets_print print;
    return print_value(memory, document, entry, &print) && is_known(memory, &print);
}

bool secrets_memory_has_all(const struct secrets_memory *memory, const struct secrets_print *document,
                            const struct secret_entries *entries)
{
    struct secrets_print print;
    bool all = print_count(memory, document, entries->count, &print) && is_known(memory, &print);
    for (size_t i = 0; all && i < entries->count; i++)
        all = secrets_memory_has_value(memory, document, &entries->items[i]);
    return all;
}

void secrets_memory_note(struct secrets_memory *memory, const struct secrets_subject *subject,
                         const struct secret_entries *entries)
{
    struct secrets_print document, print;
    if (memory->folder.len == 0 || !print_document(memory, subject, &document))
        return;
    *ARENA_PUSH(memory->arena, &memory->noted) = document;
    if (print_count(memory, &document, entries->count, &print))
        *ARENA_PUSH(memory->arena, &memory->noted) = print;
    for (size_t i = 0; i < entries->count; i++)
        if (print_value(memory, &document, &entries->items[i], &print))
            *ARENA_PUSH(memory->arena, &memory->noted) = print;
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

/* Each once, sorted. */
static void write_prints(const struct secrets_memory *memory, bool keep, struct buf *out)
{
    size_t kept = keep ? memory->known_count : 0;
    const struct secrets_print *a = memory->known, *a_end = a + kept, *b = memory->noted.items,
                               *b_end = b + memory->noted.count, *last = NULL;
    buf_str(out, HEADER);
    while (a != a_end || b != b_end) {
        const struct secrets_print *next = b == b_end || (a != a_end && order(a, b) < 0) ? a++ : b++;
        if (last == NULL || order(last, next) != 0)
            buf_str(out, view_of(next));
        last = next;
    }
}

/* What an earlier version kept, with names. */
static void drop_old(const struct secrets_memory *memory)
{
    unlink(path_in(memory, "fingerprints.json"));
}

bool secrets_memory_save(struct secrets_memory *memory, bool keep, struct err *err)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, MAX_BYTES);
    if (memory->folder.len == 0 || (memory->noted.count == 0 && memory->known_count == 0))
        return true;
    if (memory->noted.count != 0)
        qsort(memory->noted.items, memory->noted.count, sizeof *memory->noted.items, order);
    write_prints(memory, keep, &text);
    if (!buf_ok(&text))
        return err_set(err, ERR_LIMIT, "fingerprints of Secrets: more than %d bytes", MAX_BYTES);
    struct str key = {(const char *)memory->key, KEY_BYTES};
    bool ok = make_folder(memory, err) &&
              (!memory->key_is_new || file_write(path_in(memory, "key"), key, 0600, err)) &&
              file_write(path_in(memory, "fingerprints"), buf_view(&text), 0600, err);
    if (ok)
        drop_old(memory);
    return ok;
}
