# shellcheck shell=bash
# Who we are to a real API server, and what the least role is worth: exactly the rights that `rbac` prints, tokens that
# change in mid-run, plugins, proxies, other names.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

API_URL=$(cat "$(plane_dir a)/url")
API_PORT=${API_URL##*:}
CA_LINE="certificate-authority: $(plane_dir a)/server.crt"

# access_folder DIR KUBECONFIG: a configuration with a store of its own.
access_folder() {
    mkdir -p "$1"
    cat >"$1/gitops-pipe.yaml" <<END
apiVersion: gitops-pipe.io/v1
kind: Pipeline
cluster: {name: live-a, kubeconfig: "$2"}
stores: [{name: main, url: "file:store"}]
secrets: {mode: omit}
END
}

# as_user FILE USER-LINES [URL CLUSTER-LINES]: a kubeconfig for plane a, and a folder that uses it.
as_user() {
    write_kubeconfig "$CASE_DIR/$1" live "${3:-$API_URL}" "$CA_LINE${4:+$'\n'      $4}" "$2"
    access_folder "$CASE_DIR/p" "$CASE_DIR/$1"
}

k a create namespace live-access >/dev/null
at_exit 'k a delete --wait=false namespace live-access >/dev/null'

# account NAME [RBAC-OPTION...]: applies exactly the printed roles, under names of this account; leaves its token in
# $TOKEN. What a case makes in the cluster it takes away.
account() {
    local name=$1
    shift
    access_folder "$CASE_DIR/admin" "$(kubeconfig a)"
    pipe "$CASE_DIR/admin" rbac --service-account "live-access/$name" --output json "$@" |
        jq --arg name "$name" '.items |= map(select(.kind != "Namespace") | if .kind | test("Role") then
            .metadata.name = $name | if .roleRef then .roleRef.name = $name else . end else . end)' >"$CASE_DIR/$name.json"
    at_exit "k a delete --wait=false -f '$CASE_DIR/$name.json' >/dev/null"
    k a apply -f "$CASE_DIR/$name.json" >/dev/null
    TOKEN=$(k a -n live-access create token "$name")
}

backup_with() { # status
    local status=0
    pipe "$CASE_DIR/p" backup --quiet --output json "${@:2}" >"$CASE_DIR/result.json" 2>"$CASE_DIR/said" || status=$?
    cat "$CASE_DIR/said"
    expect_eq 'exit status' "$status" "$1"
}

missing_types() { jq -r '.missing[].type' "$CASE_DIR/result.json"; }

exactly_the_printed_role_is_enough() {
    account nightly
    as_user kubeconfig "token: $TOKEN"
    backup_with 0
    expect_eq complete "$(jq .complete "$CASE_DIR/result.json")" true
    pipe "$CASE_DIR/p" verify latest --quiet
    # It reads and nothing else.
    for verb in get watch create update delete; do
        expect_eq "may $verb" "$(k a auth can-i "$verb" secrets -A --as system:serviceaccount:live-access:nightly || true)" no
    done
    expect_eq 'may exec' "$(k a auth can-i create pods --subresource exec -A --as system:serviceaccount:live-access:nightly || true)" no
    expect_eq 'may list' "$(k a auth can-i list secrets -A --as system:serviceaccount:live-access:nightly)" yes
}

one_rule_less_is_named() {
    account short
    jq '(.items[] | select(.kind == "ClusterRole").rules[] | select(.apiGroups == ["apps"]).resources) -= ["deployments"]' \
        "$CASE_DIR/short.json" | k a apply -f - >/dev/null
    as_user kubeconfig "token: $TOKEN"
    backup_with 3
    expect_eq missing "$(missing_types)" deployments.apps
    expect_contains 'the error' "$(cat "$CASE_DIR/said")" deployments.apps
    backup_with 0 --allow-missing deployments.apps
}

roles_of_one_namespace() {
    account one-namespace --namespace production-simulation
    expect_eq 'roles' "$(jq -r '[.items[] | select(.kind == "Role").metadata.namespace] | join(" ")' "$CASE_DIR/one-namespace.json")" production-simulation
    as_user kubeconfig "token: $TOKEN"
    backup_with 0 --namespace production-simulation
    expect_eq 'may list elsewhere' "$(k a auth can-i list secrets -n kube-system --as system:serviceaccount:live-access:one-namespace || true)" no
    backup_with 3 --namespace no-such
    expect_contains missing "$(missing_types)" secrets
}

a_type_that_comes_later() {
    account named
    account any --wildcard
    at_exit 'k a delete --wait=false crd laters.live.example.com >/dev/null'
    k a apply -f - >/dev/null <<END
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: laters.live.example.com}
spec:
  group: live.example.com
  names: {kind: Later, plural: laters, singular: later}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
END
    wait_until 20 'the new kind' k a get laters.live.example.com
    as_user kubeconfig "token: $(k a -n live-access create token named)"
    backup_with 3
    expect_eq missing "$(missing_types)" laters.live.example.com
    as_user kubeconfig "token: $(k a -n live-access create token any)"
    backup_with 0
}

impersonation() {
    account disguise
    as_user kubeconfig "token: $(cat "$(plane_dir a)/token")"$'\n'"      as: system:serviceaccount:live-access:disguise"
    backup_with 0
    k a delete clusterrolebinding disguise >/dev/null
    backup_with 3
    as_user kubeconfig "token: $(cat "$(plane_dir a)/token")"$'\n'"      as: somebody"$'\n'"      as-groups: [\"system:masters\"]"$'\n'"      as-uid: \"7\""$'\n'"      as-user-extra: {example.com/reason: [live]}"
    backup_with 0
    as_user kubeconfig "token: $TOKEN"$'\n'"      as: admin"
    refused 6 'cannot impersonate' pipe "$CASE_DIR/p" backup
}

