#include "quality/openapi.h"

#include <stdlib.h>

enum { MAX_REFERENCES = 16, MAX_LISTED_VALUES = 12 };

/* Which values a schema lets pass: bits by enum value_kind, and one for whole numbers alone. */
enum {
    ALLOW_INTEGER = 1 << 8,
    ALLOW_ALL = (1 << VALUE_BOOL) | (1 << VALUE_NUMBER) | (1 << VALUE_STRING) | (1 << VALUE_LIST) |
                (1 << VALUE_MAP) | ALLOW_INTEGER,
};

struct named_schema {
    struct str name;
    struct schema *schema;
};

/* Schemas may refer to themselves, and then go round in a circle. */
struct schema {
    bool open;                   /* fields that are not declared are fine */
    bool embedded;               /* a whole object: apiVersion, kind and metadata go without saying */
    unsigned allowed;            /* ALLOW_* */
    struct named_schema *fields; /* sorted by name */
    size_t field_count;
    struct schema *other_fields;  /* of what is not declared; NULL: anything */
    struct schema *items;         /* NULL: anything */
    const struct value *required; /* list of names */
    const struct value *values;   /* enum */
};

struct openapi {
    const struct parts *parts;
    struct schema **schemas; /* one for each of its kinds; NULL: not known */
};

/* While one document is compiled. Schemas that are named are made once, told apart by the place in the document that
 * the name means in the end; all wait in one list for their turn, since a document may nest and refer without end. */
struct compiling {
    struct arena *arena, *scratch;
    const struct value *schemas; /* components.schemas */
    struct sources {
        struct source {
            const struct value *raw;
            struct schema *schema;
        } * items;
        size_t count, cap;
    } named, all;
};

/* The way down to a value; turned into text only for a fault. */
struct step {
    const struct step *above;
    struct str key;
    size_t index;
    bool is_index;
};

struct visit {
    struct arena *texts;
    struct openapi_faults *faults;
};

static struct str reference_in(const struct value *raw)
{
    struct str reference = value_str(value_key(raw, "$ref"));
    return str_from(reference, reference.len ? str_rfind(reference, '/') + 1 : 0);
}

/* What a schema is in the end: a reference may be but a name for another one, and an allOf of one is a reference with
 * a description. */
static const struct value *resolve(const struct compiling *c, const struct value *raw, bool *ret_named)
{
    *ret_named = false;
    for (int i = 0; i < MAX_REFERENCES; i++) {
        struct str name = reference_in(raw);
        if (name.len != 0)
            raw = value_get(c->schemas, name);
        else if (value_count(value_key(raw, "allOf")) == 1 &&
                 (value_key(raw, "type") == NULL || reference_in(value_item(value_key(raw, "allOf"), 0)).len))
            raw = value_item(value_key(raw, "allOf"), 0);
        else
            break;
        *ret_named = *ret_named || name.len != 0;
    }
    return raw;
}

/* The schema of `raw`, which may still wait for its turn. */
static struct schema *schema_of(struct compiling *c, const struct value *raw)
{
    bool named;
    raw = resolve(c, raw, &named);
    for (size_t i = 0; named && i < c->named.count; i++)
        if (c->named.items[i].raw == raw)
            return c->named.items[i].schema;
    struct source source = {raw, ARENA_NEW(c->arena, struct schema)};
    *ARENA_PUSH(c->scratch, &c->all) = source;
    if (named)
        *ARENA_PUSH(c->scratch, &c->named) = source;
    return source.schema;
}

static unsigned allowed_by_type(struct str type)
{
    static const struct {
        const char *type;
        unsigned allowed;
    } types[] = {
        {"object", 1 << VALUE_MAP},    {"array", 1 << VALUE_LIST},
        {"string", 1 << VALUE_STRING}, {"boolean", 1 << VALUE_BOOL},
        {"integer", ALLOW_INTEGER},    {"number", 1 << VALUE_NUMBER | ALLOW_INTEGER},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_is(type, types[i].type))
            return types[i].allowed;
    return ALLOW_ALL;
}

static unsigned allowed_by(const struct value *raw)
{
    if (value_true(value_key(raw, "x-kubernetes-int-or-string")) ||
        str_is(value_str(value_key(raw, "format")), "int-or-string"))
        return ALLOW_INTEGER | 1 << VALUE_STRING;
    if (value_key(raw, "type") != NULL)
        return allowed_by_type(value_str(value_key(raw, "type")));

    unsigned allowed = 0;
    VALUE_EACH(choice, value_key(raw, "oneOf"))
        allowed |= allowed_by_type(value_str(value_key(choice, "type")));
    return allowed ? allowed : ALLOW_ALL;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct named_schema *)a)->name, ((const struct named_schema *)b)->name);
}

