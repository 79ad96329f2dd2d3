#include <string.h>

#include "core/kube/snapshot_intern.h"

struct worker {
    struct snapshot *s;
    struct kube *kube;
    struct arena *arena; /* what lasts */
    struct arena *item;  /* one object, or one document */
    struct stash_writer *writer;
};

/* ---- one list ---- */

/* A job while a list of it is read. */
struct taking {
    struct worker *w;
    struct job *job;
    struct stash_mark marks[2]; /* by enum kube_extent */
    size_t problems[2];
};

static void begin(void *ctx, enum kube_extent extent)
{
    struct taking *t = ctx;
    t->marks[extent] = stash_marked(t->w->writer, &t->job->found);
    t->problems[extent] = t->job->problems.count;
}

static void take_back(void *ctx, enum kube_extent extent)
{
    struct taking *t = ctx;
    stash_cut(t->w->writer, &t->job->found, t->marks[extent]);
    t->job->problems.count = t->problems[extent];
}

static void note_problem(struct worker *w, struct job *job, const struct err *err)
{
    if (job->problems.count < MAX_PROBLEMS)
        *ARENA_PUSH(w->arena, &job->problems) =
            str_fmt(w->arena, "%.*s: %s", STR_ARG(job->type->plural), err->msg);
}

static bool take_item(void *ctx, struct str text, struct err *err)
{
    struct taking *t = ctx;
    struct worker *w = t->w;
    const struct value *object;
    struct resource resource;
    struct err problem;
    uint32_t type = (uint32_t)(t->job->type - w->s->bundle->types.items);

    arena_reset(w->item);
    if (!kube_list_item(w->item, t->job->type, text, &object, err))
        return false;
    if (!resource_from(object, STR_NONE, &resource, &problem)) {
        note_problem(w, t->job, &problem);
        return true;
    }
    return !kube_selects_object(w->s->selection, t->job->type, &resource) ||
           stash_add(w->writer, &t->job->found, type, &resource, err);
}

/* Why a list is not of the common moment; `failed`: how an exact one ended, NULL where it did not fail. */
static struct str why_apart(struct worker *w, const struct kube_list_end *failed,
                            const struct kube_list_end *end)
{
    struct str moment = w->s->moment;
    if (moment.len == 0)
        return STR("there is no moment in common: no list tells one");
    if (failed != NULL && failed->mixed)
        return STR("its pages were of different moments");
    switch (failed != NULL ? failed->status : 0) {
    case 410:
        return str_fmt(w->arena, "resourceVersion %.*s was compacted away while it was read (HTTP 410)",
                       STR_ARG(moment));
    case 504:
        return str_fmt(w->arena, "the server had not come as far as resourceVersion %.*s (HTTP 504)",
                       STR_ARG(moment));
    case 400: return STR("the server refuses an exact resourceVersion (HTTP 400)");
    }
    if (end->resource_version[0] == '\0')
        return STR("the server gives no resourceVersion");
    return STR("the server answered with a resourceVersion of its own");
}

/* Of several lists of one type the weakest promise counts. */
static void take_consistency(struct worker *w, struct job *job, const struct kube_list_end *failed,
                             const struct kube_list_end *end)
{
    struct resource_type *type = job->type;
    bool exact = w->s->moment.len != 0 && str_is(w->s->moment, end->resource_version);
    if (type->consistency.len != 0 && !str_is(type->consistency, "exact"))
        return;
    type->consistency = exact ? STR("exact") : STR("per-resource");
    type->resource_version = str_dup(w->arena, str_of(end->resource_version));
    if (!exact)
        type->why = why_apart(w, failed, end);
}

/* An exact read may be impossible where a plain one works: X was compacted (410), lies ahead of a lagging server
 * (504), or the server does not know the parameters (400). */
static bool wants_plain(const struct kube_list_end *end)
{
    return end->status == 410 || end->status == 504 || end->status == 400 || end->mixed;
}

static bool read_list_once(struct worker *w, struct job *job, struct str namespace, struct err *err)
{
    struct taking taking = {.w = w, .job = job};
    const struct kube_list_sink sink = {.item = take_item, .begin = begin, .back = take_back, .ctx = &taking};
    struct kube_list_query query = {.type = job->type,
                                    .namespace = namespace,
                                    .exact = w->s->moment,
                                    .labels = kube_selects_labels(w->s->selection, job->type)};
    struct kube_list_end end, failed;
    bool read = kube_list_each(w->kube, &query, &sink, &end, err);
    bool plain = !read && query.exact.len != 0 && wants_plain(&end);
    if (plain) {
        failed = end;
        query.exact = STR_NONE;
        read = kube_list_each(w->kube, &query, &sink, &end, err);
    }
    job->status = end.status;
    if (read)
        take_consistency(w, job, plain ? &failed : NULL, &end);
    return read;
}

