/* aws_source.h — one place that issues credentials: what aws_keys.c (the order, the cache) asks of aws_sts.c and
 * aws_metadata.c. For those three only. */
#pragma once
#include "core/store/sigv4.h"

struct aws_issued {
    struct sigv4_keys keys;
    int64_t expires_ms; /* 0: never */
};

struct aws_role {
    struct str arn, session_name, external_id, duration_seconds;
    struct str token_file; /* of a web identity; empty: assumed with other keys */
};

/* Where the security token service is. */
struct aws_sts {
    struct str region, endpoint, ca_pem;
};

/* AssumeRoleWithWebIdentity, or AssumeRole signed with `keys`. */
bool aws_assume_role(struct arena *arena, const struct aws_sts *sts, const struct aws_role *role,
                     const struct sigv4_keys *keys, struct aws_issued *ret_issued, struct err *err);
/* The endpoint of ECS and of EKS pod identities. */
bool aws_from_container(struct arena *arena, struct aws_issued *ret_issued, struct err *err);
bool aws_has_container(void);
/* The instance metadata service; NOT_FOUND where there is none, or none is wanted. */
bool aws_from_instance(struct arena *arena, struct aws_issued *ret_issued, struct err *err);
