/* helm.h — what Helm keeps about its releases in a cluster.
 *
 * Helm 3 writes one record per revision: a Secret of type helm.sh/release.v1 (or a ConfigMap, by choice) called
 * sh.helm.release.v1.<release>.v<revision> and labelled owner=helm, name, version and status. Its key "release" holds
 * base64 of a gzip of JSON {name, info{status}, chart{metadata{name, version, appVersion}}, config, manifest, …}; in a
 * Secret that is base64 once more. Source: helm.sh/helm/v3/pkg/storage/driver.
 * The labels alone are enough to know a release; the payload is read for the chart, within bounds, in a scratch arena,
 * because it holds every value that was ever given to the chart. A payload that cannot be read is no error: then the
 * chart is unknown.
 */
#pragma once
#include "core/kube/resource.h"

enum { HELM_PAYLOAD_MAX = 32 << 20 }; /* bytes of JSON */

struct helm_release {
    struct str namespace, name, status;           /* status: "deployed", "failed", "superseded", … */
    struct str chart, chart_version, app_version; /* empty: unknown */
    uint64_t revision;
};

/* Whether the resource is a release record, of Helm 3 or of Helm 2's Tiller. */
bool helm_is_record(const struct resource *resource);
/* What the name and the labels of a Helm 3 record say; false for anything else. Views into the resource. */
bool helm_release_of(const struct resource *record, struct helm_release *ret_release);
/* Reads the chart out of the payload, copied into `arena`; the fields stay empty where that cannot be. */
void helm_read_chart(struct arena *arena, const struct resource *record, struct helm_release *release);
/* The same over the bytes of the payload: a gzip of JSON. False when it is none, or beyond the bound. */
bool helm_read_payload(struct arena *arena, struct str gzip, struct helm_release *release);
