/* convert --verify as people run it: it passes on what it wrote, and fails on what it did not. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "core/base/files.h"
#include "core/base/yaml.h"
#include "core/kube/bundle.h"
#include "tests/cli/shop.h"

Test(round_trip, convert_verifies_what_it_wrote)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    struct program_result clean = PIPE(&shop, "convert", "latest", "--out", "repo", "--verify", "-q");
    cr_expect_eq(clean.status, 0, "%.*s", STR_ARG(clean.err));
    cr_expect(str_contains(clean.out, STR("round trip: 0 unexplained differences;")), "%.*s",
              STR_ARG(clean.out));

    /* Somebody put an object of their own among the files. */
    cr_assert_eq(mkdir(in_shop(&shop, "repo/base/extra"), 0755), 0);
    put_in_shop(&shop, "repo/base/extra/kustomization.yaml", "resources: [map.yaml]\n");
    put_in_shop(&shop, "repo/base/extra/map.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: extra}\n");
    struct program_result foreign = PIPE(&shop, "convert", "latest", "--out", "repo", "--verify", "-q");
    expect_refused(foreign, 1, "unexplained difference");
    cr_expect(
        str_contains(foreign.out, STR("extra/ConfigMap/extra: is written, and the snapshot has no such")),
        "%.*s", STR_ARG(foreign.out));
    const struct value *json =
        json_of(&shop, PIPE(&shop, "convert", "latest", "--out", "repo", "--verify", "-q", "-o", "json"));
    cr_expect_gt(value_count(value_in(json, PATH("roundTrip", "unexplained"))), 0);
    close_shop(&shop);
}

/* The estate's documents in an order of their own, as one stream. */
static struct str shuffled(struct arena *arena, const struct bundle *bundle, uint64_t seed)
{
    size_t *order = ARENA_ARRAY(arena, size_t, bundle->count);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 64 << 20);
    for (size_t i = 0; i < bundle->count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t other = (size_t)((seed >> 33) % (i + 1));
        order[i] = order[other];
        order[other] = i;
    }
    for (size_t i = 0; i < bundle->count; i++) {
        buf_text(&text, "---\n");
        yaml_write(&text, bundle->items[order[i]].object);
    }
    return str_dup(arena, buf_view(&text));
}

static void converted(struct arena *arena, struct str text, struct files *ret_files)
{
    const char *dir = temp_folder(arena);
    struct err err;
    struct program_result result = program_run(
        arena, "gitops-pipe", dir,
        (const char *const[]){"convert", "-", "--out", "out", "--secrets", "omit", "--verify", "-q", NULL},
        text);
    cr_assert_eq(result.status, 0, "%.*s", STR_ARG(result.err));
    cr_assert(files_read(arena, str_c(arena, str_fmt(arena, "%s/out", dir)), 64 << 20, ret_files, &err) &&
                  files_sort(ret_files, &err),
              "%s", err.msg);
    temp_remove(dir);
}

/* Objects as a cluster of 1.36 returned them, in five orders: the same files, byte for byte. */
Test(round_trip, the_order_of_the_input_does_not_show)
{
    struct arena *arena = arena_new();
    struct bundle bundle;
    struct files first, again;
    struct err err;
    cr_assert(bundle_read_manifests(arena,
                                    "testdata/transform-estates/production-simulation/client-side-apply.json",
                                    &bundle, &err),
              "%s", err.msg);
    converted(arena, shuffled(arena, &bundle, 0), &first);
    cr_expect_gt(first.count, 100);
    for (uint64_t seed = 1; seed < 5; seed++) {
        converted(arena, shuffled(arena, &bundle, seed), &again);
        cr_assert_eq(again.count, first.count);
        for (size_t i = 0; i < first.count; i++)
            cr_expect(str_eq(first.items[i].path, again.items[i].path) &&
                          str_eq(first.items[i].bytes, again.items[i].bytes),
                      "seed %d: %.*s", (int)seed, STR_ARG(first.items[i].path));
    }
    arena_free(arena);
}
