/* convert --verify must be able to fail: whatever is changed between what the rules say and what is written is found, at
 * its place, and nothing else is. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/pointer.h"
#include "tests/transform/fixture.h"
#include "transform/verify.h"

#define ESTATE "testdata/transform-estates/production-simulation/client-side-apply.json"

static void start(struct transform_fixture *f, const char *path)
{
    transform_fixture_init(f);
    cr_assert(transform_fixture_read(f, path), "%s", f->err.msg);
    cr_assert(transform_fixture_run(f), "%s", f->err.msg);
}

static const char *listed(struct transform_fixture *f, const struct verification *v)
{
    return str_c(f->arena, json_text(f->arena, value_list_done(f->arena, &v->unexplained)));
}

/* What one object of the mutated bundle should be blamed for. */
struct blame {
    const struct resource *resource;
    struct str path;
};

struct blames {
    struct blame *items;
    size_t count, cap;
};

static void expect_blamed(struct transform_fixture *f, const struct bundle *written,
                          const struct blames *blames)
{
    struct verification v;
    verification_init(f->arena, &v);
    transform_verify(f->arena, &f->log, written, &v);
    cr_expect_eq(v.unexplained.count, blames->count, "%zu blamed of %zu: %s", v.unexplained.count,
                 blames->count, listed(f, &v));
    for (size_t i = 0; i < v.unexplained.count && i < blames->count; i++) {
        const struct value *item = &v.unexplained.items[i];
        struct str label = resource_label(f->arena, blames->items[i].resource);
        cr_expect(str_eq(value_str(value_key(item, "resource")), label) &&
                      str_eq(value_str(value_key(item, "path")), blames->items[i].path),
                  "%s, and not %.*s %.*s", str_c(f->arena, json_text(f->arena, item)), STR_ARG(label),
                  STR_ARG(blames->items[i].path));
    }
}

Test(transform_verify, what_the_rules_made_is_explained)
{
    static const char *const dumps[] = {
        ESTATE,
        "testdata/transform-estates/production-simulation/create.json",
        "testdata/transform-estates/production-simulation/server-side-apply.json",
        "testdata/transform-estates/kinds/server-side-apply.json",
        "testdata/estates/production-simulation",
    };
    for (size_t i = 0; i < COUNT_OF(dumps); i++) {
        struct transform_fixture f;
        struct verification v;
        start(&f, dumps[i]);
        verification_init(f.arena, &v);
        transform_verify(f.arena, &f.log, &f.bundle, &v);
        cr_expect_eq(v.unexplained.count, 0, "%s: %s", dumps[i], listed(&f, &v));
        cr_expect_eq(v.objects, f.log.objects);
        cr_expect_gt(v.explained, 0);
        transform_fixture_done(&f);
    }
}

/* --- a repository that is not what was written --- */

/* Pointers of all scalars below. */
static void scalars(struct arena *arena, const struct value *value, struct str pointer, struct str_list *list)
{
    MEMBER_EACH(member, value)
        scalars(arena, &member->value, pointer_child(arena, pointer, member->key), list);
    for (uint32_t i = 0; value_is(value, VALUE_LIST) && i < value->count; i++)
        scalars(arena, &value->items[i], pointer_index(arena, pointer, i), list);
    bool identity = str_is(pointer, "/apiVersion") || str_is(pointer, "/kind") ||
                    str_is(pointer, "/metadata/name") || str_is(pointer, "/metadata/namespace");
    if (value->kind < VALUE_LIST && !identity)
        *ARENA_PUSH(arena, list) = pointer;
}

static bool inside_a_list(const struct value *object, struct str pointer)
{
    return value_is(pointer_get(object, str_slice(pointer, 0, str_rfind(pointer, '/'))), VALUE_LIST);
}

/* In round k, the k-th scalar of every object is mutated: all scalars of all objects, in as many runs as the largest
 * object has of them. */
typedef const struct value *(*mutate_fn)(struct arena *arena, const struct value *object, struct str pointer);

static const struct value *without(struct arena *arena, const struct value *object, struct str pointer)
{
    const struct value *after = NULL;
    struct err err;
    cr_assert(pointer_remove(arena, object, pointer, &after, &err), "%s", err.msg);
    return after;
}

