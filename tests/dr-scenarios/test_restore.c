/* Rebuilding a cluster, against the sandbox: what gets there, what does not, and what is said about it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/config/config.h"
#include "core/net/retry.h"
#include "dr-scenarios/compare.h"
#include "dr-scenarios/restore.h"
#include "dr-scenarios/sandbox/sandbox.h"

#define ESTATE "testdata/estates/production-simulation"

struct fixture {
    struct run run;
    struct config config;
    struct sandbox *sandbox;
    struct kube *kube;
    struct retry_policy policy;
    struct bundle declared;
    struct restore_options options;
    struct restore_result result;
    struct err err;
};

static void start(struct fixture *f, const struct sandbox_options *options)
{
    *f = (struct fixture){0};
    char path[] = "/tmp/restore-test-XXXXXX";
    f->run.arena = arena_new();
    f->run.config = &f->config;
    f->policy = RETRY_DEFAULT;
    f->policy.attempts = f->policy.attempts_unknown = 1;
    f->options.wait_timeout_ms = 60000;
    bundle_init(&f->declared, f->run.arena);
    cr_assert(sandbox_start(options, &f->sandbox, &f->err), "%s", f->err.msg);
    close(mkstemp(path));
    cr_assert(sandbox_write_kubeconfig(f->sandbox, path, &f->err), "%s", f->err.msg);
    const struct kube_options target = {.kubeconfig = str_of(path), .retry = &f->policy};
    cr_assert(kube_open(f->run.arena, &target, &f->kube, &f->err), "%s", f->err.msg);
    unlink(path);
}

static void stop(struct fixture *f)
{
    kube_close(f->kube);
    sandbox_stop(f->sandbox);
    arena_free(f->run.arena);
}

static void declare(struct fixture *f, const char *yaml)
{
    cr_assert(bundle_read_text(&f->declared, str_of(yaml), STR("test"), &f->err), "%s", f->err.msg);
    cr_assert_eq(f->declared.problems.count, 0, "%.*s", STR_ARG(f->declared.problems.items[0]));
    bundle_sort(&f->declared);
}

static bool restore(struct fixture *f)
{
    return restore_run(&f->run, f->kube, &f->declared, &f->options, &f->result, &f->err);
}

static void expect_finding(struct fixture *f, size_t index, const char *check, const char *name,
                           const char *message)
{
    cr_assert_gt(f->result.findings.count, index);
    const struct finding *finding = &f->result.findings.items[index];
    cr_expect(str_is(finding->check, check), "%.*s", STR_ARG(finding->check));
    cr_expect(str_is(finding->name, name), "%.*s", STR_ARG(finding->name));
    cr_expect(str_contains(finding->message, str_of(message)), "%.*s", STR_ARG(finding->message));
}

#define SPACE "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
#define WEB(name, extra)                                                                                     \
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " name ", namespace: shop}, spec: {selector: " \
    "{matchLabels: {app: " name "}}, template: {metadata: {labels: {app: " name "}}, spec: {containers: "    \
    "[{name: main, image: 'web:1'" extra "}]}}}}\n---\n"
#define CLASH "{apiVersion: v1, kind: ConfigMap, metadata: {name: BAD, namespace: shop}}\n---\n"
#define THING                                                                                                \
    "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t, namespace: shop}, spec: {size: "          \
    "1}}\n---\n"                                                                                             \
    "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: "                \
    "things.example.com}, spec: {group: example.com, scope: Namespaced, names: {plural: things, kind: "      \
    "Thing}, "                                                                                               \
    "versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, "           \
    "x-kubernetes-preserve-unknown-fields: true}}}]}}\n---\n"

Test(restore, an_empty_cluster_gets_everything_and_holds_what_was_declared, .timeout = 120)
{
    struct fixture f;
    struct bundle live;
    struct compare_result compared;
    start(&f, &(struct sandbox_options){.ready_after_ms = 100});
    cr_assert(bundle_read_manifests(f.run.arena, ESTATE, &f.declared, &f.err), "%s", f.err.msg);

    cr_expect(restore(&f), "%s", f.err.msg);

    cr_expect_eq(f.result.applied, f.declared.count);
    cr_expect_eq(f.result.ready, f.result.waited);
    cr_expect_gt(f.result.waited, 8);
    cr_assert(kube_snapshot(f.kube, f.run.arena, &(struct kube_selection){0}, NULL, &live, &f.err), "%s",
              f.err.msg);
    compare_bundles(f.run.arena, &f.declared, &live, &compared);
    cr_expect_eq(
        compared.count, 0, "%.*s",
        STR_ARG(compared.count ? compare_finding(f.run.arena, &compared.items[0]).message : STR_NONE));
    stop(&f);
}

Test(restore, types_that_are_served_late_are_waited_for, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){.served_after_ms = 300});
    declare(&f, SPACE THING);
    cr_expect(restore(&f), "%s", f.err.msg);
    cr_expect_eq(f.result.applied, 3);
    stop(&f);
}

Test(restore, refuses_a_target_that_is_in_use, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE WEB("web", ""));
    cr_assert(restore(&f), "%s", f.err.msg);

    cr_expect_not(restore(&f));
    cr_expect_eq(f.err.code, ERR_REFUSED);
    cr_expect(strstr(f.err.msg, "it has shop"), "%s", f.err.msg);
    cr_expect_eq(f.result.applied, 0);

    f.options.allow_not_empty = true; /* and then it goes on where it was */
    cr_expect(restore(&f), "%s", f.err.msg);
    stop(&f);
}

