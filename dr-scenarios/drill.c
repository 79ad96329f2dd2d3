#include "dr-scenarios/drill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/config.h"
#include "core/kube/kube.h"
#include "core/kustomize/kustomize.h"
#include "core/secrets/open.h"
#include "dr-scenarios/compare.h"
#include "dr-scenarios/restore.h"
#include "dr-scenarios/sandbox/sandbox.h"

enum { MAX_STEPS = 8, MAX_FINDINGS = 1000, SANDBOX_READY_MS = 200 };

/* A drill on its way. */
struct drill {
    struct run *run;
    const struct bundle *snapshot;
    struct drill_options options;
    struct str target;

    struct bundle declared, live;
    struct sandbox *sandbox; /* NULL when the target is a real cluster */
    char folder[64];         /* for its kubeconfig; empty: none */
    struct kube *kube;
    struct restore_options how;
    struct restore_result restored;
    struct compare_result compared;
    struct findings findings;

    struct value_list_builder steps; /* of the report */
    int64_t recovery_ms;
    struct str detail; /* of the step that runs */
};

typedef bool (*step_fn)(struct drill *drill, struct err *err);

struct step {
    const char *name;
    step_fn run;
    bool recovers; /* its time counts towards the recovery time */
    bool always;   /* runs also when objects were not restored: to say what is missing */
};

/* ---- steps ---- */

static bool render(struct drill *drill, struct err *err)
{
    struct arena *arena = drill->run->arena;
    struct str dir = str_fmt(arena, "overlays/%.*s", STR_ARG(drill->options.environment));
    bool ok;
    if (drill->options.repository.len) {
        struct str path = str_fmt(arena, "%.*s/%.*s", STR_ARG(drill->options.repository), STR_ARG(dir));
        ok = kustomize_build_dir(arena, str_c(arena, path), &drill->declared, err);
    } else {
        ok = kustomize_build(arena, &drill->run->files, dir, &drill->declared, err);
    }
    if (!ok || !secrets_open(drill->run, &drill->declared, drill->snapshot, drill->how.environment, err))
        return err_context(err, "render %.*s", STR_ARG(dir));
    bundle_sort(&drill->declared);
    drill->detail = str_fmt(arena, "%zu objects of environment %.*s", drill->declared.count,
                            STR_ARG(drill->options.environment));
    return drill->declared.count > 0 || err_set(err, ERR_INVALID, "%.*s renders to nothing", STR_ARG(dir));
}

