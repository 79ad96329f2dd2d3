# shellcheck shell=bash disable=SC2119
# The main job on real parts: the estate's cluster, MinIO, a bare repository, an empty second cluster to rebuild on.
# One run feeds all cases; "mirror" is the environment that changes nothing, so a rebuild from it must equal the source.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

WORK=$LIVE_DIR/pipeline
use_minio_keys
make_bucket pipeline
plane_start b
plane_start c
pipeline_folder "$WORK" pipeline "$(kubeconfig a)" "kubeconfig:$(kubeconfig b)"

doctor_finds_nothing_to_fix() {
    pipe "$WORK" doctor
}

one_command_does_it_all() {
    pipe "$WORK" run >"$WORK/run.out"
    cat "$WORK/run.out"
    git clone -q "$WORK/repo.git" "$WORK/clone"
    git -C "$WORK/repo.git" fsck --strict
}

manifest() { pipe "$WORK" show latest --output json; }

# Independent of our own reader: what kubectl counts is what the manifest must count.
the_backup_holds_what_kubectl_counts() {
    manifest >"$CASE_DIR/manifest.json"
    expect_eq complete "$(jq .complete "$CASE_DIR/manifest.json")" true
    k a api-resources --verbs=list -o name | grep -v -e '^events' -e '^leases' -e '^componentstatuses' |
        sort >"$CASE_DIR/types"
    jq -r '.types[] | select(.consistency == "exact") | [.plural, .group] | map(select(. != "")) | join(".")' \
        "$CASE_DIR/manifest.json" | sort >"$CASE_DIR/types-read"
    expect_same_file "$CASE_DIR/types-read" "$CASE_DIR/types"
    k a get "$(paste -sd, "$CASE_DIR/types")" -A -o json |
        jq -r '.items[] | .apiVersion + " " + .kind' | sort | uniq -c >"$CASE_DIR/want"
    jq -r '.types[] | (([.group, .version] | map(select(. != "")) | join("/")) + " " + .kind) as $type | range(.objects) | $type' \
        "$CASE_DIR/manifest.json" | sort | uniq -c >"$CASE_DIR/got"
    expect_same_file "$CASE_DIR/got" "$CASE_DIR/want"
}

# Any S3 tool and tar can open it: no code of ours between the bucket and the objects.
packs_open_with_curl_sha256sum_and_tar() {
    local pack sha count=0
    manifest | jq -r '.packs[].sha256' | while read -r sha; do
        pack=$CASE_DIR/$sha.tar.zst
        s3_get_file "pipeline/live/packs/$sha.tar.zst" "$pack"
        expect_eq 'sha256' "$(sha256sum "$pack" | cut -d' ' -f1)" "$sha"
        tar --zstd -tf "$pack"
    done >"$CASE_DIR/entries"
    expect_contains entries "$(cat "$CASE_DIR/entries")" apps/v1/deployments/backend.json
    count=$(wc -l <"$CASE_DIR/entries")
    [ "$count" -gt 200 ] || fail "only $count entries"
}

a_second_run_uploads_little_and_commits_nothing() {
    local before after
    before=$(git -C "$WORK/repo.git" rev-parse main)
    pipe "$WORK" backup
    pipe "$WORK" convert latest --out "$CASE_DIR/again"
    pipe "$WORK" publish "$CASE_DIR/again"
    after=$(git -C "$WORK/repo.git" rev-parse main)
    expect_eq commit "$after" "$before"
}

kustomize_and_render_agree() { # environment
    rendered_alike "$WORK/clone/overlays/$1" "$WORK/$1.kustomize.yaml"
}

# What an environment changes, and what it must leave alone: the autoscaler's frontend, the StatefulSet, and redis,
# which sits on a ReadWriteOnce claim.
replicas_follow_the_rules() { # environment backend worker
    same-objects --json "$WORK/$1.kustomize.yaml" |
        jq -r 'select(.kind == "Deployment" or .kind == "StatefulSet") | .kind + "/" + .metadata.name + " " + (.spec.replicas // "none" | tostring)' |
        sort >"$CASE_DIR/got"
    cat >"$CASE_DIR/want" <<END
Deployment/backend $2
Deployment/frontend none
Deployment/redis 1
Deployment/worker $3
StatefulSet/minio 1
StatefulSet/postgres 1
END
    expect_same_file "$CASE_DIR/got" "$CASE_DIR/want"
}

