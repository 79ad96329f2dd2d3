/* generate KUBECONFIG SEED COUNT FILE...: puts at least COUNT random objects of all kinds that an API server serves into
 * it.
 *
 * The FILEs hold seedlings: small valid objects, at least one of each kind. They are grown (tests/harness/generate.h) and
 * sent, by create, by client-side apply as kubectl does it, or by server-side apply; what the server refuses is repaired
 * by what it says, or counted. Prints a line for each kind, and a last one with the seed. Exits with 1 when fewer than
 * COUNT were taken, or a kind that may be created has no object and no reason below. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/kube/kube_intern.h"
#include "tests/harness/generate.h"

enum { NAMESPACES = 8, MAX_REPAIRS = 14, MAX_BARREN = 40 };

/* Kinds that are no wish of anybody, or that would change what happens to other objects. */
static const struct {
    const char *type, *reason;
} left_out[] = {
    {"apiservices.apiregistration.k8s.io",
     "one that does not answer makes every snapshot of the cluster incomplete"},
    {"certificatesigningrequests.certificates.k8s.io", "needs a signed request; expires"},
    {"componentstatuses", "cannot be created"},
    {"podcertificaterequests.certificates.k8s.io", "only a kubelet may make one for its pod"},
};

/* So many at most: each costs the server much, or stands in the way of others. */
static const struct {
    const char *type;
    size_t most;
} scarce[] = {
    {"customresourcedefinitions.apiextensions.k8s.io", 12},
    {"namespaces", 12},
    {"servicecidrs.networking.k8s.io", 1},
    {"validatingwebhookconfigurations.admissionregistration.k8s.io", 15},
    {"mutatingwebhookconfigurations.admissionregistration.k8s.io", 15},
};

/* A refusal is an answer here. */
static const struct retry_policy once = {
    .attempts = 1, .attempts_unknown = 3, .first_ms = 100, .most_ms = 1000};

struct kind {
    const struct resource_type *type;
    struct str full_name; /* "deployments.apps" */
    struct schemas schemas;
    const struct value *schema;
    const struct resource **seedlings;
    size_t seedling_count, taken, refused, most, barren;
    struct str why; /* the first refusal */
};

struct garden {
    struct arena *arena; /* for all */
    struct kube *kube;
    struct generator random;
    struct kind *kinds;
    size_t kind_count, taken, refused, sent;
};

static void fatal(const struct err *err)
{
    fprintf(stderr, "generate: %s\n", err->msg);
    exit(2);
}

static struct str full_name(struct arena *arena, const struct resource_type *type)
{
    return type->group.len ? str_fmt(arena, "%.*s.%.*s", STR_ARG(type->plural), STR_ARG(type->group))
                           : type->plural;
}

static const char *reason_to_leave_out(const struct kind *kind)
{
    for (size_t i = 0; i < COUNT_OF(left_out); i++)
        if (str_is(kind->full_name, left_out[i].type))
            return left_out[i].reason;
    return NULL;
}

static void find_seedlings(struct garden *garden, struct kind *kind, const struct bundle *seedlings)
{
    kind->seedlings = ARENA_ARRAY(garden->arena, const struct resource *, seedlings->count + 1);
    for (size_t i = 0; i < seedlings->count; i++)
        if (str_eq(seedlings->items[i].kind, kind->type->kind) &&
            str_eq(resource_group(&seedlings->items[i]), kind->type->group))
            kind->seedlings[kind->seedling_count++] = &seedlings->items[i];
}

static void plant(struct garden *garden, const struct bundle *seedlings)
{
    struct resource_types types = {0};
    const struct value *documents;
    struct err err;
    if (!kube_discover(garden->kube, garden->arena, &types, &err) ||
        !kube_openapi(garden->kube, garden->arena, &documents, &err))
        fatal(&err);
    garden->kinds = ARENA_ARRAY(garden->arena, struct kind, types.count + 1);
    for (size_t i = 0; i < types.count; i++) {
        struct kind *kind = &garden->kinds[garden->kind_count++];
        const struct resource_type *type = &types.items[i];
        *kind = (struct kind){.type = type, .full_name = full_name(garden->arena, type), .most = SIZE_MAX};
        struct str api_version = type->group.len ? str_fmt(garden->arena, "%.*s/%.*s", STR_ARG(type->group),
                                                           STR_ARG(type->version))
                                                 : type->version;
        struct resource like = {.api_version = api_version, .kind = type->kind};
        struct str key =
            str_fmt(garden->arena, "%s/%.*s", type->group.len ? "apis" : "api", STR_ARG(api_version));
        schemas_of(garden->arena, value_get(documents, key), &kind->schemas);
        kind->schema = schemas_kind(&kind->schemas, &like);
        find_seedlings(garden, kind, seedlings);
        for (size_t j = 0; j < COUNT_OF(scarce); j++)
            if (str_is(kind->full_name, scarce[j].type))
                kind->most = scarce[j].most;
    }
}

