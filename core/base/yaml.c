/* libyaml's events become a tree. libyaml itself bounds neither depth nor aliases, so both are watched while events
 * arrive. Items of open containers collect on one scratch stack, as in json.c. */
#include "core/base/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/base/base64.h"
#include "core/base/yaml_scalar.h"

enum {
    MAX_DEPTH = 100,
    MAX_ANCHORS = 1024,
    MAX_VALUES = 64 << 20,
    MAX_EXPANDED = 4 << 20,     /* values that aliases stand for, all together */
    MAX_MERGE_STEPS = 64 << 20, /* key comparisons that "<<" may cost */
};

struct entry {
    struct member member; /* list items use the value half only */
    yaml_mark_t mark;
};

struct anchor {
    struct str name;
    struct value value;
    size_t values; /* that it expands to */
    unsigned depth;
};

struct parser {
    struct arena *arena;
    yaml_parser_t yaml;
    yaml_event_t event; /* the current one */
    bool has_event;
    struct str text, name;
    size_t first_line;
    unsigned depth, deepest; /* where we are; the deepest place since an anchor was opened */
    size_t values, expanded, merge_steps;
    struct entry *stack;
    size_t count, cap;
    struct anchor *anchors;
    size_t anchor_count;
    struct err *err;
};

static bool fail_at(struct parser *p, yaml_mark_t mark, enum err_code code, const char *what,
                    struct str detail)
{
    return err_set(p->err, code, "%.*s:%zu:%zu: %s%.*s", STR_ARG(p->name), mark.line + p->first_line,
                   mark.column + 1, what, STR_ARG(detail));
}

static bool fail(struct parser *p, enum err_code code, const char *what)
{
    return fail_at(p, p->event.start_mark, code, what, STR_NONE);
}

/* The reader (encoding, control characters) knows a byte offset only; the scanner knows line and column. */
static bool fail_in_libyaml(struct parser *p)
{
    yaml_mark_t mark = p->yaml.problem_mark;
    const char *problem = p->yaml.problem ? p->yaml.problem : "malformed", *context = p->yaml.context;
    if (p->yaml.error == YAML_READER_ERROR) {
        struct str before = str_slice(p->text, 0, p->yaml.problem_offset);
        mark = (yaml_mark_t){.column = before.len};
        for (size_t i = 0; i < before.len; i++)
            if (before.ptr[i] == '\n') {
                mark.line++;
                mark.column = before.len - i - 1;
            }
    }
    bool same_place = context != NULL && p->yaml.context_mark.line == mark.line;
    struct str where = STR_NONE;
    if (context != NULL)
        where = same_place ? str_fmt(p->arena, " (%s)", context)
                           : str_fmt(p->arena, " (%s from line %zu)", context,
                                     p->yaml.context_mark.line + p->first_line);
    return fail_at(p, mark, ERR_INVALID, problem, where);
}

static bool next(struct parser *p)
{
    if (p->has_event)
        yaml_event_delete(&p->event);
    p->has_event = yaml_parser_parse(&p->yaml, &p->event) != 0;
    return p->has_event || fail_in_libyaml(p);
}

static struct entry *push(struct parser *p, yaml_mark_t mark)
{
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 256;
        struct entry *stack = realloc(p->stack, cap * sizeof *stack);
        if (stack == NULL)
            abort();
        p->stack = stack;
        p->cap = cap;
    }
    p->stack[p->count].mark = mark;
    return &p->stack[p->count++];
}

static struct str anchor_name(struct parser *p, const yaml_char_t *name)
{
    return name != NULL ? str_dup(p->arena, str_of((const char *)name)) : STR_NONE;
}

/* An anchor is known once its value is complete, so that nothing can contain itself. */
static bool remember(struct parser *p, struct str name, const struct value *value, size_t values,
                     unsigned depth)
{
    if (name.len == 0)
        return true;
    if (p->anchors == NULL)
        p->anchors = ARENA_ARRAY(p->arena, struct anchor, MAX_ANCHORS);
    if (p->anchor_count == MAX_ANCHORS)
        return fail(p, ERR_LIMIT, "too many anchors");
    p->anchors[p->anchor_count++] = (struct anchor){name, *value, values, depth};
    return true;
}

