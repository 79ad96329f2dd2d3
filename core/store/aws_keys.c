#include "core/store/aws_keys.h"

#include <pthread.h>
#include <sys/random.h>

#include "core/store/aws_profile.h"
#include "core/store/aws_source.h"

enum {
    MINUTE_MS = 60 * 1000,
    FAILED_MS = 10 * 1000,
    EARLY_MS =
        5 *
        MINUTE_MS, /* new ones are fetched this long before the end, or at three quarters of a short life */
    MAX_CHAIN = 4, /* profiles that name each other */
};

enum source_kind { SOURCE_FIXED, SOURCE_PROFILE, SOURCE_ROLE, SOURCE_CONTAINER, SOURCE_INSTANCE };

struct source {
    enum source_kind kind;
    struct sigv4_keys keys;    /* of SOURCE_FIXED */
    struct str profile;        /* of SOURCE_PROFILE: read again when its keys expire */
    struct aws_role role;      /* of SOURCE_ROLE */
    const struct source *base; /* whose keys assume the role; NULL with a web identity */
};

struct aws_keys {
    const struct source *source;
    struct aws_sts sts;
    struct str profile; /* that was looked for */
    const struct clock *clock;
    pthread_mutex_t lock;
    struct arena *arena; /* of the present keys */
    struct aws_issued present;
    bool have;
    int64_t renew_ms, not_before_ms; /* when to fetch new ones; and not again before */
    struct err failed; /* there were none, which is said again for a while without asking again */
    int64_t failed_until_ms;
};

static struct str first_of(struct str a, struct str b)
{
    return a.len ? a : b;
}

/* ---- which source ---- */

static bool unsupported(struct str profile, const char *what, struct err *err)
{
    err_set(err, ERR_USAGE, "profile \"%.*s\": %s is not supported", STR_ARG(profile), what);
    return err_next(
        err, "export the keys it gives (aws configure export-credentials --format env), or use a role");
}

static bool source_of_profile(struct arena *arena, struct str name, unsigned depth,
                              const struct source **ret_source, struct err *err);

/* What assumes the role of a profile: another profile, or "Environment", "EcsContainer", "Ec2InstanceMetadata". */
static bool base_of(struct arena *arena, struct str name, const struct aws_profile *profile, unsigned depth,
                    const struct source **ret_base, struct err *err)
{
    struct source *base = ARENA_NEW(arena, struct source);
    if (profile->source_profile.len != 0) {
        if (!str_eq(profile->source_profile, name))
            return source_of_profile(arena, profile->source_profile, depth + 1, ret_base, err);
        *base = (struct source){.kind = SOURCE_PROFILE, .profile = str_dup(arena, name)};
    } else if (str_is(profile->credential_source, "Environment")) {
        base->keys = (struct sigv4_keys){str_dup(arena, aws_env("AWS_ACCESS_KEY_ID")),
                                         str_dup(arena, aws_env("AWS_SECRET_ACCESS_KEY")),
                                         str_dup(arena, aws_env("AWS_SESSION_TOKEN"))};
        if (base->keys.access_key.len == 0 || base->keys.secret_key.len == 0)
            return err_set(err, ERR_DENIED,
                           "profile \"%.*s\": AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
                           STR_ARG(name));
    } else if (str_is(profile->credential_source, "EcsContainer")) {
        base->kind = SOURCE_CONTAINER;
    } else if (str_is(profile->credential_source, "Ec2InstanceMetadata")) {
        base->kind = SOURCE_INSTANCE;
    } else {
        err_set(err, ERR_USAGE, "profile \"%.*s\" has a role and nothing that may assume it", STR_ARG(name));
        return err_next(err, "add source_profile, credential_source or web_identity_token_file to it");
    }
    *ret_base = base;
    return true;
}

static struct str session_name(struct arena *arena, struct str configured)
{
    struct str name = first_of(configured, aws_env("AWS_ROLE_SESSION_NAME"));
    return str_dup(arena, first_of(name, STR("gitops-pipe")));
}

