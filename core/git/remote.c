/* Everything that crosses the network, and how libgit2's failures read. */
#include <stdlib.h>
#include <string.h>

#include "core/git/repo.intern.h"

static const char *environment(const char *name)
{
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Offset of what follows "scheme://user:password@", 0 where there is no such thing. */
static size_t userinfo_end(struct str url, size_t *ret_start)
{
    const char *scheme = url.len != 0 ? memmem(url.ptr, url.len, "://", 3) : NULL;
    if (scheme == NULL)
        return 0;
    *ret_start = (size_t)(scheme - url.ptr) + 3;
    struct str authority = str_from(url, *ret_start);
    authority = str_slice(authority, 0, str_find(authority, '/'));
    size_t at = str_rfind(authority, '@');
    return at < authority.len ? *ret_start + at + 1 : 0;
}

/* "ssh://git@host" keeps its user: it is part of the address and no secret. */
struct str repo_redact_url(struct arena *arena, struct str url)
{
    size_t start = 0, end = userinfo_end(url, &start);
    if (end == 0 ||
        (str_starts(url, STR("ssh://")) && str_find(str_slice(url, start, end), ':') == end - start))
        return str_dup(arena, url);
    return str_fmt(arena, "%.*s%.*s", STR_ARG(str_slice(url, 0, start)), STR_ARG(str_from(url, end)));
}

/* libgit2 quotes what it was given; a message that holds a credential is not passed on. */
static bool tells_secret(const struct repo *repo, const char *message)
{
    const char *password = environment("GITOPS_PIPE_GIT_PASSWORD");
    size_t start = 0, end = userinfo_end(repo->options.url, &start);
    struct str userinfo = str_slice(repo->options.url, start, end);
    return (password != NULL && strstr(message, password) != NULL) ||
           (end != 0 && str_contains(str_of(message), userinfo));
}

static enum err_code code_of(int code, int class, const char *message)
{
    static const struct {
        const char *part;
        enum err_code code;
    } parts[] = {
        {"No space left", ERR_IO},
        {"ermission denied", ERR_DENIED},
        {"status code: 401", ERR_DENIED},
        {"status code: 403", ERR_DENIED},
        {"status code: 404", ERR_NOT_FOUND},
        {"not owned by", ERR_DENIED},
        {"ailed to connect", ERR_UNREACHABLE},
        {"resolve address", ERR_UNREACHABLE},
        {"onnection reset", ERR_UNREACHABLE},
    };
    switch (code) {
    case GIT_EAUTH:
    case GIT_ECERTIFICATE:
    case GIT_EOWNER: return ERR_DENIED;
    case GIT_ENOTFOUND: return ERR_NOT_FOUND;
    case GIT_ENONFASTFORWARD:
    case GIT_EMODIFIED:
    case GIT_EEXISTS:
    case GIT_ELOCKED: return ERR_CONFLICT;
    default: break;
    }
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (strstr(message, parts[i].part) != NULL)
            return parts[i].code;
    switch (class) {
    case GIT_ERROR_NET:
    case GIT_ERROR_HTTP:
    case GIT_ERROR_SSL: return ERR_UNREACHABLE;
    case GIT_ERROR_SSH: return strstr(message, "uthenticat") != NULL ? ERR_DENIED : ERR_UNREACHABLE;
    case GIT_ERROR_ODB:
    case GIT_ERROR_ZLIB:
    case GIT_ERROR_INDEXER:
    case GIT_ERROR_OBJECT:
    case GIT_ERROR_TREE: return ERR_CORRUPT;
    default: return ERR_IO;
    }
}

static void advise(enum err_code code, bool local, struct err *err)
{
    if (code == ERR_DENIED && local)
        err_next(err,
                 "give this user the repository's folder, or: git config --global --add safe.directory PATH");
    else if (code == ERR_DENIED)
        err_next(
            err,
            "set GITOPS_PIPE_GIT_USERNAME and GITOPS_PIPE_GIT_PASSWORD, or start an ssh agent with a key "
            "that may push");
    else if (code == ERR_NOT_FOUND)
        err_next(err, "check git.url; an empty bare repository is made with: git init --bare PATH");
    else if (code == ERR_CONFLICT)
        err_next(err, "run publish again: it starts from what the branch is then; nothing was overwritten");
    else if (code == ERR_UNREACHABLE)
        err_next(err, "check git.url and the network, then run publish again; nothing was lost");
}

bool repo_fail(struct repo *repo, int code, struct err *err, const char *what)
{
    const git_error *last = git_error_last();
    const char *message = last != NULL && last->message != NULL ? last->message : "no reason given";
    enum err_code ours = code_of(code, last != NULL ? last->klass : 0, message);
    if (tells_secret(repo, message))
        message = "refused (the reason holds a credential and is not shown)";
    err_set(err, ours, "%s: %s", what, message);
    advise(ours, repo->local, err);
    return false;
}

/* ---- calls back from libgit2 ---- */

/* Asked again means that what we gave was not accepted: there is nothing else to offer. */
static int offer_credential(git_credential **ret, const char *url, const char *url_user, unsigned allowed,
                            void *ctx)
{
    struct repo *repo = ctx;
    const char *user = environment("GITOPS_PIPE_GIT_USERNAME"),
               *password = environment("GITOPS_PIPE_GIT_PASSWORD");
    if (allowed & GIT_CREDENTIAL_USERNAME)
        return git_credential_username_new(ret, url_user != NULL ? url_user : user != NULL ? user : "git");
    if (repo->credentials_asked++ > 0) {
        git_error_set_str(GIT_ERROR_NET, "the credentials were not accepted");
        return GIT_EAUTH;
    }
    if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) && password != NULL)
        return git_credential_userpass_plaintext_new(ret, user != NULL ? user : "git", password);
    if (allowed & GIT_CREDENTIAL_SSH_KEY)
        return git_credential_ssh_key_from_agent(ret, url_user != NULL ? url_user : "git");
    git_error_set_str(GIT_ERROR_NET, "the server asks for credentials and there are none");
    return GIT_EAUTH;
}

