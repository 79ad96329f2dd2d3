# shellcheck shell=bash
# Whether a backup is what it says: of one moment while others write, whole although history is compacted and the API
# server restarts under it, honest where it is not, and small in memory. On a plane of its own without controllers.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

OBJECTS=10400

plane_start snap bare
dir=$(plane_dir snap)
url=$(cat "$dir/url")
token=$(cat "$dir/token")
api() { curl -sS --fail-with-body --cacert "$dir/server.crt" -H "Authorization: Bearer $token" "$@"; }

# batch METHOD FILE: one request for each line "path body" of FILE, over many connections of one curl.
batch() {
    local method=$1 path body
    while read -r path body; do
        printf 'next\nurl = "%s%s"\nrequest = "%s"\n' "$url" "$path" "$method"
        printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\n' "$token"
        printf 'cacert = "%s"\noutput = "/dev/null"\n' "$dir/server.crt"
        [ -z "$body" ] || printf 'data = "%s"\n' "${body//\"/\\\"}"
    done <"$2" | tail -n +2 >"$2.curl"
    curl -sS --parallel --parallel-max 20 --config "$2.curl"
}

config_maps() { # namespace from to label
    local i
    for ((i = $2; i < $3; i++)); do
        echo "/api/v1/namespaces/$1/configmaps {\"metadata\":{\"name\":\"c-$i\",\"labels\":{\"kind\":\"$4\"}},\"data\":{\"text\":\"$FILLER\"}}"
    done
}
FILLER=$(printf 'some text of a usual length %.0s' {1..40})

fill() {
    local n
    for n in {1..8}; do
        k snap create namespace "team-$n" >/dev/null
        config_maps "team-$n" 0 $((OBJECTS / 8)) "kind-$((n % 2))"
    done >"$LIVE_DIR/snap-fill"
    batch POST "$LIVE_DIR/snap-fill"
    expect_eq 'created ConfigMaps' "$(api "$url/api/v1/namespaces/team-8/configmaps?limit=1" | jq '.metadata.remainingItemCount + 1')" $((OBJECTS / 8))
}

# backup STORE [ARGUMENTS...]: of the plane into a folder; the report as JSON in $CASE_DIR/report.
backup() {
    local store=$1
    shift
    "$GITOPS_PIPE" backup -q -o json --kubeconfig "${KUBECONFIG_OF_CASE:-$dir/token.kubeconfig}" --store "file://$store" "$@" >"$CASE_DIR/report"
}