static const struct value *otherwise(struct arena *arena, const struct value *object, struct str pointer)
{
    const struct value *after = NULL;
    struct err err;
    cr_assert(pointer_replace(arena, object, pointer, value_cstr(arena, "other"), &after, &err), "%s",
              err.msg);
    return after;
}

static size_t mutate_scalars(struct transform_fixture *f, size_t round, mutate_fn mutate)
{
    struct bundle written = f->bundle;
    struct blames blames = {0};
    written.items =
        arena_grow(f->arena, f->bundle.items, f->bundle.count, f->bundle.count, sizeof *written.items);
    for (size_t i = 0; i < written.count; i++) {
        struct str_list list = {0};
        scalars(f->arena, written.items[i].object, STR_NONE, &list);
        /* Taking an item out of a list moves those behind it: more than one place then differs. */
        if (round >= list.count ||
            (mutate == without && inside_a_list(written.items[i].object, list.items[round])))
            continue;
        written.items[i].object = mutate(f->arena, written.items[i].object, list.items[round]);
        *ARENA_PUSH(f->arena, &blames) =
            (struct blame){&f->bundle.items[i], pointer_dotted(f->arena, list.items[round])};
    }
    expect_blamed(f, &written, &blames);
    return blames.count;
}

Test(transform_verify, every_lost_or_changed_field_is_found_where_it_is)
{
    static const mutate_fn mutations[] = {without, otherwise};
    struct transform_fixture f;
    start(&f, ESTATE);
    for (size_t i = 0; i < COUNT_OF(mutations); i++) {
        size_t found = 0;
        for (size_t round = 0; round < 60; round++)
            found += mutate_scalars(&f, round, mutations[i]);
        cr_expect_gt(found, 700, "only %zu fields were mutated", found);
    }
    transform_fixture_done(&f);
}

Test(transform_verify, lost_and_foreign_objects_are_found)
{
    struct transform_fixture f;
    start(&f, ESTATE);
    struct bundle written = f.bundle;
    struct resource foreign = f.bundle.items[0];
    foreign.name = STR("zz-nobody");
    written.items = arena_grow(f.arena, f.bundle.items, 0, f.bundle.count, sizeof *written.items);
    written.count = 0;
    for (size_t i = 1; i < f.bundle.count; i++)
        written.items[written.count++] = f.bundle.items[i];
    written.items[written.count++] = foreign;
    bundle_sort(&written);
    struct blame blames[] = {{&f.bundle.items[0], STR_NONE}, {&foreign, STR_NONE}};
    expect_blamed(&f, &written, &(struct blames){blames, 2, 2});
    transform_fixture_done(&f);
}

/* --- rules that lie --- */

static bool covered_later(const struct transform_log *log, size_t index)
{
    for (size_t i = index + 1; i < log->count && log->items[i].resource == log->items[index].resource; i++)
        if (str_starts(log->items[index].pointer, log->items[i].pointer))
            return true;
    return false;
}

/* Of each object the k-th entry is taken out of the log: the rule did something and did not say so. */
Test(transform_verify, what_a_rule_did_without_saying_so_is_found)
{
    struct transform_fixture f;
    size_t silent = 0;
    start(&f, ESTATE);
    for (size_t round = 0; round < 12; round++) {
        struct transform_log all = f.log, kept = f.log;
        const struct resource *at = NULL;
        size_t number = 0, expected = 0;
        kept.items = NULL;
        kept.count = kept.cap = 0;
        for (size_t i = 0; i < all.count; i++) {
            number = all.items[i].resource == at ? number + 1 : 0;
            at = all.items[i].resource;
            if (number == round && !covered_later(&all, i))
                expected++;
            else
                *ARENA_PUSH(f.arena, &kept) = all.items[i];
        }
        struct verification v;
        verification_init(f.arena, &v);
        transform_verify(f.arena, &kept, &f.bundle, &v);
        cr_expect_geq(v.unexplained.count, expected, "round %zu: %s", round, listed(&f, &v));
        silent += expected;
    }
    cr_expect_gt(silent, 500);
    transform_fixture_done(&f);
}

static const char SERVICE[] = "apiVersion: v1\n"
                              "kind: Service\n"
                              "metadata: {name: web, namespace: shop, uid: u, labels: {tier: front}}\n"
                              "spec: {sessionAffinity: ClientIP, ports: [{port: 80, targetPort: 8080}]}\n";