/* NULL where the profile holds nothing to go by. */
static bool source_of_profile(struct arena *arena, struct str name, unsigned depth,
                              const struct source **ret_source, struct err *err)
{
    struct aws_profile profile;
    struct source *source = ARENA_NEW(arena, struct source);
    *ret_source = NULL;
    if (depth == MAX_CHAIN)
        return err_set(err, ERR_USAGE, "profile \"%.*s\": source profiles name each other", STR_ARG(name));
    if (!aws_profile_read(arena, name, &profile, err))
        return false;
    if (profile.role_arn.len != 0) {
        source->kind = SOURCE_ROLE;
        source->role = (struct aws_role){str_dup(arena, profile.role_arn),
                                         session_name(arena, profile.role_session_name), profile.external_id,
                                         profile.duration_seconds, profile.token_file};
        if (profile.token_file.len == 0 && !base_of(arena, name, &profile, depth, &source->base, err))
            return false;
    } else if (profile.keys.access_key.len != 0 && profile.keys.secret_key.len != 0) {
        source->kind = SOURCE_PROFILE;
        source->profile = str_dup(arena, name);
        source->keys = profile.keys;
    } else if (profile.credential_process.len != 0) {
        return unsupported(name, "credential_process", err);
    } else if (profile.sso.len != 0) {
        return unsupported(name, "single sign-on", err);
    } else {
        return depth == 0 || err_set(err, ERR_DENIED, "profile \"%.*s\" holds no keys", STR_ARG(name));
    }
    *ret_source = source;
    return true;
}

static const struct source *source_of_variables(struct arena *arena)
{
    struct sigv4_keys keys = {aws_env("AWS_ACCESS_KEY_ID"), aws_env("AWS_SECRET_ACCESS_KEY"),
                              aws_env("AWS_SESSION_TOKEN")};
    if (keys.access_key.len == 0 || keys.secret_key.len == 0)
        return NULL;
    struct source *source = ARENA_NEW(arena, struct source);
    source->keys = (struct sigv4_keys){str_dup(arena, keys.access_key), str_dup(arena, keys.secret_key),
                                       str_dup(arena, keys.session_token)};
    return source;
}

static const struct source *source_of_surroundings(struct arena *arena)
{
    struct source *source = ARENA_NEW(arena, struct source);
    struct str file = aws_env("AWS_WEB_IDENTITY_TOKEN_FILE"), arn = aws_env("AWS_ROLE_ARN");
    source->kind = aws_has_container() ? SOURCE_CONTAINER : SOURCE_INSTANCE;
    if (file.len != 0 && arn.len != 0) {
        source->kind = SOURCE_ROLE;
        source->role = (struct aws_role){.arn = str_dup(arena, arn),
                                         .session_name = session_name(arena, STR_NONE),
                                         .token_file = str_dup(arena, file)};
    }
    return source;
}

static bool none_found(struct str profile, bool machine_too, struct err *err)
{
    err_set(
        err, ERR_DENIED,
        "no S3 credentials: looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, for profile \"%.*s\" in "
        "the shared files%s",
        STR_ARG(profile), machine_too ? ", for a web identity, a container's role and a machine's role" : "");
    return err_next(err, "set both variables, or name a profile in the configuration");
}

bool aws_keys_open(struct arena *arena, const struct config_store *config, struct str region,
                   struct str ca_pem, struct aws_keys **ret_keys, struct err *err)
{
    struct aws_keys *keys = ARENA_NEW(arena, struct aws_keys);
    struct str named = first_of(config->profile, aws_env("AWS_PROFILE"));
    struct str endpoint = first_of(aws_env("AWS_ENDPOINT_URL_STS"), aws_env("AWS_ENDPOINT_URL"));
    keys->profile = str_dup(arena, first_of(named, STR("default")));
    keys->sts = (struct aws_sts){str_dup(arena, region), str_dup(arena, endpoint), ca_pem};
    if (config->profile.len == 0)
        keys->source = source_of_variables(arena);
    if (keys->source == NULL && !source_of_profile(arena, keys->profile, 0, &keys->source, err))
        return false;
    if (keys->source == NULL && named.len != 0)
        return none_found(keys->profile, false, err);
    if (keys->source == NULL)
        keys->source = source_of_surroundings(arena);
    keys->arena = arena_new();
    pthread_mutex_init(&keys->lock, NULL);
    *ret_keys = keys;
    return true;
}

void aws_keys_close(struct aws_keys *keys)
{
    if (keys == NULL)
        return;
    pthread_mutex_destroy(&keys->lock);
    arena_free(keys->arena);
}

bool aws_keys_static(const struct aws_keys *keys, struct sigv4_keys *ret_keys)
{
    const struct source *source = keys->source;
    bool fixed = source->kind == SOURCE_FIXED || source->kind == SOURCE_PROFILE;
    if (fixed)
        *ret_keys = source->keys;
    return fixed && source->keys.session_token.len == 0;
}

/* ---- fetching ---- */

