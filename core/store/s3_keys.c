#include "core/store/s3_keys.h"

#include <stdlib.h>

#include "core/base/files.h"

enum { MAX_FILE_BYTES = 1 << 20 };

static struct str env(const char *name)
{
    return str_trim(str_of(getenv(name)));
}

static struct str first_of(struct str a, struct str b)
{
    return a.len ? a : b;
}

/* ---- the shared files ---- */

struct profile {
    struct sigv4_keys keys;
    struct str region;
};

static bool take(struct profile *profile, struct str key, struct str value)
{
    const struct {
        const char *key;
        struct str *to;
    } rows[] = {
        {"aws_access_key_id", &profile->keys.access_key},
        {"aws_secret_access_key", &profile->keys.secret_key},
        {"aws_session_token", &profile->keys.session_token},
        {"region", &profile->region},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_is(key, rows[i].key) && rows[i].to->len == 0) {
            *rows[i].to = value;
            return true;
        }
    return false;
}

/* "[name]" or "[profile name]" */
static struct str section_of(struct str line)
{
    struct str name = str_trim(str_slice(line, 1, line.len - 1));
    return str_starts(name, STR("profile ")) ? str_trim(str_from(name, 8)) : name;
}

/* Messages name file and line, never a value. */
static bool read_lines(struct str text, const char *path, struct str wanted, struct profile *profile,
                       struct err *err)
{
    bool inside = false;
    for (unsigned number = 1; text.len != 0; number++) {
        struct str raw = str_cut(&text, '\n'), line = str_trim(raw);
        bool nested = raw.len != 0 && (raw.ptr[0] == ' ' || raw.ptr[0] == '\t'); /* settings of a service */
        if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';' || nested)
            continue;
        if (line.ptr[0] == '[' && line.ptr[line.len - 1] == ']') {
            inside = str_eq(section_of(line), wanted);
            continue;
        }
        if (str_find(line, '=') == line.len)
            return err_set(err, ERR_USAGE, "%s:%u: neither a [section] nor a key = value", path, number);
        struct str key = str_trim(str_cut(&line, '='));
        if (inside)
            take(profile, key, str_trim(line));
    }
    return true;
}

static const char *file_at(struct arena *arena, const char *variable, const char *name)
{
    struct str path = env(variable), home = env("HOME");
    if (path.len != 0)
        return str_c(arena, path);
    return home.len ? str_fmt(arena, "%.*s/.aws/%s", STR_ARG(home), name).ptr : NULL;
}

static bool read_file(struct arena *arena, const char *path, struct str wanted, struct profile *profile,
                      struct err *err)
{
    struct str text = STR_NONE;
    struct err why = {0};
    if (path == NULL)
        return true;
    if (file_read(arena, path, MAX_FILE_BYTES, &text, &why))
        return read_lines(text, path, wanted, profile, err);
    if (why.code == ERR_NOT_FOUND)
        return true;
    *err = why;
    return false;
}

static bool read_profile(struct arena *arena, struct str name, struct profile *profile, struct err *err)
{
    return read_file(arena, file_at(arena, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), name, profile,
                     err) &&
           read_file(arena, file_at(arena, "AWS_CONFIG_FILE", "config"), name, profile, err);
}

/* ---- the order ---- */

static bool none_found(struct str profile, struct err *err)
{
    err_set(err, ERR_DENIED,
            "no S3 credentials: looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and for "
            "profile \"%.*s\" in the shared credentials file",
            STR_ARG(profile));
    return err_next(err, "set both variables, or name a profile in the configuration");
}

bool s3_settings_read(struct arena *arena, const struct config_store *config,
                      struct s3_settings *ret_settings, struct err *err)
{
    struct sigv4_keys variables = {env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"),
                                   env("AWS_SESSION_TOKEN")};
    struct str name = first_of(first_of(config->profile, env("AWS_PROFILE")), STR("default"));
    struct profile profile = {0};
    if (!read_profile(arena, name, &profile, err))
        return false;
    if (config->profile.len == 0 && variables.access_key.len != 0 && variables.secret_key.len != 0)
        profile.keys = variables;
    if (profile.keys.access_key.len == 0 || profile.keys.secret_key.len == 0)
        return none_found(name, err);

    struct str region = first_of(env("AWS_REGION"), env("AWS_DEFAULT_REGION"));
    region = first_of(first_of(config->region, region), first_of(profile.region, STR("us-east-1")));
    struct str endpoint = first_of(env("AWS_ENDPOINT_URL_S3"), env("AWS_ENDPOINT_URL"));
    *ret_settings = (struct s3_settings){
        .keys = {str_dup(arena, profile.keys.access_key), str_dup(arena, profile.keys.secret_key),
                 str_dup(arena, profile.keys.session_token)},
        .region = str_dup(arena, region),
        .endpoint = str_dup(arena, first_of(config->endpoint, endpoint)),
    };
    return true;
}