Test(restore, refuses_the_cluster_of_the_backup, .timeout = 120)
{
    static const struct resource_type namespaces = {
        .version = STR_INIT("v1"), .kind = STR_INIT("Namespace"), .plural = STR_INIT("namespaces")};
    const struct value *system;
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE);
    cr_assert(kube_get(f.kube, f.run.arena, &namespaces, STR_NONE, STR("kube-system"), &system, &f.err));
    f.options.source_uid = value_str_in(system, PATH("metadata", "uid"));

    cr_expect_not(restore(&f));
    cr_expect_eq(f.err.code, ERR_REFUSED);
    f.options.allow_same_cluster = true;
    cr_expect(restore(&f), "%s", f.err.msg);
    stop(&f);
}

Test(restore, one_refused_object_is_named_and_the_rest_goes_on, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(
        &f,
        SPACE CLASH WEB(
            "web", "") "{apiVersion: gone.example.com/v1, kind: Lost, metadata: {name: l, namespace: shop}}");
    f.options.wait_timeout_ms = 500;

    cr_expect_not(restore(&f));

    cr_expect_eq(f.err.code, ERR_INCOMPLETE);
    cr_expect_eq(f.result.failed, 2);
    cr_expect_eq(f.result.applied, 2);
    cr_expect_eq(f.result.ready, 1);
    expect_finding(&f, 0, "restore.refused", "BAD", "metadata.name: Invalid value");
    expect_finding(&f, 1, "restore.refused", "l", "the target serves no Lost of gone.example.com/v1");
    stop(&f);
}

Test(restore, fields_that_cannot_change_are_left_to_a_decision, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE WEB("web", ""));
    cr_assert(restore(&f), "%s", f.err.msg);
    bundle_init(&f.declared, f.run.arena);
    declare(
        &f,
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: "
        "{matchLabels: {app: other}}, template: {metadata: {labels: {app: other}}, spec: {containers: "
        "[{name: main, image: 'web:1'}]}}}}\n---\n" WEB("second", ""));
    f.options.allow_not_empty = true;

    cr_expect_not(restore(&f));

    cr_expect_eq(f.err.code, ERR_INCOMPLETE);
    cr_expect_eq(f.result.applied, 1);
    expect_finding(&f, 0, "restore.replace-or-keep", "web", "field is immutable");
    stop(&f);
}

