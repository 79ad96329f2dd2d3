# shellcheck shell=bash disable=SC2119
# The transform's rules where only a real API server, kubectl and kustomize can tell whether they are right: marks of owners,
# rules of one's own, renamed namespaces, odd bytes, given-up versions, what blocks a rebuild, what cannot be changed, and
# deletions that nobody asked for. The estate lives in plane a; plane r has controllers and runs no pod.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

WORK=$LIVE_DIR/rules
plane_start r idle
mkdir -p "$WORK"
git init -q --bare -b main "$WORK/repo.git"

# config [LINES]: the configuration of plane r, with more of it from the caller.
config() {
    cat >"$WORK/gitops-pipe.yaml" <<END
apiVersion: gitops-pipe.io/v1
kind: Pipeline
cluster: {name: rules, kubeconfig: "$(kubeconfig r)"}
stores: [{name: main, url: "file:./store"}]
secrets: {mode: omit}
git: {url: "file://$WORK/repo.git", author: "live tests <live@example.com>"}
environments: [{name: mirror}]
drills: {environment: mirror}
${1-}
END
}

# Objects as an Argo CD that tracks by label, Flux, Helm and people leave them.
helm_record() { # release revision status chart
    printf '{"name":"%s","info":{"status":"%s"},"chart":{"metadata":{"name":"%s","version":"1.2.3","appVersion":"9"}},"config":{"password":"hunter22"}}' \
        "$1" "$3" "$4" | gzip -n | base64 -w0 | base64 -w0
}

