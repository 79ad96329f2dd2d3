/* Input that is not what it should be: each fault is told with file and place, the rest goes on, and the exit status says
 * that something is missing. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files.h"
#include "tests/cli/shop.h"

#define MAP "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "

/* `says` empty: taken without a word. */
static const struct {
    const char *file, *text, *says;
} inputs[] = {
    {"00-good.yaml", MAP "good}\n", ""},
    {"01-no-object.json", "{\"a\": 1}", "01-no-object.json:1: apiVersion is missing or not a string"},
    {"02-number.json", "42", "02-number.json:1: not a Kubernetes object"},
    {"03-text.yaml", "just text\n", "03-text.yaml:1: not a Kubernetes object"},
    {"04-no-kind.yaml", MAP "a}\n---\napiVersion: v1\nmetadata: {name: x}\n",
     "04-no-kind.yaml:4: kind is missing or not a string"},
    {"05-no-name.yaml", "apiVersion: v1\nkind: ConfigMap\n", "05-no-name.yaml:1: metadata.name is missing"},
    {"06-name-is-a-list.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [1]}\n",
     "06-name-is-a-list.yaml:1: metadata.name is missing or not a string"},
    {"07-key-twice.yaml", MAP "twice}\ndata:\n  a: 1\n  a: 2\n", "07-key-twice.yaml:6:3: key comes twice: a"},
    {"08-key-twice.json",
     "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\n\"metadata\":{\"name\":\"a\",\"name\":\"b\"}}",
     "08-key-twice.json:2:35: a key comes twice"},
    {"09-object-twice.yaml", MAP "good}\ndata: {other: x}\n",
     "09-object-twice.yaml:1: ConfigMap/good is there already"},
    {"10-unknown-kind.yaml",
     "apiVersion: new.example.com/v9\nkind: Mystery\nmetadata: {name: m, namespace: shop}\n",
     "10-unknown-kind.yaml:1: nothing is known of the kind Mystery of new.example.com/v9"},
    {"11-not-utf8.yaml", MAP "utf}\ndata: {a: \"\xff\xfe\"}\n",
     "11-not-utf8.yaml:4:12: invalid leading UTF-8 octet"},
    {"12-not-utf8.json", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"\xc3(\"}}",
     "12-not-utf8.json:1:61: a string is not UTF-8"},
    {"13-cut.json", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"met",
     "13-cut.json:1:43: cut short inside a string"},
    {"14-cut.yaml", MAP "cut}\ndata: {a: \"x\n", "14-cut.yaml:5:1: found unexpected end of stream"},
    {"15-list.yaml",
     "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}}\n- "
     "7\n",
     "15-list.yaml:1 items[1]: not a Kubernetes object"},
    {"16-control.yaml", MAP "nul}\ndata: {a: \"x\x01y\"}\n",
     "16-control.yaml:4:13: control characters are not allowed"},
    {"17-namespace.yaml", MAP "a, namespace: _crds}\n---\n" MAP "a, namespace: ..}\n", ""},
};

static void make_inputs(struct arena *arena, const char *dir)
{
    struct err err;
    for (size_t i = 0; i < COUNT_OF(inputs); i++)
        cr_assert(file_write(str_c(arena, str_fmt(arena, "%s/%s", dir, inputs[i].file)),
                             str_of(inputs[i].text), 0644, &err),
                  "%s", err.msg);
}

