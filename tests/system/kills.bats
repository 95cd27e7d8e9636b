#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# kill -9 of each process, 20 times at random moments, under 100,000 numbered
# packets a second. What is lost is counted from the receiver's own list.

KILLS=${KILLS:-20}
PPS=100000

setup_file() {
  load common
  system_setup euki-
  # slots for 80 ms at full rate: the machine may be busy with other things
  make_router "$(node_router_body r1 ',"quota":{"pool_slots":8192}')"
  # a neighbour on the same ports, with addresses of its own
  second_router r2 ',"quota":{"pool_slots":8192}'
  # a host that asks for a MAC while the data plane is dead gives up for seconds:
  # that is the host's affair, and not what is measured here
  know "$NODE_SENDER" 198.18.0.1 r1 0
  know "$NODE_SENDER" 198.18.2.1 r2 0
  know "$NODE_RECEIVER" 198.18.1.1 r1 1
  know "$NODE_RECEIVER" 198.18.3.1 r2 1
}

# know NAMESPACE ADDRESS ROUTER VNIC: the host need not ask.
know() {
  ip -n "$1" neigh replace "$2" dev eth0 nud permanent \
    lladdr "$(api GET "/v1/routers/$3" | jq -r ".status.vnics[$4].mac")"
}

setup() {
  load common
  system_resume
  passes 198.18.1.2
  passes 198.18.3.2
}

teardown_file() {
  load common
  system_teardown
}

# Packets pass, at the latest after the back-off of what has been killed often.
passes() {
  node_wait 10 node_sender ping -n -c 1 -W 1 "$1"
  node_sender ping -n -c 3 -i 0.05 -W 2 "$1"
}

# traffic_start NAME DST PPS SECONDS [lossless]
#
# lossless: for a flow that must lose nothing, so that a machine that stands
# still for longer than the pools last is not taken for a loss.
traffic_start() {
  local window=()
  [ "${5:-}" != lossless ] || window=(-w "$BATS_TEST_TMPDIR/$1.window")
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" "${window[@]}" recv "$2" 5002 12 7 > "$BATS_TEST_TMPDIR/$1" &
  echo $! >> "$BATS_TEST_TMPDIR/pids"
  receives "$NODE_RECEIVER" "$2" 5002
  ip netns exec "$NODE_SENDER" "$UDPSEQ" "${window[@]}" send "$2" 5002 "$3" "$4" 7 > "$BATS_TEST_TMPDIR/$1.sent" &
  echo $! >> "$BATS_TEST_TMPDIR/pids"
}

teardown() {
  end_traffic
}

# kill_next COMMAND: kills the process that COMMAND names, once it is not the
# one that was killed last.
LAST=0
kill_next() {
  local pid i
  for ((i = 0; i < 200; i++)); do
    pid=$("$1" 2>/dev/null) || pid=
    if [ -n "$pid" ] && [ "$pid" != "$LAST" ] && kill -9 "$pid" 2>/dev/null; then
      LAST=$pid
      return 0
    fi
    sleep 0.02
  done
  echo "no process to kill: $1" >&2
  return 1
}

# KILLS kills, each a random BASE to BASE + 0.3 s after the one before.
kill_often() { # COMMAND [BASE IN HUNDREDTHS]
  local i
  for ((i = 0; i < KILLS; i++)); do
    sleep "$(echo "scale=2; (${2:-25} + $RANDOM % 30) / 100" | bc)"
    kill_next "$1"
  done
}

agent_pid() { node_pid europad; }
plane_pid() { node_pid dataplane; }
r1_pid() { router_process r1; }

report() { # NAME
  local sent
  sent=$(jq .sent "$BATS_TEST_TMPDIR/$1.sent")
  echo "# $1: sent $sent, $(cat "$BATS_TEST_TMPDIR/$1")" >&3
}

field() { jq "$2" "$BATS_TEST_TMPDIR/$1"; }

seconds_for_kills() { echo $((KILLS * 2 / 5 + 2)); }

containers_now() {
  api GET /v1/routers | jq -r '.items[].status.container.init_pid' | tr '\n' ' '
}

# filled = back + in_doubt + held, per vNIC, always; held 0 at rest
ledger_balances() {
  sleep 0.3
  stats "$1" | jq -e '[.vnics[] | .held == 0 and .rx.filled == .back + .in_doubt
    and .rx.offered == .rx.filled + ([.rx.drops[]] | add)] | all'
}

