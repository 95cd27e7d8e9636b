#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A data plane of two workers: many flows at once, each of which keeps its order;
# every packet accounted for; the data plane and a router killed under traffic.

FLOWS=8
PPS=8000 # of a flow

setup_file() {
  export NODE_WORKERS=2
  load common
  system_setup euwk-
  make_routers_of_test
}

setup() {
  export NODE_WORKERS=2
  load common
  system_resume
}

teardown_file() {
  load common
  system_teardown
}

teardown() {
  end_traffic
}

# r1 between the ports; r2 and r3 in a row, by a link, on the same ports.
make_routers_of_test() {
  make_router "$(node_router_body r1 ',"quota":{"pool_slots":8192}')"
  make_router '{"name":"r2","spec":{"vnics":[
    {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.2.1/24"]},
    {"name":"eth1","attach":{"router":"r3","vnic":"eth1"},"addresses":["198.18.4.1/24"]}],
    "routes":[{"prefix":"198.18.3.0/24","via":"198.18.4.2"}],
    "quota":{"pool_slots":4096}}}'
  make_router '{"name":"r3","spec":{"vnics":[
    {"name":"eth0","attach":{"port":"p1"},"addresses":["198.18.3.1/24"]},
    {"name":"eth1","attach":{"router":"r2","vnic":"eth1"},"addresses":["198.18.4.2/24"]}],
    "routes":[{"prefix":"198.18.2.0/24","via":"198.18.4.1"}],
    "quota":{"pool_slots":4096}}}'
  ip -n "$NODE_SENDER" addr replace 198.18.2.2/24 dev eth0
  ip -n "$NODE_RECEIVER" addr replace 198.18.3.2/24 dev eth0
  ip -n "$NODE_SENDER" route replace 198.18.3.0/24 via 198.18.2.1
  ip -n "$NODE_SENDER" route replace 198.18.4.0/24 via 198.18.2.1
  ip -n "$NODE_RECEIVER" route replace 198.18.2.0/24 via 198.18.3.1
  # what a host does that asks for a MAC in vain is not measured here
  know "$NODE_SENDER" 198.18.0.1 r1 0
  know "$NODE_SENDER" 198.18.2.1 r2 0
  know "$NODE_RECEIVER" 198.18.1.1 r1 1
  know "$NODE_RECEIVER" 198.18.3.1 r3 0
}

# know NAMESPACE ADDRESS ROUTER VNIC: the host need not ask.
know() {
  ip -n "$1" neigh replace "$2" dev eth0 nud permanent \
    lladdr "$(api GET "/v1/routers/$3" | jq -r ".status.vnics[$4].mac")"
}

passes() {
  node_wait 10 node_sender ping -n -c 1 -W 1 "$1"
}

# flows_start DST FIRST_PORT SECONDS: FLOWS flows, each with its own numbers.
flows_start() {
  local i port
  for ((i = 0; i < FLOWS; i++)); do
    port=$(($2 + i))
    ip netns exec "$NODE_RECEIVER" "$UDPSEQ" -w "$BATS_TEST_TMPDIR/$port.window" recv "$1" $port 6 $port \
      > "$BATS_TEST_TMPDIR/$port" &
    echo $! >> "$BATS_TEST_TMPDIR/pids"
  done
  for ((i = 0; i < FLOWS; i++)); do
    receives "$NODE_RECEIVER" "$1" $(($2 + i))
  done
  for ((i = 0; i < FLOWS; i++)); do
    port=$(($2 + i))
    ip netns exec "$NODE_SENDER" "$UDPSEQ" -w "$BATS_TEST_TMPDIR/$port.window" send "$1" $port $PPS "$3" $port \
      > "$BATS_TEST_TMPDIR/$port.sent" &
    echo $! >> "$BATS_TEST_TMPDIR/pids"
  done
}

# When the senders have ended, what is on the way has its time to arrive: the
# receivers end by themselves.
flows_end() { wait; }

# flows_all FIRST_PORT JQ: true of every flow, where $sent is what was sent.
flows_all() {
  local i port rc=0
  for ((i = 0; i < FLOWS; i++)); do
    port=$(($1 + i))
    echo "# flow $port: $(cat "$BATS_TEST_TMPDIR/$port.sent" "$BATS_TEST_TMPDIR/$port" | tr '\n' ' ')"
    jq -e --argjson sent "$(jq .sent "$BATS_TEST_TMPDIR/$port.sent")" "$2" \
      "$BATS_TEST_TMPDIR/$port" > /dev/null || rc=1
  done
  return $rc
}

# What has been dropped of the packets of these routers, with a reason, by now.
counted() { # ROUTER...
  local r n=0
  for r in "$@"; do
    n=$((n + $(host_sum "$r" '([.rx.drops[], .tx.drops[]] | add)')))
  done
  for r in p0 p1; do
    n=$((n + $(api GET "/v1/ports/$r" | jq '.status.counters.port_rx_missed // 0')))
  done
  echo "$n"
}

# flows_lost FIRST_PORT: of all flows.
flows_lost() {
  local i n=0
  for ((i = 0; i < FLOWS; i++)); do
    n=$((n + $(jq .sent "$BATS_TEST_TMPDIR/$(($1 + i)).sent") -
      $(jq .received "$BATS_TEST_TMPDIR/$(($1 + i))")))
  done
  echo "$n"
}

# flows_are_accounted FIRST_PORT BEFORE ROUTER...: in order, and what is not
# there was dropped and counted: threads outnumber the cores, and may wait long.
flows_are_accounted() {
  local first=$1 before=$2 drops lost
  shift 2
  # shellcheck disable=SC2016
  flows_all "$first" '.reordered == 0 and .doubled == 0 and .received > $sent / 2'
  drops=$(($(counted "$@") - before))
  lost=$(flows_lost "$first")
  echo "# lost $lost, dropped and counted $drops" >&3
  [ "$lost" = 0 ] || for r in "$@"; do stats "$r" |
    jq -c '.vnics[] | [.name, (.rx.drops, .tx.drops | with_entries(select(.value > 0)))]'; done >&3
  [ "$lost" = "$drops" ]
}