/* A thousand levels, each way that they can be written. */
static void make_deep(struct arena *arena, const char *dir)
{
    static const struct {
        const char *file, *head, *open, *tail;
    } rows[] = {
        {"20-deep.json", "{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"d\"},\"spec\":", "[",
         "1"},
        {"21-deep.yaml", MAP "d}\nspec: ", "[", "1"},
        {"22-deep-maps.json",
         "{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"d\"},\"spec\":", "{\"a\":", "1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf text CLEANUP(buf_done);
        struct err err;
        buf_init(&text, 1 << 20);
        buf_text(&text, rows[i].head);
        for (int level = 0; level < 1000; level++)
            buf_text(&text, rows[i].open);
        buf_text(&text, rows[i].tail);
        for (int level = 0; level < 1000; level++)
            buf_text(&text, rows[i].open[0] == '[' ? "]" : "}");
        buf_text(&text, i == 1 ? "\n" : "}");
        cr_assert(file_write(str_c(arena, str_fmt(arena, "%s/%s", dir, rows[i].file)), buf_view(&text), 0644,
                             &err));
    }
}

Test(bad_input, every_fault_is_told_with_its_place_and_the_rest_goes_on)
{
    struct arena *arena = arena_new();
    const char *dir = temp_folder(arena);
    make_inputs(arena, dir);
    make_deep(arena, dir);
    struct program_result result = program_run(
        arena, "gitops-pipe", dir,
        (const char *const[]){"convert", ".", "--out", "out", "--secrets", "omit", "--verify", "-q", NULL},
        STR_NONE);
    cr_expect_eq(result.status, 3, "exit %d: %.*s", result.status, STR_ARG(result.err));
    for (size_t i = 0; i < COUNT_OF(inputs); i++)
        cr_expect(str_contains(result.err, str_of(inputs[i].says)), "%s: \"%s\" is not in\n%.*s",
                  inputs[i].file, inputs[i].says, STR_ARG(result.err));
    static const char *const deep[] = {"20-deep.json:1:", "21-deep.yaml:4:", "22-deep-maps.json:1:"};
    for (size_t i = 0; i < COUNT_OF(deep); i++)
        cr_expect(str_contains(result.err, str_of(deep[i])), "%s: %.*s", deep[i], STR_ARG(result.err));
    cr_expect(str_contains(result.err, STR("nested too deep")));
    static const char *const kept[] = {"_cluster/configmap-good.yaml", "_cluster/configmap-a.yaml",
                                       "_cluster/configmap-listed.yaml", "shop/mystery-m.yaml"};
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        cr_expect_eq(access(str_c(arena, str_fmt(arena, "%s/out/base/%s", dir, kept[i])), F_OK), 0, "%s",
                     kept[i]);
    cr_expect(str_contains(result.out, STR("17-namespace.yaml:1: left out, no namespace can be called so")),
              "%.*s", STR_ARG(result.out));
    temp_remove(dir);
    arena_free(arena);
}

/* What no server would take is left out, and that alone makes the result incomplete. */
Test(bad_input, a_namespace_that_cannot_be_tells_in_the_exit_status)
{
    struct arena *arena = arena_new();
    const char *dir = temp_folder(arena);
    struct program_result result =
        program_run(arena, "gitops-pipe", dir,
                    (const char *const[]){"convert", "-", "--out", "out", "--verify", "-q", NULL},
                    STR(MAP "a, namespace: _crds}\n---\n" MAP "b, namespace: shop}\n"));
    cr_expect_eq(result.status, 3, "exit %d: %.*s", result.status, STR_ARG(result.err));
    cr_expect_neq(access(str_c(arena, str_fmt(arena, "%s/out/base/_crds", dir)), F_OK), 0);
    cr_expect_eq(access(str_c(arena, str_fmt(arena, "%s/out/base/shop", dir)), F_OK), 0);
    temp_remove(dir);
    arena_free(arena);
}

static const char *pack_of_a_namespace(struct shop *shop)
{
    const char *folder = in_shop(shop, "store/packs"), *largest = NULL;
    off_t most = 0;
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat info;
        const char *path = str_c(shop->arena, str_fmt(shop->arena, "%s/%s", folder, entry->d_name));
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > most) {
            most = info.st_size;
            largest = path;
        }
    }
    closedir(dir);
    return largest;
}

/* Half a pack: what the other packs hold is converted, the hole is named, and nobody rebuilds from it. */
Test(bad_input, half_a_pack_is_a_hole_with_a_name)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    const char *pack = pack_of_a_namespace(&shop);
    struct stat info;
    cr_assert_eq(stat(pack, &info), 0);
    chmod(pack, 0600);
    cr_assert_eq(truncate(pack, info.st_size / 2), 0);

    struct program_result result = PIPE(&shop, "convert", "latest", "--out", "repo", "-q");
    expect_refused(result, 7, "left out: pack namespace production-simulation: packs/");
    cr_expect(str_contains(result.out, STR("objects → ")), "%.*s", STR_ARG(result.out));
    cr_expect_eq(access(in_shop(&shop, "repo/base/backup-storage/kustomization.yaml"), F_OK), 0,
                 "the rest goes on");
    cr_expect_neq(access(in_shop(&shop, "repo/base/production-simulation/deployment-backend.yaml"), F_OK), 0);

    expect_refused(PIPE(&shop, "drill", "cluster-loss", "--target", "sandbox", "-q"), 7,
                   "pack namespace production-simulation");
    close_shop(&shop);
}
