/* The security token service: keys for a role, for an hour. Source: AWS STS API Reference, version 2011-06-15. */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/net/url.h"
#include "core/store/aws_source.h"
#include "core/store/xml.h"

enum { MAX_TOKEN = 64 << 10, MAX_REPLY = 256 << 10 };

struct sts_call {
    const struct aws_sts *sts;
    const struct sigv4_keys *keys; /* NULL: not signed */
    struct str host, body_sha256;
};

static bool sign(void *ctx, struct arena *arena, struct http_request *request, struct err *err)
{
    const struct sts_call *call = ctx;
    struct sigv4_request what = {
        .method = "POST",
        .path = STR("/"),
        .body_sha256 = call->body_sha256,
        .region = call->sts->region,
        .service = STR("sts"),
        .time_ms = clock_now_ms(NULL),
    };
    if (call->keys == NULL)
        return true;
    http_add_header(arena, &request->headers, STR("Host"), call->host);
    http_add_header(arena, &request->headers, STR("x-amz-content-sha256"), call->body_sha256);
    sigv4_sign(arena, call->keys, &what, &request->headers);
    return true;
}

static struct str endpoint_of(struct arena *arena, const struct aws_sts *sts)
{
    if (sts->endpoint.len != 0)
        return sts->endpoint;
    return str_fmt(arena, "https://sts.%.*s.amazonaws.com%s", STR_ARG(sts->region),
                   str_starts(sts->region, STR("cn-")) ? ".cn" : "");
}

/* ---- what is asked ---- */

static bool form(struct arena *arena, const struct aws_role *role, struct str token, struct str *ret_form,
                 struct err *err)
{
    bool web = role->token_file.len != 0;
    struct sigv4_pair pairs[8];
    size_t count = 0;
    pairs[count++] =
        (struct sigv4_pair){STR("Action"), web ? STR("AssumeRoleWithWebIdentity") : STR("AssumeRole")};
    pairs[count++] = (struct sigv4_pair){STR("Version"), STR("2011-06-15")};
    pairs[count++] = (struct sigv4_pair){STR("RoleArn"), role->arn};
    pairs[count++] = (struct sigv4_pair){STR("RoleSessionName"), role->session_name};
    if (web)
        pairs[count++] = (struct sigv4_pair){STR("WebIdentityToken"), token};
    if (role->external_id.len != 0)
        pairs[count++] = (struct sigv4_pair){STR("ExternalId"), role->external_id};
    if (role->duration_seconds.len != 0)
        pairs[count++] = (struct sigv4_pair){STR("DurationSeconds"), role->duration_seconds};
    *ret_form = sigv4_query(arena, pairs, count);
    return true;
}

/* It is renewed by whoever mounts it: the file is read anew for every request. */
static bool read_token(struct arena *arena, const struct aws_role *role, struct str *ret_token,
                       struct err *err)
{
    struct str text = STR_NONE;
    if (role->token_file.len == 0)
        return true;
    if (!file_read(arena, str_c(arena, role->token_file), MAX_TOKEN, &text, err))
        return err_context(err, "web identity token");
    *ret_token = str_trim(text);
    return ret_token->len != 0 ||
           err_set(err, ERR_DENIED, "web identity token %.*s: it is empty", STR_ARG(role->token_file));
}

/* ---- what is answered ---- */

