#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Who watches a node by REST sees a real router begin, its packets counted, and
# the one that its quota drops, with the reason.

setup_file() {
  load common
  system_setup eurw-
}

setup() {
  load common
  system_resume
}

teardown() {
  end_traffic
}

teardown_file() {
  load common
  system_teardown
}

# metric SELECTOR: the sum of its samples; SELECTOR is a regular expression.
metric() {
  curl -sS --unix-socket "$NODE_SOCKET" http://europa/metrics |
    awk -v s="^$1" '$0 ~ s { n += $NF } END { print n + 0 }'
}

exceeds() { [ "$(metric "$1")" -gt "$2" ]; }

hears() { grep -q "$1" "$BATS_TEST_TMPDIR/events"; }

@test "events and metrics of a router, from its start to a packet over its quota" {
  curl -sSN --unix-socket "$NODE_SOCKET" -H 'Accept: application/x-ndjson' \
    http://europa/v1/events > "$BATS_TEST_TMPDIR/events" 3>&- &
  echo $! > "$BATS_TEST_TMPDIR/pids"
  node_wait 10 hears heartbeat
  make_router "$(node_router_body r1)"
  node_wait 10 hears '"name":"r1".*"state":"running"'
  exceeds 'europa_router_up.*router="r1"' 0
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2
  node_wait 10 exceeds 'europa_vnic_receive_packets_total.*vnic="eth0"' 0
  exceeds 'europa_vnic_transmit_bytes_total.*vnic="eth1"' 60
  exceeds 'europa_port_receive_packets_total.*port="p0"' 0
  api PATCH /v1/routers/r1/quota '{"limit": {"rx_pps": 1}}' > /dev/null
  node_wait 5 hears '"name":"r1".*router.changed'
  node_sender ping -n -q -f -c 50 -W 1 198.18.1.2 > /dev/null || true
  node_wait 10 exceeds \
    'europa_vnic_dropped_packets_total.*direction="receive",reason="quota_pps"' 0
  delete_router r1
  node_wait 10 hears '"name":"r1".*router.deleted'
  [ "$(metric 'europa_router_up')" = 0 ]
}
