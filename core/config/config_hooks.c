/* hooks: what each must say, and what contradicts itself. */
#include "core/base/pointer.h"
#include "core/config/config_read.h"

static bool one_of(struct str text, const char *a, const char *b)
{
    return str_is(text, a) || str_is(text, b);
}

/* What is wrong with it; NULL when nothing is. */
static const char *fault_of(const struct config_hook *hook)
{
    bool in_pod = hook->namespace.len != 0;
    size_t pod_words = hook->pod.len + hook->selector.len + hook->container.len;
    if (!str_is_dns_label(hook->name))
        return "a hook needs a name of lower-case letters, digits and '-'";
    if (!one_of(hook->when, "before", "after"))
        return "when is before or after";
    if (!one_of(hook->on_failure, "fail", "continue"))
        return "onFailure is fail or continue";
    if (hook->command.count == 0 || hook->command.items[0].len == 0)
        return "a hook needs a command: [program, argument, ...]";
    if (hook->timeout_ms <= 0)
        return "a hook's timeout must be above 0";
    if (!in_pod && pod_words != 0)
        return "pod needs a namespace";
    if (in_pod && (hook->pod.len != 0) == (hook->selector.len != 0))
        return "pod needs a name or a selector, and not both";
    if (in_pod && hook->environment.count != 0)
        return "environment is for commands on this machine; in a pod its own counts";
    return NULL;
}

bool config_read_hooks(struct config_reader *r, const struct value *list, struct config_hooks *ret_hooks)
{
    struct config_hooks hooks = {0};
    size_t index = 0;
    if (!config_expect(r, STR("/hooks"), list, VALUE_LIST, "a list of hooks"))
        return false;
    VALUE_EACH(item, list) {
        struct config_hook *hook = ARENA_PUSH(r->arena, &hooks);
        struct str at = pointer_index(r->arena, STR("/hooks"), index++);
        *hook = (struct config_hook){0};
        if (!config_read_item(r, &config_hook_keys, at, item, hook))
            return false;
        const char *fault = fault_of(hook);
        if (fault != NULL)
            return config_fail_at(r, at, fault);
        for (size_t i = 0; i + 1 < hooks.count; i++)
            if (str_eq(hooks.items[i].name, hook->name))
                return config_fail_at(r, at, "this hook comes twice");
    }
    *ret_hooks = hooks;
    return true;
}
