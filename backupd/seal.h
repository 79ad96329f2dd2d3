/* seal.h — packs that only the holders of certain age keys can read.
 *
 * The age file goes around the compressed tar, so `age -d | tar --zstd -x` opens it. A pack is named by the hash of
 * what is stored, so that its integrity can be proved without a key. Encrypting the same bytes twice gives different
 * files; what did not change is recognised by the hash of the plain pack, which the manifests of earlier backups for
 * the same recipients hold (docs/decisions/021).
 */
#pragma once
#include "backupd/manifest.h"
#include "core/crypto/age.h"
#include "core/run.h"
#include "core/store/spool.h"

/* The encrypted packs of earlier backups. */
struct seal_index {
    struct manifest_packs packs; /* sorted by plain hash */
};

/* From the newest manifests of `cluster` that are for exactly these recipients. One that cannot be read is passed
 * over; a store that cannot be reached is a failure. */
bool seal_index_read(struct run *run, struct str cluster, const struct str_list *recipients,
                     struct seal_index *ret_index, struct err *err) WARN_UNUSED;
/* Where the pack with this plain content is stored already: fills in sha256 and bytes. */
bool seal_index_find(const struct seal_index *index, struct manifest_pack *pack);

/* Encrypts `plain`, spooled in `dir`; fills in sha256 and bytes of `pack`. spool_drop(*ret_spool) ends the life of
 * *ret_bytes. */
bool seal_pack(const struct age_recipients *recipients, struct str plain, const char *dir,
               struct manifest_pack *pack, struct spool **ret_spool, struct str *ret_bytes,
               struct err *err) WARN_UNUSED;
/* Decrypts and proves the hash of the plain pack: DENIED without a fitting identity, CORRUPT. */
bool seal_open(const struct age_identities *identities, struct str sealed, const struct manifest_pack *pack,
               struct spool **ret_spool, struct str *ret_plain, struct err *err) WARN_UNUSED;
