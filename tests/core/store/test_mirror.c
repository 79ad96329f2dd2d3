/* Several stores as one: one that fails, lags, lies or comes back. What all drivers promise stands in the contract. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/store/mirror.h"
#include "core/store/spool.h"
#include "tests/harness/fault_store.h"

struct fixture {
    struct arena *arena;
    struct store *inner[2], *store;
    struct fault_plan plans[2];
    struct err err;
};

static struct fixture *fixture_new(void)
{
    struct arena *arena = arena_new();
    struct fixture *f = ARENA_NEW(arena, struct fixture);
    struct store *copies[2];
    f->arena = arena;
    for (int i = 0; i < 2; i++) {
        struct config_store config = {.name = i ? STR("second") : STR("main"), .url = STR("mem:")};
        cr_assert(store_open(arena, &config, &f->inner[i], &f->err), "%s", f->err.msg);
        copies[i] = fault_store(arena, f->inner[i], &f->plans[i]);
        copies[i]->name = config.name;
    }
    f->store = store_mirror(arena, copies, 2);
    return f;
}

static void fixture_free(struct fixture *f)
{
    store_close(f->store);
    store_close(f->inner[0]);
    store_close(f->inner[1]);
    arena_free(f->arena);
}

static void strike(struct fixture *f, int copy, enum err_code code)
{
    f->plans[copy] = (struct fault_plan){.at = 1, .for_good = true, .code = code};
}

static bool has(struct store *store, const char *key, const char *body)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str there = STR_NONE;
    struct err err = {0};
    return store_get(store, arena, str_of(key), 1 << 20, &there, &err) && str_is(there, body);
}

static void expect_notes(struct fixture *f, size_t count, const char *part)
{
    struct str_list notes;
    store_notes(f->store, f->arena, &notes);
    cr_expect_eq(notes.count, count, "%zu notes, the first: %.*s", notes.count,
                 STR_ARG(notes.count ? notes.items[0] : STR_NONE));
    cr_expect(count == 0 || (notes.count != 0 && str_contains(notes.items[0], str_of(part))), "%.*s",
              STR_ARG(notes.items[0]));
}

static void expect_lagging(struct fixture *f, const char *label)
{
    struct str_list labels;
    store_lagging(f->store, f->arena, &labels);
    cr_expect_eq(labels.count, label != NULL);
    cr_expect(label == NULL || (labels.count && str_is(labels.items[0], label)));
}

static bool put(struct fixture *f, const char *key, const char *body)
{
    return store_put(f->store, f->arena, str_of(key), str_of(body), NULL, &f->err);
}

Test(mirror, writes_go_to_every_copy)
{
    struct fixture *f = fixture_new();
    cr_expect(put(f, "k", "body"), "%s", f->err.msg);
    cr_expect(store_create(f->store, f->arena, STR("c"), STR("new"), NULL, &f->err), "%s", f->err.msg);
    for (int i = 0; i < 2; i++)
        cr_expect(has(f->inner[i], "k", "body") && has(f->inner[i], "c", "new"), "%d", i);
    expect_notes(f, 0, "");
    expect_lagging(f, NULL);
    fixture_free(f);
}

Test(mirror, one_copy_that_fails_is_noted_and_lags)
{
    static const enum err_code codes[] = {ERR_UNREACHABLE, ERR_DENIED, ERR_IO, ERR_NOT_FOUND};
    for (int copy = 0; copy < 2; copy++)
        for (size_t i = 0; i < COUNT_OF(codes); i++) {
            struct fixture *f = fixture_new();
            strike(f, copy, codes[i]);
            cr_expect(put(f, "k", "body"), "%s", f->err.msg);
            cr_expect(store_create(f->store, f->arena, STR("c"), STR("new"), NULL, &f->err), "%s",
                      f->err.msg);
            cr_expect(has(f->inner[!copy], "k", "body") && has(f->inner[!copy], "c", "new"));
            cr_expect(has(f->store, "k", "body"));
            expect_lagging(f, copy ? "second" : "main");
            struct str_list notes;
            store_notes(f->store, f->arena, &notes);
            cr_expect(notes.count >= 1 &&
                      str_starts(notes.items[0], copy ? STR("store second: ") : STR("store main: ")));
            fixture_free(f);
        }
}

Test(mirror, an_unreachable_copy_is_left_alone_for_a_while)
{
    struct fixture *f = fixture_new();
    strike(f, 0, ERR_UNREACHABLE);
    for (int i = 0; i < 5; i++)
        cr_expect(put(f, "k", "body"), "%s", f->err.msg);
    cr_expect_eq(f->plans[0].operations, 1);
    expect_notes(f, 1, "fault at operation");
    fixture_free(f);
}

Test(mirror, without_any_copy_it_fails_with_the_reason)
{
    struct fixture *f = fixture_new();
    struct str body;
    strike(f, 0, ERR_UNREACHABLE);
    strike(f, 1, ERR_DENIED);
    cr_expect_not(put(f, "k", "body"));
    cr_expect_eq(f->err.code, ERR_UNREACHABLE, "%s", f->err.msg);
    cr_expect_not(store_get(f->store, f->arena, STR("k"), 100, &body, &f->err));
    struct store_page page;
    cr_expect_not(store_list(f->store, f->arena, STR_NONE, STR_NONE, 10, &page, &f->err));
    fixture_free(f);
}

/* A copy that cannot be asked may have it. */
Test(mirror, missing_is_said_only_when_every_copy_says_so)
{
    for (int copy = 0; copy < 2; copy++) {
        struct fixture *f = fixture_new();
        struct store_info info;
        struct str body;
        strike(f, copy, ERR_UNREACHABLE);
        cr_expect_not(store_get(f->store, f->arena, STR("k"), 100, &body, &f->err));
        cr_expect_eq(f->err.code, ERR_UNREACHABLE, "%s", f->err.msg);
        cr_expect_not(store_head(f->store, f->arena, STR("k"), &info, &f->err));
        cr_expect_eq(f->err.code, ERR_UNREACHABLE, "%s", f->err.msg);
        f->plans[copy] = (struct fault_plan){0};
        cr_expect_not(store_get(f->store, f->arena, STR("k"), 100, &body, &f->err));
        cr_expect_eq(f->err.code, ERR_NOT_FOUND, "%s", f->err.msg);
        fixture_free(f);
    }
}