Test(restore, what_does_not_get_ready_is_named_when_time_is_up, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){.never_ready = "shop/broken"});
    declare(&f,
            SPACE WEB("web", "") WEB("broken", "") WEB("keyless", ", envFrom: [{secretRef: {name: key}}]"));
    f.options.wait_timeout_ms = 700;

    cr_expect_not(restore(&f));

    cr_expect_eq(f.err.code, ERR_INCOMPLETE);
    cr_expect_eq(f.result.waited, 3);
    cr_expect_eq(f.result.ready, 1);
    expect_finding(&f, 0, "restore.not-ready", "broken", "CrashLoopBackOff");
    expect_finding(&f, 1, "restore.not-ready", "keyless", "Secret \"key\" not found");
    cr_expect_lt(f.result.wait_ms, 2000);
    stop(&f);
}

Test(restore, secrets_of_the_backup_fill_in_and_only_their_names_are_told, .timeout = 120)
{
    struct fixture f;
    struct bundle backup;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE WEB("web", ", envFrom: [{secretRef: {name: key}}]"));
    bundle_init(&backup, f.run.arena);
    cr_assert(
        bundle_read_text(&backup,
                         STR("{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: shop, uid: "
                             "'1', resourceVersion: '7', "
                             "managedFields: []}, data: {a: aHVudGVyMg==}}\n---\n"
                             "{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, "
                             "metadata: {name: token, "
                             "namespace: shop}, data: {token: eA==}}\n---\n"
                             "{apiVersion: v1, kind: Secret, metadata: {name: made, namespace: shop, "
                             "ownerReferences: [{apiVersion: "
                             "v1, kind: X, name: x, uid: y, controller: true}]}}\n---\n"
                             "{apiVersion: v1, kind: Secret, metadata: {name: elsewhere, namespace: other}}"),
                         STR("backup"), &f.err));
    f.options.provided_secrets = &backup;

    cr_expect(restore(&f), "%s", f.err.msg);

    cr_assert_eq(f.result.secrets.count, 1);
    cr_expect(str_is(f.result.secrets.items[0], "shop/key"));
    struct str told = json_text(f.run.arena, restore_section(f.run.arena, &f.result));
    cr_expect(!str_contains(told, STR("aHVudGVyMg==")) && str_contains(told, STR("shop/key")));
    stop(&f);
}

Test(restore, a_dry_run_tries_everything_and_keeps_nothing, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE WEB("web", "") CLASH THING);
    f.options.dry_run = true;
    size_t before = sandbox_objects(f.sandbox);

    cr_expect_not(restore(&f));

    cr_expect_eq(f.result.applied, 3);
    cr_expect_eq(f.result.unrehearsed, 1); /* the Thing, whose definition is only rehearsed */
    expect_finding(&f, 0, "restore.refused", "BAD", "Invalid value");
    cr_expect_eq(sandbox_objects(f.sandbox), before);
    cr_expect_not_null(value_key(restore_section(f.run.arena, &f.result), "unrehearsed"));
    stop(&f);
}

Test(restore, a_version_that_the_target_has_not_is_named, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE "---\napiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\n"
                      "metadata: {name: web, namespace: shop}\nspec: {maxReplicas: 2}\n");
    f.options.dry_run = true;
    f.options.wait_timeout_ms = 200;
    cr_expect(restore(&f), "a dry run takes it for one it cannot try yet: %s", f.err.msg);
    f.options.dry_run = false;
    cr_expect_not(restore(&f));
    expect_finding(&f, 0, "restore.refused", "web", "serves no HorizontalPodAutoscaler of autoscaling/v1");
    stop(&f);
}

