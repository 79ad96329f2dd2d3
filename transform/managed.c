#include "transform/managed.h"

#include "core/base/json.h"

/* Deployment tools whose names end like a controller's, yet who write what somebody meant. */
static const struct str DEPLOYERS[] = {
    STR_INIT("helm-controller"),    STR_INIT("kustomize-controller"),
    STR_INIT("argocd-controller"),  STR_INIT("argocd-application-controller"),
    STR_INIT("rancher-controller"), STR_INIT("fleet-controller"),
};

/* Parts of a cluster, as globs over the manager's name. */
static const struct str CONTROLLERS[] = {
    STR_INIT("kube-apiserver"),
    STR_INIT("kube-controller-manager"),
    STR_INIT("kube-scheduler"),
    STR_INIT("kubelet"),
    STR_INIT("kube-proxy"),
    STR_INIT("kwok*"),
    STR_INIT("api-priority-and-fairness-*"),
    STR_INIT("cloud-controller-manager"),
    STR_INIT("aws-cloud-controller-manager"),
    STR_INIT("cluster-autoscaler"),
    STR_INIT("karpenter"),
    STR_INIT("vpa-*"),
    STR_INIT("keda*"),
    STR_INIT("cert-manager*"),
    STR_INIT("cainjector"),
    STR_INIT("csi-*"),
    STR_INIT("*-provisioner"),
    STR_INIT("snapshot-controller"),
    STR_INIT("nginx-ingress-controller"),
    STR_INIT("*-controller"),
    STR_INIT("*-controller-manager"),
    STR_INIT("*-operator"),
    STR_INIT("*-autoscaler"),
    STR_INIT("manager"),
    STR_INIT("operator"),
    STR_INIT("controller"),
};

/* Those that no cluster is without: what only they wrote, every cluster writes by itself. */
static const struct str CONTROL_PLANE[] = {
    STR_INIT("kube-apiserver"),
    STR_INIT("kube-controller-manager"),
    STR_INIT("api-priority-and-fairness-config-producer-v1"),
    STR_INIT("api-priority-and-fairness-config-consumer-v1"),
    STR_INIT("clusterrole-aggregation-controller"),
    STR_INIT("service-cidr-controller"),
    STR_INIT("kubernetes-service-cidr-controller"),
};

bool managed_is_user(struct str manager, struct str subresource)
{
    if (str_is(subresource, "status"))
        return false;
    if (str_in(manager, DEPLOYERS, COUNT_OF(DEPLOYERS)))
        return true;
    for (size_t i = 0; i < COUNT_OF(CONTROLLERS); i++)
        if (str_glob(CONTROLLERS[i], manager))
            return false;
    return true;
}

static enum managed_by entry_by(const struct value *entry)
{
    if (!managed_is_user(value_str(value_key(entry, "manager")), value_str(value_key(entry, "subresource"))))
        return MANAGED_BY_CONTROLLER;
    return str_is(value_str(value_key(entry, "operation")), "Apply") ? MANAGED_BY_APPLY : MANAGED_BY_UPDATE;
}

static const struct value *last_applied(struct arena *arena, const struct value *metadata)
{
    struct str text =
        value_str_in(metadata, PATH("annotations", "kubectl.kubernetes.io/last-applied-configuration"));
    const struct value *applied = NULL;
    struct err ignored; /* it may quote a Secret, so the message goes nowhere */
    if (text.len == 0 || !json_parse(arena, text, NULL, &applied, &ignored) || !value_is(applied, VALUE_MAP))
        return NULL;
    return applied;
}

void managed_read(struct managed *ret_managed, struct arena *arena, const struct value *object)
{
    struct managed managed = {.control_plane = true};
    const struct value *metadata = value_key(object, "metadata");
    VALUE_EACH(entry, value_key(metadata, "managedFields")) {
        const struct value *fields = value_key(entry, "fieldsV1");
        if (!value_is(fields, VALUE_MAP) || managed.top.count == MANAGED_MAX)
            continue;
        enum managed_by by = entry_by(entry);
        managed.top.sets[managed.top.count++] = (struct managed_set){fields, by};
        managed.known = true;
        managed.user = managed.user || by > MANAGED_BY_CONTROLLER;
        managed.control_plane = managed.control_plane && str_in(value_str(value_key(entry, "manager")),
                                                                CONTROL_PLANE, COUNT_OF(CONTROL_PLANE));
    }
    managed.top.applied = last_applied(arena, metadata);
    managed.user = managed.user || managed.top.applied != NULL;
    managed.control_plane = managed.control_plane && managed.known && !managed.user;
    *ret_managed = managed;
}

