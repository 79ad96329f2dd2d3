# shellcheck shell=bash
# A PostgreSQL server on loopback, in a folder of its own. It refuses to run as root, so root runs it as its own user.

# postgres_start: leaves PGHOST, PGPORT and PGUSER for psql and pg_dump.
postgres_start() {
    local programs dir as=(env -C /)
    programs=$(dirname "$(find /usr/lib/postgresql -name initdb -path '*/bin/*' | sort -V | tail -n 1)")
    dir=$(mktemp -d "${TMPDIR:-/tmp}/gitops-pipe-postgres.XXXXXX")
    at_exit "rm -rf '$dir'"
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres "$dir"
        as+=(setpriv --pdeathsig KILL --reuid postgres --regid postgres --clear-groups)
    fi
    PGHOST=127.0.0.1 PGPORT=$(free_port) PGUSER=live
    export PGHOST PGPORT PGUSER
    "${as[@]}" "$programs/initdb" -D "$dir/data" -U live -A trust -E UTF8 --no-sync >/dev/null
    start postgres "${as[@]}" "$programs/postgres" -D "$dir/data" -h 127.0.0.1 -p "$PGPORT" -k '' -F
    wait_until 20 PostgreSQL psql -d postgres -c 'select 1'
}