static bool start_sandbox(struct drill *drill, struct str *ret_target, struct err *err)
{
    const struct sandbox_options how = {.ready_after_ms = SANDBOX_READY_MS};
    const char *tmp = getenv("TMPDIR");
    int len = snprintf(drill->folder, sizeof drill->folder, "%s/drill-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (len < 0 || (size_t)len >= sizeof drill->folder)
        snprintf(drill->folder, sizeof drill->folder, "/tmp/drill-XXXXXX");
    if (mkdtemp(drill->folder) == NULL) {
        err_errno(err, "make a folder in %s", drill->folder);
        drill->folder[0] = 0;
        return false;
    }
    drill->how.any_storage_class = true;
    *ret_target = str_fmt(drill->run->arena, "kubeconfig:%s/kubeconfig", drill->folder);
    return sandbox_start(&how, &drill->sandbox, err) &&
           sandbox_write_kubeconfig(drill->sandbox, str_c(drill->run->arena, str_from(*ret_target, 11)), err);
}

static bool open_target(struct drill *drill, struct err *err)
{
    struct str target = drill->target, version;
    if (str_is(target, "sandbox") && !start_sandbox(drill, &target, err))
        return false;
    if (!restore_open(drill->run, target, &drill->kube, err) ||
        !kube_version(drill->kube, drill->run->arena, &version, err))
        return err_context(err, "drill target %.*s", STR_ARG(drill->target));
    drill->detail =
        str_fmt(drill->run->arena, "%.*s at %.*s", STR_ARG(version), STR_ARG(kube_server(drill->kube)));
    return true;
}

static bool apply(struct drill *drill, struct err *err)
{
    struct restore_result *result = &drill->restored;
    if (!restore_apply(drill->run, drill->kube, &drill->declared, &drill->how, result, err))
        return false;
    drill->detail = str_fmt(drill->run->arena, "%zu applied, %zu failed, %zu Secrets from the backup",
                            result->applied, result->failed, result->secrets.count);
    return true;
}

static bool wait_ready(struct drill *drill, struct err *err)
{
    struct restore_result *result = &drill->restored;
    if (!restore_wait(drill->run, drill->kube, &drill->declared, &drill->how, result, err))
        return false;
    drill->detail = str_fmt(drill->run->arena, "%zu of %zu ready", result->ready, result->waited);
    return true;
}

static bool restored_well(struct drill *drill, struct err *err)
{
    drill->detail = STR("nothing failed, everything is ready");
    return restore_verdict(&drill->restored, err);
}

static bool read_again(struct drill *drill, struct err *err)
{
    const struct kube_selection everything = {0};
    if (!kube_snapshot(drill->kube, drill->run->arena, &everything, drill->run->progress, &drill->live, err))
        return err_context(err, "read the rebuilt cluster");
    drill->detail = str_fmt(drill->run->arena, "%zu objects", drill->live.count);
    return true;
}

static bool compare(struct drill *drill, struct err *err)
{
    struct compare_result *result = &drill->compared;
    compare_bundles(drill->run->arena, &drill->declared, &drill->live, result);
    drill->detail = str_fmt(drill->run->arena, "%zu compared, %zu missing, %zu different", result->objects,
                            result->missing, result->different);
    return (result->missing == 0 && result->different == 0) ||
           err_set(err, ERR_INCOMPLETE, "%zu objects are missing and %zu differ from what was declared",
                   result->missing, result->different);
}

static const struct step cluster_loss[] = {
    {"render", render, true, false},          {"target", open_target, false, false},
    {"restore", apply, true, false},          {"wait", wait_ready, true, false},
    {"verdict", restored_well, false, false}, {"read", read_again, false, true},
    {"compare", compare, false, true},
};

static const struct scenario {
    const char *id, *what;
    const struct step *steps;
    size_t count;
} scenarios[] = {
#define SCENARIO(id, steps, what) {id, what, steps, COUNT_OF(steps)},
#include "dr-scenarios/scenarios.def"
#undef SCENARIO
};

size_t drill_count(void)
{
    return COUNT_OF(scenarios);
}

struct drill_scenario drill_scenario(size_t index)
{
    return (struct drill_scenario){scenarios[index].id, scenarios[index].what};
}

/* ---- the runner ---- */

static bool run_step(struct drill *drill, const struct step *step, struct err *err)
{
    struct arena *arena = drill->run->arena;
    int64_t start = clock_monotonic_ms();
    drill->detail = STR_NONE;
    bool ok = step->run(drill, err);
    int64_t took = clock_monotonic_ms() - start;
    if (step->recovers)
        drill->recovery_ms += took;
    if (!ok)
        drill->detail = str_dup(arena, str_of(err->msg));
    value_push(arena, &drill->steps,
               VALUE_MAP(arena, {"name", value_cstr(arena, step->name)}, {"ok", value_bool(arena, ok)},
                         {"ms", value_int(arena, took)}, {"summary", value_string(arena, drill->detail)}));
    return ok;
}

/* The first error is the one that counts; after an incomplete restore the rest still says what is missing. */
static bool run_steps(struct drill *drill, const struct scenario *scenario, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; i < scenario->count; i++) {
        struct err later;
        const struct step *step = &scenario->steps[i];
        if (!ok && (!step->always || err->code != ERR_INCOMPLETE))
            continue;
        if (!run_step(drill, step, ok ? err : &later))
            ok = false;
    }
    return ok;
}

static void collect_findings(struct drill *drill)
{
    struct arena *arena = drill->run->arena;
    struct findings *all = &drill->findings;
    for (size_t i = 0; i < drill->restored.warnings.count && all->count < MAX_FINDINGS; i++)
        *ARENA_PUSH(arena, all) = drill->restored.warnings.items[i];
    for (size_t i = 0; i < drill->restored.findings.count && all->count < MAX_FINDINGS; i++)
        *ARENA_PUSH(arena, all) = drill->restored.findings.items[i];
    for (size_t i = 0; i < drill->compared.count && all->count < MAX_FINDINGS; i++)
        *ARENA_PUSH(arena, all) = compare_finding(arena, &drill->compared.items[i]);
}

static const struct value *findings_of(struct drill *drill)
{
    struct arena *arena = drill->run->arena;
    struct value_list_builder list = {0};
    for (size_t i = 0; i < drill->findings.count; i++)
        value_push(arena, &list, finding_value(arena, &drill->findings.items[i]));
    return value_list_done(arena, &list);
}

