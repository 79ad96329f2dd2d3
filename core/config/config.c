#include "core/config/config.h"

#include <stdlib.h>

#include "core/base/files.h"
#include "core/base/pointer.h"
#include "core/base/yaml.h"
#include "core/config/config_read.h"

static struct str list_prefix(struct arena *arena, struct str path)
{
    return path.len ? str_fmt(arena, "%.*s.", STR_ARG(path)) : STR_NONE;
}

/* Keys of the whole document that no row of the table stands for. */
static const char *const document_keys[] = {"apiVersion", "kind", "stores", "environments", "hooks"};

static void keep_nearer(struct str *best, unsigned *best_distance, struct str known, struct str wrong)
{
    unsigned distance = str_distance(known, wrong);
    if (distance < *best_distance) {
        *best = known;
        *best_distance = distance;
    }
}

/* The known key nearest to a wrong one: the last part of every path that starts as this one does. */
static struct str nearest_key(struct config_reader *r, const struct config_table *table, struct str prefix,
                              struct str wrong)
{
    struct str best = STR_NONE;
    unsigned best_distance = 4;
    for (size_t i = 0; i < table->count; i++) {
        struct str path = str_of(table->keys[i].path);
        if (!str_starts(path, prefix))
            continue;
        struct str rest = str_from(path, prefix.len);
        keep_nearer(&best, &best_distance, str_cut(&rest, '.'), wrong);
    }
    for (size_t i = 0; i < COUNT_OF(document_keys) && table == &config_keys && prefix.len == 0; i++)
        keep_nearer(&best, &best_distance, str_of(document_keys[i]), wrong);
    return best;
}

static bool unknown_key(struct config_reader *r, const struct config_table *table, struct str prefix,
                        struct str pointer, struct str key)
{
    struct str near = nearest_key(r, table, prefix, key);
    struct str text = near.len ? str_fmt(r->arena, "unknown key \"%.*s\"; did you mean \"%.*s\"?",
                                         STR_ARG(key), STR_ARG(near))
                               : str_fmt(r->arena, "unknown key \"%.*s\"", STR_ARG(key));
    config_fail_at(r, pointer, str_c(r->arena, text));
    return err_next(r->err, "gitops-pipe init --schema prints every key there is");
}

static bool has_keys_below(const struct config_table *table, struct str prefix)
{
    for (size_t i = 0; i < table->count; i++)
        if (str_starts(str_of(table->keys[i].path), prefix))
            return true;
    return false;
}

/* Walks the document; `path` is the dotted way here, and says which rows of the table apply. */
static bool read_map(struct config_reader *r, const struct config_table *table, struct str path,
                     struct str pointer, const struct value *map, void *base)
{
    struct str prefix = list_prefix(r->arena, path);
    if (!config_expect(r, pointer, map, VALUE_MAP, "a map"))
        return false;
    MEMBER_EACH(member, map) {
        struct str here = str_fmt(r->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(member->key));
        struct str at = pointer_child(r->arena, pointer, member->key);
        const struct config_key *key = config_key_find(table, here);
        bool ok;
        if (member->value.kind == VALUE_NULL)
            continue; /* "key:" with nothing behind it keeps the default */
        if (key != NULL)
            ok = config_read_field(r, key, at, &member->value, base);
        else if (has_keys_below(table, list_prefix(r->arena, here)))
            ok = read_map(r, table, here, at, &member->value, base);
        else
            ok = unknown_key(r, table, prefix, at, member->key);
        if (!ok)
            return false;
    }
    return true;
}

static bool apply_defaults(struct config_reader *r, const struct config_table *table, void *base)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct config_key *key = &table->keys[i];
        const struct value *value = config_default_value(r->arena, key);
        if (value != NULL && !config_read_field(r, key, STR_NONE, value, base))
            return false;
    }
    return true;
}

bool config_read_item(struct config_reader *r, const struct config_table *table, struct str pointer,
                      const struct value *item, void *base)
{
    return apply_defaults(r, table, base) && read_map(r, table, STR_NONE, pointer, item, base);
}

static bool read_stores(struct config_reader *r, const struct value *list, struct config *config)
{
    struct str pointer = STR("/stores");
    config->stores = (struct config_stores){0};
    if (!config_expect(r, pointer, list, VALUE_LIST, "a list of stores"))
        return false;
    size_t index = 0;
    VALUE_EACH(item, list) {
        struct config_store *store = ARENA_PUSH(r->arena, &config->stores);
        struct str at = pointer_index(r->arena, pointer, index++);
        *store = (struct config_store){0};
        if (!config_read_item(r, &config_store_keys, at, item, store))
            return false;
        if (store->url.len == 0)
            return config_fail_at(r, at, "a store needs a url");
        if (store->name.len == 0)
            store->name = store->url;
    }
    return true;
}

