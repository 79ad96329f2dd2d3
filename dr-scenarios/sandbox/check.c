/* check.c — what the API server refuses: bad names, missing fields, immutable fields, and what the schema of a
 * custom resource forbids. Built-in types are checked for the commonest faults only; the rest is the real server's. */
#include <string.h>

#include "core/base/pointer.h"
#include "dr-scenarios/sandbox/intern.h"

/* "spec.template" → the value there. */
static const struct value *at(const struct value *object, const char *path)
{
    struct str rest = str_of(path);
    while (rest.len && object != NULL)
        object = value_get(object, str_cut(&rest, '.'));
    return object;
}

struct causes {
    struct value_list_builder list;
    struct str text; /* all of them, one after the other */
};

static void refuse(struct call *call, struct causes *causes, const char *reason, struct str field,
                   struct str message)
{
    struct arena *arena = call->arena;
    causes->text = str_fmt(arena, "%.*s%s%.*s: %.*s", STR_ARG(causes->text), causes->text.len ? ", " : "",
                           STR_ARG(field), STR_ARG(message));
    value_push(arena, &causes->list,
               VALUE_MAP(arena, {"reason", value_cstr(arena, reason)},
                         {"message", value_string(arena, message)}, {"field", value_string(arena, field)}));
}

static bool verdict(struct call *call, struct causes *causes)
{
    const struct resource_type *type = &call->type->type;
    bool many = causes->list.count > 1;
    if (causes->list.count == 0)
        return true;
    return call_fail_causes(call, 422, "Invalid", value_list_done(call->arena, &causes->list),
                            "%.*s%s%.*s \"%.*s\" is invalid: %s%.*s%s", STR_ARG(type->kind),
                            type->group.len ? "." : "", STR_ARG(type->group), STR_ARG(call->name),
                            many ? "[" : "", STR_ARG(causes->text), many ? "]" : "");
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* RFC 1123 subdomain, or one label of it when `max` is 63. */
static bool is_dns(struct str name, size_t max)
{
    if (name.len == 0 || name.len > max)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        bool edge = i == 0 || i + 1 == name.len || name.ptr[i - 1] == '.' || name.ptr[i + 1] == '.';
        bool dot = name.ptr[i] == '.' && max > 63 && i && i + 1 < name.len && name.ptr[i - 1] != '.';
        if (!is_alphanumeric(name.ptr[i]) && !dot && (edge || name.ptr[i] != '-'))
            return false;
    }
    return true;
}

static void check_name(struct call *call, const struct value *object, struct causes *causes)
{
    struct str name = value_str_in(object, PATH("metadata", "name")), kind = call->type->type.kind;
    bool path_segment = str_is(call->type->type.group, "rbac.authorization.k8s.io");
    bool one_label = str_is(kind, "Namespace") || str_is(kind, "Service");
    if (name.len == 0)
        refuse(call, causes, "FieldValueRequired", STR("metadata.name"),
               STR("Required value: name or generateName is required"));
    else if (path_segment && (str_contains(name, STR("/")) || str_contains(name, STR("%")) ||
                              str_is(name, ".") || str_is(name, "..")))
        refuse(call, causes, "FieldValueInvalid", STR("metadata.name"),
               str_fmt(call->arena, "Invalid value: \"%.*s\": may not contain '/' or '%%'", STR_ARG(name)));
    else if (!path_segment && !is_dns(name, one_label ? 63 : 253))
        refuse(call, causes, "FieldValueInvalid", STR("metadata.name"),
               str_fmt(
                   call->arena,
                   "Invalid value: \"%.*s\": a lowercase RFC 1123 %s must consist of lower case alphanumeric "
                   "characters%s, and must start and end with an alphanumeric character",
                   STR_ARG(name), one_label ? "label" : "subdomain", one_label ? " or '-'" : ", '-' or '.'"));
}