owned_objects() {
    cat <<END
{kind: Namespace, apiVersion: v1, metadata: {name: shop}}
---
{kind: Namespace, apiVersion: v1, metadata: {name: argocd}}
---
{kind: ConfigMap, apiVersion: v1, metadata: {name: argocd-cm, namespace: argocd}, data: {application.resourceTrackingMethod: label}}
---
{kind: Application, apiVersion: argoproj.io/v1alpha1, metadata: {name: web, namespace: argocd}, spec: {project: default}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: tracked
  namespace: shop
  labels: {app.kubernetes.io/instance: web, helm.sh/chart: extra-0.1.0, app.kubernetes.io/managed-by: Helm}
  annotations: {meta.helm.sh/release-name: web, meta.helm.sh/release-namespace: shop}
data: {a: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: by-flux, namespace: shop, labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {helm.sh/chart: web-1.2.3}, annotations: {meta.helm.sh/release-name: web, meta.helm.sh/release-namespace: shop}}
spec:
  selector: {matchLabels: {app: web, helm.sh/chart: web-1.2.3}}
  template: {metadata: {labels: {app: web, helm.sh/chart: web-1.2.3}}, spec: {containers: [{name: web, image: "web:1", imagePullPolicy: Always}]}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: sh.helm.release.v1.web.v2, namespace: shop, labels: {owner: helm, name: web, version: "2", status: deployed}}
type: helm.sh/release.v1
data: {release: $(helm_record web 2 deployed web)}
END
}

application_definition() {
    cat <<'END'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: applications.argoproj.io}
spec: {group: argoproj.io, scope: Namespaced, names: {kind: Application, plural: applications}, versions: [{name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}
END
}

owners_and_releases_are_named_once_and_their_marks_go() {
    application_definition | k r apply --server-side -f - >/dev/null
    wait_until 30 'the definition' definitions_established r
    owned_objects >"$WORK/owned.yaml"
    wait_until 30 'the objects' k r apply -f "$WORK/owned.yaml"
    config
    pipe "$WORK" backup
    pipe "$WORK" convert latest --out kept --verify --output json >"$CASE_DIR/kept.json"
    expect_eq owners "$(jq -c '[.findings[] | select(.check == "transform.gitops-owner") | .resource.kind + "/" + .resource.name]' "$CASE_DIR/kept.json")" \
        '["Application/web","Kustomization/apps"]'
    expect_eq releases "$(jq -c '.transform.helmReleases' "$CASE_DIR/kept.json")" \
        '[{"release":"web","namespace":"shop","chart":"web","chartVersion":"1.2.3","appVersion":"9","revision":2,"status":"deployed","objects":2}]'
    expect_eq 'labels of what was tracked' "$(same-objects --json <(kustomize build "$WORK/kept/overlays/mirror") | jq -c 'select(.metadata.name == "tracked") | .metadata.labels | keys')" \
        '["app.kubernetes.io/managed-by","helm.sh/chart"]'
    expect_eq 'what Helm kept' "$(grep -rlE 'hunter22|sh.helm.release' "$WORK/kept" || true)" ''
}

# A selector cannot be changed, so a label that it uses stays on the pods; the server takes both.
helm_marks_are_stripped_where_no_selector_uses_them() {
    pipe "$WORK" convert latest --out stripped --helm strip --verify
    kustomize build "$WORK/stripped/overlays/mirror" >"$CASE_DIR/stripped.yaml"
    expect_eq "Helm's marks" "$(grep -c -e meta.helm.sh -e 'managed-by: Helm' "$CASE_DIR/stripped.yaml" || true)" 0
    expect_eq 'labels of what was tracked' "$(same-objects --json "$CASE_DIR/stripped.yaml" | jq -c 'select(.metadata.name == "tracked") | .metadata.labels')" null
    k r apply --server-side --force-conflicts --dry-run=server -f "$CASE_DIR/stripped.yaml" >/dev/null
}

# What --explain advises, taken at its word.
the_way_to_turn_a_rule_off_turns_it_off() {
    local off
    pipe "$WORK" convert latest --explain shop/Service/web >"$CASE_DIR/before"
    expect_contains explanation "$(cat "$CASE_DIR/before")" 'removed   spec.clusterIP: "10.96.'
    off=$(sed -n 's/^ *off: transform\.\(.*service.addresses.*\)$/\1/p' "$CASE_DIR/before")
    config "transform: {$off}"
    pipe "$WORK" convert latest --explain shop/Service/web >"$CASE_DIR/after"
    ! grep 'service.addresses' "$CASE_DIR/after" || fail 'the rule still runs'
    pipe "$WORK" convert latest --out pinned >/dev/null
    expect_contains 'the Service' "$(cat "$WORK/pinned/base/shop/service-web.yaml")" "clusterIP: $(k r -n shop get service web -o jsonpath='{.spec.clusterIP}')"
    config
}

rules_of_ones_own_change_what_is_written() {
    config 'transform: {rules: [{name: no-flux, match: {type: configmaps, namespace: shop, name: "by-*"}, drop: object}, {name: pull, match: {type: deployments.apps}, set: {pointer: /spec/template/spec/containers/*/imagePullPolicy, value: Never}}]}'
    pipe "$WORK" convert latest --out own --verify
    [ ! -e "$WORK/own/base/shop/configmap-by-flux.yaml" ] || fail 'it is still there'
    expect_contains 'the Deployment' "$(cat "$WORK/own/base/shop/deployment-web.yaml")" 'imagePullPolicy: Never'
    expect_contains explanation "$(pipe "$WORK" convert latest --explain shop/Deployment/web)" '"Always" → "Never"  [user.pull]'
    config 'transform: {disable: [service.adresses]}'
    refused 2 'gitops-pipe.yaml:9:23: no transform rule is called "service.adresses"; did you mean "service.addresses"?' \
        pipe "$WORK" convert latest --out wrong
    config
}

every_environment_case_renders_as_kustomize_does() {
    local case name
    for case in "$LIVE_ROOT"/testdata/environments/[0-9]*/; do
        name=$(sed -n 's/.*name: \([a-z]*\).*/\1/p' "$case/config.yaml" | head -1)
        (cd "$CASE_DIR" && "$GITOPS_PIPE" convert "$case/in.yaml" --out "$(basename "$case")" --secrets omit -c "$case/config.yaml" >/dev/null)
        rendered_alike "$CASE_DIR/$(basename "$case")/overlays/$name" "$CASE_DIR/real.yaml"
    done
}

# The estate under other names: a server takes it, its accounts may do what they may where they come from, and nothing in it
# names the old namespaces but labels, which say what they like.
the_estate_lives_under_other_names() {
    local verb
    pipeline_folder "$CASE_DIR/moved" rules "$(kubeconfig a)"
    sed -i -e 's/^  - {name: mirror}/  - {name: moved, namespaces: {suffix: -moved}}/' -e "s|url: \"s3://[^\"]*\", endpoint: [^,]*, region: us-east-1, pathStyle: true|url: \"file:./store\"|" "$CASE_DIR/moved/gitops-pipe.yaml"
    pipe "$CASE_DIR/moved" backup
    pipe "$CASE_DIR/moved" convert latest --out out --verify
    rendered_alike "$CASE_DIR/moved/out/overlays/moved" "$CASE_DIR/moved.yaml"
    expect_eq 'old names' "$(grep -nE '(production-simulation|backup-storage)($|[^a-z-])' "$CASE_DIR/moved.yaml" |
        grep -vE '(part-of|instance|team|name|app|environment): production-simulation$|image: ' || true)" ''
    rebuild r "$CASE_DIR/moved.yaml"
    for verb in 'get pods' 'list secrets' 'get configmaps' 'create deployments'; do
        # shellcheck disable=SC2086 # two words
        expect_eq "$verb" "$(k r auth can-i $verb -n production-simulation-moved --as system:serviceaccount:production-simulation-moved:backend || true)" \
            "$(k a auth can-i $verb -n production-simulation --as system:serviceaccount:production-simulation:backend || true)"
    done
}

# A megabyte, every byte that text may hold, and bytes that it may not: through server, backup, repository and kustomize.
bytes_come_back_as_they_were() {
    local sum
    k r create namespace bytes
    head -c 660000 /dev/urandom | base64 -w0 >"$CASE_DIR/large"
    printf 'a\r\nb\rc\n\ttab \n🚀\xe2\x80\xa8end  \n\n' >"$CASE_DIR/odd"
    head -c 4096 /dev/urandom >"$CASE_DIR/binary"
    k r -n bytes create configmap bytes --from-file "$CASE_DIR/large" --from-file "$CASE_DIR/odd" --from-file "$CASE_DIR/binary"
    config
    pipe "$WORK" backup
    pipe "$WORK" convert latest --out bytes --verify
    kustomize build "$WORK/bytes/overlays/mirror/bytes" >"$CASE_DIR/bytes.yaml"
    k r delete -n bytes configmap bytes
    k r apply --server-side -f "$CASE_DIR/bytes.yaml"
    for sum in large odd; do
        k r -n bytes get configmap bytes -o json | jq -j --arg key $sum '.data[$key]' | cmp - "$CASE_DIR/$sum"
    done
    k r -n bytes get configmap bytes -o json | jq -j .binaryData.binary | base64 -d | cmp - "$CASE_DIR/binary"
    k r delete namespace bytes --wait=false
}

# Every text of up to four characters out of those that YAML has opinions on: kustomize, a reader in Go, must find it as it was.
texts_that_yaml_has_opinions_on() {
    jq -n '[" ", "\t", "\n", "a", "#", ":", "-", "\r", "0", "\""] as $c
        | [$c[] as $a | $a, ($c[] as $b | $a + $b, ($c[] as $d | $a + $b + $d, ($c[] as $e | $a + $b + $d + $e)))] | to_entries
        | {apiVersion: "v1", kind: "ConfigMap", metadata: {name: "texts", namespace: "shop"},
           data: (map({key: ("k" + (.key | tostring)), value: .value}) | from_entries)}' >"$CASE_DIR/texts.json"
    (cd "$CASE_DIR" && "$GITOPS_PIPE" convert texts.json --out out --secrets omit >/dev/null)
    kustomize build "$CASE_DIR/out/overlays/dev" >"$CASE_DIR/real.yaml"
    same-objects "$CASE_DIR/texts.json" "$CASE_DIR/real.yaml"
}

given_up_versions_are_written_in_their_successors() {
    mkdir "$CASE_DIR/repo"
    (cd "$CASE_DIR" && "$GITOPS_PIPE" convert "$LIVE_ROOT/testdata/transform/31-removed-apis/in.yaml" --out out --secrets omit >said)
    expect_contains 'what was said' "$(cat "$CASE_DIR/said")" 'extensions/v1beta1 is not served since Kubernetes 1.22'
    kustomize build "$CASE_DIR/out/overlays/dev" | same-objects --json /dev/stdin |
        jq -c 'select(.kind != "Ingress" and .metadata.name != "none")' >"$CASE_DIR/written.json"
    k r apply --server-side --dry-run=server -f "$CASE_DIR/written.json"
    expect_eq versions "$(jq -r .apiVersion "$CASE_DIR/written.json" | sort | tr '\n' ' ')" 'autoscaling/v2 batch/v1 networking.k8s.io/v1 policy/v1 '
}

# Pods that a level of Pod Security refuses, as we see it and as the server does.
pod_variants() {
    cat <<'END'
plain {"containers":[{"name":"a","image":"a:1"}]}
good {"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
good-bind {"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"Localhost","localhostProfile":"p"}},"containers":[{"name":"a","image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"],"add":["NET_BIND_SERVICE"]}}}]}
root-user {"securityContext":{"runAsNonRoot":true,"runAsUser":0,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
host-network {"hostNetwork":true,"containers":[{"name":"a","image":"a:1"}]}
host-path {"volumes":[{"name":"v","hostPath":{"path":"/x"}}],"containers":[{"name":"a","image":"a:1"}]}
nfs {"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"volumes":[{"name":"v","nfs":{"server":"s","path":"/x"}}],"containers":[{"name":"a","image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
host-port {"containers":[{"name":"a","image":"a:1","ports":[{"containerPort":80,"hostPort":80}]}]}
privileged {"containers":[{"name":"a","image":"a:1","securityContext":{"privileged":true}}]}
init-privileged {"initContainers":[{"name":"i","image":"a:1","securityContext":{"privileged":true}}],"containers":[{"name":"a","image":"a:1"}]}
sys-admin {"containers":[{"name":"a","image":"a:1","securityContext":{"capabilities":{"add":["SYS_ADMIN"]}}}]}
chown {"containers":[{"name":"a","image":"a:1","securityContext":{"capabilities":{"add":["CHOWN"]}}}]}
unconfined {"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a","image":"a:1"}]}
apparmor {"containers":[{"name":"a","image":"a:1","securityContext":{"appArmorProfile":{"type":"Unconfined"}}}]}
selinux {"securityContext":{"seLinuxOptions":{"type":"spc_t"}},"containers":[{"name":"a","image":"a:1"}]}
sysctl {"securityContext":{"sysctls":[{"name":"kernel.msgmax","value":"1"}]},"containers":[{"name":"a","image":"a:1"}]}
safe-sysctl {"securityContext":{"sysctls":[{"name":"net.ipv4.tcp_syncookies","value":"1"}]},"containers":[{"name":"a","image":"a:1"}]}
tuned-sysctl {"securityContext":{"sysctls":[{"name":"net.ipv4.tcp_rmem","value":"4096 87380 16777216"}]},"containers":[{"name":"a","image":"a:1"}]}
own-user {"securityContext":{"runAsNonRoot":true,"runAsUser":0,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","securityContext":{"runAsUser":7,"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
own-non-root {"securityContext":{"runAsNonRoot":false,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","securityContext":{"runAsNonRoot":true,"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
good-chown {"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"],"add":["CHOWN"]}}}]}
lower-all {"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["all"]}}}]}
probe-host {"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","livenessProbe":{"httpGet":{"host":"10.0.0.1","port":80}},"securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
windows {"os":{"name":"windows"},"securityContext":{"runAsNonRoot":true},"containers":[{"name":"a","image":"a:1"}]}
user-namespace {"hostUsers":false,"securityContext":{"runAsNonRoot":false,"runAsUser":0,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
unmasked {"hostUsers":false,"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"a:1","securityContext":{"procMount":"Unmasked","allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}
END
}

what_admission_refuses_is_foreseen() {
    local level name pod
    for level in baseline restricted; do
        k r create namespace "enforce-$level"
        k r label namespace "enforce-$level" "pod-security.kubernetes.io/enforce=$level"
        wait_until 30 'its account' k r -n "enforce-$level" get serviceaccount default
        jq -nc --arg level $level '{apiVersion: "v1", kind: "Namespace", metadata: {name: ("enforce-" + $level), labels: {"pod-security.kubernetes.io/enforce": $level}}}' >"$CASE_DIR/$level.yaml"
        while read -r name pod; do
            jq -nc --arg level $level --arg name "$name" --argjson pod "$pod" '{apiVersion: "apps/v1", kind: "Deployment", metadata: {name: $name, namespace: ("enforce-" + $level)}, spec: {selector: {matchLabels: {app: $name}}, template: {metadata: {labels: {app: $name}}, spec: $pod}}}' | sed '1i ---' >>"$CASE_DIR/$level.yaml"
            jq -nc --arg level $level --arg name "$name" --argjson pod "$pod" '{apiVersion: "v1", kind: "Pod", metadata: {name: $name, namespace: ("enforce-" + $level)}, spec: $pod}'
        done < <(pod_variants) >"$CASE_DIR/pods.json"
        k r create --dry-run=server -f "$CASE_DIR/pods.json" >"$CASE_DIR/accepted" 2>"$CASE_DIR/said" || true
        sed -n 's/.*pods "\([^"]*\)" is forbidden: violates PodSecurity.*/\1/p' "$CASE_DIR/said" | sort >"$CASE_DIR/refused-$level"
        expect_eq 'pods judged' "$(($(wc -l <"$CASE_DIR/accepted") + $(wc -l <"$CASE_DIR/refused-$level")))" "$(pod_variants | wc -l)"
        (cd "$CASE_DIR" && "$GITOPS_PIPE" restore "$CASE_DIR/$level.yaml" --environment dev --allow-not-empty --target "kubeconfig:$(kubeconfig r)" --dry-run --output json) |
            jq -r '.findings[] | select(.check == "rebuild.pod-security") | .resource.name' | sort >"$CASE_DIR/foreseen-$level"
        expect_same_file "$CASE_DIR/foreseen-$level" "$CASE_DIR/refused-$level"
    done
    [ "$(wc -l <"$CASE_DIR/refused-restricted")" -gt "$(wc -l <"$CASE_DIR/refused-baseline")" ] || fail 'restricted refuses more'
}

# Three replicas where the quota has room for two: the server takes the Deployment, and its controller cannot make the pods.
a_quota_that_the_environment_breaks_is_foreseen() {
    cat >"$CASE_DIR/quota.yaml" <<'END'
{apiVersion: v1, kind: Namespace, metadata: {name: narrow}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: pods, namespace: narrow}, spec: {hard: {pods: "2"}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: narrow}
spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}}
END
    restore_dry() { (cd "$CASE_DIR" && "$GITOPS_PIPE" restore "$CASE_DIR/quota.yaml" --environment "$1" --target "kubeconfig:$(kubeconfig r)" --dry-run --output json) | jq -r '.findings[] | select(.check == "rebuild.quota") | .message'; }
    expect_eq 'with two' "$(restore_dry staging)" ''
    expect_eq 'with three' "$(restore_dry prod)" 'allows 2 of pods, and the declared objects ask for 3'
    (cd "$CASE_DIR" && "$GITOPS_PIPE" convert quota.yaml --out out --secrets omit >/dev/null)
    kustomize build "$CASE_DIR/out/overlays/prod" >"$CASE_DIR/prod.yaml"
    wait_until 30 'the objects' k r apply --server-side -f "$CASE_DIR/prod.yaml"
    wait_until 60 'the refusal' quota_refused
}

quota_refused() {
    k r -n narrow get replicasets -o jsonpath='{.items[*].status.conditions[*].message}' | grep 'exceeded quota'
}

what_cannot_be_changed_is_named_or_replaced() {
    local before
    cat >"$CASE_DIR/there.yaml" <<'END'
{apiVersion: v1, kind: Namespace, metadata: {name: fixed}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fixed}, provisioner: x.example.com, parameters: {a: "1"}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: who, namespace: fixed}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: fixed}, spec: {replicas: 0, serviceName: old, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: "db:1"}]}}}}
END
    wait_until 30 'the objects' k r apply --server-side -f "$CASE_DIR/there.yaml"
    sed -e 's/a: "1"/a: "2"/' -e 's/name: view/name: edit/' -e 's/serviceName: old/serviceName: new/' "$CASE_DIR/there.yaml" >"$CASE_DIR/wanted.yaml"
    printf -- '---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: last, namespace: fixed}}\n' >>"$CASE_DIR/wanted.yaml"
    before=$(k r get storageclass fixed -o jsonpath='{.metadata.uid}')
    restore_fixed() { (cd "$CASE_DIR" && "$GITOPS_PIPE" restore "$CASE_DIR/wanted.yaml" --environment staging --allow-not-empty --target "kubeconfig:$(kubeconfig r)" --output json "$@"); }
    restore_fixed >"$CASE_DIR/kept.json" 2>/dev/null && fail 'it should be incomplete'
    expect_eq findings "$(jq -c '[.findings[] | .check + " " + .resource.kind] | sort' "$CASE_DIR/kept.json")" \
        '["restore.replace-or-keep RoleBinding","restore.replace-or-keep StatefulSet","restore.replace-or-keep StorageClass"]'
    k r -n fixed get configmap last
    expect_eq 'the class' "$(k r get storageclass fixed -o jsonpath='{.metadata.uid}')" "$before"
    restore_fixed --replace >"$CASE_DIR/replaced.json"
    expect_eq replaced "$(jq -c '[.restore.replaced, .restore.failed, (.findings | length)]' "$CASE_DIR/replaced.json")" '[3,0,0]'
    expect_eq 'the class' "$(k r get storageclass fixed -o jsonpath='{.parameters.a}')" 2
}

