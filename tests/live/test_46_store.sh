# shellcheck shell=bash disable=SC2119
# Stores under fire: a MinIO that is killed, a network that is slow, cut and reset, a clock that is off, two stores of
# which one is away or has rotted. After each, `verify` and a comparison object for object with what the cluster holds.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/live/lib/faults.sh
source "$LIVE_ROOT/tests/live/lib/faults.sh"

use_minio_keys
toxiproxy_start
PORT=$(free_port)
MINIO_DIR=$LIVE_DIR/minio-46
minio_of "$MINIO_DIR" "$PORT"
export MINIO_URL=http://127.0.0.1:$PORT
wait_until 30 MinIO minio_answers "$MINIO_URL"
make_bucket gitops-pipe-test

# Stores are what is tested here, so the cluster holds still: the estate and two ConfigMaps that nothing can make smaller
# on one stand-in, 75 MB of those on the other.
bulk() { # folder count
    local i
    mkdir -p "$1"
    printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: bulk}\n' >"$1/namespace.yaml"
    for i in $(seq "$2"); do
        printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bulk-%s, namespace: bulk}\ndata: {bytes: "%s"}\n' \
            "$i" "$(head -c 700000 /dev/urandom | base64 -w0)" >"$1/$i.yaml"
    done
}

cluster() { # name
    start "sandbox-$1" "$GITOPS_PIPE" sandbox --from "$LIVE_DIR/$1" --write-kubeconfig "$LIVE_DIR/$1.kubeconfig"
    wait_until 30 "cluster $1" test -s "$LIVE_DIR/$1.kubeconfig"
}

mkdir "$LIVE_DIR/small"
cp -r "$ESTATE" "$LIVE_DIR/small/estate"
bulk "$LIVE_DIR/small/bulk" 2
bulk "$LIVE_DIR/large" 105
cluster small
cluster large

# The packs of the newest backup are named by what is in them: equal names are equal objects, byte for byte.
objects_of() { # folder
    pipe "$1" show latest --output json | jq -S '[.packs[] | {part, namespace, entries, sha256}]'
}

# A folder whose store is a bucket of its own, behind a proxy of the same name.
folder() { # bucket [cluster]
    PROXY=$(proxy_to "$1" "$PORT")
    make_bucket "$1"
    pipeline_folder "$CASE_DIR/p" "$1" "$LIVE_DIR/${2:-small}.kubeconfig"
    sed -i "s,$MINIO_URL,http://127.0.0.1:$PROXY," "$CASE_DIR/p/gitops-pipe.yaml"
}

# Straight to the store, around all faults.
holds_everything() {
    sed -i "s,http://127.0.0.1:$PROXY,$MINIO_URL," "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" verify latest
    objects_of "$CASE_DIR/p" >"$CASE_DIR/got"
    expect_same_file "$CASE_DIR/got" "$LIVE_DIR/objects-46"
}

baseline() {
    folder baseline
    pipe "$CASE_DIR/p" backup
    objects_of "$CASE_DIR/p" >"$LIVE_DIR/objects-46"
    expect_eq 'objects' "$(jq 'map(select(.part != "schema").entries) | add' "$LIVE_DIR/objects-46")" "$(objects_in_cluster)"
    holds_everything
}

# As the stand-in says itself.
objects_in_cluster() { sed -n 's/^sandbox .*, \([0-9]*\) objects$/\1/p' "$LIVE_DIR/logs/sandbox-small.log"; }

under() { # bucket type stream attributes
    folder "$1"
    toxic "$@"
    pipe "$CASE_DIR/p" backup
    holds_everything
}

# hit BUCKET TYPE ATTRIBUTES: from the first object on some connections end in the middle of what is sent; that is sent
# again until it gets through.
hit() {
    folder "$1"
    toxic "$1" bandwidth upstream '{"rate": 1000}'
    pipe "$CASE_DIR/p" backup >"$CASE_DIR/out" 2>&1 &
    local backup=$!
    wait_until 20 'a first object in the store' has_objects "$1"
    toxic "$1" "$2" upstream "$3" 0.4
    wait "$backup" || { cat "$CASE_DIR/out"; return 1; }
    holds_everything
}

