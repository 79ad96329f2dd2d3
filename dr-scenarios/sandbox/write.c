/* write.c — create, server-side apply, update, merge patch and delete, in the order the API server works:
 * the body against the address, names and rules, defaults, ownership, then storage; controllers come last. */
#include <string.h>

#include "core/base/patch.h"
#include "dr-scenarios/sandbox/intern.h"

static const char *const with_generation[] = {
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "Pod",
    "Ingress",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "CustomResourceDefinition",
    "PriorityClass",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "IngressClass",
    "EndpointSlice",
};

static bool has_generation(const struct served *type)
{
    for (size_t i = 0; i < COUNT_OF(with_generation); i++)
        if (str_is(type->type.kind, with_generation[i]))
            return true;
    return type->crd.len != 0;
}

static const char *manager_of(const struct call *call, const char *fallback)
{
    struct str name = call_query(call, "fieldManager"), agent = call->user_agent;
    if (call->manager != NULL)
        return call->manager;
    if (name.len == 0)
        name = str_cut(&agent, '/');
    return name.len ? str_c(call->arena, name) : fallback;
}

static const struct value *set_meta(struct arena *arena, const struct value *object, const char *key,
                                    const struct value *value)
{
    return value ? value_with_in(arena, object, PATH("metadata", key), value)
                 : value_without_in(arena, object, PATH("metadata", key));
}

/* Go drops nulls from typed objects; so do we, everywhere. */
static const struct value *without_nulls(struct arena *arena, const struct value *value, void *ctx)
{
    if (value_is(value, VALUE_LIST))
        return value_change_items(arena, value, without_nulls, ctx);
    if (!value_is(value, VALUE_MAP))
        return value;
    struct value_map_builder kept = {0};
    MEMBER_EACH(member, value) {
        if (!value_is(&member->value, VALUE_NULL))
            value_put(arena, &kept, member->key, without_nulls(arena, &member->value, ctx));
    }
    return value_map_done(arena, &kept);
}

/* The body must be of the type, namespace and name that the path names; fills in what it leaves out. */
static bool address(struct call *call, const struct value **object)
{
    struct arena *arena = call->arena;
    struct str version = types_group_version(arena, call->type);
    struct str namespace = value_str_in(*object, PATH("metadata", "namespace"));
    struct str name = value_str_in(*object, PATH("metadata", "name"));
    struct str written = value_str(value_key(*object, "apiVersion")),
               kind = value_str(value_key(*object, "kind"));
    if (!str_eq(kind, call->type->type.kind) || !str_eq(written, version))
        return call_fail(call, 400, "BadRequest", "invalid object type: %s%.*s, Kind=%.*s",
                         str_find(written, '/') < written.len ? "" : "/", STR_ARG(written), STR_ARG(kind));
    if (namespace.len && !str_eq(namespace, call->namespace))
        return call_fail(
            call, 400, "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request");
    if (call->name.len && name.len && !str_eq(name, call->name))
        return call_fail(call, 400, "BadRequest",
                         "the name of the object (%.*s) does not match the name on the URL (%.*s)",
                         STR_ARG(name), STR_ARG(call->name));
    *object = without_nulls(arena, *object, NULL);
    if (call->name.len)
        *object = set_meta(arena, *object, "name", value_string(arena, call->name));
    if (call->namespace.len)
        *object = set_meta(arena, *object, "namespace", value_string(arena, call->namespace));
    struct str dry = call_query(call, "dryRun");
    return dry.len == 0 || str_is(dry, "All") ||
           call_fail(call, 422, "Invalid", "dryRun: Unsupported value: \"%.*s\"", STR_ARG(dry));
}

static bool namespace_exists(struct call *call)
{
    const struct served *type = types_kind(call->sandbox, "", "Namespace");
    if (call->namespace.len == 0 || type == NULL)
        return true;
    const struct value *namespace = state_get(type, STR_NONE, call->namespace);
    if (namespace == NULL)
        return call_fail(call, 404, "NotFound", "namespaces \"%.*s\" not found", STR_ARG(call->namespace));
    return value_in(namespace, PATH("metadata", "deletionTimestamp")) == NULL ||
           call_fail(
               call, 403, "Forbidden",
               "%.*s \"%.*s\" is forbidden: unable to create new content in namespace %.*s because it is "
               "being terminated",
               STR_ARG(types_resource(call->arena, call->type)), STR_ARG(call->name),
               STR_ARG(call->namespace));
}

