#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Limits of traffic: far more is offered than may pass, and what passes is
# measured over ten seconds, by the host's counters and at the receiver. What
# flows into a full bucket is lost, so a burst has to cover the time that a busy
# machine keeps a worker off its cores: 200 ms here.

setup_file() {
  load common
  load quota
  quota_setup_file eqqu-
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

# ten_seconds PPS SIZE: leaves looks a and b, ten seconds apart, in a flood.
ten_seconds() {
  seconds_of 10 "$1" "$2"
  # nothing that passed is lost behind the limits
  [ "$(jq .received "$BATS_TEST_TMPDIR/recv")" -ge "$(jq -n --slurpfile b "$BATS_TEST_TMPDIR/b" --slurpfile a "$BATS_TEST_TMPDIR/a" \
    '[$b[0].vnics[1].tx.sent - $a[0].vnics[1].tx.sent] | .[0]')" ]
  [ "$(jq .doubled "$BATS_TEST_TMPDIR/recv")" = 0 ]
  [ "$(jq .reordered "$BATS_TEST_TMPDIR/recv")" = 0 ]
  balanced r1
}

small_packets_hold() {
  is_near "eth0 rx packets" "$(rate a b eth0 .rx.filled)" 20000 1 &&
    is_near "router tx packets" "$(rate a b eth1 .tx.sent)" 10000 1
}

@test "packets per second, small frames: a vNIC's limit and the router's" {
  limit_vnic eth0 '{"rx_pps":20000,"burst_ms":200}'
  limit_router '{"tx_pps":10000,"burst_ms":200}'
  steadily "ten_seconds 60000 $SMALL" small_packets_hold
  # what is missing has its reason, on the vNIC that it was for
  [ "$(rate a b eth0 .rx.drops.quota_pps)" -gt 30000 ]
  [ "$(rate a b eth1 .tx.drops.quota_pps)" -gt 9000 ]
  [ "$(rate a b eth1 .rx.drops.quota_pps)" = 0 ]
  [ "$(rate a b eth0 .rx.drops.quota_bps)" = 0 ]
}

large_packets_hold() {
  is_near "router rx packets" "$(rate a b eth0 .rx.filled)" 8000 1 &&
    is_near "eth1 tx packets" "$(rate a b eth1 .tx.sent)" 5000 1
}

@test "packets per second, large frames: the router's limit and a vNIC's" {
  limit_vnic eth1 '{"tx_pps":5000,"burst_ms":200}'
  limit_router '{"rx_pps":8000,"burst_ms":200}'
  steadily "ten_seconds 30000 $LARGE" large_packets_hold
}

small_bits_hold() {
  is_near "eth0 rx bits" "$(rate a b eth0 '(.rx.filled_bytes * 8)')" 10000000 1 &&
    is_near "router tx bits" "$(rate a b eth1 '(.tx.sent_bytes * 8)')" 5000000 1
}

@test "bits per second, small frames" {
  limit_vnic eth0 '{"rx_bps":"10M","burst_ms":200}'
  limit_router '{"tx_bps":"5M","burst_ms":200}'
  steadily "ten_seconds 60000 $SMALL" small_bits_hold
  [ "$(rate a b eth0 .rx.drops.quota_bps)" -gt 30000 ]
  [ "$(rate a b eth0 .rx.drops.quota_pps)" = 0 ]
  [ "$(jq .first_ns "$BATS_TEST_TMPDIR/recv")" -gt 0 ]
}

large_bits_hold() {
  is_near "router rx bits" "$(rate a b eth0 '(.rx.filled_bytes * 8)')" 100000000 1 &&
    is_near "eth1 tx bits" "$(rate a b eth1 '(.tx.sent_bytes * 8)')" 50000000 1
}

@test "bits per second, large frames" {
  limit_vnic eth1 '{"tx_bps":"50M","burst_ms":200}'
  limit_router '{"rx_bps":"100M","burst_ms":200}'
  steadily "ten_seconds 30000 $LARGE" large_bits_hold
  # all seconds and a burst at the receiver, in frames of the test
  most=$(jq "50e6 * (.seconds + 0.3) / 8 / ($LARGE + $HEADERS) | floor" "$BATS_TEST_TMPDIR/sent")
  [ "$(jq .received "$BATS_TEST_TMPDIR/recv")" -le "$most" ]
}

# Back to the sender, too: both vNICs receive more than they may.
both_ways() {
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" send 198.18.0.2 5004 20000 60 8 > /dev/null &
  beside=$!
  ip netns exec "$NODE_SENDER" "$UDPSEQ" recv 198.18.0.2 5004 5 8 > "$BATS_TEST_TMPDIR/back" &
  other=$!
  ten_seconds 20000 "$SMALL"
  wait "$beside" "$other"
}

sum_holds() {
  in0=$(rate a b eth0 .rx.filled)
  in1=$(rate a b eth1 .rx.filled)
  is_near "rx packets of both, $in0 and $in1" $((in0 + in1)) 10000 1
}

@test "one limit for two vNICs in sum, and the tighter of two levels" {
  limit_vnic eth0 '{"rx_pps":8000,"burst_ms":200}'
  limit_router '{"rx_pps":10000,"burst_ms":200}'
  steadily both_ways sum_holds
  [ "$in0" -le 8080 ]
  [ "$in1" -gt 1900 ]
}
