/* judge.h — every check on one object after the other, and what comes of it.
 *
 * The judge keeps findings (bounded per check and object and per check), counts all of them, and hands each object's
 * verdict to the caller, who tallies it. Findings and all their texts live in the arena of the findings, so that the
 * objects may go. Nothing fails: an object that makes no sense is found out by the checks of schema.c.
 */
#pragma once
#include "quality/check.h"

struct check_count {
    uint32_t applied;    /* objects looked at */
    uint32_t violations; /* objects with at least one finding */
    uint32_t kept;       /* findings kept */
    uint32_t dropped;    /* findings counted and not kept */
};

struct judge {
    struct arena *arena; /* of the findings */
    struct findings *findings;
    struct check_count counts[CHECK_COUNT];
    /* While one check looks at one object. */
    const struct check *check;
    unsigned found;
};

/* What one object did: which checks applied and how many findings each had, one entry per row of checks.def. */
struct verdict {
    bool applies[CHECK_COUNT];
    uint32_t findings[CHECK_COUNT];
};

/* `openapi` may be NULL; `scratch` may be reset after each call. */
void judge_resource(struct judge *judge, const struct estate *estate, const struct openapi *openapi,
                    struct arena *scratch, const struct resource *resource, struct verdict *ret_verdict);
/* What an object is, as a set of enum applies. */
unsigned judge_applies(const struct resource *resource);
