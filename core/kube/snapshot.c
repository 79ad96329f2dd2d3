/* The whole cluster as of one moment.
 *
 * X is the resourceVersion of a first small list; every type is then listed at X exactly, and every page must say so.
 * That holds for all that lives in the API server's own etcd. Where the answer differs (aggregated APIs with a store
 * of their own, an X compacted away while a large cluster was read) the type is read at a moment of its own and
 * marked per-resource. What cannot be read is marked missing; nothing is left out in silence.
 *
 * Two workers take types from one queue, each with its own connection, arena and file of the stash; results are put
 * together in the order of the types, so that who was faster does not show. */
#include "core/kube/snapshot_intern.h"

#include <stdlib.h>

#include "core/base/clock.h"

/* ---- what to read ---- */

static int group_rank(struct str group)
{
    bool built_in = str_find(group, '.') == group.len || str_ends(group, STR(".k8s.io"));
    return group.len == 0 ? 0 : built_in ? 1 : 2;
}

/* Built-in groups first: where two groups show the same object, theirs is the one that is kept. */
static int type_order(const void *a, const void *b)
{
    const struct resource_type *x = a, *y = b;
    int order = group_rank(x->group) - group_rank(y->group);
    if (order == 0)
        order = str_cmp(x->group, y->group);
    return order ? order : str_cmp(x->plural, y->plural);
}

static void plan(struct snapshot *s)
{
    struct resource_types *types = &s->bundle->types;
    qsort(types->items, types->count, sizeof *types->items, type_order);
    s->stash->types = *types;
    s->jobs = ARENA_ARRAY(s->arena, struct job, types->count);
    for (size_t i = 0; i < types->count; i++) {
        struct resource_type *type = &types->items[i];
        if (!type->listable || !kube_selects_type(s->selection, type)) {
            type->missing = STR_NONE;
            continue;
        }
        s->jobs[s->job_count++] = (struct job){.type = type};
    }
}

/* Names without a glob: then there is no need to read the other namespaces at all. */
static void literal_namespaces(struct snapshot *s)
{
    const struct str_list *include = &s->selection->include_namespaces;
    for (size_t i = 0; i < include->count; i++) {
        struct str name = include->items[i];
        if (str_find(name, '*') < name.len || str_find(name, '?') < name.len || include->count > MAX_LITERAL)
            return;
    }
    s->literal = include->count != 0;
}

static bool check_namespaces(struct snapshot *s, struct err *err)
{
    const struct resource_type type = {.version = STR("v1"), .plural = STR("namespaces")};
    for (size_t i = 0; s->literal && i < s->selection->include_namespaces.count; i++) {
        struct str name = s->selection->include_namespaces.items[i];
        const struct value *ignored;
        if (kube_get(s->kube, s->arena, &type, STR_NONE, name, &ignored, err) || err->code == ERR_DENIED)
            continue;
        if (err->code != ERR_NOT_FOUND)
            return false;
        err_set(err, ERR_NOT_FOUND, "the cluster has no namespace \"%.*s\"", STR_ARG(name));
        return err_next(err, "`kubectl get namespaces` lists them; correct the selection");
    }
    return true;
}

/* ---- the moment ---- */

/* A label selector that the server does not take would make every single list fail. */
static bool refuse_labels(const struct snapshot *s, const struct kube_reply *reply, struct err *err)
{
    struct str labels = s->selection->labels, message = value_str(value_key(reply->object, "message"));
    err_set(err, ERR_USAGE, "the server does not take the label selector \"%.*s\": %.*s", STR_ARG(labels),
            STR_ARG(message));
    return err_next(err, "write it as for kubectl get -l: app=web,tier!=test,env in (a,b)");
}

/* A list of one object is enough to be told the version of the whole store. A user bound to a namespace may not list
 * namespaces, but has a list of his own. */
