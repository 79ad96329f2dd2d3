/* selector.h — which labels a selector selects, as the API server decides it.
 *
 * Two forms exist: a plain map of labels (Service, ReplicationController, DeploymentConfig) and a LabelSelector with
 * matchLabels and matchExpressions (everything newer). In the second form an empty selector selects everything and an
 * absent one nothing. Source: Kubernetes API reference, "LabelSelector v1 meta".
 */
#pragma once
#include "core/base/value.h"

/* Every label of `wanted` is among `labels`. An empty or absent `wanted` matches nothing: that is how a Service
 * without a selector behaves. */
bool selector_map_matches(const struct value *wanted, const struct value *labels);
/* A LabelSelector. NULL selects nothing, {} everything; an operator that is not known selects nothing. */
bool selector_matches(const struct value *selector, const struct value *labels);