no_secret_value_is_in_the_repository() {
    local value
    for value in example-only-postgres-password example-only-redis-password "$(k a -n production-simulation get secret ci-deployer-token -o jsonpath='{.data.token}')"; do
        if git -C "$WORK/repo.git" log --all -p | grep -qF -e "$value" -e "$(base64 -w0 <<<"$value" | cut -c1-20)"; then
            fail "the repository holds $value"
        fi
    done
}

# What every cluster makes up for itself must not be declared: it would be refused elsewhere, or fought over.
nothing_that_a_cluster_gives_out_is_in_the_repository() {
    same-objects --json "$WORK/mirror.kustomize.yaml" | jq -c '[.kind + "/" + .metadata.name,
        (.kind | select(IN("Pod", "ReplicaSet", "ControllerRevision", "Job", "Node", "Lease", "Event", "PersistentVolume"))),
        (keys[] | select(. == "status")),
        (.metadata | keys[] | select(IN("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences"))),
        (.metadata.annotations // {} | keys[] | select(test("last-applied|deployment.kubernetes.io/revision|^pv.kubernetes.io/|selected-node|storage-provisioner|service-account.uid"))),
        (select(.kind == "Service") | (.spec.clusterIP // "None" | select(. != "None")), (.spec.ports[]? | .nodePort // 30443 | select(. != 30443))),
        (select(.kind == "PersistentVolumeClaim") | .spec.volumeName // empty)
    ] | select(length > 1)' >"$CASE_DIR/found"
    expect_eq 'what was given out' "$(cat "$CASE_DIR/found")" ''
}

# A dry run cannot create in a namespace or of a kind that is not there, so those two come first, for real.
a_server_accepts_every_object() { # environment
    same-objects --json "$WORK/$1.kustomize.yaml" |
        jq -c 'select(.kind == "CustomResourceDefinition" or .kind == "Namespace")' |
        k c apply --server-side -f - >/dev/null
    wait_until 30 'the kinds' k c get routes.route.openshift.io,deploymentconfigs.apps.openshift.io -A
    k c apply --server-side --dry-run=server -f "$WORK/$1.kustomize.yaml" >"$CASE_DIR/out" 2>"$CASE_DIR/said"
    expect_eq 'objects accepted' "$(wc -l <"$CASE_DIR/out")" "$(grep -c '^kind: ' "$WORK/$1.kustomize.yaml")"
    expect_eq 'warnings' "$(grep -v 'v1 Endpoints is deprecated' "$CASE_DIR/said" || true)" ''
}

the_rebuilt_cluster_has_every_declared_object() {
    k b get -f "$WORK/mirror.kustomize.yaml" -o name >"$CASE_DIR/there"
    expect_eq 'objects in the second cluster' "$(wc -l <"$CASE_DIR/there")" "$(grep -c '^kind: ' "$WORK/mirror.kustomize.yaml")"
    wait_until 60 'the rebuilt workloads' workloads_ready b
}

# No code of ours: what two API servers hold, without what each of them gives out by itself: identities, addresses and
# ports that nobody asked for, bound volumes, tokens. Everything else must be equal, values of Secrets too.
live_objects() { # plane
    {
        k "$1" get -f "$WORK/mirror.kustomize.yaml" -o json
        k "$1" -n production-simulation get secrets -o json
        k "$1" -n backup-storage get secrets -o json
    } | jq -s -c -r '[.[].items[]] | unique_by(.kind, .metadata.namespace, .metadata.name) | .[]
        | del(.status, .metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp, .metadata.generation, .metadata.managedFields)
        | del(.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]?)
        | if .metadata.annotations == {} then del(.metadata.annotations) else . end
        | if .kind == "Service" and .spec.clusterIP != "None" then del(.spec.clusterIP, .spec.clusterIPs) else . end
        | if .kind == "Service" then del(.spec.ports[]?.nodePort | select(. != 30443)) else . end
        | if .kind == "PersistentVolumeClaim" then del(.spec.volumeName, .metadata.annotations["volume.kubernetes.io/selected-node"]) else . end
        | if .type? == "kubernetes.io/service-account-token" then del(.data, .metadata.annotations["kubernetes.io/service-account.uid"]) else . end
        | "---", .'
}

both_clusters_hold_the_same() {
    live_objects a >"$CASE_DIR/a.yaml"
    live_objects b >"$CASE_DIR/b.yaml"
    expect_contains 'the first cluster' "$(cat "$CASE_DIR/a.yaml")" '"name":"postgres-credentials"'
    same-objects "$CASE_DIR/a.yaml" "$CASE_DIR/b.yaml"
}

# The repository describes the cluster it came from: to apply it there would change nothing. Where a client had applied
# before, the server writes its annotation anew in its own spelling, and counts that as a generation.
applying_the_repository_to_its_source_changes_nothing() {
    printf '#!/bin/sh\nexec diff -ruN -I %s -I %s "$@"\n' "'^ *{\"apiVersion\":'" "'^  generation: '" >"$CASE_DIR/diff"
    chmod +x "$CASE_DIR/diff"
    KUBECTL_EXTERNAL_DIFF=$CASE_DIR/diff k a diff --server-side --force-conflicts -f "$WORK/mirror.kustomize.yaml"
}

# Snapshot the rebuilt cluster, convert it, and hold it against what the first cluster was converted to.
the_rebuilt_cluster_converts_to_the_same_declaration() {
    pipeline_folder "$WORK/of-b" pipeline "$(kubeconfig b)" sandbox live-b
    declares_the_same "$WORK/of-b" "$WORK/mirror.kustomize.yaml"
}

the_report_says_what_the_drill_found() {
    jq .drill "$WORK/report/report.json"
    expect_eq drill "$(jq -c '.drill | [.ok, .sandbox, .environment, .objects.missing, .objects.different, .objectives.met]' "$WORK/report/report.json")" \
        '[true,false,"mirror",0,0,true]'
    expect_contains report.md "$(cat "$WORK/report/report.md")" mirror
    expect_contains report.html "$(cat "$WORK/report/report.html")" mirror
}

argocd_takes_the_dev_overlay_to_synced() {
    local application
    argocd_start c
    k c apply --server-side -f "$WORK/clone/argocd/project.yaml"
    application=$(k c apply --server-side -f "$WORK/clone/argocd/dev.yaml" -o jsonpath='{.metadata.name}')
    wait_until 90 'Argo CD' argocd_synced c "$application"
    expect_eq 'backend replicas' "$(k c -n production-simulation get deployment backend -o jsonpath='{.spec.replicas}')" 1
}

it 'doctor finds nothing to fix' doctor_finds_nothing_to_fix
it 'run: backup, score, convert, publish, drill, report' one_command_does_it_all
it 'the backup holds what kubectl counts' the_backup_holds_what_kubectl_counts
it 'packs open with curl, sha256sum and tar' packs_open_with_curl_sha256sum_and_tar
for environment in dev staging prod mirror; do
    it "kustomize build equals render: $environment" kustomize_and_render_agree "$environment"
done
it 'replicas follow the rules: dev' replicas_follow_the_rules dev 1 1
it 'replicas follow the rules: staging' replicas_follow_the_rules staging 2 2
it 'replicas follow the rules: prod' replicas_follow_the_rules prod 3 3
it 'no secret value is in the repository' no_secret_value_is_in_the_repository
it 'nothing that a cluster gives out is in the repository' nothing_that_a_cluster_gives_out_is_in_the_repository
for environment in dev staging prod; do
    it "an API server accepts every object: $environment" a_server_accepts_every_object "$environment"
done
it 'the rebuilt cluster has every declared object' the_rebuilt_cluster_has_every_declared_object
it 'the report says what the drill found' the_report_says_what_the_drill_found
it 'both clusters hold the same' both_clusters_hold_the_same
it 'applying the repository to its source changes nothing' applying_the_repository_to_its_source_changes_nothing
it 'the rebuilt cluster converts to the same declaration' the_rebuilt_cluster_converts_to_the_same_declaration
it 'publishing the same backup again commits nothing' a_second_run_uploads_little_and_commits_nothing
it 'Argo CD takes the dev overlay to Synced' argocd_takes_the_dev_overlay_to_synced
