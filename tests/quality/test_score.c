/* The numbers: where known estates come out, and what a score promises whatever is in the bundle. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/json.h"
#include "quality/tally.h"
#include "tests/quality/fixture.h"

static const struct value *score_of(struct fixture *f, const char *path)
{
    fixture_init(f);
    fixture_read(f, path);
    return fixture_score(f);
}

Test(score, a_well_kept_estate_comes_out_near_its_reference)
{
    struct fixture f;
    const struct value *score = score_of(&f, "testdata/estates/production-simulation");
    cr_expect_geq(fixture_number(score, PATH("overall")), 92);
    cr_expect_geq(fixture_number(score, PATH("dimensions", "schema")), 98);
    cr_expect_geq(fixture_number(score, PATH("dimensions", "production")), 93);
    cr_expect_geq(fixture_number(score, PATH("dimensions", "resources")), 85);
    cr_expect_geq(fixture_number(score, PATH("dimensions", "security")), 93);
    cr_expect_eq(fixture_number(score, PATH("counts", "errors")), 0);
    fixture_done(&f);
}

/* A reader who may not see Secrets must not be told that they are missing. */
Test(score, what_could_not_be_read_is_not_called_missing)
{
    static const char *const pod =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n"
        "  containers:\n    - {name: c, envFrom: [{secretRef: {name: login}}]}\n";
    for (int readable = 0; readable < 2; readable++) {
        struct fixture f;
        bool called = false;
        fixture_init(&f);
        fixture_text(&f, pod);
        f.bundle.resource_version = STR("7");
        f.bundle.types = (struct resource_types){0};
        *ARENA_PUSH(f.arena, &f.bundle.types) =
            (struct resource_type){.version = STR("v1"),
                                   .kind = STR("Secret"),
                                   .plural = STR("secrets"),
                                   .consistency = readable ? STR("exact") : STR_NONE,
                                   .missing = readable ? STR_NONE : STR("forbidden")};
        VALUE_EACH(finding, value_key(fixture_score(&f), "findings"))
            called = called || str_is(value_str(value_key(finding, "check")), "production.missing-secret");
        cr_expect_eq(called, readable, "readable %d", readable);
        fixture_done(&f);
    }
}

Test(score, a_careless_stack_fails)
{
    struct fixture f;
    const struct value *score = score_of(&f, "testdata/quality/bad-stack");
    cr_expect_lt(fixture_number(score, PATH("overall")), 50);
    cr_expect_lt(fixture_number(score, PATH("dimensions", "security")), 20);
    cr_expect(str_is(value_str(value_key(score, "grade")), "F"));
    fixture_done(&f);
}

/* The section's shape is an interface: scripts and reports read it. */
Test(score, a_finding_says_what_where_and_how_to_mend_it)
{
    struct fixture f;
    const struct value *score = score_of(&f, "testdata/quality/pss.baseline.host-path-volumes/bad.yaml");
    const struct value *findings = value_key(score, "findings");
    const struct value *finding = value_item(findings, 0);
    VALUE_EACH(other, findings)
        if (str_is(value_str(value_key(other, "check")), "pss.baseline.host-path-volumes"))
            finding = other;
    struct str text = json_text(f.arena, finding);
    cr_expect(
        str_is(text,
               "{\"check\":\"pss.baseline.host-path-volumes\",\"severity\":\"error\",\"dimension\":"
               "\"security\",\"resource\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\","
               "\"namespace\":\"\",\"name\":\"web\"},\"path\":\"spec.template.spec.volumes[1].hostPath\","
               "\"message\":\"a hostPath volume gives the pod the node's files: /var/run/docker.sock\","
               "\"fix\":\"use a PersistentVolumeClaim, an emptyDir or a local volume\"}"),
        "%.*s", STR_ARG(text));
    fixture_done(&f);
}

Test(score, errors_come_first)
{
    struct fixture f;
    const struct value *findings = value_key(score_of(&f, "testdata/quality/bad-stack"), "findings");
    static const char *const order[] = {"error", "warning", "info"};
    size_t at = 0;
    VALUE_EACH(finding, findings) {
        struct str severity = value_str(value_key(finding, "severity"));
        while (at < COUNT_OF(order) && !str_is(severity, order[at]))
            at++;
        cr_assert_lt(at, COUNT_OF(order), "%.*s comes too late", STR_ARG(severity));
    }
    cr_expect_eq(at, 2, "the stack has findings of every severity");
    fixture_done(&f);
}

