# shellcheck shell=bash disable=SC2034,SC2119
# Rendering against the real kustomize: the same objects in the same order, for the golden cases and for a repository.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

same_as_kustomize() { # folder
    kustomize build "$1" >"$CASE_DIR/real.yaml"
    "$GITOPS_PIPE" render "$1" >"$CASE_DIR/ours.yaml"
    same-objects "$CASE_DIR/real.yaml" "$CASE_DIR/ours.yaml"
}

golden_folder() { # case
    if [ -d "$1/in/overlay" ]; then echo "$1/in/overlay"; else echo "$1/in"; fi
}

every_golden_case_is_still_what_kustomize_prints() {
    local case
    for case in "$LIVE_ROOT"/testdata/kustomize/*/; do
        kustomize build "$(golden_folder "$case")" >"$CASE_DIR/real.yaml"
        same-objects "$CASE_DIR/real.yaml" "$case/want.yaml"
        same_as_kustomize "$(golden_folder "$case")"
    done
}

every_overlay_of_the_small_shop_renders_as_kustomize_does() {
    local overlay
    for overlay in "$LIVE_ROOT"/testdata/overlays/shop/want/overlays/*/; do same_as_kustomize "$overlay"; done
}

the_waves_of_argo_cd_are_read_by_kustomize() {
    local tree=$CASE_DIR/tree
    cp -r "$LIVE_ROOT/testdata/overlays/shop/want" "$tree"
    mkdir "$tree/waves"
    { echo 'resources: [../overlays/prod]'
      sed -n '/^      patches:/,/^  destination:/{/^  destination:/d;s/^      //;p}' "$tree/argocd/prod.yaml"
    } >"$tree/waves/kustomization.yaml"
    kustomize build "$tree/waves" >"$CASE_DIR/waves.yaml"
    expect_eq waves "$(sed -n 's/.*sync-wave: "\(.*\)"/\1/p' "$CASE_DIR/waves.yaml" | sort -n | uniq | tr '\n' ' ')" \
        '-5 -4 -2 -1 1 '
}

it 'every golden case is still what kustomize prints' every_golden_case_is_still_what_kustomize_prints
it 'every overlay of the small shop renders as kustomize does' every_overlay_of_the_small_shop_renders_as_kustomize_does
it "Argo CD's waves are read by kustomize" the_waves_of_argo_cd_are_read_by_kustomize