the_network_goes_away() {
    folder away-for-a-second
    toxic away-for-a-second bandwidth upstream '{"rate": 600}'
    pipe "$CASE_DIR/p" backup >"$CASE_DIR/out" 2>&1 &
    local backup=$!
    wait_until 20 'a first object in the store' has_objects away-for-a-second
    proxy_enabled away-for-a-second false
    sleep 1
    proxy_enabled away-for-a-second true
    wait "$backup" || { cat "$CASE_DIR/out"; return 1; }
    holds_everything
}

has_objects() { [ -n "$(find "$MINIO_DIR/$1" -type f -print -quit)" ]; }

# Every answer is cut after 150 kB: reads go on from where they were, as often as it takes.
truncated_reads() {
    folder truncated
    pipe "$CASE_DIR/p" backup
    toxic truncated limit_data downstream '{"bytes": 150000}'
    pipe "$CASE_DIR/p" verify latest
    holds_everything
}

minio_killed_and_restarted() {
    folder killed
    toxic killed bandwidth upstream '{"rate": 500}'
    pipe "$CASE_DIR/p" backup >"$CASE_DIR/out" 2>&1 &
    local backup=$!
    wait_until 20 'a first object in the store' has_objects killed
    minio_kill "$MINIO_DIR"
    wait "$backup" || { cat "$CASE_DIR/out"; return 1; }
    holds_everything
}

# A pack of 75 MB goes in parts; the store is killed in the middle of them.
parts_while_minio_is_killed() {
    local sha
    folder large large
    toxic large bandwidth upstream '{"rate": 30000}'
    pipe "$CASE_DIR/p" backup >"$CASE_DIR/out" 2>&1 &
    local backup=$!
    wait_until 30 'parts in the store' parts_arrive
    minio_kill "$MINIO_DIR"
    wait "$backup" || { cat "$CASE_DIR/out"; return 1; }
    pipe "$CASE_DIR/p" verify latest
    sha=$(pipe "$CASE_DIR/p" show latest --output json | jq -r '.packs[] | select(.namespace == "bulk").sha256')
    s3_get_file "large/live/packs/$sha.tar.zst" "$CASE_DIR/pack"
    expect_eq 'sha256' "$(sha256sum "$CASE_DIR/pack" | cut -d' ' -f1)" "$sha"
    [ "$(stat -c %s "$CASE_DIR/pack")" -gt $((64 << 20)) ]
    expect_eq 'unfinished uploads' "$(unfinished_parts)" 0
}

unfinished_parts() { find "$MINIO_DIR/.minio.sys/multipart" -name 'part.*' 2>/dev/null | wc -l; }

parts_arrive() { [ "$(unfinished_parts)" -ge 2 ]; }

a_clock_that_is_20_minutes_ahead() {
    folder clock
    (cd "$CASE_DIR/p" && faketime -f +20m "$GITOPS_PIPE" backup -c gitops-pipe.yaml)
    holds_everything
}

# ---- TLS, names, roles ----

