#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# routerctl in the container of a router: what it shows, and what packets do when
# it changes something.

FAR=198.18.9.9 # behind the receiver; the node knows no route to it

setup_file() {
  load common
  system_setup eurc-
  make_router "$(node_router_body r1 ',"quota":{"pool_slots":8192}')"
  ip -n "$NODE_RECEIVER" addr add "$FAR/24" dev lo
  ip -n "$NODE_SENDER" route add 198.18.9.0/24 via 198.18.0.1
}

setup() {
  load common
  system_resume
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2
}

teardown_file() {
  load common
  system_teardown
}

# As the container's root.
inside() { nsenter -t "$(init_pid r1)" -U -m -S 0 -G 0 -- "$@"; }
ctl() { inside routerctl "$@"; }

lost() { ! reaches; }
# reaches [SECONDS]: it answers within so many.
reaches() { node_sender ping -n -c 1 -W "${1:-1}" "$FAR"; }

n_routes() { ctl -j show routes api | jq '.routes | length'; }

@test "it is in the container's path and shows what there is" {
  run ctl show interfaces
  [ "$status" = 0 ]
  [[ $output == *eth0*up*198.18.0.1/24* ]]
  run ctl show routes
  [[ $output == *198.18.1.0/24*eth1*connected*yes* ]]
  run ctl show neighbours
  [[ $output == *198.18.1.2*eth1*known* ]]
  ctl -j show counters | jq -e '.counters.rx > 0'
  ctl -j show pipeline | jq -e '.running == 0'
}

@test "a route of its own forwards packets at once, and no more when deleted" {
  lost
  ctl add route 198.18.9.0/24 via 198.18.1.2
  reaches 5
  ctl -j show routes api | jq -e '.routes[0] ==
    {"prefix": "198.18.9.0/24", "source": "api", "gateway": "198.18.1.2",
     "interface": "eth1", "active": true}'
  ctl delete route 198.18.9.0/24
  lost
  run ctl delete route 198.18.9.0/24
  [ "$status" = 1 ]
  [[ $output == *"no such route: 198.18.9.0/24"* ]]
  ctl -j show drops | jq -e '.drops[] | select(.reason == "no_route") | .packets > 0'
}

@test "thousands of routes, beside packets that all arrive" {
  local window=$BATS_TEST_TMPDIR/window receiver sender i
  # the sender stands still while its receiver does
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" -w "$window" recv 198.18.1.2 5002 3 7 \
    > "$BATS_TEST_TMPDIR/received" &
  receiver=$!
  receives "$NODE_RECEIVER" 198.18.1.2 5002
  ip netns exec "$NODE_SENDER" "$UDPSEQ" -w "$window" send 198.18.1.2 5002 4000 4 7 \
    > "$BATS_TEST_TMPDIR/sent" &
  sender=$!
  for ((i = 0; i < 20000; i++)); do
    echo "add 203.$((i / 256)).$((i % 256)).0/24 via 198.18.1.$((2 + i % 4))"
  done > "$BATS_TEST_TMPDIR/lines"
  ctl change routes < "$BATS_TEST_TMPDIR/lines" | grep -q '^20000 added, 0 changed'
  [ "$(n_routes)" = 20000 ]
  echo "add 198.18.9.0/24 via 198.18.1.2" | ctl replace routes
  [ "$(n_routes)" = 1 ]
  reaches 5
  wait "$sender" "$receiver"
  cat "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/received"
  jq -e ".received == $(jq .sent "$BATS_TEST_TMPDIR/sent") and .received > 10000 and
    .lost == 0 and .reordered == 0 and .doubled == 0" "$BATS_TEST_TMPDIR/received"
}

@test "its routes outlive the router's process, not its container" {
  ctl add route 198.18.9.0/24 via 198.18.1.2
  before=$(router_process r1)
  kill -9 "$before"
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2
  [ "$(router_process r1)" != "$before" ]
  node_wait 5 reaches
  api POST /v1/routers/r1/restart '{"scope":"container"}'
  node_wait 20 node_sender ping -n -c 1 -W 1 198.18.1.2
  lost
  [ "$(n_routes)" = 0 ]
}

@test "what is wrong is said, and the exit status tells whose mistake it is" {
  run ctl add route 198.18.9.0/24 via 203.0.113.1
  [ "$status" = 1 ]
  [[ $output == *"on none of our networks: 203.0.113.1"* ]]
  run ctl change routes <<< $'delete 192.0.2.0/24\nadd 192.0.2.1/24 via 198.18.1.2'
  [ "$status" = 1 ]
  [[ $output == *"line 2: bits set behind the prefix: 192.0.2.1/24"* ]]
  run ctl show everything
  [ "$status" = 2 ]
  [[ $output == *usage:* ]]
  run ctl -s /run/nothing show routes
  [ "$status" = 3 ]
  run nsenter -t "$(init_pid r1)" -U -m -S 1 -G 1 -- routerctl show routes
  [ "$status" = 3 ]
}

@test "a packet that is not there tells its way" {
  run ctl trace src 198.18.0.2 dst 198.18.1.2 udp 53 in eth0 ttl 1
  [ "$status" = 0 ]
  [[ $output == *"ttl4"*"to the slow path: ttl_expired"* ]]
  run ctl trace src 198.18.0.2 dst 198.18.1.2 udp 53
  [[ $output == *"forwarded interface eth1 gateway 198.18.1.2 mac "* ]]
}

@test "pipelines are put, refused, rolled back and measured" {
  run ctl pipeline put - bats <<< 'return 1'
  [ "$status" = 1 ]
  [[ $output == *"is refused: "* ]]
  ctl pipeline put - bats <<'LUA'
local pipeline = require "pipeline"
pipeline.steps:after("lookup6", "mine", function() end)
return pipeline
LUA
  node_sender ping -n -q -i 0.002 -c 1000 -W 10 198.18.1.2 &
  ctl -j show pipeline --time 1500 > "$BATS_TEST_TMPDIR/time"
  wait $!
  cat "$BATS_TEST_TMPDIR/time"
  jq -e '.packets > 0 and (.steps[] | select(.step == "mine") |
    .packets > 0 and .ns_per_packet > 0)' "$BATS_TEST_TMPDIR/time"
  ctl pipeline rollback 0
  ctl -j show pipeline | jq -e '.running == 0'
}
