/* tally.h — from verdicts to a number between 0 and 100.
 *
 * A dimension starts at 100 and every check of it that anything violates takes a share:
 *
 *     score = 100 × Π over checks (1 − w × v / (v + c))        w: error 0.25, warning 0.10, info 0
 *
 * v is how many objects violate the check; c how many objects that the check applies to have no finding at all in the
 * dimension. Three things follow, and the tests hold them: mending an object never lowers a score; an object that
 * violates something never raises one, whatever it does well (it enters no c); the order of objects is of no account.
 * 100 means nothing was found, for scores are rounded down. docs/checks.md says the same with examples.
 */
#pragma once
#include "quality/judge.h"

struct tally {
    uint32_t violators[CHECK_COUNT];
    uint32_t clean[CHECK_COUNT];
    uint32_t objects;
    uint32_t findings[3]; /* by enum severity */
};

struct weights {
    int64_t of[DIMENSION_COUNT]; /* all zero: equal */
};

struct scores {
    int overall;
    int dimensions[DIMENSION_COUNT];
};

void tally_add(struct tally *tally, const struct verdict *verdict);
struct scores tally_scores(const struct tally *tally, const struct weights *weights);
/* "A+" from 97, then A from 93, A- from 90, … D from 60, F. */
const char *score_grade(int score);
