/* diff.h — what changed between two backups, field by field; either side may also be a bundle: manifests, a live cluster.
 *
 * The comparison goes namespace by namespace, so memory is bounded by the largest one and by the differences found; a
 * pack that both backups share is skipped unread. Objects are the same when group, kind, namespace and name are.
 * Unless `all` is asked for, what a cluster writes by itself is left out: status, and of metadata managedFields,
 * resourceVersion, generation, uid, creationTimestamp, selfLink and kubectl's last-applied-configuration.
 * Values of Secrets are never handed out, only that they changed.
 * An object that is outside of what the other side was to hold (the selection of its manifest) is counted in
 * `outsideSelection` and is no difference.
 * A type that one side could not read is not compared, and said so: its objects are unknown, not gone.
 * `unchanged` counts what lies in skipped packs too, unless types are selected.
 * Section "diff" of the report: {from, to, same, added, removed, changed, unchanged, packsSkipped, outsideSelection?,
 * notCompared[{type, side, reason}], objects[{change, apiVersion, kind, namespace?, name,
 * fields[{path, change, old?, new?, hidden?}]?}]}; paths are JSON pointers, change is added, removed or changed.
 */
#pragma once
#include "core/run.h"

struct diff_side {
    struct str name;             /* in the report */
    const struct bundle *bundle; /* sorted; NULL: a backup */
    struct str cluster, which;   /* of the backup, as for backup_load */
};

struct diff_options {
    struct str_list namespaces; /* only these; * and ? match; empty: all, and what is cluster-scoped */
    struct str_list types;      /* only these, as plural or plural.group; * and ? match */
    bool all;                   /* also what a cluster writes by itself */
};

/* `ret_same`: nothing that was compared differs. Fails with what load.h fails with. */
bool backup_diff(struct run *run, const struct diff_side *from, const struct diff_side *to,
                 const struct diff_options *options, bool *ret_same, struct err *err) WARN_UNUSED;