/* Whether the server is there after all, once the retries of a call are used up. */
static bool is_alive(struct worker *w)
{
    struct str version;
    struct err err;
    return kube_version(w->kube, w->arena, &version, &err);
}

/* A restart of the server may outlast the patience of one call; a list that ended so gets a second chance. */
static bool read_list(struct worker *w, struct job *job, struct str namespace, struct err *err)
{
    if (read_list_once(w, job, namespace, err))
        return true;
    bool lost = job->status == 0 && err->code == ERR_UNREACHABLE;
    return lost && is_alive(w) && read_list_once(w, job, namespace, err);
}

/* ---- one type ---- */

static struct str reason_missing(struct arena *arena, int status, const struct err *err)
{
    switch (status) {
    case 403: return STR("forbidden");
    case 0:
    case 200: return str_dup(arena, str_of(err->msg)); /* no answer, or one that cannot be read */
    default: return str_fmt(arena, "HTTP %d", status);
    }
}

/* A type that fails is a hole; a server that is gone or no longer knows us is the end, and so is a full disk. */
static bool is_fatal(struct worker *w, int status, const struct err *err)
{
    return err->code == ERR_IO || status == 401 ||
           (status == 0 && err->code == ERR_UNREACHABLE && !is_alive(w));
}

static bool read_spaces(struct worker *w, struct job *job, const struct str_list *spaces, struct err *err)
{
    struct str_list forbidden = {0};
    size_t tried = 0;
    for (size_t i = 0; i < spaces->count; i++) {
        struct str space = spaces->items[i];
        if (!kube_selects_namespace(w->s->selection, space))
            continue;
        tried++;
        if (read_list(w, job, space, err))
            continue;
        if (is_fatal(w, job->status, err))
            return false;
        if (job->status == 403)
            *ARENA_PUSH(w->arena, &forbidden) = space;
        else
            job->type->missing = reason_missing(w->arena, job->status, err);
    }
    if (forbidden.count != 0) {
        struct str names = str_join(w->arena, forbidden.items, forbidden.count, STR(", "));
        job->type->missing = forbidden.count == tried
                                 ? STR("forbidden")
                                 : str_fmt(w->arena, "forbidden in %.*s", STR_ARG(names));
    }
    return true;
}

static bool read_type(struct worker *w, struct job *job, struct err *err)
{
    if (job->type->missing.len != 0) /* discovery says so already: stale */
        return true;
    if (w->s->literal && job->type->namespaced)
        return read_spaces(w, job, &w->s->selection->include_namespaces, err);
    if (read_list(w, job, STR_NONE, err))
        return true;
    if (is_fatal(w, job->status, err))
        return false;
    job->type->missing = reason_missing(w->arena, job->status, err);
    return true;
}

/* ---- the workers ---- */

/* Types come first; documents follow as their types turn out to have objects. */
struct task {
    struct job *job;
    struct document *document;
};

static struct document *wanted_document(struct snapshot *s)
{
    for (size_t i = 0; i < s->document_count; i++)
        if (s->documents[i].wanted && !s->documents[i].taken)
            return &s->documents[i];
    return NULL;
}

/* False when nothing is left, nor can come any more. Waits while the other worker's type may still want a document. */
static bool next_task(struct snapshot *s, struct task *ret_task)
{
    struct task task = {0};
    pthread_mutex_lock(&s->lock);
    while (!s->stop && task.job == NULL && task.document == NULL) {
        if (s->next < s->job_count)
            task.job = &s->jobs[s->next++];
        else if ((task.document = wanted_document(s)) != NULL)
            task.document->taken = true;
        else if (s->done < s->job_count)
            pthread_cond_wait(&s->changed, &s->lock);
        else
            break;
    }
    pthread_mutex_unlock(&s->lock);
    *ret_task = task;
    return task.job != NULL || task.document != NULL;
}

static bool describes(const struct document *document, const struct resource_type *type)
{
    struct str rest = document->entry->key, root = str_cut(&rest, '/');
    struct str group = str_is(root, "apis") ? str_cut(&rest, '/') : STR_NONE;
    return str_eq(group, type->group) && str_eq(rest, type->version);
}

static void want_document(struct snapshot *s, const struct job *job)
{
    for (size_t i = 0; i < s->document_count && job->found.count != 0; i++)
        if (describes(&s->documents[i], job->type))
            s->documents[i].wanted = true;
}

/* With the lock held. The first fault is the one that is told. */
static void stop(struct snapshot *s, const struct err *fault)
{
    if (!s->stop)
        s->fault = *fault;
    s->stop = true;
}

