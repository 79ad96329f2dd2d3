#include "core/kube/helm.h"

#include <zlib.h>

#include "core/base/base64.h"
#include "core/base/buf.h"
#include "core/base/json.h"

#define RECORD_PREFIX "sh.helm.release.v1."

enum { INFLATE_STEP = 64 << 10, GZIP_WINDOW = 16 + MAX_WBITS };
static const struct json_limits LIMITS = {HELM_PAYLOAD_MAX, 100, 1 << 20};

static struct str label_of(const struct resource *resource, const char *key)
{
    return value_str_in(resource->object, PATH("metadata", "labels", key));
}

static bool is_helm3(const struct resource *resource)
{
    bool kept_in = resource_is(resource, "", "Secret") || resource_is(resource, "", "ConfigMap");
    bool typed = str_is(value_str(value_key(resource->object, "type")), "helm.sh/release.v1");
    return kept_in && (typed || (str_is(label_of(resource, "owner"), "helm") &&
                                 str_starts(resource->name, STR(RECORD_PREFIX))));
}

bool helm_is_record(const struct resource *resource)
{
    return is_helm3(resource) ||
           (resource_is(resource, "", "ConfigMap") && str_is(label_of(resource, "OWNER"), "TILLER"));
}

bool helm_release_of(const struct resource *record, struct helm_release *ret_release)
{
    struct str rest = str_from(record->name, sizeof RECORD_PREFIX - 1);
    size_t cut = str_rfind(rest, '.');
    if (!is_helm3(record) || !str_starts(record->name, STR(RECORD_PREFIX)) || cut == rest.len)
        return false;
    struct helm_release release = {.namespace = record->namespace,
                                   .name = str_slice(rest, 0, cut),
                                   .status = label_of(record, "status")};
    if (!str_starts(str_from(rest, cut), STR(".v")) ||
        !str_to_u64(str_from(rest, cut + 2), &release.revision))
        return false;
    *ret_release = release;
    return true;
}

/* A view into `out` that ends with it. */
static bool inflate_all(struct str gzip, struct buf *out)
{
    z_stream stream = {.next_in = (unsigned char *)gzip.ptr, .avail_in = (unsigned)gzip.len};
    unsigned char step[INFLATE_STEP];
    int state = Z_OK;
    if (gzip.len > HELM_PAYLOAD_MAX || inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return false;
    while (state == Z_OK && buf_ok(out)) {
        stream.next_out = step;
        stream.avail_out = sizeof step;
        state = inflate(&stream, Z_NO_FLUSH);
        buf_append(out, step, sizeof step - stream.avail_out);
        if (stream.avail_out != 0 && stream.avail_in == 0 && state == Z_OK)
            state = Z_BUF_ERROR; /* it ends before its end */
    }
    inflateEnd(&stream);
    return state == Z_STREAM_END && buf_ok(out);
}

static struct str text_at(struct arena *arena, const struct value *map, const char *key)
{
    return str_dup(arena, value_str(value_key(map, key)));
}

bool helm_read_payload(struct arena *arena, struct str gzip, struct helm_release *release)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct buf text CLEANUP(buf_done);
    const struct value *root;
    struct err ignored;
    buf_init(&text, HELM_PAYLOAD_MAX);
    if (!inflate_all(gzip, &text) || !json_parse(scratch, buf_view(&text), &LIMITS, &root, &ignored))
        return false;
    const struct value *chart = value_in(root, PATH("chart", "metadata"));
    release->chart = text_at(arena, chart, "name");
    release->chart_version = text_at(arena, chart, "version");
    release->app_version = text_at(arena, chart, "appVersion");
    if (release->status.len == 0)
        release->status = str_dup(arena, value_str_in(root, PATH("info", "status")));
    return true;
}

void helm_read_chart(struct arena *arena, const struct resource *record, struct helm_release *release)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str text = value_str_in(record->object, PATH("data", "release"));
    if (resource_is(record, "", "Secret") && !base64_decode(scratch, text, BASE64_STANDARD, &text))
        return;
    if (base64_decode(scratch, text, BASE64_STANDARD, &text))
        helm_read_payload(arena, text, release);
}
