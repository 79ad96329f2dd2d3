# shellcheck shell=bash disable=SC2034,SC2119
# The stack itself: if these fail, no other result means anything.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

plane_start b

the_versions_are_the_pinned_ones() {
    expect_eq 'API server' "$(k a get --raw /version | sed -n 's/.*"gitVersion": "\(.*\)",/\1/p')" v1.36.3
    expect_contains kustomize "$(kustomize version)" v5.8.0
}

two_planes_do_not_see_each_other() {
    k b create namespace only-in-b
    k b get namespace only-in-b
    if k a get namespace only-in-b; then fail 'plane a has what was created in b'; fi
    if k b get namespace production-simulation; then fail 'plane b has the estate of a'; fi
}

a_client_certificate_is_accepted() {
    kubectl --kubeconfig "$(plane_dir a)/cert.kubeconfig" get namespace production-simulation
}

the_reader_may_read_nothing_until_told() {
    if kubectl --kubeconfig "$(plane_dir a)/reader.kubeconfig" get namespaces; then fail 'reader was let in'; fi
}

applying_the_estate_again_changes_nothing_and_warns_of_endpoints_only() {
    local before after said
    before=$(k a -n production-simulation get deployments -o jsonpath='{.items[*].metadata.generation}')
    said=$(apply_estate a 2>&1)
    after=$(k a -n production-simulation get deployments -o jsonpath='{.items[*].metadata.generation}')
    expect_eq generations "$after" "$before"
    # Hand-made Endpoints are deprecated and still in use; they are in the estate on purpose.
    expect_eq warnings "$(grep Warning <<<"$said" | grep -v 'v1 Endpoints is deprecated' || true)" ''
}

minio_refuses_a_second_create_only_put() {
    make_bucket stack
    expect_eq 'first put' "$(s3 PUT stack/key one -H 'If-None-Match: *')" 200
    expect_eq 'second put' "$(s3 PUT stack/key two -H 'If-None-Match: *')" 412
}

a_read_only_user_may_read_and_not_write() {
    make_bucket readable
    expect_eq 'put as root' "$(s3 PUT readable/key one)" 200
    read -r S3_KEY S3_SECRET S3_TOKEN < <(read_only_credentials readable)
    [ -n "$S3_TOKEN" ]
    expect_eq 'get' "$(s3 GET readable/key)" 200
    expect_eq 'put' "$(s3 PUT readable/other two)" 403
}

argocd_takes_a_commit_of_a_bare_repository_to_synced() {
    local work=$CASE_DIR/work
    git init -q --bare -b main "$CASE_DIR/repo.git"
    git clone -q "$CASE_DIR/repo.git" "$work" 2>/dev/null
    printf 'resources: [greeting.yaml]\nnamespace: greetings\n' >"$work/kustomization.yaml"
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: greeting}\ndata: {text: hello}\n' >"$work/greeting.yaml"
    git -C "$work" add . && git -C "$work" -c user.name=live -c user.email=live@example.com commit -qm greeting
    git -C "$work" push -q origin HEAD:main
    k b create namespace greetings
    argocd_start b
    k b apply --server-side -f - <<END
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: greeting, namespace: argocd}
spec:
  project: default
  source: {repoURL: "file://$CASE_DIR/repo.git", targetRevision: main, path: .}
  destination: {server: "https://kubernetes.default.svc", namespace: greetings}
  syncPolicy: {automated: {}}
END
    wait_until 60 'Argo CD' argocd_synced b greeting
    expect_eq 'greeting' "$(k b -n greetings get configmap greeting -o jsonpath='{.data.text}')" hello
}

it 'the versions are the pinned ones' the_versions_are_the_pinned_ones
it 'two planes do not see each other' two_planes_do_not_see_each_other
it 'a client certificate is accepted' a_client_certificate_is_accepted
it 'a user without rights is refused' the_reader_may_read_nothing_until_told
it 'applying the estate again changes nothing' applying_the_estate_again_changes_nothing_and_warns_of_endpoints_only
it 'MinIO refuses a second create-only put' minio_refuses_a_second_create_only_put
it 'a read-only user of MinIO may not write' a_read_only_user_may_read_and_not_write
it 'Argo CD takes a commit to Synced' argocd_takes_a_commit_of_a_bare_repository_to_synced