Test(mirror, a_lost_object_comes_from_the_other_copy)
{
    struct fixture *f = fixture_new();
    cr_expect(put(f, "k", "body"), "%s", f->err.msg);
    cr_expect(store_delete(f->inner[0], STR("k"), &f->err), "%s", f->err.msg);
    cr_expect(has(f->store, "k", "body"));
    expect_notes(f, 1, "store main: k is not in the store");
    fixture_free(f);
}

Test(mirror, a_changed_object_comes_from_the_other_copy)
{
    struct fixture *f = fixture_new();
    struct sha256 sha256 = sha256_of(STR("body"));
    static const char *const wrong[] = {"bodx", "bod", "bodies"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct spool *spool = NULL;
        struct str bytes = STR_NONE;
        cr_expect(put(f, "k", "body"), "%s", f->err.msg);
        cr_expect(store_put(f->inner[0], f->arena, STR("k"), str_of(wrong[i]), NULL, &f->err));
        cr_assert(store_fetch(f->store, STR("k"), 4, &sha256, NULL, &spool, &bytes, &f->err), "%s",
                  f->err.msg);
        cr_expect(str_is(bytes, "body"));
        spool_drop(spool);
        cr_expect(store_put(f->inner[1], f->arena, STR("k"), str_of(wrong[i]), NULL, &f->err));
        cr_expect_not(store_fetch(f->store, STR("k"), 4, &sha256, NULL, &spool, &bytes, &f->err));
        cr_expect_eq(f->err.code, ERR_CORRUPT, "%s", f->err.msg);
    }
    fixture_free(f);
}

static bool is_good(void *ctx, struct str body, struct err *err)
{
    return str_is(body, "good") || err_set(err, ERR_CORRUPT, "not good");
}

Test(mirror, what_the_reader_does_not_take_comes_from_the_other_copy)
{
    struct fixture *f = fixture_new();
    struct str body = STR_NONE;
    cr_expect(put(f, "k", "good"), "%s", f->err.msg);
    cr_expect(store_put(f->inner[0], f->arena, STR("k"), STR("bad"), NULL, &f->err));
    cr_expect(store_get_accepted(f->store, f->arena, STR("k"), 100, is_good, NULL, &body, &f->err), "%s",
              f->err.msg);
    cr_expect(str_is(body, "good"));
    expect_notes(f, 1, "store main: not good");
    fixture_free(f);
}

Test(mirror, a_key_taken_in_the_first_copy_is_taken)
{
    struct fixture *f = fixture_new();
    cr_expect(store_put(f->inner[0], f->arena, STR("k"), STR("first"), NULL, &f->err));
    cr_expect_not(store_create(f->store, f->arena, STR("k"), STR("second"), NULL, &f->err));
    cr_expect_eq(f->err.code, ERR_EXISTS, "%s", f->err.msg);
    cr_expect_not(has(f->inner[1], "k", "second"));
    fixture_free(f);
}

Test(mirror, ensure_sends_only_where_it_is_missing_or_differs)
{
    struct fixture *f = fixture_new();
    struct store_content content = {STR("k"), STR("body"), sha256_of(STR("body"))};
    struct store_info info;
    enum store_held held;
    cr_expect(store_ensure(f->store, f->arena, &content, false, &info, &held, &f->err), "%s", f->err.msg);
    cr_expect_eq(held, STORE_LACKS);
    cr_expect(store_ensure(f->store, f->arena, &content, false, &info, &held, &f->err), "%s", f->err.msg);
    cr_expect_eq(held, STORE_HOLDS);
    cr_expect(store_put(f->inner[1], f->arena, STR("k"), STR("rot"), NULL, &f->err));
    cr_expect(store_ensure(f->store, f->arena, &content, true, &info, &held, &f->err), "%s", f->err.msg);
    cr_expect_eq(held, STORE_DIFFERS);
    cr_expect(has(f->inner[1], "k", "rot"), "a dry run only looks");
    unsigned before = f->plans[0].operations;
    cr_expect(store_ensure(f->store, f->arena, &content, false, &info, &held, &f->err), "%s", f->err.msg);
    cr_expect_eq(f->plans[0].operations, before + 1, "the whole copy is only looked at");
    cr_expect(has(f->inner[1], "k", "body"));
    fixture_free(f);
}

