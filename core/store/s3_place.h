/* s3_place.h — which bucket at which address: what a store's URL and endpoint mean, for both S3 drivers.
 * Fails with USAGE. */
#pragma once
#include "core/store/s3_keys.h"

struct s3_place {
    struct str bucket, prefix; /* prefix is empty or ends in '/' */
    struct str origin, host;   /* "https://host:port", and as the Host header says it */
    struct str root;           /* "/bucket" in path style; empty where the host names the bucket */
    bool tls, loopback;
};

bool s3_place_of(struct arena *arena, const struct config_store *config, const struct s3_settings *settings,
                 struct s3_place *ret_place, struct err *err) WARN_UNUSED;
