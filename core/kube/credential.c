/* Who we say we are: a token (from a file that is read every time, from an exec plugin, or as it stands), basic
 * authentication, impersonation. Client certificates are the connection's affair. */
#include "core/base/base64.h"
#include "core/base/files.h"
#include "core/kube/kube_intern.h"

static bool read_token_file(const struct kube *kube, struct arena *arena, struct str *ret_token,
                            struct err *err)
{
    struct str text;
    if (!file_read(arena, str_c(arena, kube->config.token_file), KUBE_MAX_TOKEN, &text, err))
        return err_context(err, "token of user \"%.*s\"", STR_ARG(kube->config.user));
    *ret_token = str_trim(text);
    return ret_token->len != 0 ||
           err_set(err, ERR_USAGE, "the token file of user \"%.*s\" is empty", STR_ARG(kube->config.user));
}

static void remember_token(struct kube *kube, struct str token)
{
    if (str_eq(token, buf_view(&kube->file_token)))
        return;
    buf_clear(&kube->file_token);
    buf_str(&kube->file_token, token);
}

/* A file that cannot be read just now (somebody is writing it) is no reason to stop: what it held before may well do,
 * and so does the token beside it, as in client-go. */
static bool read_token(struct kube *kube, struct arena *arena, struct str *ret_token, struct err *err)
{
    const struct kubeconfig *config = &kube->config;
    *ret_token = config->token;
    if (config->token_file.len == 0)
        return true;
    if (read_token_file(kube, arena, ret_token, err)) {
        remember_token(kube, *ret_token);
        return true;
    }
    *ret_token = kube->file_token.len ? buf_view(&kube->file_token) : config->token;
    return ret_token->len != 0;
}

static void add_impersonation(const struct kubeconfig *config, struct arena *arena,
                              struct http_headers *headers)
{
    if (config->impersonate_user.len == 0)
        return;
    http_add_header(arena, headers, STR("Impersonate-User"), config->impersonate_user);
    if (config->impersonate_uid.len != 0)
        http_add_header(arena, headers, STR("Impersonate-Uid"), config->impersonate_uid);
    for (size_t i = 0; i < config->impersonate_groups.count; i++)
        http_add_header(arena, headers, STR("Impersonate-Group"), config->impersonate_groups.items[i]);
    MEMBER_EACH(extra, config->impersonate_extra) {
        struct str key = http_escape(arena, extra->key, false);
        struct str name = str_fmt(arena, "Impersonate-Extra-%.*s", STR_ARG(key));
        VALUE_EACH(value, &extra->value)
            http_add_header(arena, headers, name, value_str(value));
    }
}

bool kube_authorize(struct kube *kube, struct arena *arena, struct http_headers *headers, struct err *err)
{
    const struct kubeconfig *config = &kube->config;
    struct str token = STR_NONE;
    if (!read_token(kube, arena, &token, err))
        return false;
    if (token.len == 0)
        token = kube->exec_token;
    if (token.len != 0) {
        http_add_header(arena, headers, STR("Authorization"), str_fmt(arena, "Bearer %.*s", STR_ARG(token)));
    } else if (config->username.len != 0) {
        struct str pair = str_fmt(arena, "%.*s:%.*s", STR_ARG(config->username), STR_ARG(config->password));
        struct str basic = base64_encode(arena, pair, BASE64_STANDARD);
        http_add_header(arena, headers, STR("Authorization"), str_fmt(arena, "Basic %.*s", STR_ARG(basic)));
    }
    add_impersonation(config, arena, headers);
    return true;
}

static bool token_changed(const struct kube *kube)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str token;
    struct err ignored;
    return kube->config.token_file.len != 0 && read_token_file(kube, scratch, &token, &ignored) &&
           !str_eq(token, buf_view(&kube->file_token));
}

bool kube_renew(struct kube *kube, bool *ret_changed, struct err *err)
{
    bool plugin = kube_uses_plugin(kube);
    if (plugin && !kube_exec_refresh(kube, true, err))
        return false;
    bool reloaded = kube_reload_files(kube);
    *ret_changed = plugin || reloaded || token_changed(kube);
    return true;
}
