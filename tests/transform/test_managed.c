/* Whose is a field: what managedFields and last-applied say, and what they do not. */
#include <criterion/criterion.h>

#include "core/base/yaml.h"
#include "transform/managed.h"

static const char OBJECT[] =
    "metadata:\n"
    "  annotations:\n"
    "    kubectl.kubernetes.io/last-applied-configuration: |\n"
    "      "
    "{\"spec\":{\"type\":\"NodePort\",\"ports\":[{\"name\":\"b\",\"port\":2},{\"name\":\"a\",\"port\":1}]}}\n"
    "  managedFields:\n"
    "  - manager: kube-controller-manager\n"
    "    operation: Update\n"
    "    fieldsV1: {f:spec: {f:clusterIP: {}}}\n"
    "  - manager: kubectl-edit\n"
    "    operation: Update\n"
    "    fieldsV1: {f:spec: {f:replicas: {}, f:tags: {'v:\"red\"': {}}, f:args: {'i:1': {}}}}\n"
    "  - manager: kubectl\n"
    "    operation: Apply\n"
    "    fieldsV1:\n"
    "      f:spec: {f:selector: {}, f:containers: {'k:{\"name\":\"web\"}': {f:image: {}}}}\n"
    "  - manager: kubectl-scale\n"
    "    operation: Update\n"
    "    subresource: status\n"
    "    fieldsV1: {f:status: {f:ready: {}}}\n"
    "spec:\n"
    "  containers: [{name: web, image: a}, {name: side, image: b}]\n"
    "  tags: [red, blue]\n"
    "  args: [one, two]\n"
    "  ports: [{name: a, port: 1}, {name: c, port: 3}]\n";

struct known {
    struct arena *arena;
    const struct value *object;
    struct managed managed;
};

static struct known known_from(const char *yaml)
{
    struct known known = {.arena = arena_new()};
    struct yaml_documents documents = {0};
    struct err err;
    cr_assert(yaml_parse(known.arena, str_of(yaml), STR("test"), &documents, &err), "%s", err.msg);
    known.object = documents.items[0].root;
    managed_read(&known.managed, known.arena, known.object);
    return known;
}

/* Who owns `member` of item `index` of spec.LIST; with no member, the item itself. */
static enum managed_by who_of_item(struct known *known, const char *list, size_t index, const char *member)
{
    const struct value *items = value_in(known->object, PATH("spec", list));
    struct managed_at at = known->managed.top;
    managed_member(&at, STR("spec"), &at);
    managed_member(&at, str_of(list), &at);
    managed_item(known->arena, &at, value_item(items, index), index, &at);
    return member ? managed_who_member(&at, str_of(member)) : managed_who(&at);
}

Test(managed, the_strongest_evidence_wins)
{
    struct known known = known_from(OBJECT);
    const struct managed *managed = &known.managed;
    cr_expect(managed->known && managed->user && !managed->control_plane);
    cr_expect_eq(managed_who_in(managed, PATH("spec", "clusterIP")), MANAGED_BY_CONTROLLER);
    cr_expect_eq(managed_who_in(managed, PATH("spec", "replicas")), MANAGED_BY_UPDATE);
    cr_expect_eq(managed_who_in(managed, PATH("spec", "selector")), MANAGED_BY_APPLY);
    cr_expect_eq(managed_who_in(managed, PATH("spec", "type")), MANAGED_BY_APPLY, "last-applied lists it");
    cr_expect_eq(managed_who_in(managed, PATH("spec", "nodePort")), MANAGED_BY_NOBODY);
    cr_expect_eq(managed_who_in(managed, PATH("status", "ready")), MANAGED_BY_CONTROLLER);
    arena_free(known.arena);
}

Test(managed, below_an_atomic_leaf_an_apply_is_no_more_exact_than_an_update)
{
    struct known known = known_from(OBJECT);
    cr_expect_eq(managed_who_in(&known.managed, PATH("spec", "selector", "matchLabels")), MANAGED_BY_UPDATE);
    arena_free(known.arena);
}

