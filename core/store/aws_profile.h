/* aws_profile.h — one profile of the shared AWS files: $AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) and
 * $AWS_CONFIG_FILE (~/.aws/config, sections "profile NAME"). What stands in both is taken from the first.
 * Source: "Configuration and credential file settings" of the AWS CLI. Fails with USAGE: a file that cannot be read, by
 * its line, never quoting a value. */
#pragma once
#include "core/store/sigv4.h"

struct aws_profile {
    bool found; /* one of the files has the section */
    struct sigv4_keys keys;
    struct str region, endpoint_url;
    struct str role_arn, role_session_name, external_id, duration_seconds, token_file;
    struct str source_profile, credential_source; /* whose keys assume the role */
    struct str credential_process, sso;           /* known, not supported: to say so */
};

bool aws_profile_read(struct arena *arena, struct str name, struct aws_profile *ret_profile,
                      struct err *err) WARN_UNUSED;
/* The same from the text of one file; `path` is for messages. What `profile` has already stays. */
bool aws_profile_scan(struct str text, const char *path, struct str name, struct aws_profile *profile,
                      struct err *err) WARN_UNUSED;
/* A variable of the environment without white space around it; empty where it is not set. */
struct str aws_env(const char *name);
