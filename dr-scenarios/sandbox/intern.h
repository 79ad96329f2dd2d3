/* intern.h — what the files of the sandbox share; nobody else includes it.
 *
 *   server.c     HTTP in and out, faults          discovery.c  what types there are, OpenAPI
 *   route.c      from a path to a verb            read.c       list and get
 *   state.c      objects and their history        write.c      create, apply, update, delete
 *   types.c      which types are served           fields.c, managed.c  who owns which field, merging
 *   check.c      what the server refuses          defaults.c, defaults.def, admission.c  what it fills in
 *   bootstrap.c  what a new cluster holds         controllers.c, endpoints.c, workloads.c  what controllers
 *   sandbox.c    start, fill, stop                             leave behind
 *   pods.h       the pods that they want
 *
 * One mutex guards everything: a call is served under it from its first line to its last, only waiting and sending
 * happen outside. A call has an arena of its own; what stays is copied into the sandbox's arena by state_put.
 */
#pragma once
#include <pthread.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "dr-scenarios/sandbox/sandbox.h"

enum { MAX_BODY = 3 << 20, MAX_FAULTS = 32 }; /* kube-apiserver's own bound on a request */

/* One object over time, oldest version first. `object` NULL: deleted at `rv`. */
struct version {
    uint64_t rv;
    const struct value *object;
};

struct entry {
    struct str key, namespace, name; /* key: "namespace/name" or "name", the order of lists */
    struct version *items;
    size_t count, cap;
};

struct storage {
    struct entry **items; /* sorted by key */
    size_t count, cap;
};

/* A type at one version. The versions of a CRD share one storage. */
struct served {
    struct resource_type type;
    struct str list_kind;
    struct str crd;              /* name of its CRD; empty for built-in types */
    const struct value *schema;  /* the CRD's openAPIV3Schema; NULL for built-in types */
    const struct value *aliases; /* short names, a list */
    bool preferred, withdrawn;   /* withdrawn: the CRD is gone */
    struct storage *storage;
};

struct fault {
    struct sandbox_fault is;
    char method[16], match[256];
    unsigned seen;
};

/* Work of a controller that is not done yet. */
struct chore {
    const struct served *type;
    struct str namespace, name;
    int64_t due_ms; /* monotonic */
};

struct sandbox {
    struct arena *arena;
    struct sandbox_options options;
    struct MHD_Daemon *http;
    pthread_mutex_t lock;
    struct str url, token;
    uint16_t port;
    struct str_list problems;

    struct {
        struct served **items;
        size_t count, cap;
    } types;
    uint64_t rv, compacted; /* the newest version, and the oldest that can still be read */
    size_t objects;
    uint32_t next_ip, next_port; /* of Services */
    uint64_t names;              /* for generated names */

    struct {
        struct chore *items;
        size_t count, cap;
    } chores;
    bool working; /* a controller is at work: its own writes start nothing anew */

    struct fault faults[MAX_FAULTS];
    size_t fault_count;
};

struct pair {
    struct str name, value;
};

/* One call of the API: the question, and the answer once a handler has run. Handlers return false after call_fail. */
struct call {
    struct sandbox *sandbox;
    struct arena *arena;
    struct str method, path, accept, content_type, user_agent, body;
    struct {
        struct pair *items;
        size_t count, cap;
    } query;

    const struct served *type;
    struct str namespace, name, subresource;
    const char *manager; /* overrides the one of the query: controllers, filling */
    bool internal;       /* by a controller: no admission */
    int status;          /* of the answer */
    const struct value *reply;
    struct str text;       /* instead of reply: plain text */
    struct str reply_type; /* media type; empty: application/json */
    int retry_after;       /* seconds; 0: none */
};

