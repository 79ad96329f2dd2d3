/* What a command wrote to standard error goes into the manifest, and into a mail of the person on call. Commands that
 * fail to log in tend to say with what. */
#include <string.h>

#include "backupd/hook_intern.h"

/* A shorter one would hide half of every text. */
enum { SECRET_LEAST_BYTES = 4 };

static const char *const names[] = {"password",   "passwd",      "pwd",           "secret",
                                    "token",      "apikey",      "api_key",       "api-key",
                                    "access_key", "private_key", "authorization", "bearer"};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Bytes of the known secret that `text` starts with. */
static size_t known_secret(struct str text, const struct str_list *secrets)
{
    size_t longest = 0;
    for (size_t i = 0; i < secrets->count; i++)
        if (secrets->items[i].len >= SECRET_LEAST_BYTES && secrets->items[i].len > longest &&
            str_starts(text, secrets->items[i]))
            longest = secrets->items[i].len;
    return longest;
}

/* "://user:password@": how much stands between "://" and '@'. */
static size_t user_info(struct str text)
{
    size_t at = text.len;
    if (!str_starts(text, STR("://")))
        return 0;
    for (size_t i = 3; i < text.len && !is_space(text.ptr[i]) && text.ptr[i] != '/'; i++)
        if (text.ptr[i] == '@')
            at = i;
    return at < text.len ? at - 3 : 0;
}

/* Whether a name that promises a secret ends here: "DB_PASSWORD", "token". */
static bool ends_in_name(struct str before)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t len = strlen(names[i]);
        if (before.len >= len && str_eq_nocase(str_from(before, before.len - len), str_of(names[i])))
            return true;
    }
    return false;
}

/* Behind such a name: `= "value"`, `: value`, ` value`. Returns where the value starts, or 0 where none does. */
static size_t value_start(struct str text, bool *ret_quoted)
{
    size_t at = 0;
    while (at < text.len && (text.ptr[at] == '"' || text.ptr[at] == '\'' || text.ptr[at] == ' '))
        at++;
    bool assigned = at < text.len && (text.ptr[at] == '=' || text.ptr[at] == ':');
    at += assigned;
    while (at < text.len && text.ptr[at] == ' ')
        at++;
    *ret_quoted = at < text.len && (text.ptr[at] == '"' || text.ptr[at] == '\'');
    at += *ret_quoted;
    return assigned ? at : 0;
}

static size_t value_end(struct str text, size_t from, bool quoted)
{
    size_t at = from;
    while (at < text.len && (quoted ? text.ptr[at] != text.ptr[from - 1] : !is_space(text.ptr[at])))
        at++;
    return at;
}

/* Of "Authorization: Bearer abc" the second word is the secret as well. */
static size_t with_scheme(struct str text, size_t from, size_t end)
{
    struct str word = str_slice(text, from, end);
    bool scheme = str_eq_nocase(word, STR("bearer")) || str_eq_nocase(word, STR("basic"));
    while (scheme && end < text.len && text.ptr[end] == ' ')
        end++;
    return scheme ? value_end(text, end, false) : end;
}

static void hide(struct buf *out, struct str text, const struct str_list *secrets)
{
    for (size_t i = 0; i < text.len;) {
        struct str rest = str_from(text, i);
        size_t known = known_secret(rest, secrets), info = user_info(rest);
        if (known != 0 || info != 0) {
            buf_text(out, known ? "***" : "://***");
            i += known ? known : 3 + info;
            continue;
        }
        bool quoted, ends_word = is_word(text.ptr[i]) && (rest.len == 1 || !is_word(rest.ptr[1]));
        size_t start = ends_word && ends_in_name(str_slice(text, 0, i + 1))
                           ? value_start(str_from(rest, 1), &quoted)
                           : 0;
        buf_char(out, text.ptr[i++]);
        if (start == 0)
            continue;
        size_t end = value_end(text, i + start, quoted);
        buf_str(out, str_slice(text, i, i + start));
        if (end > i + start)
            buf_text(out, "***");
        i = quoted ? end : with_scheme(text, i + start, end);
    }
}

struct str hook_words(struct arena *arena, struct str text, const struct str_list *secrets)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 8 * HOOK_NOTES_BYTES);
    hide(&out, str_slice(text, 0, HOOK_NOTES_BYTES), secrets);
    char *copy = arena_alloc(arena, out.len + 1);
    for (size_t i = 0; i < out.len; i++) {
        unsigned char c = (unsigned char)out.ptr[i];
        copy[i] = (c < ' ' && c != '\n') || c >= 0x7f ? '?' : (char)c;
    }
    return str_trim((struct str){copy, out.len});
}