static int show_fetch(const git_indexer_progress *stats, void *ctx)
{
    const struct repo *repo = ctx;
    progress_step(repo->options.progress, "fetching", stats->received_objects, stats->total_objects,
                  "objects", repo->safe_url);
    return 0;
}

static int show_push(unsigned current, unsigned total, size_t bytes, void *ctx)
{
    const struct repo *repo = ctx;
    progress_step(repo->options.progress, "pushing", current, total, "objects", repo->safe_url);
    return 0;
}

/* `payload` of the callbacks is the repo; a push keeps what the server said of the branch there as well. */
struct push {
    struct repo repo; /* first, so that the other callbacks find it */
    bool answered;
    char refusal[256];
};

static int take_answer(const char *name, const char *status, void *ctx)
{
    struct push *push = ctx;
    push->answered = true;
    if (status != NULL)
        strncpy(push->refusal, status, sizeof push->refusal - 1);
    return 0;
}

static git_remote_callbacks callbacks(void *payload)
{
    git_remote_callbacks set;
    git_remote_init_callbacks(&set, GIT_REMOTE_CALLBACKS_VERSION);
    set.credentials = offer_credential;
    set.transfer_progress = show_fetch;
    set.push_transfer_progress = show_push;
    set.push_update_reference = take_answer;
    set.payload = payload;
    return set;
}

/* A remote that is nowhere written down: the URL may hold a password. */
static int make_remote(struct repo *repo, git_remote **ret)
{
    return git_remote_create_anonymous(ret, repo->git, str_c(repo->arena, repo->options.url));
}

/* ---- fetching ---- */

