/* What lies in the bucket: objects page by page, the versions of one object. */
#include "core/base/clock.h"
#include "core/store/s3_intern.h"
#include "core/store/xml.h"

struct listing {
    const struct s3 *s3;
    struct arena *arena;
    struct store_page *page;
    struct store_info item;
    bool complete; /* IsTruncated was there */
};

static bool end_of_item(struct listing *l, struct err *err)
{
    struct str prefix = l->s3->place.prefix;
    if (!str_starts(l->item.key, prefix))
        return err_set(err, ERR_CORRUPT, "the store lists a key that was not asked for");
    l->item.key = str_from(l->item.key, prefix.len);
    *ARENA_PUSH(l->arena, l->page) = l->item;
    l->item = (struct store_info){0};
    return true;
}

static bool take_element(void *ctx, struct str path, struct str text, struct err *err)
{
    struct listing *l = ctx;
    if (str_is(path, "ListBucketResult/IsTruncated")) {
        l->complete = true;
        l->page->more = str_is(text, "true");
    } else if (str_is(path, "ListBucketResult/Contents/Key")) {
        l->item.key = str_dup(l->arena, text);
    } else if (str_is(path, "ListBucketResult/Contents/Size")) {
        return str_to_u64(text, &l->item.bytes) || err_set(err, ERR_CORRUPT, "a size that is no number");
    } else if (str_is(path, "ListBucketResult/Contents/LastModified")) {
        return clock_parse_rfc3339(text, &l->item.modified_ms) ||
               err_set(err, ERR_CORRUPT, "a time that is no time");
    } else if (str_is(path, "ListBucketResult/Contents")) {
        return end_of_item(l, err);
    }
    return true;
}

bool s3_list(struct store *store, struct arena *arena, struct str prefix, struct str after, size_t limit,
             struct store_page *page, struct err *err)
{
    struct s3 *s3 = (struct s3 *)store;
    struct s3_call call = s3_call_new(s3, arena, "GET", STR_NONE);
    struct listing listing = {.s3 = s3, .arena = arena, .page = page};
    struct http_reply reply;
    struct sigv4_pair pairs[] = {
        {STR("list-type"), STR("2")},
        {STR("max-keys"), str_fmt(arena, "%zu", limit)},
        {STR("prefix"), str_fmt(arena, "%.*s%.*s", STR_ARG(s3->place.prefix), STR_ARG(prefix))},
        {STR("start-after"), str_fmt(arena, "%.*s%.*s", STR_ARG(s3->place.prefix), STR_ARG(after))},
    };
    call.query = sigv4_query(arena, pairs, after.len ? 4 : 3);
    if (!s3_perform(&call, arena, &reply, err))
        return err_context(err, "list %.*s", STR_ARG(prefix));
    if (!xml_read(reply.body, take_element, &listing, err))
        return err_context(err, "list %.*s", STR_ARG(prefix));
    return listing.complete || err_set(err, ERR_CORRUPT, "list %.*s: the reply is no list", STR_ARG(prefix));
}

/* ---- versions ---- */

struct versions {
    struct arena *arena;
    struct str wanted; /* the whole key */
    struct str_list *found;
    struct str key, version, next_key, next_version;
    bool more, complete;
};

/* Versions and delete markers come in one list, the newest of a key first. */
static bool take_version(void *ctx, struct str path, struct str text, struct err *err)
{
    struct versions *v = ctx;
    struct str part = path;
    if (str_is(path, "ListVersionsResult/IsTruncated")) {
        v->complete = true;
        v->more = str_is(text, "true");
    } else if (str_is(path, "ListVersionsResult/NextKeyMarker")) {
        v->next_key = str_dup(v->arena, text);
    } else if (str_is(path, "ListVersionsResult/NextVersionIdMarker")) {
        v->next_version = str_dup(v->arena, text);
    }
    str_cut(&part, '/');
    struct str kind = str_cut(&part, '/');
    if (!str_is(kind, "Version") && !str_is(kind, "DeleteMarker"))
        return true;
    if (str_is(part, "Key")) {
        v->key = str_dup(v->arena, text);
    } else if (str_is(part, "VersionId")) {
        v->version = str_dup(v->arena, text);
    } else if (part.len == 0 && str_eq(v->key, v->wanted)) {
        *ARENA_PUSH(v->arena, v->found) = v->version;
    }
    return true;
}

static bool versions_page(struct s3 *s3, struct versions *v, struct err *err)
{
    struct s3_call call = s3_call_new(s3, v->arena, "GET", STR_NONE);
    struct http_reply reply;
    struct sigv4_pair pairs[] = {
        {STR("versions"), STR_NONE},
        {STR("prefix"), v->wanted},
        {STR("key-marker"), v->next_key},
        {STR("version-id-marker"), v->next_version},
    };
    call.query = sigv4_query(v->arena, pairs, v->next_key.len ? 4 : 2);
    v->complete = v->more = false;
    if (!s3_perform(&call, v->arena, &reply, err) || !xml_read(reply.body, take_version, v, err))
        return false;
    return v->complete || err_set(err, ERR_CORRUPT, "the reply is no list of versions");
}

bool s3_versions(struct s3 *s3, struct arena *arena, struct str key, struct str_list *ret_versions,
                 struct err *err)
{
    struct str_list found = {0};
    struct versions v = {.arena = arena, .found = &found};
    v.wanted = str_fmt(arena, "%.*s%.*s", STR_ARG(s3->place.prefix), STR_ARG(key));
    do {
        if (!versions_page(s3, &v, err))
            return err_context(err, "list versions of %.*s", STR_ARG(key));
    } while (v.more && v.next_key.len != 0 && str_eq(v.next_key, v.wanted));
    *ret_versions = found;
    return true;
}