static const char children[] =
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {replicas: 1, "
    "selector: "
    "{matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, "
    "image: "
    "nginx}]}}}}\n---\n"
    "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, namespace: shop, ownerReferences: "
    "[{apiVersion: "
    "apps/v1, kind: Deployment, name: web, controller: true}]}, spec: {replicas: 1, selector: {matchLabels: "
    "{app: "
    "web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "
    "nginx}]}}}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: web-1-a, namespace: shop, labels: {app: web}, "
    "ownerReferences: "
    "[{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, controller: true}]}, spec: {containers: [{name: "
    "web, "
    "image: nginx}]}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: orphan, namespace: shop, ownerReferences: [{apiVersion: "
    "apps/v1, "
    "kind: ReplicaSet, name: gone, controller: true}]}, spec: {containers: [{name: web, image: "
    "nginx}]}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: proxy, namespace: kube-system}, spec: {hostNetwork: true, "
    "containers: [{name: proxy, image: proxy}]}}\n";

Test(score, children_and_system_namespaces_are_counted_but_not_judged)
{
    struct fixture f;
    fixture_init(&f);
    fixture_text(&f, children);
    const struct value *score = fixture_score(&f);
    cr_expect_eq(fixture_number(score, PATH("counts", "objects")), 5);
    cr_expect_eq(fixture_number(score, PATH("counts", "judged")), 2, "the Deployment and the orphan");
    cr_expect_eq(fixture_number(score, PATH("counts", "children")), 2);
    cr_expect_eq(fixture_number(score, PATH("counts", "excluded")), 1);

    const struct value *namespaces = value_key(score, "namespaces");
    cr_assert_eq(value_count(namespaces), 2);
    cr_expect(value_true(value_key(value_item(namespaces, 0), "excluded")),
              "kube-system is listed as excluded");
    cr_expect_eq(fixture_number(value_item(namespaces, 1), PATH("objects")), 2);
    fixture_done(&f);
}

/* Findings are bounded per check and object; the count is not. */
Test(score, what_is_not_listed_is_still_counted)
{
    struct fixture f;
    struct buf text;
    fixture_init(&f);
    buf_init(&text, 1 << 20);
    buf_text(&text, "{apiVersion: v1, kind: Pod, metadata: {name: many}, spec: {containers: [");
    for (int i = 0; i < 40; i++)
        buf_fmt(&text, "{name: c%d, image: nginx},", i);
    buf_text(&text, "]}}\n");
    fixture_text(&f, str_c(f.arena, buf_view(&text)));
    const struct value *score = fixture_score(&f);
    size_t listed = 0;
    for (size_t i = 0; i < f.run.findings.count; i++)
        listed += str_is(f.run.findings.items[i].check, "production.image-tag");
    cr_expect_eq(listed, FOUND_PER_CHECK_AND_RESOURCE);
    cr_expect_gt(fixture_number(score, PATH("counts", "notListed")), 0);
    cr_expect_geq(fixture_number(score, PATH("counts", "errors")), 40);
    buf_done(&text);
    fixture_done(&f);
}

Test(score, annotations_have_a_size_limit)
{
    struct fixture f;
    struct buf text;
    fixture_init(&f);
    buf_init(&text, 1 << 20);
    buf_text(
        &text,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\n  annotations:\n    example.com/blob: ");
    buf_repeat(&text, 'x', 256 * 1024);
    buf_char(&text, '\n');
    fixture_text(&f, str_c(f.arena, buf_view(&text)));
    fixture_score(&f);
    cr_assert_eq(f.run.findings.count, 1);
    cr_expect(str_ends(f.run.findings.items[0].message, STR("more than 256 KiB in all")));
    buf_done(&text);
    fixture_done(&f);
}

Test(score, what_kubernetes_keeps_for_itself_is_not_judged)
{
    static const char *const texts[] = {
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: admin, labels: "
        "{kubernetes.io/bootstrapping: rbac-defaults}}, rules: [{verbs: ['*'], resources: ['*']}]}\n",
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: 'system:x'}}\n",
        "{apiVersion: v1, kind: Node, metadata: {name: one}}\n",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: kube-root-ca.crt, namespace: shop}}\n",
        "{apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default}}\n",
        "{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}\n",
        "{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: openshift-dns}, spec: {hostNetwork: "
        "true}}\n",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct fixture f;
        fixture_init(&f);
        fixture_text(&f, texts[i]);
        cr_expect_eq(fixture_number(fixture_score(&f), PATH("counts", "excluded")), 1, "%s", texts[i]);
        fixture_done(&f);
    }
}

