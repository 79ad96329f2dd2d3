#include "core/base/base.h"

#include <criterion/criterion.h>
#include <string.h>

Test(str, comparing)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {{"", "", 0},     {"a", "", 1},     {"", "a", -1},  {"a", "b", -1},
                 {"a", "ab", -1}, {"\xff", "a", 1}, {"ab", "ab", 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str a = str_of(cases[i].a), b = str_of(cases[i].b);
        int order = str_cmp(a, b);
        cr_expect_eq((order > 0) - (order < 0), cases[i].order, "%s %s", cases[i].a, cases[i].b);
        cr_expect_eq(str_eq(a, b), cases[i].order == 0);
        cr_expect_eq(str_qsort(&a, &b), order);
    }
    cr_expect(str_eq(STR_NONE, STR("")));
    cr_expect(str_eq(str_of(NULL), STR("")));
    cr_expect(str_eq_nocase(STR("Ab-Z"), STR("aB-z")));
    cr_expect_not(str_eq_nocase(STR("a"), STR("ab")));
    cr_expect_not(str_eq_nocase(STR("@"), STR("`")));
    cr_expect(str_is(STR("abc"), "abc"));
    cr_expect_not(str_is((struct str){"a\0b", 3}, "a"));
}

Test(str, parts)
{
    struct str text = STR("one/two/three");
    cr_expect(str_starts(text, STR("one")) && str_starts(text, STR("")) && !str_starts(text, STR("two")));
    cr_expect(str_ends(text, STR("three")) && str_ends(text, STR("")) && !str_ends(STR("e"), STR("ee")));
    cr_expect(str_contains(text, STR("/two/")) && str_contains(text, STR("")) &&
              !str_contains(STR_NONE, STR("x")));
    cr_expect_eq(str_find(text, '/'), 3);
    cr_expect_eq(str_rfind(text, '/'), 7);
    cr_expect_eq(str_find(text, 'x'), text.len);
    cr_expect_eq(str_rfind(STR_NONE, 'x'), 0);
    cr_expect(str_is(str_slice(text, 4, 7), "two"));
    cr_expect(str_is(str_slice(text, 8, 1000), "three"));
    cr_expect(str_is(str_slice(text, 9, 2), ""));
    cr_expect(str_is(str_from(text, 8), "three"));
    cr_expect(str_is(str_from(text, 99), ""));
    cr_expect(str_is(str_trim(STR(" \t\n a b \r\v\f")), "a b"));
    cr_expect(str_is(str_trim(STR("  ")), ""));
}

Test(str, cutting)
{
    struct str rest = STR("a,,b");
    cr_expect(str_is(str_cut(&rest, ','), "a"));
    cr_expect(str_is(str_cut(&rest, ','), ""));
    cr_expect(str_is(str_cut(&rest, ','), "b"));
    cr_expect_eq(rest.len, 0);
    cr_expect(str_is(str_cut(&rest, ','), ""));
}

Test(str, making)
{
    struct arena *arena = arena_new();
    struct str parts[] = {STR("a"), STR_NONE, STR("c")};
    struct str_list list = {0};
    cr_expect(str_is(str_join(arena, parts, 3, STR("--")), "a----c"));
    cr_expect(str_is(str_join(arena, parts, 1, STR("--")), "a"));
    cr_expect(str_is(str_join(arena, parts, 0, STR("--")), ""));
    cr_expect(str_is(str_fmt(arena, "%d-%s", 7, "x"), "7-x"));
    cr_expect(str_is(str_fmt(arena, "%s", ""), ""));
    cr_expect(str_is(str_fmt(arena, "%s/%.*s.yaml", "base", 2, "shop"), "base/sh.yaml"));
    cr_expect(str_is(str_fmt(arena, "%.*s", 9, "a\0b"), "a"));
    cr_expect(str_is(str_fmt(arena, "%s: 100%% of %5s", "a", "b"), "a: 100% of     b"));
    struct str most = str_fmt(arena, "%0300d", 0),
               twice = str_fmt(arena, "%.*s%.*s", STR_ARG(most), STR_ARG(most));
    cr_expect_eq(twice.len, 600);
    cr_expect(str_starts(twice, most) && str_ends(twice, most));
    cr_expect_str_eq(str_c(arena, STR("abc")), "abc");
    cr_expect_str_eq(str_c(arena, STR_NONE), "");
    cr_expect(str_is(str_dup(arena, STR("abc")), "abc"));
    cr_expect(str_is(str_lower(arena, STR("AbÇ")), "abÇ"));
    *ARENA_PUSH(arena, &list) = STR("x");
    cr_expect(str_in(STR("x"), list.items, list.count));
    cr_expect_not(str_in(STR("y"), list.items, list.count));
    arena_free(arena);
}

