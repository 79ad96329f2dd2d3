/* s3_keys.h — where S3 credentials and settings come from, in the order of the AWS tools.
 *
 * A profile named in the configuration means the shared files. Otherwise AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN, then profile $AWS_PROFILE or "default" of $AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) and of
 * $AWS_CONFIG_FILE (~/.aws/config, sections "profile NAME"). The region: configuration, $AWS_REGION,
 * $AWS_DEFAULT_REGION, the profile, us-east-1. The endpoint: configuration, $AWS_ENDPOINT_URL_S3, $AWS_ENDPOINT_URL.
 * Fails with DENIED (none found: says where it looked), USAGE (a file that cannot be read, with its line).
 */
#pragma once
#include "core/config/config.h"
#include "core/store/sigv4.h"

struct s3_settings {
    struct sigv4_keys keys;
    struct str region, endpoint; /* endpoint empty: AWS itself */
};

bool s3_settings_read(struct arena *arena, const struct config_store *config,
                      struct s3_settings *ret_settings, struct err *err) WARN_UNUSED;