static bool take_moment(struct snapshot *s, struct err *err)
{
    struct str space = s->literal ? s->selection->include_namespaces.items[0] : kube_namespace(s->kube);
    struct str labels = STR_NONE;
    if (s->selection->labels.len != 0)
        labels = str_fmt(s->arena, "&labelSelector=%.*s",
                         STR_ARG(http_escape(s->arena, s->selection->labels, false)));
    struct str paths[] = {
        str_fmt(s->arena, "/api/v1/namespaces?limit=1%.*s", STR_ARG(labels)),
        str_fmt(s->arena, "/api/v1/namespaces/%.*s/configmaps?limit=1%.*s", STR_ARG(space), STR_ARG(labels))};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct kube_request request = {.method = "GET", .path = paths[i]};
        struct kube_reply reply;
        if (!kube_exchange(s->kube, s->arena, &request, &reply, err))
            return false;
        if (reply.status < 300) {
            s->moment = value_str_in(reply.object, PATH("metadata", "resourceVersion"));
            return true;
        }
        if (reply.status == 400 && labels.len != 0)
            return refuse_labels(s, &reply, err);
        s->namespaces_forbidden = true;
        if (reply.status != 403) {
            kube_fail(s->kube, &reply, err);
            return err_context(err, "the present resourceVersion");
        }
    }
    return true; /* no moment in common; every type gets its own */
}

/* ---- facts about the cluster ---- */

static void note(struct snapshot *s, const char *what, const struct err *err)
{
    *ARENA_PUSH(s->arena, &s->bundle->problems) = str_fmt(s->arena, "%s: %s", what, err->msg);
}

/* A server that has just started answers before it knows its custom types, and discovery would miss them without a
 * word. /readyz tells; asking retries until it says yes. Who may not ask goes on. */
static bool wait_until_ready(struct snapshot *s, struct err *err)
{
    struct kube_request request = {.method = "GET", .path = STR("/readyz"), .plain_text = true};
    struct kube_reply reply;
    if (!kube_exchange(s->kube, s->arena, &request, &reply, err))
        return false;
    if (reply.status < 500)
        return true;
    kube_fail(s->kube, &reply, err);
    note(s, "the server is not ready, its list of types may be short", err);
    return true;
}

static bool read_facts(struct snapshot *s, struct err *err)
{
    const struct resource_type namespaces = {.version = STR("v1"), .plural = STR("namespaces")};
    const struct value *system;
    struct bundle *b = s->bundle;

    if (!wait_until_ready(s, err) || !kube_version(s->kube, s->arena, &b->server_version, err) ||
        !kube_discover(s->kube, s->arena, &b->types, err) ||
        !kube_use_storage_versions(s->kube, s->arena, &b->types, err))
        return false;
    b->cluster = kube_context(s->kube);
    b->sandbox = str_ends(b->server_version, STR("-sandbox"));
    if (kube_get(s->kube, s->arena, &namespaces, STR_NONE, STR("kube-system"), &system, err))
        b->cluster_uid = value_str_in(system, PATH("metadata", "uid"));
    else if (err->code == ERR_DENIED || err->code == ERR_NOT_FOUND)
        note(s, "cluster identity", err);
    else
        return false;
    return true;
}

/* Documents are wanted of types that have objects, which shows while reading; here is only the index of them. */
static void plan_documents(struct snapshot *s)
{
    const struct value *paths;
    struct err err;
    if (!kube_openapi_index(s->kube, s->arena, &paths, &err)) {
        note(s, "OpenAPI", &err);
        return;
    }
    s->documents = ARENA_ARRAY(s->arena, struct document, value_count(paths));
    MEMBER_EACH(entry, paths)
        s->documents[s->document_count++] =
            (struct document){.entry = entry, .wanted = s->selection->shards > 1 && s->selection->shard == 0};
}

/* ---- putting it together ---- */

static void collect_documents(struct snapshot *s)
{
    for (size_t i = 0; i < s->document_count; i++) {
        const struct document *document = &s->documents[i];
        if (document->read) {
            struct stash_document *stashed = ARENA_PUSH(s->arena, &s->stash->documents);
            *stashed = document->stashed;
            stashed->key = document->entry->key;
        }
        if (document->problem.len != 0)
            *ARENA_PUSH(s->arena, &s->bundle->problems) = document->problem;
    }
}

