/* keys.h — the age keys of a run: whom packs are encrypted for, and whose key reads them again.
 *
 * Recipients are public and stand in the configuration. Identities are secret: they come from a file that the
 * configuration or --identity names, or from the environment variable GITOPS_PIPE_AGE_IDENTITY (as a Kubernetes Secret
 * fills it in), and are read only when something has to be decrypted.
 * Fails with USAGE (a key that is none), DENIED (no identity is named, or its file is open to others), NOT_FOUND.
 */
#pragma once
#include "core/crypto/age.h"

struct run;

#define KEYS_ENVIRONMENT "GITOPS_PIPE_AGE_IDENTITY"

/* encrypt.recipients; an empty list where nothing is encrypted. */
bool keys_recipients(struct run *run, struct age_recipients *ret_recipients, struct err *err) WARN_UNUSED;
/* Whether somebody named an identity; it may still be a wrong one. */
bool keys_at_hand(const struct run *run);
/* All identities that are at hand. They live in the run's arena, which wipes nothing: call age_wipe. */
bool keys_identities(struct run *run, struct age_identities *ret_identities, struct err *err) WARN_UNUSED;
/* The same, read once and kept for the run, for who works part after part; none where none is at hand. */
bool keys_kept(struct run *run, const struct age_identities **ret_identities, struct err *err) WARN_UNUSED;
void keys_forget(struct run *run); /* wipes what is kept */
