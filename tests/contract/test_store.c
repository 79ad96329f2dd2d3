/* What store.h promises, asked of every driver: mem, fs, and S3 where the environment names a server:
 *   GITOPS_PIPE_TEST_S3=http://127.0.0.1:9000 (endpoint), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
 * The bucket gitops-pipe-test has to exist there; each test works under a prefix of its own. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store/spool.h"
#include "core/store/store.h"
#include "tests/harness/store_fixture.h"

enum { MAX_BODY = 64 << 20 };

static struct str get(struct store_fixture *f, struct str key)
{
    struct str body = STR_NONE;
    struct err err = {0};
    cr_expect(store_get(f->store, f->arena, key, MAX_BODY, &body, &err), "%s: get %.*s: %s", f->name,
              STR_ARG(key), err.msg);
    return body;
}

static void create(struct store_fixture *f, struct str key, struct str body)
{
    struct err err = {0};
    cr_expect(store_create(f->store, f->arena, key, body, NULL, &err), "%s: create %.*s: %s", f->name,
              STR_ARG(key), err.msg);
}

#define EACH_STORE(f) for (struct store_fixture f = {0}; store_fixture_next(&f);)

Test(store_contract, what_goes_in_comes_out)
{
    EACH_STORE(f) {
        char binary[256];
        for (int i = 0; i < 256; i++)
            binary[i] = (char)i;
        struct str big = {arena_alloc(f.arena, 3 << 20), 3 << 20};
        for (size_t i = 0; i < big.len; i++)
            ((char *)big.ptr)[i] = (char)(i * 2654435761u >> 13);

        create(&f, STR("empty"), STR_NONE);
        create(&f, STR("a/binary"), (struct str){binary, sizeof binary});
        create(&f, STR("a/b+c=%41&\xC3\xA9~(1)/big"), big);

        cr_expect_eq(get(&f, STR("empty")).len, 0);
        cr_expect(str_eq(get(&f, STR("a/binary")), (struct str){binary, sizeof binary}), "%s", f.name);
        cr_expect(str_eq(get(&f, STR("a/b+c=%41&\xC3\xA9~(1)/big")), big), "%s", f.name);
    }
}

Test(store_contract, a_taken_key_is_never_created_again)
{
    EACH_STORE(f) {
        struct err err = {0};
        create(&f, STR("k"), STR("first"));

        cr_expect_not(store_create(f.store, f.arena, STR("k"), STR("second"), NULL, &err), "%s", f.name);

        cr_expect_eq(err.code, ERR_EXISTS, "%s: %s", f.name, err.msg);
        cr_expect(str_is(get(&f, STR("k")), "first"), "%s", f.name);
    }
}

Test(store_contract, put_replaces_and_delete_removes)
{
    EACH_STORE(f) {
        struct err err = {0};
        struct str body;
        cr_expect(store_put(f.store, f.arena, STR("d/k"), STR("first"), NULL, &err), "%s", err.msg);
        cr_expect(store_put(f.store, f.arena, STR("d/k"), STR("second"), NULL, &err), "%s", err.msg);
        cr_expect(str_is(get(&f, STR("d/k")), "second"), "%s", f.name);

        cr_expect(store_delete(f.store, STR("d/k"), &err), "%s: %s", f.name, err.msg);
        cr_expect(store_delete(f.store, STR("d/k"), &err), "%s: again: %s", f.name, err.msg);
        cr_expect_not(store_get(f.store, f.arena, STR("d/k"), MAX_BODY, &body, &err));
        cr_expect_eq(err.code, ERR_NOT_FOUND, "%s: %s", f.name, err.msg);
        cr_expect(strstr(err.msg, "d/k") != NULL, "%s: %s", f.name, err.msg);
        create(&f, STR("d/k"), STR("third"));
    }
}

Test(store_contract, head_tells_size_and_checksum)
{
    EACH_STORE(f) {
        struct err err = {0};
        struct store_info info, put_info;
        struct sha256 want = sha256_of(STR("hello"));
        cr_expect(store_create(f.store, f.arena, STR("x/y"), STR("hello"), &put_info, &err), "%s", err.msg);

        cr_assert(store_head(f.store, f.arena, STR("x/y"), &info, &err), "%s: %s", f.name, err.msg);
        cr_expect_eq(info.bytes, 5);
        cr_expect(info.has_sha256 && sha256_eq(&info.sha256, &want), "%s", f.name);
        cr_expect(info.modified_ms > 1500000000000, "%s: %lld", f.name, (long long)info.modified_ms);
        cr_expect(str_eq(info.version, put_info.version), "%s", f.name);
        cr_expect_eq(put_info.bytes, 5);

        cr_expect_not(store_head(f.store, f.arena, STR("x"), &info, &err), "%s: a folder is no object",
                      f.name);
        cr_expect_eq(err.code, ERR_NOT_FOUND, "%s: %s", f.name, err.msg);
        cr_expect_not(store_head(f.store, f.arena, STR("x/y/z"), &info, &err));
        cr_expect_eq(err.code, ERR_NOT_FOUND, "%s: %s", f.name, err.msg);
    }
}

Test(store_contract, erase_removes_too)
{
    EACH_STORE(f) {
        struct err err = {0};
        struct store_info info;
        create(&f, STR("d/k"), STR("first"));
        cr_expect(store_put(f.store, f.arena, STR("d/k"), STR("second"), NULL, &err), "%s", err.msg);
        cr_expect(store_erase(f.store, STR("d/k"), &err), "%s: %s", f.name, err.msg);
        cr_expect(store_erase(f.store, STR("d/k"), &err), "%s: again: %s", f.name, err.msg);
        cr_expect_not(store_head(f.store, f.arena, STR("d/k"), &info, &err), "%s", f.name);
        cr_expect_eq(err.code, ERR_NOT_FOUND, "%s: %s", f.name, err.msg);
    }
}

Test(store_contract, known_content_is_proven)
{
    static const struct {
        const char *key;
        uint64_t bytes;
        const char *hashed;
        enum err_code code;
    } rows[] = {
        {"k", 5, "hello", ERR_NONE},    {"empty", 0, "", ERR_NONE},     {"k", 5, "hallo", ERR_CORRUPT},
        {"k", 4, "hello", ERR_CORRUPT}, {"k", 6, "hello", ERR_CORRUPT}, {"none", 5, "hello", ERR_NOT_FOUND},
    };
    EACH_STORE(f) {
        create(&f, STR("k"), STR("hello"));
        create(&f, STR("empty"), STR_NONE);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct err err = {0};
            struct spool *spool = NULL;
            struct str bytes = STR_NONE;
            struct sha256 sha256 = sha256_of(str_of(rows[i].hashed));
            bool got =
                store_fetch(f.store, str_of(rows[i].key), rows[i].bytes, &sha256, NULL, &spool, &bytes, &err);
            cr_expect_eq(got, rows[i].code == ERR_NONE, "%s: row %zu: %s", f.name, i, err.msg);
            cr_expect_eq(err.code, rows[i].code, "%s: row %zu: %s", f.name, i, err.msg);
            cr_expect(!got || str_eq(bytes, str_of(rows[i].hashed)), "%s: row %zu", f.name, i);
            spool_drop(spool);
        }
    }
}

/* Beyond what S3 is sent in one piece; for the others the size makes no difference. */
Test(store_contract, large_bodies_are_whole_and_created_once)
{
    EACH_STORE(f) {
        struct err err = {0};
        struct store_info info;
        struct spool *spool = NULL;
        size_t len = f.config.endpoint.len ? (size_t)(64 << 20) + 4097 : (size_t)(1 << 20) + 4097;
        char *bytes = arena_alloc(f.arena, len);
        struct str big = {bytes, len}, back = STR_NONE;
        for (size_t i = 0; i < len; i += 61)
            bytes[i] = (char)(i * 2654435761u >> 13);
        struct sha256 sha256 = sha256_of(big);

        create(&f, STR("packs/big"), big);
        cr_assert(store_head(f.store, f.arena, STR("packs/big"), &info, &err), "%s: %s", f.name, err.msg);
        cr_expect_eq(info.bytes, len, "%s", f.name);
        cr_expect(info.has_sha256 && sha256_eq(&info.sha256, &sha256), "%s", f.name);
        cr_assert(store_fetch(f.store, STR("packs/big"), len, &sha256, NULL, &spool, &back, &err), "%s: %s",
                  f.name, err.msg);
        spool_drop(spool);

        bytes[len - 1] ^= 1;
        cr_expect_not(store_create(f.store, f.arena, STR("packs/big"), big, NULL, &err), "%s", f.name);
        cr_expect_eq(err.code, ERR_EXISTS, "%s: %s", f.name, err.msg);
        cr_expect(store_head(f.store, f.arena, STR("packs/big"), &info, &err), "%s", err.msg);
        cr_expect(sha256_eq(&info.sha256, &sha256), "%s: it was overwritten", f.name);
        cr_expect(store_put(f.store, f.arena, STR("packs/big"), big, NULL, &err), "%s: %s", f.name, err.msg);
        cr_expect(store_head(f.store, f.arena, STR("packs/big"), &info, &err), "%s", err.msg);
        cr_expect_not(sha256_eq(&info.sha256, &sha256), "%s: it was not overwritten", f.name);
    }
}

