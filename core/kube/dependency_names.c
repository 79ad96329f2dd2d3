/* Services that a workload names. A name alone is a common word ("postgres" is a user as well), so it counts only where
 * an address stands; with its namespace it counts anywhere. */
#include "core/kube/dependencies_intern.h"
#include "core/kube/workload.h"

/* Of one text, so that a script or a data file of a megabyte is not read as configuration. */
enum { TEXT_MAX = 64 * 1024 };

struct reading {
    struct dependency_graph *graph;
    size_t index; /* of the workload, in the whole */
    struct str namespace;
    enum dependency_source source;
};

/* Whole where it is of the part. */
static const struct resource *service_of(const struct reading *r, struct str namespace, struct str name)
{
    const struct resource *found = bundle_find(r->graph->part, STR_NONE, STR("Service"), namespace, name);
    return found ? found : bundle_find(r->graph->bundle, STR_NONE, STR("Service"), namespace, name);
}

static void note(const struct reading *r, const struct resource *service)
{
    if (service != NULL)
        dependency_on_service(r->graph, r->index, service, r->source);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static bool has_port(const struct resource *service, struct str text)
{
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    VALUE_EACH(port, value_in(service->object, PATH("spec", "ports")))
        if (digits != 0 && str_eq(value_text(value_key(port, "port")), str_slice(text, 0, digits)))
            return true;
    return false;
}

/* db.shop, db.shop.svc, pg-0.db.shop.svc.cluster.local: the two labels before ".svc", or the only two. */
static const struct resource *qualified(const struct reading *r, struct str token)
{
    static const struct str tails[] = {STR_INIT(".svc.cluster.local"), STR_INIT(".svc")};
    bool certain = false;
    for (size_t i = 0; i < COUNT_OF(tails) && !certain; i++)
        if (str_ends(token, tails[i])) {
            token = str_slice(token, 0, token.len - tails[i].len);
            certain = true;
        }
    size_t dot = str_rfind(token, '.');
    if (dot == token.len)
        return NULL;
    struct str namespace = str_from(token, dot + 1), name = str_slice(token, 0, dot);
    size_t before = str_rfind(name, '.');
    if (before < name.len && !certain)
        return NULL;
    return service_of(r, namespace, before < name.len ? str_from(name, before + 1) : name);
}

/* Where an address stands: behind "://" or "@", or in front of ":" and one of its ports. */
static bool stands_as_address(struct str text, size_t from, size_t to, const struct resource *service)
{
    struct str before = str_slice(text, 0, from), after = str_from(text, to);
    return str_ends(before, STR("://")) || str_ends(before, STR("@")) ||
           (str_starts(after, STR(":")) && has_port(service, str_from(after, 1)));
}

static bool is_host_key(struct str key)
{
    static const struct str ends[] = {STR_INIT("host"), STR_INIT("hostname"), STR_INIT("server"),
                                      STR_INIT("addr"), STR_INIT("address"),  STR_INIT("endpoint"),
                                      STR_INIT("url"),  STR_INIT("uri"),      STR_INIT("service")};
    char last[9];
    size_t len = key.len < sizeof last - 1 ? key.len : sizeof last - 1;
    for (size_t i = 0; i < len; i++) {
        char c = key.ptr[key.len - len + i];
        last[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (str_ends((struct str){last, len}, ends[i]))
            return true;
    return false;
}

/* `bare`: a name alone counts wherever it stands, since a host is what is expected here. */
static void read_text(const struct reading *r, struct str text, bool bare)
{
    if (text.len > TEXT_MAX)
        return;
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        while (i < text.len && is_name_char(text.ptr[i]))
            i++;
        size_t begin = from, end = i;
        while (begin < end && text.ptr[begin] == '.')
            begin++;
        while (end > begin && text.ptr[end - 1] == '.')
            end--;
        if (begin < end) {
            struct str token = str_slice(text, begin, end);
            bool dotted = str_find(token, '.') < token.len;
            const struct resource *service =
                dotted ? qualified(r, token) : service_of(r, r->namespace, token);
            if (service != NULL && (dotted || bare || stands_as_address(text, begin, end, service)))
                note(r, service);
        }
        i += i == from;
    }
}

static void read_data(const struct reading *r, struct str name)
{
    const struct resource *map = bundle_find(r->graph->part, STR_NONE, STR("ConfigMap"), r->namespace, name);
    MEMBER_EACH(entry, map ? value_key(map->object, "data") : NULL)
        read_text(r, value_str(&entry->value), is_host_key(entry->key));
}

static void read_entry(const struct reading *r, struct str name, struct str key, struct str as)
{
    const struct resource *map = bundle_find(r->graph->part, STR_NONE, STR("ConfigMap"), r->namespace, name);
    if (map != NULL)
        read_text(r, value_str(value_get(value_key(map->object, "data"), key)), is_host_key(as));
}

static void read_container(const struct reading *r, const struct value *container, bool waits)
{
    static const char *const lists[] = {"command", "args"};
    VALUE_EACH(variable, value_key(container, "env")) {
        struct str name = value_str(value_key(variable, "name"));
        const struct value *from = value_in(variable, PATH("valueFrom", "configMapKeyRef"));
        read_text(r, value_str(value_key(variable, "value")), is_host_key(name));
        read_entry(r, value_str(value_key(from, "name")), value_str(value_key(from, "key")), name);
    }
    VALUE_EACH(source, value_key(container, "envFrom"))
        read_data(r, value_str_in(source, PATH("configMapRef", "name")));
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        VALUE_EACH(word, value_key(container, lists[i]))
            read_text(r, value_str(word), waits);
}

static void read_volumes(const struct reading *r, const struct value *volumes)
{
    VALUE_EACH(volume, volumes) {
        read_data(r, value_str_in(volume, PATH("configMap", "name")));
        VALUE_EACH(source, value_in(volume, PATH("projected", "sources")))
            read_data(r, value_str_in(source, PATH("configMap", "name")));
    }
}

void dependencies_seen(struct dependency_graph *graph, size_t index, const struct resource *resource)
{
    struct workload workload;
    if (!workload_of(resource, &workload))
        return;
    struct reading r = {graph, index, resource->namespace, DEPENDENCY_NAMED};
    VALUE_EACH(container, value_key(workload.pod_spec, "containers"))
        read_container(&r, container, false);
    read_volumes(&r, value_key(workload.pod_spec, "volumes"));
    r.source = DEPENDENCY_AWAITED;
    VALUE_EACH(container, value_key(workload.pod_spec, "initContainers"))
        read_container(&r, container, true);
}
