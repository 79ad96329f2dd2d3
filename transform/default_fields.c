#include "transform/default_fields.h"

/* Rows of a shape: a default, a way down, both, or a default that hangs on other fields. */
#define IS(field, json)                                                                                      \
    {                                                                                                        \
        .key = (field), .value = (json)                                                                      \
    }
#define DOWN(field, shape)                                                                                   \
    {                                                                                                        \
        .key = (field), .below = (shape)                                                                     \
    }
#define IS_DOWN(field, json, shape)                                                                          \
    {                                                                                                        \
        .key = (field), .value = (json), .below = (shape)                                                    \
    }
#define WHEN(field, function)                                                                                \
    {                                                                                                        \
        .key = (field), .only_if = (function)                                                                \
    }
/* Stays, whatever a document says of it. */
#define KEEP(field)                                                                                          \
    {                                                                                                        \
        .key = (field)                                                                                       \
    }
#define END                                                                                                  \
    {                                                                                                        \
        .key = NULL                                                                                          \
    }
#define SHAPE static const struct default_field

/* --- pods --- */

SHAPE HTTP_GET[] = {IS("scheme", "\"HTTP\""), IS("path", "\"/\""), END};
SHAPE GRPC[] = {IS("service", "\"\""), END};

SHAPE PROBE[] = {
    IS("timeoutSeconds", "1"),
    IS("periodSeconds", "10"),
    IS("successThreshold", "1"),
    IS("failureThreshold", "3"),
    DOWN("httpGet", HTTP_GET),
    DOWN("grpc", GRPC),
    END,
};

SHAPE HANDLER[] = {DOWN("httpGet", HTTP_GET), END};
SHAPE LIFECYCLE[] = {DOWN("postStart", HANDLER), DOWN("preStop", HANDLER), END};
SHAPE PORT[] = {IS("protocol", "\"TCP\""), END};
SHAPE FIELD_REF[] = {IS("apiVersion", "\"v1\""), END};
SHAPE RESOURCE_FIELD_REF[] = {IS("divisor", "\"0\""), END};

SHAPE VALUE_FROM[] = {DOWN("fieldRef", FIELD_REF), DOWN("resourceFieldRef", RESOURCE_FIELD_REF), END};
SHAPE ENV[] = {DOWN("valueFrom", VALUE_FROM), END};

/* Always for the tag "latest", and where neither tag nor digest is given; else IfNotPresent. */
static bool pull_policy_follows_tag(const struct value *container, const struct value *policy)
{
    struct str digest = value_str(value_key(container, "image")), image = str_cut(&digest, '@');
    size_t slash = str_rfind(image, '/');
    struct str name = slash == image.len ? image : str_from(image, slash + 1);
    bool untagged = str_find(name, ':') == name.len && digest.len == 0;
    bool latest = untagged || str_ends(name, STR(":latest"));
    return str_is(value_str(policy), latest ? "Always" : "IfNotPresent");
}

SHAPE CONTAINER[] = {
    WHEN("imagePullPolicy", pull_policy_follows_tag),
    IS("terminationMessagePath", "\"/dev/termination-log\""),
    IS("terminationMessagePolicy", "\"File\""),
    IS("resources", "{}"),
    DOWN("ports", PORT),
    DOWN("env", ENV),
    DOWN("livenessProbe", PROBE),
    DOWN("readinessProbe", PROBE),
    DOWN("startupProbe", PROBE),
    DOWN("lifecycle", LIFECYCLE),
    END,
};

SHAPE MODE[] = {IS("defaultMode", "420"), END};
SHAPE DOWNWARD_ITEM[] = {DOWN("fieldRef", FIELD_REF), DOWN("resourceFieldRef", RESOURCE_FIELD_REF), END};
SHAPE DOWNWARD[] = {IS("defaultMode", "420"), DOWN("items", DOWNWARD_ITEM), END};
SHAPE TOKEN[] = {IS("expirationSeconds", "3600"), END};
SHAPE PROJECTION[] = {DOWN("serviceAccountToken", TOKEN), DOWN("downwardAPI", DOWNWARD), END};
SHAPE PROJECTED[] = {IS("defaultMode", "420"), DOWN("sources", PROJECTION), END};
SHAPE HOST_PATH[] = {IS("type", "\"\""), END};
SHAPE ISCSI[] = {IS("iscsiInterface", "\"default\""), END};
SHAPE CLAIM_SPEC[] = {IS("volumeMode", "\"Filesystem\""), END};
SHAPE CLAIM_TEMPLATE[] = {DOWN("spec", CLAIM_SPEC), IS("metadata", "{}"), END};
SHAPE EPHEMERAL[] = {DOWN("volumeClaimTemplate", CLAIM_TEMPLATE), END};