static struct str generated_name(struct call *call, struct str prefix)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    char tail[6] = {0};
    uint64_t seed = ++call->sandbox->names * 0x9e3779b97f4a7c15U;
    for (size_t i = 0; i < 5; i++, seed /= 27)
        tail[i] = letters[(seed >> 7) % 27];
    return str_fmt(call->arena, "%.*s%s", STR_ARG(prefix), tail);
}

/* What the server gives a new object. */
static const struct value *fresh_meta(struct call *call, const struct value *object)
{
    struct arena *arena = call->arena;
    struct str name = value_str_in(object, PATH("metadata", "name"));
    struct str prefix = value_str_in(object, PATH("metadata", "generateName"));
    if (name.len == 0 && prefix.len)
        object = set_meta(arena, object, "name", value_string(arena, generated_name(call, prefix)));
    object = set_meta(arena, object, "uid", value_string(arena, state_uid(arena)));
    object = set_meta(arena, object, "creationTimestamp", value_string(arena, state_now(arena)));
    object = set_meta(arena, object, "resourceVersion", NULL);
    object = set_meta(arena, object, "deletionTimestamp", NULL);
    object = set_meta(arena, object, "generation", has_generation(call->type) ? value_int(arena, 1) : NULL);
    return call->type->type.has_status && !call->internal ? value_without(arena, object, STR("status"))
                                                          : object;
}

/* Stores, unless this is a rehearsal, and answers. */
static bool store(struct call *call, int status, const struct value *object)
{
    if (call_query(call, "dryRun").len)
        return call_ok(call, status, object);
    struct str name = value_str_in(object, PATH("metadata", "name"));
    const struct value *kept = state_put(call->sandbox, call->type, call->namespace, name, object);
    if (kept == NULL)
        return call_fail(call, 507, "InsufficientStorage", "the sandbox holds no more than %zu objects",
                         call->sandbox->options.max_objects);
    controllers_wrote(call->sandbox, call->type, kept);
    const struct value *now = state_get(call->type, call->namespace, name);
    return call_ok(call, status, now ? now : kept);
}

static const struct value *prune(struct call *call, const struct value *object)
{
    return call->type->schema ? check_prune(call->arena, object, call->type->schema) : object;
}

/* A new object from its body; `owned` already carries managedFields when it was applied. */
static bool create(struct call *call, const struct value *object, bool applied)
{
    object = fresh_meta(call, prune(call, object));
    call->name = value_str_in(object, PATH("metadata", "name"));
    if (!check_object(call, object) || !namespace_exists(call))
        return false;
    if (state_get(call->type, call->namespace, call->name) != NULL)
        return call_fail(call, 409, "AlreadyExists", "%.*s \"%.*s\" already exists",
                         STR_ARG(types_resource(call->arena, call->type)), STR_ARG(call->name));
    object = defaults_fill(call, object, NULL);
    if (!applied)
        object = managed_update(call->arena, call->type, NULL, object, manager_of(call, "unknown"), "");
    return store(call, 201, object);
}

bool write_create(struct call *call, const struct value *object)
{
    struct str kind = call->type->type.kind;
    if (call->type->type.namespaced && call->namespace.len == 0)
        return call_fail(call, 405, "MethodNotAllowed",
                         "the server does not allow this method on the requested resource");
    if (!address(call, &object))
        return false;
    if (str_is(kind, "SelfSubjectAccessReview"))
        return call_ok(
            call, 201,
            value_with_in(call->arena, object, PATH("status", "allowed"), value_bool(call->arena, true)));
    if (str_is(kind, "SelfSubjectReview"))
        return call_ok(call, 201,
                       value_with_in(call->arena, object, PATH("status", "userInfo", "username"),
                                     value_cstr(call->arena, "sandbox")));
    return create(call, value_without_in(call->arena, object, PATH("metadata", "managedFields")), false);
}

/* What a client cannot change is taken from the live object. */
static const struct value *keep_server_owned(struct call *call, const struct value *live,
                                             const struct value *object)
{
    static const char *const keys[] = {"uid",
                                       "creationTimestamp",
                                       "generation",
                                       "resourceVersion",
                                       "deletionTimestamp",
                                       "deletionGracePeriodSeconds"};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        object = set_meta(call->arena, object, keys[i], value_in(live, PATH("metadata", keys[i])));
    if (!call->type->type.has_status)
        return object;
    const struct value *status = value_key(live, "status");
    return status ? value_with(call->arena, object, STR("status"), status)
                  : value_without(call->arena, object, STR("status"));
}