/* server.c */
bool server_start(struct sandbox *sandbox, struct err *err) WARN_UNUSED;
void server_stop(struct sandbox *sandbox);
struct str call_query(const struct call *call, const char *name); /* empty when absent */
bool call_ok(struct call *call, int status, const struct value *reply);
/* Answers with a Status object; returns false. */
bool call_fail(struct call *call, int status, const char *reason, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same with the causes of a 422 or 409: {reason, message, field}. */
bool call_fail_causes(struct call *call, int status, const char *reason, const struct value *causes,
                      const char *fmt, ...) PRINTF_LIKE(5, 6);
bool call_not_found(struct call *call);

/* route.c */
bool route_locate(struct call *call); /* finds the type, namespace and name that the path speaks of */
bool route_answer(struct call *call); /* lets the verb answer */

/* state.c */
struct str state_key(struct arena *arena, struct str namespace, struct str name);
struct entry *state_find(const struct storage *storage, struct str key);
const struct value *state_get(const struct served *type, struct str namespace, struct str name);
/* The object as it was at `rv`; NULL when there was none. */
const struct value *state_at(const struct entry *entry, uint64_t rv);
/* Stores a copy at the next version and returns it with its resourceVersion; NULL when the sandbox is full. */
const struct value *state_put(struct sandbox *sandbox, const struct served *type, struct str namespace,
                              struct str name, const struct value *object);
void state_remove(struct sandbox *sandbox, const struct served *type, struct str namespace, struct str name);
void state_compact(struct sandbox *sandbox);
struct str state_uid(struct arena *arena);
struct str state_now(struct arena *arena);
/* The value of a JSON literal of ours. */
const struct value *state_literal(struct arena *arena, const char *json);

/* types.c */
void types_init(struct sandbox *sandbox);
const struct served *types_find(const struct sandbox *sandbox, struct str group, struct str version,
                                struct str plural);
bool types_serve(const struct sandbox *sandbox, struct str group, struct str version);
const struct served *types_kind(const struct sandbox *sandbox, const char *group, const char *kind);
const struct served *types_of(const struct sandbox *sandbox, const struct resource *resource);
/* Serves the versions of a CustomResourceDefinition, or takes them back. */
void types_define(struct sandbox *sandbox, const struct value *crd);
void types_withdraw(struct sandbox *sandbox, struct str crd);
struct str types_group_version(struct arena *arena, const struct served *type); /* "apps/v1", "v1" */
struct str types_resource(struct arena *arena, const struct served *type);      /* "deployments.apps" */

/* discovery.c, read.c, write.c */
bool discovery_is(struct str path); /* a path of discovery, of OpenAPI, /version or a health check */
bool discovery_answer(struct call *call);
bool read_list(struct call *call);
bool read_get(struct call *call);
bool write_create(struct call *call, const struct value *object);
bool write_apply(struct call *call, const struct value *object);
bool write_update(struct call *call, const struct value *object);
bool write_merge_patch(struct call *call, const struct value *patch);
bool write_delete(struct call *call);
bool write_delete_all(struct call *call);

/* fields.c: sets of fields are FieldsV1 maps as metadata.managedFields holds them. */
struct place { /* where in an object we are, for the rules of merging */
    const struct served *type;
    const struct value *schema; /* of this place, for custom resources */
    struct str field;           /* name of the field that leads here */
};
const struct value *fields_of(struct arena *arena, struct place place, const struct value *object);
const struct value *fields_join(struct arena *arena, const struct value *a, const struct value *b);
const struct value *fields_minus(struct arena *arena, const struct value *a, const struct value *b);
/* `object` without the fields in `gone`. */
const struct value *fields_drop(struct arena *arena, struct place place, const struct value *object,
                                const struct value *gone);
/* `live` with `applied` laid over it. */
const struct value *fields_merge(struct arena *arena, struct place place, const struct value *live,
                                 const struct value *applied);
/* The fields that `now` sets other than `before` does. */
const struct value *fields_changed(struct arena *arena, struct place place, const struct value *before,
                                   const struct value *now);
/* Adds to `paths` the address (".spec.replicas") of every field of `set` that `owned` holds too. */
void fields_common(struct arena *arena, const struct value *set, const struct value *owned, struct str prefix,
                   struct str_list *paths);

/* managed.c: metadata.managedFields. */
const struct value *managed_set(struct arena *arena, struct place place, const struct value *object,
                                bool status);
/* `now` with managedFields that give `manager` what differs from `before`. */
const struct value *managed_update(struct arena *arena, const struct served *type, const struct value *before,
                                   const struct value *now, const char *manager, const char *subresource);
/* Server-side apply of `applied` over `live` (NULL: nothing there). On conflicts that `force` does not settle returns
 * NULL and fills `ret_causes`. */
const struct value *managed_apply(struct arena *arena, const struct served *type, const struct value *live,
                                  const struct value *applied, const char *manager, bool force,
                                  const struct value **ret_causes);

/* defaults.c, admission.c, check.c */
const struct value *defaults_fill(struct call *call, const struct value *object, const struct value *before);
/* A new pod, its defaults filled in: with its priority and with what its account gives it. */
const struct value *admission_pod(struct sandbox *sandbox, struct arena *arena, const struct value *pod);
/* A claim with its finalizer; the class marked as default is its own when it names none. */
const struct value *admission_claim(struct sandbox *sandbox, struct arena *arena, const struct value *claim);
const struct value *admission_protect(struct arena *arena, const struct value *object, const char *finalizer);
bool check_object(struct call *call, const struct value *object);
bool check_update(struct call *call, const struct value *before, const struct value *object);
/* Drops what the schema of a custom resource does not know. */
const struct value *check_prune(struct arena *arena, const struct value *object, const struct value *schema);

/* endpoints.c */
void endpoints_of_service(struct sandbox *sandbox, struct arena *arena, const struct value *service);
/* Hand-made Endpoints of a Service without a selector, into a slice. */
void endpoints_mirror(struct sandbox *sandbox, struct arena *arena, const struct value *object);

/* controllers.c, workloads.c, bootstrap.c */
void controllers_wrote(struct sandbox *sandbox, const struct served *type, const struct value *object);
void controllers_removed(struct sandbox *sandbox, const struct value *object);
void controllers_tick(struct sandbox *sandbox, struct arena *arena);
/* Brings the children and the status of a workload up to date; `due`: its pods have had the time to start. False:
 * look again later. */
bool workloads_reconcile(struct sandbox *sandbox, struct arena *arena, const struct served *type,
                         const struct value *object, bool due);
/* Binds a claim to a volume of its class where that is possible; `consumed`: a pod uses it. Returns whether it is
 * bound. */
bool controllers_bind(struct sandbox *sandbox, struct arena *arena, struct str namespace, struct str name,
                      bool consumed);
/* Stores `now` in place of `live`, status included, in the name of `manager`. */
const struct value *controllers_update(struct sandbox *sandbox, struct arena *arena,
                                       const struct served *type, const struct value *live,
                                       const struct value *now, const char *manager);
/* Writes as a controller does: creates or replaces, status included. */
const struct value *controllers_put(struct sandbox *sandbox, struct arena *arena, const struct value *object,
                                    const char *manager);
const struct value *controllers_owner(struct arena *arena, const struct value *owner);
void bootstrap_fill(struct sandbox *sandbox, struct arena *arena);
