/* Selectors decide what belongs together; they must decide as the API server does. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/kube/selector.h"

static const struct value *json(struct arena *arena, const char *text)
{
    struct err err;
    const struct value *value;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s: %s", text, err.msg);
    return value;
}

static const char labels_text[] = "{\"app\":\"web\",\"tier\":\"front\"}";

Test(selector, label_selectors_match_as_the_api_server_says)
{
    static const struct {
        const char *selector;
        bool matches;
    } cases[] = {
        {"{}", true},
        {"null", false},
        {"[]", false},
        {"{\"matchLabels\":{\"app\":\"web\"}}", true},
        {"{\"matchLabels\":{\"app\":\"api\"}}", false},
        {"{\"matchLabels\":{\"app\":\"web\",\"zone\":\"a\"}}", false},
        {"{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"api\",\"web\"]}]}", true},
        {"{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"In\",\"values\":[\"a\"]}]}", false},
        {"{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"NotIn\",\"values\":[\"web\"]}]}", false},
        {"{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"NotIn\",\"values\":[\"a\"]}]}", true},
        {"{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Exists\"}]}", true},
        {"{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"DoesNotExist\"}]}", false},
        {"{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Near\"}]}", false},
    };
    struct arena *arena = arena_new();
    const struct value *labels = json(arena, labels_text);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_eq(selector_matches(json(arena, cases[i].selector), labels), cases[i].matches, "%s",
                     cases[i].selector);
    cr_expect_not(selector_matches(NULL, labels));
    cr_expect(selector_matches(json(arena, "{}"), NULL), "an empty selector also selects unlabelled pods");
    arena_free(arena);
}

Test(selector, a_service_without_selector_selects_nothing)
{
    struct arena *arena = arena_new();
    const struct value *labels = json(arena, labels_text);
    cr_expect(selector_map_matches(json(arena, "{\"app\":\"web\"}"), labels));
    cr_expect_not(selector_map_matches(json(arena, "{\"app\":\"api\"}"), labels));
    cr_expect_not(selector_map_matches(json(arena, "{}"), labels));
    cr_expect_not(selector_map_matches(NULL, labels));
    arena_free(arena);
}
