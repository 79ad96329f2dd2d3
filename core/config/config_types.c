/* How a value of each type of config.def is read into its field. */
#include <stdlib.h>
#include <string.h>

#include "core/base/pointer.h"
#include "core/base/yaml.h"
#include "core/config/config_read.h"

/* The fault, with file, line and column in front. */
bool config_fail_at(struct config_reader *r, struct str pointer, const char *why)
{
    size_t line, column;
    if (yaml_locate(r->text, pointer, &line, &column))
        return err_set(r->err, ERR_USAGE, "%.*s:%zu:%zu: %s", STR_ARG(r->path), line, column, why);
    return err_set(r->err, ERR_USAGE, "%.*s: %s", STR_ARG(r->path), why);
}

struct str config_where(struct config_reader *r, struct str pointer)
{
    size_t line, column;
    if (r->path.len == 0 || !yaml_locate(r->text, pointer, &line, &column))
        return r->path;
    return str_fmt(r->arena, "%.*s:%zu:%zu", STR_ARG(r->path), line, column);
}

/* ${NAME} becomes the environment variable NAME, so that nothing secret has to stand in the file. */
static bool expand(struct config_reader *r, struct str pointer, struct str text, struct str *ret)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, CONFIG_MAX_BYTES);
    while (text.len != 0) {
        size_t at = str_find(text, '$');
        buf_str(&out, str_slice(text, 0, at));
        text = str_from(text, at);
        if (!str_starts(text, STR("${"))) {
            buf_str(&out, str_slice(text, 0, 1));
            text = str_from(text, 1);
            continue;
        }
        struct str name = str_slice(text, 2, str_find(text, '}'));
        const char *value = getenv(str_c(r->arena, name));
        if (value == NULL)
            return config_fail_at(
                r, pointer,
                str_c(r->arena, str_fmt(r->arena, "environment variable %.*s is not set", STR_ARG(name))));
        buf_text(&out, value);
        text = str_from(text, str_find(text, '}') + 1);
    }
    *ret = str_dup(r->arena, buf_view(&out));
    return true;
}

struct str config_beside_file(struct config_reader *r, struct str path)
{
    if (path.len == 0 || path.ptr[0] == '/' || r->folder.len == 0)
        return path;
    return str_fmt(r->arena, "%.*s/%.*s", STR_ARG(r->folder), STR_ARG(path));
}

bool config_expect(struct config_reader *r, struct str pointer, const struct value *value,
                   enum value_kind kind, const char *what)
{
    if (value_is(value, kind))
        return true;
    return config_fail_at(
        r, pointer,
        str_c(r->arena, str_fmt(r->arena, "expected %s, found a %s", what, value_kind_name(value->kind))));
}

static bool read_string(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    return config_expect(r, pointer, value, VALUE_STRING, "a text") &&
           expand(r, pointer, value_str(value), field);
}

bool config_read_text(struct config_reader *r, struct str pointer, const struct value *value, struct str *ret)
{
    return read_string(r, pointer, value, ret);
}

static bool read_path(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    struct str path;
    if (!read_string(r, pointer, value, &path))
        return false;
    *(struct str *)field = config_beside_file(r, path);
    return true;
}

static bool read_strings(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    struct str_list list = {0};
    size_t index = 0;
    if (!config_expect(r, pointer, value, VALUE_LIST, "a list of texts"))
        return false;
    VALUE_EACH(item, value)
        if (!read_string(r, pointer_index(r->arena, pointer, index++), item, ARENA_PUSH(r->arena, &list)))
            return false;
    *(struct str_list *)field = list;
    return true;
}

static bool read_number(struct config_reader *r, struct str pointer, const struct value *value, int64_t most,
                        void *field)
{
    int64_t number;
    if (!value_i64(value, &number) || number < 0 || number > most)
        return config_fail_at(
            r, pointer,
            str_c(r->arena, str_fmt(r->arena, "expected a whole number from 0 to %d", (int)most)));
    *(int64_t *)field = number;
    return true;
}

static bool read_percent(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    return read_number(r, pointer, value, 100, field);
}

static bool read_count(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    return read_number(r, pointer, value, 100000, field);
}

static bool read_bool(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    if (!config_expect(r, pointer, value, VALUE_BOOL, "true or false"))
        return false;
    *(bool *)field = value_true(value);
    return true;
}

