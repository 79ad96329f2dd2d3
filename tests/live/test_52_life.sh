# shellcheck shell=bash disable=SC2119
# The life of backups on real parts: what changed between two of them, thinning them out beside running ones, dying at
# any moment, and one flipped bit in each kind of object.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

WORK=$LIVE_DIR/life
use_minio_keys
make_bucket life
pipeline_folder "$WORK" life

k a create namespace live-life >/dev/null
at_exit 'k a delete --wait=false namespace live-life >/dev/null'
wait_until 30 'what a new namespace holds' k a -n live-life get serviceaccount/default configmap/kube-root-ca.crt

in_bucket() { find "$LIVE_DIR/minio/$1" -name xl.meta -printf '%h\n' | sed "s,^$LIVE_DIR/minio/$1/live/,," | sort; }
packs_in() { in_bucket "$1" | grep -c ^packs/ || true; }
markers_in() { in_bucket "$1" | grep -e /in-progress.json -e ^prune/ || true; }
backups_in() { pipe "$1" list --output json | jq -r '.[].id'; }

# content N: the namespace's content, one of a few that come back again and again.
content() {
    k a -n live-life create configmap content --from-literal=number="$1" --dry-run=client -o yaml | k a apply -f - >/dev/null
}

all_are_whole() { # folder
    local id count=0
    for id in $(backups_in "$1"); do
        pipe "$1" verify "$id" --deep --quiet
        count=$((count + 1))
    done
    [ "$count" -gt 0 ] || fail 'no backup is visible'
    echo "$count backups are whole"
}

diff_names_what_kubectl_changed() {
    local first
    k a -n live-life create configmap stays --from-literal=a=b
    k a -n live-life create configmap changes --from-literal=colour=red --from-literal=gone=1
    k a -n live-life create configmap goes --from-literal=a=b
    k a -n live-life create secret generic hidden --from-literal=password=hunter2-before
    pipe "$WORK" backup
    first=$(backups_in "$WORK" | head -n 1)
    k a -n live-life patch configmap changes --type merge -p '{"data":{"colour":"blue","gone":null,"new":"2"}}'
    k a -n live-life delete configmap goes
    k a -n live-life create configmap comes
    k a -n live-life patch secret hidden --type merge -p '{"stringData":{"password":"hunter2-after"}}'
    pipe "$WORK" backup
    pipe "$WORK" diff "$first" latest --namespace live-life --output json >"$CASE_DIR/diff.json" && fail 'exit status 0'
    jq -r '.objects[] | .change + " " + .kind + "/" + .name, ((.fields // [])[] | "  " + .path + " " + .change + " " + ((.old // "") | tostring) + ">" + ((.new // "") | tostring))' \
        "$CASE_DIR/diff.json" >"$CASE_DIR/got"
    cat >"$CASE_DIR/want" <<END
changed ConfigMap/changes
  /data/colour changed red>blue
  /data/gone removed 1>
  /data/new added >2
added ConfigMap/comes
removed ConfigMap/goes
changed Secret/hidden
  /data/password changed >
END
    expect_same_file "$CASE_DIR/got" "$CASE_DIR/want"
    ! grep -e hunter2 -e "$(printf hunter2 | base64 | cut -c1-8)" "$CASE_DIR/diff.json"
}

diff_with_the_cluster_as_it_is() {
    pipe "$WORK" backup
    pipe "$WORK" diff latest cluster --namespace live-life --quiet
    content drifted
    local status=0
    pipe "$WORK" diff latest cluster --namespace live-life --quiet >"$CASE_DIR/out" || status=$?
    cat "$CASE_DIR/out"
    expect_eq 'exit status' "$status" 1
    expect_contains 'the difference' "$(cat "$CASE_DIR/out")" '+ live-life/ConfigMap/content'
}

the_digest_of_a_manifest_can_be_checked_with_jq() {
    pipe "$WORK" show latest --output json >"$CASE_DIR/manifest.json"
    expect_eq digest "$(jq -cjS 'del(.digest)' "$CASE_DIR/manifest.json" | sha256sum | cut -d' ' -f1)" \
        "$(jq -r .digest "$CASE_DIR/manifest.json")"
}