/* A Service's own Endpoints carry no reference to it. */
Test(score, endpoints_of_a_selecting_service_are_its_children)
{
    struct fixture f;
    fixture_init(&f);
    fixture_text(
        &f,
        "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {a: b}}}\n"
        "---\n{apiVersion: v1, kind: Endpoints, metadata: {name: web, namespace: shop}}\n"
        "---\n{apiVersion: v1, kind: Endpoints, metadata: {name: by-hand, namespace: shop}}\n");
    const struct value *score = fixture_score(&f);
    cr_expect_eq(fixture_number(score, PATH("counts", "children")), 1);
    cr_expect_eq(fixture_number(score, PATH("counts", "judged")), 2);
    fixture_done(&f);
}

/* An API that the cluster still serves is going away; one that it does not serve is gone. */
Test(score, the_cluster_s_version_decides_what_is_removed)
{
    static const struct {
        const char *version, *check;
    } cases[] = {
        {"v1.24.3", "schema.deprecated-api"}, {"v1.25.0", "schema.removed-api"}, {"", "schema.removed-api"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        fixture_init(&f);
        fixture_text(&f, "{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: x}}\n");
        f.bundle.server_version = str_of(cases[i].version);
        fixture_score(&f);
        bool found = false;
        for (size_t k = 0; k < f.run.findings.count; k++)
            found = found || str_is(f.run.findings.items[k].check, cases[i].check);
        cr_expect(found, "%s should be %s", cases[i].version, cases[i].check);
        fixture_done(&f);
    }
}

/* ---- What the formula promises: random verdicts, a fixed seed. ---- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static struct verdict random_verdict(uint32_t *state, uint32_t one_in)
{
    struct verdict verdict = {0};
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        verdict.applies[i] = next_random(state) % 2 == 0;
        if (verdict.applies[i] && next_random(state) % one_in == 0)
            verdict.findings[i] = 1;
    }
    return verdict;
}

static bool is_violating(const struct verdict *verdict)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (verdict->findings[i] != 0)
            return true;
    return false;
}

/* A verdict that is dirty in one dimension may be clean in others and help them; what it violates may not gain. */
static bool violates_in(const struct verdict *verdict, size_t dimension)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (checks[i].dimension == dimension && verdict->findings[i] != 0 &&
            checks[i].severity != SEVERITY_INFO)
            return true;
    return false;
}

enum { ESTATES = 300, MAX_OBJECTS = 12 };
static const struct weights weights = {{30, 30, 25, 15}};

static struct scores scores_of(const struct verdict *verdicts, size_t count)
{
    struct tally tally = {0};
    for (size_t i = 0; i < count; i++)
        tally_add(&tally, &verdicts[i]);
    return tally_scores(&tally, &weights);
}

Test(score, mending_a_finding_never_lowers_a_score)
{
    uint32_t state = 7;
    for (int estate = 0; estate < ESTATES; estate++) {
        struct verdict verdicts[MAX_OBJECTS];
        size_t count = 1 + next_random(&state) % MAX_OBJECTS;
        for (size_t i = 0; i < count; i++)
            verdicts[i] = random_verdict(&state, 2 + next_random(&state) % 40);
        struct scores before = scores_of(verdicts, count);
        struct verdict *mended = &verdicts[next_random(&state) % count];
        for (size_t i = 0; i < CHECK_COUNT; i++) {
            if (mended->findings[i] == 0)
                continue;
            mended->findings[i] = 0;
            struct scores after = scores_of(verdicts, count);
            cr_assert_geq(after.overall, before.overall, "estate %d, %s", estate, checks[i].id);
            for (size_t d = 0; d < DIMENSION_COUNT; d++)
                cr_assert_geq(after.dimensions[d], before.dimensions[d], "estate %d, %s", estate,
                              checks[i].id);
            before = after;
        }
    }
}