static void collect(struct snapshot *s)
{
    for (size_t i = 0; i < s->job_count; i++) {
        struct job *job = &s->jobs[i];
        stash_take(s->stash, &job->found);
        for (size_t k = 0; k < job->problems.count; k++)
            *ARENA_PUSH(s->arena, &s->bundle->problems) = job->problems.items[k];
        bool hole = job->type->missing.len != 0 && !kube_allows_missing(s->selection, job->type);
        s->bundle->complete = s->bundle->complete && !hole;
    }
}

/* Where something was taken, each as often as the order of the records tells them apart. */
static struct str_list filled_namespaces(struct snapshot *s)
{
    struct str_list names = {0};
    for (size_t i = 0; i < s->stash->objects.count; i++) {
        struct str name = stash_record_namespace(s->stash, &s->stash->objects.items[i]);
        if (name.len != 0 && (names.count == 0 || !str_eq(name, names.items[names.count - 1])))
            *ARENA_PUSH(s->arena, &names) = name;
    }
    if (names.count != 0)
        qsort(names.items, names.count, sizeof *names.items, str_qsort);
    return names;
}

/* Namespaces were read whatever their labels and names; those in which nothing was taken go again. */
static void drop_namespaces(struct snapshot *s)
{
    struct str_list filled = filled_namespaces(s);
    for (size_t i = 0; i < s->stash->objects.count; i++) {
        struct stash_record *record = &s->stash->objects.items[i];
        const struct resource_type *type = &s->bundle->types.items[record->type];
        struct str name = stash_record_name(s->stash, record);
        if (type->group.len != 0 || !str_is(type->plural, "namespaces"))
            continue;
        bool is_filled =
            filled.count != 0 && bsearch(&name, filled.items, filled.count, sizeof name, str_qsort) != NULL;
        record->dropped = !is_filled && !kube_selects_name(s->selection, name);
    }
}

static bool read_all(struct snapshot *s, struct err *err)
{
    literal_namespaces(s);
    if (!read_facts(s, err) || !check_namespaces(s, err) || !take_moment(s, err))
        return false;
    if (s->selection->moment.len != 0)
        s->moment = s->selection->moment;
    s->bundle->taken_ms = clock_now_ms(NULL);
    s->bundle->resource_version = s->moment;
    s->bundle->complete = true;
    s->bundle->selection = kube_selection_value(s->arena, s->selection);
    s->bundle->narrowed = s->selection->narrowed;
    plan(s);
    plan_documents(s);
    bool read = snapshot_read(s, err) && snapshot_read_by_namespace(s, err);
    collect(s); /* also what a failure leaves, to free it */
    if (!read)
        return false;
    collect_documents(s);
    if (kube_selects_namespaces_by_content(s->selection))
        drop_namespaces(s);
    stash_drop_same_uids(s->stash);
    return stash_finish(s->stash, err);
}

bool kube_moment(struct kube *kube, struct arena *arena, const struct kube_selection *selection,
                 struct str *ret_moment, struct err *err)
{
    struct snapshot s = {.kube = kube, .arena = arena, .selection = selection};
    literal_namespaces(&s);
    if (!take_moment(&s, err))
        return false;
    *ret_moment = s.moment;
    return true;
}

bool kube_stash(struct kube *kube, struct arena *arena, const struct kube_selection *selection,
                const char *dir, struct progress *progress, struct stash **ret_stash, struct err *err)
{
    struct snapshot s = {.kube = kube, .arena = arena, .selection = selection, .progress = progress};
    if (!stash_new(arena, dir, &s.stash, err))
        return err_context(err, "snapshot");
    s.bundle = stash_about(s.stash);
    if (!read_all(&s, err)) {
        stash_close(s.stash);
        return err_context(err, "snapshot");
    }
    *ret_stash = s.stash;
    return true;
}

bool kube_snapshot(struct kube *kube, struct arena *arena, const struct kube_selection *selection,
                   struct progress *progress, struct bundle *ret_bundle, struct err *err)
{
    struct stash *stash;
    if (!kube_stash(kube, arena, selection, NULL, progress, &stash, err))
        return false;
    bool made = stash_bundle_all(stash, arena, ret_bundle, err);
    stash_close(stash);
    return made || err_context(err, "snapshot");
}