prune_keeps_what_it_says_and_removes_the_rest() {
    local i before
    for i in 1 2 3 4; do
        content "$i"
        pipe "$WORK" backup --quiet
    done
    before=$(packs_in life)
    pipe "$WORK" prune --keep-last 2 --dry-run --output json | jq -r '.backups[] | select(.keep) | .id' >"$CASE_DIR/want"
    a_second_passes
    pipe "$WORK" prune --keep-last 2 --grace 0s
    backups_in "$WORK" >"$CASE_DIR/got"
    expect_same_file "$CASE_DIR/got" "$CASE_DIR/want"
    [ "$(packs_in life)" -lt "$before" ] || fail "no pack went: $before before and after"
    pipe "$WORK" show latest --output json >"$CASE_DIR/latest.json"
    pipe "$WORK" show "$(sed -n 2p "$CASE_DIR/got")" --output json >"$CASE_DIR/second.json"
    jq -r '.packs[].sha256' "$CASE_DIR/latest.json" "$CASE_DIR/second.json" | sort -u >"$CASE_DIR/referred"
    in_bucket life | sed -n 's,^packs/\(.*\).tar.zst$,\1,p' >"$CASE_DIR/there"
    expect_same_file "$CASE_DIR/there" "$CASE_DIR/referred"
    all_are_whole "$WORK"
}

# Two machines back up, a third one prunes, and the content keeps coming back: packs that are about to go are needed
# again. Whatever anybody sees at any time is whole.
backups_and_prunes_at_once() {
    local i pids=() pid ended=0
    backing_up() { for i in 1 2 3 4 5 6; do pipe "$WORK" backup --quiet; done; }
    pruning() { for i in 1 2 3 4 5 6 7 8 9 10; do pipe "$WORK" prune --keep-last 2 --grace 0s --timeout 1s --quiet; done; }
    changing() { for i in 1 2 3 1 2 3 1 2 3 1 2 3; do content "$i"; done; }
    backing_up & pids+=($!)
    backing_up & pids+=($!)
    pruning & pids+=($!)
    changing & pids+=($!)
    for pid in "${pids[@]}"; do wait "$pid" || ended=$?; done
    expect_eq 'exit status of all' "$ended" 0
    all_are_whole "$WORK"
    a_second_passes
    pipe "$WORK" prune --keep-last 2 --grace 0s --quiet
    all_are_whole "$WORK"
    expect_eq markers "$(markers_in life)" ''
}

# Fifty kills at random moments of backups and prunes. The seed is printed, and LIVE_SEED repeats it.
fifty_kills() {
    local i span delay began seed=${LIVE_SEED:-$RANDOM} command ended=0
    echo "LIVE_SEED=$seed"
    RANDOM=$seed
    began=$(date +%s%N)
    pipe "$WORK" backup --quiet
    span=$((($(date +%s%N) - began) / 1000000 + 20))
    for i in {1..50}; do
        [ $((i % 5)) -ne 0 ] || content $((RANDOM % 3))
        delay=$((RANDOM % span))
        command=(backup --quiet)
        [ $((i % 4)) -ne 0 ] || command=(prune --keep-last 3 --grace 0s --timeout 0s --quiet)
        delay=$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))
        if { (cd "$WORK" && timeout -s KILL "$delay" "$GITOPS_PIPE" "${command[@]}") >/dev/null 2>&1; } 2>/dev/null; then
            ended=$((ended + 1))
        fi
    done
    echo "$ended of 50 came to their end"
    [ $ended -le 30 ] || fail 'too few were killed to tell anything'
    in_bucket life | grep -v ^packs/ || true
    all_are_whole "$WORK"
    pipe "$WORK" backup --quiet
    a_second_passes
    pipe "$WORK" prune --keep-last 2 --grace 0s --quiet
    expect_eq 'markers that stayed' "$(markers_in life)" ''
    all_are_whole "$WORK"
    pipe "$WORK" diff latest cluster --namespace live-life --quiet
}

