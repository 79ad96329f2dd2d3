/* losses.h — which objects a commit would take out of the repository, and whether it may.
 *
 * Only what the commit touches is looked at: removed and changed files as they were, added and changed ones as they are
 * going to be. An object that moved to another file of the same place is not lost.
 *
 * `unread` are those of which the backup cannot tell that they are gone: of a type that it could not read, or outside of
 * what the configuration selects by now. `lost` counts the objects of the base that go for whatever reason, `before` those
 * that the base has: a backup that forgot a third of a cluster is more often a mistake than a wish.
 * Fails as repo_read does.
 */
#pragma once
#include "core/git/repo.h"
#include "core/run.h"

#define MAX_BRANCH_BYTES ((size_t)2 << 30) /* of a branch, read at once */

struct losses {
    struct str_list holes,
        unselected; /* as people name them, each once; unread for one reason or the other */
    size_t lost, before;
};

bool losses_find(struct run *run, const struct bundle *bundle, struct repo *repo,
                 const struct repo_changes *changes, struct losses *ret_losses, struct err *err) WARN_UNUSED;
/* More is lost than git.maxDeletions allows; few objects may always go. */
bool losses_are_many(const struct run *run, const struct losses *losses);
