#include "core/config/config_keys.h"

#include "core/base/json.h"

#define ROW(owner, path_, type_, field, fallback_, text_)                                                    \
    {path_, CONFIG_##type_, offsetof(struct owner, field), fallback_, text_},

static const struct config_key keys[] = {
#define KEY(path, type, field, fallback, text) ROW(config, path, type, field, fallback, text)
#include "core/config/config.def"
};
static const struct config_key store_keys[] = {
#define STORE_KEY(path, type, field, fallback, text) ROW(config_store, path, type, field, fallback, text)
#include "core/config/config.def"
};
static const struct config_key environment_keys[] = {
#define ENVIRONMENT_KEY(path, type, field, fallback, text)                                                   \
    ROW(config_environment, path, type, field, fallback, text)
#include "core/config/config.def"
};
static const struct config_key hook_keys[] = {
#define HOOK_KEY(path, type, field, fallback, text) ROW(config_hook, path, type, field, fallback, text)
#include "core/config/config.def"
};

const struct config_table config_keys = {keys, COUNT_OF(keys)};
const struct config_table config_store_keys = {store_keys, COUNT_OF(store_keys)};
const struct config_table config_hook_keys = {hook_keys, COUNT_OF(hook_keys)};
const struct config_table config_environment_keys = {environment_keys, COUNT_OF(environment_keys)};

const struct config_key *config_key_find(const struct config_table *table, struct str path)
{
    for (size_t i = 0; i < table->count; i++)
        if (str_is(path, table->keys[i].path))
            return &table->keys[i];
    return NULL;
}

static const struct value *words(struct arena *arena, struct str text)
{
    struct value_list_builder list = {0};
    while (text.len != 0)
        value_push(arena, &list, value_string(arena, str_cut(&text, ' ')));
    return value_list_done(arena, &list);
}

const struct value *config_default_value(struct arena *arena, const struct config_key *key)
{
    struct str text = str_of(key->fallback);
    switch (key->type) {
    case CONFIG_OFF:
    case CONFIG_RULES:
    case CONFIG_STRINGS: return words(arena, text);
    case CONFIG_COUNT:
    case CONFIG_PERCENT: return value_number(arena, text);
    case CONFIG_BOOL: return value_bool(arena, str_is(text, "true"));
    case CONFIG_MAP:
    case CONFIG_SECRET_RULES:
    case CONFIG_REPLICAS: return NULL;
    default: return value_string(arena, text);
    }
}

#define TEXTS_SCHEMA                                                                                         \
    "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}"
#define MATCH_SCHEMA                                                                                         \
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"type\":" TEXTS_SCHEMA             \
    ",\"namespace\":" TEXTS_SCHEMA ",\"name\":" TEXTS_SCHEMA                                                 \
    ",\"labels\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}}}"

/* What a schema says of each type, as JSON: short enough to read, and parsed once. */
static const char *const type_schemas[] = {
    [CONFIG_STRING] = "{\"type\":\"string\"}",
    [CONFIG_STRINGS] = "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
    [CONFIG_COUNT] = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":100000}",
    [CONFIG_PERCENT] = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":100}",
    [CONFIG_BOOL] = "{\"type\":\"boolean\"}",
    [CONFIG_DURATION] = "{\"type\":\"string\",\"pattern\":\"^([0-9]+(ms|s|m|h|d))+$\"}",
    [CONFIG_SECRETS] = "{\"enum\":[\"omit\",\"sealed\",\"sops\",\"external\"]}",
    [CONFIG_SEVERITY] = "{\"enum\":[\"\",\"warning\",\"error\",[\"warning\"],[\"error\"]]}",
    [CONFIG_REPLICAS] =
        "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1,\"additionalProperties\":false,"
        "\"properties\":{\"fixed\":{\"type\":\"integer\",\"minimum\":0},"
        "\"atLeast\":{\"type\":\"integer\",\"minimum\":0}}}",
    [CONFIG_FOLDER] = "{\"type\":\"string\"}",
    [CONFIG_PATH] = "{\"type\":\"string\"}",
    [CONFIG_OFF] = "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\","
                   "\"additionalProperties\":false,\"required\":[\"rule\",\"match\"],\"properties\":{"
                   "\"rule\":{\"type\":\"string\"},\"match\":" MATCH_SCHEMA "}}]}}",
    [CONFIG_RULES] = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,"
                     "\"required\":[\"name\"],\"properties\":{\"name\":{\"type\":\"string\"},"
                     "\"match\":" MATCH_SCHEMA ",\"drop\":" TEXTS_SCHEMA ",\"set\":{\"type\":\"object\","
                     "\"additionalProperties\":false,\"required\":[\"pointer\",\"value\"],\"properties\":{"
                     "\"pointer\":{\"type\":\"string\"},\"value\":{}}}}}}",
    [CONFIG_MAP] = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}",
    [CONFIG_HELM] = "{\"enum\":[\"keep\",\"strip\"]}",
    [CONFIG_SCOPE] = "{\"enum\":[\"strict\",\"namespace-wide\",\"cluster-wide\"]}",
    [CONFIG_SECRET_RULES] =
        "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,"
        "\"required\":[\"mode\"],\"properties\":{\"mode\":{\"enum\":[\"omit\",\"sealed\",\"sops\","
        "\"external\"]},"
        "\"match\":" MATCH_SCHEMA ",\"environments\":" TEXTS_SCHEMA "}}}",
    [CONFIG_IN_CLEAR] = "{\"enum\":[\"refuse\",\"report\"]}",
};

