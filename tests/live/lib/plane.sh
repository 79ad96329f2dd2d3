# shellcheck shell=bash
# A control plane of real parts on loopback: etcd, kube-apiserver and, unless bare, the controller manager, and, unless
# idle, the scheduler and kwok, which plays the nodes. Everything a plane owns lies in $LIVE_DIR/planes/NAME:
#
#   token.kubeconfig   admin by bearer token, CA inlined        cert.kubeconfig   admin by client certificate, files by path
#   client-ca.{crt,key}  signs client certificates              server.crt        the CA of the API server
#
# The context, cluster and user in both are called NAME.

plane_dir() { echo "$LIVE_DIR/planes/$1"; }
kubeconfig() { echo "$LIVE_DIR/planes/$1/token.kubeconfig"; }

# k NAME ARGUMENTS...: kubectl against plane NAME, as admin.
k() {
    local plane=$1
    shift
    kubectl --kubeconfig "$(kubeconfig "$plane")" --cache-dir "$LIVE_DIR/planes/$plane/kubectl-cache" "$@"
}

# plane_start NAME [bare|idle|exec]: a new, empty plane, ready when it returns; about four seconds. What an earlier plane
# of that name left behind goes. An idle one has its controllers, which admit what a quota allows, and no pod ever runs.
# With exec, a command "in a pod" (pods/exec) runs on this machine.
plane_start() {
    local name=$1 dir port
    dir=$(plane_dir "$name")
    rm -rf "$dir"
    mkdir -p "$dir/certs"
    port=$(free_port)
    plane_keys "$dir"
    plane_etcd "$name" "$dir"
    plane_apiserver "$name" "$dir" "$port"
    wait_until 30 "the serving certificate of plane $name" test -s "$dir/certs/apiserver.crt"
    cp "$dir/certs/apiserver.crt" "$dir/server.crt"
    plane_kubeconfigs "$name" "$dir" "https://127.0.0.1:$port"
    wait_until 60 "plane $name" k "$name" get --raw /readyz
    case ${2:-} in
    bare) ;;
    idle) plane_controllers "$name" "$dir" ;;
    *) plane_controllers "$name" "$dir" && plane_kwok "$name" "$dir" "${2:-}" ;;
    esac
}

plane_keys() { # dir
    openssl genrsa -out "$1/service-accounts.key" 2048 2>/dev/null
    openssl rsa -in "$1/service-accounts.key" -pubout -out "$1/service-accounts.pub" 2>/dev/null
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=live-clients \
        -keyout "$1/client-ca.key" -out "$1/client-ca.crt" 2>/dev/null
    client_certificate "$1" admin /O=system:masters/CN=admin 2
    random_hex 16 >"$1/token"
    echo "$(cat "$1/token"),admin,admin,system:masters" >"$1/tokens.csv"
    random_hex 16 >"$1/reader-token"
    echo "$(cat "$1/reader-token"),reader,reader" >>"$1/tokens.csv"
}

# client_certificate DIR NAME SUBJECT DAYS: DIR/NAME.{crt,key}; negative days make one that has expired.
client_certificate() {
    openssl req -new -newkey rsa:2048 -nodes -subj "$3" -keyout "$1/$2.key" -out "$1/$2.csr" 2>/dev/null
    openssl x509 -req -in "$1/$2.csr" -CA "$1/client-ca.crt" -CAkey "$1/client-ca.key" -CAcreateserial \
        -days "$4" -out "$1/$2.crt" 2>/dev/null
}

plane_etcd() { # name dir
    local client peer
    client=$(free_port)
    peer=$(free_port)
    echo "http://127.0.0.1:$client" >"$2/etcd-url"
    start "$1-etcd" etcd --name live --data-dir "$2/etcd" --unsafe-no-fsync --log-level warn \
        --listen-client-urls "http://127.0.0.1:$client" --advertise-client-urls "http://127.0.0.1:$client" \
        --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
        --initial-cluster "live=http://127.0.0.1:$peer"
}

plane_apiserver() { # name dir port
    start "$1-apiserver" kube-apiserver --etcd-servers "$(cat "$2/etcd-url")" \
        --bind-address 127.0.0.1 --secure-port "$3" --cert-dir "$2/certs" \
        --client-ca-file "$2/client-ca.crt" --token-auth-file "$2/tokens.csv" --authorization-mode Node,RBAC \
        --service-account-issuer https://kubernetes.default.svc \
        --service-account-key-file "$2/service-accounts.pub" \
        --service-account-signing-key-file "$2/service-accounts.key" \
        --service-cluster-ip-range 10.96.0.0/16 --allow-privileged --endpoint-reconciler-type none
}

plane_kubeconfigs() { # name dir url
    write_kubeconfig "$2/token.kubeconfig" "$1" "$3" \
        "certificate-authority-data: $(base64 -w0 "$2/server.crt")" "token: $(cat "$2/token")"
    write_kubeconfig "$2/cert.kubeconfig" "$1" "$3" "certificate-authority: $2/server.crt" \
        "client-certificate: $2/admin.crt"$'\n'"      client-key: $2/admin.key"
    write_kubeconfig "$2/reader.kubeconfig" "$1" "$3" \
        "certificate-authority-data: $(base64 -w0 "$2/server.crt")" "token: $(cat "$2/reader-token")"
    echo "$3" >"$2/url"
}

write_kubeconfig() { # file name url ca-line user-lines
    cat >"$1" <<END
apiVersion: v1
kind: Config
current-context: $2
clusters:
  - name: $2
    cluster:
      server: $3
      $4
users:
  - name: $2
    user:
      $5
contexts:
  - name: $2
    context:
      cluster: $2
      user: $2
END
    chmod 600 "$1"
}