static const struct value *objects_of(struct drill *drill)
{
    struct arena *arena = drill->run->arena;
    const struct restore_result *restored = &drill->restored;
    struct value_list_builder secrets = {0};
    for (size_t i = 0; i < restored->secrets.count; i++)
        value_push(arena, &secrets, value_string(arena, restored->secrets.items[i]));
    return VALUE_MAP(arena, {"declared", value_int(arena, (int64_t)drill->declared.count)},
                     {"restored", value_int(arena, (int64_t)restored->applied)},
                     {"failed", value_int(arena, (int64_t)restored->failed)},
                     {"waited", value_int(arena, (int64_t)restored->waited)},
                     {"ready", value_int(arena, (int64_t)restored->ready)},
                     {"missing", value_int(arena, (int64_t)drill->compared.missing)},
                     {"different", value_int(arena, (int64_t)drill->compared.different)},
                     {"secretsProvided", value_list_done(arena, &secrets)});
}

/* An objective of 0 is none, and met. An age that is not known meets no objective. */
static bool is_met(int64_t objective, int64_t measured, bool known)
{
    return objective == 0 || (known && measured <= objective);
}

static const struct value *section_of(struct drill *drill, const struct scenario *scenario, bool ok, bool met,
                                      int64_t age_ms, struct str summary)
{
    struct arena *arena = drill->run->arena;
    const struct config *config = drill->run->config;
    const struct value *objectives = VALUE_MAP(
        arena, {"recoveryTimeMs", value_int(arena, config->recovery_time_ms)},
        {"recoveryPointMs", value_int(arena, config->recovery_point_ms)}, {"met", value_bool(arena, met)});
    return VALUE_MAP(
        arena, {"scenario", value_cstr(arena, scenario->id)}, {"what", value_cstr(arena, scenario->what)},
        {"target", value_string(arena, drill->target)},
        {"sandbox", value_bool(arena, str_is(drill->target, "sandbox"))},
        {"environment", value_string(arena, drill->options.environment)}, {"ok", value_bool(arena, ok)},
        {"steps", value_list_done(arena, &drill->steps)},
        {"recoveryTimeMs", value_int(arena, drill->recovery_ms)},
        {"recoveryPointMs", drill->snapshot->taken_ms ? value_int(arena, age_ms) : value_null(arena)},
        {"objectives", objectives}, {"objects", objects_of(drill)}, {"findings", findings_of(drill)});
}

static void close_target(struct drill *drill)
{
    kube_close(drill->kube);
    sandbox_stop(drill->sandbox);
    if (drill->folder[0] == 0)
        return;
    char path[96];
    snprintf(path, sizeof path, "%s/kubeconfig", drill->folder);
    unlink(path);
    rmdir(drill->folder);
}

static const struct scenario *scenario_of(struct str id, struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(scenarios); i++)
        if (str_is(id, scenarios[i].id) || id.len == 0)
            return &scenarios[i];
    err_set(err, ERR_USAGE, "no such drill: %.*s", STR_ARG(id));
    err_next(err, "run gitops-pipe drill list");
    return NULL;
}

static struct str or_else(struct str chosen, struct str otherwise, struct str fallback)
{
    return chosen.len ? chosen : otherwise.len ? otherwise : fallback;
}

bool drill_run(struct run *run, const struct bundle *snapshot, const struct drill_options *options,
               struct err *err)
{
    const struct config *config = run->config;
    const struct scenario *scenario = scenario_of(options->scenario, err);
    if (scenario == NULL)
        return false;
    struct drill drill = {.run = run, .snapshot = snapshot, .options = *options};
    drill.target = or_else(options->target, config->drill_target, STR("sandbox"));
    drill.options.environment = or_else(options->environment, config->drill_environment, STR("prod"));
    drill.how = (struct restore_options){.source_uid = snapshot->cluster_uid,
                                         .provided_secrets = snapshot,
                                         .environment = config_environment(config, drill.options.environment),
                                         .wait_timeout_ms = drill.options.wait_timeout_ms,
                                         .allow_not_empty = options->allow_not_empty};
    bool ok = run_steps(&drill, scenario, err);
    collect_findings(&drill);
    int64_t age = clock_now_ms(run->clock) - snapshot->taken_ms;
    bool met = is_met(config->recovery_time_ms, drill.recovery_ms, ok) &&
               is_met(config->recovery_point_ms, age, snapshot->taken_ms != 0);
    close_target(&drill);
    if (ok && !met)
        err_set(err, ERR_FINDINGS, "everything is back, but not within the objectives");
    struct str summary =
        ok && met ? str_fmt(run->arena, "%zu declared objects are back and ready", drill.declared.count)
                  : str_dup(run->arena, str_of(err->msg));
    run_section(run, "drill", section_of(&drill, scenario, ok, met, age, summary));
    return (ok && met) || err_context(err, "drill %s", scenario->id);
}

bool drill_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    return drill_run(run, bundle, &(struct drill_options){0}, err);
}
