/* overlays.h — the stage that writes the repository: a Kustomize base, environments over it, and the entry points of
 * Argo CD and Flux.
 *
 *   README.md, .gitops-pipe.yaml
 *   base/_crds, base/_cluster, base/_gates      cluster-scoped objects: definitions, the rest, what may refuse others
 *   base/<namespace>                            the namespace and what is in it, one object per file
 *   overlays/<env>/<group>                      the same groups with the patches of an environment
 *   overlays/<env>/<namespace>/secrets          run->secrets in the form that was chosen (core/secrets/protect.h)
 *   argocd/, flux/<env>/                        entry points
 *
 * It takes a declared bundle (transform ran) and fills run->files, sorted. What it writes depends on the bundle's
 * objects and the configuration alone, not on their order. The report section "overlays" says what the environments
 * change. Ciphertext is random; with run->previous, the repository as it was, an unchanged Secret keeps its own.
 * Fails with REFUSED for a Secret whose values could be read, as core/secrets/protect.h says, and with INVALID when objects cannot be told apart on disk, which the file names rule out.
 */
#pragma once
#include "core/config/config.h"
#include "core/run.h"

/* What each environment does to the objects of the kind and name of `wanted` (its namespace empty: any), as
 * transform_explanation lists what rules did: [{resource, action, path, before, after, rule: "<environment>.<step>", why,
 * off}]; empty where nothing is done. Texts are not shown. `declared` is sorted. */
bool overlays_explanation(struct run *run, const struct bundle *declared, const struct resource *wanted,
                          const struct value **ret_steps, struct err *err) WARN_UNUSED;

bool overlays_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;
