/* select.h — what is to become of a Secret: the mode that the configuration picks for it, and what is in it.
 *
 * Looks at one Secret at a time, as it is declared. Nothing here puts a value into a message.
 */
#pragma once
#include "core/config/config.h"
#include "core/kube/bundle.h"

/* The first rule that fits decides, else the environment, else the document. */
enum secrets_mode secrets_mode_of(const struct config *config, const struct config_environment *environment,
                                  const struct resource *secret);
/* Nobody said, for some environment, how this Secret is to be written. */
bool secrets_is_refused(const struct config *config, const struct resource *secret);

/* It holds a key that opens the others in that mode (the controller's sealing key, an age identity): locked in with
 * what it opens it would be of no use to anybody. */
bool secrets_is_opening_key(const struct resource *secret, enum secrets_mode mode);
/* A controller makes it, and will make it again: tokens, release records, what another object owns. */
bool secrets_is_controller_made(const struct resource *secret);

/* The Secret of a sorted bundle that is called so in the environment, whose namespaces may have names of their own;
 * `environment` NULL: none do. NULL when there is none. */
const struct resource *secrets_find(struct arena *arena, const struct bundle *bundle,
                                    const struct config_environment *environment, struct str namespace,
                                    struct str name);

struct secret_entry {
    struct str key, value; /* value: the bytes themselves */
};

struct secret_entries {
    struct secret_entry *items; /* sorted by key, each once */
    size_t count, cap;
};

/* What the Secret holds: data, and over it stringData. INVALID, with the key, for what is no base64. */
bool secrets_entries(struct arena *arena, const struct value *secret, struct secret_entries *ret_entries,
                     struct err *err) WARN_UNUSED;
struct str secrets_type(const struct value *secret); /* "Opaque" where nothing is said */