static const struct {
    const char *kind, *path;
} required[] = {
    {"Deployment", "spec.selector"},
    {"Deployment", "spec.template.spec.containers"},
    {"StatefulSet", "spec.selector"},
    {"StatefulSet", "spec.template.spec.containers"},
    {"DaemonSet", "spec.selector"},
    {"DaemonSet", "spec.template.spec.containers"},
    {"ReplicaSet", "spec.selector"},
    {"Job", "spec.template.spec.containers"},
    {"CronJob", "spec.schedule"},
    {"CronJob", "spec.jobTemplate.spec.template.spec.containers"},
    {"Pod", "spec.containers"},
    {"PersistentVolumeClaim", "spec.accessModes"},
    {"PersistentVolumeClaim", "spec.resources.requests.storage"},
    {"PersistentVolume", "spec.capacity"},
    {"StorageClass", "provisioner"},
    {"RoleBinding", "roleRef.name"},
    {"ClusterRoleBinding", "roleRef.name"},
    {"HorizontalPodAutoscaler", "spec.maxReplicas"},
    {"HorizontalPodAutoscaler", "spec.scaleTargetRef.name"},
    {"CustomResourceDefinition", "spec.group"},
    {"CustomResourceDefinition", "spec.names.plural"},
    {"CustomResourceDefinition", "spec.names.kind"},
    {"CustomResourceDefinition", "spec.scope"},
    {"CustomResourceDefinition", "spec.versions"},
};

static bool is_builtin(const struct call *call, const char *kind)
{
    return call->type->crd.len == 0 && str_is(call->type->type.kind, kind);
}

static void check_required(struct call *call, const struct value *object, struct causes *causes)
{
    for (size_t i = 0; i < COUNT_OF(required); i++)
        if (is_builtin(call, required[i].kind) && at(object, required[i].path) == NULL)
            refuse(call, causes, "FieldValueRequired", str_of(required[i].path), STR("Required value"));
}

static void check_selector(struct call *call, const struct value *object, struct causes *causes)
{
    static const char *const kinds[] = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"};
    const struct value *labels = at(object, "spec.template.metadata.labels");
    bool concerned = false;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        concerned |= is_builtin(call, kinds[i]);
    MEMBER_EACH(wanted, concerned ? at(object, "spec.selector.matchLabels") : NULL) {
        const struct value *label = value_get(labels, wanted->key);
        if (label != NULL && value_equal(label, &wanted->value))
            continue;
        refuse(call, causes, "FieldValueInvalid", STR("spec.template.metadata.labels"),
               str_fmt(call->arena, "Invalid value: %.*s: `selector` does not match template `labels`",
                       STR_ARG(labels ? json_text(call->arena, labels) : STR("null"))));
        return;
    }
}

static bool has_type(const struct value *value, struct str type)
{
    static const struct {
        const char *name;
        enum value_kind kind;
    } kinds[] = {{"object", VALUE_MAP},   {"array", VALUE_LIST},     {"string", VALUE_STRING},
                 {"boolean", VALUE_BOOL}, {"integer", VALUE_NUMBER}, {"number", VALUE_NUMBER}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_is(type, kinds[i].name))
            return value_is(value, kinds[i].kind) &&
                   !(str_is(type, "integer") && str_contains(value_text(value), STR(".")));
    return true;
}

static bool in_enum(const struct value *value, const struct value *allowed)
{
    VALUE_EACH(one, allowed) {
        if (value_equal(one, value))
            return true;
    }
    return allowed == NULL;
}

static void check_schema(struct call *call, const struct value *value, const struct value *schema,
                         struct str path, struct causes *causes)
{
    struct arena *arena = call->arena;
    struct str type = value_str(value_key(schema, "type"));
    if (schema == NULL || value_true(value_key(schema, "x-kubernetes-int-or-string")) ||
        causes->list.count > 20)
        return;
    if (!has_type(value, type)) {
        refuse(call, causes, "FieldValueTypeInvalid", path,
               str_fmt(arena, "Invalid value: \"%s\": %.*s in body must be of type %.*s: \"%s\"",
                       value_kind_name(value->kind), STR_ARG(path), STR_ARG(type),
                       value_kind_name(value->kind)));
        return;
    }
    if (!in_enum(value, value_key(schema, "enum")))
        refuse(call, causes, "FieldValueNotSupported", path,
               str_fmt(arena, "Unsupported value: %.*s", STR_ARG(json_text(arena, value))));
    VALUE_EACH(name, value_key(schema, "required")) {
        struct str field =
            str_fmt(arena, "%.*s%s%.*s", STR_ARG(path), path.len ? "." : "", STR_ARG(value_str(name)));
        if (value_get(value, value_str(name)) == NULL)
            refuse(call, causes, "FieldValueRequired", field, STR("Required value"));
    }
    MEMBER_EACH(member, value) {
        const struct value *inside = value_get(value_key(schema, "properties"), member->key);
        if (inside == NULL)
            inside = value_key(schema, "additionalProperties");
        check_schema(call, &member->value, value_is(inside, VALUE_MAP) ? inside : NULL,
                     str_fmt(arena, "%.*s%s%.*s", STR_ARG(path), path.len ? "." : "", STR_ARG(member->key)),
                     causes);
    }
    for (size_t i = 0; value->kind == VALUE_LIST && i < value_count(value); i++)
        check_schema(call, value_item(value, i), value_key(schema, "items"),
                     str_fmt(arena, "%.*s[%zu]", STR_ARG(path), i), causes);
}

