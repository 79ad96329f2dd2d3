/* transform.h — from live objects to declared ones: what somebody meant, without what the cluster added.
 *
 * A live object mixes three hands: its author's, the API server's (defaults, allocated addresses, bookkeeping) and
 * the controllers' (status, children, bound volumes). The stage keeps the first. It runs the rules of rules.def, in
 * their order, over every resource: a rule leaves a resource out, removes or changes a field, or adds a finding. What
 * each did is in the log, so that every difference between cluster and repository has a rule that explains it.
 * Rules look at other resources only as they were read, so the result depends on them and on nothing else: not on
 * their order, and declared objects transformed again stay as they are.
 * It works on one part after another (core/kube/parts.h). What rules know beyond the part at hand are the cluster-scoped
 * objects and a few facts; memory is that of the largest part.
 * Secrets leave the declared objects: what is written of them is core/secrets' business.
 * Rules of the user's own (transform.rules) run between them and are logged like them, as "user.NAME".
 * Fails with REFUSED (Secrets, and the configuration says refuse), USAGE (a mode or rule that does not exist), and with
 * what taking parts fails with.
 */
#pragma once
#include "core/kube/declared.h"
#include "core/run.h"

struct transform_rule;
struct scene;

enum transform_action { TRANSFORM_DROPPED, TRANSFORM_REMOVED, TRANSFORM_CHANGED };

/* One thing one rule did. `pointer` is empty where the whole resource was meant. */
struct transform_entry {
    const struct transform_rule *rule;
    const struct resource *resource; /* as it was read */
    enum transform_action action;
    struct str pointer; /* JSON pointer into the object as the rule found it, its own earlier entries done */
    const struct value *value; /* what stands there after a change; else NULL */
};

/* What a run of the rules did, in the order of resources and, for each, of rules. */
struct transform_log {
    struct transform_entry *items; /* where they are told; of transform_part those of that part */
    size_t count, cap;
    bool told;
    size_t steps; /* things done, whether they are among the items or not */
    size_t objects, declared;
    size_t impossible;                 /* left out because no cluster can have them */
    size_t *applications;              /* objects to which a rule did something, in the order of the table */
    size_t *user_applications;         /* the same of the user's own, in the order of the configuration */
    struct value_list_builder secrets; /* {namespace, name, type, keys}; never a value */
    /* {release, namespace, chart, chartVersion, appVersion, revision, status, objects}; what is unknown is left out */
    struct value_list_builder helm_releases;
    struct bundle live;        /* what the items are about, as it was read; of transform_part that part */
    const struct scene *scene; /* what the rules knew */
};

/* ---- part after part ---- */

struct transform;

/* Gathers what rules must know of the whole; `live` must outlive it. `told`: the log gets its entries, a dozen for each
 * object. transform_verify and transform_explanation want them. */
bool transform_open(struct run *run, const struct parts *live, bool told, struct transform **ret_transform,
                    struct err *err) WARN_UNUSED;
/* One part in any order, each once: what is declared of it, and the Secrets that are set aside with their values; both
 * are sorted, and live in `arena` together with the log's entries. Findings go to the run. */
bool transform_part(struct transform *transform, size_t index, struct arena *arena,
                    struct bundle *ret_declared, struct bundle *ret_secrets, struct err *err) WARN_UNUSED;
const struct transform_log *transform_log_of(const struct transform *transform);
/* After the last part: findings about owners, the releases of the log; refuses Secrets without a mode. On failure the
 * run has no finding of the transform. */
bool transform_finish(struct transform *transform, struct err *err) WARN_UNUSED;

/* All of this, onto disk: `dir` as for stash_new. Who wants the entries of each part names a `visit`, which may be NULL.
 * Close `ret_declared` where it succeeded. `ret_log` is without entries. */
typedef bool (*transform_visit_fn)(void *ctx, const struct transform_log *log, struct err *err);
bool transform_declare(struct run *run, const struct parts *live, const char *dir, transform_visit_fn visit,
                       void *ctx, struct declared *ret_declared, struct transform_log *ret_log,
                       struct err *err) WARN_UNUSED;

/* ---- a bundle in memory, whole ---- */

/* Replaces the bundle by what is declared of it, and run->secrets by what was set aside. The log, with its entries, lives
 * in the run's arena. On failure the bundle is untouched. */
bool transform_run(struct run *run, struct bundle *bundle, struct transform_log *ret_log,
                   struct err *err) WARN_UNUSED;
/* The stage: the same without entries, and the report section "transform". */
bool transform_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;

/* {objects, declared, leftOut, rules, secrets, helmReleases}. */
const struct value *transform_section(struct arena *arena, const struct transform_log *log);

/* What the rules did to each resource of that kind and name, in whatever namespace, and why: [{resource, action, path,
 * before, after, rule, why, off}]. `before` and `after` are short texts, and left out where a secret may stand; `off`
 * says how to keep the rule from it. NULL when the log has nothing on it: no rule touched it, or there is no such
 * resource. An empty namespace means any. */
const struct value *transform_explanation(struct arena *arena, const struct transform_log *log,
                                          struct str kind, struct str namespace, struct str name);

/* The table, for manuals and configuration. */
struct transform_rule_info {
    const char *id;      /* "service.addresses" */
    int pitfall;         /* row of the list of what goes wrong; 0 for none */
    const char *applies; /* kinds as "Kind.group", separated by blanks; "*" is every kind */
    const char *what, *why;
};
size_t transform_rule_count(void);
struct transform_rule_info transform_rule_info(const struct transform_rule *rule);
const struct transform_rule *transform_rule_at(size_t index);
/* Its place in the table; of a rule of the user's own, that of the row that runs it. */
size_t transform_rule_index(const struct transform_rule *rule);
const struct transform_rule *transform_rule_find(struct str id); /* NULL when there is none */
/* What would happen without the rule, which therefore cannot be switched off; NULL for a rule that can be. */
const char *transform_rule_guards(const struct transform_rule *rule);
/* The table as Markdown: docs/rules.md is this text. */
void transform_rules_markdown(struct buf *text);
