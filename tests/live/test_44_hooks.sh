# shellcheck shell=bash disable=SC2119
# Hooks against a real API server: a real PostgreSQL is dumped through pods/exec into the backup and comes back equal;
# and whatever fails on the way, no half dump is taken for a whole one, and what is frozen thaws.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

postgres_start
plane_start h exec

psql -q -d postgres -c 'create database orders'
psql -q -d orders <<END
create table orders (id bigint primary key, customer text not null, blob bytea, placed timestamptz);
insert into orders select n, 'customer ' || md5(n::text), decode(md5(n::text) || md5((n + 1)::text), 'hex'),
    timestamptz '2026-01-01' + n * interval '1 minute' from generate_series(1, 40000) n;
insert into orders values (0, E'line\nbreak, "quote" and \u00e4\U0001F600', null, null);
create index on orders (customer);
END

k h create namespace shop >/dev/null
k h apply -f - >/dev/null <<END
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: orders-db, namespace: shop}
spec:
  serviceName: orders-db
  replicas: 2
  selector: {matchLabels: {app: orders-db}}
  template:
    metadata: {labels: {app: orders-db}}
    spec: {containers: [{name: postgres, image: "postgres:15"}]}
END
k h -n shop wait --for=condition=Ready pod/orders-db-0 pod/orders-db-1 --timeout 60s >/dev/null

POD='pod: {namespace: shop, selector: app=orders-db, container: postgres}'
DUMP="command: [pg_dump, -h, $PGHOST, -p, \"$PGPORT\", -U, $PGUSER, orders]"

# hook_folder HOOK-LINE...: $CASE_DIR/p with these hooks and a store of its own, as the account that rbac's roles are for.
hook_folder() {
    local hook token
    mkdir -p "$CASE_DIR/p"
    cat >"$CASE_DIR/p/gitops-pipe.yaml" <<END
apiVersion: gitops-pipe.io/v1
kind: Pipeline
cluster: {name: live-h, kubeconfig: kubeconfig}
stores: [{name: main, url: "file:store"}]
secrets: {mode: omit}
hooks:
$(for hook in "$@"; do echo "  - {$hook}"; done)
END
    cp "$(kubeconfig h)" "$CASE_DIR/p/kubeconfig"
    pipe "$CASE_DIR/p" rbac | k h apply -f - >/dev/null
    token=$(k h -n gitops-pipe create token gitops-pipe)
    write_kubeconfig "$CASE_DIR/p/kubeconfig" live "$(cat "$(plane_dir h)/url")" \
        "certificate-authority: $(plane_dir h)/server.crt" "token: $token"
}

backups() { pipe "$CASE_DIR/p" list --output json | jq length; }

# Everything a table holds, in one line.
content() { psql -At -d "$1" -c "select count(*), md5(string_agg(o::text, ',' order by id)) from orders o"; }

a_database_comes_back_equal() {
    local pack
    hook_folder "name: orders-db, $POD, $DUMP, output: true"
    pipe "$CASE_DIR/p" backup
    pipe "$CASE_DIR/p" score latest --quiet >/dev/null # what reads objects passes over it
    pipe "$CASE_DIR/p" verify latest --deep --quiet
    pipe "$CASE_DIR/p" show latest
    pipe "$CASE_DIR/p" show latest --hook orders-db >"$CASE_DIR/orders.sql"
    psql -q -d postgres -c 'create database restored'
    psql -q -v ON_ERROR_STOP=1 -d restored -f "$CASE_DIR/orders.sql" >/dev/null
    expect_eq 'the rows' "$(content restored)" "$(content orders)"
    expect_contains 'the rows' "$(content orders)" '40001|'

    # And without this program: the manifest, tar, and the hash.
    pipe "$CASE_DIR/p" show latest --output json >"$CASE_DIR/manifest.json"
    pack=$(jq -r '.packs[] | select(.hook == "orders-db").sha256' "$CASE_DIR/manifest.json")
    tar --zstd -xOf "$CASE_DIR/p/store/packs/$pack.tar.zst" | cmp - "$CASE_DIR/orders.sql"
    expect_eq 'sha256' "$(jq -r '.hooks[0].sha256' "$CASE_DIR/manifest.json")" "$(sha256sum <"$CASE_DIR/orders.sql" | cut -d' ' -f1)"
}

