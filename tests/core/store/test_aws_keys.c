/* Credentials that end: where they come from, new ones in time, and what is said when there are none. The order among
 * variables and files stands in test_s3.c. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/files.h"
#include "core/store/aws_keys.h"
#include "core/store/store.h"
#include "tests/harness/store_fixture.h"
#include "tests/harness/wire.h"

static const int64_t TWO_O_CLOCK = 1795226400000; /* 2026-11-21T02:00:00Z */
enum { MINUTE = 60 * 1000 };

struct fixture {
    struct arena *arena;
    struct wire *wire;
    struct aws_keys *keys;
    struct clock clock;
    char dir[64];
    struct err err;
};

static void clear_environment(void)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_PROFILE",
                                        "AWS_REGION",
                                        "AWS_DEFAULT_REGION",
                                        "AWS_ENDPOINT_URL",
                                        "AWS_ENDPOINT_URL_S3",
                                        "AWS_ENDPOINT_URL_STS",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_ROLE_SESSION_NAME",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_EC2_METADATA_DISABLED",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unsetenv(names[i]);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1);
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
}

static struct fixture serve(const char *script)
{
    struct fixture f = {.arena = arena_new(), .clock = {.fixed_ms = TWO_O_CLOCK}};
    clear_environment();
    make_temp_dir(f.dir, sizeof f.dir);
    if (script != NULL)
        f.wire = wire_start(str_fmt(f.arena, "testdata/wire/aws/%s.wire", script).ptr, NULL);
    return f;
}

static void stop(struct fixture *f)
{
    aws_keys_close(f->keys);
    if (f->wire != NULL) {
        const char *fault = wire_stop(f->wire);
        cr_expect(fault == NULL, "%s", fault);
        wire_free(f->wire);
    }
    remove_tree(f->dir);
    arena_free(f->arena);
}

static void set_to_wire(struct fixture *f, const char *variable, const char *path)
{
    setenv(variable, str_c(f->arena, wire_url(f->wire, f->arena, path)), 1);
}

static const char *write_file(struct fixture *f, const char *name, const char *text)
{
    const char *path = str_fmt(f->arena, "%s/%s", f->dir, name).ptr;
    cr_assert(file_write(path, str_of(text), 0600, &f->err), "%s", f->err.msg);
    return path;
}

static bool open_keys(struct fixture *f, const char *profile)
{
    struct config_store config = {.profile = str_of(profile)};
    if (!aws_keys_open(f->arena, &config, STR("eu-central-1"), STR_NONE, &f->keys, &f->err))
        return false;
    aws_keys_use_clock(f->keys, &f->clock);
    return true;
}

static void use_web_identity(struct fixture *f, const char *token)
{
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/backup", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_file(f, "token", token), 1);
    set_to_wire(f, "AWS_ENDPOINT_URL_STS", "");
}

static void expect_keys(struct fixture *f, int number)
{
    struct sigv4_keys keys = {0};
    cr_assert(aws_keys_get(f->keys, f->arena, &keys, &f->err), "%s", f->err.msg);
    cr_expect(str_eq(keys.access_key, str_fmt(f->arena, "ASIA%d", number)), "%.*s", STR_ARG(keys.access_key));
    cr_expect(str_eq(keys.secret_key, str_fmt(f->arena, "secret-%d", number)));
    cr_expect(str_eq(keys.session_token, str_fmt(f->arena, "token+%d/=", number)));
}

static void expect_none(struct fixture *f, enum err_code code, const char *says)
{
    struct sigv4_keys keys;
    struct err err = {0};
    cr_expect_not(aws_keys_get(f->keys, f->arena, &keys, &err));
    cr_expect_eq(err.code, code, "%s", err.msg);
    cr_expect(strstr(err.msg, says) != NULL, "%s", err.msg);
}

Test(aws_keys, a_web_identity_is_renewed_before_the_end_with_the_token_of_that_moment)
{
    struct fixture f = serve("web-identity");
    use_web_identity(&f, "first.jwt\n");
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    expect_keys(&f, 1);
    f.clock.fixed_ms += 50 * MINUTE;
    expect_keys(&f, 1);
    write_file(&f, "token", "second.jwt");
    f.clock.fixed_ms += 8 * MINUTE;
    expect_keys(&f, 2);
    expect_keys(&f, 2);
    stop(&f);
}

