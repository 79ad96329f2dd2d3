/* Reading one type page by page, item by item.
 *
 * The first page fixes the moment: its continue token carries the resource version on, and every page must answer
 * with it. A token that grew old gives 410, and in its place a new one that goes on at another moment; that one is
 * never taken, the list starts again. A page counts once it was whole: what came of one that was cut goes back. */
#include <stdio.h>

#include "core/base/json.h"
#include "core/kube/kube_intern.h"
#include "core/kube/split.h"

enum { PAGE = 500, MAX_STARTS = 4, MAX_PAGES = 1 << 22 };

struct reading {
    struct kube *kube;
    struct arena *arena; /* of one page */
    const struct kube_list_query *query;
    const struct kube_list_sink *sink;
    struct split split;
    struct kube_list_end end;
    struct buf token; /* of the next page; empty after the last */
    bool first;       /* no page has come yet */
    struct err *err;
};

static struct str page_path(struct reading *r)
{
    struct arena *arena = r->arena;
    const struct kube_list_query *query = r->query;
    struct str path = kube_path(arena, query->type, query->namespace, STR_NONE), token = buf_view(&r->token);
    path = str_fmt(arena, "%.*s?limit=%d", STR_ARG(path), PAGE);
    if (query->labels.len != 0) {
        struct str labels = http_escape(arena, query->labels, false);
        path = str_fmt(arena, "%.*s&labelSelector=%.*s", STR_ARG(path), STR_ARG(labels));
    }
    if (token.len != 0) { /* the version is in the token; the server refuses to hear it twice */
        struct str escaped = http_escape(arena, token, false);
        return str_fmt(arena, "%.*s&continue=%.*s", STR_ARG(path), STR_ARG(escaped));
    }
    if (query->exact.len == 0)
        return path;
    return str_fmt(arena, "%.*s&resourceVersion=%.*s&resourceVersionMatch=Exact", STR_ARG(path),
                   STR_ARG(query->exact));
}

/* Items of built-in types come without apiVersion and kind; they go in front, where people look for them. */
static const struct value *whole_item(struct arena *arena, const struct resource_type *type,
                                      const struct value *item)
{
    bool has_version = value_key(item, "apiVersion") != NULL, has_kind = value_key(item, "kind") != NULL;
    if (!value_is(item, VALUE_MAP) || (has_version && has_kind))
        return item;
    struct str version = type->group.len
                             ? str_fmt(arena, "%.*s/%.*s", STR_ARG(type->group), STR_ARG(type->version))
                             : type->version;
    struct value_map_builder map = {.items = ARENA_ARRAY(arena, struct member, value_count(item) + 2),
                                    .cap = value_count(item) + 2};
    if (!has_version)
        value_put(arena, &map, STR("apiVersion"), value_string(arena, version));
    if (!has_kind)
        value_put(arena, &map, STR("kind"), value_string(arena, type->kind));
    MEMBER_EACH(member, item)
        value_put(arena, &map, member->key, &member->value);
    return value_map_done(arena, &map);
}

bool kube_list_item(struct arena *arena, const struct resource_type *type, struct str text,
                    const struct value **ret_item, struct err *err)
{
    const struct value *item;
    if (!json_parse(arena, text, NULL, &item, err)) {
        err->code = err->code == ERR_INVALID ? ERR_CORRUPT : err->code;
        return err_context(err, "an item of the list");
    }
    *ret_item = whole_item(arena, type, item);
    return true;
}

/* ---- one page ---- */

static bool on_body(void *ctx, struct str piece, struct err *err)
{
    struct reading *r = ctx;
    return split_feed(&r->split, piece, err);
}

static void restart(void *ctx)
{
    struct reading *r = ctx;
    split_again(&r->split);
    r->sink->back(r->sink->ctx, KUBE_PAGE);
}

/* The versions of all pages are one, or the list is of no moment at all. */
static bool take_version(struct reading *r, struct str version)
{
    if (r->first)
        snprintf(r->end.resource_version, sizeof r->end.resource_version, "%.*s", STR_ARG(version));
    r->first = false;
    if (str_is(version, r->end.resource_version))
        return true;
    r->end.mixed = true;
    return err_set(r->err, ERR_CONFLICT, "its pages are of different moments (resourceVersion %s and %.*s)",
                   r->end.resource_version, STR_ARG(version));
}

