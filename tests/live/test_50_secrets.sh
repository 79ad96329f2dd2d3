# shellcheck shell=bash disable=SC2119
# Secrets in git on real parts: the real controller unseals, the real sops and age decrypt, and nobody who has the whole
# history of the repository, the reports and the logs finds a byte of a value. Markers are new in every run.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

WORK=$LIVE_DIR/secrets
MODES='sops sealed external omit'
mkdir -p "$WORK"
plane_start s bare
plane_start t bare
marker() { echo "marker-$1-$(random_hex 12)"; }

# What must never be seen: a password, several lines, bytes that are no text, a name in a registry's own format.
PASSWORD=$(marker password) TOKEN=$(marker token) MULTI=$(marker lines) REGISTRY=$(marker registry)
printf '%s\n' "$PASSWORD" "$TOKEN" "$MULTI" "$REGISTRY" >"$WORK/markers"

make_cluster() {
    k s create namespace shop
    k s -n shop create secret generic db --from-literal=password="$PASSWORD" --from-literal=empty= \
        --from-file=lines=<(printf 'first\n%s\n\tlast \n' "$MULTI") --from-file=bytes=<(printf '\377\000%s\001' "$TOKEN")
    k s -n shop label secret db app=db
    k s -n shop create secret docker-registry registry --docker-server=r.example.com --docker-username=ci \
        --docker-password="$REGISTRY"
    k s -n shop apply -f - <<END
apiVersion: v1
kind: Secret
metadata: {name: applied, namespace: shop}
immutable: true
type: example.com/own
stringData: {token: "$TOKEN"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {level: info}
END
    k s -n shop get secrets -o json | jq -S '[.items[] | {name: .metadata.name, type, data, immutable, app: .metadata.labels.app}]' >"$WORK/want.json"
}

# The controller takes its credentials from where a pod has them, and is reached as in a cluster: through its Service.
# The API server forwards to pods only, and to no loopback address: a pod without a node has to lend it one of the machine's.
start_controller() {
    local pod=$WORK/pod url port address
    url=$(cat "$(plane_dir s)/url") port=$(free_port)
    address=$(hostname -I | tr ' ' '\n' | grep -m1 '\.')
    mkdir "$pod"
    k s create clusterrolebinding sealing --clusterrole cluster-admin --serviceaccount kube-system:sealing
    k s -n kube-system create serviceaccount sealing
    k s -n kube-system create token sealing >"$pod/token"
    cp "$(plane_dir s)/server.crt" "$pod/ca.crt"
    echo kube-system >"$pod/namespace"
    k s apply --server-side -f "$(dirname "$(command -v sealed-secrets-controller)")/../crds"
    start sealed-secrets env KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT="${url##*:}" POD_NAMESPACE=kube-system \
        unshare --mount bash -euc "
            mount -t tmpfs live /run
            mkdir -p /run/secrets/kubernetes.io
            cp -r '$pod' /run/secrets/kubernetes.io/serviceaccount
            exec sealed-secrets-controller --listen-addr $address:$port --listen-metrics-addr 127.0.0.1:$(free_port) --key-size 2048"
    k s apply -f - <<END
apiVersion: v1
kind: Service
metadata: {name: sealed-secrets-controller, namespace: kube-system}
spec: {ports: [{name: http, port: 8080, targetPort: $port}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: sealed-secrets-controller, namespace: kube-system}
subsets:
  - addresses: [{ip: $address, targetRef: {kind: Pod, namespace: kube-system, name: controller}}]
    ports: [{name: http, port: $port}]
---
apiVersion: v1
kind: Pod
metadata: {name: controller, namespace: kube-system}
spec:
  serviceAccountName: sealing
  automountServiceAccountToken: false
  containers: [{name: controller, image: sealed-secrets}]
END
    k s -n kube-system patch pod controller --subresource status --type merge \
        -p "{\"status\": {\"podIP\": \"$address\", \"podIPs\": [{\"ip\": \"$address\"}]}}"
    wait_until 30 'the controller' k s get --raw \
        /api/v1/namespaces/kube-system/services/http:sealed-secrets-controller:http/proxy/v1/cert.pem
}

configure() {
    local mode
    git init -q --bare -b main "$WORK/repo.git"
    "$GITOPS_PIPE" secrets keygen "$WORK/age.agekey" >"$WORK/recipient"
    "$GITOPS_PIPE" secrets keygen "$WORK/next.agekey" >"$WORK/next-recipient"
    cat >"$WORK/gitops-pipe.yaml" <<END
apiVersion: gitops-pipe.io/v1
kind: Pipeline
cluster: {name: live-s, kubeconfig: "$(kubeconfig s)", include: {namespaces: [shop]}}
stores: [{name: main, url: "file:store"}]
secrets:
  recipients: [$(cat "$WORK/recipient")]
  external: {store: vault}
environments:
$(for mode in $MODES; do echo "  - {name: $mode, secrets: {mode: $mode}}"; done)
git: {url: "file://$WORK/repo.git", branch: main, author: "live tests <live@example.com>"}
drills: {target: sandbox, environment: sops}
END
}

{ make_cluster && start_controller && configure; } >"$WORK/set-up.log" 2>&1 || {
    cat "$WORK/set-up.log"
    fail 'set-up of the cluster with Secrets'
}

# Everything that the program says anywhere is kept, and what the process list showed of it.
said() { # ARGUMENTS...
    local pid status=0
    (cd "$WORK" && exec "$GITOPS_PIPE" "$@" -c gitops-pipe.yaml) >>"$WORK/said" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        tr '\0' ' ' <"/proc/$pid/cmdline" >>"$WORK/seen" 2>/dev/null || true
        sleep 0.02
    done
    wait "$pid" || status=$?
    return $status
}

checkout() { # DIR
    rm -rf "$1"
    git clone -q "$WORK/repo.git" "$1"
}

one_run_writes_every_mode() {
    said run --log-format json || { tail -n 20 "$WORK/said"; return 1; }
    checkout "$WORK/clone"
    ls "$WORK"/clone/overlays/*/shop/secrets
    expect_eq 'sops files' "$(find "$WORK/clone/overlays/sops/shop/secrets" -name 'secret-*.yaml' | wc -l)" 3
    expect_eq 'sealed files' "$(find "$WORK/clone/overlays/sealed/shop/secrets" -name 'sealedsecret-*.yaml' | wc -l)" 3
    expect_eq 'external files' "$(find "$WORK/clone/overlays/external/shop/secrets" -name 'externalsecret-*.yaml' | wc -l)" 3
    [ ! -e "$WORK/clone/overlays/omit/shop/secrets" ]
}

kustomize_renders_them_as_we_do() {
    local mode
    for mode in $MODES; do rendered_alike "$WORK/clone/overlays/$mode" "$CASE_DIR/$mode.yaml"; done
}

a_second_run_commits_nothing() {
    local before
    before=$(git -C "$WORK/repo.git" rev-parse main)
    said run --skip drill
    expect_eq 'the commit' "$(git -C "$WORK/repo.git" rev-parse main)" "$before"
}

# DIR IDENTITY: what sops decrypts, MAC checked, is what the cluster has.
sops_decrypts() {
    local file
    for file in "$1"/overlays/sops/shop/secrets/*.yaml; do
        SOPS_AGE_KEY_FILE=$2 sops --decrypt --output-type json "$file"
    done | jq -S -s 'sort_by(.metadata.name) | [.[] | {name: .metadata.name, type, data, immutable, app: .metadata.labels.app}]' >"$CASE_DIR/got.json"
    expect_same_file "$CASE_DIR/got.json" "$WORK/want.json"
}

the_real_sops_decrypts() { sops_decrypts "$WORK/clone" "$WORK/age.agekey"; }

the_real_age_opens_the_data_key() {
    same-objects --json "$WORK/clone/overlays/sops/shop/secrets/secret-db.yaml" | jq -r '.sops.age[0].enc' >"$CASE_DIR/key.age"
    age -d -i "$WORK/age.agekey" -o "$CASE_DIR/key" "$CASE_DIR/key.age"
    expect_eq 'bytes of the data key' "$(wc -c <"$CASE_DIR/key")" 32
}

a_changed_value_is_noticed_by_sops() {
    local file=$CASE_DIR/secret.yaml
    sed 's/^\(  password: \).*/\1cGxhaW4=/' "$WORK/clone/overlays/sops/shop/secrets/secret-db.yaml" >"$file"
    ! SOPS_AGE_KEY_FILE=$WORK/age.agekey sops --decrypt "$file" || fail 'sops took it'
}

# What is rebuilt without the backup is decrypted from the repository alone.
restore_decrypts() {
    sed -i 's/^stores: .*/stores: [{name: main, url: "file:elsewhere"}]/' "$WORK/gitops-pipe.yaml"
    sed -i '/^backup: /d' "$WORK/clone/.gitops-pipe.yaml"
    said restore clone --environment sops --identity age.agekey --target "kubeconfig:$(kubeconfig t)" ||
        { tail -n 20 "$WORK/said"; return 1; }
    sed -i 's/^stores: .*/stores: [{name: main, url: "file:store"}]/' "$WORK/gitops-pipe.yaml"
    k t -n shop get secrets -o json | jq -S '[.items[] | {name: .metadata.name, type, data, immutable, app: .metadata.labels.app}]' >"$CASE_DIR/got.json"
    expect_same_file "$CASE_DIR/got.json" "$WORK/want.json"
}

unsealed() {
    k s -n shop get secrets -o json | jq -S '[.items[] | {name: .metadata.name, type, data, immutable, app: .metadata.labels.app}]' >"$CASE_DIR/got.json"
    expect_same_file "$CASE_DIR/got.json" "$WORK/want.json"
}

# The Secrets are gone from the cluster, and come back from what git has.
the_real_controller_unseals() {
    k s -n shop delete secrets --all
    k s apply --server-side -k "$WORK/clone/overlays/sealed/shop"
    wait_until 30 'the controller to unseal' unsealed
}

rotation_goes_to_new_recipients() {
    local before after
    checkout "$WORK/rotated"
    before=$(sed -n 's/^  password: //p' "$WORK/rotated/overlays/sops/shop/secrets/secret-db.yaml")
    sed -i "s/recipients: .*/recipients: [$(cat "$WORK/next-recipient")]/" "$WORK/gitops-pipe.yaml"
    said secrets rotate rotated --identity age.agekey --dry-run
    git -C "$WORK/rotated" diff --exit-code
    said secrets rotate rotated --identity age.agekey || { tail -n 20 "$WORK/said"; return 1; }
    after=$(sed -n 's/^  password: //p' "$WORK/rotated/overlays/sops/shop/secrets/secret-db.yaml")
    [ "$before" != "$after" ] || fail 'the same ciphertext'
    sops_decrypts "$WORK/rotated" "$WORK/next.agekey"
    ! SOPS_AGE_KEY_FILE=$WORK/age.agekey sops --decrypt "$WORK/rotated/overlays/sops/shop/secrets/secret-db.yaml" ||
        fail 'the old key still opens it'
}

what_was_rotated_unseals() {
    ! cmp "$WORK/clone/overlays/sealed/shop/secrets/sealedsecret-db.yaml" "$WORK/rotated/overlays/sealed/shop/secrets/sealedsecret-db.yaml" ||
        fail 'the same ciphertext'
    k s -n shop delete secrets,sealedsecrets --all
    k s apply --server-side -k "$WORK/rotated/overlays/sealed/shop"
    wait_until 30 'the controller to unseal' unsealed
}

a_password_in_a_config_map_is_refused_and_not_said() {
    k s -n shop create configmap careless --from-literal=settings="password is $PASSWORD"
    k s -n shop create secret generic known --from-literal=password="$PASSWORD"
    local status=0
    said run --skip drill || status=$?
    expect_eq 'exit status' "$status" 5
    expect_contains 'what was said' "$(tail -n 30 "$WORK/said")" shop/ConfigMap/careless
}

# Each marker as it is, and in base64 wherever it may lie in a longer text.
patterns() {
    local marker before text skip
    while read -r marker; do
        echo "$marker"
        for before in '' x xx; do
            text=$(printf '%s%s' "$before" "$marker" | base64 -w0)
            skip=$((${#before} == 0 ? 0 : ${#before} + 1))
            text=${text:skip}
            echo "${text:0:${#text}-4}"
        done
    done <"$WORK/markers"
}

no_byte_of_them_is_anywhere() {
    patterns >"$CASE_DIR/patterns"
    git -C "$WORK/repo.git" cat-file --batch --batch-all-objects >"$CASE_DIR/history"
    for where in "$CASE_DIR/history" "$WORK/said" "$WORK/seen" "$WORK/report" "$WORK/.gitops-pipe" "$WORK/clone" "$WORK/rotated"; do
        ! grep -r -a -F -o -n -f "$CASE_DIR/patterns" "$where" || fail "found in $where"
    done
    # The search finds what there is to find.
    find "$WORK/store" -name '*.tar.zst' -exec zstd -dc {} \; >"$CASE_DIR/packs"
    expect_eq 'markers in the backup' "$(grep -a -F -o -f "$CASE_DIR/patterns" "$CASE_DIR/packs" | sort -u | wc -l | awk '{ print ($1 >= 4) }')" 1
}

it 'one run writes the Secrets of a cluster in every mode' one_run_writes_every_mode
it 'kustomize renders them as we do' kustomize_renders_them_as_we_do
it 'a second run commits nothing in any mode' a_second_run_commits_nothing
it 'the real sops decrypts, and its MAC holds' the_real_sops_decrypts
it 'the real age opens the data key' the_real_age_opens_the_data_key
it 'a changed value is noticed by sops' a_changed_value_is_noticed_by_sops
it 'restore decrypts from the repository alone' restore_decrypts
it 'the real controller unseals to the same Secrets' the_real_controller_unseals
it 'secrets rotate goes to new recipients' rotation_goes_to_new_recipients
it 'what was rotated unseals too' what_was_rotated_unseals
it 'a password in a ConfigMap is refused, and not said' a_password_in_a_config_map_is_refused_and_not_said
it 'no byte of a value is in history, reports, output, state or process list' no_byte_of_them_is_anywhere