Test(aws_keys, old_keys_are_used_on_while_new_ones_are_refused)
{
    struct fixture f = serve("late-refusal");
    use_web_identity(&f, "first.jwt");
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    expect_keys(&f, 1);
    f.clock.fixed_ms += 58 * MINUTE;
    expect_keys(&f, 1);
    expect_keys(&f, 1); /* not asked again within the minute */
    f.clock.fixed_ms += MINUTE + 1;
    expect_keys(&f, 2);
    stop(&f);
}

Test(aws_keys, a_refusal_names_the_role_and_never_the_token)
{
    static const struct {
        enum err_code code;
        const char *says;
    } rows[] = {
        {ERR_DENIED, "HTTP 403, AccessDenied"},
        {ERR_DENIED, "HTTP 400, ExpiredTokenException"},
        {ERR_DENIED, "HTTP 400"},
        {ERR_CORRUPT, "AccessKeyId"},
    };
    struct fixture f = serve("refused");
    use_web_identity(&f, "first.jwt");
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sigv4_keys keys;
        struct err err = {0};
        cr_expect_not(aws_keys_get(f.keys, f.arena, &keys, &err));
        cr_expect_eq(err.code, rows[i].code, "%s", err.msg);
        cr_expect(strstr(err.msg, rows[i].says) != NULL, "%s", err.msg);
        cr_expect(strstr(err.msg, "role/backup") != NULL && strstr(err.msg, "first.jwt") == NULL, "%s",
                  err.msg);
        expect_none(&f, rows[i].code, rows[i].says); /* said again without asking again */
        f.clock.fixed_ms += MINUTE;
    }
    stop(&f);
}

Test(aws_keys, a_missing_or_empty_token_file_is_named)
{
    struct fixture f = serve(NULL);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/backup", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token", 1);
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    expect_none(&f, ERR_NOT_FOUND, "/nonexistent/token");
    aws_keys_close(f.keys);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_file(&f, "token", " \n"), 1);
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    expect_none(&f, ERR_DENIED, "it is empty");
    stop(&f);
}

Test(aws_keys, a_profile_with_a_role_assumes_it_with_the_keys_of_another)
{
    struct fixture f = serve("role");
    setenv("AWS_CONFIG_FILE",
           write_file(&f, "config",
                      "[profile backup]\nrole_arn = arn:aws:iam::1:role/backup\nsource_profile = base\n"),
           1);
    setenv("AWS_SHARED_CREDENTIALS_FILE",
           write_file(&f, "credentials", "[base]\naws_access_key_id = BASE\naws_secret_access_key = s\n"), 1);
    set_to_wire(&f, "AWS_ENDPOINT_URL_STS", "/");
    cr_assert(open_keys(&f, "backup"), "%s", f.err.msg);
    expect_keys(&f, 7);
    stop(&f);
}

Test(aws_keys, profiles_that_lead_nowhere_are_said)
{
    static const struct {
        const char *profile;
        enum err_code code;
        const char *says;
    } rows[] = {
        {"none", ERR_DENIED, "no S3 credentials"},
        {"alone", ERR_USAGE, "nothing that may assume it"},
        {"ring", ERR_USAGE, "name each other"},
        {"orphan", ERR_DENIED, "\"nobody\" holds no keys"},
        {"process", ERR_USAGE, "credential_process is not supported"},
        {"sso", ERR_USAGE, "single sign-on is not supported"},
        {"variables", ERR_DENIED, "are not set"},
    };
    struct fixture f = serve(NULL);
    setenv("AWS_CONFIG_FILE",
           write_file(&f, "config",
                      "[profile alone]\nrole_arn = a\n[profile ring]\nrole_arn = a\nsource_profile = gnir\n"
                      "[profile gnir]\nrole_arn = b\nsource_profile = ring\n[profile orphan]\nrole_arn = a\n"
                      "source_profile = nobody\n[profile process]\ncredential_process = /bin/true\n"
                      "[profile sso]\nsso_session = x\n[profile variables]\nrole_arn = a\n"
                      "credential_source = Environment\n"),
           1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_expect_not(open_keys(&f, rows[i].profile), "%s", rows[i].profile);
        cr_expect_eq(f.err.code, rows[i].code, "%s: %s", rows[i].profile, f.err.msg);
        cr_expect(strstr(f.err.msg, rows[i].says) != NULL, "%s: %s", rows[i].profile, f.err.msg);
    }
    stop(&f);
}

