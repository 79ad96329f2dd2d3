/* preflight.h — what of the declared objects would refuse the others, told before anything is applied.
 *
 * A namespace brings its own rules: quotas, limits and a Pod Security level. They are declared beside what they rule, so
 * they are there before the pods; and an environment may ask for more than the cluster it came from had, three replicas
 * instead of two. An API server accepts a Deployment whose pods it is going to refuse, so without this a rebuild only
 * never gets ready. What admission lets through by its own configuration (exempt users, scopes of quotas) is not known here:
 * these are warnings, and nothing stops for them.
 * Findings: rebuild.quota, rebuild.limit-range, rebuild.pod-security. Nothing fails.
 */
#pragma once
#include "core/finding.h"
#include "core/kube/bundle.h"

/* `declared` is what is going to be applied, sorted or not. Appends. */
void preflight_check(struct arena *arena, const struct bundle *declared, struct findings *findings);
