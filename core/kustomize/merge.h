/* merge.h — strategic merge patches, with the results of kustomize 5.8.
 *
 * Maps merge key by key, null removes, "$patch: delete | replace | merge" are directives. A list with merge
 * keys (schema.h) is merged item by item, any other list is replaced. Order matters to readers and
 * sometimes to pods ($(NAME) in env), so it is kustomize's: with one merge key the patch's items come first
 * in the patch's order, then the rest of the base; with two the new items come first and the base keeps its
 * order. Where kustomize silently loses a patch this fails instead, and says why.
 * Source: the "Strategic Merge Patch" notes of Kubernetes sig-api-machinery, and kustomize itself by
 * experiment (testdata/kustomize).
 * Fails with INVALID: kinds that do not fit, an item without its merge key, an unknown directive. LIMIT: a
 * list too long.
 */
#pragma once
#include "core/base/value.h"
#include "core/kustomize/schema.h"

/* *ret_object is NULL when the patch deletes the object. */
bool merge_strategic(struct arena *arena, enum shape shape, const struct value *object,
                     const struct value *patch, const struct value **ret_object, struct err *err) WARN_UNUSED;