static int find_branch(struct repo *repo, git_remote *remote)
{
    const git_remote_head **heads;
    size_t count = 0;
    int code = git_remote_ls(&heads, &count, remote);
    repo->has_tip = false;
    for (size_t i = 0; code == 0 && i < count; i++)
        if (strcmp(heads[i]->name, repo->branch_ref) == 0) {
            repo->has_tip = true;
            repo->tip = heads[i]->oid;
        }
    return code;
}

static int download(struct repo *repo, git_remote *remote, git_odb *odb)
{
    /* Packs arrive whole or not at all, so a commit that is here has everything below it here. */
    if (!repo->has_tip || git_odb_exists(odb, &repo->tip))
        return 0;
    char *spec = (char *)str_fmt(repo->arena, "+%s:refs/remotes/target/branch", repo->branch_ref).ptr;
    git_strarray specs = {&spec, 1};
    git_fetch_options options;
    git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
    options.callbacks = callbacks(repo);
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.update_fetchhead = 0;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    repo->credentials_asked = 0;
    return git_remote_fetch(remote, &specs, &options, NULL);
}

bool repo_fetch(struct repo *repo, struct err *err)
{
    git_remote *remote = NULL;
    git_odb *odb = NULL;
    git_remote_callbacks set = callbacks(repo);
    git_proxy_options proxy;
    git_proxy_options_init(&proxy, GIT_PROXY_OPTIONS_VERSION);
    proxy.type = GIT_PROXY_AUTO;
    repo->credentials_asked = 0;
    int code = git_repository_odb(&odb, repo->git);
    if (code == 0)
        code = make_remote(repo, &remote);
    if (code == 0)
        code = git_remote_connect(remote, GIT_DIRECTION_FETCH, &set, &proxy, NULL);
    if (code == 0)
        code = find_branch(repo, remote);
    if (code == 0)
        git_remote_disconnect(remote);
    if (code == 0)
        code = download(repo, remote, odb);
    bool ok = code == 0 || repo_fail(repo, code, err, "fetch");
    git_remote_free(remote);
    git_odb_free(odb);
    return ok;
}

/* ---- pushing ---- */

/* The server took the objects and refused the branch: a rule of its own, or somebody was faster. */
static bool refused(const struct push *push, struct err *err)
{
    bool rule = strstr(push->refusal, "hook") != NULL || strstr(push->refusal, "protected") != NULL ||
                strstr(push->refusal, "prohibited") != NULL || strstr(push->refusal, "denied") != NULL;
    if (rule) {
        err_set(err, ERR_DENIED, "push: the server refused the branch: %s", push->refusal);
        return err_next(err,
                        "ask the repository's owner to let this user push to the branch, or set git.branch");
    }
    err_set(err, ERR_CONFLICT, "push: the branch moved meanwhile: %s", push->refusal);
    return err_next(err,
                    "run publish again: it starts from what the branch is then; nothing was overwritten");
}

bool repo_push_remote(struct repo *repo, const git_oid *commit, struct err *err)
{
    git_remote *remote = NULL;
    git_reference *local = NULL;
    struct push push = {.repo = *repo};
    char *spec = (char *)str_fmt(repo->arena, "refs/publish/branch:%s", repo->branch_ref).ptr;
    git_strarray specs = {&spec, 1};
    git_push_options options;
    git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
    options.callbacks = callbacks(&push);
    options.proxy_opts.type = GIT_PROXY_AUTO;
    push.repo.credentials_asked = 0;
    int code = git_reference_create(&local, repo->git, "refs/publish/branch", commit, 1, NULL);
    if (code == 0)
        code = make_remote(repo, &remote);
    if (code == 0)
        code = git_remote_push(remote, &specs, &options);
    bool ok = code == 0 || repo_fail(repo, code, err, "push");
    if (ok && push.refusal[0] != '\0')
        ok = refused(&push, err);
    else if (ok && !push.answered)
        ok = err_set(err, ERR_UNREACHABLE, "push: the server did not say whether it took the branch");
    git_reference_free(local);
    git_remote_free(remote);
    return ok;
}
