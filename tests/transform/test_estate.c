/* A whole estate, as a real cluster of 1.36 returned it after its controllers had run: what is declared must be what
 * was written, whichever way it was brought in. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/diff.h"
#include "core/base/json.h"
#include "tests/transform/fixture.h"

#define DUMPS  "testdata/transform-estates/"
#define ESTATE "testdata/estates/production-simulation"

/* What is rightly not declared: work that has ended, Secrets unless they only ask for a token, and locks. */
static bool is_left_out(const struct resource *written)
{
    bool token = str_is(value_str(value_key(written->object, "type")), "kubernetes.io/service-account-token");
    bool ended = resource_is(written, "batch", "Job") && str_is(written->name, "schema-migration");
    return ended || (resource_is(written, "", "Secret") && !token) ||
           resource_is(written, "coordination.k8s.io", "Lease");
}

/* Differences between what was written and what is declared that have a reason. */
typedef bool (*explained_fn)(const struct resource *written, const struct diff *difference);

static bool none(const struct resource *written, const struct diff *difference)
{
    return false;
}

/* Of objects that were created instead of applied, written defaults look like the server's own. */
static bool written_defaults_are_lost(const struct resource *written, const struct diff *difference)
{
    static const char *const defaults[] = {
        "*/imagePullPolicy", "*/periodSeconds", "*/listKind", "*/singular",   "/reclaimPolicy",
        "/spec/strategy/*",  "/spec/strategy",  "*/maxSurge", "*/targetPort",
    };
    for (size_t i = 0; i < COUNT_OF(defaults); i++)
        if (difference->kind == DIFF_REMOVED && str_glob(str_of(defaults[i]), difference->pointer))
            return true;
    return false;
}

/* And nothing tells a port that was asked for from one that was allocated. */
static bool written_ports_are_lost_too(const struct resource *written, const struct diff *difference)
{
    return written_defaults_are_lost(written, difference) || str_ends(difference->pointer, STR("/nodePort"));
}

/* What the server adds and the rules keep on purpose, or cannot tell. */
static bool additions_that_stay(const struct resource *written, const struct diff *difference)
{
    static const struct {
        const char *kind, *pointer;
        enum diff_kind how;
    } rows[] = {
        /* The server does not store an empty class of a volume. */
        {"PersistentVolume", "/spec/storageClassName", DIFF_REMOVED},
        /* Data hangs on these: they are better said than left to a default. */
        {"PersistentVolume", "/spec/persistentVolumeReclaimPolicy", DIFF_ADDED},
        {"PersistentVolume", "/spec/volumeMode", DIFF_ADDED},
        {"PersistentVolumeClaim", "/spec/volumeMode", DIFF_ADDED},
        {"PersistentVolume", "/spec/claimRef/*", DIFF_ADDED},
        {"StatefulSet", "/spec/volumeClaimTemplates/0/apiVersion", DIFF_ADDED},
        {"StatefulSet", "/spec/volumeClaimTemplates/0/kind", DIFF_ADDED},
        /* A chosen address stays whole. */
        {"Service", "/spec/clusterIPs", DIFF_ADDED},
        /* Copied from the template of its pods. */
        {"ReplicationController", "/metadata/labels", DIFF_ADDED},
        /* Inside lists that are owned as a whole, and as often written as not. */
        {"EndpointSlice", "/ports/0/protocol", DIFF_ADDED},
        {"NetworkPolicy", "/spec/ingress/0/ports/0/protocol", DIFF_ADDED},
        /* Who may what, and what a policy closes, is better said than left to a default. */
        {"NetworkPolicy", "/spec/policyTypes", DIFF_ADDED},
        {"*RoleBinding", "/subjects/0/apiGroup", DIFF_ADDED},
        /* The autoscaler's. */
        {"Deployment", "/spec/replicas", DIFF_REMOVED},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_glob(str_of(rows[i].kind), written->kind) && difference->kind == rows[i].how &&
            str_glob(str_of(rows[i].pointer), difference->pointer))
            return true;
    return false;
}

static void expect_same_object(struct arena *arena, const struct resource *written,
                               const struct resource *declared, explained_fn explains)
{
    struct diff_list differences = {0};
    diff_values(arena, written->object, declared->object, &differences);
    for (size_t i = 0; i < differences.count; i++) {
        const struct diff *difference = &differences.items[i];
        struct str label = resource_label(arena, written);
        struct str before = json_text(arena, difference->before ? difference->before : value_null(arena));
        struct str after = json_text(arena, difference->after ? difference->after : value_null(arena));
        cr_expect(explains(written, difference), "%.*s %.*s: written %.*s, declared %.*s", STR_ARG(label),
                  STR_ARG(difference->pointer), STR_ARG(before), STR_ARG(after));
    }
}

/* As kubectl prints objects unless it is asked for managedFields. */
static void hide_managers(struct transform_fixture *fixture)
{
    for (size_t i = 0; i < fixture->bundle.count; i++) {
        struct resource *resource = &fixture->bundle.items[i];
        resource->object =
            value_without_in(fixture->arena, resource->object, PATH("metadata", "managedFields"));
    }
}

