#include "core/store/aws_profile.h"

#include <stdlib.h>

#include "core/base/files.h"

enum { MAX_FILE_BYTES = 1 << 20 };

struct str aws_env(const char *name)
{
    return str_trim(str_of(getenv(name)));
}

static void take(struct aws_profile *profile, struct str key, struct str value)
{
    const struct {
        const char *key;
        struct str *to;
    } rows[] = {
        {"aws_access_key_id", &profile->keys.access_key},
        {"aws_secret_access_key", &profile->keys.secret_key},
        {"aws_session_token", &profile->keys.session_token},
        {"region", &profile->region},
        {"endpoint_url", &profile->endpoint_url},
        {"role_arn", &profile->role_arn},
        {"role_session_name", &profile->role_session_name},
        {"external_id", &profile->external_id},
        {"duration_seconds", &profile->duration_seconds},
        {"web_identity_token_file", &profile->token_file},
        {"source_profile", &profile->source_profile},
        {"credential_source", &profile->credential_source},
        {"credential_process", &profile->credential_process},
        {"sso_session", &profile->sso},
        {"sso_start_url", &profile->sso},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_is(key, rows[i].key) && rows[i].to->len == 0) {
            *rows[i].to = value;
            return;
        }
}

/* "[name]" or "[profile name]" */
static struct str section_of(struct str line)
{
    struct str name = str_trim(str_slice(line, 1, line.len - 1));
    return str_starts(name, STR("profile ")) ? str_trim(str_from(name, 8)) : name;
}

bool aws_profile_scan(struct str text, const char *path, struct str wanted, struct aws_profile *profile,
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
            profile->found = profile->found || inside;
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
    struct str path = aws_env(variable), home = aws_env("HOME");
    if (path.len != 0)
        return str_c(arena, path);
    return home.len ? str_fmt(arena, "%.*s/.aws/%s", STR_ARG(home), name).ptr : NULL;
}

static bool read_file(struct arena *arena, const char *path, struct str wanted, struct aws_profile *profile,
                      struct err *err)
{
    struct str text = STR_NONE;
    struct err why = {0};
    if (path == NULL)
        return true;
    if (file_read(arena, path, MAX_FILE_BYTES, &text, &why))
        return aws_profile_scan(text, path, wanted, profile, err);
    if (why.code == ERR_NOT_FOUND)
        return true;
    *err = why;
    return false;
}

bool aws_profile_read(struct arena *arena, struct str name, struct aws_profile *ret_profile, struct err *err)
{
    struct aws_profile profile = {0};
    if (!read_file(arena, file_at(arena, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), name, &profile,
                   err) ||
        !read_file(arena, file_at(arena, "AWS_CONFIG_FILE", "config"), name, &profile, err))
        return false;
    *ret_profile = profile;
    return true;
}
