/* leaks.h — values of Secrets that would be readable in the repository although no Secret is.
 *
 * A value may stand again in any namespace, so all Secrets of the cluster are known before the first part is looked
 * through: by what core/secrets/leak.h keeps of them, which is no value. Findings name object, path and Secret, never a
 * value. Nothing of a part is needed after leaks_look.
 */
#pragma once
#include "core/kube/parts.h"
#include "core/run.h"

struct leaks;

/* Takes in all Secrets that are live. Sets run->readable to 0. Fails with what reading a part fails with. */
bool leaks_open(struct run *run, const struct parts *live, struct leaks **ret_leaks,
                struct err *err) WARN_UNUSED;
/* Looks through one part: what is declared of it, what is set aside, and what kubectl keeps as last-applied on what is
 * live. Adds to the findings and to run->readable. */
void leaks_look(struct leaks *leaks, const struct bundle *live, const struct bundle *declared,
                const struct bundle *set_aside);
