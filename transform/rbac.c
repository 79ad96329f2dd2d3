/* Roles that a controller fills. */
#include "transform/rule.h"

void rule_aggregated(struct subject *subject)
{
    if (value_is(value_key(subject->object, "aggregationRule"), VALUE_MAP))
        subject_set(subject, PATH("rules"), VALUE_LIST(subject->arena, NULL));
}