static bool fetch(const struct aws_keys *keys, const struct source *source, struct arena *arena,
                  struct aws_issued *ret_issued, struct err *err)
{
    struct aws_issued base = {0};
    struct aws_profile profile;
    switch (source->kind) {
    case SOURCE_FIXED: *ret_issued = (struct aws_issued){.keys = source->keys}; return true;
    case SOURCE_PROFILE:
        if (!aws_profile_read(arena, source->profile, &profile, err))
            return false;
        *ret_issued = (struct aws_issued){.keys = profile.keys};
        return (profile.keys.access_key.len != 0 && profile.keys.secret_key.len != 0) ||
               none_found(source->profile, false, err);
    case SOURCE_ROLE:
        if (source->base != NULL && !fetch(keys, source->base, arena, &base, err))
            return false;
        return aws_assume_role(arena, &keys->sts, &source->role, &base.keys, ret_issued, err);
    case SOURCE_CONTAINER: return aws_from_container(arena, ret_issued, err);
    case SOURCE_INSTANCE: break;
    }
    return aws_from_instance(arena, ret_issued, err);
}

/* A thousand pods that were started together must not come back together. */
static int64_t jitter_ms(int64_t bound)
{
    uint64_t random = 0;
    if (bound <= 0 || getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        return 0;
    return (int64_t)(random % (uint64_t)bound);
}

static void keep(struct aws_keys *keys, struct arena *arena, const struct aws_issued *issued, int64_t now_ms)
{
    int64_t early = (issued->expires_ms - now_ms) / 4;
    if (early > EARLY_MS)
        early = EARLY_MS;
    arena_free(keys->arena);
    keys->arena = arena;
    keys->present = *issued;
    keys->have = true;
    keys->renew_ms = issued->expires_ms ? issued->expires_ms - early - jitter_ms(early / 2) : INT64_MAX;
    keys->not_before_ms = now_ms + MINUTE_MS;
}

/* With the lock held. */
static bool renew(struct aws_keys *keys, struct err *err)
{
    struct arena *arena = arena_new();
    struct aws_issued issued;
    if (fetch(keys, keys->source, arena, &issued, err)) {
        keep(keys, arena, &issued, clock_now_ms(keys->clock));
        return true;
    }
    arena_free(arena);
    keys->not_before_ms = clock_now_ms(keys->clock) + MINUTE_MS;
    return false;
}

/* Nobody answers at the address of the metadata service, or the machine has no role: then there are no keys at all. */
static bool explain(const struct aws_keys *keys, struct err *err)
{
    if (keys->source->kind != SOURCE_INSTANCE || (err->code != ERR_NOT_FOUND && err->code != ERR_UNREACHABLE))
        return err_context(err, "S3 credentials");
    return none_found(keys->profile, true, err);
}

bool aws_keys_get(struct aws_keys *keys, struct arena *arena, struct sigv4_keys *ret_keys, struct err *err)
{
    pthread_mutex_lock(&keys->lock);
    int64_t now_ms = clock_now_ms(keys->clock);
    bool good = keys->have;
    bool due = !keys->have ? now_ms >= keys->failed_until_ms
                           : now_ms >= keys->renew_ms && now_ms >= keys->not_before_ms;
    if (due) {
        struct err why = {0};
        good = renew(keys, &why) || (keys->have && now_ms < keys->present.expires_ms);
        if (!good) {
            explain(keys, &why);
            keys->failed = why;
            keys->failed_until_ms = now_ms + FAILED_MS;
        }
    }
    if (!good)
        *err = keys->failed;
    if (good) {
        const struct sigv4_keys *present = &keys->present.keys;
        *ret_keys =
            (struct sigv4_keys){str_dup(arena, present->access_key), str_dup(arena, present->secret_key),
                                str_dup(arena, present->session_token)};
    }
    pthread_mutex_unlock(&keys->lock);
    return good;
}

void aws_keys_use_clock(struct aws_keys *keys, const struct clock *clock)
{
    keys->clock = clock;
}

bool aws_keys_renew(struct aws_keys *keys, struct str used_access_key, bool sure)
{
    struct err ignored = {0};
    pthread_mutex_lock(&keys->lock);
    bool others =
        keys->have && !str_eq(keys->present.keys.access_key, used_access_key); /* by another thread */
    bool may =
        keys->source->kind != SOURCE_FIXED && (sure || clock_now_ms(keys->clock) >= keys->not_before_ms);
    if (!others && may && renew(keys, &ignored))
        others = !str_eq(keys->present.keys.access_key, used_access_key);
    pthread_mutex_unlock(&keys->lock);
    return others;
}
