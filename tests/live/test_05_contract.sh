# shellcheck shell=bash disable=SC2119
# The contract suites, which the unit tests run on the stand-ins, on what they stand in for: a real kube-apiserver and
# a real MinIO. Whoever differs, it is the stand-in that is wrong.
# shellcheck source=tests/live/lib.sh
source "$(dirname "$0")/lib.sh"

plane_start contract

# One case at a time: they share one server, and some add and remove types that others list.
suite() { # pattern
    "$LIVE_ROOT/build/tests/all" --filter "$1" -j1
}

the_api_server_contract_holds() {
    export GITOPS_PIPE_TEST_KUBECONFIG
    # The suite must really go where it is told.
    GITOPS_PIPE_TEST_KUBECONFIG=$CASE_DIR/none
    if suite 'kube_contract/*' >"$CASE_DIR/out" 2>&1; then fail 'passes without a server'; fi
    GITOPS_PIPE_TEST_KUBECONFIG=$(kubeconfig contract)
    suite 'kube_contract/*'
}

the_store_contract_holds() {
    export GITOPS_PIPE_TEST_S3
    use_minio_keys
    GITOPS_PIPE_TEST_S3=http://127.0.0.1:$(free_port)
    if suite 'store_contract/what_goes_in_comes_out' >"$CASE_DIR/out" 2>&1; then fail 'passes without a store'; fi
    make_bucket gitops-pipe-test
    GITOPS_PIPE_TEST_S3=$MINIO_URL
    suite 'store_contract/*'
}

it 'the API server contract holds for kube-apiserver' the_api_server_contract_holds
it 'the store contract holds for MinIO' the_store_contract_holds