# toxic PROXY-PORT MS: the API server behind so much latency.
slow_api() {
    local control
    control=$(free_port)
    start toxiproxy toxiproxy-server -host 127.0.0.1 -port "$control"
    wait_until 10 toxiproxy curl -fsS "http://127.0.0.1:$control/version"
    curl -fsS "http://127.0.0.1:$control/proxies" \
        -d "{\"name\":\"api\",\"listen\":\"127.0.0.1:$1\",\"upstream\":\"127.0.0.1:$API_PORT\"}" >/dev/null
    curl -fsS "http://127.0.0.1:$control/proxies/api/toxics" \
        -d "{\"type\":\"latency\",\"attributes\":{\"latency\":$2}}" >/dev/null
}

# The account before the rotation loses its rights at once; whoever does not read the file again has holes.
a_token_file_rotated_in_mid_run() {
    local port pid status=0
    port=$(free_port)
    account after
    printf %s "$TOKEN" >"$CASE_DIR/next-token"
    account before
    printf %s "$TOKEN" >"$CASE_DIR/token"
    slow_api "$port" 100
    as_user kubeconfig "tokenFile: token" "https://127.0.0.1:$port"
    pipe "$CASE_DIR/p" backup --output json >"$CASE_DIR/result.json" 2>"$CASE_DIR/said" &
    pid=$!
    wait_until 20 'the run to read' grep -q reading "$CASE_DIR/said"
    mv "$CASE_DIR/next-token" "$CASE_DIR/token"
    k a delete clusterrolebinding before >/dev/null
    kill -0 "$pid" || fail 'the run was over before the rotation'
    wait "$pid" || status=$?
    expect_eq "exit status: $(cat "$CASE_DIR/said")" "$status" 0
    expect_eq complete "$(jq .complete "$CASE_DIR/result.json")" true
}

# The plugin's first answer is refused and has expired besides, the second is good.
an_exec_plugin_with_an_expired_token() {
    account plugin
    cat >"$CASE_DIR/login" <<END
#!/bin/sh
cd '$CASE_DIR' && echo run >>runs
[ "\$(wc -l <runs)" -gt 1 ] || { echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"old","expirationTimestamp":"2020-01-01T00:00:00Z"}}'; exit; }
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"$TOKEN"}}'
END
    chmod +x "$CASE_DIR/login"
    as_user kubeconfig 'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never}'
    backup_with 0
    expect_eq 'runs of the plugin' "$(wc -l <"$CASE_DIR/runs")" 2
}

# The name resolves nowhere, so only the proxy leads there; and the certificate is for another one.
proxy_url_and_tls_server_name() {
    local proxy
    proxy=$(free_port)
    start connect-proxy connect-proxy "127.0.0.1:$proxy" "127.0.0.1:$API_PORT"
    wait_until 10 'the proxy' curl -s -o /dev/null "http://127.0.0.1:$proxy"
    as_user kubeconfig "token: $(cat "$(plane_dir a)/token")" https://api.live.invalid:6443 \
        "tls-server-name: kubernetes.default.svc"$'\n'"      proxy-url: http://127.0.0.1:$proxy"
    backup_with 0
    expect_contains 'what the proxy saw' "$(cat "$LIVE_DIR/logs/connect-proxy.log")" 'CONNECT api.live.invalid:6443'
    sed -i '/tls-server-name/d' "$CASE_DIR/kubeconfig"
    refused 6 'another name' pipe "$CASE_DIR/p" backup
    sed -i '/proxy-url/d' "$CASE_DIR/kubeconfig"
    refused 6 'does not resolve' pipe "$CASE_DIR/p" backup
}

a_list_of_kubeconfigs() {
    mkdir "$CASE_DIR/one" "$CASE_DIR/two"
    cp "$(plane_dir a)/server.crt" "$CASE_DIR/one/ca.crt"
    cp "$(plane_dir a)/token" "$CASE_DIR/two/token"
    echo "{clusters: [{name: live, cluster: {server: '$API_URL', certificate-authority: ca.crt}}]}" >"$CASE_DIR/one/config"
    echo "{current-context: live, contexts: [{name: live, context: {cluster: live, user: me}}],
           clusters: [{name: live, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: me, user: {tokenFile: token}}]}" >"$CASE_DIR/two/config"
    access_folder "$CASE_DIR/p" ''
    KUBECONFIG=$CASE_DIR/none:$CASE_DIR/one/config:$CASE_DIR/two/config backup_with 0
}

plain_http_is_for_this_machine_alone() {
    as_user kubeconfig 'token: secret-token' http://192.0.2.1:8080
    refused 2 'http:// is refused' pipe "$CASE_DIR/p" backup
    if grep -q secret-token "$CASE_DIR/said" 2>/dev/null; then fail 'the token was told'; fi
}

it 'exactly the printed role is enough for a complete backup' exactly_the_printed_role_is_enough
it 'one rule less: incomplete, and the type is named' one_rule_less_is_named
it 'a namespace has a role of its own' roles_of_one_namespace
it 'a type that comes later is missed by name, and read by a wildcard' a_type_that_comes_later
it 'impersonation: user, group, uid, extra' impersonation
it 'a token file rotated in mid-run' a_token_file_rotated_in_mid_run
it 'an exec plugin with an expired token is asked again' an_exec_plugin_with_an_expired_token
it 'proxy-url and tls-server-name' proxy_url_and_tls_server_name
it 'a list of kubeconfigs, each with its own paths' a_list_of_kubeconfigs
it 'plain http is refused beyond this machine' plain_http_is_for_this_machine_alone