static bool same_but_meta(struct arena *arena, const struct value *a, const struct value *b)
{
    static const struct str aside[] = {STR_INIT("metadata"), STR_INIT("status"), STR_INIT("apiVersion")};
    for (size_t i = 0; i < COUNT_OF(aside); i++) {
        a = value_without(arena, a, aside[i]);
        b = value_without(arena, b, aside[i]);
    }
    return value_equal(a, b);
}

static bool replace(struct call *call, const struct value *live, const struct value *object)
{
    struct arena *arena = call->arena;
    object = defaults_fill(call, object, live);
    if (!check_object(call, object) || !check_update(call, live, object))
        return false;
    if (value_equal(value_with(arena, live, STR("apiVersion"), value_key(object, "apiVersion")), object))
        return call_ok(call, 200, live);
    int64_t generation = 0;
    value_i64(value_in(live, PATH("metadata", "generation")), &generation);
    if (has_generation(call->type) && !same_but_meta(arena, live, object))
        object = set_meta(arena, object, "generation", value_int(arena, generation + 1));
    return store(call, 200, object);
}

static bool precondition(struct call *call, const struct value *live, const struct value *object)
{
    struct str version = value_str_in(object, PATH("metadata", "resourceVersion"));
    struct str uid = value_str_in(object, PATH("metadata", "uid"));
    if (uid.len && !str_eq(uid, value_str_in(live, PATH("metadata", "uid"))))
        return call_fail(
            call, 409, "Conflict",
            "Operation cannot be fulfilled on %.*s \"%.*s\": Precondition failed: UID in precondition: "
            "%.*s",
            STR_ARG(types_resource(call->arena, call->type)), STR_ARG(call->name), STR_ARG(uid));
    return version.len == 0 || str_eq(version, value_str_in(live, PATH("metadata", "resourceVersion"))) ||
           call_fail(
               call, 409, "Conflict",
               "Operation cannot be fulfilled on %.*s \"%.*s\": the object has been modified; please apply "
               "your changes to the latest version and try again",
               STR_ARG(types_resource(call->arena, call->type)), STR_ARG(call->name));
}

static bool write_status(struct call *call, const struct value *live, const struct value *object)
{
    const struct value *status = value_key(object, "status");
    const struct value *now = status ? value_with(call->arena, live, STR("status"), status)
                                     : value_without(call->arena, live, STR("status"));
    if (value_equal(now, live))
        return call_ok(call, 200, live);
    return store(call, 200,
                 managed_update(call->arena, call->type, live, now, manager_of(call, "unknown"), "status"));
}

static bool apply_options(struct call *call, const struct value *object)
{
    struct arena *arena = call->arena;
    if (call->manager == NULL && call_query(call, "fieldManager").len == 0) {
        const struct value *cause =
            VALUE_MAP(arena, {"reason", value_cstr(arena, "FieldValueRequired")},
                      {"message", value_cstr(arena, "Required value: is required for apply patch")},
                      {"field", value_cstr(arena, "fieldManager")});
        return call_fail_causes(call, 422, "Invalid", VALUE_LIST(arena, cause),
                                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is "
                                "required for apply patch");
    }
    return value_in(object, PATH("metadata", "managedFields")) == NULL ||
           call_fail(call, 400, "BadRequest", "metadata.managedFields must be nil");
}

bool write_apply(struct call *call, const struct value *object)
{
    struct arena *arena = call->arena;
    const struct value *causes = NULL;
    if (!address(call, &object) || !apply_options(call, object))
        return false;
    const struct value *live = state_get(call->type, call->namespace, call->name);
    if (call->subresource.len)
        return live ? write_status(call, live, object) : call_not_found(call);
    if (live != NULL && !precondition(call, live, object))
        return false;
    object = prune(call, object);
    bool force = str_is(call_query(call, "force"), "true");
    const struct value *merged =
        managed_apply(arena, call->type, live, object, manager_of(call, "unknown"), force, &causes);
    if (merged == NULL)
        return call_fail_causes(call, 409, "Conflict", causes, "Apply failed with %zu conflict%s: %.*s: %.*s",
                                value_count(causes), value_count(causes) > 1 ? "s" : "",
                                STR_ARG(value_str(value_key(value_item(causes, 0), "message"))),
                                STR_ARG(value_str(value_key(value_item(causes, 0), "field"))));
    return live ? replace(call, live, keep_server_owned(call, live, merged)) : create(call, merged, true);
}

