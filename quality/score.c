#include "quality/score.h"

#include <stdlib.h>

#include "core/config/config.h"
#include "quality/tally.h"

enum { PROGRESS_EVERY = 512, SCRATCH_EVERY = 256 };

/* What is known of one namespace, or of the whole. */
struct part {
    struct str name;
    bool excluded;
    struct tally tally;
};

struct scoring {
    struct run *run;
    const struct bundle *bundle;
    struct estate *estate;
    struct judge judge;
    struct part *parts; /* one per place of the estate, in its order */
    struct tally whole;
    struct weights weights;
    uint32_t standings[3]; /* objects by enum standing */
};

static struct part *part_of(struct scoring *scoring, const struct resource *resource)
{
    bool is_namespace = resource_is(resource, "", "Namespace");
    size_t index = estate_place(scoring->estate, is_namespace ? resource->name : resource->namespace)->index;
    return index == SIZE_MAX ? NULL : &scoring->parts[index];
}

static void judge_all(struct scoring *scoring)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct openapi *openapi = openapi_open(scoring->estate->arena, scoring->bundle->openapi);
    struct verdict verdict;
    size_t count = scoring->bundle->count;

    for (size_t i = 0; i < count; i++) {
        const struct resource *resource = &scoring->bundle->items[i];
        enum standing standing = estate_standing(scoring->estate, resource);
        scoring->standings[standing]++;
        if (standing != JUDGED)
            continue;
        struct part *part = part_of(scoring, resource);
        judge_resource(&scoring->judge, scoring->estate, openapi, scratch, resource, &verdict);
        tally_add(&scoring->whole, &verdict);
        if (part != NULL)
            tally_add(&part->tally, &verdict);
        if (i % SCRATCH_EVERY == 0)
            arena_reset(scratch);
        if (i % PROGRESS_EVERY == 0)
            progress_step(scoring->run->progress, "scoring", i, count, "objects", resource->namespace);
    }
    progress_step(scoring->run->progress, "scoring", count, count, "objects", STR_NONE);
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

static const struct value *part_value(struct scoring *scoring, const struct part *part)
{
    struct arena *arena = scoring->run->arena;
    if (part->excluded)
        return VALUE_MAP(arena, {"name", value_string(arena, part->name)},
                         {"excluded", value_bool(arena, true)});

    struct scores scores = tally_scores(&part->tally, &scoring->weights);
    return VALUE_MAP(
        arena, {"name", value_string(arena, part->name)}, {"overall", value_int(arena, scores.overall)},
        {"grade", value_cstr(arena, score_grade(scores.overall))},
        {"dimensions", dimensions_value(arena, &scores)}, {"objects", value_int(arena, part->tally.objects)},
        {"errors", value_int(arena, part->tally.findings[SEVERITY_ERROR])},
        {"warnings", value_int(arena, part->tally.findings[SEVERITY_WARNING])},
        {"infos", value_int(arena, part->tally.findings[SEVERITY_INFO])});
}

static const struct value *namespaces_value(struct scoring *scoring)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < scoring->estate->place_count; i++) {
        const struct part *part = &scoring->parts[i];
        if (part->name.len != 0 && (part->excluded || part->tally.objects != 0))
            value_push(scoring->run->arena, &list, part_value(scoring, part));
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
                     {"objects", value_int(arena, (int64_t)scoring->bundle->count)},
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

bool score_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    size_t first = run->findings.count;
    struct scoring scoring = {
        .run = run,
        .bundle = bundle,
        .estate = estate_open(arena, bundle),
        .judge = {.arena = run->arena, .findings = &run->findings},
        .weights = weights_of(run->config),
    };
    scoring.parts = ARENA_ARRAY(arena, struct part, scoring.estate->place_count + 1);
    for (size_t i = 0; i < scoring.estate->place_count; i++) {
        scoring.parts[i].name = scoring.estate->places[i].name;
        scoring.parts[i].excluded = scoring.estate->places[i].excluded;
    }
    judge_all(&scoring);

    struct scores scores = tally_scores(&scoring.whole, &scoring.weights);
    run_section(run, "score",
                VALUE_MAP(run->arena, {"overall", value_int(run->arena, scores.overall)},
                          {"grade", value_cstr(run->arena, score_grade(scores.overall))},
                          {"dimensions", dimensions_value(run->arena, &scores)},
                          {"findings", findings_value(run, first)}, {"counts", counts_value(&scoring)},
                          {"namespaces", namespaces_value(&scoring)}, {"checks", checks_value(&scoring)}));
    return true;
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
