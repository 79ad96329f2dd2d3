#include "transform/transform.h"

#include "core/config/config.h"
#include "core/secrets/select.h"
#include "transform/leaks.h"
#include "transform/rule.h"

static const struct transform_rule RULES[] = {
#define RULE(id, pitfall, applies, apply, what, why) {id, pitfall, applies, apply, what, why},
#include "transform/rules.def"
#undef RULE
};

size_t transform_rule_count(void)
{
    return COUNT_OF(RULES);
}

const struct transform_rule *transform_rule_at(size_t index)
{
    return index < COUNT_OF(RULES) ? &RULES[index] : NULL;
}

size_t transform_rule_index(const struct transform_rule *rule)
{
    for (size_t i = 0; i < COUNT_OF(RULES); i++)
        if (rule->apply == RULES[i].apply)
            return i;
    return COUNT_OF(RULES);
}

const struct transform_rule *transform_rule_find(struct str id)
{
    for (size_t i = 0; i < COUNT_OF(RULES); i++)
        if (str_is(id, RULES[i].id))
            return &RULES[i];
    return NULL;
}

struct transform_rule_info transform_rule_info(const struct transform_rule *rule)
{
    return (struct transform_rule_info){rule->id, rule->pitfall, rule->applies, rule->what, rule->why};
}

/* "Kind.group": the group of the core API is empty and so is its dot. */
static bool names_type(struct str word, struct str group, struct str kind)
{
    struct str rest = word, word_kind = str_cut(&rest, '.');
    return str_eq(word_kind, kind) && str_eq(rest, group);
}

static bool applies_to(const struct transform_rule *rule, struct str group, struct str kind)
{
    struct str words = str_of(rule->applies);
    if (str_is(words, "*"))
        return true;
    while (words.len > 0)
        if (names_type(str_cut(&words, ' '), group, kind))
            return true;
    return false;
}

/* The rules that run for one type. Resources of a type stand together, so one plan at a time is enough. */
struct plan {
    struct str group, kind;
    const struct transform_rule *rules[COUNT_OF(RULES)];
    size_t count;
    bool made;
};

static bool is_disabled(const struct config *config, const struct transform_rule *rule)
{
    return str_in(str_of(rule->id), config->disabled_rules.items, config->disabled_rules.count);
}

static void plan_for(struct plan *plan, const struct config *config, const struct resource *resource)
{
    struct str group = resource_group(resource);
    if (plan->made && str_eq(plan->group, group) && str_eq(plan->kind, resource->kind))
        return;
    *plan = (struct plan){.group = group, .kind = resource->kind, .made = true};
    for (size_t i = 0; i < COUNT_OF(RULES); i++)
        if (applies_to(&RULES[i], group, resource->kind) && !is_disabled(config, &RULES[i]))
            plan->rules[plan->count++] = &RULES[i];
}

/* What the API server stamps on everything it stores, and nobody writes. */
static bool is_from_cluster(const struct value *object)
{
    const struct value *metadata = value_key(object, "metadata");
    return value_key(metadata, "uid") || value_key(metadata, "resourceVersion") ||
           value_is(value_key(metadata, "creationTimestamp"), VALUE_STRING) ||
           value_key(metadata, "managedFields");
}

/* transform.disable with a match. */
static bool is_off_for(const struct subject *subject, const struct transform_rule *rule)
{
    const struct config_offs *offs = &subject->run->config->scoped_off;
    for (size_t i = 0; i < offs->count; i++)
        if (str_is(offs->items[i].rule, rule->id) &&
            match_takes(&offs->items[i].match, subject->scene, subject->live))
            return true;
    return false;
}

static void transform_resource(struct subject *subject, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count && !subject->dropped; i++) {
        const struct transform_rule *rule = plan->rules[i];
        size_t before = subject->log->steps;
        if (is_off_for(subject, rule))
            continue;
        subject->rule = rule;
        rule->apply(subject);
        if (subject->log->steps > before)
            subject->log->applications[rule - RULES]++;
    }
}

static struct str nearest_rule(struct str wrong)
{
    struct str best = STR_NONE;
    unsigned best_distance = 6;
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        unsigned distance = str_distance(str_of(RULES[i].id), wrong);
        if (distance < best_distance) {
            best = str_of(RULES[i].id);
            best_distance = distance;
        }
    }
    return best;
}

const char *transform_rule_guards(const struct transform_rule *rule)
{
    static const struct {
        const char *rule, *against;
    } guards[] = {
        {"secrets.set-aside", "Secrets would be written readable"},
        {"secrets.token-data", "Secrets would be written readable"},
        {"system.impossible-namespace", "objects would lie in folders of others"},
    };
    for (size_t i = 0; i < COUNT_OF(guards); i++)
        if (str_is(str_of(guards[i].rule), rule->id))
            return guards[i].against;
    return NULL;
}

