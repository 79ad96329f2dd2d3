/* s3_keys.h — the settings of an S3 store that come from more than one place.
 *
 * The region: configuration, $AWS_REGION, $AWS_DEFAULT_REGION, the profile, us-east-1. The endpoint: configuration,
 * $AWS_ENDPOINT_URL_S3, $AWS_ENDPOINT_URL, the profile. The credentials: aws_keys.h. Fails as that does, and with USAGE
 * or IO for a CA file that cannot be read.
 */
#pragma once
#include "core/store/aws_keys.h"

struct s3_settings {
    struct aws_keys *keys;
    struct str region, endpoint; /* endpoint empty: AWS itself */
    struct str ca_pem;           /* empty: the system's */
};

/* Closes with aws_keys_close(settings.keys). */
bool s3_settings_read(struct arena *arena, const struct config_store *config,
                      struct s3_settings *ret_settings, struct err *err) WARN_UNUSED;
