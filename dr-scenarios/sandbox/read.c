/* read.c — get and list, page by page, now or as of an exact resourceVersion.
 *
 * A continue token is opaque to clients; like the real one it is base64url over {"v","rv","start"}, so that every
 * page shows the moment of the first. Once that moment is compacted away, the answer is 410 with a token that goes
 * on from the same key at the present: inconsistent, and marked so by rv -1 as in kube-apiserver.
 */
#include <string.h>

#include "core/base/base64.h"
#include "dr-scenarios/sandbox/intern.h"

/* A list in the making. `start` is the first key that may come. */
struct listing {
    uint64_t rv, limit;
    struct str start;
    struct str name, label; /* selectors: metadata.name, and the label selector's text */
    struct str namespace;
};

static struct str token_of(struct arena *arena, long long rv, struct str start)
{
    const struct value *token =
        VALUE_MAP(arena, {"v", value_cstr(arena, "meta.k8s.io/v1")}, {"rv", value_int(arena, rv)},
                  {"start", value_string(arena, start)});
    return base64_encode(arena, json_text(arena, token), BASE64_URL);
}

static bool gone(struct call *call, struct str start)
{
    if (start.len == 0)
        return call_fail(call, 410, "Expired", "The resourceVersion for the provided list is too old.");
    call_fail(
        call, 410, "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new "
        "list without the continue parameter, or use the continue token in this response to retrieve the "
        "remainder of the results. Continuing with the provided token results in an inconsistent list - "
        "objects that were created, modified, or deleted between the time the first chunk was returned and "
        "now may show up in the list.");
    call->reply = value_with_in(call->arena, call->reply, PATH("metadata", "continue"),
                                value_string(call->arena, token_of(call->arena, -1, start)));
    return false;
}

static bool too_new(struct call *call, uint64_t rv)
{
    struct arena *arena = call->arena;
    call->retry_after = 1;
    const struct value *cause = VALUE_MAP(arena, {"reason", value_cstr(arena, "ResourceVersionTooLarge")},
                                          {"message", value_cstr(arena, "Too large resource version")});
    return call_fail_causes(call, 504, "Timeout", VALUE_LIST(arena, cause),
                            "Timeout: Too large resource version: %llu, current: %llu",
                            (unsigned long long)rv, (unsigned long long)call->sandbox->rv);
}

static bool continued(struct call *call, struct str token, struct listing *listing)
{
    struct str text;
    const struct value *fields;
    struct err ignored;
    int64_t rv = 0;
    if (!base64_decode(call->arena, token, BASE64_URL, &text) ||
        !json_parse(call->arena, text, NULL, &fields, &ignored) || !value_i64(value_key(fields, "rv"), &rv) ||
        !value_key(fields, "start"))
        return call_fail(call, 400, "BadRequest", "continue key is not valid");
    if (call_query(call, "resourceVersion").len)
        return call_fail(call, 400, "BadRequest",
                         "specifying resource version is not allowed when using continue");
    listing->start = value_str(value_key(fields, "start"));
    listing->rv = rv < 0 ? call->sandbox->rv : (uint64_t)rv;
    return true;
}

static bool bad_option(struct call *call, const char *field, const char *why)
{
    struct arena *arena = call->arena;
    const struct value *cause =
        VALUE_MAP(arena, {"reason", value_cstr(arena, "FieldValueForbidden")},
                  {"message", value_cstr(arena, why)}, {"field", value_cstr(arena, field)});
    return call_fail_causes(call, 422, "Invalid", VALUE_LIST(arena, cause),
                            "ListOptions.meta.k8s.io \"\" is invalid: %s: Forbidden: %s", field, why);
}

