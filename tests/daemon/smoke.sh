#!/bin/sh
# The daemon as a user meets it: start, apply, run, reuse, restart, refuse a second one, stop.
#
#   smoke.sh FOLDER   where pipelined, pipelined-worker and pipectl are
set -eu
bin=$1
work=$(mktemp -d)
daemon=
finish() {
  status=$?
  [ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true
  [ $status -eq 0 ] || { echo "--- the daemon's log:"; cat "$work/log"; }
  rm -rf "$work"
}
trap finish EXIT
umask 022

fail() { echo "FAILED: $1"; exit 1; }
export PIPELINED_SOCKET="$work/state/pipelined.sock"
ctl() { "$bin/pipectl" "$@"; }
start() {
  "$bin/pipelined" --state "$work/state" --plugins "$work/plugins" >> "$work/log" 2>&1 &
  daemon=$!
  tries=0
  until ctl status > /dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || fail "the daemon does not answer"
    kill -0 "$daemon" 2> /dev/null || fail "the daemon has ended"
    sleep 0.1
  done
}

mkdir "$work/plugins" "$work/pipeline"
cat > "$work/pipeline/pipeline.toml" << 'TOML'
name = "words"

[step.write]
operator    = "command.run"
out.text    = "files/1"
params.argv = ["sh", "-c", "mkdir {out.text}; echo one two three > {out.text}/words.txt"]

[step.count]
operator    = "command.run"
in.text     = "write"
out.count   = "files/1"
params.argv = ["sh", "-c", "mkdir {out.count}; wc -w < {in.text} > {out.count}/count.txt"]
TOML

start
ctl apply "$work/pipeline" || fail "apply"
ctl run words --wait || fail "the first run"
ctl show last || fail "show"
ctl show last -o json | grep -q '"succeeded"' || fail "the first run did not succeed"
ctl run words --wait || fail "the second run"
ctl show last -o json | grep -q '"cached"' || fail "the second run reused nothing"
ctl explain last || fail "explain"

"$bin/pipelined" --state "$work/state" 2> "$work/second" && fail "a second instance was let in"
grep -q "process $daemon" "$work/second" || fail "the refusal does not name the first instance"

kill -KILL "$daemon"
wait "$daemon" 2> /dev/null || true
start
ctl run words --wait || fail "the run after a kill"
ctl show last -o json | grep -q '"cached"' || fail "the results did not survive the kill"

kill -TERM "$daemon"
wait "$daemon" || fail "the stop was not clean"
daemon=
[ ! -e "$work/state/pipelined.sock" ] || fail "the socket is left behind"
echo "passed"
