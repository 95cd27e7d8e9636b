#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Limits that change under traffic, what a flood leaves to others, and packet
# memory that shrinks and grows.

setup_file() {
  load common
  load quota
  quota_setup_file eqql-
}

setup() {
  load common
  load quota
  quota_setup
}

teardown() {
  flood_stop
}

teardown_file() {
  load common
  system_teardown
}

flood_after_a_rest() {
  sleep 1
  flood 50000 "$SMALL" 1
  flood_end
}

# 1000 a second and 200 at once; an eighth is for the control queue alone
burst_is_there() {
  n=$(jq .received "$BATS_TEST_TMPDIR/recv")
  ms=$(jq '(.last_ns - .first_sent_ns) / 1e6 | ceil' "$BATS_TEST_TMPDIR/recv")
  echo "# $n datagrams in $ms ms" >&3
  [ "$n" -ge $((ms + 150)) ]
}

@test "a burst after a rest is burst_ms of the rate, and no more" {
  limit_router '{"rx_pps":1000,"burst_ms":200}'
  steadily flood_after_a_rest burst_is_there
  [ "$n" -le $((ms + 200)) ]
}

changes_under_flood() {
  limit_vnic eth0 null
  limit_router '{"rx_pps":5000,"burst_ms":200}'
  flood 40000 "$SMALL" 60
  sleep 1
  look a
  sleep 2
  start=$("$UDPSEQ" now)
  look b
  limit_router '{"rx_pps":10000}'
  look c
  end=$("$UDPSEQ" now)
  echo "# the change took $(((end - start) / 1000000)) ms, with two looks" >&3
  sleep 3
  look d
  limit_vnic eth0 '{"rx_pps":2000}'
  look e
  sleep 3
  look f
  flood_cut
}

changes_hold() {
  is_near before "$(rate a b eth0 .rx.filled)" 5000 3 &&
    is_near after "$(rate c d eth0 .rx.filled)" 10000 3 &&
    is_near "the vNIC's" "$(rate e f eth0 .rx.filled)" 2000 3 &&
    [ $((end - start)) -lt 5000000000 ]
}

@test "a change is in force when the answer comes, and is no new burst" {
  steadily changes_under_flood changes_hold
  jq -e '.effective.rx_pps == 10000' "$BATS_TEST_TMPDIR/quota"
  balanced r1
}

use_under_flood() {
  limit_router '{"rx_pps":4000,"burst_ms":200}'
  flood 20000 "$SMALL" 60
  sleep 1
  api GET /v1/routers/r1/quota > "$BATS_TEST_TMPDIR/u"
  sleep 1
  api GET /v1/routers/r1/quota > "$BATS_TEST_TMPDIR/u"
  flood_cut
}

use_is_told() {
  is_near "usage.rx_pps" "$(jq .usage.rx_pps "$BATS_TEST_TMPDIR/u")" 4000 3
}

@test "the quota tells what is in force, and its use" {
  steadily use_under_flood use_is_told
  cat "$BATS_TEST_TMPDIR/u"
  jq -e '.effective == .limit and .usage.window_ms >= 200' "$BATS_TEST_TMPDIR/u"
  jq -e '.usage.drops.quota_pps > 10000' "$BATS_TEST_TMPDIR/u"
  # of the container: its init and the data plane have a file in /var
  jq -e '.limit as $l | .usage | .cpu_usec > 0 and .cpu_millis <= 2 * $l.cpu_millis
    and .mem_bytes > 500000 and .mem_bytes <= $l.mem_bytes and .pids >= 2
    and .disk_bytes > 0 and .disk_bytes < $l.disk_bytes and .vnics == 2' "$BATS_TEST_TMPDIR/u"
}

ping_under_flood() {
  flood 40000 "$SMALL" 60
  sleep 1
  # what the flood knows again at once, flush would go on to take away
  ip -n "$NODE_SENDER" neigh del 198.18.0.1 dev eth0
  node_sender ping -n -c 20 -i 0.05 -W 1 198.18.0.1 | tee "$BATS_TEST_TMPDIR/ping"
  flood_cut
}

