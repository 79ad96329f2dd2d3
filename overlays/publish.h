/* publish.h — the stage that commits what overlays wrote (run->files) to the branch that git.url and git.branch name.
 *
 * Only our own top-level names are replaced: base, overlays, argocd, flux, README.md, .gitops-pipe.yaml. The commit
 * message says which backup it is of; nothing changed, no commit: a change of .gitops-pipe.yaml alone, which names the backup, is none.
 *
 * A hole in the snapshot never becomes a deletion: whoever follows the repository would delete the objects for real.
 * When the bundle is incomplete and publishing would take away an object whose type was not read, nothing at all is
 * committed, because the files refer to each other; the branch stays at its last good state, the objects are named in
 * `withheld` and in a finding, and the stage succeeds, so that the nightly job goes on. Additions and changes, and
 * deletions of types that were read, are published from an incomplete bundle too. A bundle that was narrowed for once
 * (--namespace and the like) tells nothing about what it left out: no deletion at all is published from it.
 *
 * The same holds for objects that the configuration does not select any more (allow_deletions says yes to them), and one
 * commit takes out no more than git.maxDeletions percent of the objects, or ten: REFUSED, again unless it is allowed.
 *
 * Adds the section "publish" to the report:
 *   {url, branch, commit, tree, changed, preview, files{added,changed,removed} (counts),
 *    paths{added[],changed[],removed[]} (the first 1000 of each), withheld[] (objects, as people name them),
 *    deleted (objects of the base), tooMany}
 * `commit` is what the branch points to after the stage; empty for a branch that does not exist.
 * Fails as core/git/repo.h says.
 */
#pragma once
#include "core/run.h"

bool publish_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;
/* The same without a commit: `changed` says whether there would be one. */
bool publish_preview(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;

/* The Secrets that the branch holds now, into run->previous. A branch or repository that is not there holds nothing. */
bool publish_previous(struct run *run, struct err *err) WARN_UNUSED;

/* Where a repository says which backup it was written from. */
#define PUBLISH_PROVENANCE ".gitops-pipe.yaml"
/* Whether a path lies under one of our top-level names. */
bool publish_owns(struct str path);