static bool check_rule(struct str id, struct str where, struct err *err)
{
    const struct transform_rule *rule = transform_rule_find(id);
    const char *guards = rule ? transform_rule_guards(rule) : NULL;
    if (rule != NULL && guards == NULL)
        return true;
    if (rule != NULL) {
        err_set(err, ERR_REFUSED, "%.*s%s%s cannot be switched off: %s", STR_ARG(where),
                where.len ? ": " : "", rule->id, guards);
        return err_next(err,
                        "a rule under transform.rules can leave such objects out; secrets.mode says what "
                        "becomes of Secrets");
    }
    struct str near = nearest_rule(id);
    err_set(err, ERR_USAGE, "%.*s%sno transform rule is called \"%.*s\"%s%.*s%s", STR_ARG(where),
            where.len ? ": " : "", STR_ARG(id), near.len ? "; did you mean \"" : "", STR_ARG(near),
            near.len ? "\"?" : "");
    return err_next(err, "docs/rules.md lists the rules; correct or remove the id");
}

static bool check_settings(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->disabled_rules.count; i++) {
        bool known = i < config->disabled_where.count;
        if (!check_rule(config->disabled_rules.items[i], known ? config->disabled_where.items[i] : STR_NONE,
                        err))
            return false;
    }
    for (size_t i = 0; i < config->scoped_off.count; i++)
        if (!check_rule(config->scoped_off.items[i].rule, config->scoped_off.items[i].where, err))
            return false;
    return true;
}

/* ---- part after part ---- */

struct transform {
    struct run *run;
    const struct parts *parts;
    struct scene scene;
    struct plan plan;
    struct arena *scratch; /* of one object */
    struct leaks *leaks;
    struct owners owners;
    struct transform_log log;
    size_t first_finding;
    size_t refused; /* Secrets for which no mode was chosen */
};

bool transform_open(struct run *run, const struct parts *live, bool told, struct transform **ret_transform,
                    struct err *err)
{
    struct transform *t = ARENA_NEW(run->arena, struct transform);
    *t = (struct transform){.run = run, .parts = live, .first_finding = run->findings.count};
    t->log = (struct transform_log){.told = told, .scene = &t->scene};
    t->log.applications = ARENA_ARRAY(run->arena, size_t, COUNT_OF(RULES));
    t->log.user_applications = ARENA_ARRAY(run->arena, size_t, run->config->rules.count + 1);
    if (!check_settings(run->config, err) || !scene_gather(&t->scene, run, live, err) ||
        !leaks_open(run, live, &t->leaks, err))
        return false;
    *ret_transform = t;
    return true;
}

const struct transform_log *transform_log_of(const struct transform *transform)
{
    return &transform->log;
}

static void transform_object(struct transform *t, const struct neighbours *neighbours,
                             const struct resource *live, struct bundle *declared, struct bundle *set_aside)
{
    struct subject subject = {.arena = declared->arena,
                              .scratch = t->scratch,
                              .run = t->run,
                              .scene = &t->scene,
                              .neighbours = neighbours,
                              .set_aside = set_aside,
                              .log = &t->log,
                              .live = live,
                              .object = live->object,
                              .from_cluster = is_from_cluster(live->object),
                              .told = t->log.told};
    managed_read(&subject.managed, t->scratch, live->object);
    plan_for(&t->plan, t->run->config, live);
    transform_resource(&subject, &t->plan);
    if (subject.dropped)
        return;
    struct resource kept = *live;
    kept.object = subject.object;
    struct str api_version = value_str(value_key(kept.object, "apiVersion"));
    if (!str_eq(api_version, value_str(value_key(live->object, "apiVersion"))))
        kept.api_version = api_version; /* a rule wrote it in another version */
    bundle_add(declared, &kept);
}

static void count_part(struct transform *t, const struct bundle *live, const struct bundle *declared,
                       const struct bundle *set_aside)
{
    t->log.objects += live->count;
    t->log.declared += declared->count;
    for (size_t i = 0; i < set_aside->count; i++)
        t->refused += secrets_is_refused(t->run->config, &set_aside->items[i]);
}

bool transform_part(struct transform *t, size_t index, struct arena *arena, struct bundle *ret_declared,
                    struct bundle *ret_secrets, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct neighbours neighbours;
    struct bundle live, declared, set_aside;
    if (!parts_take(t->parts, index, arena, &live, err))
        return false;
    neighbours_gather(&neighbours, arena, &live);
    declared = live;
    declared.arena = arena;
    declared.items = NULL;
    declared.count = declared.cap = 0;
    bundle_init(&set_aside, arena);
    t->plan = (struct plan){0}; /* it knows its kind by names of the part before */
    t->scratch = scratch;
    t->log.live = live;
    t->log.items = NULL;
    t->log.count = t->log.cap = 0;
    for (size_t i = 0; i < live.count; i++, arena_reset(scratch))
        transform_object(t, &neighbours, &live.items[i], &declared, &set_aside);
    leaks_look(t->leaks, &live, &declared, &set_aside);
    ownership_note(t->run->arena, &t->scene, &live, &declared, &t->owners);
    count_part(t, &live, &declared, &set_aside);
    *ret_declared = declared;
    *ret_secrets = set_aside;
    return true;
}