tls() {
    local port ca=$CASE_DIR/ca url
    port=$(free_port)
    url=https://s3.localhost:$port
    mkdir -p "$ca/certs"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=store-ca -keyout "$ca/ca.key" -out "$ca/ca.crt" 2>/dev/null
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other-ca -keyout "$ca/o.key" -out "$ca/other.crt" 2>/dev/null
    openssl req -new -newkey rsa:2048 -nodes -subj /CN=s3.localhost -keyout "$ca/certs/private.key" -out "$ca/s.csr" 2>/dev/null
    openssl x509 -req -in "$ca/s.csr" -CA "$ca/ca.crt" -CAkey "$ca/ca.key" -CAcreateserial -days 2 -out "$ca/certs/public.crt" \
        -extfile <(echo 'subjectAltName=DNS:s3.localhost,DNS:*.s3.localhost') 2>/dev/null
    MINIO_DOMAIN=s3.localhost minio_of "$CASE_DIR/minio" "$port" --certs-dir "$ca/certs"
    wait_until 30 'MinIO with TLS' minio_answers "$url" "$ca/ca.crt"
    MINIO_URL=$url expect_eq bucket "$(MINIO_URL=$url s3 PUT tls '' --cacert "$ca/ca.crt")" 200

    pipeline_folder "$CASE_DIR/p" tls "$LIVE_DIR/small.kubeconfig"
    sed -i "s,endpoint: \"[^\"]*\",endpoint: \"$url\"," "$CASE_DIR/p/gitops-pipe.yaml"
    refused 6 certificate pipe "$CASE_DIR/p" backup
    sed -i "s|pathStyle: true|pathStyle: true, caFile: \"$ca/other.crt\"|" "$CASE_DIR/p/gitops-pipe.yaml"
    refused 6 certificate pipe "$CASE_DIR/p" backup
    sed -i "s,$ca/other.crt,$ca/ca.crt," "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" backup
    sed -i "s,pathStyle: true,pathStyle: false," "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" verify latest
}

# The keys of the root assume a role at the store's own token service; the store takes what it gave.
a_role_of_a_profile() {
    folder role
    cat >"$CASE_DIR/config" <<END
[profile base]
aws_access_key_id = $MINIO_KEY
aws_secret_access_key = $MINIO_SECRET
[profile backup]
role_arn = arn:minio:iam:::role/backup
source_profile = base
END
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    export AWS_CONFIG_FILE=$CASE_DIR/config AWS_PROFILE=backup AWS_ENDPOINT_URL_STS=$MINIO_URL
    pipe "$CASE_DIR/p" backup
    holds_everything
}

# ---- two stores ----

two_stores() { # bucket: "main" is the bucket, "second" a folder
    folder "$1"
    sed -i "s|^  - {name: main.*|&\n  - {name: second, url: \"file://$CASE_DIR/second\"}|" "$CASE_DIR/p/gitops-pipe.yaml"
    sed -i "s,http://127.0.0.1:$PROXY,$MINIO_URL," "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" backup
}

# One bit, in the pack of the namespace with the most in it.
flip_a_bit() { # file
    local byte
    byte=$(od -An -tu1 -j100 -N1 "$1")
    # shellcheck disable=SC2059
    printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek=100 conv=notrunc status=none
}

pack_of() { pipe "$CASE_DIR/p" show latest --output json | jq -r '[.packs[] | select(.part == "namespace")] | max_by(.entries).sha256'; }

found_named_and_made_good() { # store-name
    local pack=$2
    refused 7 "store $1" pipe "$CASE_DIR/p" verify latest --quiet
    expect_contains 'the error' "$(pipe "$CASE_DIR/p" verify latest --output json 2>/dev/null || true)" "$pack"
}

a_flipped_bit() {
    local pack bytes=$CASE_DIR/bytes
    two_stores flipped
    pack=$(pack_of)

    chmod u+w "$CASE_DIR/second/packs/$pack.tar.zst"
    flip_a_bit "$CASE_DIR/second/packs/$pack.tar.zst"
    found_named_and_made_good second "$pack"
    pipe "$CASE_DIR/p" backup
    pipe "$CASE_DIR/p" verify latest

    s3_get_file "flipped/live/packs/$pack.tar.zst" "$bytes"
    flip_a_bit "$bytes"
    s3_put_file "flipped/live/packs/$pack.tar.zst" "$bytes"
    found_named_and_made_good main "$pack"
    pipe "$CASE_DIR/p" convert latest --out "$CASE_DIR/out" 2>"$CASE_DIR/said"
    expect_contains 'what convert says' "$(cat "$CASE_DIR/said")" "store main: packs/$pack"
    pipe "$CASE_DIR/p" backup
    holds_everything
}