# ping takes an answer that is late by 50 ms for none
all_answered() { grep -q ' 0% packet loss' "$BATS_TEST_TMPDIR/ping"; }

@test "under a flood the router still answers, and is found" {
  limit_vnic eth0 '{"rx_pps":2000}'
  steadily ping_under_flood all_answered
}

neighbour_under_flood() {
  rm -f "$BATS_TEST_TMPDIR/window"
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" recv 198.18.3.2 5002 5 9 > "$BATS_TEST_TMPDIR/other" &
  other=$!
  receives "$NODE_RECEIVER" 198.18.3.2 5002
  # half a second of both fits into the port's ring and the neighbour's pool
  flood 10000 "$SMALL" 60
  sleep 0.5
  node_sender "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" send 198.18.3.2 5002 5000 5 9 > /dev/null
  flood_cut
  wait "$other"
  cat "$BATS_TEST_TMPDIR/other"
}

neighbour_has_all() {
  jq -e '.received == 25000 and .lost == 0 and .reordered == 0' "$BATS_TEST_TMPDIR/other"
}

@test "a neighbour on the same ports loses nothing" {
  limit_vnic eth0 '{"rx_pps":1000,"rx_bps":"1M"}'
  steadily neighbour_under_flood neighbour_has_all
  balanced r2
}

both_levels_hold() {
  is_near "eth0 rx packets" "$(rate a b eth0 .rx.filled)" 3000 2 &&
    is_near "router tx packets" "$(rate a b eth1 .tx.sent)" 2000 2
}

@test "limits come back with either daemon" {
  limit_vnic eth0 '{"rx_pps":3000}'
  limit_router '{"tx_pps":2000}'
  node_release europad
  node_agent_start
  node_wait 10 node_is_ready
  kill -9 "$(node_pid dataplane)"
  node_wait 10 node_is_ready
  node_wait 10 sh -c "curl -s --unix-socket $NODE_SOCKET http://europa/v1/routers/r1/quota | jq -e '.effective.tx_pps == 2000'"
  node_wait 10 node_sender ping -n -c 2 -i 0.05 -W 1 198.18.1.2
  steadily "seconds_of 3 20000 $SMALL" both_levels_hold
}

has_at_most() { # SLOTS
  [ "$(api GET /v1/routers/r1/quota | jq .usage.pool_slots)" -le "$1" ]
}

slots_under_flood() {
  look a
  flood 10000 "$SMALL" 60
  sleep 1
  for slots in 16 1000 4 64 2 1024; do
    limit_router "{\"pool_slots\":$slots}"
    jq -e ".effective.pool_slots == $slots" "$BATS_TEST_TMPDIR/quota"
    sleep 0.5
    api GET /v1/routers/r1/quota | jq -c .usage
    within 5 has_at_most $((2 * slots))
  done
  sleep 0.2
  look full
  sleep 1
  look later
  flood_cut
  sleep 0.3
  look b
  lost=$(jq -n --argjson s "$(jq .sent "$BATS_TEST_TMPDIR/sent")" --argjson r "$(jq .received "$BATS_TEST_TMPDIR/recv")" '$s - $r')
  dropped=$(jq -n --slurpfile a "$BATS_TEST_TMPDIR/a" --slurpfile b "$BATS_TEST_TMPDIR/b" \
    '$b[0].vnics[0].rx.drops.no_slot - $a[0].vnics[0].rx.drops.no_slot')
  echo "# $lost lost, $dropped found no slot" >&3
}

# Each datagram that did not arrive found no slot; none with all slots back.
slots_hold() {
  [ "$lost" = "$dropped" ] && [ "$dropped" -gt 0 ] &&
    [ "$(rate full later eth0 .rx.drops.no_slot)" = 0 ]
}

@test "packet memory shrinks and grows under traffic" {
  steadily slots_under_flood slots_hold
  balanced r1
  # more than its memory was made for needs a stop
  [ "$(api_status PATCH /v1/routers/r1/quota '{"limit":{"pool_slots":4096}}')" = 409 ]
}