Test(managed, items_are_found_by_keys_values_and_places)
{
    struct known known = known_from(OBJECT);
    cr_expect_eq(who_of_item(&known, "containers", 0, "image"), MANAGED_BY_APPLY);
    cr_expect_eq(who_of_item(&known, "containers", 0, "resources"), MANAGED_BY_NOBODY);
    cr_expect_eq(who_of_item(&known, "containers", 1, "image"), MANAGED_BY_NOBODY);
    cr_expect_eq(who_of_item(&known, "tags", 0, NULL), MANAGED_BY_UPDATE);
    cr_expect_eq(who_of_item(&known, "tags", 1, NULL), MANAGED_BY_NOBODY);
    cr_expect_eq(who_of_item(&known, "args", 0, NULL), MANAGED_BY_NOBODY);
    cr_expect_eq(who_of_item(&known, "args", 1, NULL), MANAGED_BY_UPDATE);
    arena_free(known.arena);
}

Test(managed, named_items_of_last_applied_are_found_by_name_wherever_they_stand)
{
    struct known known = known_from(OBJECT);
    cr_expect_eq(who_of_item(&known, "ports", 0, "port"), MANAGED_BY_APPLY);
    cr_expect_eq(who_of_item(&known, "ports", 0, "protocol"), MANAGED_BY_NOBODY);
    cr_expect_eq(who_of_item(&known, "ports", 1, "port"), MANAGED_BY_NOBODY);
    arena_free(known.arena);
}

Test(managed, people_and_tools_are_told_from_parts_of_the_cluster)
{
    static const struct {
        const char *manager, *subresource;
        bool user;
    } cases[] = {
        {"kubectl-client-side-apply", "", true},
        {"kubectl-edit", "", true},
        {"kubectl", "scale", true},
        {"kubectl", "status", false},
        {"helm", "", true},
        {"helm-controller", "", true},
        {"kustomize-controller", "", true},
        {"argocd-controller", "", true},
        {"Terraform", "", true},
        {"Mozilla", "", true},
        {"", "", true},
        {"kube-apiserver", "", false},
        {"kube-controller-manager", "", false},
        {"kube-scheduler", "", false},
        {"kubelet", "", false},
        {"kwok", "", false},
        {"cluster-autoscaler", "", false},
        {"api-priority-and-fairness-config-producer-v1", "", false},
        {"postgres-operator", "", false},
        {"some-controller", "", false},
        {"manager", "", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_eq(managed_is_user(str_of(cases[i].manager), str_of(cases[i].subresource)), cases[i].user,
                     "%s %s", cases[i].manager, cases[i].subresource);
}

Test(managed, malformed_evidence_counts_as_none)
{
    static const char *const texts[] = {
        "metadata: a text\n",
        "metadata: {managedFields: {a: 1}}\n",
        "metadata: {managedFields: [1, a, [], {}, {fieldsV1: a}, {manager: 3, fieldsV1: []}]}\n",
        "metadata: {annotations: [kubectl.kubernetes.io/last-applied-configuration]}\n",
        "metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '{'}}\n",
        "metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '[1]'}}\n",
        "- a list\n",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct known known = known_from(texts[i]);
        cr_expect(!known.managed.known && !known.managed.user && !known.managed.control_plane, "%s",
                  texts[i]);
        cr_expect_eq(managed_who_in(&known.managed, PATH("spec", "type")), MANAGED_BY_NOBODY, "%s", texts[i]);
        arena_free(known.arena);
    }
}

Test(managed, keys_that_are_no_json_name_no_item)
{
    struct known known =
        known_from("metadata:\n  managedFields:\n  - manager: kubectl\n    operation: Apply\n"
                   "    fieldsV1: {f:spec: {f:l: {'k:{': {f:a: {}}, 'k:1': {f:a: {}}, 'k:{}': {f:a: "
                   "{}}, 'i:x': {f:a: {}}, ':': {f:a: {}}, 'v:': {f:a: {}}}}}\n"
                   "spec: {l: [{a: 1}, text, 3]}\n");
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(who_of_item(&known, "l", i, "a"), MANAGED_BY_NOBODY);
    arena_free(known.arena);
}
