/* transform.h — from live objects to declared ones: what somebody meant, without what the cluster added.
 *
 * A live object mixes three hands: its author's, the API server's (defaults, allocated addresses, bookkeeping) and
 * the controllers' (status, children, bound volumes). The stage keeps the first. It runs the rules of rules.def, in
 * their order, over every resource: a rule leaves a resource out, removes or changes a field, or adds a finding. What
 * each did is in the log, so that every difference between cluster and repository has a rule that explains it.
 * Rules look at other resources only as they were read, so the result depends on the bundle and on nothing else: not
 * on its order, and a declared bundle transformed again stays as it is.
 * Secrets leave the bundle for run->secrets: what is written of them is core/secrets' business.
 * The bundle is changed in place: new immutable trees, resources that were left out gone. On failure it is untouched.
 * Rules of the user's own (transform.rules) run between them and are logged like them, as "user.NAME".
 * Fails with REFUSED (Secrets, and the configuration says refuse) and USAGE (a mode or rule that does not exist).
 */
#pragma once
#include "core/run.h"

struct transform_rule;

enum transform_action { TRANSFORM_DROPPED, TRANSFORM_REMOVED, TRANSFORM_CHANGED };

/* One thing one rule did. `pointer` is empty where the whole resource was meant. */
struct transform_entry {
    const struct transform_rule *rule;
    const struct resource *resource; /* as it was read */
    enum transform_action action;
    struct str pointer; /* JSON pointer into the object as the rule found it, its own earlier entries done */
    const struct value *value; /* what stands there after a change; else NULL */
};

/* What a run of the stage did, in the order of resources and, for each, of rules. */
struct transform_log {
    struct transform_entry *items;
    size_t count, cap;
    size_t steps; /* things done, whether they are among the items or not */
    bool counted; /* transform_counted made it: the items are those of the user's own rules */
    size_t objects, declared;
    struct bundle live;                /* as it was read, sorted */
    size_t *applications;              /* per rule, in the order of the table */
    struct value_list_builder secrets; /* {namespace, name, type, keys}; never a value */
    struct bundle set_aside;           /* the same Secrets themselves; become run->secrets */
    /* {release, namespace, chart, chartVersion, appVersion, revision, status, objects}; what is unknown is left out */
    struct value_list_builder helm_releases;
};

/* The stage: transform_run, and the report section "transform" {objects, declared, leftOut, rules, secrets,
 * helmReleases}. */
bool transform_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;
/* The same with a log for the caller; adds no section. The log lives in the run's arena. */
bool transform_run(struct run *run, struct bundle *bundle, struct transform_log *ret_log,
                   struct err *err) WARN_UNUSED;
/* The same where nobody asks what was done to each object: of the entries, a dozen for each, only those of the user's own
 * rules are kept, which the section counts. Not for transform_verify, nor for transform_explanation. */
bool transform_counted(struct run *run, struct bundle *bundle, struct transform_log *ret_log,
                       struct err *err) WARN_UNUSED;
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
/* Without the rule a Secret would be written readable, so it cannot be switched off. */
bool transform_rule_is_guard(const struct transform_rule *rule);
/* The table as Markdown: docs/rules.md is this text. */
void transform_rules_markdown(struct buf *text);
