/* URLs taken apart; what is not one is refused without being repeated. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/net/url.h"

Test(url, parts)
{
    static const struct {
        const char *text, *scheme, *user, *host, *path, *query, *authority;
        unsigned port;
        bool loopback;
    } cases[] = {
        {"https://example.com", "https", "", "example.com", "/", "", "example.com", 443, false},
        {"HTTPS://Example.COM:6443/a%20b?x=1?y", "https", "", "example.com", "/a%20b", "x=1?y",
         "example.com:6443", 6443, false},
        {"https://example.com:443?x", "https", "", "example.com", "/", "x", "example.com", 443, false},
        {"http://127.9.9.9:80/", "http", "", "127.9.9.9", "/", "", "127.9.9.9", 80, true},
        {"http://localhost:9000/b/", "http", "", "localhost", "/b/", "", "localhost:9000", 9000, true},
        {"https://[::1]:6443/", "https", "", "::1", "/", "", "[::1]:6443", 6443, true},
        {"https://[fe80::1]", "https", "", "fe80::1", "/", "", "[fe80::1]", 443, false},
        {"http://u:p%40@proxy:3128", "http", "u:p%40", "proxy", "/", "", "proxy:3128", 3128, false},
        {"socks5://proxy", "socks5", "", "proxy", "/", "", "proxy", 1080, false},
        {"http://localhost.example.com", "http", "", "localhost.example.com", "/", "",
         "localhost.example.com", 80, false},
        {"http://127.1/", "http", "", "127.1", "/", "", "127.1", 80, false},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct url url;
        struct err err;
        cr_assert(url_parse(arena, str_of(cases[i].text), &url, &err), "%s: %s", cases[i].text, err.msg);
        cr_expect(str_is(url.scheme, cases[i].scheme), "%s", cases[i].text);
        cr_expect(str_is(url.user_info, cases[i].user), "%s", cases[i].text);
        cr_expect(str_is(url.host, cases[i].host), "%s", cases[i].text);
        cr_expect(str_is(url.path, cases[i].path), "%s", cases[i].text);
        cr_expect(str_is(url.query, cases[i].query), "%s", cases[i].text);
        cr_expect(str_is(url_authority(arena, &url), cases[i].authority), "%s", cases[i].text);
        cr_expect_eq(url.port, cases[i].port, "%s", cases[i].text);
        cr_expect_eq(url_is_loopback(&url), cases[i].loopback, "%s", cases[i].text);
    }
    arena_free(arena);
}

Test(url, what_is_none)
{
    static const char *const texts[] = {
        "",
        "example.com",
        "https:/example.com",
        "https://",
        "https://:443",
        "https:///path",
        "file:///etc/passwd",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:hunter2",
        "https://[::1",
        "https://[::g]",
        "https://[::1]x",
        "https://exa mple.com",
        "https://example.com/\n",
        "https://example.com/#fragment",
        "https://exämple.com",
        "https://example.com%2f@evil",
        "https://u:hunter2@a b",
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct url url;
        struct err err = {0};
        bool read = url_parse(arena, str_of(texts[i]), &url, &err);
        if (!strcmp(texts[i], "https://example.com%2f@evil")) { /* all before '@' is user info */
            cr_expect(read && str_is(url.host, "evil"));
            continue;
        }
        cr_expect_not(read, "%s", texts[i]);
        cr_expect_eq(err.code, ERR_USAGE, "%s", texts[i]);
        cr_expect_not(strstr(err.msg, "hunter2"), "%s", err.msg);
    }
    arena_free(arena);
}
