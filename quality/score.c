#include "quality/score.h"

#include <stdlib.h>

#include "core/config/config.h"
#include "quality/tally.h"

enum { PROGRESS_EVERY = 512, SCRATCH_EVERY = 256 };

struct scoring {
    struct run *run;
    const struct parts *parts;
    struct estate *estate;
    struct openapi *openapi;
    struct judge judge;
    struct tally *tallies; /* one per part */
    struct tally whole;
    struct weights weights;
    size_t seen;           /* objects so far */
    uint32_t standings[3]; /* objects by enum standing */
    struct arena *scratch; /* for what dies with an object */
};

/* A Namespace counts with what is in it, if there is anything. */
static struct tally *tally_of(struct scoring *scoring, size_t index, const struct resource *resource)
{
    if (resource_is(resource, "", "Namespace"))
        index = parts_find(scoring->parts, resource->name);
    return index < scoring->parts->count ? &scoring->tallies[index] : NULL;
}

static void judge_one(struct scoring *scoring, size_t index, const struct resource *resource)
{
    enum standing standing = estate_standing(scoring->estate, resource);
    struct verdict verdict;
    scoring->standings[standing]++;
    if (standing != JUDGED)
        return;
    struct tally *tally = tally_of(scoring, index, resource);
    judge_resource(&scoring->judge, scoring->estate, scoring->openapi, scoring->scratch, resource, &verdict);
    tally_add(&scoring->whole, &verdict);
    if (tally != NULL)
        tally_add(tally, &verdict);
    if (scoring->seen % SCRATCH_EVERY == 0)
        arena_reset(scoring->scratch);
}

static bool judge_part(struct scoring *scoring, size_t index, struct arena *arena, struct err *err)
{
    struct bundle part;
    arena_reset(arena);
    if (!parts_take(scoring->parts, index, arena, &part, err))
        return false;
    estate_enter(scoring->estate, arena, &part);
    for (size_t i = 0; i < part.count; i++) {
        if (scoring->seen % PROGRESS_EVERY == 0)
            progress_step(scoring->run->progress, "scoring", scoring->seen, scoring->parts->objects,
                          "objects", part.items[i].namespace);
        judge_one(scoring, index, &part.items[i]);
        scoring->seen++;
    }
    return true;
}

static bool judge_all(struct scoring *scoring, struct err *err)
{
    struct arena *part CLEANUP(arena_cleanup) = arena_new();
    for (size_t i = 0; i < scoring->parts->count; i++)
        if (!judge_part(scoring, i, part, err))
            return false;
    progress_step(scoring->run->progress, "scoring", scoring->seen, scoring->seen, "objects", STR_NONE);
    return true;
}

/* Errors first, then what belongs together. */
static int finding_order(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    const struct str pairs[][2] = {{x->check, y->check}, {x->namespace, y->namespace},
                                   {x->kind, y->kind},   {x->name, y->name},
                                   {x->path, y->path},   {x->message, y->message}};
    int order = 0;
    for (size_t i = 0; i < COUNT_OF(pairs) && order == 0; i++)
        order = str_cmp(pairs[i][0], pairs[i][1]);
    return order;
}

static const struct value *findings_value(struct run *run, size_t from)
{
    struct value_list_builder list = {0};
    if (run->findings.count > from)
        qsort(run->findings.items + from, run->findings.count - from, sizeof(struct finding), finding_order);
    for (size_t i = from; i < run->findings.count; i++)
        value_push(run->arena, &list, finding_value(run->arena, &run->findings.items[i]));
    return value_list_done(run->arena, &list);
}

static const struct value *dimensions_value(struct arena *arena, const struct scores *scores)
{
    struct value_map_builder map = {0};
    for (size_t d = 0; d < DIMENSION_COUNT; d++)
        value_put(arena, &map, str_of(dimension_name(d)), value_int(arena, scores->dimensions[d]));
    return value_map_done(arena, &map);
}

static const struct value *namespace_value(struct scoring *scoring, struct str name,
                                           const struct tally *tally)
{
    struct arena *arena = scoring->run->arena;
    const struct value *own = value_string(arena, str_dup(arena, name));
    if (estate_is_system_namespace(name))
        return VALUE_MAP(arena, {"name", own}, {"excluded", value_bool(arena, true)});

    struct scores scores = tally_scores(tally, &scoring->weights);
    return VALUE_MAP(arena, {"name", own}, {"overall", value_int(arena, scores.overall)},
                     {"grade", value_cstr(arena, score_grade(scores.overall))},
                     {"dimensions", dimensions_value(arena, &scores)},
                     {"objects", value_int(arena, tally->objects)},
                     {"errors", value_int(arena, tally->findings[SEVERITY_ERROR])},
                     {"warnings", value_int(arena, tally->findings[SEVERITY_WARNING])},
                     {"infos", value_int(arena, tally->findings[SEVERITY_INFO])});
}

static const struct value *namespaces_value(struct scoring *scoring)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < scoring->parts->count; i++) {
        struct str name = scoring->parts->items[i].namespace;
        const struct tally *tally = &scoring->tallies[i];
        if (name.len != 0 && (estate_is_system_namespace(name) || tally->objects != 0))
            value_push(scoring->run->arena, &list, namespace_value(scoring, name, tally));
    }
    return value_list_done(scoring->run->arena, &list);
}

