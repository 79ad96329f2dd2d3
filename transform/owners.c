/* Children and their owners. */
#include "transform/rule.h"

/* The owner that a reference names, as it was read. A namespaced object may be owned by one of its namespace or by a
 * cluster-scoped one. An object of that name with another uid is somebody else: the owner itself is gone. */
static const struct resource *owner_of(const struct subject *subject, const struct value *reference)
{
    struct str group = api_group(value_str(value_key(reference, "apiVersion")));
    struct str kind = value_str(value_key(reference, "kind")), name = value_str(value_key(reference, "name"));
    const struct resource *owner = subject_find(subject, group, kind, subject->live->namespace, name);
    if (owner == NULL && subject->live->namespace.len > 0)
        owner = subject_find(subject, group, kind, STR_NONE, name);
    struct str wanted = value_str(value_key(reference, "uid"));
    struct str uid = owner ? value_str_in(owner->object, PATH("metadata", "uid")) : STR_NONE;
    return wanted.len > 0 && uid.len > 0 && !str_eq(wanted, uid) ? NULL : owner;
}

static const struct value *references_of(const struct subject *subject)
{
    return value_in(subject->live->object, PATH("metadata", "ownerReferences"));
}

void rule_children(struct subject *subject)
{
    VALUE_EACH(reference, references_of(subject)) {
        if (value_true(value_key(reference, "controller")) && owner_of(subject, reference) != NULL) {
            subject_drop(subject);
            return;
        }
    }
}

static void report_orphan(struct subject *subject, const struct value *reference)
{
    struct str kind = value_str(value_key(reference, "kind")), name = value_str(value_key(reference, "name"));
    struct str message = str_fmt(subject->arena,
                                 "its controller %.*s/%.*s is not in the backup, so it is kept as if "
                                 "it had been written by hand",
                                 STR_ARG(kind), STR_ARG(name));
    subject_finding(subject, "transform.owner-missing", SEVERITY_WARNING, "metadata.ownerReferences", message,
                    "back the owner up as well, or leave this object out");
}

void rule_owner_references(struct subject *subject)
{
    VALUE_EACH(reference, references_of(subject)) {
        if (value_true(value_key(reference, "controller")))
            report_orphan(subject, reference);
    }
    subject_remove(subject, PATH("metadata", "ownerReferences"));
}

/* A claim of a StatefulSet is called TEMPLATE-SET-ORDINAL. Leaves the rest of the name behind the template in
 * `*ret_set`, without the ordinal. */
static bool split_claim_name(struct str name, struct str template, struct str *ret_set)
{
    size_t dash = str_rfind(name, '-');
    uint64_t ordinal;
    if (dash == name.len || !str_to_u64(str_from(name, dash + 1), &ordinal))
        return false;
    struct str rest = str_slice(name, 0, dash);
    if (!str_starts(rest, template) || rest.len <= template.len + 1 || rest.ptr[template.len] != '-')
        return false;
    *ret_set = str_from(rest, template.len + 1);
    return true;
}

static const struct value *template_named(const struct resource *set, struct str name)
{
    VALUE_EACH(template, value_in(set->object, PATH("spec", "volumeClaimTemplates"))) {
        if (str_eq(value_str_in(template, PATH("metadata", "name")), name))
            return template;
    }
    return NULL;
}

/* The template from which a StatefulSet in the same namespace makes a claim of this name. The set's name may hold
 * dashes, and so may the template's: every place to cut is tried. */
static const struct value *template_of(const struct subject *subject, struct str claim)
{
    for (size_t cut = str_find(claim, '-'); cut < claim.len; cut++) {
        struct str template = str_slice(claim, 0, cut), set_name;
        if (claim.ptr[cut] != '-' || !split_claim_name(claim, template, &set_name))
            continue;
        const struct resource *set =
            subject_find(subject, STR("apps"), STR("StatefulSet"), subject->live->namespace, set_name);
        const struct value *found = set ? template_named(set, template) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* Grown or written by hand before the set came: then the template would make another one. */
void rule_claims(struct subject *subject)
{
    const struct value *template = template_of(subject, subject->live->name);
    if (template == NULL || !subject->from_cluster || subject->managed.user)
        return;
    if (value_equal(value_in(template, PATH("spec", "resources")),
                    value_in(subject->live->object, PATH("spec", "resources"))))
        subject_drop(subject);
}
