# shellcheck shell=bash
# gitops-pipe as a user runs it: a folder with its configuration, a bare repository and a bucket of its own.

: "${GITOPS_PIPE:=$LIVE_ROOT/build/gitops-pipe}"

# The bucket is the only thing that needs keys, and they come from where every S3 tool takes them.
use_minio_keys() {
    export AWS_ACCESS_KEY_ID=$MINIO_KEY AWS_SECRET_ACCESS_KEY=$MINIO_SECRET AWS_REGION=us-east-1
}

# pipeline_folder DIR BUCKET [KUBECONFIG [DRILL-TARGET]]: makes the folder, its configuration and its repository. An
# empty KUBECONFIG leaves the cluster to be found.
pipeline_folder() {
    local dir=$1 bucket=$2 kubeconfig=${3-$(kubeconfig a)} target=${4:-sandbox}
    mkdir -p "$dir"
    git init -q --bare -b main "$dir/repo.git"
    cat >"$dir/gitops-pipe.yaml" <<END
apiVersion: gitops-pipe.io/v1
kind: Pipeline
cluster: {name: live-a, kubeconfig: "$kubeconfig"}
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