# flip FILE: the lowest bit of the byte in the middle.
flip() {
    local at byte
    at=$(($(stat -c %s "$1") / 2))
    byte=$(od -An -tu1 -j $at -N 1 "$1")
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
}

flip_in_bucket() { # path in the bucket
    s3_get_file "$1" "$CASE_DIR/flipped"
    flip "$CASE_DIR/flipped"
    s3_put_file "$1" "$CASE_DIR/flipped"
}

one_flipped_bit() {
    local pack id
    make_bucket life-bits
    pipeline_folder "$CASE_DIR/p" life-bits
    pipe "$CASE_DIR/p" backup --quiet
    id=$(backups_in "$CASE_DIR/p")
    pack=$(pipe "$CASE_DIR/p" show latest --output json | jq -r '.packs[] | select(.namespace == "live-life").sha256')

    flip_in_bucket "life-bits/live/packs/$pack.tar.zst"
    refused 7 "$pack" pipe "$CASE_DIR/p" verify latest --quiet
    refused 7 "$pack" pipe "$CASE_DIR/p" diff latest cluster --quiet
    pipe "$CASE_DIR/p" backup --quiet
    pipe "$CASE_DIR/p" verify "$id" --deep --quiet

    flip_in_bucket "life-bits/live/backups/live-a/$id/manifest.json"
    refused 7 "$id" pipe "$CASE_DIR/p" verify "$id" --quiet
    pipe "$CASE_DIR/p" list >"$CASE_DIR/list"
    expect_contains 'the list' "$(grep "$id" "$CASE_DIR/list")" manifest.json
    pipe "$CASE_DIR/p" backup --quiet
    refused 7 "$id" pipe "$CASE_DIR/p" prune --keep-last 1 --grace 0s --quiet
    pipe "$CASE_DIR/p" verify latest --quiet
    s3 DELETE "life-bits/live/backups/live-a/$id/manifest.json" >/dev/null

    printf '{"id":"x","host":"h","pid":1}' >"$CASE_DIR/marker"
    flip "$CASE_DIR/marker"
    printf 'x' >>"$CASE_DIR/marker"
    s3_put_file life-bits/live/backups/live-a/20260101T000000.000Z-00000000/in-progress.json "$CASE_DIR/marker"
    pipe "$CASE_DIR/p" prune --keep-last 1 --grace 0s --timeout 0s >"$CASE_DIR/out"
    cat "$CASE_DIR/out"
    expect_contains 'what prune says' "$(cat "$CASE_DIR/out")" 'running  live-a/20260101T000000.000Z-00000000'
    expect_contains 'what prune says' "$(cat "$CASE_DIR/out")" 'packs were left alone: a backup is running'
    all_are_whole "$CASE_DIR/p"
}

# The copy that holds is used, and the one that does not is named.
one_flipped_bit_and_a_second_store() {
    local pack
    make_bucket life-two
    pipeline_folder "$CASE_DIR/p" life-two
    sed -i "s|^  - {name: main.*|&\n  - {name: second, url: \"file://$CASE_DIR/second\"}|" "$CASE_DIR/p/gitops-pipe.yaml"
    pipe "$CASE_DIR/p" backup --quiet
    pack=$(pipe "$CASE_DIR/p" show latest --output json | jq -r '.packs[] | select(.namespace == "live-life").sha256')
    flip_in_bucket "life-two/live/packs/$pack.tar.zst"
    refused 7 "store main" pipe "$CASE_DIR/p" verify latest --quiet
    pipe "$CASE_DIR/p" diff latest cluster --namespace live-life --quiet
    pipe "$CASE_DIR/p" score latest --quiet
    pipe "$CASE_DIR/p" backup --quiet
    pipe "$CASE_DIR/p" verify latest --quiet
    a_second_passes
    pipe "$CASE_DIR/p" prune --keep-last 1 --grace 0s
    expect_eq 'packs in the second store' "$(find "$CASE_DIR/second/packs" -type f | wc -l)" "$(packs_in life-two)"
    all_are_whole "$CASE_DIR/p"
}

# S3 tells times in whole seconds: what was written within this one is young at any grace.
a_second_passes() { sleep 1.1; }

