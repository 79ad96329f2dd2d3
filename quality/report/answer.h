/* answer.h — what a reader wants to know first: did it work, how good is it, what is to be done.
 *
 * Read once from the report and laid out by every format, so that HTML and Markdown never disagree. Whatever is
 * missing is left out. Views and text live in the arena.
 */
#pragma once
#include "core/finding.h"

enum verdict { VERDICT_GOOD, VERDICT_CARE, VERDICT_FAILED };

/* A figure worth a place of its own: {"Score", "97", "A+"}. */
struct figure {
    struct str label, value, note;
};

struct task {
    enum severity severity;
    struct str what, how, where;
};

/* One step of a run or a drill on its timeline. */
struct span {
    struct str name, summary;
    int64_t start_ms, ms; /* ms -1: not known */
    bool ok;
};

struct spans {
    struct span *items;
    size_t count, cap;
    int64_t end_ms;
};

enum { ANSWER_MAX_TASKS = 6, ANSWER_MAX_FIGURES = 5, SPANS_MAX = 40 };

struct answer {
    enum verdict verdict;
    struct str headline;
    struct str cluster, when, version; /* version: the server's */
    bool sandbox;
    struct figure figures[ANSWER_MAX_FIGURES];
    size_t figure_count;
    struct task tasks[ANSWER_MAX_TASKS];
    size_t task_count;
    size_t tasks_left; /* checks that have findings and no place above */
};

void answer_of(struct arena *arena, const struct value *report, struct answer *ret);

/* The steps of a section: its list "phases", "steps" or "timeline"; empty without one. */
void spans_of(struct arena *arena, const struct value *section, struct spans *ret);
/* The drills of a report, which may be one map or a list: item `index`, NULL past the end. */
const struct value *drill_at(const struct value *report, size_t index);