Test(restore, one_stumble_of_the_server_is_no_end, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE WEB("web", ""));
    sandbox_fault(f.sandbox, &(struct sandbox_fault){
                                 .kind = SANDBOX_ERROR, .method = "PATCH", .match = "*/web", .times = 1});
    cr_expect(restore(&f), "%s", f.err.msg);
    stop(&f);
}

Test(restore, a_target_that_goes_away_ends_it, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE WEB("web", ""));
    sandbox_fault(f.sandbox, &(struct sandbox_fault){.kind = SANDBOX_CLOSE, .skip = 3});
    cr_expect_not(restore(&f));
    cr_expect_eq(f.err.code, ERR_UNREACHABLE);
    stop(&f);
}

Test(restore, a_token_without_rights_ends_it_with_names, .timeout = 120)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(&f, SPACE WEB("web", ""));
    sandbox_fault(f.sandbox, &(struct sandbox_fault){
                                 .kind = SANDBOX_FORBID, .method = "PATCH", .match = "*/deployments/*"});
    cr_expect_not(restore(&f));
    cr_expect_eq(f.err.code, ERR_INCOMPLETE);
    expect_finding(&f, 0, "restore.refused", "web", "cannot patch resource \"deployments\"");
    stop(&f);
}

/* Whether a warning about storage classes says so. */
static bool warns(const struct fixture *f, const char *says)
{
    for (size_t i = 0; i < f->result.warnings.count; i++)
        if (str_is(f->result.warnings.items[i].check, "restore.storage-class") &&
            str_contains(f->result.warnings.items[i].message, str_of(says)))
            return true;
    return false;
}

Test(restore, a_storage_class_that_nobody_has_is_named_before_its_claims_wait)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    f.options.dry_run = true;
    declare(&f, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n"
                "spec: {accessModes: [ReadWriteOnce], storageClassName: gone, resources: {requests: "
                "{storage: 1Gi}}}\n---\n"
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: b}\n"
                "spec: {accessModes: [ReadWriteOnce], storageClassName: gone, resources: {requests: "
                "{storage: 1Gi}}}\n---\n"
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\n"
                "spec: {accessModes: [ReadWriteOnce], storageClassName: brought, resources: {requests: "
                "{storage: 1Gi}}}\n---\n"
                "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: brought}\nprovisioner: "
                "x.io/y\n");
    cr_expect(restore_run(&f.run, f.kube, &f.declared, &f.options, &f.result, &f.err), "%s", f.err.msg);
    cr_expect(warns(&f, "storage class gone, which the target has not (2 places in all)"));
    cr_expect_not(warns(&f, "brought"));
    f.options.any_storage_class = true;
    cr_expect(restore_run(&f.run, f.kube, &f.declared, &f.options, &f.result, &f.err), "%s", f.err.msg);
    cr_expect_eq(f.result.warnings.count, 0);
    stop(&f);
}

/* Every folder of testdata/rebuild is a case: see its README. UPDATE=1 writes what is not there yet. */
static void append_findings(struct buf *text, const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        buf_fmt(text, "%.*s %.*s/%.*s: %.*s\n", STR_ARG(finding->check), STR_ARG(finding->kind),
                STR_ARG(finding->name), STR_ARG(finding->message));
    }
}

static void restore_case(const char *folder, bool replace, struct fixture *f)
{
    const char *dir = str_c(f->run.arena, str_fmt(f->run.arena, "testdata/rebuild/%s", folder));
    const char *there = str_c(f->run.arena, str_fmt(f->run.arena, "%s/there.yaml", dir));
    const char *in = str_c(f->run.arena, str_fmt(f->run.arena, "%s/in.yaml", dir));
    struct restore_result first;
    f->options.allow_not_empty = f->options.any_storage_class = true;
    if (access(there, R_OK) == 0) {
        cr_assert(bundle_read_manifests(f->run.arena, there, &f->declared, &f->err), "%s", f->err.msg);
        bundle_sort(&f->declared);
        cr_assert(restore_apply(&f->run, f->kube, &f->declared, &f->options, &first, &f->err), "%s",
                  f->err.msg);
        cr_assert_eq(first.failed, 0, "%s", folder);
    }
    bundle_init(&f->declared, f->run.arena);
    cr_assert(bundle_read_manifests(f->run.arena, in, &f->declared, &f->err), "%s", f->err.msg);
    bundle_sort(&f->declared);
    f->options.replace = replace;
    cr_assert(restore_apply(&f->run, f->kube, &f->declared, &f->options, &f->result, &f->err), "%s",
              f->err.msg);
}

