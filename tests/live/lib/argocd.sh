# shellcheck shell=bash
# Argo CD's repository server and application controller outside a cluster, beside a Redis of their own.

# argocd_start PLANE: reconciles the Applications in namespace argocd of that plane.
argocd_start() {
    local plane=$1 redis repo metrics health
    redis=$(free_port) repo=$(free_port) metrics=$(free_port) health=$(free_port)
    argocd_objects "$plane"
    start argocd-redis redis-server --port "$redis" --bind 127.0.0.1 --save '' --appendonly no --dir "$LIVE_DIR"
    mkdir -p "$LIVE_DIR/argocd-tmp"
    export ARGOCD_GPG_ENABLED=false
    ARGOCD_BINARY_NAME=argocd-repo-server TMPDIR=$LIVE_DIR/argocd-tmp \
        start argocd-repo-server argocd --redis "127.0.0.1:$redis" --disable-tls --address 127.0.0.1 \
        --port "$repo" --metrics-address 127.0.0.1 --metrics-port "$metrics"
    # Outside a pod https://kubernetes.default.svc leads nowhere; this is Argo CD's own way round it.
    ARGOCD_BINARY_NAME=argocd-application-controller ARGOCD_FAKE_IN_CLUSTER=true KUBECONFIG=$(kubeconfig "$plane") \
        start argocd-controller argocd --kubeconfig "$(kubeconfig "$plane")" --namespace argocd \
        --repo-server "127.0.0.1:$repo" --repo-server-plaintext --redis "127.0.0.1:$redis" \
        --app-resync 10 --metrics-port "$health"
}

argocd_objects() { # plane
    k "$1" apply --server-side -f "$(dirname "$(command -v argocd)")/../crds" >/dev/null
    wait_until 30 "the kinds of Argo CD" k "$1" get applications.argoproj.io,appprojects.argoproj.io -A
    k "$1" apply --server-side -f - >/dev/null <<END
apiVersion: v1
kind: Namespace
metadata: {name: argocd}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-rbac-cm, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd}}
---
apiVersion: v1
kind: Secret
metadata: {name: argocd-secret, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd}}
stringData: {server.secretkey: $(random_hex 16)}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: default, namespace: argocd}
spec:
  sourceRepos: ['*']
  destinations: [{namespace: '*', server: '*'}]
  clusterResourceWhitelist: [{group: '*', kind: '*'}]
END
}

# argocd_synced PLANE APPLICATION: for wait_until; says what stands in the way.
argocd_synced() {
    local state
    state=$(k "$1" -n argocd get application "$2" -o jsonpath='{.status.sync.status} {.status.operationState.phase} {.status.operationState.message} {.status.conditions}')
    case $state in 'Synced Succeeded '* | 'Synced  '*) ;; *) fail "$2: $state" ;; esac
}
