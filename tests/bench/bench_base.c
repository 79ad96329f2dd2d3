/* Reading JSON, writing JSON and YAML: megabytes per second over a cluster's worth of objects. */
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "core/base/json.h"
#include "core/base/yaml.h"
#include "tests/bench/bench.h"
#include "tests/bench/corpus.h"

struct work {
    struct str text;
    const struct value *tree;
    struct buf out;
    uint64_t sum;
};

static void parse(void *ctx)
{
    struct work *work = ctx;
    struct arena *arena = arena_new();
    const struct value *tree;
    struct err err;
    if (!json_parse(arena, work->text, NULL, &tree, &err))
        abort();
    arena_free(arena);
}

/* The floor of any reader: look at every byte once. */
static void look_at_every_byte(void *ctx)
{
    struct work *work = ctx;
    uint64_t sum = 0;
    for (size_t i = 0; i < work->text.len; i++)
        sum += (unsigned char)work->text.ptr[i] == '"';
    work->sum += sum;
}

static void write_json(void *ctx)
{
    struct work *work = ctx;
    buf_clear(&work->out);
    json_write(&work->out, work->tree);
}

static void write_yaml(void *ctx)
{
    struct work *work = ctx;
    buf_clear(&work->out);
    VALUE_EACH(item, value_key(work->tree, "items"))
        yaml_write(&work->out, item);
}

/* The peer: libyaml's emitter over the same scalars, one flat sequence, which is kind to it. */
static void libyaml_scalars(yaml_emitter_t *emitter, const struct value *value)
{
    yaml_event_t event;
    MEMBER_EACH(member, value) {
        yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)member->key.ptr,
                                     (int)member->key.len, 1, 1, YAML_ANY_SCALAR_STYLE);
        yaml_emitter_emit(emitter, &event);
        libyaml_scalars(emitter, &member->value);
    }
    VALUE_EACH(item, value)
        libyaml_scalars(emitter, item);
    struct str text = value_text(value);
    if (text.len == 0)
        return;
    yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text.ptr, (int)text.len, 1, 1,
                                 YAML_ANY_SCALAR_STYLE);
    yaml_emitter_emit(emitter, &event);
}

static int discard(void *data, unsigned char *buffer, size_t size)
{
    *(size_t *)data += size;
    return 1;
}

static void libyaml_write(void *ctx)
{
    struct work *work = ctx;
    yaml_emitter_t emitter;
    yaml_event_t event;
    size_t bytes = 0;
    yaml_emitter_initialize(&emitter);
    yaml_emitter_set_output(&emitter, discard, &bytes);
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    yaml_emitter_emit(&emitter, &event);
    yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    yaml_emitter_emit(&emitter, &event);
    yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
    yaml_emitter_emit(&emitter, &event);
    libyaml_scalars(&emitter, work->tree);
    yaml_sequence_end_event_initialize(&event);
    yaml_emitter_emit(&emitter, &event);
    yaml_document_end_event_initialize(&event, 1);
    yaml_emitter_emit(&emitter, &event);
    yaml_stream_end_event_initialize(&event);
    yaml_emitter_emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
    work->sum += bytes;
}

int main(void)
{
    struct arena *arena = arena_new();
    struct work work = {.text = corpus_json(arena, 50, 10000)};
    struct err err;
    buf_init(&work.out, (size_t)1 << 30);
    if (!json_parse(arena, work.text, NULL, &work.tree, &err))
        abort();
    double mb = (double)work.text.len / 1e6;
    printf("text: 10 000 objects, %.1f MB of JSON\n", mb);
    double floor = bench_best(look_at_every_byte, &work, 5);
    bench_row("parse JSON", mb, "MB/s", bench_best(parse, &work, 5), "looking at every byte", floor);
    bench_row("write JSON", mb, "MB/s", bench_best(write_json, &work, 5), "looking at every byte", floor);
    double yaml = bench_best(write_yaml, &work, 5), yaml_mb = (double)work.out.len / 1e6;
    bench_row("write YAML", yaml_mb, "MB/s", yaml, "libyaml", bench_best(libyaml_write, &work, 2));
    buf_done(&work.out);
    arena_free(arena);
    return 0;
}