static bool parse_alias(struct parser *p, struct value *ret)
{
    struct str name = str_of((const char *)p->event.data.alias.anchor);
    for (size_t i = p->anchor_count; i-- > 0;) {
        const struct anchor *anchor = &p->anchors[i];
        if (!str_eq(anchor->name, name))
            continue;
        p->expanded += anchor->values;
        p->values += anchor->values;
        if (p->expanded > MAX_EXPANDED)
            return fail(p, ERR_LIMIT, "aliases expand to too many values");
        if (p->depth + anchor->depth > MAX_DEPTH)
            return fail(p, ERR_LIMIT, "nested too deep");
        if (p->depth + anchor->depth > p->deepest)
            p->deepest = p->depth + anchor->depth;
        *ret = anchor->value;
        return true;
    }
    return fail_at(p, p->event.start_mark, ERR_INVALID, "no such anchor: ", name);
}

/* ---- scalars ---- */

static bool decode_binary(struct parser *p, struct str text, struct value *ret)
{
    char *joined = arena_alloc(p->arena, text.len + 1);
    struct str decoded, unbroken = {joined, 0};
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\n' && text.ptr[i] != '\r')
            joined[unbroken.len++] = text.ptr[i];
    if (!base64_decode(p->arena, unbroken, BASE64_STANDARD, &decoded))
        return fail(p, ERR_INVALID, "!!binary is no base64");
    if (!str_is_utf8(decoded))
        return fail(p, ERR_INVALID, "!!binary holds bytes that are no text; JSON cannot say that");
    *ret = (struct value){.kind = VALUE_STRING, .count = (uint32_t)decoded.len, .text = decoded.ptr};
    return true;
}

/* A tag asks for a type; what the text cannot be is refused. Tags that are not of YAML's own mean a string. */
static bool parse_tagged(struct parser *p, struct str tag, struct str text, enum yaml_scalar *ret_kind,
                         struct value *ret)
{
    static const struct {
        const char *name;
        unsigned accepts; /* bits of enum yaml_scalar */
    } tags[] = {
        {"null", 1u << YAML_SCALAR_NULL},
        {"bool", 1u << YAML_SCALAR_BOOL},
        {"int", 1u << YAML_SCALAR_INT},
        {"float", 1u << YAML_SCALAR_INT | 1u << YAML_SCALAR_FLOAT},
    };
    struct str prefix = STR("tag:yaml.org,2002:");
    struct str name = str_starts(tag, prefix) ? str_from(tag, prefix.len) : STR("");
    *ret_kind = YAML_SCALAR_STRING;
    if (str_is(name, "binary"))
        return decode_binary(p, text, ret);
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        if (!str_is(name, tags[i].name))
            continue;
        *ret_kind = yaml_resolve(p->arena, text, ret);
        return (tags[i].accepts & 1u << *ret_kind) != 0 ||
               fail_at(p, p->event.start_mark, ERR_INVALID, "the value is not what its tag says: !!", name);
    }
    *ret = (struct value){.kind = VALUE_STRING, .count = (uint32_t)text.len, .text = text.ptr};
    return true;
}

static bool parse_scalar(struct parser *p, enum yaml_scalar *ret_kind, struct value *ret)
{
    struct str text = str_dup(
        p->arena, (struct str){(const char *)p->event.data.scalar.value, p->event.data.scalar.length});
    const char *tag = (const char *)p->event.data.scalar.tag;
    *ret_kind = YAML_SCALAR_STRING;
    if (tag != NULL)
        return parse_tagged(p, str_of(tag), text, ret_kind, ret);
    if (p->event.data.scalar.plain_implicit)
        *ret_kind = yaml_resolve(p->arena, text, ret);
    else
        *ret = (struct value){.kind = VALUE_STRING, .count = (uint32_t)text.len, .text = text.ptr};
    return *ret_kind != YAML_SCALAR_NO_JSON ||
           fail_at(p, p->event.start_mark, ERR_INVALID, "JSON has no such number: ", text);
}

/* ---- containers ---- */

static bool parse_value(struct parser *p, struct value *ret);