Test(str, numbers)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t number;
    } cases[] = {{"0", true, 0},
                 {"18446744073709551615", true, UINT64_MAX},
                 {"18446744073709551616", false, 0},
                 {"007", true, 7},
                 {"", false, 0},
                 {"-1", false, 0},
                 {"1 ", false, 0},
                 {"1x", false, 0},
                 {"99999999999999999999", false, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t number = 42;
        cr_expect_eq(str_to_u64(str_of(cases[i].text), &number), cases[i].ok, "%s", cases[i].text);
        cr_expect_eq(number, cases[i].ok ? cases[i].number : 42, "%s", cases[i].text);
    }
}

Test(str, utf8_is_checked_strictly)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"", true},
        {"abc", true},
        {"\xc3\xa9", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x8c\x8d", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xee\x80\x80", true},
        {"\x80", false},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xc3", false},
        {"\xe0\x80\x80", false},
        {"\xed\xa0\x80", false},
        {"\xe2\x82", false},
        {"\xf0\x80\x80\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xf0\x9f\x8c", false},
        {"\xe2\x28\xa1", false},
        {"\xf0\x9f\x28\x8d", false},
        {"a\xff", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_eq(str_is_utf8(str_of(cases[i].text)), cases[i].ok, "case %zu", i);
}

Test(str, globs)
{
    static const struct {
        const char *pattern, *text;
        bool ok;
    } cases[] = {
        {"*", "", true},
        {"*", "abc", true},
        {"", "", true},
        {"", "a", false},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"a*c", "abbc", true},
        {"a*c", "abb", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"kube-*", "kube-system", true},
        {"**x**", "axb", true},
        {"*ab*ab*", "abxab", true},
        {"*ab*ab*", "abx", false},
        {"*ab", "aab", true},
        {"*ab*", "aaxb", false},
        {"*?b*c", "abbc", true},
        {"*?b*c", "bcc", false},
        {"a*?", "a", false},
        {"*b", "b", true},
        {"*b", "", false},
        {"ab", "b", false},
        {"?", "", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_eq(str_glob(str_of(cases[i].pattern), str_of(cases[i].text)), cases[i].ok, "%s %s",
                     cases[i].pattern, cases[i].text);
}

Test(str, a_hostile_glob_stays_cheap, .timeout = 5)
{
    char pattern[2002], text[100001];
    for (int i = 0; i < 1000; i++)
        memcpy(pattern + 2 * i, "*a", 2);
    memcpy(pattern + 2000, "b*", 2);
    memset(text, 'a', sizeof text);
    cr_expect_not(str_glob((struct str){pattern, sizeof pattern}, (struct str){text, sizeof text}));
}

Test(str, distance_counts_edits)
{
    cr_expect_eq(str_distance(STR("kitten"), STR("sitting")), 3);
    cr_expect_eq(str_distance(STR(""), STR("abc")), 3);
    cr_expect_eq(str_distance(STR("same"), STR("same")), 0);
    char longer[100] = {0};
    cr_expect_eq(str_distance((struct str){longer, 100}, STR("a")), 64);
    cr_expect_eq(str_distance(STR("a"), (struct str){longer, 100}), 64);
}