manifest_of() { cat "$1"/backups/*/"$(jq -r .id "$CASE_DIR/report")"/manifest.json; } # store

# objects STORE: every object of the backup just made, as read from its packs without our code, one a line: API version,
# kind, namespace, name, uid, resourceVersion.
objects() {
    manifest_of "$1" | jq -r '.packs[] | select(.part != "schema") | .sha256' | while read -r pack; do
        tar --zstd -xOf "$1/packs/$pack.tar.zst"
    done | jq -r '[.apiVersion, .kind, .metadata.namespace // "", .metadata.name, .metadata.uid, .metadata.resourceVersion] | @tsv' | LC_ALL=C sort
}

# listed STORE: the same from the API server itself: every type that the backup says is exact, listed at exactly X.
listed() {
    local x
    x=$(manifest_of "$1" | jq -r .resourceVersion)
    manifest_of "$1" | jq -r '.types[] | select(.consistency == "exact") | [(if .group == "" then "/api/" else "/apis/" + .group + "/" end) + .version + "/" + .plural, (if .group == "" then "" else .group + "/" end) + .version, .kind] | @tsv' |
        while IFS=$'\t' read -r path version kind; do
            api "$url$path?resourceVersion=$x&resourceVersionMatch=Exact" |
                jq -r --arg v "$version" --arg k "$kind" '.items[]? | [$v, $k, .metadata.namespace // "", .metadata.name, .metadata.uid, .metadata.resourceVersion] | @tsv'
        done | LC_ALL=C sort
}

# --- memory, and the night after ---

little_memory() {
    backup "$CASE_DIR/store"
    jq '{objects, complete, peakMemoryBytes, packs, durationMs}' "$CASE_DIR/report"
    [ "$(jq .objects "$CASE_DIR/report")" -gt $OBJECTS ] || fail 'too few objects'
    [ "$(jq .peakMemoryBytes "$CASE_DIR/report")" -lt $((128 << 20)) ] || fail 'more than 128 MiB'
    backup "$CASE_DIR/store"
    jq .packs "$CASE_DIR/report"
    jq -e '.packs.bytesNew * 100 < .packs.bytesUnchanged' "$CASE_DIR/report"
    objects "$CASE_DIR/store" >"$CASE_DIR/objects"
    listed "$CASE_DIR/store" | diff "$CASE_DIR/objects" - | head
    listed "$CASE_DIR/store" | cmp "$CASE_DIR/objects" -
}

# --- one moment ---

# Creates, changes and deletes until the file "stop" is there; leaves in "writes" how often it went round.
write_without_pause() {
    local round=0
    config_maps team-1 900000 900040 written >"$CASE_DIR/create"
    sed -E 's,(/configmaps) (.*"name":"([^"]*)".*),\1/\3 \2,; s,some text,other text,' "$CASE_DIR/create" >"$CASE_DIR/change"
    sed 's, .*,,' "$CASE_DIR/change" >"$CASE_DIR/delete"
    until [ -e "$CASE_DIR/stop" ]; do
        batch POST "$CASE_DIR/create"
        batch PUT "$CASE_DIR/change"
        batch DELETE "$CASE_DIR/delete"
        echo $((++round)) >"$CASE_DIR/writes"
    done
}

# Each list of the backup is read through a narrow pipe, so that there is time for many writes between them.
one_moment_while_others_write() {
    local before after writer
    proxy_start snap-writes 3000
    (new_shell; write_without_pause) &
    writer=$!
    wait_until 20 'the first round of writes' test -s "$CASE_DIR/writes"
    before=$(cat "$CASE_DIR/writes")
    KUBECONFIG_OF_CASE=$CASE_DIR/proxied.kubeconfig backup "$CASE_DIR/store"
    after=$(cat "$CASE_DIR/writes")
    touch "$CASE_DIR/stop"
    wait "$writer"
    echo "$((after - before)) rounds of 120 writes while the backup ran"
    [ $((after - before)) -ge 2 ] || fail 'nothing was written meanwhile'
    jq -e '.complete' "$CASE_DIR/report"

    local x
    x=$(manifest_of "$CASE_DIR/store" | jq -r .resourceVersion)
    objects "$CASE_DIR/store" >"$CASE_DIR/objects"
    expect_eq 'objects younger than X' "$(awk -F'\t' -v x="$x" '$6 + 0 > x + 0' "$CASE_DIR/objects")" ''
    listed "$CASE_DIR/store" >"$CASE_DIR/listed"
    diff "$CASE_DIR/objects" "$CASE_DIR/listed" | head
    cmp "$CASE_DIR/objects" "$CASE_DIR/listed"
    manifest_of "$CASE_DIR/store" | jq -r '.types[].consistency // empty' | sort | uniq -c
}

# --- what breaks under it ---

# proxy_start NAME RATE: a proxy in front of the API server with RATE KB/s, and $CASE_DIR/proxied.kubeconfig to it.
proxy_start() {
    local control port
    control=$(free_port)
    port=$(free_port)
    PROXY=http://127.0.0.1:$control/proxies
    start "$1" toxiproxy-server -host 127.0.0.1 -port "$control"
    wait_until 20 toxiproxy curl -fsS "$PROXY"
    curl -fsS -o /dev/null "$PROXY" -d "{\"name\":\"api\",\"listen\":\"127.0.0.1:$port\",\"upstream\":\"${url#https://}\"}"
    curl -fsS -o /dev/null "$PROXY/api/toxics" -d "{\"name\":\"narrow\",\"type\":\"bandwidth\",\"attributes\":{\"rate\":$2}}"
    sed "s,server: .*,server: https://127.0.0.1:$port," "$dir/token.kubeconfig" >"$CASE_DIR/proxied.kubeconfig"
}

proxy_wide() { curl -fsS -o /dev/null -X DELETE "$PROXY/api/toxics/narrow"; }

# pid bytes: it runs, and has put so much of what it read on its disk; receiving is counted nowhere.
has_read() { [ "$(awk '$1 == "wchar:" { print $2 }' "/proc/$1/io")" -gt "$2" ]; }

compact_etcd() {
    local etcd now
    etcd=$(cat "$dir/etcd-url")
    now=$(curl -fsS "$etcd/v3/kv/range" -d '{"key":"AA=="}' | jq -r .header.revision)
    curl -fsS "$etcd/v3/kv/compaction" -d "{\"revision\":\"$now\",\"physical\":true}" >/dev/null
    echo "compacted at revision $now"
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# Kills the API server hard and starts it again on the same port.
restart_apiserver() {
    kill -KILL "$1"
    wait_until 20 'the API server to be gone' is_gone "$1"
    plane_apiserver snap "$dir" "${url##*:}"
    wait_until 60 'the API server' api "$url/readyz"
}

# In the middle of the backup: a write, so that X is history, the compaction of all history, and the server dies.
compaction_and_restart() {
    local pid status=0
    backup "$CASE_DIR/store"
    objects "$CASE_DIR/store" | grep team- >"$CASE_DIR/calm"
    proxy_start snap-restart 3000
    # Not through a function: the process to look at is the program itself.
    "$GITOPS_PIPE" backup -q -o json --kubeconfig "$CASE_DIR/proxied.kubeconfig" --store "file://$CASE_DIR/store" >"$CASE_DIR/report" &
    pid=$!
    wait_until 30 'the backup to be in the middle' has_read "$pid" 2000000
    k snap -n default create configmap "history-$$" >/dev/null
    compact_etcd
    restart_apiserver "$(pgrep -f "kube-apiserver .*--secure-port ${url##*:} ")"
    proxy_wide
    wait "$pid" || status=$?
    jq '{complete, missing, objects, resourceVersion}' "$CASE_DIR/report"
    manifest_of "$CASE_DIR/store" | jq -r '.types[] | select(.why) | [.plural, .consistency, .why] | @tsv'
    if [ "$status" -ne 0 ]; then # then it has to be honest about it
        expect_eq 'exit status' "$status" 3
        jq -e '.complete == false and (.missing | length) > 0' "$CASE_DIR/report"
        return
    fi
    jq -e .complete "$CASE_DIR/report"
    expect_contains 'why a type is not exact' "$(manifest_of "$CASE_DIR/store" | jq -r '.types[].why // empty')" 'compacted' || return
    objects "$CASE_DIR/store" | grep team- | cmp "$CASE_DIR/calm" -
    "$GITOPS_PIPE" verify latest -q --store "file://$CASE_DIR/store" >/dev/null
}

# --- holes ---

# An aggregated API whose server is gone: discovery says so, the backup too, and who expects it may say that.
dead_api() {
    local status=0
    k snap apply --server-side -f - >/dev/null <<'END'
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.dead.example.com}
spec: {group: dead.example.com, version: v1, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true, service: {name: gone, namespace: default}}
---
apiVersion: v1
kind: Service
metadata: {name: gone, namespace: default}
spec: {ports: [{port: 443}], selector: {app: gone}}
END
    wait_until 30 'the API service to be found dead' dead_is_known
    backup "$CASE_DIR/store" --namespace default || status=$?
    jq '{complete, missing}' "$CASE_DIR/report"
    expect_eq 'exit status' "$status" 3
    jq -e '.complete == false and (.missing | map(.type) | any(endswith("dead.example.com")))' "$CASE_DIR/report"
    backup "$CASE_DIR/store" --namespace default --allow-missing '*.dead.example.com'
    jq -e '.complete' "$CASE_DIR/report"
    k snap delete apiservice v1.dead.example.com >/dev/null
}

dead_is_known() { api -H 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' "$url/apis" | jq -e '.items[] | select(.metadata.name == "dead.example.com") | .versions[] | select(.freshness == "Stale")'; }

# --- shards ---

exec_shard() { exec "$GITOPS_PIPE" backup -q -o json --kubeconfig "${KUBECONFIG_OF_CASE:-$dir/token.kubeconfig}" --store "file://$CASE_DIR/store" --run "$1" --shard "$2"; }
shard() { (exec_shard "$@"); }

# Shard 1 is killed while it works; the others go in at the same time; nothing is published until 1 has come again, and
# then what is published is what one process alone backs up.
shards_make_one_backup() {
    local pid
    proxy_start snap-shards 500 # so that it cannot be done before it is killed
    (KUBECONFIG_OF_CASE=$CASE_DIR/proxied.kubeconfig exec_shard night 1/3) >/dev/null &
    pid=$!
    wait_until 20 'shard 1 to be reading' has_read "$pid" 300000
    kill -KILL "$pid"
    wait "$pid" || expect_eq 'exit status of the killed' $? 137
    shard night 0/3 >"$CASE_DIR/zero" &
    pid=$!
    shard night 2/3 >"$CASE_DIR/two"
    wait "$pid"
    jq -c .shard "$CASE_DIR/zero" "$CASE_DIR/two"
    expect_eq 'manifests' "$(find "$CASE_DIR/store/backups" -name manifest.json | wc -l)" 0
    shard night 1/3 >"$CASE_DIR/report"
    jq '{shard, objects, complete, resourceVersion}' "$CASE_DIR/report"
    jq -e '.shard.published and .complete' "$CASE_DIR/report"
    expect_eq 'manifests' "$(find "$CASE_DIR/store/backups" -name manifest.json | wc -l)" 1
    objects "$CASE_DIR/store" >"$CASE_DIR/objects"
    listed "$CASE_DIR/store" | cmp "$CASE_DIR/objects" -
    "$GITOPS_PIPE" verify latest -q --store "file://$CASE_DIR/store" >/dev/null
    shard night 2/3 | jq -e '.shard.published'
    expect_eq 'manifests' "$(find "$CASE_DIR/store/backups" -name manifest.json | wc -l)" 1
}

# --- a part ---

labels_are_the_servers_affair() {
    local want
    want=$(k snap get configmaps -A -l 'kind in (kind-1),kind' -o name | wc -l)
    backup "$CASE_DIR/store" -l 'kind in (kind-1),kind' --exclude-namespace team-7
    jq '{objects, complete}' "$CASE_DIR/report"
    manifest_of "$CASE_DIR/store" | jq -c '.selection, (.packs | map(.namespace))'
    expect_eq 'ConfigMaps' "$(objects "$CASE_DIR/store" | grep -c $'\tConfigMap\t')" $((want - OBJECTS / 8))
    expect_eq 'Namespaces' "$(objects "$CASE_DIR/store" | awk -F'\t' '$2 == "Namespace" { printf "%s ", $4 }')" 'team-1 team-3 team-5 '
}

it 'a plane is filled' fill
it 'a backup of more than 10,000 objects stays below 128 MiB, and the night after sends nothing' little_memory
it 'a backup is of one moment while others write' one_moment_while_others_write
it 'a dead aggregated API is a hole that is told' dead_api
it 'labels select as kubectl does' labels_are_the_servers_affair
it 'three shards make one backup, whichever comes last and whatever is killed' shards_make_one_backup
# The last one: its API server goes with it.
it 'history is compacted and the API server dies in the middle of a backup' compaction_and_restart
