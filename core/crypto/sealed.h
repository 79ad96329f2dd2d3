/* sealed.h — values that only one Sealed Secrets controller can read.
 *
 * Seals a value for the public key of a controller's certificate, as kubeseal does: a random key K of 32 bytes wrapped
 * by RSA-OAEP (SHA-256, MGF1 with SHA-256, and a label), then the value under AES-256-GCM with K, a nonce of zeros (K is
 * used once) and no further data. The label binds the value to its place: "namespace/name" in the strict scope,
 * "namespace" or nothing in the wider ones; the controller refuses it anywhere else. Sealing is random: the same value
 * sealed twice differs. Source: docs/developer/crypto.md of bitnami-labs/sealed-secrets.
 * Fails with USAGE (no certificate, or not of an RSA key), DENIED (it has expired), CORRUPT (unsealing), INTERNAL.
 */
#pragma once
#include "core/base/base.h"
#include "core/base/sha256.h"

enum sealed_scope { SEALED_STRICT, SEALED_NAMESPACE_WIDE, SEALED_CLUSTER_WIDE };

struct sealed_certificate;

/* The first certificate of a PEM text; free it with sealed_certificate_free. `now_ms` is Unix time. */
bool sealed_certificate_open(struct str pem, int64_t now_ms, struct sealed_certificate **ret_certificate,
                             struct err *err) WARN_UNUSED;
void sealed_certificate_free(struct sealed_certificate *certificate);            /* NULL is fine */
int64_t sealed_certificate_end_ms(const struct sealed_certificate *certificate); /* not valid after */
/* Of the whole certificate: tells two of them apart. */
struct sha256 sealed_certificate_id(const struct sealed_certificate *certificate);

/* What spec.encryptedData holds: base64 of the sealed value. */
bool sealed_seal(struct arena *arena, const struct sealed_certificate *certificate, enum sealed_scope scope,
                 struct str namespace, struct str name, struct str value, struct str *ret_text,
                 struct err *err) WARN_UNUSED;
/* The way back, with the controller's private key (PEM). The key is wiped; `ret_value` is the caller's. */
bool sealed_open(struct arena *arena, struct str key_pem, enum sealed_scope scope, struct str namespace,
                 struct str name, struct str text, struct str *ret_value, struct err *err) WARN_UNUSED;
