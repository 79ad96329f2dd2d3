# shellcheck shell=bash disable=SC2119
# Encrypted backups on real parts: what we write the real age opens, and what reads it is a key and nothing else.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

WORK=$LIVE_DIR/encryption
use_minio_keys
make_bucket encryption
pipeline_folder "$WORK" encryption
age-keygen -o "$WORK/key.txt" 2>"$WORK/recipient"
age-keygen -o "$WORK/second.txt" 2>>"$WORK/recipient"
age-keygen -o "$WORK/stranger.txt" 2>/dev/null
echo "encrypt: {recipients: [$(sed 's/.*: //' "$WORK/recipient" | paste -sd,)]}" >>"$WORK/gitops-pipe.yaml"

a_backup_needs_no_key() {
    pipe "$WORK" backup 2>&1 | tee "$WORK/said"
    pipe "$WORK" show latest --output json >"$WORK/manifest.json"
    expect_eq complete "$(jq .complete "$WORK/manifest.json")" true
    expect_eq encrypted "$(jq '[.packs[] | select(.encryption != "age")] | length' "$WORK/manifest.json")" 0
}

each_pack_opens_with_age_and_tar() { # identity
    local sha
    jq -r '.packs[].sha256' "$WORK/manifest.json" | while read -r sha; do
        s3_get_file "encryption/live/packs/$sha.tar.zst.age" "$CASE_DIR/pack.age"
        expect_eq 'sha256' "$(sha256sum "$CASE_DIR/pack.age" | cut -d' ' -f1)" "$sha"
        age -d -i "$1" -o "$CASE_DIR/pack.tar.zst" "$CASE_DIR/pack.age"
        expect_eq 'the hash of the plain pack' "$(sha256sum "$CASE_DIR/pack.tar.zst" | cut -d' ' -f1)" \
            "$(jq -r --arg sha "$sha" '.packs[] | select(.sha256 == $sha).plainSha256' "$WORK/manifest.json")"
        tar --zstd -tf "$CASE_DIR/pack.tar.zst"
    done >"$CASE_DIR/entries"
    expect_contains entries "$(cat "$CASE_DIR/entries")" apps/v1/deployments/backend.json
}

the_second_backup_sends_only_what_changed() {
    pipe "$WORK" backup --output json >"$CASE_DIR/backup.json"
    jq .packs "$CASE_DIR/backup.json"
    [ "$(jq .packs.unchanged "$CASE_DIR/backup.json")" -ge 4 ]
}

it_verifies_with_and_without_a_key() {
    pipe "$WORK" verify latest --output json >"$CASE_DIR/without.json"
    pipe "$WORK" verify latest --output json --identity second.txt >"$CASE_DIR/with.json"
    expect_eq 'clean without a key' "$(jq .clean "$CASE_DIR/without.json")" true
    expect_eq 'clean with one' "$(jq -c '[.clean, .unopened]' "$CASE_DIR/with.json")" '[true,null]'
}

it_converts_with_the_key() {
    pipe "$WORK" convert latest --out "$CASE_DIR/repo" --identity key.txt
    test -s "$CASE_DIR/repo/base/production-simulation/deployment-backend.yaml"
}

a_key_in_the_environment_will_do() {
    GITOPS_PIPE_AGE_IDENTITY=$(cat "$WORK/key.txt") pipe "$WORK" score latest >/dev/null
}

no_output_and_no_object_in_the_bucket_holds_a_secret() {
    local secret file
    secret=$(k a -n production-simulation get secrets -o json | jq -r '[.items[].data // {} | .[]] | map(select(length > 11)) | .[0]')
    [ -n "$secret" ]
    for file in $(grep -rlF -e "$secret" -e "$(base64 -d <<<"$secret")" -e AGE-SECRET-KEY "$LIVE_DIR/minio/encryption" "$WORK/said" || true); do
        fail "$file holds one"
    done
}

it 'encryption: a backup needs no key' a_backup_needs_no_key
it 'encryption: each pack opens with age and tar, for either recipient' each_pack_opens_with_age_and_tar "$WORK/second.txt"
it 'encryption: the second backup sends only what changed' the_second_backup_sends_only_what_changed
it 'encryption: verify proves hashes without a key, contents with one' it_verifies_with_and_without_a_key
it 'encryption: convert reads it with --identity' it_converts_with_the_key
it 'encryption: a key in the environment will do' a_key_in_the_environment_will_do
it 'encryption: no key, exit 6' refused 6 'no age identity is named' pipe "$WORK" score latest
it 'encryption: a key of somebody else, exit 6' refused 6 'none of the identities can read it' pipe "$WORK" score latest --identity stranger.txt
it 'encryption: no output and no object in the bucket holds a secret' no_output_and_no_object_in_the_bucket_holds_a_secret
