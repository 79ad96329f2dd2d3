/* outline.h — a whole cluster in little: every object with its identity, and of a few kinds the fields that objects of
 * other parts ask about (outline.def). It is a bundle as any other, so whoever looks things up in a bundle can look them
 * up in an outline; an object of which nothing more is kept is NULL. Some 150 bytes for each object, beside those
 * fields. Nothing fails.
 */
#pragma once
#include "core/kube/bundle.h"

/* Adds copies in outline->arena. Whoever adds part after part, in order, has a sorted bundle. */
void outline_add(struct bundle *outline, const struct resource *resource);
/* An empty outline will have so many objects at most: then it need not grow, which leaves its old arrays behind. */
void outline_reserve(struct bundle *outline, size_t objects);