Test(aws_keys, a_container_gets_them_from_its_endpoint)
{
    struct fixture f = serve("container");
    set_to_wire(&f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "/v1/credentials");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", write_file(&f, "token", "pod-token-1\n"), 1);
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    expect_keys(&f, 3);
    write_file(&f, "token", "pod-token-2");
    f.clock.fixed_ms += 59 * MINUTE;
    expect_keys(&f, 4);
    stop(&f);
}

/* Whoever can set a variable must not learn keys from anywhere on the network. */
Test(aws_keys, plain_http_goes_to_link_local_addresses_only)
{
    static const char *const urls[] = {"http://10.0.0.1/v1", "http://169.254.170.3/v1",
                                       "http://example.com/v1"};
    struct fixture f = serve(NULL);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i], 1);
        cr_assert(open_keys(&f, ""), "%s", f.err.msg);
        expect_none(&f, ERR_USAGE, "http:// is refused");
        aws_keys_close(f.keys);
    }
    f.keys = NULL;
    stop(&f);
}

Test(aws_keys, a_machine_gets_them_from_its_metadata_service)
{
    struct fixture f = serve("instance");
    set_to_wire(&f, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "/");
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    expect_keys(&f, 5);
    expect_keys(&f, 5);
    stop(&f);
}

Test(aws_keys, without_any_source_it_says_where_it_looked)
{
    static const char *const scripts[] = {NULL, "instance-no-role"};
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct fixture f = serve(scripts[i]);
        if (scripts[i] != NULL)
            set_to_wire(&f, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "");
        else
            setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
        cr_assert(open_keys(&f, ""), "%s", f.err.msg);
        expect_none(&f, ERR_DENIED, "a machine's role");
        stop(&f);
    }
}

Test(aws_keys, half_an_answer_is_no_answer)
{
    struct fixture f = serve("instance-broken");
    set_to_wire(&f, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "");
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    expect_none(&f, ERR_CORRUPT, "holds no Token");
    stop(&f);
}

Test(aws_keys, the_store_that_calls_them_expired_gets_new_ones_once)
{
    struct fixture f = serve("expired");
    struct store *store = NULL;
    struct str body = STR_NONE;
    use_web_identity(&f, "first.jwt");
    struct config_store config = {.url = STR("s3://bucket"), .endpoint = wire_url(f.wire, f.arena, "")};
    cr_assert(store_open(f.arena, &config, &store, &f.err), "%s", f.err.msg);
    cr_expect(store_get(store, f.arena, STR("k"), 100, &body, &f.err), "%s", f.err.msg);
    cr_expect(str_is(body, "body"));
    cr_expect_not(store_get(store, f.arena, STR("again"), 100, &body, &f.err), "the new ones are the same");
    cr_expect_eq(f.err.code, ERR_DENIED, "%s", f.err.msg);
    store_close(store);
    stop(&f);
}

struct asker {
    struct aws_keys *keys;
    bool same;
};

static void *ask(void *ctx)
{
    struct asker *asker = ctx;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct sigv4_keys keys = {0};
    struct err err = {0};
    asker->same = aws_keys_get(asker->keys, arena, &keys, &err) && str_is(keys.secret_key, "secret-5");
    return NULL;
}

Test(aws_keys, many_threads_ask_the_service_once)
{
    enum { ASKERS = 8 };
    struct fixture f = serve("instance");
    pthread_t threads[ASKERS];
    struct asker askers[ASKERS];
    set_to_wire(&f, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "");
    cr_assert(open_keys(&f, ""), "%s", f.err.msg);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.keys = f.keys};
        pthread_create(&threads[i], NULL, ask, &askers[i]);
    }
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect(askers[i].same);
    }
    stop(&f);
}