enum managers { MANAGERS_SHOWN, MANAGERS_HIDDEN };

static void expect_estate(const char *dump, const char *estate, enum managers managers, explained_fn explains)
{
    struct transform_fixture live, written;
    transform_fixture_init(&live);
    transform_fixture_init(&written);
    cr_assert(transform_fixture_read(&live, dump), "%s", live.err.msg);
    if (managers == MANAGERS_HIDDEN)
        hide_managers(&live);
    cr_assert(transform_fixture_read(&written, estate), "%s", written.err.msg);
    bundle_sort(&written.bundle);

    cr_assert(transform_fixture_run(&live), "%s", live.err.msg);

    size_t found = 0;
    for (size_t i = 0; i < written.bundle.count; i++) {
        const struct resource *wish = &written.bundle.items[i];
        const struct resource *declared =
            bundle_find(&live.bundle, resource_group(wish), wish->kind, wish->namespace, wish->name);
        cr_expect_eq(declared == NULL, is_left_out(wish), "%.*s", STR_ARG(resource_label(live.arena, wish)));
        found += declared != NULL;
        if (declared != NULL)
            expect_same_object(live.arena, wish, declared, explains);
    }
    cr_expect_eq(found, live.bundle.count, "%zu objects are declared that nobody wrote",
                 live.bundle.count - found);
    transform_fixture_done(&live);
    transform_fixture_done(&written);
}

Test(transform_estate, applied_by_the_server)
{
    expect_estate(DUMPS "production-simulation/server-side-apply.json", ESTATE, MANAGERS_SHOWN, none);
}

Test(transform_estate, applied_by_kubectl)
{
    expect_estate(DUMPS "production-simulation/client-side-apply.json", ESTATE, MANAGERS_SHOWN, none);
}

Test(transform_estate, created)
{
    expect_estate(DUMPS "production-simulation/create.json", ESTATE, MANAGERS_SHOWN,
                  written_defaults_are_lost);
}

Test(transform_estate, every_built_in_kind_with_nothing_but_defaults)
{
    expect_estate(DUMPS "kinds/server-side-apply.json", DUMPS "kinds/written.yaml", MANAGERS_SHOWN,
                  additions_that_stay);
}

Test(transform_estate, with_managers_hidden)
{
    expect_estate(DUMPS "production-simulation/server-side-apply.json", ESTATE, MANAGERS_HIDDEN,
                  written_ports_are_lost_too);
}

Test(transform_estate, an_empty_cluster_is_empty_with_managers_hidden)
{
    struct transform_fixture fixture;
    transform_fixture_init(&fixture);
    cr_assert(transform_fixture_read(&fixture, "testdata/transform/00-empty-control-plane/in.json"), "%s",
              fixture.err.msg);
    hide_managers(&fixture);
    cr_expect_gt(fixture.bundle.count, 200);
    cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    cr_expect_eq(fixture.bundle.count, 0, "%s", transform_fixture_all(&fixture));
    transform_fixture_done(&fixture);
}

/* With the log or with its counts alone: the same objects, findings and report. */
Test(transform_estate, who_does_not_ask_for_the_log_gets_the_same)
{
    static const char *const dumps[] = {DUMPS "production-simulation/client-side-apply.json",
                                        DUMPS "kinds/server-side-apply.json"};
    for (size_t i = 0; i < COUNT_OF(dumps); i++) {
        const char *objects[2], *findings[2];
        struct str sections[2];
        struct transform_fixture f[2];
        for (size_t counted = 0; counted < 2; counted++) {
            transform_fixture_init(&f[counted]);
            *ARENA_PUSH(f[counted].arena, &f[counted].config.rules) =
                (struct config_rule){.name = STR("team"),
                                     .set_pointer = STR("/metadata/labels/team"),
                                     .set_value = value_cstr(f[counted].arena, "a")};
            cr_assert(transform_fixture_read(&f[counted], dumps[i]), "%s", f[counted].err.msg);
            cr_assert(counted ? transform_stage(&f[counted].run, &f[counted].bundle, &f[counted].err)
                              : transform_fixture_run(&f[counted]),
                      "%s", f[counted].err.msg);
            objects[counted] = transform_fixture_all(&f[counted]);
            findings[counted] = transform_fixture_findings(&f[counted]);
            const struct value *section = counted ? value_key(run_report(&f[counted].run), "transform")
                                                  : transform_section(f[counted].arena, &f[counted].log);
            sections[counted] = json_text(f[counted].arena, section);
        }
        cr_expect_str_eq(objects[1], objects[0]);
        cr_expect_str_eq(findings[1], findings[0]);
        cr_expect(str_eq(sections[1], sections[0]), "%.*s", STR_ARG(sections[1]));
        cr_expect(str_contains(sections[1], STR("\"user.team\":")), "%.*s", STR_ARG(sections[1]));
        cr_expect_eq(f[0].log.steps, f[0].log.count);
        transform_fixture_done(&f[0]);
        transform_fixture_done(&f[1]);
    }
}
