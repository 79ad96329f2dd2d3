/* tls.h — looks at certificates before a connection is tried, so that the fault has a name.
 *
 * TLS libraries report "bad certificate" from the far end; here the same fault says which file's certificate, whose,
 * and since when. PEM text in, nothing kept. Private keys are parsed and freed, never copied.
 * Fails with USAGE (no PEM, a key that does not fit) and DENIED (expired, or not valid yet).
 */
#pragma once
#include "core/base/base.h"

/* At least one certificate, and none that cannot be read. */
bool tls_check_ca(struct str ca_pem, struct err *err) WARN_UNUSED;
/* A client certificate and its key at the time `now_ms`. */
bool tls_check_client(struct str cert_pem, struct str key_pem, int64_t now_ms, struct err *err) WARN_UNUSED;
