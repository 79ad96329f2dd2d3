/* age.h — files that only the holders of certain keys can read.
 *
 * Writes and reads the age format, version 1, with X25519 recipients: what this encrypts the program `age` decrypts,
 * and the other way round. Other kinds of recipients (scrypt, ssh, plugins) are not spoken; a file that has one of
 * ours among them can be read. Source: C2SP age (https://age-encryption.org/v1); vectors in testdata/age.
 *
 * Encrypting needs no secret. An identity is one: it is read from a file or the environment, never from a
 * configuration in the clear, and never appears in a message. Call age_wipe when done.
 * Fails with USAGE (a text that is no key), DENIED (none of the identities fits), CORRUPT (anything in the file that
 * does not hold), INTERNAL (OpenSSL).
 */
#pragma once
#include "core/base/base.h"

enum { AGE_KEY_BYTES = 32 };

struct age_recipient {
    uint8_t key[AGE_KEY_BYTES]; /* public */
};

struct age_recipients {
    struct age_recipient *items;
    size_t count, cap;
};

struct age_identity {
    uint8_t key[AGE_KEY_BYTES]; /* secret */
};

struct age_identities {
    struct age_identity *items;
    size_t count, cap;
};

/* Where ciphertext or plaintext goes, in order; false aborts with the err it filled. */
typedef bool (*age_piece_fn)(void *ctx, struct str piece, struct err *err);

/* ---- keys ---- */

bool age_recipient_parse(struct str text, struct age_recipient *ret_recipient,
                         struct err *err) WARN_UNUSED; /* "age1…" */
bool age_recipients_parse(struct arena *arena, const struct str_list *texts,
                          struct age_recipients *ret_recipients, struct err *err) WARN_UNUSED;
/* An identity file: one key a line, empty lines and lines that begin with '#' are skipped. `name` is for messages. */
bool age_identities_parse(struct arena *arena, struct str text, struct str name,
                          struct age_identities *ret_identities, struct err *err) WARN_UNUSED;
void age_wipe(struct age_identities *identities);
bool age_keygen(struct age_identity *ret_identity, struct err *err) WARN_UNUSED;
bool age_recipient_of(const struct age_identity *identity, struct age_recipient *ret_recipient,
                      struct err *err) WARN_UNUSED;
struct str age_recipient_text(struct arena *arena, const struct age_recipient *recipient);
struct str age_identity_text(struct arena *arena, const struct age_identity *identity); /* secret */

/* ---- files ---- */

bool age_encrypt(const struct age_recipients *recipients, struct str plain, age_piece_fn piece, void *ctx,
                 struct err *err) WARN_UNUSED;
/* Pieces are authentic when they come, but only a success says that they were all of them. */
bool age_decrypt(const struct age_identities *identities, struct str file, age_piece_fn piece, void *ctx,
                 struct err *err) WARN_UNUSED;
/* The same for what fits into memory. */
bool age_seal(struct arena *arena, const struct age_recipients *recipients, struct str plain,
              struct str *ret_file, struct err *err) WARN_UNUSED;
bool age_open(struct arena *arena, const struct age_identities *identities, struct str file,
              struct str *ret_plain, struct err *err) WARN_UNUSED;

/* ---- armor: the same bytes as text (RFC 7468, strict) ---- */

struct str age_armor(struct arena *arena, struct str file);
bool age_dearmor(struct arena *arena, struct str text, struct str *ret_file, struct err *err) WARN_UNUSED;
