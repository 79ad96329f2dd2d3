#include "tests/fuzz/round_trip.h"

#include <math.h>

#include "core/base/json.h"
#include "core/base/yaml.h"
#include "tests/fuzz/fuzz.h"

/* 1e400 is a number to JSON and a string to Go's YAML reader, and so to ours. */
static bool numbers_fit(struct arena *arena, const struct value *value)
{
    bool fit = value->kind != VALUE_NUMBER || isfinite(strtod(str_c(arena, value_text(value)), NULL));
    VALUE_EACH(item, value)
        fit = fit && numbers_fit(arena, item);
    MEMBER_EACH(member, value)
        fit = fit && numbers_fit(arena, &member->value);
    return fit;
}

static void through_json(struct arena *arena, const struct value *value,
                         void (*write)(struct buf *, const struct value *))
{
    struct buf text CLEANUP(buf_done);
    struct err err;
    const struct value *again;
    buf_init(&text, (size_t)1 << 30);
    write(&text, value);
    fuzz_expect(json_parse(arena, buf_view(&text), NULL, &again, &err), err.msg);
    fuzz_expect(value_equal(value, again), "JSON came back as another tree");
}

static void through_yaml(struct arena *arena, const struct value *value)
{
    struct buf text CLEANUP(buf_done);
    struct yaml_documents documents;
    struct err err = {0};
    buf_init(&text, (size_t)1 << 30);
    yaml_write(&text, value);
    fuzz_expect(yaml_parse(arena, buf_view(&text), STR("written"), &documents, &err), err.msg);
    fuzz_expect(documents.count == 1 && value_equal(value, documents.items[0].root),
                "YAML came back as another tree");
}

void fuzz_round_trip(struct arena *arena, const struct value *value)
{
    through_json(arena, value, json_write);
    through_json(arena, value, json_write_pretty);
    if (numbers_fit(arena, value))
        through_yaml(arena, value);
}
