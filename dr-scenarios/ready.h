/* ready.h — whether a live object does what it is for. One row per kind in ready.c; kinds without a row are ready as
 * soon as they exist. */
#pragma once
#include "core/kube/resource.h"

enum readiness { READY_NOT_YET, READY_YES, READY_NEVER };

/* Whether there is anything to wait for. */
bool ready_concerns(const struct resource *declared);
/* Judges the live object; `ret_why` says in a few words what is missing, in `arena`. */
enum readiness ready_judge(struct arena *arena, const struct resource *declared, const struct value *live,
                           struct str *ret_why);