Test(score, a_violating_object_never_raises_the_dimension_it_violates)
{
    uint32_t state = 11;
    for (int estate = 0; estate < ESTATES; estate++) {
        struct verdict verdicts[MAX_OBJECTS + 1];
        size_t count = 1 + next_random(&state) % MAX_OBJECTS;
        for (size_t i = 0; i <= count; i++)
            verdicts[i] = random_verdict(&state, 2 + next_random(&state) % 40);
        if (!is_violating(&verdicts[count]))
            continue;
        struct scores before = scores_of(verdicts, count), after = scores_of(verdicts, count + 1);
        for (size_t d = 0; d < DIMENSION_COUNT; d++)
            if (violates_in(&verdicts[count], d))
                cr_assert_leq(after.dimensions[d], before.dimensions[d], "estate %d, dimension %zu", estate,
                              d);
    }
}

Test(score, order_is_of_no_account)
{
    uint32_t state = 13;
    struct verdict verdicts[MAX_OBJECTS], turned[MAX_OBJECTS];
    for (size_t i = 0; i < MAX_OBJECTS; i++)
        verdicts[i] = random_verdict(&state, 5);
    for (size_t i = 0; i < MAX_OBJECTS; i++)
        turned[i] = verdicts[(i * 5 + 3) % MAX_OBJECTS];
    struct scores a = scores_of(verdicts, MAX_OBJECTS), b = scores_of(turned, MAX_OBJECTS);
    cr_expect_eq(memcmp(&a, &b, sizeof a), 0);
}

Test(score, a_hundred_means_that_nothing_was_found)
{
    struct tally tally = {0};
    struct verdict clean = {0}, dirty = {0};
    memset(clean.applies, 1, sizeof clean.applies);
    memset(dirty.applies, 1, sizeof dirty.applies);
    cr_expect_eq(tally_scores(&tally, &weights).overall, 100);
    for (int i = 0; i < 100000; i++)
        tally_add(&tally, &clean);
    cr_expect_eq(tally_scores(&tally, &weights).overall, 100);
    for (size_t i = 0; i < CHECK_COUNT && dirty.findings[0] == 0; i++)
        if (checks[i].severity == SEVERITY_WARNING)
            dirty.findings[i] = 1;
    tally_add(&tally, &dirty);
    cr_expect_eq(tally_scores(&tally, &weights).overall, 99);
}

Test(score, weights_of_zero_count_alike)
{
    struct tally tally = {0};
    struct verdict verdict = {0};
    verdict.applies[0] = true;
    verdict.findings[0] = 1;
    tally_add(&tally, &verdict);
    cr_expect_eq(checks[0].severity, SEVERITY_ERROR);
    cr_expect_eq(tally_scores(&tally, &(struct weights){{0}}).overall, (75 + 300) / 4);
}