one_store_away() {
    local status=0
    two_stores away
    mv "$CASE_DIR/second" "$CASE_DIR/gone"
    touch "$CASE_DIR/second" # no folder can be made here
    pipe "$CASE_DIR/p" backup >"$CASE_DIR/out" 2>"$CASE_DIR/said" || status=$?
    expect_eq 'exit status' "$status" 3
    expect_contains 'the error' "$(cat "$CASE_DIR/said")" 'not in every store: second lacks it'
    rm "$CASE_DIR/second"
    pipe "$CASE_DIR/p" backup # an empty folder: everything is copied there
    pipe "$CASE_DIR/p" list --store main --output json | jq -S . >"$CASE_DIR/main"
    pipe "$CASE_DIR/p" list --store second --output json | jq -S . >"$CASE_DIR/copied"
    expect_eq backups "$(jq length "$CASE_DIR/main")" 3
    expect_same_file "$CASE_DIR/copied" "$CASE_DIR/main"
    for id in $(jq -r '.[].id' "$CASE_DIR/copied"); do pipe "$CASE_DIR/p" verify "$id" --store second; done
    holds_everything
}

# The bucket is away for good; what the folder holds is enough.
the_first_store_is_lost() {
    two_stores lost
    sed -i "s,$MINIO_URL,http://127.0.0.1:$(free_port)," "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" convert latest --out "$CASE_DIR/out" 2>"$CASE_DIR/said"
    expect_contains 'what convert says' "$(cat "$CASE_DIR/said")" 'store main: '
}

# ---- disks, locks ----

# Packs wait in the state folder until they are sent: when that is full, nothing is published and nothing is lost.
a_full_spool() {
    local dir=$CASE_DIR/p/.gitops-pipe
    folder spool
    mkdir "$dir"
    mount -t tmpfs -o size=512k live "$dir"
    at_exit "umount '$dir'"
    refused 6 'No space left' pipe "$CASE_DIR/p" backup
    expect_eq backups "$(pipe "$CASE_DIR/p" list --output json | jq length)" 0
    mount -o remount,size=64m "$dir"
    pipe "$CASE_DIR/p" backup
    holds_everything
}

# Object lock: what is retained is neither erased nor hidden, and the error says until when.
object_lock() {
    expect_eq 'creating bucket locked' "$(s3 PUT locked '' -H 'x-amz-bucket-object-lock-enabled: true')" 200
    GITOPS_PIPE_TEST_S3=$MINIO_URL "$LIVE_ROOT/build/tests/all" --filter 's3_lock/*' -j1
}

it 'the cluster, without a fault' baseline
it 'latency' under latency latency downstream '{"latency": 60, "jitter": 40}'
it 'answers in small pieces, slowly' under slicer slicer downstream '{"average_size": 400, "size_variation": 200, "delay": 500}'
it 'little bandwidth' under bandwidth bandwidth upstream '{"rate": 1500}'
it 'connections that are reset' hit reset reset_peer '{"timeout": 250}'
it 'uploads that are cut' hit cut limit_data '{"bytes": 300000}'
it 'a network that goes away for a second' the_network_goes_away
it 'answers that are cut' truncated_reads
it 'MinIO killed and restarted during a backup' minio_killed_and_restarted
it 'MinIO killed and restarted between parts of a large pack' parts_while_minio_is_killed
it 'a clock that is 20 minutes ahead' a_clock_that_is_20_minutes_ahead
it 'TLS of an own CA, another CA, both styles of names' tls
it 'a role that a profile assumes' a_role_of_a_profile
it 'one flipped bit in one of two stores' a_flipped_bit
it 'one of two stores away, and back' one_store_away
it 'the first of two stores lost' the_first_store_is_lost
it 'object lock' object_lock
if unshare --mount true 2>/dev/null; then it 'a full spool' a_full_spool; else skip 'a full spool' 'mounting is not allowed here'; fi