# A pack under legal hold, as an auditor would put it there: prune names it and goes on.
what_is_under_legal_hold_is_left() {
    local pack
    expect_eq 'creating a bucket with object lock' "$(s3 PUT life-lock '' -H 'x-amz-bucket-object-lock-enabled: true')" 200
    pipeline_folder "$CASE_DIR/p" life-lock
    content held
    pipe "$CASE_DIR/p" backup --quiet
    pack=$(pipe "$CASE_DIR/p" show latest --output json | jq -r '.packs[] | select(.namespace == "live-life").sha256')
    s3_get_file "life-lock/live/packs/$pack.tar.zst" "$CASE_DIR/pack"
    curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 --user "$MINIO_KEY:$MINIO_SECRET" -T "$CASE_DIR/pack" \
        -H 'x-amz-object-lock-legal-hold: ON' -H "Content-MD5: $(openssl md5 -binary "$CASE_DIR/pack" | base64)" \
        -H "x-amz-content-sha256: $pack" "$MINIO_URL/life-lock/live/packs/$pack.tar.zst"
    content free
    pipe "$CASE_DIR/p" backup --quiet
    content again
    pipe "$CASE_DIR/p" backup --quiet
    a_second_passes
    pipe "$CASE_DIR/p" prune --keep-last 1 --grace 0s --output json >"$CASE_DIR/prune.json"
    jq . "$CASE_DIR/prune.json"
    expect_eq 'backups removed' "$(jq .removed.backups "$CASE_DIR/prune.json")" 2
    expect_eq 'locked' "$(jq -r '.locked[].key' "$CASE_DIR/prune.json")" "packs/$pack.tar.zst"
    [ "$(jq .removed.packs "$CASE_DIR/prune.json")" -ge 1 ]
    s3_get_file "life-lock/live/packs/$pack.tar.zst" "$CASE_DIR/still-there"
    cmp "$CASE_DIR/pack" "$CASE_DIR/still-there"
    all_are_whole "$CASE_DIR/p"
}

# What is young is told by the store's clock, whatever the machine that prunes thinks.
a_clock_that_is_20_minutes_off() {
    local i off
    make_bucket life-clock
    pipeline_folder "$CASE_DIR/p" life-clock
    for i in 1 2 3; do
        content "$i"
        pipe "$CASE_DIR/p" backup --quiet
    done
    for off in +20m -20m; do
        (cd "$CASE_DIR/p" && faketime -f "$off" "$GITOPS_PIPE" prune --keep-last 1 --grace 10m --output json) >"$CASE_DIR/prune.json"
        expect_eq "packs removed at $off" "$(jq .removed.packs "$CASE_DIR/prune.json")" 0
        [ "$(jq .packs.young "$CASE_DIR/prune.json")" -ge 2 ] || fail "at $off nothing was young"
    done
    a_second_passes
    (cd "$CASE_DIR/p" && faketime -f +20m "$GITOPS_PIPE" prune --keep-last 1 --grace 0s --output json) >"$CASE_DIR/prune.json"
    [ "$(jq .removed.packs "$CASE_DIR/prune.json")" -ge 2 ] || fail "nothing went"
    all_are_whole "$CASE_DIR/p"
}

it 'life: diff names what kubectl changed, and no secret' diff_names_what_kubectl_changed
it 'life: diff with the cluster as it is' diff_with_the_cluster_as_it_is
it 'life: the digest of a manifest can be checked with jq' the_digest_of_a_manifest_can_be_checked_with_jq
it 'life: prune keeps what it says and removes the rest' prune_keeps_what_it_says_and_removes_the_rest
it 'life: two backups and a prune at once' backups_and_prunes_at_once
it 'life: fifty kills' fifty_kills
it 'life: one flipped bit in a pack, a manifest, a marker' one_flipped_bit
it 'life: one flipped bit, and the other store' one_flipped_bit_and_a_second_store
it 'life: what is under legal hold is left and named' what_is_under_legal_hold_is_left
it 'life: prune on a machine whose clock is 20 minutes off' a_clock_that_is_20_minutes_off
