/* What stays, as a table of dates. */
#include <criterion/criterion.h>
#include <string.h>

#include "backupd/keep.h"
#include "core/base/clock.h"

enum { BACKUPS_MAX = 40 };

struct backups {
    struct keep_item items[BACKUPS_MAX];
    size_t count;
};

/* "2026-11-21T02:00 2026-11-20T02:00!" newest first; '!' marks an incomplete one. */
static void read_backups(struct arena *arena, const char *text, struct backups *b)
{
    struct str rest = str_of(text);
    b->count = 0;
    while (rest.len != 0) {
        struct str word = str_cut(&rest, ' ');
        struct keep_item *item = &b->items[b->count++];
        *item = (struct keep_item){.complete = !str_ends(word, STR("!"))};
        word = str_slice(word, 0, sizeof "2026-11-21T02:00" - 1);
        cr_assert(clock_parse_rfc3339(str_fmt(arena, "%.*s:00Z", STR_ARG(word)), &item->time_ms), "%s", text);
    }
}

static int64_t at(const char *rfc3339)
{
    int64_t ms = 0;
    cr_assert(clock_parse_rfc3339(str_of(rfc3339), &ms));
    return ms;
}

/* One letter per rule and backup, newest first: n(ewest) f(uture) l(ast) i (within) d w m; '-' goes. */
static struct str decide(struct arena *arena, const struct keep_rules *rules, struct backups *b)
{
    static const char letters[] = "nflidwm";
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    keep_decide(rules, at("2030-01-01T00:00:00Z"), b->items, b->count);
    for (size_t i = 0; i < b->count; i++) {
        if (i != 0)
            buf_char(&out, ' ');
        for (unsigned bit = 0; letters[bit] != '\0'; bit++)
            if (b->items[i].why & (1U << bit))
                buf_char(&out, letters[bit]);
        if (b->items[i].why == 0)
            buf_char(&out, '-');
    }
    return str_dup(arena, buf_view(&out));
}

static const struct {
    const char *what;
    struct keep_rules rules;
    const char *backups, *want;
} rows[] = {
    {"the last two", {.last = 2}, "2026-11-21T02:00 2026-11-20T02:00 2026-11-19T02:00", "nl l -"},
    {"fewer than asked for", {.last = 9}, "2026-11-21T02:00 2026-11-20T02:00", "nl l"},
    {"the newest of a day stands for it",
     {.daily = 2},
     "2026-11-21T23:59 2026-11-21T00:00 2026-11-20T12:00 2026-11-19T12:00",
     "nd - d -"},
    {"days without a backup take no slot",
     {.daily = 3},
     "2026-11-21T02:00 2026-11-01T02:00 2026-06-01T02:00 2026-05-31T02:00",
     "nd d d -"},
    {"a leap day is a day like any",
     {.daily = 3},
     "2028-03-01T00:00 2028-02-29T23:59 2028-02-29T00:00 2028-02-28T23:59 2028-02-27T12:00",
     "nd d - d -"},
    {"no leap day in 2100, one in 2000",
     {.daily = 4},
     "2000-03-01T00:00 2000-02-29T12:00 2000-02-28T12:00 1999-12-31T23:59",
     "nd d d d"},
    {"a week begins on Monday",
     {.weekly = 2},
     "2026-11-23T00:00 2026-11-22T23:59 2026-11-16T00:00 2026-11-15T23:59",
     "nw w - -"},
    {"week 53 of 2026 reaches into 2027 and is one week",
     {.weekly = 2},
     "2027-01-04T00:00 2027-01-03T23:59 2027-01-01T00:00 2026-12-31T23:59 2026-12-28T00:00 2026-12-27T23:59",
     "nw w - - - -"},
    {"the last days of December may belong to week 1",
     {.weekly = 2},
     "2025-01-05T12:00 2024-12-30T00:00 2024-12-29T23:59",
     "nw - w"},
    {"months",
     {.monthly = 2},
     "2027-01-01T00:00 2026-12-31T23:59 2026-12-01T00:00 2026-11-30T23:59",
     "nm m - -"},
    {"the same month of two years",
     {.monthly = 2},
     "2026-11-21T02:00 2025-11-21T02:00 2024-11-21T02:00",
     "nm m -"},
    {"an hour that a summer time would repeat or skip is an hour like any",
     {.daily = 9},
     "2026-10-25T03:30 2026-10-25T02:30 2026-10-25T01:30 2026-03-29T02:30 2026-03-28T23:59",
     "nd - - d d"},
    {"within, to the millisecond",
     {.within_ms = 86400000},
     "2026-11-21T02:00 2026-11-20T02:00 2026-11-20T01:59",
     "ni i -"},
    {"a pause removes nothing: within counts from the newest",
     {.within_ms = 86400000},
     "2020-01-02T02:00 2020-01-01T12:00",
     "ni i"},
    {"every rule has a say",
     {.last = 1, .daily = 2, .weekly = 2, .monthly = 3},
     "2026-11-22T02:00 2026-11-21T02:00 2026-11-20T02:00 2026-11-15T02:00 2026-10-31T02:00 2026-09-30T02:00",
     "nldwm d - w m m"},
    {"incomplete backups take no slot of complete ones",
     {.daily = 2},
     "2026-11-22T02:00! 2026-11-21T02:00! 2026-11-20T02:00! 2026-11-19T02:00 2026-11-18T02:00 "
     "2026-11-17T02:00",
     "d d - nd d -"},
    {"the newest complete one stays whatever the rules say",
     {.last = 0},
     "2026-11-22T02:00! 2026-11-21T02:00 2026-11-20T02:00",
     "- n -"},
    {"a date of tomorrow's decade says nothing about today's backups",
     {.last = 1, .within_ms = 3600000},
     "2036-11-21T02:00 2030-01-01T23:00 2029-12-31T23:30 2029-12-31T22:00",
     "f nli - -"},
    {"two of the same moment", {.last = 1, .daily = 1}, "2026-11-21T02:00 2026-11-21T02:00", "nld -"},
    {"none", {.last = 1}, "", ""},
};