static const struct value *key_schema(struct arena *arena, const struct config_key *key)
{
    const struct value *schema = NULL;
    struct err err;
    if (!json_parse(arena, str_of(type_schemas[key->type]), NULL, &schema, &err))
        return NULL;
    schema = value_with(arena, schema, STR("description"), value_cstr(arena, key->text));
    if (key->fallback[0] == '\0')
        return schema;
    return value_with(arena, schema, STR("default"), config_default_value(arena, key));
}

static const struct value *closed_object(struct arena *arena)
{
    return VALUE_MAP(arena, {"type", value_cstr(arena, "object")},
                     {"additionalProperties", value_bool(arena, false)});
}

/* Sets `leaf` below the nested objects that a dotted path names, making those that are missing. */
static const struct value *with_property(struct arena *arena, const struct value *object, struct str path,
                                         const struct value *leaf)
{
    struct str name = str_cut(&path, '.');
    const struct value *properties = value_key(object, "properties"), *child = leaf;
    if (path.len != 0) {
        const struct value *there = value_get(properties, name);
        child = with_property(arena, there ? there : closed_object(arena), path, leaf);
    }
    return value_with(arena, object, STR("properties"), value_with(arena, properties, name, child));
}

static const struct value *table_schema(struct arena *arena, const struct config_table *table)
{
    const struct value *object = closed_object(arena);
    for (size_t i = 0; i < table->count; i++)
        object =
            with_property(arena, object, str_of(table->keys[i].path), key_schema(arena, &table->keys[i]));
    return object;
}

static const struct value *list_schema(struct arena *arena, const struct config_table *table,
                                       const char *required)
{
    const struct value *item = value_with(arena, table_schema(arena, table), STR("required"),
                                          VALUE_LIST(arena, value_cstr(arena, required)));
    return VALUE_MAP(arena, {"type", value_cstr(arena, "array")}, {"items", item});
}

const struct value *config_schema(struct arena *arena)
{
    const struct value *root = table_schema(arena, &config_keys);
    root = with_property(arena, root, STR("stores"), list_schema(arena, &config_store_keys, "url"));
    root = with_property(arena, root, STR("hooks"), list_schema(arena, &config_hook_keys, "name"));
    root =
        with_property(arena, root, STR("environments"), list_schema(arena, &config_environment_keys, "name"));
    root = with_property(arena, root, STR("apiVersion"),
                         VALUE_MAP(arena, {"const", value_cstr(arena, "gitops-pipe.io/v1")}));
    root =
        with_property(arena, root, STR("kind"), VALUE_MAP(arena, {"const", value_cstr(arena, "Pipeline")}));
    root = value_with(arena, root, STR("required"),
                      VALUE_LIST(arena, value_cstr(arena, "apiVersion"), value_cstr(arena, "kind")));
    return value_with(arena, root, STR("$schema"),
                      value_cstr(arena, "https://json-schema.org/draft/2020-12/schema"));
}
