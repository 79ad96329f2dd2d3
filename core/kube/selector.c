#include "core/kube/selector.h"

static bool holds_all(const struct value *wanted, const struct value *labels)
{
    MEMBER_EACH(label, wanted) {
        const struct value *have = value_get(labels, label->key);
        if (!value_is(have, VALUE_STRING) || !value_equal(have, &label->value))
            return false;
    }
    return true;
}

bool selector_map_matches(const struct value *wanted, const struct value *labels)
{
    return value_count(wanted) != 0 && holds_all(wanted, labels);
}

static bool is_one_of(const struct value *have, const struct value *values)
{
    VALUE_EACH(value, values)
        if (value_equal(have, value))
            return true;
    return false;
}

/* NotIn also holds where the label is absent; In does not. */
static bool expression_holds(const struct value *expression, const struct value *labels)
{
    const struct value *have = value_get(labels, value_str(value_key(expression, "key")));
    const struct value *values = value_key(expression, "values");
    struct str operation = value_str(value_key(expression, "operator"));

    if (str_is(operation, "In"))
        return have != NULL && is_one_of(have, values);
    if (str_is(operation, "NotIn"))
        return have == NULL || !is_one_of(have, values);
    if (str_is(operation, "Exists"))
        return have != NULL;
    return str_is(operation, "DoesNotExist") && have == NULL;
}

bool selector_matches(const struct value *selector, const struct value *labels)
{
    if (!value_is(selector, VALUE_MAP) || !holds_all(value_key(selector, "matchLabels"), labels))
        return false;
    VALUE_EACH(expression, value_key(selector, "matchExpressions"))
        if (!expression_holds(expression, labels))
            return false;
    return true;
}
