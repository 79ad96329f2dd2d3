/* protect.h — Secrets in a form that may stand in git, once per environment.
 *
 * A Secret becomes what the mode that is picked for it says (core/secrets/select.h):
 *   sops       the Secret itself, values encrypted to age recipients (core/crypto/sops.h)
 *   sealed     a SealedSecret for the controller whose certificate is given (core/crypto/sealed.h)
 *   external   an ExternalSecret that names where the values are; the values stay behind
 *   omit       nothing; it is listed with its keys
 * What was encrypted before and has not changed keeps its ciphertext (core/secrets/memory.h). Values are in no message,
 * finding or report. A Secret that cannot be read is left out with a finding; a key that opens the others is left out
 * too (secrets_is_opening_key).
 * Fails with USAGE (no recipients, store or certificate; a key template with an unknown word), NOT_FOUND (a file),
 * DENIED (a certificate that has expired), REFUSED (no mode was chosen), and what reaching the controller fails with.
 */
#pragma once
#include "core/run.h"
#include "core/secrets/select.h"

struct protected_secret {
    const struct config_environment *environment;
    struct resource secret;  /* as declared, with its values */
    struct str namespace;    /* that it has in the environment */
    enum secrets_mode mode;  /* that it got */
    const char *why;         /* it is omitted although another mode was chosen; NULL else */
    struct resource written; /* object NULL: omitted */
    struct str_list keys;
    struct str store_key; /* external: where the values must be; empty else */
};

struct protected_secrets {
    struct protected_secret *items; /* by environment, then namespace and name */
    size_t count, cap;
};

/* ---- namespace after namespace ---- */

/* What is read once for all of them: identities and certificates. */
struct protection;
struct protection *protection_open(struct run *run);
/* The Secrets of one namespace, sorted, for all environments; `arena` may go when they are written. Of those that are left
 * out findings tell, which stay. What is to be remembered waits for secrets_remember. */
bool protection_apply(struct protection *protection, struct arena *arena, const struct bundle *secrets,
                      struct protected_secrets *ret_protected, struct err *err) WARN_UNUSED;
void protection_close(struct protection *protection); /* NULL is fine */

/* What those need to know who list Secrets when the Secrets are gone: neither value nor ciphertext. */
struct secret_note {
    const struct config_environment *environment;
    struct str namespace; /* that it has in the environment */
    struct str secret_namespace, name, type;
    enum secrets_mode mode;
    const char *why;
    struct str_list keys;
    struct str store_key;
    bool written;
};
/* Copied into `arena`. */
struct secret_note secret_note_of(struct arena *arena, const struct protected_secret *protected);

/* The repository now holds what was protected: remembers it. Does nothing where nothing was. `some`: there are other
 * Secrets in it, of which what is remembered stays. */
bool secrets_remember(struct run *run, bool some, struct err *err) WARN_UNUSED;
void secrets_forget(struct run *run); /* wipes keys; call at the end of a run */

/* ---- one environment, for rotation ---- */

struct protector;
/* Nothing that the repository holds is taken again. */
bool protector_open(struct run *run, const struct config_environment *environment,
                    struct protector **ret_protector, struct err *err) WARN_UNUSED;
/* The Secret under the namespace that it has in the environment; what comes of it is in `arena`. */
bool protector_apply(struct protector *protector, struct arena *arena, const struct resource *secret,
                     enum secrets_mode mode, struct protected_secret *ret_protected,
                     struct err *err) WARN_UNUSED;
void protector_close(struct protector *protector); /* NULL is fine */
