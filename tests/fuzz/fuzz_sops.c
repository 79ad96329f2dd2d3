/* A document from outside: decrypting it fails with a reason or gives a document without "sops"; what parses as an
 * encrypted value is taken apart without a byte beyond it. No identity opens any of them, so what is behind the key is
 * reached through a key of our own. */
#include <string.h>

#include "core/base/yaml.h"
#include "core/crypto/sops.h"
#include "core/crypto/sops_leaf.h"
#include "core/crypto/sops_meta.h"
#include "tests/fuzz/fuzz.h"

static void leaf(struct arena *arena, struct str text)
{
    static const uint8_t key[GCM_KEY_BYTES] = {1};
    struct sops_enc enc;
    const struct value *plain;
    struct err err;
    if (!sops_enc_parse(arena, text, &enc))
        return;
    fuzz_expect(enc.tag.len == GCM_TAG_BYTES && enc.iv.len != 0 && enc.type.len != 0, "all parts");
    fuzz_expect(!sops_leaf_decrypt(arena, key, STR("data:"), value_string(arena, text), &plain, &err) ||
                    plain != NULL,
                "a value or a reason");
}

static void document(struct arena *arena, const struct value *root)
{
    struct age_identity identity = {{2}};
    struct age_identities identities = {&identity, 1, 1};
    struct sops_meta meta;
    struct err err;
    const struct value *plain;
    leaf(arena, value_str_in(root, PATH("data", "password")));
    leaf(arena, value_str_in(root, PATH("sops", "mac")));
    if (sops_meta_read(arena, value_key(root, "sops"), &meta, &err)) {
        MEMBER_EACH(member, root)
            sops_is_picked(&meta.picker, sops_pick_below(&meta.picker, SOPS_UNDECIDED, member->key));
        sops_meta_done(&meta);
    }
    err = (struct err){0};
    if (sops_decrypt(arena, root, &identities, &plain, &err))
        fuzz_expect(!sops_is_encrypted(plain), "nothing of sops is left");
    else
        fuzz_expect(err.code != ERR_NONE && err.msg[0], "a reason");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str text = {(const char *)bytes, len};
    struct yaml_documents documents;
    struct err err;
    leaf(arena, text);
    if (yaml_parse(arena, text, STR("fuzz"), &documents, &err))
        for (size_t i = 0; i < documents.count; i++)
            document(arena, documents.items[i].root);
    return 0;
}
