/* SigV4 against the examples that AWS published: the S3 API Reference ("Authenticating Requests: Using the
 * Authorization Header") and the signature test suite of the General Reference. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/sha256.h"
#include "core/store/sigv4.h"

static const struct sigv4_keys s3_keys = {
    STR_INIT("AKIAIOSFODNN7EXAMPLE"), STR_INIT("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), {NULL, 0}};
static const struct sigv4_keys suite_keys = {
    STR_INIT("AKIDEXAMPLE"), STR_INIT("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), {NULL, 0}};
#define S3_TIME    1369353600000 /* 2013-05-24T00:00:00Z */
#define SUITE_TIME 1440938160000 /* 2015-08-30T12:36:00Z */

static const struct example {
    const char *name, *method, *path;
    struct sigv4_pair query[2];
    struct http_header headers[4];
    const char *body, *signature;
    bool suite;
} examples[] = {
    {.name = "S3 GET object with a range",
     .method = "GET",
     .path = "/test.txt",
     .headers = {{STR_INIT("Host"), STR_INIT("examplebucket.s3.amazonaws.com")},
                 {STR_INIT("Range"), STR_INIT("bytes=0-9")}},
     .body = "",
     .signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {.name = "S3 PUT object",
     .method = "PUT",
     .path = "/test%24file.text",
     .headers = {{STR_INIT("Host"), STR_INIT("examplebucket.s3.amazonaws.com")},
                 {STR_INIT("Date"), STR_INIT("Fri, 24 May 2013 00:00:00 GMT")},
                 {STR_INIT("x-amz-storage-class"), STR_INIT("REDUCED_REDUNDANCY")}},
     .body = "Welcome to Amazon S3.",
     .signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {.name = "S3 GET bucket lifecycle",
     .method = "GET",
     .path = "/",
     .query = {{STR_INIT("lifecycle"), STR_INIT("")}},
     .headers = {{STR_INIT("Host"), STR_INIT("examplebucket.s3.amazonaws.com")}},
     .body = "",
     .signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {.name = "S3 list objects",
     .method = "GET",
     .path = "/",
     .query = {{STR_INIT("prefix"), STR_INIT("J")}, {STR_INIT("max-keys"), STR_INIT("2")}},
     .headers = {{STR_INIT("Host"), STR_INIT("examplebucket.s3.amazonaws.com")}},
     .body = "",
     .signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    {.name = "get-vanilla",
     .method = "GET",
     .path = "/",
     .headers = {{STR_INIT("Host"), STR_INIT("example.amazonaws.com")}},
     .body = "",
     .suite = true,
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {.name = "get-vanilla-query-order-key-case",
     .method = "GET",
     .path = "/",
     .query = {{STR_INIT("Param2"), STR_INIT("value2")}, {STR_INIT("Param1"), STR_INIT("value1")}},
     .headers = {{STR_INIT("Host"), STR_INIT("example.amazonaws.com")}},
     .body = "",
     .suite = true,
     .signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {.name = "post-vanilla",
     .method = "POST",
     .path = "/",
     .headers = {{STR_INIT("Host"), STR_INIT("example.amazonaws.com")}},
     .body = "",
     .suite = true,
     .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {.name = "get-header-value-trim",
     .method = "GET",
     .path = "/",
     .headers = {{STR_INIT("Host"), STR_INIT("example.amazonaws.com")},
                 {STR_INIT("My-Header1"), STR_INIT(" value1")},
                 {STR_INIT("My-Header2"), STR_INIT(" \"a   b   c\"")}},
     .body = "",
     .suite = true,
     .signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
};

static struct str authorization_of(struct arena *arena, const struct example *e)
{
    struct sha256 sha256 = sha256_of(str_of(e->body));
    size_t pairs = 0;
    struct http_headers headers = {0};
    while (pairs < COUNT_OF(e->query) && e->query[pairs].name.len != 0)
        pairs++;
    for (size_t i = 0; i < COUNT_OF(e->headers) && e->headers[i].name.len != 0; i++)
        http_add_header(arena, &headers, e->headers[i].name, e->headers[i].value);
    struct sigv4_request request = {
        .method = e->method,
        .path = str_of(e->path),
        .query = sigv4_query(arena, e->query, pairs),
        .body_sha256 = sha256_hex(arena, &sha256),
        .region = STR("us-east-1"),
        .service = e->suite ? STR("service") : STR("s3"),
        .time_ms = e->suite ? SUITE_TIME : S3_TIME,
    };
    if (!e->suite)
        http_add_header(arena, &headers, STR("x-amz-content-sha256"), request.body_sha256);
    sigv4_sign(arena, e->suite ? &suite_keys : &s3_keys, &request, &headers);
    return http_header(&headers, STR("Authorization"));
}

Test(sigv4, published_examples)
{
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct str authorization = authorization_of(arena, &examples[i]);
        cr_expect(str_ends(authorization, str_of(examples[i].signature)), "%s: %.*s", examples[i].name,
                  STR_ARG(authorization));
    }
    struct str whole = authorization_of(arena, &examples[3]);
    cr_expect(
        str_starts(whole, STR("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                              "aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=")),
        "%.*s", STR_ARG(whole));
    arena_free(arena);
}

Test(sigv4, a_session_token_is_sent_and_signed)
{
    struct arena *arena = arena_new();
    struct sigv4_keys keys = suite_keys;
    struct http_headers headers = {0};
    keys.session_token = STR("token/with+odd=characters");
    http_add_header(arena, &headers, STR("Host"), STR("example.amazonaws.com"));
    struct sigv4_request request = {
        .method = "GET", .path = STR("/"), .region = STR("r"), .service = STR("s3")};
    sigv4_sign(arena, &keys, &request, &headers);
    cr_expect(str_eq(http_header(&headers, STR("X-Amz-Security-Token")), keys.session_token));
    cr_expect(str_contains(http_header(&headers, STR("Authorization")),
                           STR("SignedHeaders=host;x-amz-date;x-amz-security-token,")));
    arena_free(arena);
}

Test(sigv4, queries_are_escaped_and_sorted_by_what_they_escape_to)
{
    static const struct sigv4_pair pairs[] = {
        {STR_INIT("start-after"), STR_INIT("a b/c+d=\xC3\xA9~*")},
        {STR_INIT("a"), STR_INIT("2")},
        {STR_INIT("uploads"), STR_INIT("")},
        {STR_INIT("a"), STR_INIT("1")},
        {STR_INIT("A"), STR_INIT("3")},
    };
    struct arena *arena = arena_new();
    struct str query = sigv4_query(arena, pairs, COUNT_OF(pairs));
    cr_expect(str_is(query, "A=3&a=1&a=2&start-after=a%20b%2Fc%2Bd%3D%C3%A9~%2A&uploads="), "%.*s",
              STR_ARG(query));
    cr_expect_eq(sigv4_query(arena, NULL, 0).len, 0);
    arena_free(arena);
}
