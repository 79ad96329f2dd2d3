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

static bool runs_users_rules(const struct transform_rule *rule)
{
    return rule->apply == rule_user_objects || rule->apply == rule_user_fields;
}

static void transform_resource(struct subject *subject, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count && !subject->dropped; i++) {
        const struct transform_rule *rule = plan->rules[i];
        size_t before = subject->log->steps;
        if (is_off_for(subject, rule))
            continue;
        subject->rule = rule;
        subject->told = !subject->log->counted || runs_users_rules(rule);
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

bool transform_rule_is_guard(const struct transform_rule *rule)
{
    static const struct str guards[] = {STR_INIT("secrets.set-aside"), STR_INIT("secrets.token-data")};
    return str_in(str_of(rule->id), guards, COUNT_OF(guards));
}

static bool check_rule(struct str id, struct str where, struct err *err)
{
    const struct transform_rule *rule = transform_rule_find(id);
    if (rule != NULL && !transform_rule_is_guard(rule))
        return true;
    if (rule != NULL) {
        err_set(err, ERR_REFUSED, "%.*s%s%s cannot be switched off: Secrets would be written readable",
                STR_ARG(where), where.len ? ": " : "", rule->id);
        return err_next(err, "choose a secrets.mode; a rule under transform.rules can leave Secrets out");
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

static bool check_secrets(const struct config *config, const struct transform_log *log, struct err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < log->set_aside.count; i++)
        count += secrets_is_refused(config, &log->set_aside.items[i]);
    if (count == 0)
        return true;
    err_set(err, ERR_REFUSED, "%zu Secret%s would have to be written, and no way to keep %s safe was chosen",
            count, count == 1 ? "" : "s", count == 1 ? "it" : "them");
    return err_next(err,
                    "choose one: --secrets omit leaves Secrets out and lists them; sops, sealed and external "
                    "want settings under secrets: (gitops-pipe help configuration)");
}

static void collect(struct run *run, const struct scene *scene, struct bundle *declared,
                    struct transform_log *log)
{
    struct plan plan = {0};
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    for (size_t i = 0; i < scene->live->count; i++) {
        const struct resource *live = &scene->live->items[i];
        struct subject subject = {
            .arena = run->arena, .scratch = scratch, .run = run, .scene = scene, .log = log, .live = live};
        arena_reset(scratch);
        subject.object = live->object;
        subject.from_cluster = is_from_cluster(live->object);
        managed_read(&subject.managed, scratch, live->object);
        plan_for(&plan, run->config, live);
        transform_resource(&subject, &plan);
        if (subject.dropped)
            continue;
        struct resource kept = *live;
        kept.object = subject.object;
        struct str api_version = value_str(value_key(kept.object, "apiVersion"));
        if (!str_eq(api_version, value_str(value_key(live->object, "apiVersion"))))
            kept.api_version = api_version; /* a rule wrote it in another version */
        bundle_add(declared, &kept);
    }
}

static bool run_rules(struct run *run, struct bundle *bundle, bool counted, struct transform_log *ret_log,
                      struct err *err)
{
    if (!check_settings(run->config, err))
        return false;

    bundle_sort(bundle);
    struct scene scene;
    scene_init(&scene, run->arena, bundle);
    scene_gather_settings(&scene, run);
    struct transform_log log = {.applications = ARENA_ARRAY(run->arena, size_t, COUNT_OF(RULES)),
                                .counted = counted};
    bundle_init(&log.set_aside, run->arena);
    struct bundle declared = *bundle;
    declared.items = NULL;
    declared.count = declared.cap = 0;
    size_t findings = run->findings.count;
    collect(run, &scene, &declared, &log);

    if (!check_secrets(run->config, &log, err)) {
        run->findings.count = findings;
        return false;
    }
    struct parts parts;
    struct leaks *leaks;
    parts_of_bundle(run->arena, bundle, &parts);
    if (!leaks_open(run, &parts, &leaks, err))
        return false;
    leaks_look(leaks, bundle, &declared, &log.set_aside);
    ownership_report(run, &scene, &declared, &log);
    log.objects = bundle->count;
    log.declared = declared.count;
    log.live = *bundle;
    *bundle = declared;
    run->secrets = log.set_aside;
    *ret_log = log;
    return true;
}

bool transform_run(struct run *run, struct bundle *bundle, struct transform_log *ret_log, struct err *err)
{
    return run_rules(run, bundle, false, ret_log, err);
}

bool transform_counted(struct run *run, struct bundle *bundle, struct transform_log *ret_log, struct err *err)
{
    return run_rules(run, bundle, true, ret_log, err);
}

bool transform_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    struct transform_log log;
    if (!transform_counted(run, bundle, &log, err))
        return false;
    run_section(run, "transform", transform_section(run->arena, &log));
    return true;
}
