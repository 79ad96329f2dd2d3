# shellcheck shell=bash
# What every live test stands on: cases and their count, assertions, processes that cannot outlive the test,
# ports, and waiting. Sourced, never run. The runner (tests/live/run) sets LIVE_DIR, LIVE_RESULTS and PATH.
set -euo pipefail

LIVE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # for the tests
ESTATE=$LIVE_ROOT/testdata/estates/production-simulation
: "${LIVE_DIR:?run this through tests/live/run}"

# shellcheck source=tests/live/lib/process.sh
source "$LIVE_ROOT/tests/live/lib/process.sh"
# shellcheck source=tests/live/lib/plane.sh
source "$LIVE_ROOT/tests/live/lib/plane.sh"
# shellcheck source=tests/live/lib/minio.sh
source "$LIVE_ROOT/tests/live/lib/minio.sh"
# shellcheck source=tests/live/lib/argocd.sh
source "$LIVE_ROOT/tests/live/lib/argocd.sh"
# shellcheck source=tests/live/lib/postgres.sh
source "$LIVE_ROOT/tests/live/lib/postgres.sh"
# shellcheck source=tests/live/lib/pipeline.sh
source "$LIVE_ROOT/tests/live/lib/pipeline.sh"
# shellcheck source=tests/live/lib/roundtrip.sh
source "$LIVE_ROOT/tests/live/lib/roundtrip.sh"

# it NAME COMMAND...: runs one case in a shell of its own, where the first failing command ends it.
it() {
    local name=$1 began=$SECONDS output
    shift
    output=$(mktemp "$LIVE_DIR/case.XXXXXX")
    CASE_DIR=$(mktemp -d "$LIVE_DIR/case-dir.XXXXXX")
    (new_shell; "$@") >"$output" 2>&1 &
    if wait_for_child; then
        record ok "$name" "($((SECONDS - began)) s)"
    else
        record 'not ok' "$name" "($((SECONDS - began)) s)"
        sed 's/^/    /' "$output"
    fi
    rm -rf "$output" "$CASE_DIR"
}

skip() { # name reason
    record skip "$1" "$2"
}

record() { # ok|not ok|skip name detail
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$LIVE_RESULTS"
    local number
    number=$(wc -l <"$LIVE_RESULTS")
    if [ "$1" = skip ]; then
        printf 'ok %d - %s # skipped: %s\n' "$number" "$2" "$3"
    else
        printf '%s %d - %s %s\n' "$1" "$number" "$2" "$3"
    fi
}

# --- assertions: say what was expected and what came ---

fail() {
    echo "$*" >&2
    return 1
}

expect_eq() { # what got want
    [ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
}

expect_contains() { # what text part
    case $2 in *"$3"*) ;; *) fail "$1 does not contain '$3':"$'\n'"$2" ;; esac
}

expect_same_file() { # got want
    diff -u "$2" "$1" || fail "$1 differs from $2"
}

# wait_until SECONDS WHAT COMMAND...: polls; on time-out shows what the command last said.
wait_until() {
    local deadline=$((SECONDS + $1)) what=$2 said
    shift 2
    until said=$("$@" 2>&1); do
        [ $SECONDS -lt $deadline ] || { fail "timed out waiting for $what: $said"; return; }
        sleep 0.2
    done
}