/* Which moment is asked for. Without "Exact" a version is a lower bound, and now satisfies it. */
static bool moment(struct call *call, struct listing *listing)
{
    struct str version = call_query(call, "resourceVersion"), token = call_query(call, "continue");
    struct str match = call_query(call, "resourceVersionMatch");
    uint64_t rv = 0;
    listing->rv = call->sandbox->rv;
    if (match.len && version.len == 0)
        return bad_option(call, "resourceVersionMatch",
                          "resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (token.len) {
        if (!continued(call, token, listing))
            return false;
    } else if (version.len && !str_to_u64(version, &rv)) {
        return call_fail(call, 400, "BadRequest", "Invalid value: \"%.*s\": must be a number",
                         STR_ARG(version));
    } else if (rv > call->sandbox->rv) {
        return too_new(call, rv);
    } else if (str_is(match, "Exact")) {
        if (rv == 0)
            return bad_option(call, "resourceVersionMatch",
                              "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        listing->rv = rv;
    }
    return listing->rv >= call->sandbox->compacted || gone(call, listing->start);
}

static bool selectors(struct call *call, struct listing *listing)
{
    struct str rest = call_query(call, "fieldSelector");
    while (rest.len) {
        struct str value = str_cut(&rest, ','), field = str_cut(&value, '=');
        value = str_starts(value, STR("=")) ? str_from(value, 1) : value;
        if (str_is(field, "metadata.name"))
            listing->name = value;
        else if (str_is(field, "metadata.namespace"))
            listing->namespace = value;
        else
            return call_fail(call, 400, "BadRequest", "field label not supported: %.*s", STR_ARG(field));
    }
    listing->label = call_query(call, "labelSelector");
    return !str_contains(listing->label, STR("(")) ||
           call_fail(call, 400, "BadRequest", "the sandbox serves no set-based label selectors");
}

static bool label_term(const struct value *labels, struct str term)
{
    size_t equals = str_find(term, '=');
    if (equals == term.len) {
        bool absent = str_starts(term, STR("!"));
        return (value_get(labels, str_from(term, absent)) == NULL) == absent;
    }
    bool differs = equals && term.ptr[equals - 1] == '!';
    struct str key = str_slice(term, 0, equals - differs), value = str_from(term, equals + 1);
    value = str_starts(value, STR("=")) ? str_from(value, 1) : value;
    const struct value *label = value_get(labels, key);
    return (label != NULL && str_eq(value_str(label), value)) != differs;
}

static bool selected(const struct listing *listing, const struct entry *entry, const struct value *object)
{
    if ((listing->name.len && !str_eq(entry->name, listing->name)) ||
        (listing->namespace.len && !str_eq(entry->namespace, listing->namespace)))
        return false;
    struct str rest = listing->label;
    while (rest.len)
        if (!label_term(value_in(object, PATH("metadata", "labels")), str_trim(str_cut(&rest, ','))))
            return false;
    return true;
}

/* Items of built-in types come without apiVersion and kind, as the real server sends them. */
static const struct value *list_item(struct call *call, const struct value *object)
{
    if (call->type->crd.len == 0)
        return value_without(call->arena, value_without(call->arena, object, STR("apiVersion")), STR("kind"));
    return value_with(call->arena, object, STR("apiVersion"),
                      value_string(call->arena, types_group_version(call->arena, call->type)));
}

static bool collect(struct call *call, const struct listing *listing)
{
    struct arena *arena = call->arena;
    struct value_list_builder items = {0};
    struct str next = STR_NONE;
    int64_t remaining = 0;
    const struct storage *storage = call->type->storage;
    for (size_t i = 0; i < storage->count; i++) {
        const struct entry *entry = storage->items[i];
        const struct value *object = state_at(entry, listing->rv);
        if (object == NULL || str_cmp(entry->key, listing->start) < 0 || !selected(listing, entry, object))
            continue;
        if (listing->limit && items.count == listing->limit) {
            next = remaining++ ? next : entry->key;
            continue;
        }
        value_push(arena, &items, list_item(call, object));
    }
    bool counted = next.len && !listing->name.len && !listing->label.len;
    const struct value *meta = VALUE_MAP(
        arena,
        {"resourceVersion", value_string(arena, str_fmt(arena, "%llu", (unsigned long long)listing->rv))},
        {"continue", next.len ? value_string(arena, token_of(arena, (long long)listing->rv, next)) : NULL},
        {"remainingItemCount", counted ? value_int(arena, remaining) : NULL});
    return call_ok(call, 200,
                   VALUE_MAP(arena, {"kind", value_string(arena, call->type->list_kind)},
                             {"apiVersion", value_string(arena, types_group_version(arena, call->type))},
                             {"metadata", meta}, {"items", value_list_done(arena, &items)}));
}

bool read_list(struct call *call)
{
    struct listing listing = {.namespace = call->namespace};
    struct str limit = call_query(call, "limit"), watch = call_query(call, "watch");
    if (str_is(watch, "true") || str_is(watch, "1"))
        return call_fail(call, 400, "BadRequest", "the sandbox serves no watches");
    if (limit.len && !str_to_u64(limit, &listing.limit))
        return call_fail(call, 400, "BadRequest", "limit: not a number");
    uint64_t bound = call->sandbox->options.max_page;
    if (bound && (listing.limit == 0 || listing.limit > bound))
        listing.limit = bound;
    return moment(call, &listing) && selectors(call, &listing) && collect(call, &listing);
}

bool read_get(struct call *call)
{
    const struct value *object = state_get(call->type, call->namespace, call->name);
    if (object == NULL)
        return call_not_found(call);
    struct str version = types_group_version(call->arena, call->type);
    return call_ok(call, 200,
                   value_with(call->arena, object, STR("apiVersion"), value_string(call->arena, version)));
}
