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
    struct schema *schema; /* NULL: looked for and not there */
};

struct named_schemas {
    struct named_schema *items;
    size_t count, cap;
};

/* One document of one group version. What was compiled stays, under its reference or its kind. */
struct document {
    struct str name;             /* "apis/apps/v1" */
    const struct value *schemas; /* components.schemas */
    struct named_schemas references, kinds;
};

/* Compiled when the first value meets it, so that schemas may refer to themselves. */
struct schema {
    const struct value *raw;
    struct document *document;
    bool compiled;
    bool open;                    /* fields that are not declared are fine */
    bool embedded;                /* a whole object: apiVersion, kind and metadata go without saying */
    unsigned allowed;             /* ALLOW_* */
    struct named_schemas fields;  /* sorted by name */
    struct schema *other_fields;  /* of what is not declared; NULL: anything */
    struct schema *items;         /* NULL: anything */
    const struct value *required; /* list of names */
    const struct value *values;   /* enum */
};

struct openapi {
    struct arena *arena;
    struct document *documents;
    size_t document_count;
};

/* The way down to a value; turned into text only for a fault. */
struct step {
    const struct step *above;
    struct str key;
    size_t index;
    bool is_index;
};

struct visit {
    struct arena *schemas, *texts;
    struct openapi_faults *faults;
};

struct openapi *openapi_open(struct arena *arena, const struct value *documents)
{
    struct openapi *openapi = ARENA_NEW(arena, struct openapi);
    openapi->arena = arena;
    openapi->documents = ARENA_ARRAY(arena, struct document, value_count(documents) + 1);
    MEMBER_EACH(document, documents) {
        openapi->documents[openapi->document_count++] = (struct document){
            .name = document->key,
            .schemas = value_in(&document->value, PATH("components", "schemas")),
        };
    }
    return openapi;
}

static struct named_schema *named_find(struct named_schemas *schemas, struct str name)
{
    for (size_t i = 0; i < schemas->count; i++)
        if (str_eq(schemas->items[i].name, name))
            return &schemas->items[i];
    return NULL;
}

static struct schema *schema_new(struct arena *arena, struct document *document, const struct value *raw)
{
    struct schema *schema = ARENA_NEW(arena, struct schema);
    schema->raw = raw;
    schema->document = document;
    return schema;
}

/* One compiled schema per reference, however often it is used. */
static struct schema *schema_of(struct arena *arena, struct document *document, const struct value *raw)
{
    struct str reference = value_str(value_key(raw, "$ref"));
    if (reference.len == 0 && value_count(value_key(raw, "allOf")) == 1)
        reference = value_str(value_key(value_item(value_key(raw, "allOf"), 0), "$ref"));
    if (reference.len == 0)
        return schema_new(arena, document, raw);

    struct str name = str_from(reference, str_rfind(reference, '/') + 1);
    struct named_schema *known = named_find(&document->references, name);
    if (known == NULL) {
        known = ARENA_PUSH(arena, &document->references);
        *known = (struct named_schema){name, schema_new(arena, document, value_get(document->schemas, name))};
    }
    return known->schema;
}