/* Texts that Go's types want as texts: a number here is the commonest slip of hand-written YAML. */
static bool check_texts(struct call *call, const struct value *object)
{
    static const char *const places[] = {"metadata.labels", "metadata.annotations", "data", "stringData"};
    bool holds_texts = is_builtin(call, "ConfigMap") || is_builtin(call, "Secret");
    for (size_t i = 0; i < (holds_texts ? COUNT_OF(places) : 2); i++) {
        MEMBER_EACH(member, at(object, places[i])) {
            if (!value_is(&member->value, VALUE_STRING))
                return call_fail(
                    call, 500, "",
                    "failed to create typed patch object (%.*s/%.*s; %.*s, Kind=%.*s): .%s.%.*s: "
                    "expected string, got &value.valueUnstructured{Value:%.*s}",
                    STR_ARG(call->namespace), STR_ARG(call->name),
                    STR_ARG(types_group_version(call->arena, call->type)), STR_ARG(call->type->type.kind),
                    places[i], STR_ARG(member->key), STR_ARG(json_text(call->arena, &member->value)));
        }
    }
    return true;
}

/* A pod's account must be there before the pod. */
static bool check_account(struct call *call, const struct value *object)
{
    const struct served *accounts = types_kind(call->sandbox, "", "ServiceAccount");
    struct str name = value_str_in(object, PATH("spec", "serviceAccountName"));
    name = name.len ? name : STR("default");
    return call->internal || !is_builtin(call, "Pod") || state_get(accounts, call->namespace, name) ||
           call_fail(call, 403, "Forbidden",
                     "pods \"%.*s\" is forbidden: error looking up service account %.*s/%.*s: serviceaccount "
                     "\"%.*s\" not found",
                     STR_ARG(call->name), STR_ARG(call->namespace), STR_ARG(name), STR_ARG(name));
}

bool check_object(struct call *call, const struct value *object)
{
    struct causes causes = {0};
    if (!check_texts(call, object))
        return false;
    check_name(call, object, &causes);
    check_required(call, object, &causes);
    check_selector(call, object, &causes);
    if (call->type->schema != NULL)
        check_schema(call, object, call->type->schema, STR_NONE, &causes);
    return verdict(call, &causes) && check_account(call, object);
}

static const char STATEFULSET[] =
    "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
    "are "
    "forbidden";
static const char CLAIM[] = "Forbidden: spec is immutable after creation except resources.requests and "
                            "volumeAttributesClassName for bound claims";

