# shellcheck shell=bash disable=SC2119
# Four more clusters the whole way on real parts: what each holds is backed up, scored, converted and published, renders
# as kustomize does, and builds up an empty control plane that declares the same again. Their workloads need not run for
# that, so the planes have controllers and no nodes.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

use_minio_keys
make_bucket estates

the_cluster_takes_it() { # estate
    apply_estate source "$LIVE_ROOT/testdata/estates/$1"
}

one_command_does_it_all() { # estate
    pipe "$WORK" run >"$WORK/run.out"
    cat "$WORK/run.out"
    expect_eq drill "$(jq -c '.drill | [.ok, .objects.missing, .objects.different]' "$WORK/report/report.json")" '[true,0,0]'
    git clone -q "$WORK/repo.git" "$WORK/clone"
    git -C "$WORK/repo.git" fsck --strict
}

every_difference_to_the_snapshot_has_a_reason() {
    pipe "$WORK" convert latest --out out --verify
}

# Of every Secret of the estate, and of what Helm keeps, which holds values of others.
no_secret_value_is_in_the_repository() {
    local value found=0
    git -C "$WORK/repo.git" log --all -p >"$CASE_DIR/history"
    k source get secrets -A -o json | jq -r '.items[].data // {} | .[]' | sort -u >"$CASE_DIR/values"
    expect_eq 'secrets looked for' "$(awk 'length >= 16' "$CASE_DIR/values" | wc -l | awk '{ print ($1 > 1) }')" 1
    while read -r value; do
        [ ${#value} -ge 16 ] || continue
        if grep -qF -e "$value" -e "$(base64 -d <<<"$value" | head -n 1 | tr -d '\0')" "$CASE_DIR/history"; then
            found=$((found + 1)) && echo "a value that begins with ${value:0:6}"
        fi
    done <"$CASE_DIR/values"
    expect_eq 'values in the history' "$found" 0
}

# A label asks for a route, and taking it away takes the route along. What the first deployment left in the cluster is
# ours and never becomes part of the base.
routes_come_and_go_with_their_label() {
    local base=$WORK/routes routes
    pipeline_folder "$base" estates "$(kubeconfig source)" sandbox enterprise-routes
    sed -i 's|{name: dev, |{name: dev, storageClasses: {map: {enterprise-ssd: gp3}, default: standard}, routing: {gateways: [istio-system/public]}, |' "$base/gitops-pipe.yaml"
    publish_again "$base"
    routes=$(cd "$base/out/overlays/dev" && ls -- */routing/*)
    expect_eq routes "$(wc -l <<<"$routes")" 6
    expect_eq hosts "$(same-objects --json "$CASE_DIR/dev.yaml" | jq -r 'select(.kind == "VirtualService") | .spec.hosts[0]' | sort | paste -sd' ')" \
        'ap-api.dev.example.com ap-app.dev.example.com eu-api.dev.example.com eu-app.dev.example.com status.dev.example.com us-api.dev.example.com us-app.dev.example.com'
    expect_eq 'storage classes asked for' "$(grep -oP '(?<=storageClassName: ).*' "$CASE_DIR/dev.yaml" | sort -u | paste -sd' ')" 'gp3 standard'
    k source apply --server-side --dry-run=server -f "$base/out/overlays/dev/region-us/routing/" >/dev/null
    k source apply --server-side -f "$base/out/overlays/dev/region-us/routing/" >/dev/null
    k source -n region-us label service web compliance.routing/enabled-
    publish_again "$base"
    expect_eq 'routes in us' "$(cd "$base/out/overlays/dev/region-us/routing" && echo *)" virtualservice-api.yaml
    expect_eq 'routes in the base' "$(cd "$base/out/base" && echo region-*/virtualservice-*)" 'region-*/virtualservice-*'
    git clone -q "$base/repo.git" "$CASE_DIR/published"
    [ ! -e "$CASE_DIR/published/overlays/dev/region-us/routing/virtualservice-web.yaml" ] || fail 'the route stayed in git'
}

publish_again() { # folder
    pipe "$1" backup
    pipe "$1" convert latest --out out --verify
    pipe "$1" publish out
    kustomize build "$1/out/overlays/dev" >"$CASE_DIR/dev.yaml"
}

it_rebuilds_an_empty_cluster_that_declares_the_same() { # estate
    rebuild target "$WORK/mirror.yaml"
    pipeline_folder "$WORK/again" estates "$(kubeconfig target)" sandbox "$1-again"
    declares_the_same "$WORK/again" "$WORK/mirror.yaml"
}

estate_goes_all_the_way() { # estate
    local environment
    WORK=$LIVE_DIR/estates/$1
    plane_start source idle
    plane_start target idle
    pipeline_folder "$WORK" estates "$(kubeconfig source)" sandbox "$1"
    it "$1: an API server takes it" the_cluster_takes_it "$1"
    it "$1: run: backup, score, convert, publish, drill, report" one_command_does_it_all
    it "$1: every difference to the snapshot has a reason" every_difference_to_the_snapshot_has_a_reason
    for environment in dev prod mirror; do
        it "$1: kustomize build equals render: $environment" rendered_alike "$WORK/clone/overlays/$environment" "$WORK/$environment.yaml"
    done
    it "$1: no secret value is in the repository" no_secret_value_is_in_the_repository
    it "$1: an empty cluster rebuilt from it declares the same" it_rebuilds_an_empty_cluster_that_declares_the_same "$1"
    [ "$1" != enterprise-platform ] || it "$1: routes come and go with their label" routes_come_and_go_with_their_label
}

# In a shell of its own each, so that its planes end with it. ESTATES narrows a run to some.
for estate in ${ESTATES:-enterprise-platform multi-tenant-isp mesh-benchmark store-platform}; do
    (new_shell; estate_goes_all_the_way "$estate")
done
