#include "quality/tally.h"

/* What a check takes from its dimension when every object violates it. */
static double weight_of(enum severity severity)
{
    switch (severity) {
    case SEVERITY_INFO: return 0;
    case SEVERITY_WARNING: return 0.10;
    case SEVERITY_ERROR: return 0.25;
    }
    return 0;
}

void tally_add(struct tally *tally, const struct verdict *verdict)
{
    bool dirty[DIMENSION_COUNT] = {false};
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (verdict->findings[i] != 0 && checks[i].severity != SEVERITY_INFO)
            dirty[checks[i].dimension] = true;

    tally->objects++;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        tally->violators[i] += verdict->findings[i] != 0;
        tally->findings[checks[i].severity] += verdict->findings[i];
        tally->clean[i] += verdict->applies[i] && !dirty[checks[i].dimension];
    }
}

static double dimension_score(const struct tally *tally, enum dimension dimension)
{
    double score = 100;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        double violators = tally->violators[i];
        if (checks[i].dimension == dimension && violators > 0)
            score *= 1 - weight_of(checks[i].severity) * violators / (violators + tally->clean[i]);
    }
    return score;
}

struct scores tally_scores(const struct tally *tally, const struct weights *weights)
{
    struct scores scores;
    double sum = 0, total = 0;
    for (size_t d = 0; d < DIMENSION_COUNT; d++)
        total += (double)weights->of[d];
    for (size_t d = 0; d < DIMENSION_COUNT; d++) {
        double score = dimension_score(tally, d);
        scores.dimensions[d] = (int)score;
        sum += score * (total > 0 ? (double)weights->of[d] : 1);
    }
    scores.overall = (int)(sum / (total > 0 ? total : DIMENSION_COUNT));
    return scores;
}

const char *score_grade(int score)
{
    static const struct {
        int from;
        const char *grade;
    } grades[] = {{97, "A+"}, {93, "A"},  {90, "A-"}, {87, "B+"}, {83, "B"},
                  {80, "B-"}, {77, "C+"}, {73, "C"},  {70, "C-"}, {60, "D"}};
    for (size_t i = 0; i < COUNT_OF(grades); i++)
        if (score >= grades[i].from)
            return grades[i].grade;
    return "F";
}