static bool read_page(struct reading *r)
{
    struct kube_request request = {
        .method = "GET", .path = page_path(r), .on_body = on_body, .restart = restart, .ctx = r};
    const struct value *metadata;
    struct kube_reply reply;

    split_again(&r->split);
    r->sink->begin(r->sink->ctx, KUBE_PAGE);
    r->end.status = 0;
    if (!kube_exchange(r->kube, r->arena, &request, &reply, r->err))
        return false;
    r->end.status = reply.status;
    if (reply.status >= 300)
        return kube_fail(r->kube, &reply, r->err);
    if (!split_end(&r->split, r->arena, &metadata, r->err) ||
        !take_version(r, value_str(value_key(metadata, "resourceVersion"))))
        return false;
    struct str token = value_str(value_key(metadata, "continue"));
    if (token.len != 0 && str_eq(token, buf_view(&r->token)))
        return err_set(r->err, ERR_CORRUPT, "the continue token leads back to the same page");
    buf_clear(&r->token);
    buf_str(&r->token, token);
    return buf_ok(&r->token) || err_set(r->err, ERR_LIMIT, "the continue token is beyond all measure");
}

static bool read_pages(struct reading *r)
{
    r->end = (struct kube_list_end){0};
    r->first = true;
    buf_clear(&r->token);
    r->sink->begin(r->sink->ctx, KUBE_LIST);
    for (size_t i = 0; i < MAX_PAGES; i++) {
        arena_reset(r->arena);
        if (!read_page(r)) {
            r->sink->back(r->sink->ctx, KUBE_LIST);
            return false;
        }
        if (r->token.len == 0)
            return true;
    }
    r->sink->back(r->sink->ctx, KUBE_LIST);
    return err_set(r->err, ERR_LIMIT, "the list has no end");
}

bool kube_list_each(struct kube *kube, const struct kube_list_query *query, const struct kube_list_sink *sink,
                    struct kube_list_end *ret_end, struct err *err)
{
    struct reading r = {.kube = kube, .arena = arena_new(), .query = query, .sink = sink, .err = err};
    buf_init(&r.token, KUBE_TOKEN_MAX);
    split_init(&r.split, &(struct split_sink){sink->item, sink->ctx}, KUBE_ITEM_MAX);
    bool read = read_pages(&r);
    for (int i = 1; i < MAX_STARTS && !read && (r.end.status == 410 || r.end.mixed) && query->exact.len == 0;
         i++)
        read = read_pages(&r);
    split_done(&r.split);
    buf_done(&r.token);
    arena_free(r.arena);
    *ret_end = r.end;
    return read || err_context(err, "list %.*s", STR_ARG(query->type->plural));
}

/* ---- a list as one array ---- */

struct collecting {
    struct arena *arena;
    const struct resource_type *type;
    struct kube_list list;
    size_t marks[2]; /* by enum kube_extent */
};

static void collect_begin(void *ctx, enum kube_extent extent)
{
    struct collecting *c = ctx;
    c->marks[extent] = c->list.count;
}

static void collect_back(void *ctx, enum kube_extent extent)
{
    struct collecting *c = ctx;
    c->list.count = c->marks[extent];
}

static bool collect_item(void *ctx, struct str text, struct err *err)
{
    struct collecting *c = ctx;
    const struct value *item;
    if (!kube_list_item(c->arena, c->type, str_dup(c->arena, text), &item, err))
        return false;
    *ARENA_PUSH(c->arena, &c->list) = item;
    return true;
}

bool kube_list(struct kube *kube, struct arena *arena, const struct resource_type *type, struct str namespace,
               struct str resource_version, struct kube_list *ret_list, struct err *err)
{
    struct collecting c = {.arena = arena, .type = type};
    const struct kube_list_query query = {.type = type, .namespace = namespace, .exact = resource_version};
    const struct kube_list_sink sink = {
        .item = collect_item, .begin = collect_begin, .back = collect_back, .ctx = &c};
    struct kube_list_end end;
    if (!kube_list_each(kube, &query, &sink, &end, err))
        return false;
    c.list.resource_version = str_dup(arena, str_of(end.resource_version));
    *ret_list = c.list;
    return true;
}
