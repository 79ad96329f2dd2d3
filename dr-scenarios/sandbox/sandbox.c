/* sandbox.c — from start to stop. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/files.h"
#include "core/kube/waves.h"
#include "dr-scenarios/sandbox/intern.h"

enum { DEFAULT_OBJECTS = 200000 };

static struct str random_token(struct arena *arena)
{
    struct str uid = state_uid(arena);
    return str_fmt(arena, "sandbox-%.*s", STR_ARG(uid));
}

static void problem(struct sandbox *sandbox, const struct resource *resource, struct str why)
{
    struct str label = resource_label(sandbox->arena, resource);
    *ARENA_PUSH(sandbox->arena, &sandbox->problems) =
        str_fmt(sandbox->arena, "%.*s: %.*s: %.*s", STR_ARG(resource->origin), STR_ARG(label), STR_ARG(why));
}

/* As `kubectl apply --server-side` would, with nothing of the server's own in the way. */
static const struct value *as_applied(struct arena *arena, const struct value *object)
{
    static const char *const theirs[] = {"uid",           "resourceVersion", "creationTimestamp",
                                         "managedFields", "generation",      "deletionTimestamp",
                                         "selfLink"};
    for (size_t i = 0; i < COUNT_OF(theirs); i++)
        object = value_without_in(arena, object, PATH("metadata", theirs[i]));
    return object;
}

static bool apply(struct sandbox *sandbox, struct arena *arena, const struct resource *resource)
{
    const struct served *type = types_of(sandbox, resource);
    if (type == NULL) {
        problem(sandbox, resource,
                STR("no such type; its CustomResourceDefinition is not among the manifests"));
        return false;
    }
    struct call call = {.sandbox = sandbox,
                        .arena = arena,
                        .type = type,
                        .namespace = type->type.namespaced ? resource->namespace : STR_NONE,
                        .name = resource->name,
                        .manager = "kubectl"};
    if (type->type.namespaced && call.namespace.len == 0)
        call.namespace = STR("default");
    if (write_apply(&call, as_applied(arena, resource->object)))
        return true;
    problem(sandbox, resource, value_str(value_key(call.reply, "message")));
    return false;
}

/* A folder may leave its namespaces out, as parts of a repository do. */
static void make_namespace(struct sandbox *sandbox, struct arena *arena, struct str name)
{
    const struct served *type = types_kind(sandbox, "", "Namespace");
    if (name.len == 0 || state_get(type, STR_NONE, name) != NULL)
        return;
    const struct value *object =
        VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")}, {"kind", value_cstr(arena, "Namespace")},
                  {"metadata", VALUE_MAP(arena, {"name", value_string(arena, name)})});
    struct resource resource = {STR("v1"), STR("Namespace"), STR_NONE, name, object, STR("sandbox")};
    (void)apply(sandbox, arena, &resource);
}

static void fill_wave(struct sandbox *sandbox, struct arena *arena, const struct bundle *bundle,
                      enum wave wave)
{
    for (size_t i = 0; i < bundle->count; i++) {
        const struct resource *resource = &bundle->items[i];
        if (wave_of(resource) != wave)
            continue;
        make_namespace(sandbox, arena, resource->namespace);
        (void)apply(sandbox, arena, resource);
    }
}

static bool fill(struct sandbox *sandbox, struct arena *arena, const char *folder, struct err *err)
{
    struct bundle bundle;
    int64_t served_after = sandbox->options.served_after_ms;
    if (!bundle_read_manifests(arena, folder, &bundle, err))
        return err_context(err, "sandbox");
    for (size_t i = 0; i < bundle.problems.count; i++)
        *ARENA_PUSH(sandbox->arena, &sandbox->problems) = str_dup(sandbox->arena, bundle.problems.items[i]);
    sandbox->options.served_after_ms = 0; /* what is there from the start is served from the start */
    for (int wave = 0; wave < WAVE_COUNT; wave++)
        fill_wave(sandbox, arena, &bundle, (enum wave)wave);
    sandbox->options.served_after_ms = served_after;
    return sandbox->objects < sandbox->options.max_objects ||
           err_set(err, ERR_LIMIT, "sandbox: more than %zu objects", sandbox->options.max_objects);
}