bool write_update(struct call *call, const struct value *object)
{
    const struct value *live = state_get(call->type, call->namespace, call->name);
    if (!address(call, &object))
        return false;
    if (live == NULL)
        return call_not_found(call);
    if (!precondition(call, live, object))
        return false;
    if (call->subresource.len)
        return write_status(call, live, object);
    object = keep_server_owned(call, live, prune(call, object));
    object = managed_update(call->arena, call->type, live, object, manager_of(call, "unknown"), "");
    return replace(call, live, object);
}

bool write_merge_patch(struct call *call, const struct value *patch)
{
    const struct value *live = state_get(call->type, call->namespace, call->name);
    if (live == NULL)
        return call_not_found(call);
    return write_update(call, patch_merge(call->arena, live, patch));
}

/* Finalizers that a controller of a real cluster would take away at once. */
static bool is_released(const struct value *live)
{
    static const struct str released[] = {STR_INIT("kubernetes.io/pvc-protection"),
                                          STR_INIT("kubernetes.io/pv-protection"),
                                          STR_INIT("customresourcecleanup.apiextensions.k8s.io")};
    VALUE_EACH(finalizer, value_in(live, PATH("metadata", "finalizers"))) {
        if (!str_in(value_str(finalizer), released, COUNT_OF(released)))
            return false;
    }
    return true;
}

static bool remove_one(struct call *call, const struct value *live)
{
    struct arena *arena = call->arena;
    struct str name = value_str_in(live, PATH("metadata", "name"));
    struct str namespace = value_str_in(live, PATH("metadata", "namespace"));
    if (call_query(call, "dryRun").len)
        return true;
    if (!is_released(live)) {
        if (value_in(live, PATH("metadata", "deletionTimestamp")) == NULL)
            state_put(call->sandbox, call->type, namespace, name,
                      set_meta(arena, live, "deletionTimestamp", value_string(arena, state_now(arena))));
        return true;
    }
    state_remove(call->sandbox, call->type, namespace, name);
    controllers_removed(call->sandbox, live);
    return true;
}

bool write_delete(struct call *call)
{
    struct arena *arena = call->arena;
    const struct value *live = state_get(call->type, call->namespace, call->name);
    if (live == NULL)
        return call_not_found(call);
    if (str_is(call->type->type.kind, "Namespace") && str_starts(call->name, STR("kube-")))
        return call_fail(call, 403, "Forbidden",
                         "namespaces \"%.*s\" is forbidden: this namespace may not be deleted",
                         STR_ARG(call->name));
    remove_one(call, live);
    const struct value *details =
        VALUE_MAP(arena, {"name", value_string(arena, call->name)},
                  {"group", call->type->type.group.len ? value_string(arena, call->type->type.group) : NULL},
                  {"kind", value_string(arena, call->type->type.plural)},
                  {"uid", value_in(live, PATH("metadata", "uid"))});
    return call_ok(call, 200,
                   VALUE_MAP(arena, {"kind", value_cstr(arena, "Status")},
                             {"apiVersion", value_cstr(arena, "v1")},
                             {"metadata", value_map_of(arena, NULL, 0)},
                             {"status", value_cstr(arena, "Success")}, {"details", details}));
}

bool write_delete_all(struct call *call)
{
    const struct storage *storage = call->type->storage;
    if (str_is(call->type->type.kind, "Namespace"))
        return call_fail(call, 405, "MethodNotAllowed",
                         "the server does not allow this method on the requested resource");
    if (!read_list(call))
        return false;
    const struct value *answer = call->reply;
    VALUE_EACH(item, value_key(answer, "items")) {
        struct str namespace = value_str_in(item, PATH("metadata", "namespace"));
        struct entry *entry = state_find(
            storage, state_key(call->arena, namespace, value_str_in(item, PATH("metadata", "name"))));
        const struct value *live = entry ? state_at(entry, UINT64_MAX) : NULL;
        if (live != NULL)
            remove_one(call, live);
    }
    return call_ok(call, 200, answer);
}
