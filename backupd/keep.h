/* keep.h — which backups of one cluster stay: the rules of `prune`, computed from times alone.
 *
 * Each rule keeps the newest backup of as many slots as it has, counted back from the newest backup: a slot is a day, an
 * ISO week (Monday to Sunday) or a month, all in UTC, and only slots in which there is a backup count. What any rule
 * keeps, stays. Complete backups fill slots of their own, so a week of holes never pushes a whole backup out; the caller
 * says which count as complete. Whatever the rules say, the newest complete backup stays, and so does one that is dated
 * more than a day ahead of now: a clock was wrong, and nothing follows from its time. Pure functions: no store, no clock,
 * nothing fails.
 */
#pragma once
#include "core/base/base.h"

/* 0 switches a rule off. */
struct keep_rules {
    int64_t last, daily, weekly, monthly;
    int64_t within_ms; /* counted back from the newest backup, so that a pause of backups removes none */
};

enum keep_why {
    KEEP_NEWEST = 1 << 0, /* the newest complete one */
    KEEP_FUTURE = 1 << 1,
    KEEP_LAST = 1 << 2,
    KEEP_WITHIN = 1 << 3,
    KEEP_DAILY = 1 << 4,
    KEEP_WEEKLY = 1 << 5,
    KEEP_MONTHLY = 1 << 6,
};

struct keep_item {
    int64_t time_ms; /* Unix time */
    bool complete;
    unsigned why; /* out: every enum keep_why that keeps it; 0: it may go */
};

/* Whether any rule keeps anything. */
bool keep_any(const struct keep_rules *rules);
/* `items` are the backups of one cluster, newest first. */
void keep_decide(const struct keep_rules *rules, int64_t now_ms, struct keep_item *items, size_t count);
/* "newest complete, last, daily 2026-11-21, weekly 2026-W47, monthly 2026-11"; "no rule keeps it" for 0. */
struct str keep_reason(struct arena *arena, const struct keep_item *item);