a_repository_does_not_shrink_unasked() {
    local tip
    for n in $(seq 1 30); do printf -- '---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c%s, namespace: shrink}}\n' "$n"; done >"$CASE_DIR/maps.yaml"
    k r create namespace shrink
    k r apply --server-side -f "$CASE_DIR/maps.yaml" >/dev/null
    config 'transform: {rules: [{name: only, match: {namespace: [argocd, shop, "*-moved", narrow, fixed, "enforce-*", bytes]}, drop: object}]}'
    pipe "$WORK" backup && pipe "$WORK" convert latest --out shrink && pipe "$WORK" publish shrink
    tip=$(git -C "$WORK/repo.git" rev-parse main)
    k r -n shrink delete configmap $(seq -f 'c%g' 1 29) >/dev/null
    pipe "$WORK" backup && pipe "$WORK" convert latest --out shrink
    refused 5 'would be deleted from the repository' pipe "$WORK" publish shrink
    expect_eq 'the branch' "$(git -C "$WORK/repo.git" rev-parse main)" "$tip"
    expect_contains 'the preview' "$(pipe "$WORK" publish shrink --dry-run)" 'would be refused: 29 objects'
    pipe "$WORK" publish shrink --allow-deletions
    config 'transform: {disable: []}'
    sed -i 's/^cluster: {/cluster: {exclude: {namespaces: [shrink]}, /' "$WORK/gitops-pipe.yaml"
    pipe "$WORK" backup && pipe "$WORK" convert latest --out shrink
    pipe "$WORK" publish shrink >"$CASE_DIR/said" && fail 'it should be incomplete'
    expect_contains 'what was said' "$(cat "$CASE_DIR/said")" 'would have been deleted: shrink/ConfigMap/c30'
}

it 'owners and releases are named once, and their marks go' owners_and_releases_are_named_once_and_their_marks_go
it "Helm's marks are stripped where no selector uses them" helm_marks_are_stripped_where_no_selector_uses_them
it 'the way to turn a rule off turns it off' the_way_to_turn_a_rule_off_turns_it_off
it "rules of one's own change what is written" rules_of_ones_own_change_what_is_written
it 'every environment case renders as kustomize does' every_environment_case_renders_as_kustomize_does
it 'the estate lives under other names' the_estate_lives_under_other_names
it 'bytes come back as they were' bytes_come_back_as_they_were
it 'texts that YAML has opinions on come back too' texts_that_yaml_has_opinions_on
it 'given-up versions are written in their successors' given_up_versions_are_written_in_their_successors
it 'what admission refuses is foreseen' what_admission_refuses_is_foreseen
it 'a quota that the environment breaks is foreseen' a_quota_that_the_environment_breaks_is_foreseen
it 'what cannot be changed is named or replaced' what_cannot_be_changed_is_named_or_replaced
it 'a repository does not shrink unasked' a_repository_does_not_shrink_unasked