/* Fields that stay as they were made; `field` is what the server blames. */
static const struct {
    const char *kind, *path, *field, *message;
} immutable[] = {
    {"Deployment", "spec.selector", "spec.selector", NULL},
    {"ReplicaSet", "spec.selector", "spec.selector", NULL},
    {"DaemonSet", "spec.selector", "spec.selector", NULL},
    {"StatefulSet", "spec.selector", "spec", STATEFULSET},
    {"StatefulSet", "spec.serviceName", "spec", STATEFULSET},
    {"StatefulSet", "spec.podManagementPolicy", "spec", STATEFULSET},
    {"StatefulSet", "spec.volumeClaimTemplates", "spec", STATEFULSET},
    {"Job", "spec.template", "spec.template", NULL},
    {"Job", "spec.selector", "spec.selector", NULL},
    {"Job", "spec.completionMode", "spec.completionMode", NULL},
    {"PersistentVolumeClaim", "spec.accessModes", "spec", CLAIM},
    {"PersistentVolumeClaim", "spec.storageClassName", "spec", CLAIM},
    {"PersistentVolumeClaim", "spec.volumeMode", "spec", CLAIM},
    {"PersistentVolumeClaim", "spec.selector", "spec", CLAIM},
    {"PersistentVolumeClaim", "spec.dataSource", "spec", CLAIM},
    {"StorageClass", "provisioner", "provisioner", "Forbidden: updates to provisioner are forbidden."},
    {"StorageClass", "parameters", "parameters", "Forbidden: updates to parameters are forbidden."},
    {"StorageClass", "reclaimPolicy", "reclaimPolicy", "Forbidden: updates to reclaimPolicy are forbidden."},
    {"StorageClass", "volumeBindingMode", "volumeBindingMode", NULL},
    {"RoleBinding", "roleRef", "roleRef", "Invalid value: cannot change roleRef"},
    {"ClusterRoleBinding", "roleRef", "roleRef", "Invalid value: cannot change roleRef"},
    {"Secret", "type", "type", NULL},
    {"PriorityClass", "value", "value", "Forbidden: may not be changed in an update."},
    {"IngressClass", "spec.controller", "spec.controller", NULL},
    {"Service", "spec.clusterIPs", "spec.clusterIPs[0]", "Invalid value: may not change once set"},
    {"CustomResourceDefinition", "spec.scope", "spec.scope", NULL},
    {"CustomResourceDefinition", "spec.group", "spec.group", NULL},
};

bool check_update(struct call *call, const struct value *before, const struct value *object)
{
    struct causes causes = {0};
    for (size_t i = 0; i < COUNT_OF(immutable); i++) {
        if (!is_builtin(call, immutable[i].kind) ||
            value_equal(at(before, immutable[i].path), at(object, immutable[i].path)))
            continue;
        const struct value *now = at(object, immutable[i].path);
        struct str message = immutable[i].message
                                 ? str_of(immutable[i].message)
                                 : str_fmt(call->arena, "Invalid value: %.*s: field is immutable",
                                           STR_ARG(now ? json_text(call->arena, now) : STR("null")));
        refuse(call, &causes,
               str_starts(message, STR("Forbidden")) ? "FieldValueForbidden" : "FieldValueInvalid",
               str_of(immutable[i].field), message);
    }
    bool frozen = value_true(value_key(before, "immutable"));
    if (frozen && !value_equal(value_key(before, "data"), value_key(object, "data")))
        refuse(call, &causes, "FieldValueForbidden", STR("data"),
               STR("Forbidden: field is immutable when `immutable` is set"));
    return verdict(call, &causes);
}

static bool is_open(const struct value *schema)
{
    return value_true(value_key(schema, "x-kubernetes-preserve-unknown-fields")) ||
           value_true(value_key(schema, "x-kubernetes-embedded-resource")) ||
           (value_key(schema, "properties") == NULL && value_key(schema, "additionalProperties") == NULL &&
            value_key(schema, "items") == NULL);
}

static const struct value *prune_value(struct arena *arena, const struct value *value,
                                       const struct value *schema, bool root)
{
    struct value_map_builder kept = {0};
    struct value_list_builder items = {0};
    const struct value *properties = value_key(schema, "properties"),
                       *more = value_key(schema, "additionalProperties");
    bool open = is_open(schema);
    if (value_is(value, VALUE_LIST) && value_key(schema, "items")) {
        VALUE_EACH(item, value) {
            value_push(arena, &items, prune_value(arena, item, value_key(schema, "items"), false));
        }
        return value_list_done(arena, &items);
    }
    if (!value_is(value, VALUE_MAP))
        return value;
    MEMBER_EACH(member, value) {
        bool meta = root && (str_is(member->key, "apiVersion") || str_is(member->key, "kind") ||
                             str_is(member->key, "metadata"));
        const struct value *inside = value_get(properties, member->key);
        if (inside == NULL && value_is(more, VALUE_MAP))
            inside = more;
        if (inside != NULL && !meta)
            value_put(arena, &kept, member->key, prune_value(arena, &member->value, inside, false));
        else if (meta || open || value_true(more))
            value_put(arena, &kept, member->key, &member->value);
    }
    return value_map_done(arena, &kept);
}

const struct value *check_prune(struct arena *arena, const struct value *object, const struct value *schema)
{
    return prune_value(arena, object, schema, true);
}
