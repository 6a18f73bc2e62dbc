#!/usr/bin/env bash
# Third-party clients drive the real daemon while tshark listens: run.sh [TOLLGATE]
#
# TOLLGATE is the binary, target/debug/tollgate by default. CLIENTS names a folder where install.sh has been before, so
# that it is not done again; KEEP=1 leaves the working folder with all logs and the capture.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1

here=$(cd "$(dirname "$0")" && pwd)
tollgate=$(realpath "${1:-$here/../../target/debug/tollgate}")
work=$(mktemp -d)
clients=${CLIENTS:-$work/clients}
started=()

finish() {
  local code=$?
  set +e
  stop "${started[@]}"
  if [ "$code" != 0 ]; then
    for log in "$work"/*.err; do
      echo "--- ${log##*/}" && tail -n 25 "$log"
    done
  fi
  if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

start() { # NAME COMMAND...: in the background, its output in NAME.out and NAME.err, its process id in $pid
  local name=$1
  shift
  "$@" </dev/null >"$work/$name.out" 2>"$work/$name.err" &
  pid=$!
  started+=("$pid")
}

stop() { # PID...: asks each to end and waits, at most 20 s together
  local one
  for one in "$@"; do kill -TERM "$one" 2>/dev/null || true; done
  for one in "$@"; do
    for _ in $(seq 200); do
      kill -0 "$one" 2>/dev/null || break
      sleep 0.1
    done
    if kill -KILL "$one" 2>/dev/null; then echo "process $one did not end when asked"; fi
  done
}

wait_for() { # WHAT FILE PATTERN: until what was started last says it, at most 30 s
  for _ in $(seq 300); do
    grep -q -- "$3" "$2" 2>/dev/null && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "FAIL $1 did not come up"
  exit 1
}

[ -n "${CLIENTS:-}" ] || "$here/install.sh" "$clients"

# Ports below those that the system gives to outgoing connections.
mapfile -t ports < <(python3 - <<'PYTHON'
import random, socket
held = []
while len(held) < 4:
    one = socket.socket()
    try:
        one.bind(("127.0.0.1", random.randrange(20000, 32000)))
        held.append(one)
    except OSError:
        one.close()
print(*(one.getsockname()[1] for one in held), sep="\n")
PYTHON
)
gate=${ports[0]}
declare -A operator=([node]=${ports[1]} [python]=${ports[2]} [perl]=${ports[3]})
declare -A area=([node]=3460010000 [python]=3460020000 [perl]=3460030000)
declare -A short_code=([node]=170100 [python]=170200 [perl]=170300)
# The operators differ as operators do: one is slow to answer, so that receipts come before the answers; one writes its
# ids in two ways and asks whether we are there; one sends receipts as data_sm. They take long messages in three ways.
declare -A habits=(
  [node]='--response-delay 300ms --receipt-delay 50ms'
  [python]='--response-delay 20ms --receipt-delay 400ms --id-format hex-resp-dec-receipt --enquire-link 700ms'
  [perl]='--response-delay 20ms --receipt-delay 400ms --receipt-data-sm'
)
declare -A manners=(
  [node]='long = "udh16"'
  [python]=$'id_form = "hex-to-decimal"\nlong = "sar"'
  [perl]=$'bind_type = "pair"\nlong = "payload"'
)
mo_count=3
declare -A mo_text=([node]='Reply {n}: 5 € @ ñ' [python]='Ответ {n} 👍🏽' [perl]='Reply {n}')
mo_source=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["mo_source"])' "$here/talk.json")

# Each client has an account, an operator for its numbers, and a short code whose messages are its own.
{
  cat <<TOML
[store]
path = "gate.db"

[smpp]
listen = ["127.0.0.1:$gate"]
enquire_link = "1s" # so that every client is asked whether it is there, and has to answer

[admin]
listen = []

[[price]]
prefix = ""
credits = "1"
TOML
  for name in node python perl; do
    cat <<TOML

[[upstream]]
name = "$name"
address = "127.0.0.1:${operator[$name]}"
system_id = "gate"
password = "secret"
${manners[$name]}

[[route]]
name = "$name"
prefixes = ["${area[$name]}"]
upstreams = ["$name"]

[[account]]
name = "$name"
opening_credit = "1000"

[[account.smpp]]
system_id = "$name"
password = "s-$name"
allowed_ips = ["127.0.0.0/8"]

[[mo]]
prefixes = ["${short_code[$name]}"]
account = "$name"
TOML
  done
} >"$work/tollgate.toml"

start capture dumpcap -q -i lo -w "$work/talk.pcapng" -a duration:300 \
  -f "tcp port $gate or tcp port ${operator[node]} or tcp port ${operator[python]} or tcp port ${operator[perl]}"
capture=$pid
wait_for 'capture' "$work/capture.err" '^File:'
sleep 0.5

operators=()
for name in node python perl; do
  read -ra habit <<<"${habits[$name]}"
  start "operator-$name" "$tollgate" sim --listen "127.0.0.1:${operator[$name]}" --users gate:secret "${habit[@]}" \
    --mo 5 --mo-count "$mo_count" --mo-source "$mo_source" --mo-destination "${short_code[$name]}" --mo-text "${mo_text[$name]}"
  operators+=("$pid")
  wait_for "operator $name" "$work/operator-$name.out" '^ready'
done
start gateway "$tollgate" serve --config "$work/tollgate.toml"
gateway=$pid
wait_for 'gateway' "$work/gateway.out" '^ready'

# All three at once: none may disturb another.
declare -A running
talk() { # NAME COMMAND...
  local name=$1
  shift
  start "client-$name" timeout 120 "$@" 127.0.0.1 "$gate" "$name" "s-$name" "${area[$name]}" \
    "${short_code[$name]}" "$mo_count" "${mo_text[$name]}"
  running[$name]=$pid
}
talk node env NODE_PATH="$clients/node/node_modules" node "$here/node/client.js"
talk python "$clients/python/bin/python" "$here/python/client.py"
talk perl perl "$here/perl/client.pl"

failed=0
for name in node python perl; do
  wait "${running[$name]}" || failed=1
  echo "== $name"
  cat "$work/client-$name.out"
done

stop "$gateway"
wait "$gateway" || { echo "FAIL the daemon ended with $? when asked to end"; failed=1; }
stop "${operators[@]}"
sleep 1
stop "$capture"

echo "== what the operators got, in how many PDUs"
python3 "$here/capture/texts.py" "$work/talk.pcapng" "node:${area[node]}=${operator[node]}" \
  "python:${area[python]}=${operator[python]}" "perl:${area[perl]}=${operator[perl]}" || failed=1
echo "== what tshark read"
python3 "$here/capture/wire.py" "$work/talk.pcapng" 20 "gateway=$gate" "to-node=${operator[node]}" \
  "to-python=${operator[python]}" "to-perl=${operator[perl]}" || failed=1
echo "== the books"
"$tollgate" audit --config "$work/tollgate.toml" || failed=1

if [ "$failed" != 0 ]; then echo "third-party clients: FAILED"; exit 1; fi
echo "third-party clients: all held"