static const struct value *checks_value(struct scoring *scoring)
{
    struct arena *arena = scoring->run->arena;
    struct value_list_builder list = {0};
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        const struct check_count *count = &scoring->judge.counts[i];
        value_push(arena, &list,
                   VALUE_MAP(arena, {"id", value_cstr(arena, checks[i].id)},
                             {"dimension", value_cstr(arena, dimension_name(checks[i].dimension))},
                             {"severity", value_cstr(arena, severity_name(checks[i].severity))},
                             {"message", value_cstr(arena, checks[i].message)},
                             {"fix", value_cstr(arena, checks[i].fix)},
                             {"applied", value_int(arena, count->applied)},
                             {"violations", value_int(arena, count->violations)},
                             {"listed", value_int(arena, count->kept)}));
    }
    return value_list_done(arena, &list);
}

static const struct value *counts_value(struct scoring *scoring)
{
    struct arena *arena = scoring->run->arena;
    int64_t dropped = 0;
    for (size_t i = 0; i < CHECK_COUNT; i++)
        dropped += scoring->judge.counts[i].dropped;
    return VALUE_MAP(arena, {"errors", value_int(arena, scoring->whole.findings[SEVERITY_ERROR])},
                     {"warnings", value_int(arena, scoring->whole.findings[SEVERITY_WARNING])},
                     {"infos", value_int(arena, scoring->whole.findings[SEVERITY_INFO])},
                     {"objects", value_int(arena, (int64_t)scoring->seen)},
                     {"judged", value_int(arena, scoring->standings[JUDGED])},
                     {"children", value_int(arena, scoring->standings[CHILD])},
                     {"excluded", value_int(arena, scoring->standings[EXCLUDED])},
                     {"notListed", value_int(arena, dropped)});
}

static struct weights weights_of(const struct config *config)
{
    return (struct weights){{
        [DIMENSION_SCHEMA] = config->weight_schema,
        [DIMENSION_SECURITY] = config->weight_security,
        [DIMENSION_PRODUCTION] = config->weight_production,
        [DIMENSION_RESOURCES] = config->weight_resources,
    }};
}

bool score_parts(struct run *run, const struct parts *parts, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    size_t first = run->findings.count;
    struct scoring scoring = {
        .run = run,
        .parts = parts,
        .judge = {.arena = run->arena, .findings = &run->findings},
        .tallies = ARENA_ARRAY(arena, struct tally, parts->count + 1),
        .weights = weights_of(run->config),
        .scratch = scratch,
    };
    if (!estate_open(arena, parts, &scoring.estate, err) ||
        !openapi_open(arena, parts, &scoring.openapi, err) || !judge_all(&scoring, err))
        return err_context(err, "score");

    struct scores scores = tally_scores(&scoring.whole, &scoring.weights);
    run_section(run, "score",
                VALUE_MAP(run->arena, {"overall", value_int(run->arena, scores.overall)},
                          {"grade", value_cstr(run->arena, score_grade(scores.overall))},
                          {"dimensions", dimensions_value(run->arena, &scores)},
                          {"findings", findings_value(run, first)}, {"counts", counts_value(&scoring)},
                          {"namespaces", namespaces_value(&scoring)}, {"checks", checks_value(&scoring)}));
    return true;
}

bool score_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct parts parts;
    parts_of_bundle(arena, bundle, &parts);
    return score_parts(run, &parts, err);
}

/* Appends "security 61 is below 85" to what missed. */
static void hold(struct buf *missed, const char *what, const struct value *score, int64_t gate)
{
    int64_t reached = 0;
    if (gate <= 0 || (value_i64(score, &reached) && reached >= gate))
        return;
    buf_fmt(missed, "%s%s %lld is below %lld", missed->len ? "; " : "", what, (long long)reached,
            (long long)gate);
}

static void hold_count(struct buf *missed, const struct value *counts, const char *severity)
{
    int64_t count = 0;
    if (value_i64(value_key(counts, severity), &count) && count > 0)
        buf_fmt(missed, "%s%lld %s", missed->len ? "; " : "", (long long)count, severity);
}

bool score_gate(const struct config *config, const struct value *section, struct err *err)
{
    const struct value *dimensions = value_key(section, "dimensions"), *counts = value_key(section, "counts");
    struct buf missed CLEANUP(buf_done);
    int64_t judged = 0;
    bool gated = config->gate_overall > 0 || config->gate_schema > 0 || config->gate_security > 0 ||
                 config->gate_production > 0 || config->gate_resources > 0;

    buf_init(&missed, 1000);
    if (gated && (!value_i64(value_key(counts, "judged"), &judged) || judged == 0))
        buf_text(&missed, "no object was judged");
    hold(&missed, "overall", value_key(section, "overall"), config->gate_overall);
    hold(&missed, "schema", value_key(dimensions, "schema"), config->gate_schema);
    hold(&missed, "security", value_key(dimensions, "security"), config->gate_security);
    hold(&missed, "production", value_key(dimensions, "production"), config->gate_production);
    hold(&missed, "resources", value_key(dimensions, "resources"), config->gate_resources);
    if (str_is(config->fail_on, "error") || str_is(config->fail_on, "warning"))
        hold_count(&missed, counts, "errors");
    if (str_is(config->fail_on, "warning"))
        hold_count(&missed, counts, "warnings");
    if (missed.len == 0)
        return true;
    err_set(err, ERR_FINDINGS, "the quality gate is not passed: %.*s", STR_ARG(buf_view(&missed)));
    return err_next(err,
                    "mend what is listed, or change quality.gate and quality.failOn in gitops-pipe.yaml");
}