static void compile(struct compiling *c, const struct value *raw, struct schema *schema)
{
    const struct value *other = value_key(raw, "additionalProperties"), *items = value_key(raw, "items");
    const struct value *fields = value_key(raw, "properties");

    schema->allowed = allowed_by(raw);
    schema->required = value_copy(c->arena, value_key(raw, "required"));
    schema->values = value_copy(c->arena, value_key(raw, "enum"));
    schema->embedded = value_true(value_key(raw, "x-kubernetes-embedded-resource"));
    schema->open = value_count(fields) == 0 || value_is(other, VALUE_MAP) || value_true(other) ||
                   value_true(value_key(raw, "x-kubernetes-preserve-unknown-fields"));
    if (value_is(other, VALUE_MAP))
        schema->other_fields = schema_of(c, other);
    if (value_is(items, VALUE_MAP))
        schema->items = schema_of(c, items);

    if (value_count(fields) == 0)
        return;
    schema->fields = ARENA_ARRAY(c->arena, struct named_schema, value_count(fields));
    MEMBER_EACH(field, fields)
        schema->fields[schema->field_count++] =
            (struct named_schema){str_dup(c->arena, field->key), schema_of(c, &field->value)};
    qsort(schema->fields, schema->field_count, sizeof *schema->fields, by_name);
}

static const struct value *raw_of_kind(const struct value *schemas, const struct resource *resource)
{
    MEMBER_EACH(schema, schemas)
        VALUE_EACH(kind, value_key(&schema->value, "x-kubernetes-group-version-kind"))
            if (str_eq(value_str(value_key(kind, "kind")), resource->kind) &&
                str_eq(value_str(value_key(kind, "group")), resource_group(resource)) &&
                str_eq(value_str(value_key(kind, "version")), resource_version(resource)))
                return &schema->value;
    return NULL;
}

/* The kinds [from, to) are those of one group version. */
static void compile_document(struct compiling *c, struct openapi *openapi, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct parts_kind *kind = &openapi->parts->kinds.items[i];
        struct resource resource = {.api_version = kind->api_version, .kind = kind->kind};
        const struct value *raw = raw_of_kind(c->schemas, &resource);
        openapi->schemas[i] = raw ? schema_of(c, raw) : NULL;
    }
    for (size_t i = 0; i < c->all.count; i++) { /* it grows */
        struct source source = c->all.items[i];
        compile(c, source.raw, source.schema);
    }
}

bool openapi_open(struct arena *arena, const struct parts *parts, struct openapi **ret_openapi,
                  struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct openapi *openapi = ARENA_NEW(arena, struct openapi);
    const struct parts_kind *kinds = parts->kinds.items;
    size_t count = parts->kinds.count;
    openapi->parts = parts;
    openapi->schemas = arena_array(arena, count + 1, sizeof *openapi->schemas);
    for (size_t from = 0, to; from < count; from = to) {
        struct compiling c = {.arena = arena, .scratch = scratch};
        const struct value *document;
        for (to = from + 1; to < count && str_eq(kinds[to].api_version, kinds[from].api_version);)
            to++;
        arena_reset(scratch);
        if (!parts_document(parts, scratch, kinds[from].api_version, &document, err))
            return false;
        c.schemas = value_in(document, PATH("components", "schemas"));
        compile_document(&c, openapi, from, to);
    }
    *ret_openapi = openapi;
    return true;
}

static const struct schema *field_of(const struct schema *schema, struct str name)
{
    struct named_schema key = {name, NULL};
    const struct named_schema *field =
        schema->field_count
            ? bsearch(&key, schema->fields, schema->field_count, sizeof *schema->fields, by_name)
            : NULL;
    return field ? field->schema : NULL;
}

static struct str path_of(struct arena *arena, const struct step *step)
{
    struct str parts[OPENAPI_MAX_DEPTH + 2];
    size_t at = COUNT_OF(parts);
    for (; step != NULL && at > 0; step = step->above) {
        const char *dot = step->above ? "." : "";
        parts[--at] = step->is_index ? str_fmt(arena, "[%zu]", step->index)
                                     : str_fmt(arena, "%s%.*s", dot, STR_ARG(step->key));
    }
    return str_join(arena, parts + at, COUNT_OF(parts) - at, STR_NONE);
}

static void fault(struct visit *visit, enum openapi_fault_kind kind, const struct step *step,
                  struct str detail)
{
    struct openapi_faults *faults = visit->faults;
    if (faults->count < OPENAPI_MAX_FAULTS)
        faults->items[faults->count++] =
            (struct openapi_fault){.kind = kind, .path = path_of(visit->texts, step), .detail = detail};
}

static bool is_whole(const struct value *number)
{
    struct str text = value_text(number);
    return str_find(text, '.') == text.len && str_find(text, 'e') == text.len &&
           str_find(text, 'E') == text.len;
}

static bool is_allowed(const struct schema *schema, const struct value *value)
{
    unsigned kind = 1U << value->kind;
    if (value->kind == VALUE_NUMBER && is_whole(value))
        kind |= ALLOW_INTEGER;
    return (schema->allowed & kind) != 0;
}

