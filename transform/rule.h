/* rule.h — what a rule is given and what it may do. For the files of this folder only.
 *
 * A rule is a row of rules.def and one function over a subject: the resource as it was read, the object as the rules
 * before left it, and the scene, which is everything else that was read. It acts through the subject_* verbs, which
 * write the log; a verb that finds nothing to do does nothing and logs nothing.
 */
#pragma once
#include "core/base/pointer.h"
#include "core/config/config.h"
#include "transform/default_shape.h"
#include "transform/kinds.h"
#include "transform/managed.h"
#include "transform/transform.h"

struct subject;
typedef void (*transform_apply_fn)(struct subject *subject);

struct transform_rule {
    const char *id;
    int pitfall;
    const char *applies;
    transform_apply_fn apply;
    const char *what, *why;
};

/* The target of an autoscaler. */
struct scaled {
    struct str namespace, group, kind, name;
};

struct scaled_list {
    struct scaled *items; /* sorted */
    size_t count, cap;
};

/* The CRD that defines a kind. */
struct custom_kind {
    struct str group, kind;
    const struct value *versions; /* spec.versions */
};

struct custom_kinds {
    struct custom_kind *items; /* sorted */
    size_t count, cap;
};

/* A rule that the user wrote; `rule` is what the log names. */
struct user_rule {
    struct transform_rule rule;
    const struct config_rule *config;
};

struct user_rules {
    struct user_rule *items;
    size_t count;
};

/* Who an engine says an object belongs to. */
struct owner_name {
    struct str namespace, name;
};

/* How the Argo CD in the backup tells what it owns. */
struct tracking {
    bool by_label;        /* false also where there is no Argo CD */
    struct str label;     /* its key */
    struct str namespace; /* Argo CD's own */
    struct {
        struct owner_name *items; /* sorted; only where it tracks by label */
        size_t count, cap;
    } applications;
};

/* A selector asks for this label. */
struct label_use {
    struct str key, value;
    bool any; /* for whatever value */
};

struct label_uses {
    struct label_use *items; /* sorted */
    size_t count, cap;
};

/* What rules know of the whole cluster: little beside its objects, which come part by part. */
struct scene {
    const struct bundle *about; /* without objects */
    struct bundle cluster;      /* the cluster-scoped objects, as they were read */
    struct user_rules user;
    struct custom_kinds custom;
    struct default_kinds defaults;
    struct tracking tracking;
    struct label_uses selected; /* of the labels that gitops.argocd and helm.marks may take away */
};

/* The part at work, and what several rules ask about it. */
struct neighbours {
    struct bundle live; /* as it was read, sorted */
    struct scaled_list scaled;
};

struct subject {
    struct arena *arena;   /* of the part */
    struct arena *scratch; /* for what dies with the subject: the evidence */
    struct run *run;
    const struct scene *scene;
    const struct neighbours *neighbours;
    struct bundle *set_aside; /* Secrets of the part */
    struct transform_log *log;
    const struct transform_rule *rule; /* the one at work */
    const struct resource *live;
    const struct value *object;
    struct managed managed;
    bool from_cluster; /* an API server returned it; else it is a manifest, and all in it is meant */
    bool dropped;
    bool told; /* the log wants what the rule does, not only that it does something */
};

#define RULE(id, pitfall, applies, apply, what, why) void apply(struct subject *subject);
#include "transform/rules.def"
#undef RULE

/* Verbs. */
void subject_drop(struct subject *subject);
/* Takes out what stands at the path; says whether there was anything. */
bool subject_remove(struct subject *subject, const char *const *path);
/* The same, and then the map that held it when that is left empty. The path is two keys at least. */
void subject_remove_tidy(struct subject *subject, const char *const *path);
/* Puts `value` at the path; logs one change unless the same stood there already. */
void subject_set(struct subject *subject, const char *const *path, const struct value *value);
/* Keys of the map at the path (labels, annotations) for which `unwanted` holds go; a map left empty goes too. */
typedef bool (*unwanted_key_fn)(struct str key, struct str text);
void subject_remove_keys(struct subject *subject, const char *const *path, unwanted_key_fn unwanted);
/* For a rule that rebuilds the object itself: logs one step of it. Done one after the other to the object as the rule
 * found it, the steps must come to what the rule leaves: transform_verify holds them against what is written. */
void subject_note_removed(struct subject *subject, struct str pointer);
void subject_note_removed_at(struct subject *subject, const struct pointer_place *place);
void subject_note_changed(struct subject *subject, struct str pointer, const struct value *value);
/* A finding on the subject; `path` is dotted, and no text of these may hold a value of a Secret. */
void subject_finding(struct subject *subject, const char *check, enum severity severity, const char *path,
                     struct str message, const char *fix);

/* Questions. */
struct str subject_annotation(const struct subject *subject,
                              const char *key); /* as it was read; empty: none */
struct str subject_label(const struct subject *subject, const char *key);
/* Who owns the field: of a manifest its author, exactly. */
enum managed_by subject_owner(const struct subject *subject, const char *const *path);
/* A person or tool set the field that the server else would allocate. */
bool subject_meant(const struct subject *subject, const char *const *path);
/* Another object as it was read: a cluster-scoped one, or one of the subject's own namespace; NULL when there is none. */
const struct resource *subject_find(const struct subject *subject, struct str group, struct str kind,
                                    struct str namespace, struct str name);

/* "apps" of "apps/v1", empty of "v1". */
struct str api_group(struct str api_version);

/* The user's rules of the configuration as rules of the table's kind (user.c). */
struct user_rules user_rules_of(struct arena *arena, const struct config *config);
/* Whether a match of the configuration is for the resource, as it was read (match.c). */
bool match_takes(const struct config_match *match, const struct scene *scene,
                 const struct resource *resource);

/* labels.c: who selects by one of `keys`, in whatever resource; whether somebody does by this value. */
bool label_uses_gather(struct arena *arena, const struct parts *live, const struct str *keys,
                       size_t key_count, struct label_uses *ret_uses, struct err *err) WARN_UNUSED;
bool label_uses_has(const struct label_uses *uses, struct str key, struct str value);

/* gitops.c: reads argocd-cm; which Application owns an object. */
bool tracking_gather(struct arena *arena, const struct parts *live, struct tracking *tracking,
                     struct err *err) WARN_UNUSED;
bool argocd_owner(const struct scene *scene, const struct resource *live, struct owner_name *ret_owner);

/* helm.c: the labels that Helm and its charts put on objects. */
enum { HELM_LABELS = 4 };
extern const struct str helm_labels[HELM_LABELS];

/* ownership.c: whose the objects are. Parts are noted one after the other, then reported. */
struct owners {
    struct owner *items;
    size_t count, cap;
};
void ownership_note(struct arena *arena, const struct scene *scene, const struct bundle *live,
                    const struct bundle *declared, struct owners *owners);
/* A finding for each owner, and the list of Helm's releases for the report. */
void ownership_report(struct run *run, const struct scene *scene, struct owners *owners,
                      struct transform_log *log);

/* Gathers what is asked about; call once. */
bool scene_gather(struct scene *scene, struct run *run, const struct parts *live,
                  struct err *err) WARN_UNUSED;
/* Where the number of replicas of the resource stands, dotted: as the CRD's scale subresource says, or .spec.replicas. */
struct str scene_replicas_path(const struct scene *scene, const struct resource *resource);
/* `live` is one part, sorted. */
void neighbours_gather(struct neighbours *neighbours, struct arena *arena, const struct bundle *live);
/* An autoscaler owns the number of replicas of the resource. */
bool neighbours_scale(const struct neighbours *neighbours, const struct resource *resource);
