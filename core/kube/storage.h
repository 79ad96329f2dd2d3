/* storage.h — which StorageClass an object asks for, and where it says so.
 *
 * Claims, volumes, claim templates of StatefulSets and of pods name a class; so do the resources of many operators, at
 * the places that storage.def lists. An empty name is a wish too (no provisioning) and is not visited, as little as a
 * claim that leaves the choice to the cluster. Nothing fails: a part of the wrong type asks for nothing.
 */
#pragma once
#include "core/kube/bundle.h"

/* `pointer` leads to the name inside the object (RFC 6901). */
typedef void (*storage_fn)(void *ctx, struct str pointer, struct str class_name);
/* Visits every place where the object names a class; never twice the same. */
void storage_each_class(struct arena *arena, const struct resource *resource, storage_fn visit, void *ctx);
/* Whether it is a claim, or holds templates of claims, that leave the class to the cluster's default. */
bool storage_leaves_class_open(const struct resource *resource);

bool storage_is_class(const struct resource *resource); /* a StorageClass itself */
bool storage_is_default_class(const struct value *storage_class);
