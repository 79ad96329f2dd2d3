# shellcheck shell=bash disable=SC2119
# What goes wrong in real clusters and stores: each gets one clear error and an exit status from the table, and
# nothing that was there is lost.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

use_minio_keys
make_bucket bad-input

# with_kubeconfig FILE: a fresh folder for this case whose cluster is reached by that kubeconfig.
with_kubeconfig() { pipeline_folder "$CASE_DIR/p" bad-input "$1"; }

a_wrong_token() {
    sed 's/token: .*/token: not-the-token/' "$(kubeconfig a)" >"$CASE_DIR/kubeconfig"
    with_kubeconfig "$CASE_DIR/kubeconfig"
    refused 6 401 pipe "$CASE_DIR/p" backup
}

an_expired_client_certificate() {
    local plane
    plane=$(plane_dir a)
    client_certificate "$plane" expired /O=system:masters/CN=admin -1
    sed "s,$plane/admin\.,$plane/expired.," "$plane/cert.kubeconfig" >"$CASE_DIR/kubeconfig"
    with_kubeconfig "$CASE_DIR/kubeconfig"
    refused 6 expired pipe "$CASE_DIR/p" backup
}

a_valid_client_certificate() {
    with_kubeconfig "$(plane_dir a)/cert.kubeconfig"
    pipe "$CASE_DIR/p" backup
}

