/* open.h — the way back: rendered Secrets as a cluster would have them in the end.
 *
 * For rebuilding a cluster (restore, drill) and for checking what was written (convert --verify). Plaintext stays in
 * the bundle; it is in no message.
 */
#pragma once
#include "core/config/config.h"
#include "core/run.h"

/* Changes a rendered bundle in place:
 *   - what sops encrypted is decrypted with the identities at hand (core/keys.h); where none opens it, it leaves the
 *     bundle if `provided` (a backup) has that Secret, and who restores takes it from there;
 *   - a SealedSecret or ExternalSecret leaves it likewise: a rebuilt cluster has neither the controller's key nor a
 *     store; where the backup does not have the Secret it stays, and is applied as it is.
 * `provided` (sorted) may be NULL; `environment` is the one that was rendered, NULL where its namespaces have no names of
 * their own. DENIED: encrypted, and neither an identity nor the backup at hand. CORRUPT: changed. */
bool secrets_open(struct run *run, struct bundle *rendered, const struct bundle *provided,
                  const struct config_environment *environment, struct err *err) WARN_UNUSED;

/* Holds what an environment renders to against the Secrets that it was written from: those of one namespace, or of
 * several, sorted. Lives in `arena`, with all that it decrypts. */
struct secrets_check;
bool secrets_check_open(struct run *run, struct arena *arena, const struct config_environment *environment,
                        const struct bundle *secrets, struct secrets_check **ret_check,
                        struct err *err) WARN_UNUSED;
/* NULL when the object is one of the Secrets in the form that was chosen for it; else what is wrong. Values are compared
 * where an identity opens them; else names, keys, type and labels are. */
const char *secrets_check_one(struct secrets_check *check, const struct resource *rendered);
/* One after the other, the Secrets that should have been met and were not; NULL at the end. */
const struct resource *secrets_check_missing(struct secrets_check *check);
