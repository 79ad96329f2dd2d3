/* Whose the objects were: one line of the report for each release of Helm and for each owner of a GitOps engine. It looks
 * at the bundle as it was read and at what is left of it, not at single rules, so it holds for however they ran. */
#include <stdlib.h>

#include "core/kube/helm.h"
#include "transform/rule.h"

enum engine { ENGINE_ARGOCD, ENGINE_KUSTOMIZATION, ENGINE_HELM_RELEASE, ENGINE_HELM };

static const struct {
    const char *api_version, *kind, *rule;
} engines[] = {
    [ENGINE_ARGOCD] = {"argoproj.io/v1alpha1", "Application", "gitops.argocd"},
    [ENGINE_KUSTOMIZATION] = {"kustomize.toolkit.fluxcd.io/v1", "Kustomization", "gitops.flux"},
    [ENGINE_HELM_RELEASE] = {"helm.toolkit.fluxcd.io/v2", "HelmRelease", "gitops.flux"},
    [ENGINE_HELM] = {"helm.sh/v1", "Release", "helm.marks"},
};

struct owner {
    enum engine engine;
    struct owner_name name;
    size_t objects;                /* that are declared */
    const struct resource *record; /* Helm's newest; gone with its part once the chart is read */
    bool has_record;
    struct helm_release release;
};

struct gathering {
    struct arena *arena;
    const struct scene *scene;
    const struct bundle *declared;
    struct owners owners; /* of this part */
};

static struct str text_of(const struct resource *live, const char *map, const char *key)
{
    return value_str_in(live->object, PATH("metadata", map, key));
}

static void note(struct gathering *g, enum engine engine, struct str namespace, struct str name)
{
    if (name.len != 0)
        *ARENA_PUSH(g->arena, &g->owners) =
            (struct owner){.engine = engine, .name = {namespace, name}, .objects = 1};
}

static bool is_declared(const struct gathering *g, const struct resource *live)
{
    return bundle_find(g->declared, resource_group(live), live->kind, live->namespace, live->name) != NULL;
}

static void note_marks(struct gathering *g, const struct resource *live)
{
    struct owner_name application;
    bool argocd = argocd_owner(g->scene, live, &application);
    struct str kustomization = text_of(live, "labels", "kustomize.toolkit.fluxcd.io/name");
    struct str flux_release = text_of(live, "labels", "helm.toolkit.fluxcd.io/name");
    struct str release = text_of(live, "annotations", "meta.helm.sh/release-name");
    if ((!argocd && kustomization.len == 0 && flux_release.len == 0 && release.len == 0) ||
        !is_declared(g, live))
        return;
    if (argocd)
        note(g, ENGINE_ARGOCD, application.namespace, application.name);
    note(g, ENGINE_KUSTOMIZATION, text_of(live, "labels", "kustomize.toolkit.fluxcd.io/namespace"),
         kustomization);
    note(g, ENGINE_HELM_RELEASE, text_of(live, "labels", "helm.toolkit.fluxcd.io/namespace"), flux_release);
    note(g, ENGINE_HELM, text_of(live, "annotations", "meta.helm.sh/release-namespace"), release);
}

static void note_record(struct gathering *g, const struct resource *live)
{
    struct owner owner = {.engine = ENGINE_HELM, .record = live, .has_record = true};
    if (!helm_release_of(live, &owner.release))
        return;
    owner.name = (struct owner_name){owner.release.namespace, owner.release.name};
    *ARENA_PUSH(g->arena, &g->owners) = owner;
}

static int owner_cmp(const void *a, const void *b)
{
    const struct owner *left = a, *right = b;
    int order = (int)left->engine - (int)right->engine;
    order = order ? order : str_cmp(left->name.namespace, right->name.namespace);
    return order ? order : str_cmp(left->name.name, right->name.name);
}

/* Those of one name become one. */
static void merge(struct owners *owners)
{
    size_t kept = 0;
    if (owners->count != 0)
        qsort(owners->items, owners->count, sizeof *owners->items, owner_cmp);
    for (size_t i = 0; i < owners->count; i++) {
        struct owner *from = &owners->items[i];
        struct owner *last = kept ? &owners->items[kept - 1] : NULL;
        if (last == NULL || owner_cmp(last, from) != 0) {
            owners->items[kept++] = *from;
            continue;
        }
        last->objects += from->objects;
        if (from->has_record && (!last->has_record || from->release.revision > last->release.revision)) {
            last->has_record = true;
            last->record = from->record;
            last->release = from->release;
        }
    }
    owners->count = kept;
}

