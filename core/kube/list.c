/* Reading one type page by page.
 *
 * The first page fixes the moment: its continue token carries the resource version on, and every page must answer
 * with it. A token that grew old gives 410, and in its place a new one that goes on at another moment; that one is
 * never taken, the list starts again. */
#include "core/kube/kube_intern.h"

enum { PAGE = 500, MAX_STARTS = 4, MAX_PAGES = 1 << 20 };
static const size_t MAX_PAGE_BYTES = (size_t)512 << 20;

struct reading {
    struct kube *kube;
    struct arena *arena;
    const struct resource_type *type;
    struct str path, exact; /* `exact` empty: whatever the server has */
    struct kube_list list;
    int status; /* of the last answer; 0: none came */
    struct err *err;
};

static struct str page_path(struct reading *r, struct str token)
{
    struct arena *arena = r->arena;
    if (token.len != 0) { /* the version is in the token; the server refuses to hear it twice */
        struct str escaped = http_escape(arena, token, false);
        return str_fmt(arena, "%.*s?limit=%d&continue=%.*s", STR_ARG(r->path), PAGE, STR_ARG(escaped));
    }
    if (r->exact.len == 0)
        return str_fmt(arena, "%.*s?limit=%d", STR_ARG(r->path), PAGE);
    return str_fmt(arena, "%.*s?limit=%d&resourceVersion=%.*s&resourceVersionMatch=Exact", STR_ARG(r->path),
                   PAGE, STR_ARG(r->exact));
}

/* Items of built-in types come without apiVersion and kind; they go in front, where people look for them. */
static const struct value *whole_item(struct reading *r, const struct value *item)
{
    const struct resource_type *type = r->type;
    bool has_version = value_key(item, "apiVersion") != NULL, has_kind = value_key(item, "kind") != NULL;
    if (!value_is(item, VALUE_MAP) || (has_version && has_kind))
        return item;
    struct str version = type->group.len
                             ? str_fmt(r->arena, "%.*s/%.*s", STR_ARG(type->group), STR_ARG(type->version))
                             : type->version;
    struct value_map_builder map = {.items = ARENA_ARRAY(r->arena, struct member, value_count(item) + 2),
                                    .cap = value_count(item) + 2};
    if (!has_version)
        value_put(r->arena, &map, STR("apiVersion"), value_string(r->arena, version));
    if (!has_kind)
        value_put(r->arena, &map, STR("kind"), value_string(r->arena, type->kind));
    MEMBER_EACH(member, item)
        value_put(r->arena, &map, member->key, &member->value);
    return value_map_done(r->arena, &map);
}

/* One page into r->list; `*token` becomes that of the next. */
static bool take_page(struct reading *r, const struct value *page, struct str *token)
{
    struct str version = value_str_in(page, PATH("metadata", "resourceVersion"));
    const struct value *items = value_key(page, "items");

    if (!value_is(page, VALUE_MAP) ||
        (items != NULL && !value_is(items, VALUE_LIST) && !value_is(items, VALUE_NULL)))
        return err_set(r->err, ERR_CORRUPT, "the reply is no list");
    if (r->list.count == 0 && r->list.resource_version.len == 0)
        r->list.resource_version = version;
    else if (!str_eq(version, r->list.resource_version))
        r->list.one_version = false;
    VALUE_EACH(item, items)
        *ARENA_PUSH(r->arena, &r->list) = whole_item(r, item);
    *token = value_str_in(page, PATH("metadata", "continue"));
    return true;
}

static bool read_pages(struct reading *r)
{
    struct str token = STR_NONE;
    r->list = (struct kube_list){.one_version = true};
    for (size_t i = 0; i < MAX_PAGES; i++) {
        struct kube_request request = {
            .method = "GET", .path = page_path(r, token), .max_body = MAX_PAGE_BYTES};
        struct kube_reply reply;
        r->status = 0;
        if (!kube_exchange(r->kube, r->arena, &request, &reply, r->err))
            return false;
        r->status = reply.status;
        if (reply.status >= 300)
            return kube_fail(r->kube, &reply, r->err);
        if (!take_page(r, reply.object, &token))
            return false;
        if (token.len == 0)
            return true;
    }
    return err_set(r->err, ERR_LIMIT, "the list has no end");
}

bool kube_list_status(struct kube *kube, struct arena *arena, const struct resource_type *type,
                      struct str namespace, struct str resource_version, int *status,
                      struct kube_list *ret_list, struct err *err)
{
    struct reading r = {.kube = kube,
                        .arena = arena,
                        .type = type,
                        .path = kube_path(arena, type, namespace, STR_NONE),
                        .exact = resource_version,
                        .err = err};
    bool read = read_pages(&r);
    for (int i = 1; i < MAX_STARTS && !read && r.status == 410 && r.exact.len == 0; i++)
        read = read_pages(&r);
    *status = r.status;
    if (!read)
        return err_context(err, "list %.*s", STR_ARG(type->plural));
    *ret_list = r.list;
    return true;
}

bool kube_list(struct kube *kube, struct arena *arena, const struct resource_type *type, struct str namespace,
               struct str resource_version, struct kube_list *ret_list, struct err *err)
{
    int status;
    return kube_list_status(kube, arena, type, namespace, resource_version, &status, ret_list, err);
}