Test(mirror, a_list_is_the_union_page_by_page)
{
    struct fixture *f = fixture_new();
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g"};
    static const unsigned in[] = {3, 1, 2, 3, 2, 2, 1}; /* bit 0: main, bit 1: second */
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        for (int copy = 0; copy < 2; copy++)
            if (in[i] & (1u << copy))
                cr_expect(store_put(f->inner[copy], f->arena, str_of(keys[i]), STR("x"), NULL, &f->err));
    for (size_t limit = 1; limit <= COUNT_OF(keys) + 1; limit++) {
        struct str after = STR_NONE;
        struct store_page page = {.more = true};
        size_t seen = 0;
        while (page.more) {
            cr_assert(store_list(f->store, f->arena, STR_NONE, after, limit, &page, &f->err), "%s",
                      f->err.msg);
            cr_assert(page.count != 0 && page.count <= limit);
            for (size_t i = 0; i < page.count; i++, seen++)
                cr_expect(str_is(page.items[i].key, keys[seen]), "limit %zu: %.*s", limit,
                          STR_ARG(page.items[i].key));
            after = page.items[page.count - 1].key;
        }
        cr_expect_eq(seen, COUNT_OF(keys), "limit %zu: %zu", limit, seen);
    }
    fixture_free(f);
}

Test(mirror, a_delete_must_succeed_everywhere)
{
    struct fixture *f = fixture_new();
    cr_expect(put(f, "k", "body"), "%s", f->err.msg);
    strike(f, 1, ERR_UNREACHABLE);
    cr_expect_not(store_delete(f->store, STR("k"), &f->err));
    cr_expect(strstr(f->err.msg, "store second") != NULL, "%s", f->err.msg);
    f->plans[1] = (struct fault_plan){0};
    cr_expect(store_delete(f->store, STR("k"), &f->err), "%s", f->err.msg);
    cr_expect_not(has(f->store, "k", "body"));
    fixture_free(f);
}

Test(mirror, a_lock_in_one_copy_keeps_all_of_them)
{
    struct fixture *f = fixture_new();
    struct store_info info;
    cr_expect(put(f, "k", "body"), "%s", f->err.msg);
    f->plans[1] = (struct fault_plan){.retained = STR("k"), .retained_until_ms = 4951000000000};
    cr_expect(store_head(f->store, f->arena, STR("k"), &info, &f->err), "%s", f->err.msg);
    cr_expect_eq(info.retained_until_ms, 4951000000000);
    cr_expect_not(store_erase(f->store, STR("k"), &f->err));
    cr_expect_eq(f->err.code, ERR_REFUSED, "%s", f->err.msg);
    cr_expect(has(f->inner[0], "k", "body") && has(f->inner[1], "k", "body"));
    f->plans[1] = (struct fault_plan){0};
    cr_expect(store_erase(f->store, STR("k"), &f->err), "%s", f->err.msg);
    fixture_free(f);
}

/* One that is away is sat out; one that overwrites what must not be overwritten gets no backups at all. */
Test(mirror, the_probe_passes_over_an_absent_copy_and_refuses_a_lawless_one)
{
    struct fixture *f = fixture_new();
    strike(f, 1, ERR_UNREACHABLE);
    cr_expect(store_probe(f->store, f->arena, &f->err), "%s", f->err.msg);
    expect_lagging(f, "second");
    f->plans[0] = (struct fault_plan){.ignore_create = true};
    cr_expect_not(store_probe(f->store, f->arena, &f->err));
    cr_expect_eq(f->err.code, ERR_REFUSED, "%s", f->err.msg);
    fixture_free(f);
}

Test(mirror, one_to_eight_stores_can_be_opened)
{
    struct arena *arena = arena_new();
    struct config_store items[STORE_MAX_COPIES + 1];
    struct err err = {0};
    for (size_t i = 0; i < COUNT_OF(items); i++)
        items[i] = (struct config_store){.name = STR("m"), .url = STR("mem:")};
    for (size_t count = 0; count <= COUNT_OF(items); count++) {
        struct config_stores config = {.items = items, .count = count};
        struct store *store = NULL;
        bool good = count >= 1 && count <= STORE_MAX_COPIES;
        cr_expect_eq(store_open_all(arena, &config, &store, &err), good, "%zu", count);
        cr_expect(!good || store_copies(store) == count);
        store_close(store);
    }
    items[1].url = STR("nowhere:");
    struct config_stores config = {.items = items, .count = 2};
    struct store *store = NULL;
    cr_expect_not(store_open_all(arena, &config, &store, &err));
    cr_expect_eq(err.code, ERR_USAGE, "%s", err.msg);
    arena_free(arena);
}
