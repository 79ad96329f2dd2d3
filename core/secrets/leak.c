/* Names and forms. leak_index.c has the values that are known. */
#include "core/secrets/leak.h"

#include <ctype.h>
#include <string.h>

/* ---- names ---- */

enum { MAX_NAME = 256 };

/* Lower case, with '-', '.' and ' ' as '_'. */
static struct str plain_name(struct str name, char *out)
{
    size_t len = name.len < MAX_NAME ? name.len : MAX_NAME;
    for (size_t i = 0; i < len; i++) {
        char c = name.ptr[i];
        out[i] = c == '-' || c == '.' || c == ' ' ? '_' : (char)tolower((unsigned char)c);
    }
    return (struct str){out, len};
}

/* Names of where a secret lies, or how it behaves. */
static bool is_about(struct str name)
{
    static const struct str harmless[] = {
        STR_INIT("*_file"),    STR_INIT("*_path"),    STR_INIT("*_name"),      STR_INIT("*_url"),
        STR_INIT("*_uri"),     STR_INIT("*_ttl"),     STR_INIT("*_dir"),       STR_INIT("*_expir*"),
        STR_INIT("*_type"),    STR_INIT("*_length"),  STR_INIT("*_endpoint"),  STR_INIT("*_id"),
        STR_INIT("*_ref"),     STR_INIT("*_policy"),  STR_INIT("*_header"),    STR_INIT("*_enabled"),
        STR_INIT("*_timeout"), STR_INIT("*_issuer"),  STR_INIT("*_audience"),  STR_INIT("*_limit"),
        STR_INIT("*_count"),   STR_INIT("*_version"), STR_INIT("*_algorithm"),
    };
    for (size_t i = 0; i < COUNT_OF(harmless); i++)
        if (str_glob(harmless[i], name))
            return true;
    return false;
}

bool leak_name(struct str name)
{
    static const struct str words[] = {
        STR_INIT("*password*"),
        STR_INIT("*passwd*"),
        STR_INIT("*passphrase*"),
        STR_INIT("*secret*"),
        STR_INIT("*token*"),
        STR_INIT("*api_key*"),
        STR_INIT("*apikey*"),
        STR_INIT("*access_key*"),
        STR_INIT("*accesskey*"),
        STR_INIT("*private_key"),
        STR_INIT("*privatekey"),
        STR_INIT("*credential*"),
        STR_INIT("*_pwd"),
        STR_INIT("pwd"),
        STR_INIT("auth"),
        STR_INIT("*_auth"),
        STR_INIT("*encryption_key"),
    };
    char lower[MAX_NAME];
    struct str plain = plain_name(name, lower);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_glob(words[i], plain))
            return !is_about(plain);
    return false;
}

/* ---- forms ---- */

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static size_t run_of(struct str text, size_t from, bool (*is)(char c))
{
    size_t at = from;
    while (at < text.len && is(text.ptr[at]))
        at++;
    return at - from;
}

/* "scheme://user:password@host"; a reference in its place is none. */
static bool holds_url_password(struct str text)
{
    for (size_t at = 0; at + 3 < text.len; at++) {
        if (text.ptr[at] != ':' || !str_starts(str_from(text, at), STR("://")))
            continue;
        struct str rest = str_from(text, at + 3);
        size_t colon = rest.len, end = 0;
        for (; end < rest.len && !strchr("/@ \"'\n", rest.ptr[end]); end++)
            if (rest.ptr[end] == ':' && colon == rest.len)
                colon = end;
        if (end < rest.len && rest.ptr[end] == '@' && colon + 1 < end && rest.ptr[colon + 1] != '$' &&
            rest.ptr[colon + 1] != '<' && rest.ptr[colon + 1] != '{')
            return true;
    }
    return false;
}

/* header.payload.signature, the first two of which are JSON objects in base64. */
static bool is_jwt(struct str text)
{
    size_t head = run_of(text, 0, is_word_char);
    if (!str_starts(text, STR("eyJ")) || head < 10 || head == text.len || text.ptr[head] != '.')
        return false;
    struct str rest = str_from(text, head + 1);
    size_t body = run_of(rest, 0, is_word_char);
    return str_starts(rest, STR("eyJ")) && body < rest.len && rest.ptr[body] == '.' &&
           run_of(rest, body + 1, is_word_char) >= 16;
}

static bool is_upper_or_digit(char c)
{
    return isupper((unsigned char)c) || isdigit((unsigned char)c);
}

/* Tokens that their makers marked, so that they can be found. */
static const char *marked_token(struct str text)
{
    static const struct {
        struct str start;
        size_t more; /* characters that follow at least */
        const char *what;
    } marks[] = {
        {STR_INIT("AGE-SECRET-KEY-1"), 50, "an age identity"},
        {STR_INIT("ghp_"), 30, "a GitHub token"},
        {STR_INIT("gho_"), 30, "a GitHub token"},
        {STR_INIT("ghs_"), 30, "a GitHub token"},
        {STR_INIT("github_pat_"), 30, "a GitHub token"},
        {STR_INIT("glpat-"), 16, "a GitLab token"},
        {STR_INIT("xoxb-"), 20, "a Slack token"},
        {STR_INIT("xoxp-"), 20, "a Slack token"},
        {STR_INIT("AIza"), 35, "a Google API key"},
        {STR_INIT("sk_live_"), 16, "a Stripe key"},
    };
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (str_starts(text, marks[i].start) &&
            run_of(text, marks[i].start.len, is_word_char) >= marks[i].more)
            return marks[i].what;
    if ((str_starts(text, STR("AKIA")) || str_starts(text, STR("ASIA"))) &&
        run_of(text, 0, is_upper_or_digit) == 20 && (text.len == 20 || !is_word_char(text.ptr[20])))
        return "an AWS access key";
    return is_jwt(text) ? "a JSON web token" : NULL;
}

const char *leak_form(struct str text)
{
    if (str_contains(text, STR("-----BEGIN ")) && str_contains(text, STR("PRIVATE KEY-----")))
        return "a private key";
    if (holds_url_password(text))
        return "a URL with a password";
    for (size_t at = 0; at < text.len; at++) {
        bool starts = at == 0 || !is_word_char(text.ptr[at - 1]);
        if (!starts || !strchr("AeghxIs", text.ptr[at]))
            continue;
        const char *what = marked_token(str_from(text, at));
        if (what != NULL)
            return what;
    }
    return NULL;
}

/* Something that another place fills in, or a path to a file, is no secret. */
static bool is_reference(struct str text)
{
    return str_starts(text, STR("$")) || str_starts(text, STR("/")) || str_contains(text, STR("$(")) ||
           str_contains(text, STR("${"));
}

const char *leak_setting(struct str name, struct str text)
{
    const char *form = leak_form(text);
    if (form != NULL)
        return form;
    bool flag = str_is(text, "true") || str_is(text, "false");
    return text.len != 0 && !flag && !is_reference(text) && leak_name(name) ? "a credential" : NULL;
}
