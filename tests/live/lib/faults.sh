# shellcheck shell=bash
# A store that can be hurt: a MinIO of its own for the test, and toxiproxy in front of it.

# minio_of DIR PORT [ARGUMENTS...]: serves what lies in DIR, and again a second after it was killed (minio_kill).
minio_of() {
    local dir=$1 port=$2
    mkdir -p "$dir"
    export MINIO_ROOT_USER=$MINIO_KEY MINIO_ROOT_PASSWORD=$MINIO_SECRET MINIO_UPDATE=off MINIO_BROWSER=off
    # shellcheck disable=SC2016 # expanded by the shell that keeps it alive
    start "minio-$port" bash -c '
        while :; do
            setpriv --pdeathsig KILL minio server "$1" --address "127.0.0.1:$2" --quiet "${@:3}" &
            echo $! >"$1.pid"
            wait $!
            sleep 1
        done' minio "$@"
}

minio_kill() { kill -KILL "$(cat "$1.pid")"; } # dir

minio_answers() { curl -fsS ${2:+--cacert "$2"} "$1/minio/health/ready"; }

# toxiproxy_start: leaves TOXIPROXY exported, the URL of its API.
toxiproxy_start() {
    local port
    port=$(free_port)
    export TOXIPROXY=http://127.0.0.1:$port
    start toxiproxy toxiproxy-server -host 127.0.0.1 -port "$port"
    wait_until 10 toxiproxy curl -fsS "$TOXIPROXY/version"
}

# proxy_to NAME UPSTREAM-PORT: prints the port that leads there.
proxy_to() {
    local port
    port=$(free_port)
    curl -fsS -o /dev/null "$TOXIPROXY/proxies" \
        -d "{\"name\":\"$1\",\"listen\":\"127.0.0.1:$port\",\"upstream\":\"127.0.0.1:$2\"}"
    echo "$port"
}

# toxic PROXY TYPE STREAM ATTRIBUTES [SHARE]: hurts that share of the connections (all) from now on. Taking a toxic away
# can hang in toxiproxy 2.5, so each case has a proxy of its own and leaves it as it is.
toxic() {
    curl -fsS -o /dev/null "$TOXIPROXY/proxies/$1/toxics" \
        -d "{\"type\":\"$2\",\"stream\":\"$3\",\"attributes\":$4,\"toxicity\":${5:-1}}"
}

# Ends every connection and takes no new ones, or takes them again.
proxy_enabled() { # proxy true|false
    curl -fsS -o /dev/null "$TOXIPROXY/proxies/$1" -d "{\"enabled\":$2}"
}