static bool parse_list(struct parser *p, struct value *ret)
{
    size_t base = p->count;
    while (true) {
        struct value item;
        if (!next(p))
            return false;
        if (p->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        yaml_mark_t mark = p->event.start_mark;
        if (!parse_value(p, &item))
            return false;
        push(p, mark)->member.value = item;
    }
    size_t count = p->count - base;
    struct value *items = ARENA_ARRAY(p->arena, struct value, count);
    for (size_t i = 0; i < count; i++)
        items[i] = p->stack[base + i].member.value;
    p->count = base;
    *ret = (struct value){.kind = VALUE_LIST, .count = (uint32_t)count, .items = items};
    return true;
}

/* Keys become text as sigs.k8s.io/yaml makes them text: 1 → "1", yes → "true", 1e3 → "1000". */
static bool key_text(struct parser *p, enum yaml_scalar kind, const struct value *value, struct str *ret)
{
    switch (kind) {
    case YAML_SCALAR_STRING: *ret = value_str(value); return true;
    case YAML_SCALAR_BOOL: *ret = value_text(value); return true;
    case YAML_SCALAR_INT:
    case YAML_SCALAR_FLOAT: *ret = yaml_number_key(p->arena, kind, value_text(value)); return true;
    default: return fail(p, ERR_INVALID, "a key must be a text, not null");
    }
}

static bool parse_key(struct parser *p, struct str *ret_key, bool *ret_is_merge)
{
    struct value value;
    enum yaml_scalar kind = YAML_SCALAR_STRING;
    *ret_is_merge = false;
    if (p->event.type == YAML_ALIAS_EVENT) {
        if (!parse_alias(p, &value))
            return false;
        if (value.kind != VALUE_STRING)
            return fail(p, ERR_INVALID, "a key must be a text");
        *ret_key = value_str(&value);
        return true;
    }
    if (p->event.type != YAML_SCALAR_EVENT)
        return fail(p, ERR_INVALID, "a key must be a text, not a map or a list");
    bool plain = p->event.data.scalar.plain_implicit;
    struct str anchor = anchor_name(p, p->event.data.scalar.anchor);
    if (!parse_scalar(p, &kind, &value) || !key_text(p, kind, &value, ret_key) ||
        !remember(p, anchor, &value, 1, 0))
        return false;
    *ret_is_merge = plain && kind == YAML_SCALAR_STRING && str_is(*ret_key, "<<");
    return true;
}

/* What "<<" brings in: keys that are not there yet. Of several maps the earlier wins, and a key that the map itself
 * has wins over all. */
static bool merge_map(struct parser *p, struct value_map_builder *map, const struct value *from)
{
    MEMBER_EACH(member, from) {
        bool there = false;
        p->merge_steps += map->count;
        if (p->merge_steps > MAX_MERGE_STEPS)
            return fail(p, ERR_LIMIT, "merge keys (<<) bring in too much");
        for (size_t i = 0; i < map->count && !there; i++)
            there = str_eq(map->items[i].key, member->key);
        if (!there)
            value_put(p->arena, map, member->key, &member->value);
    }
    return true;
}

static bool merge(struct parser *p, struct value_map_builder *map, const struct value *from, yaml_mark_t mark)
{
    if (from->kind == VALUE_MAP)
        return merge_map(p, map, from);
    bool ok = from->kind == VALUE_LIST;
    VALUE_EACH(item, from) {
        ok = ok && item->kind == VALUE_MAP;
        if (ok && !merge_map(p, map, item))
            return false;
    }
    return ok || fail_at(p, mark, ERR_INVALID, "a merge key (<<) needs a map or a list of maps", STR_NONE);
}

/* Reads the pairs of a map onto the stack; values of merge keys go to `merges`. */
static bool parse_pairs(struct parser *p, struct value_list_builder *merges, yaml_mark_t *ret_merge_mark)
{
    while (true) {
        struct member member;
        struct value value;
        bool is_merge;
        if (!next(p))
            return false;
        if (p->event.type == YAML_MAPPING_END_EVENT)
            return true;
        yaml_mark_t mark = p->event.start_mark;
        if (!parse_key(p, &member.key, &is_merge) || !next(p) || !parse_value(p, &value))
            return false;
        if (is_merge) {
            value_push(p->arena, merges, &value);
            *ret_merge_mark = mark;
            continue;
        }
        member.value = value;
        push(p, mark)->member = member;
    }
}

static bool parse_map(struct parser *p, struct value *ret)
{
    size_t base = p->count;
    struct value_list_builder merges = {0};
    yaml_mark_t merge_mark = {0};
    if (!parse_pairs(p, &merges, &merge_mark))
        return false;
    size_t count = p->count - base;
    struct member *members = ARENA_ARRAY(p->arena, struct member, count);
    for (size_t i = 0; i < count; i++)
        members[i] = p->stack[base + i].member;
    size_t twice = value_duplicate(members, count);
    if (twice < count)
        return fail_at(p, p->stack[base + twice].mark, ERR_INVALID, "key comes twice: ", members[twice].key);
    p->count = base;
    struct value_map_builder map = {members, count, count};
    for (size_t i = 0; i < merges.count; i++)
        if (!merge(p, &map, &merges.items[i], merge_mark))
            return false;
    *ret = (struct value){.kind = VALUE_MAP, .count = (uint32_t)map.count, .members = map.items};
    return true;
}

static bool parse_container(struct parser *p, struct value *ret)
{
    bool is_map = p->event.type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *name =
        is_map ? p->event.data.mapping_start.anchor : p->event.data.sequence_start.anchor;
    struct str anchor = name != NULL ? str_dup(p->arena, str_of((const char *)name)) : STR_NONE;
    size_t values_before = p->values;
    unsigned deepest_around = p->deepest;
    if (p->depth == MAX_DEPTH)
        return fail(p, ERR_LIMIT, "nested too deep");
    p->deepest = ++p->depth;
    if (is_map ? !parse_map(p, ret) : !parse_list(p, ret))
        return false;
    unsigned inner = p->deepest - --p->depth;
    if (deepest_around > p->deepest)
        p->deepest = deepest_around;
    return remember(p, anchor, ret, p->values - values_before + 1, inner);
}

static bool parse_value(struct parser *p, struct value *ret)
{
    enum yaml_scalar kind;
    if (++p->values > MAX_VALUES)
        return fail(p, ERR_LIMIT, "too many values");
    if (p->event.type == YAML_ALIAS_EVENT)
        return parse_alias(p, ret);
    if (p->event.type != YAML_SCALAR_EVENT)
        return parse_container(p, ret);
    struct str anchor = anchor_name(p, p->event.data.scalar.anchor);
    return parse_scalar(p, &kind, ret) && remember(p, anchor, ret, 1, 0);
}

/* ---- the stream ---- */

static bool parse_document(struct parser *p, struct yaml_documents *documents)
{
    struct value *root = ARENA_NEW(p->arena, struct value);
    size_t line = p->event.start_mark.line + p->first_line;
    p->anchor_count = 0;
    if (!next(p) || !parse_value(p, root) || !next(p)) /* the last one is the end of the document */
        return false;
    *ARENA_PUSH(p->arena, documents) = (struct yaml_document){root, line};
    return true;
}

static bool parse_stream(struct parser *p, struct yaml_documents *documents)
{
    do {
        if (!next(p))
            return false;
        if (p->event.type == YAML_DOCUMENT_START_EVENT && !parse_document(p, documents))
            return false;
    } while (p->event.type != YAML_STREAM_END_EVENT);
    return true;
}

bool yaml_parse_at(struct arena *arena, struct str text, struct str name, size_t first_line,
                   struct yaml_documents *ret_documents, struct err *err)
{
    struct parser p = {.arena = arena, .text = text, .name = name, .first_line = first_line, .err = err};
    struct yaml_documents documents = {0};
    if (text.len > UINT32_MAX)
        return err_set(err, ERR_LIMIT, "%.*s: %zu bytes are too many", STR_ARG(name), text.len);
    if (!yaml_parser_initialize(&p.yaml))
        abort();
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
    bool ok = parse_stream(&p, &documents);
    if (p.has_event)
        yaml_event_delete(&p.event);
    yaml_parser_delete(&p.yaml);
    free(p.stack);
    if (ok)
        *ret_documents = documents;
    return ok;
}

bool yaml_parse(struct arena *arena, struct str text, struct str name, struct yaml_documents *ret_documents,
                struct err *err)
{
    return yaml_parse_at(arena, text, name, 1, ret_documents, err);
}
