#include "backupd/keep.h"

#include <time.h>

enum { DAY_MS = 86400000 };

/* A rule on its way from the newest backup back: a slot is used up by the first backup that falls into it. */
struct slots {
    int64_t left, current;
    bool begun;
};

static bool take(struct slots *slots, int64_t slot)
{
    if (slots->left <= 0 || (slots->begun && slots->current == slot))
        return false;
    slots->begun = true;
    slots->current = slot;
    slots->left--;
    return true;
}

static int64_t day_of(int64_t time_ms)
{
    return time_ms / DAY_MS - (time_ms % DAY_MS < 0);
}

/* Weeks begin on Monday, and 1970-01-01 was a Thursday. */
static int64_t week_of(int64_t time_ms)
{
    int64_t day = day_of(time_ms) + 3;
    return day / 7 - (day % 7 < 0);
}

static struct tm date_of(int64_t time_ms)
{
    struct tm utc;
    time_t seconds = (time_t)(day_of(time_ms) * (DAY_MS / 1000));
    gmtime_r(&seconds, &utc); /* every 64-bit number of milliseconds is a date that fits */
    return utc;
}

static int64_t month_of(int64_t time_ms)
{
    struct tm utc = date_of(time_ms);
    return (int64_t)utc.tm_year * 12 + utc.tm_mon;
}

bool keep_any(const struct keep_rules *rules)
{
    return rules->last > 0 || rules->daily > 0 || rules->weekly > 0 || rules->monthly > 0 ||
           rules->within_ms > 0;
}

static void decide_class(const struct keep_rules *rules, struct keep_item *items, size_t count, bool complete)
{
    struct slots last = {.left = rules->last}, daily = {.left = rules->daily},
                 weekly = {.left = rules->weekly}, monthly = {.left = rules->monthly};
    const struct keep_item *newest = NULL;
    for (size_t i = 0; i < count; i++) {
        struct keep_item *item = &items[i];
        if (item->complete != complete || (item->why & KEEP_FUTURE))
            continue;
        if (newest == NULL && complete)
            item->why |= KEEP_NEWEST;
        newest = newest ? newest : item;
        item->why |= take(&last, (int64_t)i) ? KEEP_LAST : 0;
        item->why |= take(&daily, day_of(item->time_ms)) ? KEEP_DAILY : 0;
        item->why |= take(&weekly, week_of(item->time_ms)) ? KEEP_WEEKLY : 0;
        item->why |= take(&monthly, month_of(item->time_ms)) ? KEEP_MONTHLY : 0;
        if (rules->within_ms > 0 && newest->time_ms - item->time_ms <= rules->within_ms)
            item->why |= KEEP_WITHIN;
    }
}

void keep_decide(const struct keep_rules *rules, int64_t now_ms, struct keep_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        items[i].why = items[i].time_ms - DAY_MS > now_ms ? KEEP_FUTURE : 0;
    decide_class(rules, items, count, true);
    decide_class(rules, items, count, false);
}

struct str keep_reason(struct arena *arena, const struct keep_item *item)
{
    struct tm utc = date_of(item->time_ms);
    char day[64] = "", week[64] = "", month[64] = "";
    struct str parts[8];
    size_t count = 0;
    strftime(day, sizeof day, "daily %Y-%m-%d", &utc);
    strftime(week, sizeof week, "weekly %G-W%V", &utc);
    strftime(month, sizeof month, "monthly %Y-%m", &utc);
    const struct {
        enum keep_why why;
        const char *name;
    } rules[] = {{KEEP_FUTURE, "its date lies in the future"},
                 {KEEP_NEWEST, "newest complete"},
                 {KEEP_LAST, "last"},
                 {KEEP_WITHIN, "within"},
                 {KEEP_DAILY, day},
                 {KEEP_WEEKLY, week},
                 {KEEP_MONTHLY, month}};
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (item->why & rules[i].why)
            parts[count++] = str_of(rules[i].name);
    return count ? str_join(arena, parts, count, STR(", ")) : STR("no rule keeps it");
}
