/* url.h — a URL taken apart (RFC 3986, the part of it that servers and proxies need).
 *
 * Reads http, https, socks5 and socks5h URLs with a host. Only printable ASCII passes: what needs escaping must come
 * escaped. Views point into the text given or into the arena. User info is kept apart and never printed: messages
 * hold url_origin only. Fails with USAGE, and never repeats the URL in the message.
 */
#pragma once
#include "core/base/base.h"

struct url {
    struct str scheme;    /* lower case */
    struct str user_info; /* as it stood before '@'; a secret */
    struct str host;      /* lower case, an IPv6 address without its brackets */
    uint16_t port;        /* the scheme's own when none was given */
    struct str path;      /* "/" when there was none */
    struct str query;     /* without '?' */
};

bool url_parse(struct arena *arena, struct str text, struct url *ret_url, struct err *err) WARN_UNUSED;
/* "host" or "host:port" where the port is not the scheme's own: what a Host header says. */
struct str url_authority(struct arena *arena, const struct url *url);
/* "https://host:port", for messages. */
struct str url_origin(struct arena *arena, const struct url *url);
bool url_is_tls(const struct url *url);
/* 127.0.0.0/8, ::1 and the name localhost. */
bool url_is_loopback(const struct url *url);
/* The link-local addresses at which clouds give a machine or a container its credentials: 169.254.169.254,
 * 169.254.170.2, 169.254.170.23, fd00:ec2::254 and fd00:ec2::23. */
bool url_is_metadata(const struct url *url);
