/* pods.h — the pods of a workload, between the controllers that want them (workloads.c) and the cluster that would run
 * them (pods.c). Nobody else includes it.
 *
 * A pod becomes ready when everything it names is there: its account, priority class, claims, ConfigMaps and Secrets.
 * So a rebuild that forgets a Secret does not look well here either.
 */
#pragma once
#include "dr-scenarios/sandbox/intern.h"

/* A workload while it is brought up to date. */
struct work {
    struct sandbox *sandbox;
    struct arena *arena;
    const struct served *type;
    const struct value *object, *template;
    struct str namespace, name;
    bool due;       /* its pods have had the time to start */
    struct str why; /* why pods are not ready; empty when they are */
    bool admitted;  /* false: pods cannot even be made */
    int64_t wanted, ready;
};

bool pods_exists(const struct work *work, const char *group, const char *kind, struct str namespace,
                 struct str name);
/* Sets `admitted` and `why`: whether pods of `spec` can be made, and whether they would start. */
void pods_look(struct work *work, const struct value *spec);
/* The same for one more volume; binds its claim when that waits for a pod. */
void pods_need_volume(struct work *work, const struct value *volume);

/* spec.replicas, within what a sandbox can hold. */
int64_t pods_wanted(const struct value *object);
/* A pod of `owner` under `name`; labels are those of the template and `extra`. */
void pods_put(struct work *work, const struct value *owner, struct str name, const struct value *extra,
              const struct value *spec, bool finished);
/* As many pods as are wanted, named after `owner` with letters behind; sets `wanted` and `ready`. */
void pods_put_all(struct work *work, const struct value *owner, const struct value *extra);
/* Removes the pods of `owner` that are not in `names`. */
void pods_keep_only(struct work *work, const struct value *owner, const struct str_list *names);

const struct value *pods_status(const struct work *work, const struct value *spec, struct str pod,
                                bool finished);
bool pods_owned_by(const struct value *object, struct str uid);
/* `count` letters that stand for `text`, as Kubernetes picks them: names do not read as words. */
struct str pods_letters(struct arena *arena, struct str text, uint64_t seed, size_t count);
