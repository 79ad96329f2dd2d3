# shellcheck shell=bash disable=SC2119
# What is written is what was there: random valid objects of every built-in kind and custom resources of every make go
# from a snapshot through convert --verify into an empty cluster, whose own snapshot must come to the same files. The
# planes are bare: nobody but the two API servers has a hand in it.
#
#   GENERATED=2000   objects at least; more take longer and find more
#   SEED=…           to see the same objects again; printed with the result
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

: "${GENERATED:=2000}" "${SEED:=56}"
WORK=$LIVE_DIR/roundtrip
plane_start sown bare
plane_start grown bare

random_objects_of_every_kind() {
    "$LIVE_ROOT/build/tests/generate" "$(kubeconfig sown)" "$SEED" "$GENERATED" \
        "$LIVE_ROOT"/testdata/transform-estates/kinds/{written,observed}.yaml
}

custom_resources_of_every_make() {
    local definitions=$LIVE_ROOT/testdata/custom-resources/definitions.yaml
    k sown apply --server-side -f "$definitions"
    wait_until 30 'the kinds' kinds_established sown "$definitions"
    k sown apply --server-side --validate=false -f "$LIVE_ROOT/testdata/custom-resources/objects.yaml"
    {
        echo '{"apiVersion":"one.example.com/v1","kind":"Box","metadata":{"name":"large","namespace":"custom"},"spec":{"text":"'
        head -c 1400000 /dev/zero | tr '\0' x
        echo '"}}'
    } | tr -d '\n' >"$CASE_DIR/large.json"
    k sown create --validate=false -f "$CASE_DIR/large.json"
}

five_thousand_objects_in_one_namespace() {
    k sown create namespace many
    seq 5000 | jq -c '{apiVersion: "one.example.com/v1", kind: "Box", metadata: {name: "box-\(.)", namespace: "many"}, spec: {port: .}}' |
        jq -s '{apiVersion: "v1", kind: "List", items: .}' >"$CASE_DIR/many.json"
    k sown create --validate=false -f "$CASE_DIR/many.json" >"$CASE_DIR/said"
    expect_eq created "$(grep -c created "$CASE_DIR/said")" 5000
}

the_snapshot_is_complete() {
    pipe "$WORK/sown" show latest --output json >"$CASE_DIR/manifest.json"
    expect_eq complete "$(jq .complete "$CASE_DIR/manifest.json")" true
}

# As the server spells them, so must the file: no reader of ours or jq's in between.
numbers_keep_their_bytes() {
    local number file=$WORK/sown/out/base/custom/box-numbers.yaml
    k sown get --raw /apis/one.example.com/v1/namespaces/custom/boxes/numbers >"$CASE_DIR/raw"
    for number in $(jq -r '.spec.free | to_entries[] | select(.value | type == "number") | .key' "$CASE_DIR/raw"); do
        grep -oE "\"$number\":[-+0-9.eE]+" "$CASE_DIR/raw" | cut -d: -f2 >>"$CASE_DIR/sent"
        sed -n "s/^ *$number: //p" "$file" >>"$CASE_DIR/written"
    done
    [ "$(wc -l <"$CASE_DIR/sent")" -ge 7 ] || fail "only these numbers: $(cat "$CASE_DIR/sent")"
    expect_same_file "$CASE_DIR/written" "$CASE_DIR/sent"
}

the_definition_keeps_its_converter_and_objects_their_stored_version() {
    expect_contains definition "$(cat "$WORK"/sown/out/base/_crds/*gadgets.convert*.yaml)" 'name: converter'
    expect_contains object "$(cat "$WORK/sown/out/base/custom/gadget-stored.yaml")" 'apiVersion: convert.example.com/v1beta1'
}

# A piece of the pack of one namespace: what the others hold is converted all the same.
half_a_pack_is_a_hole_with_a_name() {
    local pack status=0
    cp -r "$WORK/sown" "$CASE_DIR/damaged"
    pack=$(pipe "$CASE_DIR/damaged" show latest --output json | jq -r '.packs[] | select(.namespace == "many").sha256')
    pack=$CASE_DIR/damaged/store/packs/$pack.tar.zst
    chmod u+w "$pack"
    truncate -s 4000 "$pack"
    pipe "$CASE_DIR/damaged" convert latest --out rest -q >"$CASE_DIR/out" 2>"$CASE_DIR/said" || status=$?
    expect_eq 'exit status' "$status" 7
    expect_contains 'the warning' "$(cat "$CASE_DIR/said")" 'left out: pack namespace many'
    [ -f "$CASE_DIR/damaged/rest/base/gen-limits/kustomization.yaml" ] || fail 'the rest was not written'
}

it "random valid objects of every kind: $GENERATED, seed $SEED" random_objects_of_every_kind
it 'custom resources of every make' custom_resources_of_every_make
it '5,000 objects in one namespace' five_thousand_objects_in_one_namespace
it 'convert --verify explains every difference' declare_cluster "$WORK/sown" "$(kubeconfig sown)"
it 'the snapshot is complete' the_snapshot_is_complete
it 'a definition keeps its converter, and objects their stored version' the_definition_keeps_its_converter_and_objects_their_stored_version
it 'numbers keep their bytes' numbers_keep_their_bytes
it 'half a pack is a hole with a name' half_a_pack_is_a_hole_with_a_name
it 'an empty cluster takes every object' apply_declared "$WORK/sown" grown
it 'the second cluster is verified too' declare_cluster "$WORK/grown" "$(kubeconfig grown)"
it 'and declares the same, byte for byte' same_declaration "$WORK/sown" "$WORK/grown"
