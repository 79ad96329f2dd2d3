/* Manifests: read back as written, and nothing that is off gets through. */
#include <criterion/criterion.h>
#include <string.h>

#include "backupd/manifest.h"
#include "core/base/json.h"

#define SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char good[] =
    "{\"format\":1,\"id\":\"20261121T020000.123Z-7f3a9c2e\",\"tool\":\"gitops-pipe 0\",\"takenAtMs\":5,"
    "\"cluster\":{\"name\":\"prod\",\"uid\":\"u\",\"version\":\"v1\",\"sandbox\":false},\"resourceVersion\":"
    "\"1\","
    "\"complete\":true,\"selection\":{\"include\":{\"labels\":\"a=b\"},\"narrowed\":true},\"objects\":3,"
    "\"packs\":[{\"part\":\"namespace\",\"namespace\":\"web\",\"sha256\":\"" SHA
    "\",\"bytes\":1,\"rawBytes\":2,"
    "\"entries\":3},{\"part\":\"schema\",\"sha256\":\"" SHA "\",\"bytes\":1,\"rawBytes\":2,\"entries\":9}],"
    "\"types\":[{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\",\"plural\":\"pods\",\"namespaced\":true,"
    "\"listable\":true,\"hasStatus\":true,\"consistency\":\"per-resource\",\"why\":\"gone\",\"objects\":3}]}";

/* With its digest, as it is written. */
static struct str seal(struct arena *arena, struct str text)
{
    const struct value *root;
    struct err err;
    cr_assert(json_parse(arena, text, NULL, &root, &err), "%s", err.msg);
    return json_text(arena, manifest_seal(arena, root));
}

Test(manifest, a_good_one_is_read_and_written_back)
{
    struct arena *arena = arena_new();
    struct manifest m, again;
    struct err err = {0};
    cr_assert(manifest_parse(arena, seal(arena, str_of(good)), &m, &err), "%s", err.msg);
    cr_expect_eq(m.objects, 3);
    cr_expect_eq(m.packs.count, 2);
    cr_expect(str_is(manifest_pack_name(arena, &m.packs.items[0]), "namespace web"));
    cr_expect(str_is(manifest_pack_name(arena, &m.packs.items[1]), "schema"));
    cr_expect_eq(m.types.count, 1);
    cr_expect(str_is(m.types.items[0].why, "gone"));
    cr_expect(m.narrowed && str_is(value_str_in(m.selection, PATH("include", "labels")), "a=b"));

    const struct value *written = manifest_value(arena, &m);
    cr_assert(manifest_parse(arena, json_text(arena, written), &again, &err), "%s", err.msg);
    cr_expect(value_equal(written, manifest_value(arena, &again)));
    arena_free(arena);
}

/* Each row replaces a piece of the good one. */
Test(manifest, what_is_off_is_named)
{
    static const struct {
        const char *from, *to;
        enum err_code code;
        const char *says;
    } rows[] = {
        {"\"format\":1", "\"format\":2", ERR_REFUSED, "newer"},
        {"\"format\":1", "\"format\":0", ERR_CORRUPT, "format"},
        {"\"format\":1,", "", ERR_CORRUPT, "format"},
        {"\"id\":\"20261121T020000.123Z-7f3a9c2e\"", "\"id\":\"\"", ERR_CORRUPT, "id"},
        {"\"complete\":true", "\"complete\":\"true\"", ERR_CORRUPT, "complete"},
        {"\"complete\":true,", "", ERR_CORRUPT, "complete"},
        {"\"objects\":3,\"packs\"", "\"objects\":4,\"packs\"", ERR_CORRUPT, "4 objects"},
        {"\"objects\":3,\"packs\"", "\"objects\":-3,\"packs\"", ERR_CORRUPT, "objects"},
        {"\"objects\":3,\"packs\"", "\"objects\":3.5,\"packs\"", ERR_CORRUPT, "objects"},
        {"\"name\":\"prod\",", "", ERR_CORRUPT, "name"},
        {"\"cluster\":{", "\"cluster\":[],\"x\":{", ERR_CORRUPT, "cluster"},
        {"\"selection\":{", "\"selection\":[],\"x\":{", ERR_CORRUPT, "selection"},
        {"\"part\":\"schema\"", "\"part\":\"other\"", ERR_CORRUPT, "packs[1].part"},
        {"\"part\":\"schema\"", "\"part\":\"namespace\"", ERR_CORRUPT, "packs[1].namespace"},
        {"\"namespace\":\"web\"", "\"namespace\":7", ERR_CORRUPT, "packs[0].namespace"},
        {"\"sha256\":\"" SHA, "\"sha256\":\"../../x", ERR_CORRUPT, "packs[0].sha256"},
        {"\"entries\":3", "\"entries\":\"3\"", ERR_CORRUPT, "packs[0].entries"},
        {"\"kind\":\"Pod\",", "", ERR_CORRUPT, "types[0].kind"},
        {"\"types\":[{", "\"types\":[7,{", ERR_CORRUPT, "types[0]"},
        {"\"objects\":3}]}", "\"objects\":3}]", ERR_CORRUPT, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_new();
        struct manifest m;
        struct err err = {0};
        const char *at = strstr(good, rows[i].from);
        cr_assert_not_null(at, "%s", rows[i].from);
        struct str text =
            str_fmt(arena, "%.*s%s%s", (int)(at - good), good, rows[i].to, at + strlen(rows[i].from));
        cr_expect_not(manifest_parse(arena, text, &m, &err), "%s", rows[i].to);
        cr_expect_eq(err.code, rows[i].code, "%s: %s", rows[i].to, err.msg);
        cr_expect(strstr(err.msg, rows[i].says) != NULL, "%s: %s", rows[i].to, err.msg);
        arena_free(arena);
    }
}

/* Whatever bit of a manifest changes: it is noticed, unless the change means nothing to JSON. */
Test(manifest, any_flipped_bit_is_noticed)
{
    struct arena *arena = arena_new();
    struct str text = seal(arena, str_of(good));
    const struct value *right, *wrong;
    struct err err;
    size_t noticed = 0;
    cr_assert(json_parse(arena, text, NULL, &right, &err));
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        struct arena *scratch = arena_new();
        struct str flipped = str_dup(scratch, text);
        struct manifest m;
        ((char *)flipped.ptr)[bit / 8] ^= (char)(1 << bit % 8);
        bool same = json_parse(scratch, flipped, NULL, &wrong, &err) && value_equal(right, wrong);
        bool taken = manifest_parse(scratch, flipped, &m, &err);
        cr_expect_eq(taken, same, "bit %zu of byte %zu", bit % 8, bit / 8);
        cr_expect(taken || err.code == ERR_CORRUPT || err.code == ERR_REFUSED, "%s", err.msg);
        noticed += !taken;
        arena_free(scratch);
    }
    cr_expect_gt(noticed, 7 * text.len);
    arena_free(arena);
}