the_printed_role_is_for_that_namespace_alone() {
    local verb
    hook_folder "name: orders-db, $POD, $DUMP, output: true"
    expect_eq 'in shop' "$(k h auth can-i create pods --subresource exec -n shop --as system:serviceaccount:gitops-pipe:gitops-pipe)" yes
    expect_eq elsewhere "$(k h auth can-i create pods --subresource exec -n default --as system:serviceaccount:gitops-pipe:gitops-pipe || true)" no
    # Neither of the two verbs is one too many.
    for verb in get create; do
        k h -n shop get role gitops-pipe-reader -o json |
            jq --arg verb "$verb" '(.rules[] | select(.resources == ["pods/exec"]).verbs) -= [$verb]' | k h apply -f - >/dev/null
        refused 6 'exec in pod shop/orders-db-0: HTTP 403' pipe "$CASE_DIR/p" backup || return
        pipe "$CASE_DIR/p" rbac --kubeconfig "$(kubeconfig h)" | k h apply -f - >/dev/null
    done
    k h -n shop delete role gitops-pipe-reader >/dev/null
    refused 6 'exec in pod shop/orders-db-0: HTTP 403' with_name_of_the_pod || return
    expect_eq backups "$(backups)" 0
}

with_name_of_the_pod() {
    sed -i 's/selector: app=orders-db/name: orders-db-0/' "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" backup
}

# kwok tells the exit code in words alone; that it is read from a real status, unit tests show.
a_hook_that_fails() {
    hook_folder "name: orders-db, $POD, command: [pg_dump, -h, $PGHOST, -p, \"$PGPORT\", -U, $PGUSER, no-such-database], output: true" \
        "name: thaw, when: after, $POD, command: [touch, $CASE_DIR/thawed]"
    refused 5 'database "no-such-database" does not exist' pipe "$CASE_DIR/p" backup || return
    expect_eq backups "$(backups)" 0
    rm "$CASE_DIR/thawed"
    sed -i 's/output: true/output: true, onFailure: continue/' "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" backup
    expect_eq 'results' "$(pipe "$CASE_DIR/p" show latest --output json | jq -c '[.complete, (.hooks[] | .ok)]')" '[true,false,true]'
    refused 4 'holds no output of hook' pipe "$CASE_DIR/p" show latest --hook orders-db || return
    rm "$CASE_DIR/thawed"
}

an_after_hook_that_fails() {
    hook_folder "name: thaw, when: after, $POD, command: [sh, -c, 'echo cannot thaw >&2; exit 7']" \
        "name: next, when: after, command: [touch, $CASE_DIR/next]"
    refused 3 'exit status 7: cannot thaw' pipe "$CASE_DIR/p" backup || return
    expect_eq complete "$(pipe "$CASE_DIR/p" show latest --output json | jq .complete)" false
    [ -f "$CASE_DIR/next" ]
}

a_hook_that_hangs() {
    hook_folder "name: hang, $POD, command: [sleep, \"20\"], timeout: 1s" \
        "name: thaw, when: after, command: [touch, $CASE_DIR/thawed]"
    refused 5 'hook hang: exec in pod shop/orders-db-0: no end within 1 s' pipe "$CASE_DIR/p" backup || return
    [ -f "$CASE_DIR/thawed" ]
    expect_eq backups "$(backups)" 0
}

