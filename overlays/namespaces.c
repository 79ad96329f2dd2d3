/* Namespaces that are called otherwise in an environment. Moving the objects themselves is two patches for a whole folder
 * (overlays.c); this step follows them: whatever names a namespace by its old name gets the new one.
 *
 * Names of namespaces stand in fields that say so by their key (namespace, sourceNamespace, namespaces, matchNames, …),
 * in the label that every namespace has, and inside texts: DNS names of Services, identities of accounts, "namespace/name"
 * of annotations. Only names of namespaces that move are looked for, so a text that holds none is never touched. */
#include "core/base/pointer.h"
#include "overlays/environment.h"

struct walk {
    const struct environment *environment;
    struct patch_builder *patch;
    bool texts_only; /* content of a ConfigMap: keys mean what they like there */
};

static void look_into(const struct walk *walk, const struct value *node, struct str pointer);

static const struct str *new_name(const struct walk *walk, struct str old)
{
    const struct renames *renames = walk->environment->renames;
    for (size_t i = 0; i < renames->count; i++)
        if (str_eq(renames->items[i].from, old))
            return &renames->items[i].to;
    return NULL;
}

static void replace(const struct walk *walk, struct str pointer, struct str text)
{
    patch_replace(walk->patch, pointer, value_string(walk->patch->arena, text));
    patch_reason(walk->patch, STR("namespaces are called otherwise here"));
}

/* ---- texts ---- */

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static bool is_service(const struct walk *walk, struct str namespace, struct str name)
{
    return bundle_find(walk->environment->whole, STR(""), STR("Service"), namespace, name) != NULL;
}

enum { MOST_LABELS = 12 };

/* A DNS name: <service>.<namespace>.svc…, or <service>.<namespace> of a Service that is known; a pod's own name may
 * stand before it. Returns the place of the namespace's label, or `count` for none. */
static size_t namespace_label(const struct walk *walk, const struct str *labels, size_t count)
{
    for (size_t i = 1; i + 1 < count; i++)
        if (str_is(labels[i + 1], "svc") && new_name(walk, labels[i]) != NULL)
            return i;
    bool short_form = count == 2 || count == 3;
    if (short_form && new_name(walk, labels[count - 1]) != NULL &&
        is_service(walk, labels[count - 1], labels[count - 2]))
        return count - 1;
    return count;
}

static void write_host(const struct walk *walk, struct str host, struct buf *out, bool *changed)
{
    struct str labels[MOST_LABELS], rest = host;
    size_t count = 0;
    while (count < MOST_LABELS && rest.len != 0)
        labels[count++] = str_cut(&rest, '.');
    size_t at = rest.len == 0 && count != 0 ? namespace_label(walk, labels, count) : count;
    if (at == count) {
        buf_str(out, host);
        return;
    }
    const struct str *to = new_name(walk, labels[at]);
    size_t offset = (size_t)(labels[at].ptr - host.ptr);
    buf_str(out, str_slice(host, 0, offset));
    buf_str(out, *to);
    buf_str(out, str_from(host, offset + labels[at].len));
    *changed = true;
}

/* "cluster.local/ns/<namespace>/sa/<account>", with or without spiffe:// before it. */
static size_t identity_end(const struct walk *walk, struct str text, size_t at, const struct str **ret_to)
{
    struct str rest = str_from(text, at);
    if (!str_starts(rest, STR("/ns/")))
        return 0;
    struct str name = str_slice(rest, 4, 4 + str_find(str_from(rest, 4), '/'));
    *ret_to = new_name(walk, name);
    return *ret_to != NULL && str_starts(str_from(rest, 4 + name.len), STR("/sa/")) ? 4 + name.len : 0;
}

static bool rewritten(const struct walk *walk, struct str text, struct str *ret)
{
    struct buf out CLEANUP(buf_done);
    bool changed = false;
    buf_init(&out, 64 << 20);
    for (size_t at = 0; at < text.len;) {
        const struct str *to;
        size_t end = at, skip = identity_end(walk, text, at, &to);
        if (skip != 0) {
            buf_fmt(&out, "/ns/%.*s", STR_ARG(*to));
            at += skip;
            changed = true;
            continue;
        }
        while (end < text.len && is_host_char(text.ptr[end]))
            end++;
        write_host(walk, str_slice(text, at, end), &out, &changed);
        if (end == at)
            buf_char(&out, text.ptr[end++]);
        at = end;
    }
    if (changed && buf_ok(&out))
        *ret = str_dup(walk->patch->arena, buf_view(&out));
    return changed && buf_ok(&out);
}

/* "system:serviceaccount:<namespace>:<name>" and "system:serviceaccounts:<namespace>". */
static bool renamed_identity(const struct walk *walk, struct str text, struct str *ret)
{
    static const struct str prefixes[] = {STR_INIT("system:serviceaccount:"),
                                          STR_INIT("system:serviceaccounts:")};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        struct str rest = str_from(text, prefixes[i].len);
        struct str name = str_slice(rest, 0, str_find(rest, ':'));
        const struct str *to = str_starts(text, prefixes[i]) ? new_name(walk, name) : NULL;
        if (to == NULL)
            continue;
        *ret = str_fmt(walk->patch->arena, "%.*s%.*s%.*s", STR_ARG(prefixes[i]), STR_ARG(*to),
                       STR_ARG(str_from(rest, name.len)));
        return true;
    }
    return false;
}

static void look_at_text(const struct walk *walk, struct str text, struct str pointer)
{
    struct str to;
    if (renamed_identity(walk, text, &to) || rewritten(walk, text, &to))
        replace(walk, pointer, to);
}