bool config_duration(struct str text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    int64_t total = 0;
    if (text.len == 0)
        return false;
    while (text.len != 0) {
        size_t digits = 0, letters, i = 0;
        uint64_t number;
        while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
            digits++;
        letters = digits;
        while (letters < text.len && text.ptr[letters] >= 'a' && text.ptr[letters] <= 'z')
            letters++;
        struct str unit = str_slice(text, digits, letters);
        while (i < COUNT_OF(units) && !str_is(unit, units[i].unit))
            i++;
        if (i == COUNT_OF(units) || !str_to_u64(str_slice(text, 0, digits), &number) || number > 1000000)
            return false;
        total += (int64_t)number * units[i].ms;
        text = str_from(text, letters);
    }
    *ret_ms = total;
    return true;
}

static bool read_duration(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    return config_duration(value_str(value), field) ||
           config_fail_at(r, pointer, "expected a duration such as 90s, 5m or 24h");
}

static bool read_severity(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    static const struct str known[] = {STR_INIT(""), STR_INIT("warning"), STR_INIT("error")};
    /* failOn: error and failOn: [error] mean the same. */
    const struct value *one = value_is(value, VALUE_LIST) ? value_item(value, 0) : value;
    if (one != NULL && !str_in(value_str(one), known, COUNT_OF(known)))
        return config_fail_at(r, pointer, "expected error or warning");
    *(struct str *)field = str_dup(r->arena, value_str(one));
    return true;
}

static bool read_replicas(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    struct config_environment *environment =
        (void *)((char *)field - offsetof(struct config_environment, replicas));
    const struct value *fixed = value_key(value, "fixed"), *at_least = value_key(value, "atLeast");
    int64_t number;
    if (value_count(value) != 1 || (fixed == NULL && at_least == NULL) ||
        !value_i64(fixed ? fixed : at_least, &number) || number < 0 || number > 10000)
        return config_fail_at(r, pointer, "expected {fixed: N} or {atLeast: N}");
    environment->replicas_rule = fixed ? REPLICAS_FIXED : REPLICAS_AT_LEAST;
    environment->replicas = number;
    return true;
}

static bool read_text_map(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    if (!config_expect(r, pointer, value, VALUE_MAP, "a map of texts"))
        return false;
    MEMBER_EACH(member, value)
        if (!config_expect(r, pointer_child(r->arena, pointer, member->key), &member->value, VALUE_STRING,
                           "a text"))
            return false;
    *(const struct value **)field = value;
    return true;
}

const struct config_environment *config_environment(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->environments.count; i++)
        if (str_eq(config->environments.items[i].name, name))
            return &config->environments.items[i];
    return NULL;
}

struct str config_namespace(struct arena *arena, const struct config_environment *environment,
                            struct str namespace)
{
    const struct value *mapped = value_get(environment->namespace_map, namespace);
    bool given = str_is(namespace, "default") || str_starts(namespace, STR("kube-"));
    if (mapped != NULL)
        return value_str(mapped);
    if (given || namespace.len == 0 ||
        environment->namespace_prefix.len + environment->namespace_suffix.len == 0)
        return namespace;
    return str_fmt(arena, "%.*s%.*s%.*s", STR_ARG(environment->namespace_prefix), STR_ARG(namespace),
                   STR_ARG(environment->namespace_suffix));
}

static bool (*const readers[])(struct config_reader *, struct str, const struct value *, void *) = {
    [CONFIG_STRING] = read_string,
    [CONFIG_STRINGS] = read_strings,
    [CONFIG_PERCENT] = read_percent,
    [CONFIG_BOOL] = read_bool,
    [CONFIG_DURATION] = read_duration,
    [CONFIG_SECRETS] = config_read_secrets_mode,
    [CONFIG_SEVERITY] = read_severity,
    [CONFIG_REPLICAS] = read_replicas,
    [CONFIG_FOLDER] = read_path,
    [CONFIG_PATH] = read_path,
    [CONFIG_OFF] = config_read_off,
    [CONFIG_RULES] = config_read_rules,
    [CONFIG_HELM] = config_read_helm,
    [CONFIG_COUNT] = read_count,
    [CONFIG_MAP] = read_text_map,
    [CONFIG_SCOPE] = config_read_scope,
    [CONFIG_SECRET_RULES] = config_read_secret_rules,
    [CONFIG_IN_CLEAR] = config_read_in_clear,
};

bool config_read_field(struct config_reader *r, const struct config_key *key, struct str pointer,
                       const struct value *value, void *base)
{
    return readers[key->type](r, pointer, value, (char *)base + key->offset);
}
