#include "dr-scenarios/restore_intern.h"

bool restore_verdict(const struct restore_result *result, struct err *err)
{
    size_t not_ready = result->waited - result->ready;
    if (result->failed == 0 && not_ready == 0)
        return true;
    const struct finding *first = result->findings.count ? &result->findings.items[0] : NULL;
    return err_set(
        err, ERR_INCOMPLETE,
        "%zu of %zu objects were not restored, %zu of %zu are not ready; first %.*s/%.*s/%.*s: %.*s",
        result->failed, result->declared + result->secrets.count, not_ready, result->waited,
        STR_ARG(first ? first->namespace : STR_NONE), STR_ARG(first ? first->kind : STR_NONE),
        STR_ARG(first ? first->name : STR_NONE), STR_ARG(first ? first->message : STR_NONE));
}

const struct value *restore_section(struct arena *arena, const struct restore_result *result)
{
    struct value_list_builder secrets = {0};
    for (size_t i = 0; i < result->secrets.count; i++)
        value_push(arena, &secrets, value_string(arena, result->secrets.items[i]));
    return VALUE_MAP(
        arena, {"declared", value_int(arena, (int64_t)result->declared)},
        {"applied", value_int(arena, (int64_t)result->applied)},
        {"failed", value_int(arena, (int64_t)result->failed)},
        {"replaced", result->replaced ? value_int(arena, (int64_t)result->replaced) : NULL},
        {"unrehearsed", result->unrehearsed ? value_int(arena, (int64_t)result->unrehearsed) : NULL},
        {"waited", value_int(arena, (int64_t)result->waited)},
        {"ready", value_int(arena, (int64_t)result->ready)},
        {"secretsProvided", value_list_done(arena, &secrets)},
        {"applyMs", value_int(arena, result->apply_ms)}, {"waitMs", value_int(arena, result->wait_ms)});
}