/* --- one object --- */

/* Quotas and limits act on all else in their namespace: they have one of their own. */
static struct str namespace_for(struct arena *arena, const struct kind *kind, size_t number)
{
    if (!kind->type->namespaced)
        return STR_NONE;
    if (str_is(kind->full_name, "resourcequotas") || str_is(kind->full_name, "limitranges"))
        return STR("gen-limits");
    if (str_is(kind->full_name, "events")) /* of a Node: that is where such an event must be */
        return STR("default");
    return str_fmt(arena, "gen-%zu", number % NAMESPACES);
}

/* Short, long, with dots; a definition's name follows from its type. */
static struct str name_for(struct arena *arena, const struct kind *kind, const struct resource *seedling,
                           size_t number)
{
    if (str_is(kind->full_name, "customresourcedefinitions.apiextensions.k8s.io"))
        return str_fmt(arena, "things%zu.example.com", number);
    if (str_is(kind->full_name, "ipaddresses.networking.k8s.io"))
        return str_fmt(arena, "198.18.%zu.%zu", number / 250, 1 + number % 250);
    if (str_is(kind->full_name, "nodes") || number % 9 != 8)
        return str_fmt(arena, "%.*s-%zu", STR_ARG(str_slice(seedling->name, 0, 40)), number);
    return str_fmt(arena, "%.*s.with.dots-%0*zu", STR_ARG(str_slice(seedling->name, 0, 40)),
                   number % 2 ? 8 : 180, number);
}

static const struct value *named(struct arena *arena, const struct kind *kind, const struct value *object,
                                 struct str namespace, struct str name, size_t number)
{
    object = value_with_in(arena, object, PATH("metadata", "name"), value_string(arena, name));
    if (namespace.len != 0)
        object = value_with_in(arena, object, PATH("metadata", "namespace"), value_string(arena, namespace));
    if (str_is(kind->full_name, "customresourcedefinitions.apiextensions.k8s.io")) {
        struct str plural = str_fmt(arena, "things%zu", number), word = str_fmt(arena, "Thing%zu", number);
        object = value_with_in(
            arena, object, PATH("spec", "names"),
            VALUE_MAP(arena, {"kind", value_string(arena, word)}, {"plural", value_string(arena, plural)}));
    }
    return object;
}

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* By create, as kubectl's client-side apply, or by server-side apply. */
static bool send(struct garden *garden, struct arena *arena, const struct kind *kind,
                 const struct value *object, unsigned how, struct kube_reply *ret_reply)
{
    struct str namespace = value_str_in(object, PATH("metadata", "namespace"));
    struct str name = value_str_in(object, PATH("metadata", "name"));
    struct kube_request request = {.method = how == 2 ? "PATCH" : "POST"};
    struct err err;
    if (how == 1)
        object = value_with_in(arena, object, PATH("metadata", "annotations", LAST_APPLIED),
                               value_string(arena, json_text(arena, object)));
    struct str path = kube_path(arena, kind->type, namespace, how == 2 ? name : STR_NONE);
    static const char *const managers[] = {"kubectl-create", "kubectl-client-side-apply", "generate"};
    request.path = str_fmt(arena, "%.*s?fieldManager=%s", STR_ARG(path), managers[how]);
    request.content_type = how == 2 ? "application/apply-patch+yaml" : "application/json";
    request.body = json_text(arena, object);
    garden->sent++;
    if (!kube_exchange(garden->kube, arena, &request, ret_reply, &err))
        fatal(&err);
    return ret_reply->status < 300;
}

static bool grow_one(struct garden *garden, struct kind *kind)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    size_t number = kind->taken + kind->refused;
    const struct resource *seedling = kind->seedlings[number % kind->seedling_count];
    struct str name = name_for(arena, kind, seedling, number);
    struct generator *g = &garden->random;
    struct kube_reply reply = {0};
    g->arena = arena;
    g->schemas = &kind->schemas;
    g->seedling = named(arena, kind, seedling->object, namespace_for(arena, kind, number), name, number);
    const struct value *object = kind->schema ? generate_grow(g, kind->schema) : g->seedling;
    unsigned how = (unsigned)generate_number(g, 3);
    for (unsigned i = 0; i < MAX_REPAIRS; i++) {
        if (send(garden, arena, kind, object, how, &reply))
            return true;
        object = generate_repair(g, object, reply.object);
    }
    if (send(garden, arena, kind, g->seedling, how, &reply))
        return true;
    if (kind->why.len == 0)
        kind->why = str_dup(garden->arena, value_str(value_key(reply.object, "message")));
    return false;
}

