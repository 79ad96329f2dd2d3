/* check.h — one check: a row of checks.def and one function.
 *
 * A check looks at one object at a time, may ask the estate (estate.h) about its neighbours, and reports what is
 * wrong through found(). It decides nothing else: severity, dimension, texts and the kinds it applies to stand in its
 * row, and the score is reckoned from what was found (tally.h). To add a check, add a row, a function in the file of
 * its family, and testdata/quality/<id>/{good,bad}.yaml. Objects come from outside: every reader of value.h answers
 * "nothing" for a part that is missing or of the wrong type, and a check must do so too.
 */
#pragma once
#include "core/finding.h"
#include "quality/estate.h"
#include "quality/openapi.h"

enum dimension {
    DIMENSION_SCHEMA,
    DIMENSION_SECURITY,
    DIMENSION_PRODUCTION,
    DIMENSION_RESOURCES,
    DIMENSION_COUNT
};
const char *dimension_name(enum dimension dimension);  /* "schema", as in JSON */
const char *dimension_title(enum dimension dimension); /* "Schema compliance", for people */

/* The kinds a check applies to: a set of these. */
enum applies {
    ANY = 1 << 0,
    WORKLOADS = 1 << 1, /* whatever runs pods */
    SERVING = 1 << 2,   /* workloads that are meant to run on and on */
    SCALING = 1 << 3,   /* workloads with spec.replicas */
    FINISHING = 1 << 4, /* workloads that end */
    NAKED_PODS = 1 << 5,
    STATEFUL_SETS = 1 << 6,
    CRON_JOBS = 1 << 7,
    SERVICES = 1 << 8,
    INGRESSES = 1 << 9, /* Ingress and Route */
    POLICIES = 1 << 10, /* NetworkPolicy */
    NAMESPACES = 1 << 11,
    ROLES = 1 << 12,    /* Role, ClusterRole */
    BINDINGS = 1 << 13, /* RoleBinding, ClusterRoleBinding */
    AUTOSCALERS = 1 << 14,
    BUDGETS = 1 << 15, /* PodDisruptionBudget */
    SECRETS = 1 << 16,
    CONFIG_MAPS = 1 << 17,
    CLAIMS = 1 << 18, /* PersistentVolumeClaim */
};

/* A container of a pod, of any list. */
struct container {
    const struct value *value;
    const struct value *security; /* its securityContext */
    struct str name;
    const char *list; /* "initContainers", "containers", "ephemeralContainers" */
    size_t index;
};

/* What a check is handed. */
struct subject {
    const struct estate *estate;
    const struct place *place; /* the part that the object is in */
    const struct facts *facts; /* about the object's namespace; of a Namespace, the namespace it names */
    const struct resource *resource;
    unsigned applies; /* enum applies: what the object is */

    struct workload workload; /* zero unless it runs pods */
    const struct value *pod;  /* the pod spec */
    struct container *containers;
    size_t container_count;

    const struct openapi_faults *faults; /* against the server's own schema; empty without one */
    struct judge *judge;
    struct arena *scratch; /* gone after this object */
};

/* Bounds on what is kept; everything is counted. */
enum {
    FOUND_PER_CHECK_AND_RESOURCE = 8,
    FOUND_PER_CHECK = 500,
    CONTAINERS_PER_POD = 64,
};

/* Reports a finding. `detail` goes behind the row's message and may be empty; it must never hold a secret. The path is
 * dotted, with indexes: "spec.rules[0].host"; "" for the whole object. */
void found(struct subject *subject, struct str detail, const char *path, ...) PRINTF_LIKE(3, 4);
/* The same with a path inside the pod spec: "volumes[2].hostPath". */
void found_in_pod(struct subject *subject, struct str detail, const char *path, ...) PRINTF_LIKE(3, 4);
/* The same with a path inside a container ("" for the container itself); an empty `detail` becomes its name. */
void found_in_container(struct subject *subject, const struct container *container, struct str detail,
                        const char *path, ...) PRINTF_LIKE(4, 5);
/* Text for `detail`, made of pieces; lives as long as the subject. */
struct str detail(struct subject *subject, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define EACH_CONTAINER(c, subject)                                                                           \
    for (const struct container *c = (subject)->containers, *c##_end = c + (subject)->container_count;       \
         c != c##_end; c++)
/* Those that do the pod's work: no init container that ends, nothing ephemeral. */
bool container_is_main(const struct container *container);
/* False for ephemeral containers, which have no resources of their own. */
bool container_has_resources(const struct container *container);

struct check {
    const char *id;
    enum dimension dimension;
    enum severity severity;
    unsigned applies;
    void (*look)(struct subject *subject);
    const char *message, *fix;
};

enum {
#define CHECK(id, dimension, severity, applies, function, message, fix) CHECK_##function,
#include "quality/checks.def"
#undef CHECK
    CHECK_COUNT
};
extern const struct check checks[CHECK_COUNT];

#define CHECK(id, dimension, severity, applies, function, message, fix)                                      \
    void function(struct subject *subject);
#include "quality/checks.def"
#undef CHECK
