/* The driver over libs3: refusals in the same words as the other S3 driver, and what it cannot do said at once. The
 * contract suite runs it against a real server. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/store_fixture.h"
#include "tests/harness/wire.h"

static void set_keys(void)
{
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI", 1);
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_PROFILE");
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1);
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
}

Test(s3v2, refusals_are_said_in_plain_words)
{
    static const struct {
        const char *key;
        enum err_code code;
        const char *says;
    } rows[] = {
        {"denied", ERR_DENIED, "access denied"},
        {"unknown-key", ERR_DENIED, "does not know this access key"},
        {"wrong-secret", ERR_DENIED, "secret key does not belong"},
        {"no-bucket", ERR_NOT_FOUND, "the bucket does not exist"},
        {"no-key", ERR_NOT_FOUND, "no-key is not in the store"},
    };
    struct arena *arena = arena_new();
    struct wire *wire = wire_start("testdata/wire/s3/errors-v2.wire", NULL);
    struct config_store config = {.url = STR("s3v2://bucket"), .endpoint = wire_url(wire, arena, "")};
    struct store *store;
    struct err err = {0};
    set_keys();
    cr_assert(store_open(arena, &config, &store, &err), "%s", err.msg);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str body;
        cr_expect_not(store_get(store, arena, str_of(rows[i].key), 1 << 20, &body, &err));
        cr_expect_eq(err.code, rows[i].code, "%s: %s", rows[i].key, err.msg);
        cr_expect(strstr(err.msg, rows[i].says) != NULL, "%s: %s", rows[i].key, err.msg);
    }
    store_close(store);
    const char *fault = wire_stop(wire);
    cr_expect(fault == NULL, "%s", fault);
    wire_free(wire);
    arena_free(arena);
}

Test(s3v2, nobody_there_is_unreachable)
{
    struct arena *arena = arena_new();
    struct config_store config = {.url = STR("s3v2://bucket"), .endpoint = STR("http://127.0.0.1:1")};
    struct store *store;
    struct store_info info;
    struct err err = {0};
    set_keys();
    cr_assert(store_open(arena, &config, &store, &err), "%s", err.msg);
    cr_expect_not(store_creates_atomically(store));
    cr_expect_not(store_head(store, arena, STR("k"), &info, &err));
    cr_expect_eq(err.code, ERR_UNREACHABLE, "%s", err.msg);
    cr_expect(err.next[0] != '\0');
    store_close(store);
    arena_free(arena);
}

Test(s3v2, what_it_cannot_do_is_refused)
{
    static const struct {
        const char *url, *endpoint, *ca_file, *token, *says;
    } rows[] = {
        {"s3v2://bucket", "https://s3.invalid", "/etc/ca.pem", NULL, "caFile"},
        {"s3v2://bucket", "https://s3.invalid", "", "token", "temporary credentials"},
        {"s3v2://bucket", "http://s3.invalid", "", NULL, "only https"},
        {"s3v2://bucket/with space", "https://s3.invalid", "", NULL, "space"},
        {"s3v2:bucket", "https://s3.invalid", "", NULL, "names no bucket"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_new();
        struct config_store config = {.url = str_of(rows[i].url),
                                      .endpoint = str_of(rows[i].endpoint),
                                      .ca_file = str_of(rows[i].ca_file)};
        struct store *store;
        struct err err = {0};
        set_keys();
        if (rows[i].token != NULL)
            setenv("AWS_SESSION_TOKEN", rows[i].token, 1);
        cr_expect_not(store_open(arena, &config, &store, &err), "%s", rows[i].says);
        cr_expect_eq(err.code, ERR_USAGE, "%s", err.msg);
        cr_expect(strstr(err.msg, rows[i].says) != NULL, "%s", err.msg);
        arena_free(arena);
    }
}