# filled = back + in_doubt + held, per vNIC, always; held 0 at rest
ledger_balances() {
  sleep 0.3
  stats "$1" | jq -e '[.vnics[] | .held == 0 and .rx.filled == .back + .in_doubt
    and .rx.offered == .rx.filled + ([.rx.drops[]] | add)] | length == 2 and all'
}

# Nanoseconds that worker N of the data plane has had of a core.
worker_ns() {
  local task
  for task in /proc/"$(node_pid dataplane)"/task/*; do
    if [ "$(cat "$task/comm")" = "worker$1" ]; then
      cut -d ' ' -f 1 "$task/schedstat"
      return 0
    fi
  done
  return 1
}

queues_of() { # ROUTER: of the memory that the data plane was last given
  sed -n "s/.*set is mapped router=$1 queues=\([0-9]*\).*/\1/p" \
    "$NODE_DIR/log/dataplane.log" | tail -n 1
}

@test "a set has a queue for each worker and one for control" {
  [ "$(queues_of r1)" = 3 ]
  [ "$(grep -c '^fast-paths 1$' < <(init_file r1 /run/europa/router.conf))" = 1 ]
}

init_file() { cat "/proc/$(init_pid "$1")/root$2"; }

@test "flows through two workers: in order, and each packet accounted for" {
  passes 198.18.1.2
  before0=$(worker_ns 0) before1=$(worker_ns 1)
  drops=$(counted r1)
  flows_start 198.18.1.2 5100 4
  flows_end
  flows_are_accounted 5100 "$drops" r1
  ledger_balances r1
  echo "# worker 0: $((($(worker_ns 0) - before0) / 1000000)) ms, worker 1: $((($(worker_ns 1) - before1) / 1000000)) ms" >&3
  # both had work: an idle one has a few ms
  [ $(($(worker_ns 0) - before0)) -gt 100000000 ]
  [ $(($(worker_ns 1) - before1)) -gt 100000000 ]
}

@test "flows over a link between two routers keep their order, too" {
  passes 198.18.3.2
  drops=$(counted r2 r3)
  flows_start 198.18.3.2 5200 4
  flows_end
  flows_are_accounted 5200 "$drops" r2 r3
  ledger_balances r2
  ledger_balances r3
  # neighbours' addresses, by ping, cross to the control queue's worker
  node_sender ping -n -q -c 20 -i 0.01 -W 1 198.18.4.2
}

@test "kill -9 of the data plane: flows resume, in order, the ledger balances" {
  passes 198.18.1.2
  flows_start 198.18.1.2 5300 8
  for i in 1 2 3 4 5; do
    sleep 0.9
    kill -9 "$(node_pid dataplane)"
    node_wait 5 node_is_ready
  done
  flows_end
  # shellcheck disable=SC2016
  flows_all 5300 '.received > $sent / 4 and .reordered == 0 and .doubled == 0
    and .last_ns - .first_ns > 7e9'
  passes 198.18.1.2
  ledger_balances r1
}

@test "kill -9 of a router: the flows of others do not notice" {
  passes 198.18.1.2
  passes 198.18.3.2
  drops=$(counted r1)
  flows_start 198.18.1.2 5400 5
  for i in 1 2 3; do
    sleep 1.2
    kill -9 "$(router_process r2)"
  done
  flows_end
  flows_are_accounted 5400 "$drops" r1
  passes 198.18.3.2
  ledger_balances r1
  ledger_balances r2
}

@test "more workers than queues: served all the same, until the router restarts" {
  sed -i 's/^workers = .*/workers = 4/' "$NODE_DIR/europa.conf"
  kill -9 "$(node_pid dataplane)"
  node_wait 5 node_is_ready
  passes 198.18.1.2
  [ "$(queues_of r1)" = 3 ]
  drops=$(counted r1)
  flows_start 198.18.1.2 5500 3
  flows_end
  flows_are_accounted 5500 "$drops" r1
  ledger_balances r1
  api PUT /v1/routers/r1/power '{"desired":"stopped"}' > /dev/null
  api PUT /v1/routers/r1/power '{"desired":"running"}' > /dev/null
  passes 198.18.1.2
  [ "$(queues_of r1)" = 5 ]
  ledger_balances r1
  sed -i 's/^workers = .*/workers = 2/' "$NODE_DIR/europa.conf"
  kill -9 "$(node_pid dataplane)"
  node_wait 5 node_is_ready
  passes 198.18.1.2
}

@test "a port that fans out: flows go to the worker that got them" {
  node_delete_routers
  api DELETE /v1/ports/p0 > /dev/null
  api DELETE /v1/ports/p1 > /dev/null
  node_make_ports ,qpairs=2 > /dev/null
  grep -q 'port is up.*port=p0.*rx_queues=2 tx_queues=2' "$NODE_DIR/log/dataplane.log"
  make_routers_of_test
  passes 198.18.1.2
  before0=$(worker_ns 0) before1=$(worker_ns 1)
  drops=$(counted r1)
  # a second fits into each ring: the kernel gives what does not to the other
  PPS=2000
  flows_start 198.18.1.2 5600 4
  flows_end
  flows_are_accounted 5600 "$drops" r1
  ledger_balances r1
  [ $(($(worker_ns 0) - before0)) -gt 100000000 ]
  [ $(($(worker_ns 1) - before1)) -gt 100000000 ]
}
