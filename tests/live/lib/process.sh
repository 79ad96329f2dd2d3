# shellcheck shell=bash
# Processes and ports. A process started here gets its own log and dies with the shell that started it, however
# that shell ends: an exit trap stops it in the ordinary case, the kernel's parent-death signal in every other.

# What the present shell has to end: its services, the child it waits for, its clean-up commands.
new_shell() {
    LIVE_PIDS=() LIVE_CHILD='' LIVE_CLEANUP=()
    trap end_of_shell EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# start NAME COMMAND...: in the background, output to $LIVE_DIR/logs/NAME.log. Leaves the id in STARTED_PID.
# A session of its own keeps ctrl-C from it, so that cleaning up can still use it.
# Not to be called in a subshell: the process would die with it.
start() {
    local name=$1
    shift
    mkdir -p "$LIVE_DIR/logs"
    setpriv --pdeathsig KILL setsid "$@" >>"$LIVE_DIR/logs/$name.log" 2>&1 </dev/null &
    STARTED_PID=$!
    LIVE_PIDS+=("$STARTED_PID")
}

# Registers a command for the end of this shell; last registered, first run.
at_exit() { LIVE_CLEANUP=("$*" "${LIVE_CLEANUP[@]}"); }

end_of_shell() {
    local command
    if [ -n "$LIVE_CHILD" ]; then kill "$LIVE_CHILD" 2>/dev/null && wait "$LIVE_CHILD"; fi || true
    for command in "${LIVE_CLEANUP[@]}"; do eval "$command" || true; done
    # Everything the services own is thrown away with the run, so none is asked to end in order.
    if [ ${#LIVE_PIDS[@]} -gt 0 ]; then
        kill -KILL "${LIVE_PIDS[@]}" 2>/dev/null || true
        wait "${LIVE_PIDS[@]}" 2>/dev/null || true
    fi
}

# Waits for the background process just started, in a way that a signal to this shell interrupts and passes on.
wait_for_child() {
    local status=0
    LIVE_CHILD=$!
    wait "$LIVE_CHILD" || status=$?
    LIVE_CHILD=''
    return $status
}

new_shell

# A loopback port that nobody listens on, below the kernel's own ephemeral range and handed out once per run.
free_port() {
    local port
    mkdir -p "$LIVE_DIR/ports"
    while port=$((20000 + RANDOM % 10000)); do
        mkdir "$LIVE_DIR/ports/$port" 2>/dev/null || continue
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
