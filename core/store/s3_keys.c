#include "core/store/s3_keys.h"

#include "core/base/files.h"
#include "core/store/aws_profile.h"

static struct str first_of(struct str a, struct str b)
{
    return a.len ? a : b;
}

static bool read_ca(struct arena *arena, struct str path, struct str *ret_pem, struct err *err)
{
    enum { MAX_CA_BYTES = 4 << 20 };
    return path.len == 0 || file_read(arena, str_c(arena, path), MAX_CA_BYTES, ret_pem, err) ||
           err_context(err, "caFile");
}

bool s3_settings_read(struct arena *arena, const struct config_store *config,
                      struct s3_settings *ret_settings, struct err *err)
{
    struct str name = first_of(first_of(config->profile, aws_env("AWS_PROFILE")), STR("default"));
    struct s3_settings settings = {0};
    struct aws_profile profile;
    if (!aws_profile_read(arena, name, &profile, err) ||
        !read_ca(arena, config->ca_file, &settings.ca_pem, err))
        return false;
    struct str region = first_of(aws_env("AWS_REGION"), aws_env("AWS_DEFAULT_REGION"));
    struct str endpoint = first_of(aws_env("AWS_ENDPOINT_URL_S3"), aws_env("AWS_ENDPOINT_URL"));
    region = first_of(first_of(config->region, region), first_of(profile.region, STR("us-east-1")));
    settings.region = str_dup(arena, region);
    settings.endpoint = str_dup(arena, first_of(first_of(config->endpoint, endpoint), profile.endpoint_url));
    if (!aws_keys_open(arena, config, settings.region, settings.ca_pem, &settings.keys, err))
        return false;
    *ret_settings = settings;
    return true;
}
