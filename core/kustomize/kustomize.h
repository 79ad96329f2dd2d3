/* kustomize.h — renders a kustomization folder, with the result of `kustomize build` 5.8: the same
 * documents in the same order, in time linear in the number of objects.
 *
 * Followed: resources (files of one or several documents, List kinds, folders), patches (strategic merge
 * and JSON 6902, inline or from a file, by identity or by target), namespace (with subjects and webhooks
 * that name what was moved), labels, commonLabels, commonAnnotations,
 * replicas, images, sortOptions. Any other field is an error that names file and line, never silently
 * passed over. Nothing is fetched from a network and nothing is run. The tree is read only; the bundle and
 * its objects live in `arena`, texts point into the tree.
 * Known difference: a plain y, n, yes, no, on or off is a boolean here, as for every client of the API server;
 * kustomize alone takes it for a string. Whoever means the string should quote it. Numbers keep their text,
 * where kustomize writes 1e3 as 1000.
 * Fails with INVALID: a field that is not followed, malformed YAML, a path that leads outside the tree or
 * to nothing, a loop, an object that comes twice, a patch without its object. LIMIT: folders nested too
 * deep.
 */
#pragma once
#include "core/base/files.h"
#include "core/kube/bundle.h"

/* `files` must be sorted. `dir` is a folder of the tree; empty is its root. The bundle is in kustomize's
 * order of output, not in the order of bundle_sort. */
bool kustomize_build(struct arena *arena, const struct files *files, struct str dir,
                     struct bundle *ret_bundle, struct err *err) WARN_UNUSED;

/* The same for a folder on disk. Its bases may lie beside it: what is read is the repository it is in (the
 * nearest folder at or above it that has .gitops-pipe.yaml or .git), or else as far up as its own resources
 * reach. */
bool kustomize_build_dir(struct arena *arena, const char *dir, struct bundle *ret_bundle,
                         struct err *err) WARN_UNUSED;

/* The documents as one YAML stream, with "---" between them. */
void kustomize_write(struct buf *buf, const struct bundle *bundle);