static struct str wanted_type(const struct schema *schema)
{
    switch (schema->allowed) {
    case 1 << VALUE_MAP: return STR("a map");
    case 1 << VALUE_LIST: return STR("a list");
    case 1 << VALUE_STRING: return STR("a string");
    case 1 << VALUE_BOOL: return STR("a boolean");
    case ALLOW_INTEGER: return STR("a whole number");
    case ALLOW_INTEGER | 1 << VALUE_STRING: return STR("a whole number or a string");
    default: return STR("a number or a string");
    }
}

static void wrong_type(struct visit *visit, const struct schema *schema, const struct value *value,
                       const struct step *step)
{
    fault(visit, OPENAPI_WRONG_TYPE, step,
          str_fmt(visit->texts, "a %s where %.*s belongs", value_kind_name(value->kind),
                  STR_ARG(wanted_type(schema))));
}

static void unknown_field(struct visit *visit, const struct schema *schema, struct str name,
                          const struct step *step)
{
    struct str nearest = STR_NONE;
    unsigned least = name.len < 4 ? 2 : 3;
    for (size_t i = 0; i < schema->field_count; i++) {
        unsigned distance = str_distance(name, schema->fields[i].name);
        if (distance < least) {
            least = distance;
            nearest = schema->fields[i].name;
        }
    }
    fault(visit, OPENAPI_UNKNOWN_FIELD, step,
          nearest.len ? str_fmt(visit->texts, "%.*s, perhaps %.*s", STR_ARG(name), STR_ARG(nearest)) : name);
}

static void check_enum(struct visit *visit, const struct schema *schema, const struct value *value,
                       const struct step *step)
{
    struct str names[MAX_LISTED_VALUES];
    size_t count = 0;
    if (value_count(schema->values) == 0)
        return;
    VALUE_EACH(allowed, schema->values) {
        if (value_equal(allowed, value))
            return;
        if (count < COUNT_OF(names))
            names[count++] = value_text(allowed);
    }
    struct str list = str_join(visit->texts, names, count, STR(", "));
    fault(visit, OPENAPI_BAD_VALUE, step,
          str_fmt(visit->texts, "not one of %.*s%s", STR_ARG(list),
                  value_count(schema->values) > count ? ", …" : ""));
}

static void visit_value(struct visit *visit, const struct schema *schema, const struct value *value,
                        const struct step *step, int depth);

static bool goes_without_saying(const struct schema *schema, struct str name)
{
    return schema->embedded &&
           (str_is(name, "apiVersion") || str_is(name, "kind") || str_is(name, "metadata"));
}

/* The server's own parts: what it writes there is not for people to mend. */
static bool is_servers_own(struct str name, int depth)
{
    return (depth == 0 && str_is(name, "status")) || (depth == 1 && str_is(name, "managedFields"));
}

static void visit_map(struct visit *visit, const struct schema *schema, const struct value *map,
                      const struct step *step, int depth)
{
    VALUE_EACH(required, schema->required)
        if (value_get(map, value_str(required)) == NULL && !is_servers_own(value_str(required), depth))
            fault(visit, OPENAPI_MISSING_FIELD, &(struct step){.above = step, .key = value_str(required)},
                  value_str(required));

    MEMBER_EACH(member, map) {
        struct step below = {.above = step, .key = member->key};
        const struct schema *field = field_of(schema, member->key);
        if (is_servers_own(member->key, depth))
            continue;
        if (field != NULL || schema->other_fields != NULL)
            visit_value(visit, field ? field : schema->other_fields, &member->value, &below, depth + 1);
        else if (!schema->open && !goes_without_saying(schema, member->key))
            unknown_field(visit, schema, member->key, &below);
    }
}

/* Null means absent to Kubernetes, whatever the type. */
static void visit_value(struct visit *visit, const struct schema *schema, const struct value *value,
                        const struct step *step, int depth)
{
    if (value->kind == VALUE_NULL || depth >= OPENAPI_MAX_DEPTH)
        return;
    if (!is_allowed(schema, value)) {
        wrong_type(visit, schema, value, step);
        return;
    }
    check_enum(visit, schema, value, step);
    if (value->kind == VALUE_MAP)
        visit_map(visit, schema, value, step, depth);
    for (size_t i = 0; i < value_count(value) && value->kind == VALUE_LIST && schema->items != NULL; i++) {
        struct step below = {.above = step, .index = i, .is_index = true};
        visit_value(visit, schema->items, value_item(value, i), &below, depth + 1);
    }
}

void openapi_validate(const struct openapi *openapi, struct arena *arena, const struct resource *resource,
                      struct openapi_faults *ret_faults)
{
    size_t kind = parts_kind(openapi->parts, resource->api_version, resource->kind);
    const struct schema *schema = kind < openapi->parts->kinds.count ? openapi->schemas[kind] : NULL;
    struct visit visit = {arena, ret_faults};

    ret_faults->count = 0;
    ret_faults->known = schema != NULL;
    if (schema != NULL)
        visit_value(&visit, schema, resource->object, NULL, 0);
}
