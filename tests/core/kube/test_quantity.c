/* Quantities as Kubernetes writes them, and texts that only look like one. */
#include <criterion/criterion.h>
#include <math.h>

#include "core/kube/quantity.h"

Test(quantity, every_suffix_counts)
{
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        {"2", 2},           {"250m", 0.25}, {"0.5", 0.5},   {"1.5Gi", 1610612736.0},
        {"64Mi", 67108864}, {"1k", 1000},   {"1Ki", 1024},  {"1E", 1e18},
        {"1E3", 1000},      {"1e3", 1000},  {"-1", -1},     {"+1", 1},
        {".5", 0.5},        {"5.", 5},      {"100n", 1e-7}, {"12e-1", 1.2},
        {"1Ei", 0x1p60},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double number = -99;
        cr_expect(quantity_parse(str_of(cases[i].text), &number), "%s", cases[i].text);
        cr_expect(fabs(number - cases[i].number) <= 1e-12 * fabs(cases[i].number), "%s is %g", cases[i].text,
                  number);
    }
}

Test(quantity, other_texts_are_refused)
{
    static const char *const texts[] = {
        "",     "Gi",
        "1 Gi", "1gi",
        "m",    "0x10",
        "1e",   "--1",
        "1Gib", "NaN",
        "inf",  "1,5",
        ".",    "1111111111111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        double number = 7;
        cr_expect_not(quantity_parse(str_of(texts[i]), &number), "%s", texts[i]);
        cr_expect(number == 7, "%s wrote its result", texts[i]);
    }
    cr_expect_not(quantity_of(NULL, &(double){0}));
}