/* Says what `change` makes of the log and the written object, and expects that blame. */
struct lie {
    const char *rule, *pointer, *json; /* json: a change to this; NULL: a removal */
    bool done;                         /* it was really done to what is written */
    const char *path, *blame;
};

Test(transform_verify, what_a_rule_said_and_did_not_do_or_might_not_is_found)
{
    static const struct lie lies[] = {
        {"defaults.fields", "/spec/sessionAffinity", NULL, true, "spec.sessionAffinity",
         "removed as a default, which it is not"},
        {"defaults.fields", "/spec/ports/0/targetPort", NULL, true, "spec.ports[0].targetPort",
         "removed as a default, which it is not"},
        {"defaults.fields", "/metadata/labels", NULL, true, "metadata.labels", "removed as a default"},
        {"noise.status", "/spec/sessionAffinity", NULL, false, "spec.sessionAffinity", "no rule added it"},
        {"noise.status", "/spec/nothing", NULL, false, "spec.nothing", "there is nothing to do it to"},
        {"workload.scaled-replicas", "/spec/ports/0/port", "81", false, "spec.ports[0].port",
         "with another value"},
    };
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        struct transform_fixture f;
        struct verification v;
        const struct lie *lie = &lies[i];
        transform_fixture_init(&f);
        cr_assert(transform_fixture_text(&f, SERVICE), "%s", f.err.msg);
        cr_assert(transform_fixture_run(&f), "%s", f.err.msg);
        struct transform_entry entry = {.rule = transform_rule_find(str_of(lie->rule)),
                                        .resource = &f.log.live.items[0],
                                        .action = lie->json ? TRANSFORM_CHANGED : TRANSFORM_REMOVED,
                                        .pointer = str_of(lie->pointer)};
        if (lie->json != NULL)
            cr_assert(json_parse(f.arena, str_of(lie->json), NULL, &entry.value, &f.err));
        if (lie->done)
            f.bundle.items[0].object = without(f.arena, f.bundle.items[0].object, entry.pointer);
        *ARENA_PUSH(f.arena, &f.log) = entry;

        verification_init(f.arena, &v);

        transform_verify(f.arena, &f.log, &f.bundle, &v);

        const char *list = listed(&f, &v);
        cr_expect_eq(v.unexplained.count, 1, "%s %s: %s", lie->rule, lie->pointer, list);
        cr_expect(strstr(list, lie->path) && strstr(list, lie->blame), "%s %s: %s", lie->rule, lie->pointer,
                  list);
        transform_fixture_done(&f);
    }
}

Test(transform_verify, a_written_object_that_a_rule_left_out_is_found)
{
    struct transform_fixture f;
    struct verification v;
    transform_fixture_init(&f);
    cr_assert(
        transform_fixture_text(&f, "apiVersion: v1\nkind: Event\nmetadata: {name: e, namespace: shop}\n"));
    struct bundle written = f.bundle;
    cr_assert(transform_fixture_run(&f), "%s", f.err.msg);
    verification_init(f.arena, &v);
    transform_verify(f.arena, &f.log, &written, &v);
    cr_expect_eq(v.unexplained.count, 1);
    cr_expect(strstr(listed(&f, &v), "runtime.kinds left it out"), "%s", listed(&f, &v));
    transform_fixture_done(&f);
}

/* Verification output goes into reports: no value of an object may be in it. */
Test(transform_verify, no_value_is_ever_said)
{
    struct transform_fixture f;
    struct verification v;
    transform_fixture_init(&f);
    cr_assert(transform_fixture_text(&f,
                                     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n"
                                     "data: {password: hunter2-live}\n"));
    cr_assert(transform_fixture_run(&f), "%s", f.err.msg);
    f.bundle.items[0].object = value_with_in(f.arena, f.bundle.items[0].object, PATH("data", "password"),
                                             value_cstr(f.arena, "hunter2-written"));
    verification_init(f.arena, &v);
    transform_verify(f.arena, &f.log, &f.bundle, &v);
    cr_expect_eq(v.unexplained.count, 1);
    cr_expect_not(strstr(listed(&f, &v), "hunter2"), "%s", listed(&f, &v));
    transform_fixture_done(&f);
}
