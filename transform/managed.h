/* managed.h — whose is a field? Reads what the API server keeps about it.
 *
 * metadata.managedFields lists, per manager and operation, the fields that manager set last, as a trie (FieldsV1):
 * "f:name" a map member, "k:{...}" a list item by its keys, "v:..." a set member by its value, "i:0" an item by its
 * place, "." the node itself. An empty leaf over a map or list means the whole of it (atomic). Source: KEP-555 and
 * sigs.k8s.io/structured-merge-diff/fieldpath.
 *
 * Two operations mean two strengths of evidence. Apply lists exactly what the manager sent. Update lists what changed
 * between the stored object and the new one, in which the server's defaults are included already; a field that the
 * server allocates later or that admission injects (clusterIP, nodePort, tokens) belongs to nobody. So a default in an
 * Update is no proof of intent, while an allocated field in an Update is. kubectl's last-applied annotation lists
 * exactly what its user sent, and counts as an Apply; but not inside an atomic leaf, where the next server-side apply would
 * forget it again.
 *
 * Managers that are controllers are told by name and by subresource; their fields are never intent.
 */
#pragma once
#include "core/base/value.h"

enum managed_by {
    MANAGED_BY_NOBODY,     /* allocated, injected, or nothing is known */
    MANAGED_BY_CONTROLLER, /* a part of the cluster */
    MANAGED_BY_UPDATE,     /* a person or tool; may still be a default */
    MANAGED_BY_APPLY,      /* a person or tool, exactly */
};

#define MANAGED_MAX                                                                                          \
    16 /* managers looked at per object; the API server itself merges Update managers beyond 10 */

/* A place in an object, with what is known about it. It goes down in step with a walk over the object. */
struct managed_at {
    struct managed_set {
        const struct value *fields; /* node of the trie */
        enum managed_by by;
    } sets[MANAGED_MAX];
    size_t count;
    const struct value *applied; /* the same place in last-applied-configuration; NULL when it is not there */
    bool whole; /* inside what is only owned as a whole: an apply there tells nothing of one member */
};

/* What is known of one object. Views into it. */
struct managed {
    struct managed_at top;
    bool known;         /* managedFields were there */
    bool user;          /* a person or tool is among the managers, or left a last-applied-configuration */
    bool control_plane; /* known, and every manager is the API server or the controller manager */
};

/* A malformed list or annotation counts as absent. `arena` takes the tree of the annotation. */
void managed_read(struct managed *ret_managed, struct arena *arena, const struct value *object);

/* Down to the member `key`. */
void managed_member(const struct managed_at *at, struct str key, struct managed_at *ret_at);
/* Down to item `index` of a list, which is `item`: found by its keys, its text or its place. */
void managed_item(struct arena *arena, const struct managed_at *at, const struct value *item, size_t index,
                  struct managed_at *ret_at);
/* The strongest evidence at this place. */
enum managed_by managed_who(const struct managed_at *at);
/* The same for the member `key` below this place. */
enum managed_by managed_who_member(const struct managed_at *at, struct str key);
/* The same at a path of map keys from the object. */
enum managed_by managed_who_in(const struct managed *managed, const char *const *path);

/* A person or a deployment tool, rather than a part of the cluster. */
bool managed_is_user(struct str manager, struct str subresource);
