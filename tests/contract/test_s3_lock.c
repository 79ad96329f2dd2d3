/* Object lock on a real server, where the environment names one (see test_store.c) with a bucket "locked" that has it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/clock.h"
#include "core/store/s3_intern.h"

enum { RETAINED_MS = 3600 * 1000 };

struct fixture {
    struct arena *arena;
    struct store *store;
    struct err err;
};

static bool fixture_open(struct fixture *f)
{
    const char *endpoint = getenv("GITOPS_PIPE_TEST_S3");
    uint64_t random = 0;
    struct config_store config = {.endpoint = str_of(endpoint), .path_style = true};
    *f = (struct fixture){0};
    if (endpoint == NULL || getrandom(&random, sizeof random, 0) != sizeof random)
        return false;
    f->arena = arena_new();
    config.url = str_fmt(f->arena, "s3://locked/t%016llx", (unsigned long long)random);
    cr_assert(store_open(f->arena, &config, &f->store, &f->err), "%s", f->err.msg);
    return true;
}

static void fixture_done(struct fixture *f)
{
    store_close(f->store);
    arena_free(f->arena);
}

/* A body that is retained, as a default retention of the bucket would make it. */
static bool put_retained(struct fixture *f, struct str key, struct str body, int64_t until_ms)
{
    struct sha256 sha256 = sha256_of(body);
    struct s3_call call = s3_call_new((struct s3 *)f->store, f->arena, "PUT", key);
    struct http_reply reply;
    struct str md5 = STR("XUFAKrxLKna5cZ2REBfFkg=="); /* of "hello"; object lock demands it */
    s3_call_body(f->arena, &call, body, &sha256);
    s3_call_header(f->arena, &call, "Content-MD5", md5);
    s3_call_header(f->arena, &call, "x-amz-object-lock-mode", STR("GOVERNANCE"));
    s3_call_header(f->arena, &call, "x-amz-object-lock-retain-until-date", clock_rfc3339(f->arena, until_ms));
    return s3_perform(&call, f->arena, &reply, &f->err);
}

static bool is_there(struct fixture *f, const char *key)
{
    struct store_info info;
    struct err err = {0};
    return store_head(f->store, f->arena, str_of(key), &info, &err);
}

Test(s3_lock, what_is_retained_is_not_erased_and_stays_visible)
{
    struct fixture f;
    struct store_info info;
    if (!fixture_open(&f))
        return;
    int64_t until = (clock_now_ms(NULL) + RETAINED_MS) / 1000 * 1000;
    cr_assert(put_retained(&f, STR("kept"), STR("hello"), until), "%s", f.err.msg);
    cr_assert(store_head(f.store, f.arena, STR("kept"), &info, &f.err), "%s", f.err.msg);
    cr_expect_eq(info.retained_until_ms, until);
    cr_expect_not(store_erase(f.store, STR("kept"), &f.err));
    cr_expect_eq(f.err.code, ERR_REFUSED, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "retained until") != NULL, "%s", f.err.msg);
    cr_expect(is_there(&f, "kept"));
    fixture_done(&f);
}

/* A retained version under one that is not: found on the way, and what readers see stays. */
Test(s3_lock, an_old_version_that_is_retained_keeps_the_new_one_visible)
{
    struct fixture f;
    if (!fixture_open(&f))
        return;
    cr_assert(put_retained(&f, STR("mixed"), STR("hello"), clock_now_ms(NULL) + RETAINED_MS), "%s",
              f.err.msg);
    cr_assert(store_put(f.store, f.arena, STR("mixed"), STR("newer"), NULL, &f.err), "%s", f.err.msg);
    cr_expect_not(store_erase(f.store, STR("mixed"), &f.err));
    cr_expect_eq(f.err.code, ERR_REFUSED, "%s", f.err.msg);
    cr_expect(is_there(&f, "mixed"));
    fixture_done(&f);
}

Test(s3_lock, every_version_of_what_is_not_retained_goes)
{
    struct fixture f;
    struct store_info info;
    struct str_list versions = {0};
    if (!fixture_open(&f))
        return;
    for (int i = 0; i < 3; i++)
        cr_assert(store_put(f.store, f.arena, STR("free"), STR("body"), &info, &f.err), "%s", f.err.msg);
    cr_expect(info.version.len != 0, "a bucket with object lock keeps versions");
    cr_expect(store_delete(f.store, STR("free"), &f.err), "%s", f.err.msg);
    cr_assert(s3_versions((struct s3 *)f.store, f.arena, STR("free"), &versions, &f.err), "%s", f.err.msg);
    cr_expect_eq(versions.count, 4, "three versions and a marker, for a delete only hides");
    cr_expect(store_erase(f.store, STR("free"), &f.err), "%s", f.err.msg);
    cr_assert(s3_versions((struct s3 *)f.store, f.arena, STR("free"), &versions, &f.err), "%s", f.err.msg);
    cr_expect_eq(versions.count, 0, "%zu", versions.count);
    fixture_done(&f);
}
