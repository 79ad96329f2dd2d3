/* Keys that the machine or the pod gives: the container's endpoint and the instance metadata service.
 *
 * Both speak plain http on link-local addresses, which leave the machine no further than its own hypervisor or agent;
 * nothing else is asked without TLS. Sources: "Container credential provider" of the AWS SDKs reference, "Use IMDSv2" of
 * the EC2 guide. Version 1 of the metadata service is not used: any process that can be made to fetch a URL reads it.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/net/url.h"
#include "core/store/aws_profile.h"
#include "core/store/aws_source.h"

enum { MAX_REPLY = 64 << 10, MAX_TOKEN = 64 << 10 };

/* On a machine without such a service nobody answers at these addresses. */
static const struct retry_policy FEW = {
    .attempts = 3, .attempts_unknown = 2, .first_ms = 100, .most_ms = 1000, .most_retry_after_ms = 5000};

static bool open_client(struct arena *arena, struct http **ret_http, struct err *err)
{
    struct http_options options = {
        .metadata = true, .connect_timeout_ms = 1000, .idle_timeout_ms = 5000, .retry = &FEW};
    return http_open(arena, &options, ret_http, err);
}

static bool ask(struct http *http, struct arena *arena, const char *method, struct str url,
                const char *header, struct str value, struct http_reply *ret_reply, struct err *err)
{
    struct http_request request = {.method = method, .url = url, .max_body = MAX_REPLY};
    if (value.len != 0)
        http_add_header(arena, &request.headers, str_of(header), value);
    return http_call(http, arena, &request, ret_reply, err);
}

static bool text_of(const struct value *document, const char *key, struct str *ret_text, struct err *err)
{
    *ret_text = value_str(value_key(document, key));
    return ret_text->len != 0 || err_set(err, ERR_CORRUPT, "the reply holds no %s", key);
}

static bool read_keys(struct arena *arena, struct str json, struct aws_issued *ret_issued, struct err *err)
{
    struct aws_issued issued = {0};
    const struct value *document;
    struct str expires;
    if (!json_parse(arena, json, NULL, &document, err)) {
        err->code = ERR_CORRUPT;
        return false;
    }
    if (!text_of(document, "AccessKeyId", &issued.keys.access_key, err) ||
        !text_of(document, "SecretAccessKey", &issued.keys.secret_key, err) ||
        !text_of(document, "Token", &issued.keys.session_token, err) ||
        !text_of(document, "Expiration", &expires, err))
        return false;
    if (!clock_parse_rfc3339(expires, &issued.expires_ms))
        return err_set(err, ERR_CORRUPT, "an expiration that is no time");
    *ret_issued = issued;
    return true;
}

/* ---- the container ---- */

bool aws_has_container(void)
{
    return aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").len != 0 ||
           aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI").len != 0;
}

static bool container_url(struct arena *arena, struct str *ret_url, struct err *err)
{
    struct str path = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if (path.len == 0) {
        *ret_url = str_dup(arena, aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
        return true;
    }
    if (path.ptr[0] != '/')
        return err_set(err, ERR_USAGE, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not start with /");
    *ret_url = str_fmt(arena, "http://169.254.170.2%.*s", STR_ARG(path));
    return true;
}

/* The file is renewed by whoever mounts it. */
static bool container_token(struct arena *arena, struct str *ret_token, struct err *err)
{
    struct str file = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    *ret_token = str_dup(arena, aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    if (file.len == 0)
        return true;
    if (!file_read(arena, str_c(arena, file), MAX_TOKEN, ret_token, err))
        return false;
    *ret_token = str_trim(*ret_token);
    return true;
}

bool aws_from_container(struct arena *arena, struct aws_issued *ret_issued, struct err *err)
{
    struct str url = STR_NONE, token = STR_NONE;
    struct http_reply reply;
    struct http *http = NULL;
    if (!container_url(arena, &url, err) || !container_token(arena, &token, err) ||
        !open_client(arena, &http, err))
        return err_context(err, "credentials of the container");
    bool answered = ask(http, arena, "GET", url, "Authorization", token, &reply, err);
    http_close(http);
    if (answered && reply.status != 200) {
        answered = err_set(err, ERR_DENIED, "HTTP %d", reply.status);
        err_next(err, "check the role that the task or the service account has");
    }
    return (answered && read_keys(arena, reply.body, ret_issued, err)) ||
           err_context(err, "credentials of the container");
}

/* ---- the instance ---- */

#define ROLES "/latest/meta-data/iam/security-credentials/"

static struct str instance_origin(struct arena *arena)
{
    struct str endpoint = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    while (endpoint.len != 0 && endpoint.ptr[endpoint.len - 1] == '/')
        endpoint.len--;
    if (endpoint.len != 0)
        return str_dup(arena, endpoint);
    bool v6 = str_eq_nocase(aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), STR("ipv6"));
    return v6 ? STR("http://[fd00:ec2::254]") : STR("http://169.254.169.254");
}

static bool no_role(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "the machine has no role");
}

static bool instance_keys(struct http *http, struct arena *arena, struct aws_issued *ret_issued,
                          struct err *err)
{
    static const char TOKEN[] = "X-aws-ec2-metadata-token";
    struct str origin = instance_origin(arena);
    struct http_reply reply;
    if (!ask(http, arena, "PUT", str_fmt(arena, "%.*s/latest/api/token", STR_ARG(origin)),
             "X-aws-ec2-metadata-token-ttl-seconds", STR("21600"), &reply, err))
        return false;
    if (reply.status != 200)
        return err_set(err, ERR_NOT_FOUND, "it gives no token: HTTP %d", reply.status);
    struct str token = str_trim(reply.body);
    if (!ask(http, arena, "GET", str_fmt(arena, "%.*s" ROLES, STR_ARG(origin)), TOKEN, token, &reply, err))
        return false;
    struct str role = str_trim(reply.body);
    role = http_escape(arena, str_trim(str_cut(&role, '\n')), false);
    if (reply.status != 200 || role.len == 0)
        return no_role(err);
    struct str url = str_fmt(arena, "%.*s" ROLES "%.*s", STR_ARG(origin), STR_ARG(role));
    if (!ask(http, arena, "GET", url, TOKEN, token, &reply, err))
        return false;
    return reply.status == 200 ? read_keys(arena, reply.body, ret_issued, err) : no_role(err);
}

bool aws_from_instance(struct arena *arena, struct aws_issued *ret_issued, struct err *err)
{
    struct http *http = NULL;
    if (str_eq_nocase(aws_env("AWS_EC2_METADATA_DISABLED"), STR("true")))
        return err_set(err, ERR_NOT_FOUND, "the instance metadata service is switched off");
    if (!open_client(arena, &http, err))
        return false;
    bool got = instance_keys(http, arena, ret_issued, err);
    http_close(http);
    return got || err_context(err, "instance metadata service");
}
