/* memory.h — what was written last time, so that an unchanged Secret is no change in git.
 *
 * Ciphertext is random, and what was encrypted cannot be read again without the private keys, which stay elsewhere. So
 * whoever writes remembers, in the private state folder and never in git: of every document that was written a
 * fingerprint, and of every value which document it was in. The earlier ciphertext, which is in the repository, is taken
 * again only where both still hold: what is in the repository is what we wrote, and the value in it was the same.
 * Fingerprints are HMAC-SHA-256 under a random key that lies beside them, half of it, and nothing else is remembered, not
 * even a name; without that key they say nothing about a value, not even to somebody who guesses well
 * (docs/decisions/023).
 *   <state.dir>/secrets/key            32 random bytes, mode 0600
 *   <state.dir>/secrets/fingerprints   a line "gitops-pipe fingerprints 2", then 16 bytes each, sorted; mode 0600
 * Lost or damaged, they are made anew, and the next run encrypts everything once more.
 * Fails with IO, DENIED and LIMIT, when the files cannot be read or written.
 */
#pragma once
#include "core/secrets/select.h"

struct secrets_memory;

/* Reads what is there and writes nothing. `state_dir` empty: remembers nothing. */
bool secrets_memory_open(struct arena *arena, struct str state_dir, struct secrets_memory **ret_memory,
                         struct err *err) WARN_UNUSED;
/* Wipes the key. NULL is fine. */
void secrets_memory_close(struct secrets_memory *memory);

/* One Secret in one environment: `id` is "env/namespace/name". `settings` is all that decides how it is encrypted
 * besides its values; `cipher` is the encrypted part as it is written, NULL where nothing is. */
struct secrets_subject {
    struct str id, settings;
    const struct value *cipher;
};

/* Stands for one document that was written, wherever else the same values are. */
struct secrets_print {
    uint8_t bytes[16];
};

/* The repository holds what we wrote, under the same settings. */
bool secrets_memory_knows(const struct secrets_memory *memory, const struct secrets_subject *subject,
                          struct secrets_print *ret_document);
/* The value was this in that document. */
bool secrets_memory_has_value(const struct secrets_memory *memory, const struct secrets_print *document,
                              const struct secret_entry *entry);
/* The document held these values and no others. */
bool secrets_memory_has_all(const struct secrets_memory *memory, const struct secrets_print *document,
                            const struct secret_entries *entries);

/* To be remembered: the subject may be gone afterwards. Nothing is written before secrets_memory_save. */
void secrets_memory_note(struct secrets_memory *memory, const struct secrets_subject *subject,
                         const struct secret_entries *entries);
/* Replaces what was remembered by what was noted; with `keep`, what was remembered stays beside it. Call it when the
 * repository really holds what was written. */
bool secrets_memory_save(struct secrets_memory *memory, bool keep, struct err *err) WARN_UNUSED;
