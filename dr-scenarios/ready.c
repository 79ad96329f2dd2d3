#include "dr-scenarios/ready.h"

static int64_t number(const struct value *object, const char *const *path, int64_t otherwise)
{
    value_i64(value_in(object, path), &otherwise);
    return otherwise;
}

static const struct value *condition(const struct value *live, const char *type)
{
    VALUE_EACH(it, value_in(live, PATH("status", "conditions"))) {
        if (str_is(value_str(value_key(it, "type")), type))
            return it;
    }
    return NULL;
}

static bool holds(const struct value *live, const char *type)
{
    return str_is(value_str(value_key(condition(live, type), "status")), "True");
}

/* The controller has seen the newest spec. */
static bool observed(const struct value *live)
{
    return number(live, PATH("status", "observedGeneration"), 0) >=
           number(live, PATH("metadata", "generation"), 1);
}

/* Why pods are missing, as the controller put it. */
static struct str failure_of(struct arena *arena, const struct value *live, int64_t have, int64_t want)
{
    static const char *const types[] = {"ReplicaFailure", "Available"};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct str message = value_str(value_key(condition(live, types[i]), "message"));
        if (message.len)
            return str_fmt(arena, "%d of %d pods ready: %.*s", (int)have, (int)want, STR_ARG(message));
    }
    return str_fmt(arena, "%d of %d pods ready", (int)have, (int)want);
}

static enum readiness enough(struct arena *arena, const struct value *live, int64_t have, int64_t want,
                             struct str *why)
{
    if (observed(live) && have >= want)
        return READY_YES;
    *why = failure_of(arena, live, have, want);
    return READY_NOT_YET;
}

static enum readiness deployment(struct arena *arena, const struct value *live, struct str *why)
{
    int64_t want = number(live, PATH("spec", "replicas"), 1),
            have = number(live, PATH("status", "availableReplicas"), 0);
    int64_t updated = number(live, PATH("status", "updatedReplicas"), 0);
    const struct value *progress = condition(live, "Progressing");
    bool paused = value_true(value_in(live, PATH("spec", "paused")));
    if (str_is(value_str(value_key(progress, "reason")), "ProgressDeadlineExceeded")) {
        *why = failure_of(arena, live, have, want);
        return READY_NEVER;
    }
    return enough(arena, live, updated < have && !paused ? updated : have, want, why);
}

static enum readiness stateful(struct arena *arena, const struct value *live, struct str *why)
{
    return enough(arena, live, number(live, PATH("status", "readyReplicas"), 0),
                  number(live, PATH("spec", "replicas"), 1), why);
}

static enum readiness daemon_set(struct arena *arena, const struct value *live, struct str *why)
{
    return enough(arena, live, number(live, PATH("status", "numberReady"), 0),
                  number(live, PATH("status", "desiredNumberScheduled"), 0), why);
}

static enum readiness job(struct arena *arena, const struct value *live, struct str *why)
{
    if (holds(live, "Complete") || value_true(value_in(live, PATH("spec", "suspend"))))
        return READY_YES;
    *why = holds(live, "Failed") ? STR("the Job failed") : STR("the Job has not finished");
    return holds(live, "Failed") ? READY_NEVER : READY_NOT_YET;
}

/* A claim that waits for its first pod is bound by that pod; if no pod ever uses it, nothing is wrong. */
static enum readiness claim(struct arena *arena, const struct value *live, struct str *why)
{
    struct str phase = value_str_in(live, PATH("status", "phase"));
    if (str_is(phase, "Bound"))
        return READY_YES;
    *why = str_fmt(arena, "the claim is %.*s", STR_ARG(phase.len ? phase : STR("Pending")));
    return str_is(phase, "Lost") ? READY_NEVER : READY_NOT_YET;
}

static enum readiness definition(struct arena *arena, const struct value *live, struct str *why)
{
    if (holds(live, "Established"))
        return READY_YES;
    struct str clash = value_str(value_key(condition(live, "NamesAccepted"), "message"));
    *why = str_fmt(arena, "not Established%s%.*s", clash.len ? ": " : "", STR_ARG(clash));
    return READY_NOT_YET;
}

static enum readiness pod(struct arena *arena, const struct value *live, struct str *why)
{
    struct str phase = value_str_in(live, PATH("status", "phase"));
    if (str_is(phase, "Succeeded") || holds(live, "Ready"))
        return READY_YES;
    *why = str_fmt(arena, "the pod is %.*s", STR_ARG(phase.len ? phase : STR("Pending")));
    return str_is(phase, "Failed") ? READY_NEVER : READY_NOT_YET;
}

static enum readiness available(struct arena *arena, const struct value *live, struct str *why)
{
    if (holds(live, "Available"))
        return READY_YES;
    *why = STR("nothing answers for the aggregated API");
    return READY_NOT_YET;
}

static const struct row {
    const char *group, *kind;
    enum readiness (*judge)(struct arena *arena, const struct value *live, struct str *why);
} rows[] = {
    {"apiextensions.k8s.io", "CustomResourceDefinition", definition},
    {"apiregistration.k8s.io", "APIService", available},
    {"apps", "DaemonSet", daemon_set},
    {"apps", "Deployment", deployment},
    {"apps", "ReplicaSet", stateful},
    {"apps", "StatefulSet", stateful},
    {"batch", "Job", job},
    {"", "PersistentVolumeClaim", claim},
    {"", "Pod", pod},
    {"", "ReplicationController", stateful},
};

static const struct row *row_of(const struct resource *declared)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (resource_is(declared, rows[i].group, rows[i].kind))
            return &rows[i];
    return NULL;
}

bool ready_concerns(const struct resource *declared)
{
    return row_of(declared) != NULL;
}

enum readiness ready_judge(struct arena *arena, const struct resource *declared, const struct value *live,
                           struct str *ret_why)
{
    const struct row *row = row_of(declared);
    return row ? row->judge(arena, live, ret_why) : READY_YES;
}
