/* Claims and volumes. */
#include "transform/rule.h"

static bool is_claim_note(struct str key, struct str text)
{
    static const struct str keys[] = {
        STR_INIT("pv.kubernetes.io/bind-completed"),
        STR_INIT("pv.kubernetes.io/bound-by-controller"),
        STR_INIT("pv.kubernetes.io/migrated-to"),
        STR_INIT("volume.kubernetes.io/storage-provisioner"),
        STR_INIT("volume.beta.kubernetes.io/storage-provisioner"),
        STR_INIT("volume.kubernetes.io/selected-node"),
        STR_INIT("volume.alpha.kubernetes.io/node-affinity"),
        STR_INIT("volume.kubernetes.io/storage-resizer"),
    };
    return str_in(key, keys, COUNT_OF(keys));
}

/* A person who names a volume binds statically; the binder writes the same field, so only its author tells. */
void rule_claim_binding(struct subject *subject)
{
    subject_remove_keys(subject, PATH("metadata", "annotations"), is_claim_note);
    if (!subject_meant(subject, PATH("spec", "volumeName")))
        subject_remove(subject, PATH("spec", "volumeName"));
}

static bool is_volume_note(struct str key, struct str text)
{
    static const struct str keys[] = {
        STR_INIT("pv.kubernetes.io/bound-by-controller"),
        STR_INIT("pv.kubernetes.io/migrated-to"),
        STR_INIT("volume.kubernetes.io/provisioner-deletion-secret-name"),
        STR_INIT("volume.kubernetes.io/provisioner-deletion-secret-namespace"),
    };
    return str_in(key, keys, COUNT_OF(keys));
}

void rule_dynamic_volumes(struct subject *subject)
{
    if (subject_annotation(subject, "pv.kubernetes.io/provisioned-by").len > 0)
        subject_drop(subject);
}

void rule_volume_binding(struct subject *subject)
{
    subject_remove_keys(subject, PATH("metadata", "annotations"), is_volume_note);
    subject_remove(subject, PATH("spec", "claimRef", "uid"));
    subject_remove(subject, PATH("spec", "claimRef", "resourceVersion"));
}
