/* Marks by which a GitOps engine knows what it owns. */
#include <stdlib.h>

#include "transform/rule.h"

#define TRACKING_ID     "argocd.argoproj.io/tracking-id"
#define INSTANCE        "argocd.argoproj.io/instance"
#define LEGACY_INSTANCE "applications.argoproj.io/app-name"

static bool is_argocd_annotation(struct str key, struct str text)
{
    return str_is(key, TRACKING_ID) || str_is(key, "argocd.argoproj.io/installation-id");
}

static bool is_argocd_label(struct str key, struct str text)
{
    return str_is(key, INSTANCE);
}

/* The image's tag says which Argo CD it is: "quay.io/argoproj/argocd:v2.13.1". */
static bool tracks_by_label_by_default(const struct resource *controller)
{
    const struct value *pod = value_in(controller->object, PATH("spec", "template", "spec"));
    struct str image = value_str(value_key(value_item(value_key(pod, "containers"), 0), "image"));
    struct str tag = str_from(image, str_rfind(image, ':') + 1);
    return str_starts(tag, STR("v2.")) || str_starts(tag, STR("v1."));
}

struct gathering {
    struct arena *arena;
    struct tracking *tracking;
    bool found, old; /* argocd-cm; an Argo CD that tracks by label where nobody says how */
    bool by_default;
};

static bool read_settings(void *ctx, const struct resource *map, struct err *err)
{
    struct gathering *g = ctx;
    const struct value *data = value_key(map->object, "data");
    struct str method = value_str(value_key(data, "application.resourceTrackingMethod"));
    struct str key = value_str(value_key(data, "application.instanceLabelKey"));
    if (g->found)
        return true;
    g->found = true;
    g->by_default = method.len == 0;
    g->tracking->namespace = str_dup(g->arena, map->namespace);
    g->tracking->by_label = str_starts(method, STR("label"));
    g->tracking->label = key.len ? str_dup(g->arena, key) : STR("app.kubernetes.io/instance");
    return true;
}

static bool read_controller(void *ctx, const struct resource *controller, struct err *err)
{
    struct gathering *g = ctx;
    if (str_eq(controller->namespace, g->tracking->namespace))
        g->old = g->old || tracks_by_label_by_default(controller);
    return true;
}

static bool read_application(void *ctx, const struct resource *application, struct err *err)
{
    struct gathering *g = ctx;
    *ARENA_PUSH(g->arena, &g->tracking->applications) =
        (struct owner_name){str_dup(g->arena, application->namespace), str_dup(g->arena, application->name)};
    return true;
}

static int name_order(const void *a, const void *b)
{
    const struct owner_name *left = a, *right = b;
    int order = str_cmp(left->namespace, right->namespace);
    return order ? order : str_cmp(left->name, right->name);
}

bool tracking_gather(struct arena *arena, const struct parts *live, struct tracking *tracking,
                     struct err *err)
{
    static const char *const kinds[] = {"StatefulSet", "Deployment"};
    struct gathering g = {.arena = arena, .tracking = tracking};
    if (!parts_each_named(live, "", "ConfigMap", "argocd-cm", read_settings, &g, err))
        return false;
    for (size_t i = 0; i < COUNT_OF(kinds) && g.by_default; i++)
        if (!parts_each_named(live, "apps", kinds[i], "argocd-application-controller", read_controller, &g,
                              err))
            return false;
    tracking->by_label = tracking->by_label || g.old;
    if (tracking->by_label && !parts_each(live, "argoproj.io", "Application", read_application, &g, err))
        return false;
    if (tracking->applications.count > 1)
        qsort(tracking->applications.items, tracking->applications.count,
              sizeof *tracking->applications.items, name_order);
    return true;
}

/* "web", or "team-a_web" for an Application outside Argo CD's own namespace: no name holds an underscore. */
static struct owner_name application_named(const struct scene *scene, struct str text)
{
    size_t cut = str_find(text, '_');
    if (cut == text.len)
        return (struct owner_name){scene->tracking.namespace, text};
    return (struct owner_name){str_slice(text, 0, cut), str_from(text, cut + 1)};
}

static bool has_application(const struct scene *scene, struct str text)
{
    struct owner_name name = application_named(scene, text);
    return text.len != 0 && scene->tracking.applications.count != 0 &&
           bsearch(&name, scene->tracking.applications.items, scene->tracking.applications.count, sizeof name,
                   name_order) != NULL;
}

static struct str text_of(const struct resource *live, const char *map, const char *key)
{
    return value_str_in(live->object, PATH("metadata", map, key));
}

/* The value of the label by which the old Argo CD tracks the object; empty when it does not. */
static struct str tracking_label(const struct scene *scene, const struct resource *live)
{
    const struct tracking *tracking = &scene->tracking;
    if (!tracking->by_label)
        return STR_NONE;
    const struct value *labels = value_in(live->object, PATH("metadata", "labels"));
    struct str value = value_str(value_get(labels, tracking->label));
    return has_application(scene, value) ? value : STR_NONE;
}

bool argocd_owner(const struct scene *scene, const struct resource *live, struct owner_name *ret_owner)
{
    struct str tracked = text_of(live, "annotations", TRACKING_ID);
    struct str application = str_cut(&tracked, ':');
    if (application.len == 0)
        application = text_of(live, "labels", INSTANCE);
    if (application.len == 0)
        application = tracking_label(scene, live);
    *ret_owner = application_named(scene, application);
    return application.len != 0;
}

/* What selects by the label would not find its objects any more. */
static bool is_selected(const struct subject *subject, struct str label, struct str value)
{
    return label_uses_has(&subject->scene->selected, label, value);
}

void rule_argocd(struct subject *subject)
{
    struct str tracked = tracking_label(subject->scene, subject->live);
    struct str label = subject->scene->tracking.label;
    subject_remove_keys(subject, PATH("metadata", "annotations"), is_argocd_annotation);
    subject_remove_keys(subject, PATH("metadata", "labels"), is_argocd_label);
    if (tracked.len != 0 && !is_selected(subject, label, tracked))
        subject_remove_tidy(subject, PATH("metadata", "labels", str_c(subject->arena, label)));
}

static bool is_flux_label(struct str key, struct str text)
{
    static const struct str labels[] = {
        STR_INIT("kustomize.toolkit.fluxcd.io/name"),
        STR_INIT("kustomize.toolkit.fluxcd.io/namespace"),
        STR_INIT("helm.toolkit.fluxcd.io/name"),
        STR_INIT("helm.toolkit.fluxcd.io/namespace"),
    };
    return str_in(key, labels, COUNT_OF(labels));
}

static bool is_flux_annotation(struct str key, struct str text)
{
    return str_is(key, "kustomize.toolkit.fluxcd.io/checksum") ||
           str_is(key, "reconcile.fluxcd.io/requestedAt");
}

void rule_flux(struct subject *subject)
{
    subject_remove_keys(subject, PATH("metadata", "labels"), is_flux_label);
    subject_remove_keys(subject, PATH("metadata", "annotations"), is_flux_annotation);
}