plane_controllers() { # name dir
    start "$1-controller-manager" kube-controller-manager --kubeconfig "$2/token.kubeconfig" --leader-elect=false \
        --secure-port 0 --controllers '*' --root-ca-file "$2/server.crt" \
        --service-account-private-key-file "$2/service-accounts.key" \
        --allocate-node-cidrs=false --enable-hostpath-provisioner=true \
        --horizontal-pod-autoscaler-sync-period 2s
    wait_until 60 "the default service account of plane $1" k "$1" get serviceaccount default
}

plane_kwok() { # name dir [exec]
    local config=$2/token.kubeconfig kubelet=() port=
    start "$1-scheduler" kube-scheduler --kubeconfig "$config" --leader-elect=false --secure-port 0
    if [ "${3:-}" = exec ]; then
        plane_kubelet "$2"
        port=$(free_port)
        # Leases, for with the heartbeats of its stages alone a busy machine finds the nodes, and then the pods, not ready.
        kubelet=(--config "$2/kwok.yaml" --node-lease-duration-seconds 40 --node-ip 127.0.0.1 --node-port "$port"
            --tls-cert-file "$2/kubelet.crt" --tls-private-key-file "$2/kubelet.key")
    fi
    plane_nodes "$1" "$port"
    start "$1-kwok" kwok --kubeconfig "$config" --manage-all-nodes=true "${kubelet[@]}"
    at_exit "remove_host_path_volumes $1"
}

# What kwok needs to play the kubelet towards the API server.
plane_kubelet() { # dir
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=kubelet -keyout "$1/kubelet.key" -out "$1/kubelet.crt" 2>/dev/null
    cat >"$1/kwok.yaml" <<END
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterExec
metadata: {name: here}
spec:
  execs:
  - local: {workDir: "$1", envs: [{name: PATH, value: "$PATH"}]}
END
}

# Three nodes in two zones, that kwok keeps alive; their kubelet answers on the port of this machine, if one is given.
plane_nodes() { # name [port]
    local n
    for n in 1 2 3; do
        cat <<END
apiVersion: v1
kind: Node
metadata:
  name: node-$n
  labels:
    kubernetes.io/hostname: node-$n
    kubernetes.io/os: linux
    topology.kubernetes.io/zone: zone-$((n % 2))
  annotations: {kwok.x-k8s.io/node: fake}
status:
  allocatable: {cpu: "32", memory: 128Gi, pods: "110"}
  capacity: {cpu: "32", memory: 128Gi, pods: "110"}
${2:+  addresses:
  - type: InternalIP
    address: 127.0.0.1
  daemonEndpoints:
    kubeletEndpoint:
      Port: $2}
---
END
    done | k "$1" create -f - >/dev/null
}

# The host-path provisioner makes real folders under /tmp, wherever TMPDIR points; take away the ones we caused.
remove_host_path_volumes() { # name
    local path
    k "$1" --request-timeout 5s get persistentvolumes -o jsonpath='{range .items[*]}{.spec.hostPath.path}{"\n"}{end}' 2>/dev/null |
        while read -r path; do
            case $path in /tmp/hostpath_pv/?*) rmdir "$path" ;; esac
        done
    rmdir /tmp/hostpath_pv 2>/dev/null || true
}

# apply_estate PLANE [FOLDER]: file by file in the order of their names, each as soon as the API server knows its kinds.
# As in any cluster with a past, some of it was applied by the client: that leaves an annotation with a copy of the object.
apply_estate() {
    local file how
    for file in "${2:-$ESTATE}"/*.yaml; do
        how=(--server-side --field-manager estate)
        case $file in *-secrets.yaml | *-worker.yaml) how=() ;; esac
        case $file in
        *-crds.yaml)
            k "$1" apply "${how[@]}" -f "$file" || return
            wait_until 30 "the kinds of $file" definitions_established "$1" || return
            ;;
        # A quota admits nothing that it counts until its controller has counted once.
        *) wait_until 30 "$file to be taken" k "$1" apply "${how[@]}" -f "$file" || return ;;
        esac
    done
}

definitions_established() { # plane
    local conditions
    conditions=$(k "$1" get customresourcedefinitions -o jsonpath='{range .items[*]}{.status.conditions[?(@.type=="Established")].status},{end}')
    [[ $conditions =~ ^(True,)*$ ]] || fail "established: $conditions"
}

# Every workload has all its replicas and every claim is bound.
workloads_ready() { # plane
    local namespace
    for namespace in production-simulation backup-storage; do
        k "$1" -n "$namespace" get deployments,statefulsets -o jsonpath='{range .items[*]}{.metadata.name} {.spec.replicas} {.status.readyReplicas}{"\n"}{end}' |
            awk '$2 != $3 { print "not ready: " $0; bad = 1 } END { exit bad || NR == 0 }' || return
        k "$1" -n "$namespace" get persistentvolumeclaims -o jsonpath='{range .items[*]}{.metadata.name} {.status.phase}{"\n"}{end}' |
            awk '$2 != "Bound" { print "not bound: " $0; bad = 1 } END { exit bad || NR == 0 }' || return
    done
}

# Besides, the autoscaler has acted, the migration has run, the token is filled in.
estate_ready() { # plane
    workloads_ready "$1" || return
    expect_eq 'frontend replicas' "$(k "$1" -n production-simulation get deployment frontend -o jsonpath='{.spec.replicas}')" 3 || return
    expect_eq 'migrations done' "$(k "$1" -n production-simulation get job schema-migration -o jsonpath='{.status.succeeded}')" 1 || return
    [ -n "$(k "$1" -n production-simulation get secret ci-deployer-token -o jsonpath='{.data.token}')" ]
}