static void check_case(const char *folder)
{
    struct fixture f;
    struct str want = STR_NONE;
    struct buf got CLEANUP(buf_done);
    start(&f, &(struct sandbox_options){0});
    buf_init(&got, 1 << 20);
    restore_case(folder, false, &f);
    append_findings(&got, &f.result.warnings);
    append_findings(&got, &f.result.findings);
    const char *path = str_c(f.run.arena, str_fmt(f.run.arena, "testdata/rebuild/%s/findings.txt", folder));
    if (getenv("UPDATE") && access(path, F_OK) != 0)
        cr_assert(file_write(path, buf_view(&got), 0644, &f.err), "%s", f.err.msg);
    cr_assert(file_read(f.run.arena, path, 1 << 20, &want, &f.err), "%s", f.err.msg);
    cr_expect(str_eq(buf_view(&got), want), "%s\n  got:\n%.*s\n  want:\n%.*s", folder,
              STR_ARG(buf_view(&got)), STR_ARG(want));
    stop(&f);
}

Test(restore, every_case_of_rebuilding_says_what_it_should)
{
    check_case("29-immutable");
    check_case("32-what-blocks-itself");
}

Test(restore, what_holds_no_data_is_replaced_when_that_is_asked_for)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    restore_case("29-immutable", true, &f);
    cr_expect_eq(f.result.replaced, 3);
    cr_assert_eq(f.result.findings.count, 1);
    cr_expect(str_is(f.result.findings.items[0].kind, "PersistentVolumeClaim"),
              "a claim holds data and stays");
    stop(&f);
}

/* Said in an annotation, against the order of names: what is needed is applied first, and the sandbox counts. */
Test(restore, what_is_needed_is_applied_first)
{
    struct fixture f;
    start(&f, &(struct sandbox_options){0});
    declare(
        &f,
        "apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {gitops-pipe.io/depends-on: "
        "Deployment/z}}\nspec: {ports: [{port: 80}]}\n---\n"
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b, annotations: "
        "{gitops-pipe.io/depends-on: Deployment/z}}\nspec: {replicas: 0, selector: {matchLabels: {a: b}}, "
        "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}\n---\n"
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: z}\nspec: {replicas: 0, selector: "
        "{matchLabels: {a: z}}, template: {metadata: {labels: {a: z}}, spec: {containers: [{name: c, "
        "image: i}]}}}\n");
    cr_expect(restore_run(&f.run, f.kube, &f.declared, &f.options, &f.result, &f.err), "%s", f.err.msg);
    static const struct resource_type type = {.group = STR_INIT("apps"),
                                              .version = STR_INIT("v1"),
                                              .kind = STR_INIT("Deployment"),
                                              .plural = STR_INIT("deployments"),
                                              .namespaced = true};
    uint64_t version[2] = {0};
    static const char *const names[] = {"z", "b"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct value *live;
        cr_assert(kube_get(f.kube, f.run.arena, &type, STR("default"), str_of(names[i]), &live, &f.err), "%s",
                  f.err.msg);
        cr_assert(str_to_u64(value_str_in(live, PATH("metadata", "resourceVersion")), &version[i]));
    }
    cr_expect_lt(version[0], version[1], "z at %lu, b at %lu", (unsigned long)version[0],
                 (unsigned long)version[1]);
    stop(&f);
}