/* ---- fields ---- */

static bool names_a_namespace(struct str key)
{
    return str_is(key, "namespace") || str_ends(key, STR("Namespace")) || str_ends(key, STR("-namespace"));
}

static bool lists_namespaces(struct str key)
{
    return str_is(key, "namespaces") || str_ends(key, STR("Namespaces")) || str_is(key, "matchNames") ||
           str_is(key, "namespaceNames");
}

/* The label that every namespace has, also as Cilium spells it. */
static bool is_name_label(struct str key)
{
    return str_ends(key, STR("kubernetes.io/metadata.name")) ||
           str_ends(key, STR("io.kubernetes.pod.namespace"));
}

static void look_at_names(const struct walk *walk, const struct value *list, struct str pointer)
{
    size_t index = 0;
    VALUE_EACH(item, list) {
        const struct str *to = new_name(walk, value_str(item));
        if (to != NULL)
            replace(walk, pointer_index(walk->patch->arena, pointer, index), *to);
        index++;
    }
}

/* {key: kubernetes.io/metadata.name, operator: In, values: […]} */
static bool is_expression(const struct value *map)
{
    return is_name_label(value_str(value_key(map, "key"))) && value_is(value_key(map, "values"), VALUE_LIST);
}

/* {name: POD_NAMESPACE, value: shop} */
static bool is_variable(const struct value *map)
{
    return str_contains(value_str(value_key(map, "name")), STR("NAMESPACE")) && value_count(map) == 2;
}

/* "namespace/name", as annotations refer to objects. */
static void look_at_annotation(const struct walk *walk, struct str text, struct str pointer)
{
    struct str rest = text, name = str_cut(&rest, '/');
    const struct str *to = new_name(walk, name);
    bool plain = rest.len != 0;
    for (size_t i = 0; i < rest.len; i++)
        plain = plain && is_host_char(rest.ptr[i]);
    if (to != NULL && plain)
        replace(walk, pointer, str_fmt(walk->patch->arena, "%.*s/%.*s", STR_ARG(*to), STR_ARG(rest)));
    else
        look_at_text(walk, text, pointer);
}

static void look_at_metadata(const struct walk *walk, const struct value *metadata, struct str pointer)
{
    struct arena *arena = walk->patch->arena;
    pointer = pointer_child(arena, pointer, STR("annotations"));
    MEMBER_EACH(annotation, value_key(metadata, "annotations"))
        look_at_annotation(walk, value_str(&annotation->value),
                           pointer_child(arena, pointer, annotation->key));
}

/* Labels say what they like; but for the one of a namespace's name. */
static void look_at_labels(const struct walk *walk, const struct value *labels, struct str pointer)
{
    MEMBER_EACH(label, labels) {
        const struct str *to = is_name_label(label->key) ? new_name(walk, value_str(&label->value)) : NULL;
        if (to != NULL)
            replace(walk, pointer_child(walk->patch->arena, pointer, label->key), *to);
    }
}

static bool holds_labels(struct str key, const struct value *value)
{
    if (str_is(key, "labels") || str_is(key, "matchLabels"))
        return true;
    if (!str_is(key, "selector") || value_count(value) == 0)
        return false;
    MEMBER_EACH(member, value)
        if (member->value.kind != VALUE_STRING)
            return false;
    return true;
}

static void look_at_member(const struct walk *walk, const struct value *map, const struct member *member,
                           struct str pointer)
{
    const struct value *value = &member->value;
    struct str at = pointer_child(walk->patch->arena, pointer, member->key);
    const struct str *to = NULL;
    if (!walk->texts_only && value->kind == VALUE_STRING &&
        (names_a_namespace(member->key) || (str_is(member->key, "value") && is_variable(map))))
        to = new_name(walk, value_str(value));
    if (to != NULL)
        replace(walk, at, *to);
    else if (str_is(member->key, "metadata"))
        look_at_metadata(walk, value, at);
    else if (holds_labels(member->key, value))
        look_at_labels(walk, value, at);
    else if (!walk->texts_only && value->kind == VALUE_LIST &&
             (lists_namespaces(member->key) || (str_is(member->key, "values") && is_expression(map))))
        look_at_names(walk, value, at);
    else
        look_into(walk, value, at);
}

static void look_into(const struct walk *walk, const struct value *node, struct str pointer)
{
    size_t index = 0;
    if (node->kind == VALUE_STRING)
        look_at_text(walk, value_str(node), pointer);
    MEMBER_EACH(member, node)
        if (!str_is(member->key, "openAPIV3Schema") && !str_is(member->key, "caBundle"))
            look_at_member(walk, node, member, pointer);
    VALUE_EACH(item, node)
        look_into(walk, item, pointer_index(walk->patch->arena, pointer, index++));
}

/* The object's own identity is moved elsewhere; what Secrets hold is nobody's to read. */
void step_namespaces(const struct environment *environment, struct patch_builder *patch)
{
    const struct resource *resource = patch->resource;
    struct walk walk = {environment, patch, resource_is(resource, "", "ConfigMap")};
    if (environment->renames->count == 0)
        return;
    bool secret = resource_is(resource, "", "Secret");
    MEMBER_EACH(member, resource->object) {
        if (str_is(member->key, "apiVersion") || str_is(member->key, "kind") ||
            str_is(member->key, "binaryData") || (secret && !str_is(member->key, "metadata")))
            continue;
        look_at_member(&walk, resource->object, member, STR_NONE);
    }
}