bool sandbox_start(const struct sandbox_options *options, struct sandbox **ret_sandbox, struct err *err)
{
    struct sandbox *sandbox = calloc(1, sizeof *sandbox);
    struct arena *scratch = arena_new();
    if (sandbox == NULL)
        abort();
    sandbox->arena = arena_new();
    sandbox->options = *options;
    if (sandbox->options.max_objects == 0)
        sandbox->options.max_objects = DEFAULT_OBJECTS;
    sandbox->options.never_ready =
        options->never_ready ? str_c(sandbox->arena, str_of(options->never_ready)) : NULL;
    sandbox->token =
        options->token.len ? str_dup(sandbox->arena, options->token) : random_token(sandbox->arena);
    pthread_mutex_init(&sandbox->lock, NULL);
    types_init(sandbox);
    bootstrap_fill(sandbox, scratch);
    bool ok = (options->folder == NULL || fill(sandbox, scratch, options->folder, err)) &&
              server_start(sandbox, err);
    arena_free(scratch);
    if (ok)
        *ret_sandbox = sandbox;
    else
        sandbox_stop(sandbox);
    return ok;
}

void sandbox_stop(struct sandbox *sandbox)
{
    if (sandbox == NULL)
        return;
    server_stop(sandbox);
    pthread_mutex_destroy(&sandbox->lock);
    arena_free(sandbox->arena);
    free(sandbox);
}

struct str sandbox_url(const struct sandbox *sandbox)
{
    return sandbox->url;
}

struct str sandbox_token(const struct sandbox *sandbox)
{
    return sandbox->token;
}

const struct str_list *sandbox_problems(const struct sandbox *sandbox)
{
    return &sandbox->problems;
}

size_t sandbox_objects(struct sandbox *sandbox)
{
    pthread_mutex_lock(&sandbox->lock);
    size_t count = sandbox->objects;
    pthread_mutex_unlock(&sandbox->lock);
    return count;
}

bool sandbox_write_kubeconfig(const struct sandbox *sandbox, const char *path, struct err *err)
{
    struct buf text;
    buf_init(&text, 4096);
    buf_fmt(&text,
            "# A stand-in, not a cluster: gitops-pipe's sandbox API server.\n"
            "apiVersion: v1\n"
            "kind: Config\n"
            "current-context: sandbox\n"
            "clusters:\n"
            "  - name: sandbox\n"
            "    cluster: {server: \"%.*s\"}\n"
            "users:\n"
            "  - name: sandbox\n"
            "    user: {token: \"%.*s\"}\n"
            "contexts:\n"
            "  - name: sandbox\n"
            "    context: {cluster: sandbox, user: sandbox}\n",
            STR_ARG(sandbox->url), STR_ARG(sandbox->token));
    bool ok = file_write(path, buf_view(&text), 0600, err);
    buf_done(&text);
    return ok || err_context(err, "sandbox kubeconfig");
}

static void copy_text(char *to, size_t size, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    len = len < size ? len : size - 1;
    memcpy(to, text ? text : "", len);
    to[len] = 0;
}

void sandbox_fault(struct sandbox *sandbox, const struct sandbox_fault *fault)
{
    pthread_mutex_lock(&sandbox->lock);
    if (sandbox->fault_count < MAX_FAULTS) {
        struct fault *added = &sandbox->faults[sandbox->fault_count++];
        *added = (struct fault){.is = *fault};
        copy_text(added->method, sizeof added->method, fault->method);
        copy_text(added->match, sizeof added->match, fault->match);
    }
    pthread_mutex_unlock(&sandbox->lock);
}

void sandbox_heal(struct sandbox *sandbox)
{
    pthread_mutex_lock(&sandbox->lock);
    sandbox->fault_count = 0;
    pthread_mutex_unlock(&sandbox->lock);
}

void sandbox_compact(struct sandbox *sandbox)
{
    pthread_mutex_lock(&sandbox->lock);
    state_compact(sandbox);
    pthread_mutex_unlock(&sandbox->lock);
}

bool sandbox_serve(const struct sandbox_options *options, const char *kubeconfig,
                   void (*ready)(const struct sandbox *sandbox, void *ctx), void *ctx,
                   const atomic_bool *stop, struct err *err)
{
    struct sandbox *sandbox;
    if (!sandbox_start(options, &sandbox, err))
        return false;
    bool ok = kubeconfig == NULL || sandbox_write_kubeconfig(sandbox, kubeconfig, err);
    if (ok && ready != NULL)
        ready(sandbox, ctx);
    while (ok && !atomic_load(stop))
        clock_sleep_ms(250);
    sandbox_stop(sandbox);
    return ok;
}
