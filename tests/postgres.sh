#!/usr/bin/env bash
# Runs a command beside a PostgreSQL of its own, which CONNECTOR_TEST_POSTGRES names and which is gone with it:
#   tests/postgres.sh cargo test -p connector-connections --all-features
set -euo pipefail

# On the path, else where Debian keeps it: the newest.
initdb=$(command -v initdb || find /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 || true)
if [ -z "$initdb" ]; then
  echo "there is no PostgreSQL here: install it (Debian: apt-get install postgresql)" >&2
  exit 1
fi
programs=$(dirname "$(readlink -f "$initdb")")
folder=$(mktemp -d)

# A server never runs as root; its own user cannot read every folder.
as_server() (
  cd "$folder"
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
)

remove() {
  if [ -f "$folder/data/postmaster.pid" ]; then
    as_server "$programs/pg_ctl" --silent -D data -m immediate stop || true
  fi
  rm -rf "$folder"
}
trap remove EXIT

word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && printf '%s\n' "$word" >"$folder/word")
if [ "$(id -u)" = 0 ]; then chown -R postgres "$folder"; fi
as_server "$programs/initdb" --no-sync --encoding=UTF8 --locale=C --username=connector --auth=password --pwfile=word -D data >"$folder/log"

# On loopback alone. Nothing outlives it, so that nothing needs to reach the disk.
started=
for _ in 1 2 3 4 5 6 7 8; do
  port=$((20000 + RANDOM % 12000))
  settings="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=300"
  if as_server "$programs/pg_ctl" --silent -w -D data -l server.log -o "$settings" start; then
    started=yes
    break
  fi
done
if [ -z "$started" ]; then
  cat "$folder/server.log" >&2
  exit 1
fi

PATH="$programs:$PATH" CONNECTOR_TEST_POSTGRES="postgres://connector:$word@127.0.0.1:$port/postgres" "$@"
