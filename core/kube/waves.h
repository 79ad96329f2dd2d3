/* waves.h — in which order a cluster is built up again.
 *
 * An object is created after what it needs: its namespace, the definition of its kind, the classes, accounts and
 * settings it names. What can refuse or slow down other objects (admission webhooks, aggregated APIs) comes last,
 * when the pods that answer it are there. One table in waves.c says which kind belongs where; our own apply, the
 * Argo CD sync waves and the Flux dependencies all read it. A kind that is not in the table is a custom resource.
 * Nothing fails.
 */
#pragma once
#include "core/kube/resource.h"

enum wave {
    WAVE_NAMESPACES,
    WAVE_DEFINITIONS, /* CRDs; wait until each is Established before going on */
    WAVE_CLASSES,     /* storage, priority, ingress and runtime classes, PersistentVolumes */
    WAVE_ACCESS,      /* service accounts, roles, bindings */
    WAVE_CONFIG,      /* ConfigMaps, Secrets, quotas, network policies */
    WAVE_CLAIMS,
    WAVE_WORKLOADS, /* Services, then what runs pods */
    WAVE_TRAFFIC,   /* autoscalers, disruption budgets, Ingresses, Routes */
    WAVE_CUSTOM,    /* custom resources, by their controllers that run by now */
    WAVE_GATES,     /* webhooks, admission policies, APIServices */
    WAVE_COUNT
};

enum wave wave_of(const struct resource *resource);
const char *wave_name(enum wave wave); /* "namespaces", "definitions", … */

/* The argocd.argoproj.io/sync-wave of a wave, never falling. Argo CD waits for health between its waves, and some things
 * become healthy only through what comes later: a WaitForFirstConsumer claim through its pod, a pod through the Secret
 * that a custom resource makes, an Ingress through a controller that may not be there. All of those share 0, Argo CD's
 * default, so that one sick workload holds back the gates and nothing else. */
int wave_argocd(enum wave wave);
