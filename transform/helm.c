/* The marks that Helm and its charts leave on objects. */
#include "transform/rule.h"

const struct str helm_labels[HELM_LABELS] = {
    STR_INIT("helm.sh/chart"),
    STR_INIT("app.kubernetes.io/managed-by"),
    STR_INIT("chart"),
    STR_INIT("heritage"),
};

static bool is_helm_annotation(struct str key, struct str text)
{
    return str_starts(key, STR("meta.helm.sh/"));
}

/* Labels of this name are everybody's; only these values are Helm's. */
static bool is_helms(struct str label, struct str value, bool charted)
{
    if (str_is(label, "app.kubernetes.io/managed-by"))
        return str_is(value, "Helm");
    if (str_is(label, "heritage"))
        return str_is(value, "Helm") || str_is(value, "Tiller");
    return str_is(label, "helm.sh/chart") || charted;
}

static void strip_labels(struct subject *subject, const char *const *path)
{
    const struct value *labels = value_in(subject->object, path);
    const char *key_path[8] = {NULL};
    size_t depth = 0;
    for (; path[depth] != NULL; depth++)
        key_path[depth] = path[depth];
    bool charted = value_key(labels, "heritage") != NULL;
    for (size_t i = 0; i < HELM_LABELS; i++) {
        const struct value *value = value_get(labels, helm_labels[i]);
        if (value == NULL || !is_helms(helm_labels[i], value_str(value), charted) ||
            label_uses_has(&subject->scene->selected, helm_labels[i], value_str(value)))
            continue;
        key_path[depth] = helm_labels[i].ptr;
        subject_remove_tidy(subject, key_path);
    }
}

void rule_helm_marks(struct subject *subject)
{
    if (subject->run->config->helm_marks != HELM_STRIP)
        return;
    subject_remove_keys(subject, PATH("metadata", "annotations"), is_helm_annotation);
    strip_labels(subject, PATH("metadata", "labels"));
    strip_labels(subject, PATH("spec", "template", "metadata", "labels"));
    strip_labels(subject, PATH("spec", "jobTemplate", "metadata", "labels"));
    strip_labels(subject, PATH("spec", "jobTemplate", "spec", "template", "metadata", "labels"));
}
