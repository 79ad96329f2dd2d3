#include "core/net/url.h"

#include <arpa/inet.h>
#include <string.h>

static const struct scheme {
    const char *name;
    uint16_t port;
} schemes[] = {{"http", 80}, {"https", 443}, {"socks5", 1080}, {"socks5h", 1080}};

static const struct scheme *scheme_of(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (str_is(name, schemes[i].name))
            return &schemes[i];
    return NULL;
}

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || strchr("\"<>\\^`{|}#", text.ptr[i]) != NULL)
            return false;
    return true;
}

static bool read_port(struct str text, uint16_t *ret_port, struct err *err)
{
    uint64_t port;
    if (!str_to_u64(text, &port) || port == 0 || port > UINT16_MAX)
        return err_set(err, ERR_USAGE, "the port of the URL is no number from 1 to 65535");
    *ret_port = (uint16_t)port;
    return true;
}

static bool is_ipv6(struct arena *arena, struct str host)
{
    struct in6_addr address;
    return inet_pton(AF_INET6, str_c(arena, host), &address) == 1;
}

static bool is_host_name(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_')
            return false;
    }
    return host.len != 0 && host.len <= 253;
}

/* "host", "host:port", "[v6]" or "[v6]:port". */
static bool read_host(struct arena *arena, struct str text, struct url *url, struct err *err)
{
    bool bracket = text.len != 0 && text.ptr[0] == '[';
    size_t end = bracket ? str_find(text, ']') : str_find(text, ':');
    struct str host = str_slice(text, bracket, end);
    struct str rest = str_from(text, end + bracket);

    if (bracket ? end == text.len || !is_ipv6(arena, host) : !is_host_name(host))
        return err_set(err, ERR_USAGE, "the URL names no valid host");
    url->host = str_lower(arena, host);
    if (rest.len == 0)
        return true;
    if (rest.ptr[0] != ':')
        return err_set(err, ERR_USAGE, "the URL has text behind its host");
    return read_port(str_from(rest, 1), &url->port, err);
}

bool url_parse(struct arena *arena, struct str text, struct url *ret_url, struct err *err)
{
    struct url url = {0};
    if (text.len > 8192 || !is_plain(text))
        return err_set(err, ERR_USAGE, "the URL is too long or holds characters that must be escaped");

    size_t colon = str_find(text, ':');
    url.scheme = str_lower(arena, str_slice(text, 0, colon));
    const struct scheme *scheme = scheme_of(url.scheme);
    if (scheme == NULL || !str_starts(str_from(text, colon), STR("://")))
        return err_set(err, ERR_USAGE, "the URL does not start with https:// or another known scheme");
    url.port = scheme->port;

    struct str rest = str_from(text, colon + 3);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
        end++;
    struct str authority = str_slice(rest, 0, end);
    size_t at = str_rfind(authority, '@');
    if (at < authority.len) {
        url.user_info = str_slice(authority, 0, at);
        authority = str_from(authority, at + 1);
    }
    if (!read_host(arena, authority, &url, err))
        return false;

    url.query = str_from(rest, end);
    url.path = str_cut(&url.query, '?');
    if (url.path.len == 0)
        url.path = STR("/");
    *ret_url = url;
    return true;
}

bool url_is_tls(const struct url *url)
{
    return str_is(url->scheme, "https");
}

static struct str host_and_port(struct arena *arena, const struct url *url, bool port)
{
    bool v6 = str_find(url->host, ':') < url->host.len;
    struct str host = v6 ? str_fmt(arena, "[%.*s]", STR_ARG(url->host)) : url->host;
    return port ? str_fmt(arena, "%.*s:%u", STR_ARG(host), url->port) : host;
}

struct str url_authority(struct arena *arena, const struct url *url)
{
    const struct scheme *scheme = scheme_of(url->scheme);
    return host_and_port(arena, url, scheme == NULL || scheme->port != url->port);
}

struct str url_origin(struct arena *arena, const struct url *url)
{
    struct str authority = url_authority(arena, url);
    return str_fmt(arena, "%.*s://%.*s", STR_ARG(url->scheme), STR_ARG(authority));
}

bool url_is_loopback(const struct url *url)
{
    char host[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (str_is(url->host, "localhost"))
        return true;
    if (url->host.len >= sizeof host)
        return false;
    memcpy(host, url->host.ptr, url->host.len);
    host[url->host.len] = '\0';
    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool url_is_metadata(const struct url *url)
{
    static const struct str hosts[] = {STR_INIT("169.254.169.254"), STR_INIT("169.254.170.2"),
                                       STR_INIT("169.254.170.23"), STR_INIT("fd00:ec2::254"),
                                       STR_INIT("fd00:ec2::23")};
    return str_in(url->host, hosts, COUNT_OF(hosts));
}