SHAPE VOLUME[] = {
    DOWN("secret", MODE),          DOWN("configMap", MODE),
    DOWN("downwardAPI", DOWNWARD), DOWN("projected", PROJECTED),
    DOWN("iscsi", ISCSI),          DOWN("hostPath", HOST_PATH),
    DOWN("ephemeral", EPHEMERAL),  END,
};

SHAPE POD_SPEC[] = {
    IS("restartPolicy", "\"Always\""),
    IS("dnsPolicy", "\"ClusterFirst\""),
    IS("schedulerName", "\"default-scheduler\""),
    IS("terminationGracePeriodSeconds", "30"),
    IS("enableServiceLinks", "true"),
    IS("securityContext", "{}"),
    DOWN("containers", CONTAINER),
    DOWN("initContainers", CONTAINER),
    DOWN("volumes", VOLUME),
    END,
};

SHAPE POD[] = {DOWN("spec", POD_SPEC), END};
SHAPE TEMPLATE[] = {DOWN("spec", POD_SPEC), IS("metadata", "{}"), END};
SHAPE POD_TEMPLATE[] = {DOWN("template", TEMPLATE), END};

/* --- workloads; replicas stays: without it an autoscaler is taken to set it --- */

SHAPE ROLLING_DEPLOYMENT[] = {IS("maxSurge", "\"25%\""), IS("maxUnavailable", "\"25%\""), END};
SHAPE DEPLOYMENT_STRATEGY[] = {IS("type", "\"RollingUpdate\""),
                               IS_DOWN("rollingUpdate", "{}", ROLLING_DEPLOYMENT), END};
SHAPE DEPLOYMENT_SPEC[] = {
    IS_DOWN("strategy", "{}", DEPLOYMENT_STRATEGY),
    IS("revisionHistoryLimit", "10"),
    IS("progressDeadlineSeconds", "600"),
    DOWN("template", TEMPLATE),
    END,
};
SHAPE DEPLOYMENT[] = {DOWN("spec", DEPLOYMENT_SPEC), END};

SHAPE ROLLING_SET[] = {IS("partition", "0"), END};
SHAPE SET_STRATEGY[] = {IS("type", "\"RollingUpdate\""), IS_DOWN("rollingUpdate", "{}", ROLLING_SET), END};
SHAPE RETENTION[] = {IS("whenDeleted", "\"Retain\""), IS("whenScaled", "\"Retain\""), END};
SHAPE STATEFUL_SET_SPEC[] = {
    IS("podManagementPolicy", "\"OrderedReady\""),
    IS_DOWN("updateStrategy", "{}", SET_STRATEGY),
    IS("revisionHistoryLimit", "10"),
    IS_DOWN("persistentVolumeClaimRetentionPolicy", "{}", RETENTION),
    DOWN("template", TEMPLATE),
    DOWN("volumeClaimTemplates", CLAIM_TEMPLATE),
    END,
};
SHAPE STATEFUL_SET[] = {DOWN("spec", STATEFUL_SET_SPEC), END};

SHAPE ROLLING_DAEMON[] = {IS("maxSurge", "0"), IS("maxUnavailable", "1"), END};
SHAPE DAEMON_STRATEGY[] = {IS("type", "\"RollingUpdate\""), IS_DOWN("rollingUpdate", "{}", ROLLING_DAEMON),
                           END};
SHAPE DAEMON_SET_SPEC[] = {IS_DOWN("updateStrategy", "{}", DAEMON_STRATEGY), IS("revisionHistoryLimit", "10"),
                           DOWN("template", TEMPLATE), END};
SHAPE DAEMON_SET[] = {DOWN("spec", DAEMON_SET_SPEC), END};

SHAPE REPLICA_SET_SPEC[] = {KEEP("replicas"), DOWN("template", TEMPLATE), END};
SHAPE REPLICA_SET[] = {DOWN("spec", REPLICA_SET_SPEC), END};

/* Filled in with 1 only where neither was said. */
static bool completes_once(const struct value *spec, const struct value *completions)
{
    return str_is(value_text(completions), "1") && str_is(value_text(value_key(spec, "parallelism")), "1");
}