# Every way through the API server ends after 64 kB: the dump is cut in its middle.
a_dump_that_is_cut_is_none() {
    local control port
    control=$(free_port) port=$(free_port)
    hook_folder "name: orders-db, $POD, $DUMP, output: true"
    start toxiproxy-hooks toxiproxy-server -host 127.0.0.1 -port "$control"
    wait_until 10 toxiproxy curl -fsS "http://127.0.0.1:$control/version"
    curl -fsS "http://127.0.0.1:$control/proxies" \
        -d "{\"name\":\"api\",\"listen\":\"127.0.0.1:$port\",\"upstream\":\"$(sed 's,.*//,,' "$(plane_dir h)/url")\"}" >/dev/null
    curl -fsS "http://127.0.0.1:$control/proxies/api/toxics" -d '{"type":"limit_data","attributes":{"bytes":65536}}' >/dev/null
    sed -i "s,server: .*,server: https://127.0.0.1:$port," "$CASE_DIR/p/kubeconfig"
    refused 6 'hook orders-db: exec in pod shop/orders-db-0: ' pipe "$CASE_DIR/p" backup || return
    expect_eq backups "$(backups)" 0
}

kill_9_in_a_hook_leaves_nothing() {
    local pid
    hook_folder "name: hang, $POD, command: [sh, -c, 'touch $CASE_DIR/begun; sleep 5']"
    (cd "$CASE_DIR/p" && exec "$GITOPS_PIPE" backup -c gitops-pipe.yaml) &
    pid=$!
    wait_until 20 'the hook' test -f "$CASE_DIR/begun"
    kill -KILL "$pid"
    wait "$pid" || true
    expect_eq backups "$(backups)" 0
    sed -i 's/sleep 5/true/' "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" backup --quiet
    expect_eq backups "$(backups)" 1
}

sigterm_thaws() {
    local pid status=0
    hook_folder "name: freeze, command: [sh, -c, 'touch $CASE_DIR/begun; exec sleep 30']" \
        "name: thaw, when: after, $POD, command: [touch, $CASE_DIR/thawed]"
    (cd "$CASE_DIR/p" && exec "$GITOPS_PIPE" backup -c gitops-pipe.yaml) &
    pid=$!
    wait_until 20 'the hook' test -f "$CASE_DIR/begun"
    kill -TERM "$pid"
    wait "$pid" || status=$?
    expect_eq 'exit status' "$status" 8
    [ -f "$CASE_DIR/thawed" ]
    expect_eq backups "$(backups)" 0
}

# A dump of 300 MB takes no more memory than one of a few.
a_large_dump_takes_no_memory() {
    hook_folder "name: large, $POD, command: [sh, -c, 'seq 1 35000000'], output: true"
    pipe "$CASE_DIR/p" backup --output json >"$CASE_DIR/result.json"
    jq -c '[.hooks[0].bytes, .peakMemoryBytes, .hooks[0].ms]' "$CASE_DIR/result.json"
    jq -e '.hooks[0].bytes > 300000000 and .peakMemoryBytes < 128 * 1024 * 1024' "$CASE_DIR/result.json" >/dev/null
    expect_eq 'the output' "$(pipe "$CASE_DIR/p" show latest --hook large | sha256sum | cut -d' ' -f1)" \
        "$(jq -r '.hooks[0].sha256' "$CASE_DIR/result.json")"
}

it 'a database dumped in its pod is in the backup and comes back equal' a_database_comes_back_equal
it 'the printed role is enough, and for that namespace alone' the_printed_role_is_for_that_namespace_alone
it 'a hook that fails: fail and continue' a_hook_that_fails
it 'an after hook that fails leaves an incomplete backup' an_after_hook_that_fails
it 'a hook that hangs meets its time limit' a_hook_that_hangs
it 'a dump that is cut is none' a_dump_that_is_cut_is_none
it 'kill -9 in a hook leaves no backup' kill_9_in_a_hook_leaves_nothing
it 'SIGTERM ends a hook, and what is frozen thaws' sigterm_thaws
it 'a large dump takes no memory' a_large_dump_takes_no_memory
