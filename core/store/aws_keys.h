/* aws_keys.h — S3 credentials: where they come from, and new ones before the old end.
 *
 * In the order of the AWS tools: the profile that the configuration names; else AWS_ACCESS_KEY_ID with
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; profile $AWS_PROFILE or "default" of the shared files, with its keys or
 * its role; a web identity (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN), whose token file is read again each time; the
 * container's endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI); the instance metadata service, version 2
 * only. What expires is fetched again some minutes before, at most once a minute, and used on while that fails.
 * Safe for several threads. Secrets never appear in a message.
 * Fails with DENIED (none found: says where it looked; or refused), USAGE, UNREACHABLE, CORRUPT.
 */
#pragma once
#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/store/sigv4.h"

struct aws_keys;

/* Decides where they come from; reads files, asks the network nothing. `region` and `ca_pem` (may be empty) are for
 * the security token service, where its address is given by AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL. */
bool aws_keys_open(struct arena *arena, const struct config_store *config, struct str region,
                   struct str ca_pem, struct aws_keys **ret_keys, struct err *err) WARN_UNUSED;
void aws_keys_close(struct aws_keys *keys); /* NULL is fine */
/* The present ones, in `arena`. */
bool aws_keys_get(struct aws_keys *keys, struct arena *arena, struct sigv4_keys *ret_keys,
                  struct err *err) WARN_UNUSED;
/* The store does not take the keys with this `used_access_key` any more (`sure`), or refused without saying why: true
 * when others are to be had now, and the call is worth another try. Unless sure, at most once a minute. */
bool aws_keys_renew(struct aws_keys *keys, struct str used_access_key, bool sure);
/* For tests; `clock` must outlive the keys. */
void aws_keys_use_clock(struct aws_keys *keys, const struct clock *clock);
/* Keys that never change and need no token; false without an error where they are of another kind. */
bool aws_keys_static(const struct aws_keys *keys, struct sigv4_keys *ret_keys);