static void push(struct run *run, const struct owner *owner, enum severity severity, const char *check,
                 struct str message, const char *fix)
{
    *ARENA_PUSH(run->arena, &run->findings) = (struct finding){
        .check = str_of(check),
        .severity = severity,
        .api_version = str_of(engines[owner->engine].api_version),
        .kind = str_of(engines[owner->engine].kind),
        .namespace = owner->name.namespace,
        .name = owner->name.name,
        .message = message,
        .fix = str_of(fix),
    };
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void report_engine(struct run *run, const struct scene *scene, const struct owner *owner)
{
    bool argocd = owner->engine == ENGINE_ARGOCD, one = owner->objects == 1;
    bool kept = argocd && scene->tracking.by_label &&
                label_uses_has(&scene->selected, scene->tracking.label, owner->name.name);
    struct str label = scene->tracking.label;
    push(run, owner, SEVERITY_WARNING, "transform.gitops-owner",
         str_fmt(run->arena, "owned %zu object%s; its marks on %s are left out%s%.*s%s", owner->objects,
                 plural(owner->objects), one ? "it" : "them", kept ? ", but for the label " : "",
                 STR_ARG(kept ? label : STR_NONE), kept ? ", which selectors use" : ""),
         argocd ? kept ? "set application.resourceTrackingMethod: annotation in argocd-cm, then delete the "
                         "Application without its cascade before the new one takes over"
                       : "delete the Application without its cascade before the new one takes over"
                : "suspend it and set prune: false before the new one takes over");
}

static struct str chart_text(struct arena *arena, const struct helm_release *release)
{
    if (release->chart.len == 0)
        return STR("unknown");
    bool app = release->app_version.len != 0;
    return str_fmt(arena, "%.*s %.*s%s%.*s%s", STR_ARG(release->chart), STR_ARG(release->chart_version),
                   app ? " (app " : "", STR_ARG(release->app_version), app ? ")" : "");
}

static void report_release(struct run *run, const struct owner *owner)
{
    const struct helm_release *release = &owner->release;
    struct arena *arena = run->arena;
    struct str revision = STR(", without a release record");
    if (owner->has_record)
        revision = str_fmt(arena, ", revision %llu%s%.*s", (unsigned long long)release->revision,
                           release->status.len ? ", " : "", STR_ARG(release->status));
    push(run, owner, SEVERITY_INFO, "transform.helm-release",
         str_fmt(arena, "Helm release, chart %.*s%.*s: %zu object%s declared",
                 STR_ARG(chart_text(arena, release)), STR_ARG(revision), owner->objects,
                 plural(owner->objects)),
         run->config->helm_marks == HELM_STRIP
             ? "Helm knows these objects no more; uninstall nothing, the release record stays behind"
             : "let either Helm or this repository deploy it; --helm strip takes Helm's marks out");
}

static const struct value *release_value(struct arena *arena, const struct owner *owner)
{
    const struct helm_release *r = &owner->release;
    return VALUE_MAP(arena, {"release", value_string(arena, owner->name.name)},
                     {"namespace", value_string(arena, owner->name.namespace)},
                     {"chart", r->chart.len ? value_string(arena, r->chart) : NULL},
                     {"chartVersion", r->chart_version.len ? value_string(arena, r->chart_version) : NULL},
                     {"appVersion", r->app_version.len ? value_string(arena, r->app_version) : NULL},
                     {"revision", owner->has_record ? value_int(arena, (int64_t)r->revision) : NULL},
                     {"status", r->status.len ? value_string(arena, r->status) : NULL},
                     {"objects", value_int(arena, (int64_t)owner->objects)});
}

static bool is_off(const struct run *run, const char *rule)
{
    const struct str_list *off = &run->config->disabled_rules;
    return str_in(str_of(rule), off->items, off->count);
}

/* What outlives the part: the texts, and of Helm's records the chart of the newest. */
static void keep(struct arena *arena, struct owner *owner)
{
    struct helm_release *release = &owner->release;
    owner->name.namespace = str_dup(arena, owner->name.namespace);
    owner->name.name = str_dup(arena, owner->name.name);
    if (owner->record != NULL)
        helm_read_chart(arena, owner->record, release);
    owner->record = NULL;
    release->namespace = owner->name.namespace;
    release->name = owner->name.name;
    release->status = str_dup(arena, release->status);
}

void ownership_note(struct arena *arena, const struct scene *scene, const struct bundle *live,
                    const struct bundle *declared, struct owners *owners)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct gathering g = {scratch, scene, declared, {0}};
    for (size_t i = 0; i < live->count; i++) {
        note_record(&g, &live->items[i]);
        note_marks(&g, &live->items[i]);
    }
    merge(&g.owners);
    for (size_t i = 0; i < g.owners.count; i++) {
        keep(arena, &g.owners.items[i]);
        *ARENA_PUSH(arena, owners) = g.owners.items[i];
    }
}

void ownership_report(struct run *run, const struct scene *scene, struct owners *owners,
                      struct transform_log *log)
{
    merge(owners);
    for (size_t i = 0; i < owners->count; i++) {
        struct owner *owner = &owners->items[i];
        if (owner->engine != ENGINE_HELM) {
            if (!is_off(run, engines[owner->engine].rule))
                report_engine(run, scene, owner);
            continue;
        }
        report_release(run, owner);
        value_push(run->arena, &log->helm_releases, release_value(run->arena, owner));
    }
}
