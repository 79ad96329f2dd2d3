/* overlays.h — the stage that writes the repository: a Kustomize base, environments over it, and the entry points of
 * Argo CD and Flux.
 *
 *   README.md, .gitops-pipe.yaml
 *   base/_crds, base/_cluster, base/_gates      cluster-scoped objects: definitions, the rest, what may refuse others
 *   base/<namespace>                            the namespace and what is in it, one object per file
 *   overlays/<env>/<group>                      the same groups with the patches of an environment
 *   overlays/<env>/<namespace>/secrets          Secrets in the form that was chosen (core/secrets/protect.h)
 *   argocd/, flux/<env>/                        entry points
 *
 * It takes what was declared (transform ran). What it writes depends on the objects and the configuration alone, not on
 * their order. The report section "overlays" says what the environments
 * change. Ciphertext is random; with run->previous, the repository as it was, an unchanged Secret keeps its own.
 * Fails with REFUSED for a Secret whose values could be read, as core/secrets/protect.h says, and with INVALID when objects cannot be told apart on disk, which the file names rule out.
 */
#pragma once
#include "core/base/files_out.h"
#include "core/config/config.h"
#include "core/kube/declared.h"
#include "core/run.h"

/* What each environment does to the objects of the kind and name of `wanted` (its namespace empty: any), as
 * transform_explanation lists what rules did: [{resource, action, path, before, after, rule: "<environment>.<step>", why,
 * off}]; empty where nothing is done. Texts are not shown. */
bool overlays_explanation(struct run *run, const struct declared *declared, const struct resource *wanted,
                          const struct value **ret_steps, struct err *err) WARN_UNUSED;

/* Writes one folder after the other, holding one namespace at a time, and finishes `out`. */
bool overlays_write(struct run *run, struct declared *declared, struct files_out *out,
                    struct err *err) WARN_UNUSED;
/* The stage: the same over a bundle and run->secrets, into run->files. */
bool overlays_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;
