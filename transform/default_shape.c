#include "transform/default_shape.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/pointer.h"
#include "core/kube/schemas.h"

enum { MAX_DEPTH = 100, MAX_LISTS = 8 /* of lists of lists */ };

/* Types refer to each other and to themselves: each is compiled once for each table it meets. */
struct compiled {
    const struct value *schema;
    const struct default_field *fields;
    const struct default_node *node;
};

struct compiler {
    struct arena *arena;
    struct schemas schemas; /* of the document; empty for a CRD */
    struct {
        struct compiled *items;
        size_t count, cap;
    } done;
};

static bool is_zero(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL: return true;
    case VALUE_BOOL: return !value_true(value);
    case VALUE_NUMBER: return str_is(value_text(value), "0");
    default: return value->count == 0;
    }
}

static const struct default_field *field_of(const struct default_field *fields, struct str key)
{
    for (; fields && fields->key; fields++)
        if (str_is(key, fields->key))
            return fields;
    return NULL;
}

static const struct default_node *compile(struct compiler *c, const struct value *schema,
                                          const struct default_field *fields, unsigned depth);

static const struct value *parsed(struct arena *arena, const char *json)
{
    const struct value *value = NULL;
    struct err ignored;
    return json != NULL && json_parse(arena, str_of(json), NULL, &value, &ignored) ? value : NULL;
}

/* A row of the table with a condition knows more than a document, and one that only names the field says "keep". */
static void add_row(struct compiler *c, struct default_node *node, struct str key, const struct value *schema,
                    const struct default_field *field, unsigned depth)
{
    struct default_row row = {.key = key};
    const struct value *declared = value_key(schema, "default");
    bool keep = field && !field->value && !field->only_if && !field->below;
    if (declared != NULL && c->schemas.count != 0 && is_zero(declared))
        declared = NULL;
    if (field != NULL) {
        row.only_if = field->only_if;
        row.value = parsed(c->arena, field->value);
    }
    if (declared != NULL && row.only_if == NULL && !keep)
        row.value = value_copy(c->arena, declared);
    row.below = compile(c, schema, field ? field->below : NULL, depth + 1);
    row.key = str_dup(c->arena, key); /* the document goes */
    if (row.value != NULL || row.only_if != NULL || row.below != NULL)
        *ARENA_PUSH(c->arena, node) = row;
}

static void compile_map(struct compiler *c, struct default_node *node, const struct value *schema,
                        const struct default_field *fields, unsigned depth)
{
    const struct value *properties = value_key(schema, "properties");
    MEMBER_EACH(property, properties)
        add_row(c, node, property->key, &property->value, field_of(fields, property->key), depth);
    for (const struct default_field *field = fields; field && field->key; field++)
        if (value_key(properties, field->key) == NULL)
            add_row(c, node, str_of(field->key), NULL, field, depth);
    node->others = compile(c, value_key(schema, "additionalProperties"), NULL, depth + 1);
}

/* NULL where no default lies at or below the place. */
static const struct default_node *compile(struct compiler *c, const struct value *schema,
                                          const struct default_field *fields, unsigned depth)
{
    schema = value_is(schema, VALUE_MAP) ? schemas_resolve(&c->schemas, schema) : NULL;
    for (int lists = 0; value_key(schema, "items") != NULL; lists++)
        schema = lists < MAX_LISTS ? schemas_resolve(&c->schemas, value_key(schema, "items")) : NULL;
    if ((schema == NULL && fields == NULL) || depth >= MAX_DEPTH)
        return NULL;
    for (size_t i = 0; i < c->done.count; i++)
        if (c->done.items[i].schema == schema && c->done.items[i].fields == fields)
            return c->done.items[i].node;
    struct default_node *node = ARENA_NEW(c->arena, struct default_node);
    size_t index = c->done.count;
    *ARENA_PUSH(c->arena, &c->done) = (struct compiled){schema, fields, node};
    compile_map(c, node, schema, fields, depth);
    if (node->count == 0 && node->others == NULL)
        c->done.items[index].node = NULL;
    return c->done.items[index].node;
}

static int kind_order(const void *a, const void *b)
{
    const struct default_kind *x = a, *y = b;
    int order = str_cmp(x->api_version, y->api_version);
    return order ? order : str_cmp(x->kind, y->kind);
}

/* What is known of one kind, from the document of its version or from its CRD. */
static const struct default_node *compile_kind(struct compiler *compiler, const struct resource *like,
                                               const struct value *custom)
{
    const struct default_field *fields = default_fields_of(resource_group(like), like->kind);
    struct compiler alone = {.arena = compiler->arena};
    return custom ? compile(&alone, custom, fields, 0)
                  : compile(compiler, schemas_kind(&compiler->schemas, like), fields, 0);
}