static bool may_grow(const struct kind *kind)
{
    return kind->seedling_count != 0 && kind->taken < kind->most && kind->barren < MAX_BARREN &&
           reason_to_leave_out(kind) == NULL;
}

static void grow_all(struct garden *garden, size_t wanted)
{
    bool any = true;
    while (garden->taken < wanted && any) {
        any = false;
        for (size_t i = 0; i < garden->kind_count; i++) {
            struct kind *kind = &garden->kinds[i];
            if (!may_grow(kind))
                continue;
            any = true;
            if (grow_one(garden, kind)) {
                kind->taken++;
                kind->barren = 0;
                garden->taken++;
            } else {
                kind->refused++;
                kind->barren++;
                garden->refused++;
            }
        }
    }
}

static void make(struct garden *garden, struct arena *arena, struct str path, const char *kind,
                 struct str name)
{
    struct str body =
        str_fmt(arena, "{\"apiVersion\":\"v1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%.*s\"}}", kind,
                STR_ARG(name));
    const struct value *ignored;
    struct err err;
    if (!kube_call(garden->kube, arena, "POST", path, "application/json", body, &ignored, &err))
        fatal(&err);
}

/* Namespaces, each with the accounts that pods name: without them no pod is let in. */
static void make_namespaces(struct garden *garden)
{
    for (size_t i = 0; i <= NAMESPACES; i++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct str name = i == NAMESPACES ? STR("gen-limits") : str_fmt(arena, "gen-%zu", i);
        struct str accounts = str_fmt(arena, "/api/v1/namespaces/%.*s/serviceaccounts", STR_ARG(name));
        make(garden, arena, STR("/api/v1/namespaces"), "Namespace", name);
        make(garden, arena, accounts, "ServiceAccount", STR("default"));
        make(garden, arena, accounts, "ServiceAccount", STR("robot"));
    }
}

/* What other seedlings name must be there under its own name. */
static void make_classes(struct garden *garden)
{
    static const struct str classes[] = {STR_INIT("priorityclasses.scheduling.k8s.io"),
                                         STR_INIT("runtimeclasses.node.k8s.io"),
                                         STR_INIT("storageclasses.storage.k8s.io")};
    for (size_t i = 0; i < garden->kind_count; i++) {
        const struct kind *kind = &garden->kinds[i];
        struct kube_reply reply;
        if (!str_in(kind->full_name, classes, COUNT_OF(classes)))
            continue;
        for (size_t j = 0; j < kind->seedling_count; j++)
            if (send(garden, garden->arena, kind, kind->seedlings[j]->object, 0, &reply))
                garden->taken++;
    }
}

static bool print_kinds(const struct garden *garden)
{
    bool all = true;
    for (size_t i = 0; i < garden->kind_count; i++) {
        const struct kind *kind = &garden->kinds[i];
        const char *reason = reason_to_leave_out(kind);
        bool missing = kind->taken == 0 && reason == NULL && kind->type->listable;
        all = all && !missing;
        printf("%s %5zu taken %4zu refused  %.*s%s%s%.*s\n", missing ? "MISSING" : "       ", kind->taken,
               kind->refused, STR_ARG(kind->full_name), reason ? ": left out, " : "",
               reason                                 ? reason
               : missing && kind->seedling_count == 0 ? ": no seedling"
                                                      : "",
               STR_ARG(str_slice(kind->why, 0, 200)));
    }
    return all;
}

int main(int argc, char **argv)
{
    struct garden garden = {.arena = arena_new()};
    struct bundle seedlings;
    struct err err;
    if (argc < 5) {
        fprintf(stderr, "usage: generate KUBECONFIG SEED COUNT FILE...\n");
        return 2;
    }
    struct kube_options options = {.kubeconfig = str_of(argv[1]), .retry = &once};
    size_t wanted = strtoul(argv[3], NULL, 10);
    garden.random.state = strtoull(argv[2], NULL, 10);
    bundle_init(&seedlings, garden.arena);
    for (int i = 4; i < argc; i++) {
        struct str text;
        if (!file_read(garden.arena, argv[i], 1 << 20, &text, &err) ||
            !bundle_read_text(&seedlings, text, str_of(argv[i]), &err))
            fatal(&err);
    }
    if (!kube_open(garden.arena, &options, &garden.kube, &err))
        fatal(&err);
    make_namespaces(&garden);
    plant(&garden, &seedlings);
    make_classes(&garden);
    grow_all(&garden, wanted);
    bool all = print_kinds(&garden);
    printf("seed %s: %zu objects taken, %zu refused for good, %zu requests\n", argv[2], garden.taken,
           garden.refused, garden.sent);
    kube_close(garden.kube);
    arena_free(garden.arena);
    return all && garden.taken >= wanted ? 0 : 1;
}
