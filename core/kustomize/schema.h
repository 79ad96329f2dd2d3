/* schema.h — what strategic merge must know of the structure of objects: where lists are merged, and by
 * which keys.
 *
 * Two tables hold it, kinds.def and fields.def; both say where they come from. Nothing fails: what is not
 * in the tables has no shape, and its lists are replaced whole.
 */
#pragma once
#include "core/base/base.h"

enum shape {
    SHAPE_NONE,
    SHAPE_OBJECT,
    SHAPE_META,
    SHAPE_POD_OWNER,
    SHAPE_POD_OWNER_SPEC,
    SHAPE_STATEFUL_SET,
    SHAPE_STATEFUL_SET_SPEC,
    SHAPE_CRON_JOB,
    SHAPE_CRON_JOB_SPEC,
    SHAPE_POD_TEMPLATE_OBJECT,
    SHAPE_POD_TEMPLATE,
    SHAPE_POD_SPEC,
    SHAPE_POD_STATUS,
    SHAPE_CONTAINER,
    SHAPE_EPHEMERAL_CONTAINER,
    SHAPE_VOLUME,
    SHAPE_EPHEMERAL_VOLUME,
    SHAPE_SERVICE,
    SHAPE_SERVICE_SPEC,
    SHAPE_SERVICE_ACCOUNT,
    SHAPE_WEBHOOKS,
    SHAPE_CLAIM,
    SHAPE_CONDITIONED,
    SHAPE_CONDITIONED_FLAT,
    SHAPE_CONDITIONS,
    SHAPE_NODE,
    SHAPE_NODE_SPEC,
    SHAPE_NODE_STATUS,
    SHAPE_CSI_NODE,
    SHAPE_CSI_NODE_SPEC,
};

enum schema_what { SCHEMA_MAP, SCHEMA_LIST, SCHEMA_SET };

struct schema_field {
    enum shape shape;
    const char *name;
    enum schema_what what;
    enum shape below;    /* of the map, or of the list's items */
    const char *keys[2]; /* of a LIST; the second is NULL where there is one */
};

enum shape schema_shape(struct str group, struct str version, struct str kind);
/* Known to have no namespace. A kind kustomize does not know counts as namespaced. */
bool schema_cluster_scoped(struct str group, struct str version, struct str kind);
/* NULL when nothing is known of the field. */
const struct schema_field *schema_field_of(enum shape shape, struct str name);
