#include "core/store/s3_place.h"

#include <arpa/inet.h>

#include "core/net/url.h"
#include "core/store/store.h"

enum { MAX_PREFIX = 1024 - STORE_KEY_MAX - 1 };

static bool is_bucket_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && (i == 0 || i + 1 == name.len || (c != '-' && c != '.')))
            return false;
    }
    return name.len >= 3 && name.len <= 63;
}

static bool parse_bucket(struct s3_place *place, struct arena *arena, struct str url, struct err *err)
{
    struct str rest = str_from(url, str_find(url, ':') + 1);
    if (!str_starts(rest, STR("//"))) {
        err_set(err, ERR_USAGE, "it names no bucket");
        return err_next(err, "write s3://bucket or s3://bucket/prefix");
    }
    rest = str_from(rest, 2);
    place->bucket = str_dup(arena, str_cut(&rest, '/'));
    if (!is_bucket_name(place->bucket))
        return err_set(err, ERR_USAGE, "\"%.*s\" is no name that a bucket can have", STR_ARG(place->bucket));
    while (rest.len != 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    for (struct str parts = rest; parts.len != 0;) {
        struct str part = str_cut(&parts, '/');
        if (part.len == 0 || part.ptr[0] == '.' || !str_is_utf8(part))
            return err_set(err, ERR_USAGE, "\"%.*s\" cannot be a prefix", STR_ARG(rest));
    }
    if (rest.len > MAX_PREFIX)
        return err_set(err, ERR_USAGE, "the prefix is longer than %d bytes", MAX_PREFIX);
    place->prefix = rest.len ? str_fmt(arena, "%.*s/", STR_ARG(rest)) : STR_NONE;
    return true;
}

static struct str aws_endpoint(struct arena *arena, struct str region)
{
    return str_fmt(arena, "https://s3.%.*s.amazonaws.com%s", STR_ARG(region),
                   str_starts(region, STR("cn-")) ? ".cn" : "");
}

static bool is_address(struct arena *arena, struct str host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    const char *text = str_c(arena, host);
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* An address cannot carry the bucket's name, and no wildcard certificate covers a name with dots. */
static bool set_endpoint(struct s3_place *place, struct arena *arena, const struct s3_settings *settings,
                         bool path_style, struct err *err)
{
    struct url url;
    struct str text = settings->endpoint.len ? settings->endpoint : aws_endpoint(arena, settings->region);
    if (!url_parse(arena, text, &url, err))
        return err_context(err, "endpoint");
    if (url.user_info.len != 0 || url.query.len != 0 || !str_is(url.path, "/"))
        return err_set(err, ERR_USAGE, "endpoint: only scheme, host and port belong there");
    bool dots = str_find(place->bucket, '.') < place->bucket.len;
    if (path_style || is_address(arena, url.host) || str_is(url.host, "localhost") ||
        (dots && url_is_tls(&url)))
        place->root = str_fmt(arena, "/%.*s", STR_ARG(place->bucket));
    else
        url.host = str_fmt(arena, "%.*s.%.*s", STR_ARG(place->bucket), STR_ARG(url.host));
    place->tls = url_is_tls(&url);
    place->loopback = url_is_loopback(&url);
    place->origin = url_origin(arena, &url);
    place->host = url_authority(arena, &url);
    return true;
}

bool s3_place_of(struct arena *arena, const struct config_store *config, const struct s3_settings *settings,
                 struct s3_place *ret_place, struct err *err)
{
    struct s3_place place = {0};
    if (!parse_bucket(&place, arena, config->url, err) ||
        !set_endpoint(&place, arena, settings, config->path_style, err))
        return false;
    *ret_place = place;
    return true;
}