/* Taking an object of the careless stack away, or adding a careless one elsewhere, through the whole stage. */
Test(score, one_more_careless_namespace_never_raises_the_score)
{
    static const char more[] =
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: extra}, spec: {selector: "
        "{matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {hostPID: true, "
        "containers: "
        "[{name: web, image: nginx}]}}}}\n";
    struct fixture f, g;
    const struct value *before = score_of(&f, "testdata/estates/production-simulation");
    fixture_init(&g);
    fixture_read(&g, "testdata/estates/production-simulation");
    fixture_text(&g, more);
    const struct value *after = fixture_score(&g);
    static const char *const names[] = {"security", "production", "resources"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        cr_expect_leq(fixture_number(after, PATH("dimensions", names[i])),
                      fixture_number(before, PATH("dimensions", names[i])), "%s", names[i]);
    cr_expect_lt(fixture_number(after, PATH("overall")), fixture_number(before, PATH("overall")));
    fixture_done(&f);
    fixture_done(&g);
}

Test(score, grades_have_their_thresholds)
{
    static const struct {
        int score;
        const char *grade;
    } cases[] = {{100, "A+"}, {97, "A+"}, {96, "A"}, {90, "A-"}, {88, "B+"},
                 {80, "B-"},  {70, "C-"}, {69, "D"}, {59, "F"},  {0, "F"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_str_eq(score_grade(cases[i].score), cases[i].grade, "%d", cases[i].score);
}

/* ---- The gate. ---- */

Test(score, the_gate_says_what_missed_and_by_how_much)
{
    struct fixture f;
    const struct value *score = score_of(&f, "testdata/quality/bad-stack");
    f.config.gate_overall = 80;
    f.config.fail_on = STR("error");
    cr_assert_not(score_gate(&f.config, score, &f.err));
    cr_expect_eq(f.err.code, ERR_FINDINGS);
    cr_expect(strstr(f.err.msg, "is below 80") != NULL, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, " errors") != NULL, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "warnings") == NULL, "failOn error does not count warnings: %s", f.err.msg);
    fixture_done(&f);
}

Test(score, a_passed_gate_is_silent)
{
    struct fixture f;
    const struct value *score = score_of(&f, "testdata/estates/production-simulation");
    f.config.gate_overall = 92;
    f.config.gate_security = 90;
    f.config.fail_on = STR("error");
    cr_expect(score_gate(&f.config, score, &f.err), "%s", f.err.msg);
    f.config.fail_on = STR("warning");
    cr_expect_not(score_gate(&f.config, score, &f.err));
    fixture_done(&f);
}

Test(score, a_gate_does_not_open_for_nothing)
{
    struct fixture f;
    fixture_init(&f);
    fixture_text(&f, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-system}}\n");
    const struct value *score = fixture_score(&f);
    cr_expect(score_gate(&f.config, score, &f.err), "no gate is set");
    f.config.gate_overall = 1;
    cr_expect_not(score_gate(&f.config, score, &f.err));
    cr_expect(strstr(f.err.msg, "no object was judged") != NULL, "%s", f.err.msg);
    fixture_done(&f);
}

/* ---- Text. ---- */

static struct str text_of(struct fixture *f, const struct value *score, bool colour)
{
    struct buf buf;
    buf_init(&buf, 1 << 20);
    score_write_text(&buf, score, colour);
    struct str text = str_dup(f->arena, buf_view(&buf));
    buf_done(&buf);
    return text;
}

Test(score, text_is_as_it_was)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"testdata/estates/production-simulation", "testdata/quality/text/production-simulation.txt"},
        {"testdata/estates/enterprise-platform", "testdata/quality/text/enterprise-platform.txt"},
        {"testdata/estates/multi-tenant-isp", "testdata/quality/text/multi-tenant-isp.txt"},
        {"testdata/estates/mesh-benchmark", "testdata/quality/text/mesh-benchmark.txt"},
        {"testdata/estates/store-platform", "testdata/quality/text/store-platform.txt"},
        {"testdata/quality/bad-stack", "testdata/quality/text/bad-stack.txt"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        struct str want;
        struct str text = text_of(&f, score_of(&f, cases[i].in), false);
        cr_assert(file_read(f.arena, cases[i].want, 1 << 20, &want, &f.err), "%s", f.err.msg);
        cr_expect(str_eq(text, want), "%s:\n%.*s", cases[i].want, STR_ARG(text));
        fixture_done(&f);
    }
}

Test(score, names_cannot_move_the_cursor)
{
    struct fixture f;
    fixture_init(&f);
    fixture_text(&f,
                 "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": "
                 "\"a\\u001b[2Jb\\u009bc\", \"namespace\": \"shop\"}, \"spec\": {\"containers\": [{\"name\": "
                 "\"x\\r\\ny\", \"image\": \"nginx\"}]}}\n");
    struct str text = text_of(&f, fixture_score(&f), false);
    for (size_t i = 0; i < text.len; i++)
        cr_assert((unsigned char)text.ptr[i] >= 0x20 || text.ptr[i] == '\n', "byte %02x at %zu",
                  (unsigned char)text.ptr[i], i);
    cr_expect_not(str_contains(text, STR("\xC2\x9B")));
    cr_expect(
        str_contains(text_of(&f, value_key(run_report(&f.run), "score"), true), STR("\033[31merror\033[0m")));
    fixture_done(&f);
}

Test(score, nothing_to_score_is_said_plainly)
{
    struct fixture f;
    fixture_init(&f);
    fixture_text(&f, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-system}}\n");
    cr_expect(
        str_is(text_of(&f, fixture_score(&f), false), " nothing to score: 1 object, none of them judged\n"));
    fixture_done(&f);
}
