/* finding.h — what is wrong with a resource: not an error, a line of the report.
 * Checks, transform rules and the drill all report through this one type. Texts live in the run's arena. */
#pragma once
#include "core/kube/resource.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

struct finding {
    struct str check; /* stable id, "pss.baseline.host-path-volumes" */
    enum severity severity;
    struct str dimension; /* "schema" | "security" | "production" | "resources"; empty outside scoring */
    struct str api_version, kind, namespace, name;
    struct str path; /* dotted path inside the object; empty for the whole */
    struct str message, fix;
};

struct findings {
    struct finding *items;
    size_t count, cap;
};

/* About a resource, whole; set `path` for a place in it. What it is called is copied into `arena`, so that it may go;
 * `check` and `fix` are literals, and the message lives as long as the finding. */
struct finding finding_about(struct arena *arena, const struct resource *resource, const char *check,
                             enum severity severity, struct str message, const char *fix);

const char *severity_name(enum severity severity); /* "info", "warning", "error" */
/* {check, severity, dimension, resource{apiVersion,kind,namespace,name}, path, message, fix} */
const struct value *finding_value(struct arena *arena, const struct finding *finding);