/* Kinds of a version share a document; `from` is the first of them. Returns the first of the next version. */
static bool compile_version(struct default_kinds *kinds, size_t from, struct arena *arena,
                            const struct parts *live, default_schema_fn schema, const void *ctx,
                            size_t *ret_next, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct compiler compiler = {.arena = arena};
    struct str api_version = kinds->items[from].api_version;
    const struct value *document;
    size_t i = from;
    if (!parts_document(live, scratch, api_version, &document, err))
        return false;
    schemas_of(scratch, document, &compiler.schemas);
    for (; i < kinds->count && str_eq(kinds->items[i].api_version, api_version); i++) {
        struct resource like = {.api_version = api_version, .kind = kinds->items[i].kind};
        kinds->items[i].node = compile_kind(&compiler, &like, schema(ctx, &like));
    }
    *ret_next = i;
    return true;
}

bool default_kinds_compile(struct default_kinds *kinds, struct arena *arena, const struct parts *live,
                           default_schema_fn schema, const void *ctx, struct err *err)
{
    *kinds = (struct default_kinds){0};
    for (size_t i = 0; i < live->kinds.count; i++) {
        const struct parts_kind *kind = &live->kinds.items[i];
        *ARENA_PUSH(arena, kinds) = (struct default_kind){kind->api_version, kind->kind, NULL};
    }
    for (size_t next = 0; next < kinds->count;)
        if (!compile_version(kinds, next, arena, live, schema, ctx, &next, err))
            return false;
    return true;
}

const struct default_node *default_kinds_find(const struct default_kinds *kinds,
                                              const struct resource *resource)
{
    struct default_kind key = {resource->api_version, resource->kind, NULL};
    const struct default_kind *found =
        kinds->count ? bsearch(&key, kinds->items, kinds->count, sizeof key, kind_order) : NULL;
    return found ? found->node : NULL;
}

const struct default_row *default_row_of(const struct default_node *node, struct str key)
{
    for (size_t i = 0; node != NULL && i < node->count; i++)
        if (str_eq(node->items[i].key, key))
            return &node->items[i];
    return NULL;
}

const struct default_node *default_below(const struct default_node *node, const struct default_row *row)
{
    return row ? row->below : node ? node->others : NULL;
}

bool default_is(const struct default_row *row, const struct value *map, const struct value *value)
{
    if (row == NULL || (row->value == NULL && row->only_if == NULL) ||
        (row->value != NULL && !value_equal(row->value, value)))
        return false;
    return row->only_if == NULL || row->only_if(map, value);
}

/* --- the other way round: does the server come back to what was? --- */

struct losing {
    struct arena *arena;
    struct str_list *lost;
};

static void lost_value(const struct losing *l, const struct default_node *node, const struct value *before,
                       const struct value *after, const struct pointer_place *place);

static void lost_members(const struct losing *l, const struct default_node *node, const struct value *before,
                         const struct value *after, const struct pointer_place *place)
{
    MEMBER_EACH(member, before) {
        struct pointer_place here = {.parent = place, .key = member->key};
        const struct default_row *row = default_row_of(node, member->key);
        const struct value *now = value_get(after, member->key);
        if (now == NULL && row != NULL && (row->only_if == NULL || row->only_if(before, &member->value)))
            now = row->value != NULL || row->only_if == NULL ? row->value : &member->value;
        lost_value(l, default_below(node, row), &member->value, now, &here);
    }
}

static void lost_value(const struct losing *l, const struct default_node *node, const struct value *before,
                       const struct value *after, const struct pointer_place *place)
{
    if (before == after)
        return;
    if (value_is(before, VALUE_MAP) && value_is(after, VALUE_MAP)) {
        lost_members(l, node, before, after, place);
    } else if (value_is(before, VALUE_LIST) && value_is(after, VALUE_LIST) && before->count == after->count) {
        for (uint32_t i = 0; i < before->count; i++) {
            struct pointer_place here = {.parent = place, .index = i, .in_list = true};
            lost_value(l, node, &before->items[i], &after->items[i], &here);
        }
    } else if (after == NULL || !value_equal(before, after)) {
        *ARENA_PUSH(l->arena, l->lost) = pointer_of_place(l->arena, place);
    }
}

void default_lost(struct arena *arena, const struct default_node *node, const struct value *before,
                  const struct value *after, struct str_list *lost)
{
    struct losing losing = {arena, lost};
    lost_value(&losing, node, before, after, NULL);
}