static bool replaces_as_usual(const struct value *spec, const struct value *policy)
{
    return str_is(value_str(policy), value_key(spec, "podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
}

SHAPE POD_CONDITION[] = {IS("status", "\"True\""), END};
SHAPE FAILURE_RULE[] = {DOWN("onPodConditions", POD_CONDITION), END};
SHAPE FAILURE_POLICY[] = {DOWN("rules", FAILURE_RULE), END};

SHAPE JOB_SPEC[] = {
    DOWN("podFailurePolicy", FAILURE_POLICY),
    WHEN("completions", completes_once),
    IS("parallelism", "1"),
    IS("backoffLimit", "6"),
    IS("completionMode", "\"NonIndexed\""),
    IS("suspend", "false"),
    IS("manualSelector", "false"),
    WHEN("podReplacementPolicy", replaces_as_usual),
    DOWN("template", TEMPLATE),
    END,
};
SHAPE JOB[] = {DOWN("spec", JOB_SPEC), END};

SHAPE JOB_TEMPLATE[] = {DOWN("spec", JOB_SPEC), IS("metadata", "{}"), END};
SHAPE CRON_JOB_SPEC[] = {
    IS("concurrencyPolicy", "\"Allow\""),  IS("suspend", "false"),
    IS("successfulJobsHistoryLimit", "3"), IS("failedJobsHistoryLimit", "1"),
    DOWN("jobTemplate", JOB_TEMPLATE),     END,
};
SHAPE CRON_JOB[] = {DOWN("spec", CRON_JOB_SPEC), END};

/* --- services, scaling --- */

static bool target_is_port(const struct value *port, const struct value *target)
{
    return value_equal(value_key(port, "port"), target);
}

/* Cluster is the default only where the field has a meaning, and the server fills it in only there. */
SHAPE SERVICE_PORT[] = {IS("protocol", "\"TCP\""), WHEN("targetPort", target_is_port), END};
SHAPE CLIENT_IP[] = {IS("timeoutSeconds", "10800"), END};
SHAPE AFFINITY_CONFIG[] = {IS_DOWN("clientIP", "{}", CLIENT_IP), END};
SHAPE SERVICE_SPEC[] = {
    IS("type", "\"ClusterIP\""),
    IS("sessionAffinity", "\"None\""),
    IS_DOWN("sessionAffinityConfig", "{}", AFFINITY_CONFIG),
    IS("internalTrafficPolicy", "\"Cluster\""),
    IS("externalTrafficPolicy", "\"Cluster\""),
    IS("allocateLoadBalancerNodePorts", "true"),
    DOWN("ports", SERVICE_PORT),
    END,
};
SHAPE SERVICE[] = {DOWN("spec", SERVICE_SPEC), END};

SHAPE SLICE_ENDPOINT[] = {IS("conditions", "{}"), END};
SHAPE SLICE_PORT[] = {IS("name", "\"\""), END};
SHAPE ENDPOINT_SLICE[] = {DOWN("endpoints", SLICE_ENDPOINT), DOWN("ports", SLICE_PORT), END};

SHAPE INGRESS_PARAMETERS[] = {IS("scope", "\"Cluster\""), END};
SHAPE INGRESS_CLASS_SPEC[] = {DOWN("parameters", INGRESS_PARAMETERS), END};
SHAPE INGRESS_CLASS[] = {DOWN("spec", INGRESS_CLASS_SPEC), END};

SHAPE SUBSET[] = {DOWN("ports", PORT), END};
SHAPE ENDPOINTS[] = {DOWN("subsets", SUBSET), END};

SHAPE SCALE_UP[] = {
    IS("selectPolicy", "\"Max\""),
    IS("stabilizationWindowSeconds", "0"),
    IS("policies", "[{\"type\":\"Pods\",\"value\":4,\"periodSeconds\":15},{\"type\":\"Percent\",\"value\":"
                   "100,\"periodSeconds\":15}]"),
    END,
};
SHAPE SCALE_DOWN[] = {
    IS("selectPolicy", "\"Max\""),
    IS("policies", "[{\"type\":\"Percent\",\"value\":100,\"periodSeconds\":15}]"),
    END,
};
SHAPE BEHAVIOR[] = {IS_DOWN("scaleUp", "{}", SCALE_UP), IS_DOWN("scaleDown", "{}", SCALE_DOWN), END};
SHAPE AUTOSCALER_SPEC[] = {
    IS("minReplicas", "1"),
    IS_DOWN("behavior", "{}", BEHAVIOR),
    IS("metrics",
       "[{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"target\":{\"type\":\"Utilization\","
       "\"averageUtilization\":80}}}]"),
    END,
};
SHAPE AUTOSCALER[] = {DOWN("spec", AUTOSCALER_SPEC), END};

/* --- storage, scheduling; a claim's or volume's own volumeMode and reclaim policy stay, as data hangs on them --- */

/* The server writes the older field into the newer one. */
static bool repeats_data_source(const struct value *spec, const struct value *reference)
{
    const struct value *source = value_key(spec, "dataSource");
    return source != NULL && value_key(reference, "namespace") == NULL &&
           value_equal(value_key(source, "kind"), value_key(reference, "kind")) &&
           value_equal(value_key(source, "name"), value_key(reference, "name")) &&
           str_eq(value_str(value_key(source, "apiGroup")), value_str(value_key(reference, "apiGroup")));
}

SHAPE DATA_SOURCE[] = {IS("apiGroup", "null"), END};
SHAPE BOUND_CLAIM_SPEC[] = {DOWN("dataSource", DATA_SOURCE), WHEN("dataSourceRef", repeats_data_source), END};
SHAPE CLAIM[] = {DOWN("spec", BOUND_CLAIM_SPEC), END};
SHAPE VOLUME_SPEC[] = {DOWN("hostPath", HOST_PATH), DOWN("iscsi", ISCSI), END};
SHAPE PERSISTENT_VOLUME[] = {DOWN("spec", VOLUME_SPEC), END};
SHAPE STORAGE_CLASS[] = {IS("reclaimPolicy", "\"Delete\""), IS("volumeBindingMode", "\"Immediate\""), END};
SHAPE PRIORITY_CLASS[] = {IS("preemptionPolicy", "\"PreemptLowerPriority\""), END};
SHAPE CSI_DRIVER_SPEC[] = {
    IS("attachRequired", "true"),
    IS("podInfoOnMount", "false"),
    IS("storageCapacity", "false"),
    IS("requiresRepublish", "false"),
    IS("seLinuxMount", "false"),
    IS("fsGroupPolicy", "\"ReadWriteOnceWithFSType\""),
    IS("volumeLifecycleModes", "[\"Persistent\"]"),
    END,
};
SHAPE CSI_DRIVER[] = {DOWN("spec", CSI_DRIVER_SPEC), END};

/* --- fairness, devices --- */

SHAPE FLOW_SCHEMA_SPEC[] = {IS("matchingPrecedence", "1000"), END};
SHAPE FLOW_SCHEMA[] = {DOWN("spec", FLOW_SCHEMA_SPEC), END};
SHAPE QUEUING[] = {IS("queues", "64"), IS("queueLengthLimit", "50"), IS("handSize", "8"), END};
SHAPE LIMIT_RESPONSE[] = {DOWN("queuing", QUEUING), END};
SHAPE LIMITED[] = {IS("lendablePercent", "0"), IS("nominalConcurrencyShares", "30"),
                   DOWN("limitResponse", LIMIT_RESPONSE), END};
SHAPE EXEMPT[] = {IS("lendablePercent", "0"), IS("nominalConcurrencyShares", "0"), END};
SHAPE PRIORITY_LEVEL_SPEC[] = {DOWN("limited", LIMITED), IS_DOWN("exempt", "{}", EXEMPT), END};
SHAPE PRIORITY_LEVEL[] = {DOWN("spec", PRIORITY_LEVEL_SPEC), END};

static bool counts_one(const struct value *request, const struct value *count)
{
    struct str mode = value_str(value_key(request, "allocationMode"));
    return str_is(value_text(count), "1") && (mode.len == 0 || str_is(mode, "ExactCount"));
}

SHAPE DEVICE_REQUEST[] = {IS("allocationMode", "\"ExactCount\""), WHEN("count", counts_one), END};
SHAPE DEVICE_CHOICE[] = {DOWN("exactly", DEVICE_REQUEST), DOWN("firstAvailable", DEVICE_REQUEST), END};
SHAPE DEVICES[] = {DOWN("requests", DEVICE_CHOICE), END};
SHAPE RESOURCE_CLAIM_SPEC[] = {DOWN("devices", DEVICES), END};
SHAPE RESOURCE_CLAIM[] = {DOWN("spec", RESOURCE_CLAIM_SPEC), END};
SHAPE RESOURCE_CLAIM_TEMPLATE_SPEC[] = {DOWN("spec", RESOURCE_CLAIM_SPEC), IS("metadata", "{}"), END};
SHAPE RESOURCE_CLAIM_TEMPLATE[] = {DOWN("spec", RESOURCE_CLAIM_TEMPLATE_SPEC), END};

/* --- extensions --- */

static bool is_lower_kind(const struct value *names, const struct value *singular)
{
    return str_eq_nocase(value_str(value_key(names, "kind")), value_str(singular));
}

static bool is_kind_list(const struct value *names, const struct value *list_kind)
{
    struct str kind = value_str(value_key(names, "kind")), list = value_str(list_kind);
    return str_starts(list, kind) && str_is(str_from(list, kind.len), "List");
}

SHAPE CRD_NAMES[] = {WHEN("singular", is_lower_kind), WHEN("listKind", is_kind_list), END};
SHAPE CONVERSION[] = {IS("strategy", "\"None\""), END};
SHAPE CRD_SPEC[] = {DOWN("names", CRD_NAMES), IS_DOWN("conversion", "{}", CONVERSION), END};
SHAPE CRD[] = {DOWN("spec", CRD_SPEC), END};

SHAPE SERVICE_REFERENCE[] = {IS("port", "443"), END};
SHAPE CLIENT_CONFIG[] = {DOWN("service", SERVICE_REFERENCE), END};
SHAPE ADMISSION_RULE[] = {IS("scope", "\"*\""), END};
SHAPE WEBHOOK[] = {
    IS("failurePolicy", "\"Fail\""),
    IS("matchPolicy", "\"Equivalent\""),
    IS("namespaceSelector", "{}"),
    IS("objectSelector", "{}"),
    IS("timeoutSeconds", "10"),
    IS("reinvocationPolicy", "\"Never\""),
    DOWN("clientConfig", CLIENT_CONFIG),
    DOWN("rules", ADMISSION_RULE),
    END,
};
SHAPE WEBHOOKS[] = {DOWN("webhooks", WEBHOOK), END};
SHAPE API_SERVICE[] = {DOWN("spec", CLIENT_CONFIG), END};

SHAPE MATCH[] = {
    IS("matchPolicy", "\"Equivalent\""),
    IS("namespaceSelector", "{}"),
    IS("objectSelector", "{}"),
    DOWN("resourceRules", ADMISSION_RULE),
    END,
};
SHAPE POLICY_SPEC[] = {IS("failurePolicy", "\"Fail\""), DOWN("matchConstraints", MATCH), END};
SHAPE POLICY[] = {DOWN("spec", POLICY_SPEC), END};

static const struct {
    const char *group, *kind;
    const struct default_field *fields;
} KINDS[] = {
    {"", "Pod", POD},
    {"", "PodTemplate", POD_TEMPLATE},
    {"", "ReplicationController", REPLICA_SET},
    {"", "Service", SERVICE},
    {"", "Endpoints", ENDPOINTS},
    {"", "PersistentVolume", PERSISTENT_VOLUME},
    {"", "PersistentVolumeClaim", CLAIM},
    {"discovery.k8s.io", "EndpointSlice", ENDPOINT_SLICE},
    {"networking.k8s.io", "IngressClass", INGRESS_CLASS},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", FLOW_SCHEMA},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", PRIORITY_LEVEL},
    {"resource.k8s.io", "ResourceClaim", RESOURCE_CLAIM},
    {"resource.k8s.io", "ResourceClaimTemplate", RESOURCE_CLAIM_TEMPLATE},
    {"apps", "Deployment", DEPLOYMENT},
    {"apps", "StatefulSet", STATEFUL_SET},
    {"apps", "DaemonSet", DAEMON_SET},
    {"apps", "ReplicaSet", REPLICA_SET},
    {"batch", "Job", JOB},
    {"batch", "CronJob", CRON_JOB},
    {"autoscaling", "HorizontalPodAutoscaler", AUTOSCALER},
    {"storage.k8s.io", "StorageClass", STORAGE_CLASS},
    {"storage.k8s.io", "CSIDriver", CSI_DRIVER},
    {"scheduling.k8s.io", "PriorityClass", PRIORITY_CLASS},
    {"apiextensions.k8s.io", "CustomResourceDefinition", CRD},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", WEBHOOKS},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration", WEBHOOKS},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", POLICY},
    {"admissionregistration.k8s.io", "MutatingAdmissionPolicy", POLICY},
    {"apiregistration.k8s.io", "APIService", API_SERVICE},
};

const struct default_field *default_fields_of(struct str group, struct str kind)
{
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        if (str_is(kind, KINDS[i].kind) && str_is(group, KINDS[i].group))
            return KINDS[i].fields;
    return NULL;
}