static void give_up(struct snapshot *s, const struct err *fault)
{
    pthread_mutex_lock(&s->lock);
    stop(s, fault);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void job_done(struct snapshot *s, const struct job *job, const struct err *fault)
{
    pthread_mutex_lock(&s->lock);
    s->done++;
    want_document(s, job);
    if (fault != NULL)
        stop(s, fault);
    progress_step(s->progress, "reading", s->done, s->job_count, "types", job->type->plural);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* A document that is not to be had is a problem; a stash that takes no more is the end. */
static bool read_document(struct worker *w, struct document *document, struct err *err)
{
    const struct value *root;
    struct err problem;
    arena_free(w->item); /* the largest objects of all: their memory is given back at once */
    w->item = arena_new();
    if (!kube_openapi_document(w->kube, w->item, document->entry, &root, &problem)) {
        document->problem = str_dup(w->arena, str_of(problem.msg));
        return true;
    }
    document->read = true;
    return stash_add_document(w->writer, root, &document->stashed, err);
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct task task;
    struct err err;
    while (next_task(w->s, &task)) {
        if (task.job != NULL)
            job_done(w->s, task.job, read_type(w, task.job, &err) ? NULL : &err);
        else if (!read_document(w, task.document, &err))
            give_up(w->s, &err);
    }
    arena_free(w->item);
    w->item = NULL;
    return NULL;
}

/* The second connection is an extra: where it cannot be had, the first does it all. */
static void work_in_two(struct worker *first)
{
    struct snapshot *s = first->s;
    struct worker second = {
        .s = s, .arena = arena_new(), .item = arena_new(), .writer = &s->stash->writers[1]};
    struct err err;
    pthread_t thread;
    bool two = s->job_count > 1 && kube_open_another(s->kube, second.arena, &second.kube, &err) &&
               pthread_create(&thread, NULL, work, &second) == 0;
    work(first);
    if (two)
        pthread_join(thread, NULL);
    kube_close(second.kube);
    arena_free(second.item);
    arena_adopt(s->arena, second.arena);
}

bool snapshot_read(struct snapshot *s, struct err *err)
{
    struct worker first = {
        .s = s, .kube = s->kube, .arena = s->arena, .item = arena_new(), .writer = &s->stash->writers[0]};
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    work_in_two(&first);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    if (s->stop)
        *err = s->fault;
    return !s->stop;
}

/* ---- namespace by namespace ---- */

static struct str_list known_namespaces(const struct snapshot *s)
{
    struct str_list names = {0};
    for (size_t i = 0; i < s->job_count; i++) {
        const struct job *job = &s->jobs[i];
        if (job->type->group.len != 0 || !str_is(job->type->plural, "namespaces"))
            continue;
        for (size_t k = 0; k < job->found.count; k++)
            *ARENA_PUSH(s->arena, &names) = /* a copy: the stash's names move as more are added */
                str_dup(s->arena, stash_record_name(s->stash, &job->found.items[k]));
    }
    return names;
}

/* Who may not list namespaces, or left them out, may still work in those that the selection or the context names. */
static struct str_list likely_namespaces(struct snapshot *s)
{
    struct str_list names = known_namespaces(s);
    struct kube_list list;
    struct err err;
    const struct resource_type type = {.version = STR("v1"), .plural = STR("namespaces")};
    if (names.count == 0 && kube_list(s->kube, s->arena, &type, STR_NONE, STR_NONE, &list, &err))
        for (size_t i = 0; i < list.count; i++)
            *ARENA_PUSH(s->arena, &names) = value_str_in(list.items[i], PATH("metadata", "name"));
    if (names.count == 0)
        *ARENA_PUSH(s->arena, &names) = kube_namespace(s->kube);
    return names;
}

static bool read_forbidden(struct worker *w, struct err *err)
{
    struct snapshot *s = w->s;
    struct str_list spaces = {0};

    for (size_t i = 0; i < s->job_count; i++) {
        struct job *job = &s->jobs[i];
        /* Of namespaces that are named, each has been asked for: nothing is left to try, and the hole stays one. */
        if (!job->type->namespaced || s->literal || !str_is(job->type->missing, "forbidden"))
            continue;
        if (spaces.count == 0)
            spaces = likely_namespaces(s);
        job->type->missing = STR_NONE;
        if (!read_spaces(w, job, &spaces, err))
            return false;
        if (job->type->missing.len == 0 && s->namespaces_forbidden)
            job->type->missing = STR("forbidden outside the namespaces that were read");
        want_document(s, job);
    }
    for (struct document *document; (document = wanted_document(s)) != NULL;) {
        document->taken = true;
        if (!read_document(w, document, err))
            return false;
    }
    return true;
}

bool snapshot_read_by_namespace(struct snapshot *s, struct err *err)
{
    struct worker w = {
        .s = s, .kube = s->kube, .arena = s->arena, .item = arena_new(), .writer = &s->stash->writers[0]};
    bool read = read_forbidden(&w, err);
    arena_free(w.item);
    return read;
}
