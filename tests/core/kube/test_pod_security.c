/* Which pods a level of the Pod Security Standards lets in, and what keeps the others out. Where each control says a pod
 * breaks it is tested with the score, by testdata/quality/pss.*. */
#include "core/kube/pod_security.h"

#include <criterion/criterion.h>

#include "core/kube/bundle.h"

#define KEPT                                                                                                 \
    "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, runAsNonRoot: true, seccompProfile: "     \
    "{type: RuntimeDefault}"

static const struct {
    const char *spec, *baseline, *restricted;
} pods[] = {
    {"containers: [{name: c, securityContext: {" KEPT "}}]", "", ""},
    {"securityContext: {runAsNonRoot: true, seccompProfile: {type: Localhost}}, containers: [{name: c, "
     "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]",
     "", ""},
    {"containers: [{name: c}]", "",
     "allowPrivilegeEscalation, runAsNonRoot, capabilities.drop, seccompProfile"},
    {"containers: [{name: c, securityContext: {" KEPT "}}], initContainers: [{name: i}]", "",
     "allowPrivilegeEscalation, runAsNonRoot, capabilities.drop, seccompProfile"},
    {"containers: [{name: c, securityContext: {" KEPT "}}], ephemeralContainers: [{name: e, securityContext: "
     "{privileged: true, " KEPT "}}]",
     "privileged", "privileged"},
    {"hostNetwork: true, hostIPC: true, containers: [{name: c, securityContext: {" KEPT "}}]",
     "hostNetwork, hostIPC", "hostNetwork, hostIPC"},
    {"volumes: [{name: a, hostPath: {path: /}}, {name: b, nfs: {}}], containers: [{name: c, "
     "securityContext: {" KEPT "}}]",
     "hostPath", "hostPath, volumes"},
    {"containers: [{name: c, securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, "
     "seccompProfile: {type: Unconfined}, capabilities: {drop: [ALL], add: [CHOWN]}}}]",
     "seccompProfile", "seccompProfile, capabilities.drop"},
    {"containers: [{name: c, ports: [{hostPort: 80}], livenessProbe: {tcpSocket: {host: a}}, "
     "securityContext: {" KEPT "}}]",
     "hostPort, host of a probe or hook", "hostPort, host of a probe or hook"},
    {"securityContext: {runAsUser: 0, runAsNonRoot: true}, containers: [{name: c, securityContext: "
     "{runAsUser: "
     "7, " KEPT "}}]",
     "", "runAsUser"},
    {"hostUsers: false, securityContext: {runAsUser: 0}, containers: [{name: c, securityContext: {procMount: "
     "Unmasked, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: "
     "RuntimeDefault}}}]",
     "", "procMount"},
    {"hostUsers: true, containers: [{name: c, securityContext: {procMount: Unmasked, " KEPT "}}]",
     "procMount", "procMount"},
    {"os: {name: windows}, securityContext: {runAsNonRoot: true}, containers: [{name: c}]", "", ""},
    {"containers: {name: c, image: d}, volumes: x, securityContext: [1]", "", ""},
    {"null", "", ""},
};

static struct str faults_of(struct arena *arena, const struct workload *workload, enum pod_security level)
{
    struct str_list faults = {0};
    pod_security_faults(arena, workload, level, &faults);
    return str_join(arena, faults.items, faults.count, STR(", "));
}

Test(pod_security, a_level_names_what_keeps_a_pod_out)
{
    for (size_t i = 0; i < COUNT_OF(pods); i++) {
        struct arena *arena = arena_new();
        struct bundle bundle;
        struct workload workload;
        struct err err;
        bool is_map = !str_is(str_of(pods[i].spec), "null");
        bundle_init(&bundle, arena);
        struct str text = str_fmt(arena, "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: %s%s%s}\n",
                                  is_map ? "{" : "", pods[i].spec, is_map ? "}" : "");
        cr_assert(bundle_read_text(&bundle, text, STR("text"), &err), "%s", err.msg);
        cr_assert_eq(bundle.count, 1u, "%.*s", STR_ARG(text));
        cr_assert(workload_of(&bundle.items[0], &workload));
        struct str baseline = faults_of(arena, &workload, POD_SECURITY_BASELINE);
        struct str restricted = faults_of(arena, &workload, POD_SECURITY_RESTRICTED);
        cr_expect(str_is(baseline, pods[i].baseline), "%s: %.*s", pods[i].spec, STR_ARG(baseline));
        cr_expect(str_is(restricted, pods[i].restricted), "%s: %.*s", pods[i].spec, STR_ARG(restricted));
        cr_expect_eq(faults_of(arena, &workload, POD_SECURITY_PRIVILEGED).len, 0u);
        arena_free(arena);
    }
}

Test(pod_security, levels_have_names)
{
    enum pod_security level;
    cr_expect(pod_security_level(STR("baseline"), &level) && level == POD_SECURITY_BASELINE);
    cr_expect(pod_security_level(STR("restricted"), &level) && level == POD_SECURITY_RESTRICTED);
    cr_expect(pod_security_level(STR("privileged"), &level) && level == POD_SECURITY_PRIVILEGED);
    cr_expect_not(pod_security_level(STR("Baseline"), &level));
    cr_expect_not(pod_security_level(STR_NONE, &level));
}