/* Takes a manager's set one step down, or says that it ends here. Whoever owns a leaf as a whole owns what lies below,
 * defaults among it: no more exact than an Update. */
static bool go_down(struct managed_set *set, const struct value *below)
{
    if (value_count(set->fields) == 0) {
        set->by = set->by == MANAGED_BY_APPLY ? MANAGED_BY_UPDATE : set->by;
        return true;
    }
    set->fields = below;
    return value_is(below, VALUE_MAP);
}

static const struct value *trie_member(const struct value *fields, struct str key)
{
    MEMBER_EACH(member, fields) {
        if (member->key.len == key.len + 2 && member->key.ptr[0] == 'f' && member->key.ptr[1] == ':' &&
            str_eq(str_from(member->key, 2), key))
            return &member->value;
    }
    return NULL;
}

/* As long as anybody tells members apart, they are told apart. */
static bool is_whole(const struct managed_at *at)
{
    bool leaf = at->whole;
    for (size_t i = 0; i < at->count; i++) {
        if (value_count(at->sets[i].fields) != 0)
            return false;
        leaf = true;
    }
    return leaf;
}

void managed_member(const struct managed_at *at, struct str key, struct managed_at *ret_at)
{
    const struct value *applied = value_get(at->applied, key);
    bool whole = is_whole(at);
    size_t count = 0; /* never ahead of i, so that both places may be one */
    for (size_t i = 0; i < at->count; i++) {
        struct managed_set set = at->sets[i];
        if (go_down(&set, trie_member(set.fields, key)))
            ret_at->sets[count++] = set;
    }
    ret_at->count = count;
    ret_at->applied = applied;
    ret_at->whole = whole;
}

static bool has_members(const struct value *item, const struct value *wanted)
{
    MEMBER_EACH(member, wanted) {
        if (!value_equal(value_get(item, member->key), &member->value))
            return false;
    }
    return value_count(wanted) > 0;
}

/* Does "k:{...}", "v:..." or "i:N" name this item? */
static bool names_item(struct arena *arena, struct str key, const struct value *item, size_t index)
{
    if (str_starts(key, STR("i:"))) {
        uint64_t place;
        return str_to_u64(str_from(key, 2), &place) && place == index;
    }
    bool by_keys = str_starts(key, STR("k:"));
    if (!by_keys && !str_starts(key, STR("v:")))
        return false;
    const struct value *wanted = NULL;
    struct err ignored;
    if (!json_parse(arena, str_from(key, 2), NULL, &wanted, &ignored))
        return false;
    return by_keys ? has_members(item, wanted) : value_equal(item, wanted);
}

static const struct value *trie_item(struct arena *arena, const struct value *fields,
                                     const struct value *item, size_t index)
{
    MEMBER_EACH(member, fields) {
        if (names_item(arena, member->key, item, index))
            return &member->value;
    }
    return NULL;
}

/* A list without keys in last-applied is matched by place, one of named things by name: the API server merges
 * those by name too, so that places may differ. */
static const struct value *applied_item(const struct value *list, const struct value *item, size_t index)
{
    const struct value *name = value_key(item, "name");
    if (name == NULL)
        return value_item(list, index);
    VALUE_EACH(candidate, list) {
        if (value_equal(value_key(candidate, "name"), name))
            return candidate;
    }
    return NULL;
}

void managed_item(struct arena *arena, const struct managed_at *at, const struct value *item, size_t index,
                  struct managed_at *ret_at)
{
    const struct value *applied = applied_item(at->applied, item, index);
    bool whole = is_whole(at);
    size_t count = 0;
    for (size_t i = 0; i < at->count; i++) {
        struct managed_set set = at->sets[i];
        if (go_down(&set, trie_item(arena, set.fields, item, index)))
            ret_at->sets[count++] = set;
    }
    ret_at->count = count;
    ret_at->applied = applied;
    ret_at->whole = whole;
}

enum managed_by managed_who(const struct managed_at *at)
{
    enum managed_by applied = at->whole ? MANAGED_BY_UPDATE : MANAGED_BY_APPLY;
    enum managed_by who = at->applied ? applied : MANAGED_BY_NOBODY;
    for (size_t i = 0; i < at->count; i++)
        if (at->sets[i].by > who)
            who = at->sets[i].by;
    return who;
}

enum managed_by managed_who_member(const struct managed_at *at, struct str key)
{
    struct managed_at below;
    managed_member(at, key, &below);
    return managed_who(&below);
}

enum managed_by managed_who_in(const struct managed *managed, const char *const *path)
{
    const struct managed_at *at = &managed->top;
    struct managed_at below;
    for (; *path; path++) {
        managed_member(at, str_of(*path), &below);
        at = &below;
    }
    return managed_who(at);
}