static bool read_environments(struct config_reader *r, const struct value *list, struct config *config)
{
    struct str pointer = STR("/environments");
    config->environments = (struct config_environments){0};
    if (!config_expect(r, pointer, list, VALUE_LIST, "a list of environments"))
        return false;
    size_t index = 0;
    VALUE_EACH(item, list) {
        struct config_environment *environment = ARENA_PUSH(r->arena, &config->environments);
        struct str at = pointer_index(r->arena, pointer, index++);
        *environment = (struct config_environment){0};
        if (!config_read_item(r, &config_environment_keys, at, item, environment))
            return false;
        /* It becomes a folder and part of object names. */
        if (!str_is_dns_label(environment->name))
            return config_fail_at(r, at, "an environment needs a name of lower-case letters, digits and '-'");
        for (size_t i = 0; i + 1 < config->environments.count; i++)
            if (str_eq(config->environments.items[i].name, environment->name))
                return config_fail_at(r, at, "this environment comes twice");
    }
    return true;
}

/* As the default of the table; a list that is not there has no items for it to apply to. */
#define IN_CLUSTER "https://kubernetes.default.svc"

static void default_lists(struct arena *arena, struct config *config)
{
    *ARENA_PUSH(arena, &config->stores) = (struct config_store){
        .name = STR("main"), .url = STR("file:./backups"), .region = STR("us-east-1"), .path_style = true};
    *ARENA_PUSH(arena, &config->environments) = (struct config_environment){.destination = STR(IN_CLUSTER),
                                                                            .name = STR("dev"),
                                                                            .replicas_rule = REPLICAS_FIXED,
                                                                            .replicas = 1,
                                                                            .debug = true};
    *ARENA_PUSH(arena, &config->environments) = (struct config_environment){.destination = STR(IN_CLUSTER),
                                                                            .name = STR("staging"),
                                                                            .replicas_rule = REPLICAS_FIXED,
                                                                            .replicas = 2};
    *ARENA_PUSH(arena, &config->environments) =
        (struct config_environment){.destination = STR(IN_CLUSTER),
                                    .name = STR("prod"),
                                    .replicas_rule = REPLICAS_AT_LEAST,
                                    .replicas = 3,
                                    .harden = true};
}

/* A folder named by file: is relative to the configuration file, as every other path is. */
static void resolve_stores(struct config_reader *r, struct config *config)
{
    for (size_t i = 0; i < config->stores.count; i++) {
        struct str *url = &config->stores.items[i].url;
        if (!str_starts(*url, STR("file:")))
            continue;
        struct str folder = str_from(*url, str_starts(*url, STR("file://")) ? 7 : 5);
        folder = config_beside_file(r, str_from(folder, str_starts(folder, STR("./")) ? 2 : 0));
        *url = str_fmt(r->arena, "file:%s%.*s", str_starts(folder, STR("/")) ? "//" : "./", STR_ARG(folder));
    }
}

void config_defaults(struct arena *arena, struct config *ret_config)
{
    struct err err;
    struct config_reader r = {.arena = arena, .err = &err};
    *ret_config = (struct config){0};
    if (!apply_defaults(&r, &config_keys, ret_config))
        abort(); /* the table itself is wrong, and its test says so */
    default_lists(arena, ret_config);
}

static bool check_header(struct config_reader *r, const struct value *root)
{
    if (!config_expect(r, STR_NONE, root, VALUE_MAP, "a map"))
        return false;
    if (!str_is(value_str_in(root, PATH("apiVersion")), "gitops-pipe.io/v1"))
        return config_fail_at(r, STR("/apiVersion"), "expected apiVersion: gitops-pipe.io/v1");
    if (!str_is(value_str_in(root, PATH("kind")), "Pipeline"))
        return config_fail_at(r, STR("/kind"), "expected kind: Pipeline");
    return true;
}

static bool read_document(struct config_reader *r, const struct value *root, struct config *config)
{
    const struct value *stores = value_key(root, "stores"), *environments = value_key(root, "environments"),
                       *hooks = value_key(root, "hooks");
    if (!check_header(r, root) || (stores && !read_stores(r, stores, config)) ||
        (environments && !read_environments(r, environments, config)) ||
        (hooks && !config_read_hooks(r, hooks, &config->hooks)))
        return false;
    for (size_t i = 0; i < COUNT_OF(document_keys); i++)
        root = value_without(r->arena, root, str_of(document_keys[i]));
    if (!read_map(r, &config_keys, STR_NONE, STR_NONE, root, config))
        return false;
    if (config->weight_schema + config->weight_security + config->weight_production +
            config->weight_resources ==
        0)
        return config_fail_at(r, STR("/quality/weights"), "at least one weight must be above 0");
    return true;
}

bool config_read(struct arena *arena, const char *path, struct config *ret_config, struct err *err)
{
    struct config_reader r = {.arena = arena, .path = str_dup(arena, str_of(path)), .err = err};
    struct yaml_documents documents;
    struct config config;
    size_t slash = str_rfind(r.path, '/');
    r.folder = slash < r.path.len ? str_slice(r.path, 0, slash ? slash : 1) : STR_NONE;
    if (!file_read(arena, path, CONFIG_MAX_BYTES, &r.text, err) ||
        !yaml_parse(arena, r.text, r.path, &documents, err))
        return false;
    if (documents.count != 1)
        return err_set(err, ERR_USAGE, "%s: expected one document, found %zu", path, documents.count);
    config_defaults(arena, &config);
    config.path = r.path;
    config.report_dir = config_beside_file(&r, config.report_dir);
    config.state_dir = config_beside_file(&r, config.state_dir);
    if (!read_document(&r, documents.items[0].root, &config))
        return false;
    resolve_stores(&r, &config);
    *ret_config = config;
    return true;
}