static bool check_secrets(const struct transform *t, struct err *err)
{
    if (t->refused == 0)
        return true;
    err_set(err, ERR_REFUSED, "%zu Secret%s would have to be written, and no way to keep %s safe was chosen",
            t->refused, t->refused == 1 ? "" : "s", t->refused == 1 ? "it" : "them");
    return err_next(err,
                    "choose one: --secrets omit leaves Secrets out and lists them; sops, sealed and external "
                    "want settings under secrets: (gitops-pipe help configuration)");
}

bool transform_finish(struct transform *t, struct err *err)
{
    if (!check_secrets(t, err)) {
        t->run->findings.count = t->first_finding;
        return false;
    }
    ownership_report(t->run, &t->scene, &t->owners, &t->log);
    return true;
}

/* Where the parts go. */
struct declaring {
    struct transform *transform;
    struct declared declared;
    transform_visit_fn visit;
    void *ctx;
};

static bool declare_part(struct declaring *d, size_t index, struct arena *arena, struct err *err)
{
    struct bundle objects, secrets;
    return transform_part(d->transform, index, arena, &objects, &secrets, err) &&
           declared_add(&d->declared, &objects, &secrets, err) &&
           (d->visit == NULL || d->visit(d->ctx, &d->transform->log, err));
}

static bool declare_all(struct declaring *d, const struct parts *live, struct err *err)
{
    struct run *run = d->transform->run;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new(); /* of one part */
    for (size_t i = 0; i < live->count; i++, arena_reset(arena)) {
        progress_step(run->progress, "transforming", i, live->count, "namespaces", live->items[i].namespace);
        if (!declare_part(d, i, arena, err))
            return false;
    }
    progress_step(run->progress, "transforming", live->count, live->count, "namespaces", STR_NONE);
    return transform_finish(d->transform, err) && declared_finish(&d->declared, err);
}

bool transform_declare(struct run *run, const struct parts *live, const char *dir, transform_visit_fn visit,
                       void *ctx, struct declared *ret_declared, struct transform_log *ret_log,
                       struct err *err)
{
    struct declaring d = {.visit = visit, .ctx = ctx};
    if (!transform_open(run, live, visit != NULL, &d.transform, err) ||
        !declared_open(run->arena, dir, live, &d.declared, err))
        return false;
    if (!declare_all(&d, live, err)) {
        declared_close(&d.declared);
        return false;
    }
    *ret_log = d.transform->log;
    ret_log->items = NULL;
    ret_log->count = ret_log->cap = 0;
    *ret_declared = d.declared;
    return true;
}

/* ---- a bundle, whole ---- */

struct whole {
    struct bundle declared, secrets;
    struct transform_log entries; /* of all parts */
};

static void append(struct whole *whole, struct arena *arena, const struct transform_log *log,
                   const struct bundle *declared, const struct bundle *secrets)
{
    for (size_t i = 0; i < declared->count; i++)
        bundle_add(&whole->declared, &declared->items[i]);
    for (size_t i = 0; i < secrets->count; i++)
        bundle_add(&whole->secrets, &secrets->items[i]);
    for (size_t i = 0; i < log->count; i++)
        *ARENA_PUSH(arena, &whole->entries) = log->items[i];
}

static bool run_whole(struct run *run, const struct parts *parts, bool told, struct whole *whole,
                      struct err *err)
{
    struct transform *t;
    struct bundle declared, secrets;
    if (!transform_open(run, parts, told, &t, err))
        return false;
    for (size_t i = 0; i < parts->count; i++) {
        if (!transform_part(t, i, run->arena, &declared, &secrets, err))
            return false;
        append(whole, run->arena, &t->log, &declared, &secrets);
    }
    if (!transform_finish(t, err))
        return false;
    struct transform_log log = t->log;
    log.items = whole->entries.items;
    log.count = log.cap = whole->entries.count;
    log.live = *parts->bundle;
    whole->entries = log;
    return true;
}

static bool run_rules(struct run *run, struct bundle *bundle, bool told, struct transform_log *ret_log,
                      struct err *err)
{
    struct parts parts;
    struct whole whole = {.declared = *bundle};
    struct bundle *live = ARENA_NEW(run->arena, struct bundle);
    bundle_sort(bundle);
    *live = *bundle;
    whole.declared.items = NULL;
    whole.declared.count = whole.declared.cap = 0;
    bundle_init(&whole.secrets, run->arena);
    parts_of_bundle(run->arena, live, &parts);
    if (!run_whole(run, &parts, told, &whole, err))
        return false;
    *bundle = whole.declared;
    run->secrets = whole.secrets;
    *ret_log = whole.entries;
    return true;
}

bool transform_run(struct run *run, struct bundle *bundle, struct transform_log *ret_log, struct err *err)
{
    return run_rules(run, bundle, true, ret_log, err);
}

bool transform_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    struct transform_log log;
    if (!run_rules(run, bundle, false, &log, err))
        return false;
    run_section(run, "transform", transform_section(run->arena, &log));
    return true;
}
