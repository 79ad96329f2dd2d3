#include "quality/report/answer.h"

#include <stdlib.h>

#include "quality/report/words.h"

static int64_t number(const struct value *map, const char *key, int64_t otherwise)
{
    int64_t found;
    return value_i64(value_key(map, key), &found) ? found : otherwise;
}

static struct str text(const struct value *map, const char *key)
{
    return value_text(value_key(map, key));
}

static bool is_false(const struct value *map, const char *key)
{
    const struct value *value = value_key(map, key);
    return value_is(value, VALUE_BOOL) && !value_true(value);
}

const struct value *drill_at(const struct value *report, size_t index)
{
    const struct value *drill = value_key(report, "drill");
    if (value_is(drill, VALUE_LIST))
        return value_item(drill, index);
    return index == 0 && value_is(drill, VALUE_MAP) ? drill : NULL;
}

static const struct value *steps_of(const struct value *section)
{
    static const char *const names[] = {"phases", "steps", "timeline"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (value_is(value_key(section, names[i]), VALUE_LIST))
            return value_key(section, names[i]);
    return NULL;
}

void spans_of(struct arena *arena, const struct value *section, struct spans *ret)
{
    const struct value *steps = steps_of(section);
    int64_t at = 0;
    *ret = (struct spans){0};
    VALUE_EACH(step, steps) {
        struct span span = {
            .name = text(step, "name"),
            .summary = text(step, value_key(step, "summary") ? "summary" : "detail"),
            .start_ms = number(step, "startMs", at),
            .ms = number(step, "ms", number(step, "durationMs", -1)),
            .ok = !is_false(step, "ok"),
        };
        if (ret->count == SPANS_MAX || !value_is(step, VALUE_MAP))
            break;
        /* A day is longer than any drill; what is beyond is nonsense that would not draw. */
        span.start_ms = span.start_ms < 0 || span.start_ms > 86400000 ? at : span.start_ms;
        span.ms = span.ms > 86400000 ? -1 : span.ms;
        at = span.start_ms + (span.ms > 0 ? span.ms : 0);
        ret->end_ms = at > ret->end_ms ? at : ret->end_ms;
        *ARENA_PUSH(arena, ret) = span;
    }
}

static void add_task(struct answer *answer, struct task task)
{
    if (answer->task_count < ANSWER_MAX_TASKS)
        answer->tasks[answer->task_count++] = task;
    else
        answer->tasks_left++;
}

static void add_figure(struct answer *answer, const char *label, struct str value, struct str note)
{
    if (value.len != 0 && answer->figure_count < ANSWER_MAX_FIGURES)
        answer->figures[answer->figure_count++] = (struct figure){str_of(label), value, note};
}

static void worsen(struct answer *answer, enum verdict verdict)
{
    if (verdict > answer->verdict)
        answer->verdict = verdict;
}

/* ---- Did it work? ---- */

static void judge_phases(struct arena *arena, struct answer *answer, const struct value *run)
{
    struct spans phases;
    spans_of(arena, run, &phases);
    for (size_t i = 0; i < phases.count; i++) {
        const struct span *phase = &phases.items[i];
        if (phase->ok)
            continue;
        worsen(answer, VERDICT_FAILED);
        if (answer->headline.len == 0)
            answer->headline = str_fmt(arena, "It stopped at %.*s", STR_ARG(phase->name));
        add_task(answer,
                 (struct task){SEVERITY_ERROR, phase->summary.len ? phase->summary : STR("the phase failed"),
                               text(run, "next"), phase->name});
    }
}

static void judge_backup(struct arena *arena, struct answer *answer, const struct value *backup)
{
    if (backup == NULL)
        return;
    if (is_false(backup, "complete")) {
        worsen(answer, VERDICT_CARE);
        add_task(answer,
                 (struct task){SEVERITY_ERROR, STR("the backup has a hole: not every type could be read"),
                               STR("give the account the rights to list them, or exclude them"),
                               STR("backup")});
    }
    int64_t objects = number(backup, "objects", -1);
    if (objects >= 0)
        add_figure(answer, "Objects in the backup", words_number(arena, objects),
                   is_false(backup, "complete") ? STR("incomplete") : text(backup, "id"));
}

/* A backup that does not read back as it was written is worse than none. */
static void judge_verify(struct arena *arena, struct answer *answer, const struct value *verify)
{
    const struct value *problems = value_key(verify, "problems");
    if (!is_false(verify, "clean") && !is_false(verify, "ok"))
        return;
    worsen(answer, VERDICT_FAILED);
    if (answer->headline.len == 0)
        answer->headline = STR("The backup does not read back");
    struct str first = value_str(value_key(value_item(problems, 0), "message"));
    add_task(answer, (struct task){SEVERITY_ERROR, first.len ? first : STR("the backup does not read back"),
                                   STR("take a new backup, and look after the store's disks"),
                                   str_fmt(arena, "verify · %zu problems", value_count(problems))});
}

static void judge_publish(struct arena *arena, struct answer *answer, const struct value *publish)
{
    size_t withheld = value_count(value_key(publish, "withheld"));
    if (withheld == 0)
        return;
    worsen(answer, VERDICT_CARE);
    add_task(answer,
             (struct task){SEVERITY_ERROR,
                           STR("deletions were withheld: a hole in the backup is no reason to delete"),
                           STR("complete the backup, then publish again"),
                           str_fmt(arena, "publish · %zu files", withheld)});
}

static void judge_drill(struct arena *arena, struct answer *answer, const struct value *drill)
{
    struct str name = text(drill, "name");
    int64_t recovery = number(drill, "recoveryTimeMs", -1), age = number(drill, "recoveryPointMs", -1);
    if (is_false(drill, "ok")) {
        worsen(answer, VERDICT_FAILED);
        if (answer->headline.len == 0)
            answer->headline = str_fmt(arena, "The drill %.*s failed", STR_ARG(name));
        struct str why = text(drill, "summary");
        add_task(answer,
                 (struct task){SEVERITY_ERROR, why.len ? why : STR("the cluster did not come back as it was"),
                               STR("see the drill's steps and differences below"), name});
    }
    if (recovery >= 0)
        add_figure(answer, "Time to recover", words_duration(arena, recovery), name);
    if (age >= 0)
        add_figure(answer, "Age of the data", words_duration(arena, age), STR_NONE);
}

/* ---- How good is it, and what is to be done? ---- */

static int task_order(const void *a, const void *b)
{
    const struct value *x = *(const struct value *const *)a, *y = *(const struct value *const *)b;
    bool x_error = str_is(text(x, "severity"), "error"), y_error = str_is(text(y, "severity"), "error");
    int64_t x_count = number(x, "violations", 0), y_count = number(y, "violations", 0);
    if (x_error != y_error)
        return x_error ? -1 : 1;
    if (x_count != y_count)
        return x_count > y_count ? -1 : 1;
    return str_cmp(text(x, "id"), text(y, "id"));
}

static void judge_checks(struct arena *arena, struct answer *answer, const struct value *checks)
{
    const struct value **violated = ARENA_ARRAY(arena, const struct value *, value_count(checks) + 1);
    size_t count = 0;
    VALUE_EACH(check, checks)
        if (number(check, "violations", 0) > 0 && !str_is(text(check, "severity"), "info"))
            violated[count++] = check;
    qsort(violated, count, sizeof(struct value *), task_order);
    for (size_t i = 0; i < count; i++) {
        int64_t objects = number(violated[i], "violations", 0);
        add_task(
            answer,
            (struct task){str_is(text(violated[i], "severity"), "error") ? SEVERITY_ERROR : SEVERITY_WARNING,
                          text(violated[i], "message"), text(violated[i], "fix"),
                          str_fmt(arena, "%.*s · %lld object%s", STR_ARG(text(violated[i], "id")),
                                  (long long)objects, objects == 1 ? "" : "s")});
    }
}

static void judge_score(struct arena *arena, struct answer *answer, const struct value *score)
{
    int64_t overall = number(score, "overall", -1);
    if (overall >= 0)
        add_figure(answer, "Score", str_fmt(arena, "%lld", (long long)overall), text(score, "grade"));
    if (number(value_key(score, "counts"), "errors", 0) > 0)
        worsen(answer, VERDICT_CARE);
}

static bool is_sandbox(const struct value *report)
{
    if (value_true(value_in(report, PATH("run", "sandbox"))) ||
        value_true(value_in(report, PATH("backup", "sandbox"))))
        return true;
    for (size_t i = 0; drill_at(report, i) != NULL; i++)
        if (value_true(value_key(drill_at(report, i), "sandbox")))
            return true;
    return false;
}

static struct str first_of(struct str a, struct str b)
{
    return a.len ? a : b;
}

void answer_of(struct arena *arena, const struct value *report, struct answer *ret)
{
    const struct value *run = value_key(report, "run"), *backup = value_key(report, "backup");
    static const char *const headlines[] = {"It worked", "It worked, and some of it needs care",
                                            "It did not work"};

    *ret = (struct answer){.sandbox = is_sandbox(report)};
    ret->cluster = first_of(text(run, "cluster"), text(backup, "cluster"));
    ret->when = first_of(first_of(text(run, "finished"), text(run, "started")), text(backup, "takenAt"));
    ret->version = text(run, "version");

    judge_phases(arena, ret, run);
    judge_verify(arena, ret, value_key(report, "verify"));
    if (is_false(run, "ok"))
        worsen(ret, VERDICT_FAILED);
    judge_score(arena, ret, value_key(report, "score"));
    judge_publish(arena, ret, value_key(report, "publish"));
    judge_backup(arena, ret, backup);
    for (size_t i = 0; drill_at(report, i) != NULL; i++)
        judge_drill(arena, ret, drill_at(report, i));
    judge_checks(arena, ret, value_in(report, PATH("score", "checks")));
    if (ret->headline.len == 0)
        ret->headline = str_of(headlines[ret->verdict]);
}