/* A reference that is only a name for another one, as far as that goes. */
static const struct value *resolve(const struct document *document, const struct value *raw)
{
    for (int i = 0; i < MAX_REFERENCES; i++) {
        struct str reference = value_str(value_key(raw, "$ref"));
        if (reference.len != 0)
            raw = value_get(document->schemas, str_from(reference, str_rfind(reference, '/') + 1));
        else if (value_count(value_key(raw, "allOf")) == 1 && value_key(raw, "type") == NULL)
            raw = value_item(value_key(raw, "allOf"), 0);
        else
            break;
    }
    return raw;
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

static void compile(struct arena *arena, struct schema *schema)
{
    if (schema->compiled)
        return;
    const struct value *raw = resolve(schema->document, schema->raw);
    const struct value *other = value_key(raw, "additionalProperties"), *items = value_key(raw, "items");
    const struct value *fields = value_key(raw, "properties");

    schema->compiled = true;
    schema->allowed = allowed_by(raw);
    schema->required = value_key(raw, "required");
    schema->values = value_key(raw, "enum");
    schema->embedded = value_true(value_key(raw, "x-kubernetes-embedded-resource"));
    schema->open = value_count(fields) == 0 || value_is(other, VALUE_MAP) || value_true(other) ||
                   value_true(value_key(raw, "x-kubernetes-preserve-unknown-fields"));
    if (value_is(other, VALUE_MAP))
        schema->other_fields = schema_of(arena, schema->document, other);
    if (value_is(items, VALUE_MAP))
        schema->items = schema_of(arena, schema->document, items);

    MEMBER_EACH(field, fields)
        *ARENA_PUSH(arena, &schema->fields) =
            (struct named_schema){field->key, schema_of(arena, schema->document, &field->value)};
    if (schema->fields.count != 0)
        qsort(schema->fields.items, schema->fields.count, sizeof *schema->fields.items, by_name);
}

static struct schema *field_of(const struct schema *schema, struct str name)
{
    struct named_schema key = {name, NULL};
    const struct named_schema *field =
        schema->fields.count
            ? bsearch(&key, schema->fields.items, schema->fields.count, sizeof *schema->fields.items, by_name)
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
    for (size_t i = 0; i < schema->fields.count; i++) {
        unsigned distance = str_distance(name, schema->fields.items[i].name);
        if (distance < least) {
            least = distance;
            nearest = schema->fields.items[i].name;
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

static void visit_value(struct visit *visit, struct schema *schema, const struct value *value,
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

static void visit_map(struct visit *visit, struct schema *schema, const struct value *map,
                      const struct step *step, int depth)
{
    VALUE_EACH(required, schema->required)
        if (value_get(map, value_str(required)) == NULL && !is_servers_own(value_str(required), depth))
            fault(visit, OPENAPI_MISSING_FIELD, &(struct step){.above = step, .key = value_str(required)},
                  value_str(required));

    MEMBER_EACH(member, map) {
        struct step below = {.above = step, .key = member->key};
        struct schema *field = field_of(schema, member->key);
        if (is_servers_own(member->key, depth))
            continue;
        if (field != NULL || schema->other_fields != NULL)
            visit_value(visit, field ? field : schema->other_fields, &member->value, &below, depth + 1);
        else if (!schema->open && !goes_without_saying(schema, member->key))
            unknown_field(visit, schema, member->key, &below);
    }
}

/* Null means absent to Kubernetes, whatever the type. */
static void visit_value(struct visit *visit, struct schema *schema, const struct value *value,
                        const struct step *step, int depth)
{
    if (value->kind == VALUE_NULL || depth >= OPENAPI_MAX_DEPTH)
        return;
    compile(visit->schemas, schema);
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

static struct document *document_of(struct openapi *openapi, struct str api_version)
{
    bool core = str_find(api_version, '/') == api_version.len;
    for (size_t i = 0; i < openapi->document_count; i++) {
        struct str name = openapi->documents[i].name, prefix = core ? STR("api/") : STR("apis/");
        if (str_starts(name, prefix) && str_eq(str_from(name, prefix.len), api_version))
            return &openapi->documents[i];
    }
    return NULL;
}

static const struct value *raw_of_kind(const struct document *document, const struct resource *resource)
{
    MEMBER_EACH(schema, document->schemas)
        VALUE_EACH(kind, value_key(&schema->value, "x-kubernetes-group-version-kind"))
            if (str_eq(value_str(value_key(kind, "kind")), resource->kind) &&
                str_eq(value_str(value_key(kind, "group")), resource_group(resource)) &&
                str_eq(value_str(value_key(kind, "version")), resource_version(resource)))
                return &schema->value;
    return NULL;
}

static struct schema *schema_of_kind(struct arena *arena, struct document *document,
                                     const struct resource *resource)
{
    struct named_schema *known = named_find(&document->kinds, resource->kind);
    if (known == NULL) {
        const struct value *raw = raw_of_kind(document, resource);
        known = ARENA_PUSH(arena, &document->kinds);
        *known = (struct named_schema){resource->kind, raw ? schema_new(arena, document, raw) : NULL};
    }
    return known->schema;
}

void openapi_validate(struct openapi *openapi, struct arena *arena, const struct resource *resource,
                      struct openapi_faults *ret_faults)
{
    struct document *document = document_of(openapi, resource->api_version);
    struct schema *schema = document ? schema_of_kind(openapi->arena, document, resource) : NULL;
    struct visit visit = {openapi->arena, arena, ret_faults};

    ret_faults->count = 0;
    ret_faults->known = schema != NULL;
    if (schema != NULL)
        visit_value(&visit, schema, resource->object, NULL, 0);
}