@test "kill -9 of europad: nothing lost, nothing reordered, it re-adopts" {
  before=$(containers_now)
  traffic_start a 198.18.1.2 $PPS "$(seconds_for_kills)" lossless
  kill_often agent_pid
  wait
  report a
  sent=$(field a.sent .sent)
  [ "$(field a ".received == $sent and .lost == 0 and .reordered == 0 and .doubled == 0")" = true ]
  node_wait 5 node_is_ready
  node_wait 5 sh -c "curl -s --unix-socket $NODE_SOCKET http://europa/v1/routers/r1 | jq -e '.status.state == \"running\"'"
  [ "$(containers_now)" = "$before" ]
  ledger_balances r1
}

@test "kill -9 of a router's process: it comes back, the neighbour loses nothing" {
  before=$(containers_now)
  # a life of a second ends the hold that follows an early death
  traffic_start victim 198.18.1.2 20000 "$((KILLS * 4 / 3 + 3))"
  traffic_start neighbour 198.18.3.2 40000 "$((KILLS * 4 / 3 + 3))" lossless
  kill_often r1_pid 105
  wait
  report victim
  report neighbour
  sent=$(field neighbour.sent .sent)
  [ "$(field neighbour ".received == $sent and .lost == 0 and .reordered == 0")" = true ]
  [ "$(field victim '.received > 100000 and .reordered == 0 and .doubled == 0')" = true ]
  [ "$(containers_now)" = "$before" ]
  passes 198.18.1.2
  ledger_balances r1
  ledger_balances r2
}

@test "kill -9 of the data plane: no router restarts, traffic resumes by itself" {
  before=$(containers_now)
  starts=$(api GET /v1/routers/r1 | jq .status.dataplane.starts)
  traffic_start a 198.18.1.2 $PPS "$((KILLS * 9 / 10 + 3))"
  kill_often plane_pid 50
  wait
  report a
  node_wait 5 node_is_ready
  [ "$(field a '.received > 100000 and .reordered == 0 and .doubled == 0')" = true ]
  # after the last kill the stream went on to its end
  [ "$(field a "(.last_ns - .first_ns) / 1e9 > $((KILLS * 9 / 10))")" = true ]
  [ "$(containers_now)" = "$before" ]
  [ "$(api GET /v1/routers/r1 | jq .status.dataplane.starts)" = "$starts" ]
  passes 198.18.1.2
  ledger_balances r1
  echo "# in doubt: $(host_sum r1 .in_doubt), longest gap $(field a .max_gap_ms) ms" >&3
}

@test "kill -9 of europad and the data plane at once: routers re-attach" {
  before=$(containers_now)
  traffic_start a 198.18.1.2 $PPS 600
  for ((i = 0; i < KILLS; i++)); do
    sleep "$(echo "scale=2; (50 + $RANDOM % 40) / 100" | bc)"
    kill -9 "$(agent_pid)" "$(plane_pid)"
    node_wait 10 node_is_ready
    node_wait 5 node_sender ping -n -c 1 -W 1 198.18.1.2
    node_wait 5 node_sender ping -n -c 1 -W 1 198.18.3.2
  done
  sleep 0.5
  kill "$(tail -n 1 "$BATS_TEST_TMPDIR/pids")" # the sender
  wait
  report a
  [ "$(field a '.received > 100000 and .doubled == 0 and .foreign == 0')" = true ]
  [ "$(containers_now)" = "$before" ]
}

@test "an init killed, the container is started again, once" {
  old=$(init_pid r1)
  kill -9 "$old"
  node_wait 5 sh -c "curl -s --unix-socket $NODE_SOCKET http://europa/v1/routers/r1 | jq -e '.status.state == \"running\" and .status.container.init_pid != $old'"
  passes 198.18.1.2
  uid=$(api GET /v1/routers/r1 | jq -r .uid)
  [ "$(pgrep -fc "lxc monitor.*$uid\|\[lxc monitor\].*$uid")" -le 1 ]
}

@test "all of it dead, as after a reboot: running routers run again" {
  before=$(containers_now)
  kill -STOP "$(cat "$NODE_DIR/europad.supervisor")" "$(cat "$NODE_DIR/dataplane.supervisor")"
  kill -9 "$(agent_pid)" "$(plane_pid)"
  # shellcheck disable=SC2086
  kill -9 $before
  kill -CONT "$(cat "$NODE_DIR/europad.supervisor")" "$(cat "$NODE_DIR/dataplane.supervisor")"
  node_wait 10 node_is_ready
  node_wait 10 sh -c "curl -s --unix-socket $NODE_SOCKET http://europa/v1/routers | jq -e '[.items[].status.state == \"running\"] | all'"
  passes 198.18.1.2
  passes 198.18.3.2
}