Test(keep, what_stays)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_new();
        struct backups b;
        read_backups(arena, rows[i].backups, &b);
        struct str got = decide(arena, &rows[i].rules, &b);
        cr_expect(str_is(got, rows[i].want), "%s: got \"%.*s\", expected \"%s\"", rows[i].what, STR_ARG(got),
                  rows[i].want);
        arena_free(arena);
    }
}

/* A year and a half of nightly backups under the rules of the manual's example. */
Test(keep, a_long_row_of_nights_comes_down_to_the_rules)
{
    static struct keep_item nights[550];
    const struct keep_rules rules = {.daily = 7, .weekly = 5, .monthly = 12};
    size_t kept = 0, months = 0;
    int64_t newest = at("2026-11-21T02:00:00Z");
    for (size_t i = 0; i < COUNT_OF(nights); i++)
        nights[i] = (struct keep_item){.time_ms = newest - (int64_t)i * 86400000, .complete = true};
    keep_decide(&rules, newest, nights, COUNT_OF(nights));
    for (size_t i = 0; i < COUNT_OF(nights); i++) {
        kept += nights[i].why != 0;
        months += (nights[i].why & KEEP_MONTHLY) != 0;
        cr_expect(i >= 7 || (nights[i].why & KEEP_DAILY));
    }
    cr_expect_eq(months, 12);
    cr_expect_eq(kept, 7 + 3 + 11, "%zu", kept);
}

/* What one prune leaves, the next one leaves too: nothing is lost by running it twice. */
Test(keep, deciding_again_over_what_stayed_changes_nothing)
{
    static struct keep_item nights[400], left[400];
    const struct keep_rules rules = {
        .last = 3, .daily = 7, .weekly = 5, .monthly = 12, .within_ms = 172800000};
    int64_t newest = at("2028-03-02T02:00:00Z");
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(nights); i++)
        nights[i] = (struct keep_item){.time_ms = newest - (int64_t)i * 40000000, .complete = i % 5 != 2};
    keep_decide(&rules, newest, nights, COUNT_OF(nights));
    for (size_t i = 0; i < COUNT_OF(nights); i++)
        if (nights[i].why != 0)
            left[count++] = nights[i];
    keep_decide(&rules, newest, left, count);
    for (size_t i = 0; i < count; i++)
        cr_expect(left[i].why != 0, "%zu", i);
}

Test(keep, reasons_name_their_slots)
{
    static const struct {
        const char *time;
        unsigned why;
        const char *want;
    } reasons[] = {
        {"2026-11-21T02:00:00Z", KEEP_NEWEST | KEEP_LAST | KEEP_DAILY,
         "newest complete, last, daily 2026-11-21"},
        {"2027-01-01T00:00:00Z", KEEP_WEEKLY | KEEP_MONTHLY, "weekly 2026-W53, monthly 2027-01"},
        {"2024-12-30T23:59:59Z", KEEP_WEEKLY | KEEP_WITHIN, "within, weekly 2025-W01"},
        {"2028-02-29T12:00:00Z", KEEP_DAILY, "daily 2028-02-29"},
        {"2036-01-01T00:00:00Z", KEEP_FUTURE, "its date lies in the future"},
        {"2026-01-01T00:00:00Z", 0, "no rule keeps it"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        struct keep_item item = {.time_ms = at(reasons[i].time), .why = reasons[i].why};
        struct str got = keep_reason(arena, &item);
        cr_expect(str_is(got, reasons[i].want), "%.*s", STR_ARG(got));
    }
    arena_free(arena);
}

Test(keep, any_time_a_manifest_can_hold_has_a_reason)
{
    static const int64_t times[] = {0, 1, -1, INT64_MAX, INT64_MAX - 86400000, 253402300799999};
    struct arena *arena = arena_new();
    const struct keep_rules rules = {.last = 1, .daily = 2, .weekly = 2, .monthly = 2, .within_ms = 1};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct keep_item item = {.time_ms = times[i], .complete = true};
        keep_decide(&rules, 0, &item, 1);
        cr_expect(item.why != 0);
        item.why = ~0U;
        cr_expect_gt(keep_reason(arena, &item).len, 0);
    }
    arena_free(arena);
}

Test(keep, rules_that_keep_nothing_are_told_apart)
{
    cr_expect_not(keep_any(&(struct keep_rules){0}));
    cr_expect(keep_any(&(struct keep_rules){.last = 1}));
    cr_expect(keep_any(&(struct keep_rules){.within_ms = 1}));
}