/* The service's code says what to do; its message may repeat what was sent. */
static bool refused(struct arena *arena, const struct http_reply *reply, const struct aws_role *role,
                    struct err *err)
{
    static const struct {
        const char *code, *next;
    } rows[] = {
        {"AccessDenied", "let the trust policy of the role allow it"},
        {"ExpiredToken", "the token is no longer valid: see that whoever mounts it renews it"},
        {"ExpiredTokenException", "the token is no longer valid: see that whoever mounts it renews it"},
        {"InvalidIdentityToken",
         "register the issuer of the token with the role's account, with its audience"},
        {"InvalidParameterValue", "check the role's ARN and the token file"},
        {"ValidationError", "check the role's ARN, session name and duration"},
        {"RegionDisabledException", "enable the service in this region, or set AWS_REGION to another"},
    };
    struct str code = STR_NONE;
    struct err ignored = {0};
    if (!xml_text(arena, reply->body, "ErrorResponse/Error/Code", &code, &ignored))
        code = STR_NONE;
    code = str_slice(code, 0, 64);
    enum err_code kind = reply->status >= 500 || reply->status == 429 ? ERR_UNREACHABLE : ERR_DENIED;
    err_set(err, kind, "role %.*s: the security token service refuses it: HTTP %d%s%.*s", STR_ARG(role->arn),
            reply->status, code.len ? ", " : "", STR_ARG(code));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_is(code, rows[i].code))
            return err_next(err, "%s", rows[i].next);
    return err_next(err, "check the role and who may assume it");
}

static bool credential(struct arena *arena, struct str xml, bool web, const char *name, struct str *ret_text,
                       struct err *err)
{
    const char *action = web ? "AssumeRoleWithWebIdentity" : "AssumeRole";
    struct str path = str_fmt(arena, "%sResponse/%sResult/Credentials/%s", action, action, name);
    return xml_text(arena, xml, path.ptr, ret_text, err);
}

static bool read_reply(struct arena *arena, struct str xml, bool web, struct aws_issued *ret_issued,
                       struct err *err)
{
    struct aws_issued issued = {0};
    struct str expires = STR_NONE;
    if (!credential(arena, xml, web, "AccessKeyId", &issued.keys.access_key, err) ||
        !credential(arena, xml, web, "SecretAccessKey", &issued.keys.secret_key, err) ||
        !credential(arena, xml, web, "SessionToken", &issued.keys.session_token, err) ||
        !credential(arena, xml, web, "Expiration", &expires, err))
        return false;
    if (!clock_parse_rfc3339(expires, &issued.expires_ms))
        return err_set(err, ERR_CORRUPT, "an expiration that is no time");
    *ret_issued = issued;
    return true;
}

bool aws_assume_role(struct arena *arena, const struct aws_sts *sts, const struct aws_role *role,
                     const struct sigv4_keys *keys, struct aws_issued *ret_issued, struct err *err)
{
    bool web = role->token_file.len != 0;
    struct http_options options = {.ca_pem = sts->endpoint.len ? sts->ca_pem : STR_NONE};
    struct sts_call call = {.sts = sts, .keys = web ? NULL : keys};
    struct str token = STR_NONE;
    struct http_request request = {.method = "POST", .max_body = MAX_REPLY, .prepare = sign, .ctx = &call};
    struct http_reply reply;
    struct http *http = NULL;
    struct url url;
    if (!read_token(arena, role, &token, err) || !form(arena, role, token, &request.body, err) ||
        !url_parse(arena, endpoint_of(arena, sts), &url, err))
        return err_context(err, "role %.*s", STR_ARG(role->arn));
    struct sha256 sha256 = sha256_of(request.body);
    call.body_sha256 = sha256_hex(arena, &sha256);
    call.host = url_authority(arena, &url);
    request.url = str_fmt(arena, "%.*s/", STR_ARG(url_origin(arena, &url)));
    http_add_header(arena, &request.headers, STR("Content-Type"), STR("application/x-www-form-urlencoded"));
    if (!http_open(arena, &options, &http, err))
        return false;
    bool answered = http_call(http, arena, &request, &reply, err);
    http_close(http);
    if (!answered)
        return err_context(err, "role %.*s", STR_ARG(role->arn));
    if (reply.status != 200)
        return refused(arena, &reply, role, err);
    return read_reply(arena, reply.body, web, ret_issued, err) ||
           err_context(err, "role %.*s: security token service", STR_ARG(role->arn));
}