# As in a pod: a service account's token and CA where the kubelet would put them, seen by this process alone.
in_cluster_credentials() {
    local pod=$CASE_DIR/pod url
    url=$(cat "$(plane_dir a)/url")
    with_kubeconfig ''
    mkdir "$pod"
    k a create clusterrolebinding live-in-cluster --clusterrole cluster-admin --serviceaccount default:default
    k a -n default create token default >"$pod/token"
    cp "$(plane_dir a)/server.crt" "$pod/ca.crt"
    echo default >"$pod/namespace"
    export -f pipe && export GITOPS_PIPE CASE_DIR
    KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=${url##*:} unshare --mount bash -euc "
        mount -t tmpfs live /run
        mkdir -p /run/secrets/kubernetes.io
        cp -r '$pod' /run/secrets/kubernetes.io/serviceaccount
        pipe '$CASE_DIR/p' backup"
    k a delete clusterrolebinding live-in-cluster
}

a_server_whose_certificate_another_ca_signed() {
    sed "s,certificate-authority: .*,certificate-authority: $(plane_dir a)/client-ca.crt," \
        "$(plane_dir a)/cert.kubeconfig" >"$CASE_DIR/kubeconfig"
    with_kubeconfig "$CASE_DIR/kubeconfig"
    refused 6 certificate pipe "$CASE_DIR/p" backup
}

no_cluster() {
    sed "s,server: .*,server: https://127.0.0.1:$(free_port)," "$(kubeconfig a)" >"$CASE_DIR/kubeconfig"
    with_kubeconfig "$CASE_DIR/kubeconfig"
    refused 6 127.0.0.1 pipe "$CASE_DIR/p" backup
}

# The built-in role "view" reads nearly everything but no Secrets and no cluster-wide RBAC: a backup with holes is
# kept, says so in its manifest, and does not end well.
forbidden_types() {
    local status=0
    with_kubeconfig "$(plane_dir a)/reader.kubeconfig"
    k a create clusterrolebinding live-reader --clusterrole view --user reader
    pipe "$CASE_DIR/p" backup >"$CASE_DIR/out" 2>"$CASE_DIR/said" || status=$?
    k a delete clusterrolebinding live-reader
    cat "$CASE_DIR/out" "$CASE_DIR/said"
    expect_eq 'exit status' "$status" 3
    expect_contains 'the error' "$(cat "$CASE_DIR/said")" incomplete
    expect_contains 'the result' "$(cat "$CASE_DIR/out")" 'secrets: forbidden'
    pipe "$CASE_DIR/p" show latest --output json >"$CASE_DIR/manifest.json"
    expect_eq complete "$(jq .complete "$CASE_DIR/manifest.json")" false
}

a_missing_bucket() {
    with_kubeconfig "$(kubeconfig a)"
    sed -i 's,s3://bad-input/,s3://no-such-bucket/,' "$CASE_DIR/p/gitops-pipe.yaml"
    refused 4 no-such-bucket pipe "$CASE_DIR/p" backup
}

a_wrong_key() {
    with_kubeconfig "$(kubeconfig a)"
    AWS_SECRET_ACCESS_KEY=not-the-secret refused 6 'the secret key does not belong' pipe "$CASE_DIR/p" backup
}

no_store() {
    with_kubeconfig "$(kubeconfig a)"
    sed -i "s,$MINIO_URL,http://127.0.0.1:$(free_port)," "$CASE_DIR/p/gitops-pipe.yaml"
    refused 6 127.0.0.1 pipe "$CASE_DIR/p" backup
}

a_read_only_bucket() {
    with_kubeconfig "$(kubeconfig a)"
    pipe "$CASE_DIR/p" backup
    read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN < <(read_only_credentials bad-input)
    export AWS_SESSION_TOKEN
    refused 6 denied pipe "$CASE_DIR/p" backup
    pipe "$CASE_DIR/p" verify latest
}

an_unknown_backup() {
    with_kubeconfig "$(kubeconfig a)"
    pipe "$CASE_DIR/p" backup
    refused 4 20200101T000000Z-0000 pipe "$CASE_DIR/p" score 20200101T000000Z-0000
}

# Flip one byte of one pack where MinIO keeps it; the checksum in its name no longer holds.
a_corrupt_pack() {
    local pack bytes
    make_bucket corrupt
    with_kubeconfig "$(kubeconfig a)"
    sed -i 's,s3://bad-input/,s3://corrupt/,' "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" backup
    pack=$(pipe "$CASE_DIR/p" show latest --output json | jq -r '[.packs[]][0].sha256')
    bytes=$(mktemp "$CASE_DIR/pack.XXXXXX")
    head -c 600 /dev/zero >"$bytes"
    s3_put_file "corrupt/live/packs/$pack.tar.zst" "$bytes"
    refused 7 "$pack" pipe "$CASE_DIR/p" verify latest --quiet || return
    refused 7 'what is named above was left out' pipe "$CASE_DIR/p" score latest || return
    refused 7 "$pack" pipe "$CASE_DIR/p" drill cluster-loss --target sandbox
}

# Rebuilding is for empty clusters, and never for the one that was backed up.
a_target_that_must_not_be_overwritten() {
    with_kubeconfig "$(kubeconfig a)"
    pipe "$CASE_DIR/p" backup
    refused 5 backed pipe "$CASE_DIR/p" restore latest --environment mirror --target "kubeconfig:$(kubeconfig a)" || return
    refused 5 backed pipe "$CASE_DIR/p" drill cluster-loss --target "kubeconfig:$(plane_dir a)/cert.kubeconfig"
}

# A store of 64 kB: the backup does not fit. Nothing half is visible, and with room the next one is whole.
a_full_disk() {
    mkdir "$CASE_DIR/disk"
    mount -t tmpfs -o size=64k live "$CASE_DIR/disk"
    at_exit "umount '$CASE_DIR/disk'"
    with_kubeconfig "$(kubeconfig a)"
    sed -i "s|^  - {name: main.*|  - {name: main, url: \"file://$CASE_DIR/disk/store\"}|" "$CASE_DIR/p/gitops-pipe.yaml"
    refused 6 'No space left' pipe "$CASE_DIR/p" backup || return
    expect_eq backups "$(pipe "$CASE_DIR/p" list --output json | jq length)" 0
    mount -o remount,size=16m "$CASE_DIR/disk"
    pipe "$CASE_DIR/p" backup
    pipe "$CASE_DIR/p" verify latest
}

# Twenty kills at moments spread over a whole run: the next backup goes on, every backup that is visible is whole,
# the repository is sound and one more run ends well.
kill_9_in_mid_run() {
    local delay id
    make_bucket killed
    with_kubeconfig "$(kubeconfig a)"
    sed -i 's,s3://bad-input/,s3://killed/,' "$CASE_DIR/p/gitops-pipe.yaml"
    for delay in 0.02 0.05 0.08 0.11 0.14 0.17 0.2 0.25 0.3 0.35 0.4 0.5 0.6 0.7 0.8 1 1.2 1.5 1.8 2.2; do
        (cd "$CASE_DIR/p" && timeout -s KILL "$delay" "$GITOPS_PIPE" run -c gitops-pipe.yaml) >/dev/null 2>&1 || true
    done
    git -C "$CASE_DIR/p/repo.git" fsck --strict
    pipe "$CASE_DIR/p" run
    git -C "$CASE_DIR/p/repo.git" fsck --strict
    pipe "$CASE_DIR/p" list --output json | jq -r '.[].id' >"$CASE_DIR/ids"
    [ -s "$CASE_DIR/ids" ]
    while read -r id; do pipe "$CASE_DIR/p" verify "$id"; done <"$CASE_DIR/ids"
}

# For cases that mount something, which takes root and a kernel that lets it.
mounting() { # name function
    if unshare --mount true 2>/dev/null; then it "$@"; else skip "$1" 'mounting is not allowed here'; fi
}

it 'a valid client certificate works' a_valid_client_certificate
mounting 'credentials of a pod' in_cluster_credentials
it 'a wrong token' a_wrong_token
it 'an expired client certificate' an_expired_client_certificate
it 'a server certificate of another CA' a_server_whose_certificate_another_ca_signed
it 'no cluster' no_cluster
it 'forbidden types' forbidden_types
it 'a missing bucket' a_missing_bucket
it 'a wrong key of the store' a_wrong_key
it 'no store' no_store
it 'a read-only bucket' a_read_only_bucket
it 'an unknown backup' an_unknown_backup
it 'a corrupt pack' a_corrupt_pack
it 'a target that must not be overwritten' a_target_that_must_not_be_overwritten
mounting 'a full disk' a_full_disk
it 'kill -9 at any moment' kill_9_in_mid_run
