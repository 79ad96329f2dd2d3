# shellcheck shell=bash
# The round trip: what one cluster declares, put into an empty one, must be declared by that one again.

# declare_cluster DIR KUBECONFIG: a backup of that cluster in a store of its own, converted and verified into DIR/out.
declare_cluster() {
    local dir=$1
    mkdir -p "$dir"
    cat >"$dir/gitops-pipe.yaml" <<END
apiVersion: gitops-pipe.io/v1
kind: Pipeline
cluster: {name: live, kubeconfig: "$2"}
stores: [{name: main, url: "file:store"}]
secrets: {mode: omit}
environments: [{name: mirror}]
END
    pipe "$dir" backup -q || return
    pipe "$dir" convert latest --out out --verify -q >"$dir/said" || { cat "$dir/said"; return 1; }
    cat "$dir/said"
    expect_contains 'what convert says' "$(cat "$dir/said")" 'round trip: 0 unexplained differences;'
}

# apply_declared DIR PLANE: with kubectl alone, in the order of docs/repository.md. In a bare plane nobody makes default
# accounts, without which no pod is let in; they are made here.
apply_declared() {
    local base=$1/out/base plane=$2 folder
    apply_folders "$plane" "$base/_crds" || return
    if [ -d "$base/_crds" ]; then
        documents "$base/_crds" >"$CASE_DIR/definitions.yaml"
        wait_until 30 'the kinds' kinds_established "$plane" "$CASE_DIR/definitions.yaml" || return
    fi
    apply_folders "$plane" "$base/_cluster" || return
    for folder in "$base"/[!_]*; do
        cat "$folder/namespace-$(basename "$folder").yaml"
        printf -- '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: "%s"}\n---\n' "$(basename "$folder")"
    done | k "$plane" apply --server-side -f - >/dev/null || return
    apply_folders "$plane" "$base"/[!_]* || return
    apply_folders "$plane" "$base/_gates"
}

# Those of one file: definitions that somebody else made may never be established.
kinds_established() { # plane file
    local conditions
    conditions=$(k "$1" get -f "$2" -o jsonpath='{range .items[*]}{.status.conditions[?(@.type=="Established")].status},{end}')
    [[ $conditions =~ ^(True,)+$ ]] || fail "established: $conditions"
}

# documents FOLDER...: the objects of those that are there, in the order of their kustomization.yaml. Not by kustomize,
# which needs half a minute for 5,000.
documents() {
    local folder
    for folder in "$@"; do
        [ -d "$folder" ] || continue
        (cd "$folder" && sed -n 's/^- //p' kustomization.yaml | xargs awk 'FNR == 1 { print "---" } { print }')
    done
}

apply_folders() { # plane folder...
    local plane=$1
    shift
    documents "$@" >"$CASE_DIR/objects.yaml" || return
    [ -s "$CASE_DIR/objects.yaml" ] || return 0
    k "$plane" apply --server-side --force-conflicts --validate=false -f "$CASE_DIR/objects.yaml" 2>&1 |
        { grep -v -e ' serverside-applied$' -e '^Warning: ' || true; } >"$CASE_DIR/refused"
    [ ! -s "$CASE_DIR/refused" ] || fail "not applied from $*: $(head -n 5 "$CASE_DIR/refused")"
}

# same_declaration DIR DIR: both say the same, byte for byte.
same_declaration() {
    diff -r "$1/out/base" "$2/out/base" >"$CASE_DIR/differences" ||
        fail "$(grep -c '^[<>]' "$CASE_DIR/differences") lines differ: $(head -n 40 "$CASE_DIR/differences")"
}