static const char *const listed[] = {"a", "p-1/k", "p/+x=", "p/1", "p/2/x&y", "p/2/z", "p/3", "p0", "q/1"};

static void expect_page(struct store_fixture *f, const char *prefix, const char *after, size_t limit,
                        size_t from, size_t count, bool more)
{
    struct err err = {0};
    struct store_page page;
    cr_assert(store_list(f->store, f->arena, str_of(prefix), str_of(after), limit, &page, &err), "%s: %s",
              f->name, err.msg);
    cr_expect_eq(page.count, count, "%s: \"%s\" after \"%s\": %zu keys", f->name, prefix, after, page.count);
    cr_expect_eq(page.more, more, "%s: \"%s\" after \"%s\"", f->name, prefix, after);
    for (size_t i = 0; i < page.count && i < count; i++) {
        cr_expect(str_is(page.items[i].key, listed[from + i]), "%s: %.*s", f->name,
                  STR_ARG(page.items[i].key));
        cr_expect_eq(page.items[i].bytes, strlen(listed[from + i]));
        cr_expect(page.items[i].modified_ms > 1500000000000);
    }
}

Test(store_contract, lists_in_bytewise_order_page_by_page)
{
    EACH_STORE(f) {
        expect_page(&f, "", "", 10, 0, 0, false);
        for (size_t i = COUNT_OF(listed); i-- > 0;)
            create(&f, str_of(listed[i]), str_of(listed[i]));

        expect_page(&f, "", "", 1000, 0, 9, false);
        expect_page(&f, "p/", "", 1000, 2, 5, false);
        expect_page(&f, "p/", "", 2, 2, 2, true);
        expect_page(&f, "p/", "p/1", 2, 4, 2, true);
        expect_page(&f, "p/", "p/2/z", 2, 6, 1, false);
        expect_page(&f, "p/", "p/1z", 5, 4, 3, false);
        expect_page(&f, "p/2", "", 5, 4, 2, false);
        expect_page(&f, "p", "p/3", 5, 7, 1, false);
        expect_page(&f, "none/", "", 5, 0, 0, false);
        expect_page(&f, "p/", "p/3", 5, 0, 0, false);
    }
}

