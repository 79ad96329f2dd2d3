/* alike.h — whether two ways to the same cluster lead to the same. */
#pragma once
#include "core/kube/stash.h"

/* The stash holds what the bundle holds, in its order: objects, origins, documents, types, problems, and what is known of
 * the source. */
void expect_alike(struct stash *stash, const struct bundle *bundle);
