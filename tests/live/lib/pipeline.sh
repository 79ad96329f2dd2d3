# shellcheck shell=bash
# gitops-pipe as a user runs it: a folder with its configuration, a bare repository and a bucket of its own.

: "${GITOPS_PIPE:=$LIVE_ROOT/build/gitops-pipe}"

# The bucket is the only thing that needs keys, and they come from where every S3 tool takes them.
use_minio_keys() {
    export AWS_ACCESS_KEY_ID=$MINIO_KEY AWS_SECRET_ACCESS_KEY=$MINIO_SECRET AWS_REGION=us-east-1
}

# pipeline_folder DIR BUCKET [KUBECONFIG [DRILL-TARGET [CLUSTER]]]: makes the folder, its configuration and its
# repository. An empty KUBECONFIG leaves the cluster to be found.
pipeline_folder() {
    local dir=$1 bucket=$2 kubeconfig=${3-$(kubeconfig a)} target=${4:-sandbox} cluster=${5:-live-a}
    mkdir -p "$dir"
    git init -q --bare -b main "$dir/repo.git"
    cat >"$dir/gitops-pipe.yaml" <<END
apiVersion: gitops-pipe.io/v1
kind: Pipeline
cluster: {name: $cluster, kubeconfig: "$kubeconfig"}
stores:
  - {name: main, url: "s3://$bucket/live", endpoint: "$MINIO_URL", region: us-east-1, pathStyle: true}
secrets: {mode: omit}
environments:
  - {name: dev, replicas: {fixed: 1}, debug: true, hosts: {domain: dev.example.com}}
  - {name: staging, replicas: {fixed: 2}}
  - {name: prod, replicas: {atLeast: 3}, harden: true}
  - {name: mirror}
git: {url: "file://$dir/repo.git", branch: main, author: "live tests <live@example.com>"}
deliver: [argocd, flux]
drills: {target: "$target", environment: mirror}
END
}

# pipe DIR ARGUMENTS...: gitops-pipe with that folder's configuration, in it.
pipe() {
    local dir=$1
    shift
    (cd "$dir" && "$GITOPS_PIPE" "$@" -c gitops-pipe.yaml)
}

# rendered_alike OVERLAY FILE: kustomize's own rendering, which it leaves in FILE, and ours hold the same objects.
rendered_alike() {
    kustomize build "$1" >"$2"
    "$GITOPS_PIPE" render "$1" >"$CASE_DIR/rendered.yaml"
    same-objects "$2" "$CASE_DIR/rendered.yaml"
}

# rebuild PLANE FILE: what was rendered, applied by the server to a plane that holds nothing of it. A real apply cannot
# create in a namespace or of a kind that is not there, so those two come first.
rebuild() {
    same-objects --json "$2" | jq -c 'select(.kind == "CustomResourceDefinition" or .kind == "Namespace")' \
        >"$CASE_DIR/first.json"
    k "$1" apply --server-side -f "$CASE_DIR/first.json" >/dev/null
    wait_until 30 'the kinds' definitions_established "$1"
    # Again and again: a quota admits nothing that it counts until its controller has counted once.
    wait_until 60 "the objects of $2" k "$1" apply --server-side -f "$2"
}

# declares_the_same DIR FILE: the cluster of that folder's configuration, backed up and converted afresh, declares what
# was rendered into FILE for the environment that changes nothing, and nothing else.
declares_the_same() {
    pipe "$1" backup
    pipe "$1" convert latest --out out --verify
    kustomize build "$1/out/overlays/mirror" >"$CASE_DIR/again.yaml"
    same-objects "$2" "$CASE_DIR/again.yaml"
}

# refused STATUS PART COMMAND...: the command ends with STATUS and says PART in one line of stderr, and perhaps in a
# second what to do. Progress lines may come before.
refused() {
    local want=$1 part=$2 status=0 said
    shift 2
    said=$("$@" 2>&1 >"$CASE_DIR/stdout") || status=$?
    echo "status $status: $said"
    expect_eq 'exit status' "$status" "$want" || return
    expect_contains 'the error' "$(grep '^error: ' <<<"$said")" "$part" || return
    expect_eq 'lines from the error on' "$(sed -n '/^error: /,$p' <<<"$said" | grep -vc '^  → ')" 1
}