Test(store_contract, a_read_is_bounded)
{
    EACH_STORE(f) {
        struct err err = {0};
        struct str body;
        create(&f, STR("k"), STR("0123456789"));
        cr_expect(store_get(f.store, f.arena, STR("k"), 10, &body, &err), "%s: %s", f.name, err.msg);
        cr_expect_not(store_get(f.store, f.arena, STR("k"), 9, &body, &err), "%s", f.name);
        cr_expect_eq(err.code, ERR_LIMIT, "%s: %s", f.name, err.msg);
    }
}

static bool refuse(void *ctx, struct str piece, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "the sink had enough");
}

Test(store_contract, a_sink_can_stop_a_read)
{
    EACH_STORE(f) {
        struct err err = {0};
        create(&f, STR("k"), STR("0123456789"));
        cr_expect_not(store_read(f.store, STR("k"), &(struct store_sink){refuse, NULL}, &err), "%s", f.name);
        cr_expect_eq(err.code, ERR_CORRUPT, "%s: %s", f.name, err.msg);
        cr_expect(strstr(err.msg, "had enough") != NULL, "%s: %s", f.name, err.msg);
    }
}

Test(store_contract, keys_that_step_out_or_hide_are_refused)
{
    static const char *const keys[] = {"",        "/a",       "a/",   "a//b", ".",    "..",      "a/../b",
                                       ".hidden", "a/.tmp/b", "a\nb", "a b",  "a\\b", "\xff\xfe"};
    EACH_STORE(f) {
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
            struct err err = {0};
            cr_expect_not(store_put(f.store, f.arena, str_of(keys[i]), STR("x"), NULL, &err), "%s: %s",
                          f.name, keys[i]);
            cr_expect_eq(err.code, ERR_INVALID, "%s: %s: %s", f.name, keys[i], err.msg);
        }
    }
}

struct racer {
    struct store *store;
    char body;
    bool won;
    struct err err;
};

static void *race(void *ctx)
{
    struct racer *racer = ctx;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    racer->won =
        store_create(racer->store, arena, STR("race"), (struct str){&racer->body, 1}, NULL, &racer->err);
    return NULL;
}

Test(store_contract, of_many_writers_one_wins)
{
    EACH_STORE(f) {
        enum { RACERS = 12 };
        if (!store_creates_atomically(f.store))
            continue;
        pthread_t threads[RACERS];
        struct racer racers[RACERS];
        for (int i = 0; i < RACERS; i++) {
            racers[i] = (struct racer){.store = f.store, .body = (char)('a' + i)};
            pthread_create(&threads[i], NULL, race, &racers[i]);
        }
        int winner = -1;
        for (int i = 0; i < RACERS; i++) {
            pthread_join(threads[i], NULL);
            cr_expect(racers[i].won || racers[i].err.code == ERR_EXISTS, "%s: %s", f.name, racers[i].err.msg);
            cr_expect(!racers[i].won || winner < 0, "%s: two winners", f.name);
            winner = racers[i].won ? i : winner;
        }
        cr_assert(winner >= 0, "%s: nobody won", f.name);
        cr_expect_eq(get(&f, STR("race")).ptr[0], racers[winner].body, "%s", f.name);
    }
}

Test(store_contract, the_probe_passes_again_and_again)
{
    EACH_STORE(f) {
        struct err err = {0};
        cr_expect(store_probe(f.store, f.arena, &err), "%s: %s", f.name, err.msg);
        cr_expect(store_probe(f.store, f.arena, &err), "%s: %s", f.name, err.msg);
    }
}
