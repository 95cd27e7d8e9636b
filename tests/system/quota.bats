#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Limits of traffic: far more is offered than may pass, and what passes is
# measured over ten seconds, by the host's counters and at the receiver. r1 is
# limited, r2 is its neighbour on the same ports.
#
# A datagram of 24 bytes is a frame of 66, one of 1472 a frame of 1514.

SMALL=24 LARGE=1472 HEADERS=42

setup_file() {
  load common
  system_setup eqqu-
  make_router "$(node_router_body r1)"
  make_router '{"name":"r2","spec":{"vnics":[
    {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.2.1/24"]},
    {"name":"eth1","attach":{"port":"p1"},"addresses":["198.18.3.1/24"]}]}}'
  ip -n "$NODE_SENDER" addr add 198.18.2.2/24 dev eth0
  ip -n "$NODE_RECEIVER" addr add 198.18.3.2/24 dev eth0
  ip -n "$NODE_SENDER" route add 198.18.3.0/24 via 198.18.2.1
  ip -n "$NODE_RECEIVER" route add 198.18.2.0/24 via 198.18.3.1
}

setup() {
  load common
  system_resume
  limit_router '{"rx_pps":0,"tx_pps":0,"rx_bps":0,"tx_bps":0,"burst_ms":50,"pool_slots":1024}'
  limit_vnic eth0 null
  limit_vnic eth1 null
  node_wait 5 node_sender ping -n -c 2 -i 0.05 -W 1 198.18.1.2
}

teardown_file() {
  load common
  system_teardown
}

limit_router() { api PATCH /v1/routers/r1/quota "{\"limit\":$1}" > "$BATS_TEST_TMPDIR/quota"; }

limit_vnic() { api PATCH "/v1/routers/r1/vnics/$1" "{\"spec\":{\"quota\":$2}}" > "$BATS_TEST_TMPDIR/vnic"; }

# flood PPS SIZE SECONDS: datagrams through r1, in the background.
flood() {
  node_receiver "$UDPSEQ" recv 198.18.1.2 5001 2 7 > "$BATS_TEST_TMPDIR/recv" &
  receiver=$!
  sleep 0.2
  node_sender "$UDPSEQ" send 198.18.1.2 5001 "$1" "$3" 7 "$2" > "$BATS_TEST_TMPDIR/sent" &
  sender=$!
}

flood_end() {
  wait "$sender" "$receiver"
  cat "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/recv"
}

# look FILE: the counters of r1, and when they were so.
look() {
  stats r1 | jq --argjson ns "$("$UDPSEQ" now)" '. + {ns: $ns}' > "$BATS_TEST_TMPDIR/$1"
}

# rate A B VNIC COUNTER: per second between two looks.
rate() {
  jq -n --slurpfile a "$BATS_TEST_TMPDIR/$1" --slurpfile b "$BATS_TEST_TMPDIR/$2" \
    "(\$b[0].vnics[] | select(.name == \"$3\") | $4) as \$y |
     (\$a[0].vnics[] | select(.name == \"$3\") | $4) as \$x |
     (\$y - \$x) * 1e9 / (\$b[0].ns - \$a[0].ns) | round"
}

# is_near WHAT RATE LIMIT PERCENT
is_near() {
  echo "# $1: $2 of $3" >&3
  jq -ne "($2 - $3) / $3 * 100 | fabs <= $4" > /dev/null
}

balanced() {
  sleep 0.3
  stats "$1" | jq -e '
    ([.vnics[] | .held == 0 and .rx.filled == .back + .in_doubt
      and .rx.offered == .rx.filled + ([.rx.drops[]] | add)] | all) and
    ([.vnics[] | .back + .tx.originated] | add) ==
    ([.vnics[] | .tx.sent + ([.done[]] | add) + .faults.bad_len +
      .faults.bad_kind + ([.tx.drops[]] | add)] | add)'
}

# ten_seconds PPS SIZE: leaves looks a and b, ten seconds apart, in a flood.
ten_seconds() {
  flood "$1" "$2" 12
  sleep 1
  look a
  sleep 10
  look b
  flood_end
  # nothing that passed is lost behind the limits
  [ "$(jq .received "$BATS_TEST_TMPDIR/recv")" -ge "$(jq -n --slurpfile b "$BATS_TEST_TMPDIR/b" --slurpfile a "$BATS_TEST_TMPDIR/a" \
    '[$b[0].vnics[1].tx.sent - $a[0].vnics[1].tx.sent] | .[0]')" ]
  [ "$(jq .doubled "$BATS_TEST_TMPDIR/recv")" = 0 ]
  [ "$(jq .reordered "$BATS_TEST_TMPDIR/recv")" = 0 ]
  balanced r1
}

@test "packets per second, small frames: a vNIC's limit and the router's" {
  limit_vnic eth0 '{"rx_pps":20000}'
  limit_router '{"tx_pps":10000}'
  ten_seconds 60000 $SMALL
  is_near "eth0 rx packets" "$(rate a b eth0 .rx.filled)" 20000 1
  is_near "router tx packets" "$(rate a b eth1 .tx.sent)" 10000 1
  # what is missing has its reason, on the vNIC that it was for
  [ "$(rate a b eth0 .rx.drops.quota_pps)" -gt 30000 ]
  [ "$(rate a b eth1 .tx.drops.quota_pps)" -gt 9000 ]
  [ "$(rate a b eth1 .rx.drops.quota_pps)" = 0 ]
  [ "$(rate a b eth0 '(.rx.drops.quota_bps + .rx.drops.no_slot)')" = 0 ]
}

@test "packets per second, large frames: the router's limit and a vNIC's" {
  limit_vnic eth1 '{"tx_pps":5000}'
  limit_router '{"rx_pps":8000}'
  ten_seconds 30000 $LARGE
  is_near "router rx packets" "$(rate a b eth0 .rx.filled)" 8000 1
  is_near "eth1 tx packets" "$(rate a b eth1 .tx.sent)" 5000 1
}

@test "bits per second, small frames" {
  limit_vnic eth0 '{"rx_bps":"10M"}'
  limit_router '{"tx_bps":"5M"}'
  ten_seconds 60000 $SMALL
  is_near "eth0 rx bits" "$(rate a b eth0 '(.rx.filled_bytes * 8)')" 10000000 1
  is_near "router tx bits" "$(rate a b eth1 '(.tx.sent_bytes * 8)')" 5000000 1
  [ "$(rate a b eth0 .rx.drops.quota_bps)" -gt 30000 ]
  [ "$(rate a b eth0 .rx.drops.quota_pps)" = 0 ]
  [ "$(jq .first_ns "$BATS_TEST_TMPDIR/recv")" -gt 0 ]
}

@test "bits per second, large frames" {
  limit_vnic eth1 '{"tx_bps":"50M"}'
  limit_router '{"rx_bps":"100M"}'
  ten_seconds 30000 $LARGE
  is_near "router rx bits" "$(rate a b eth0 '(.rx.filled_bytes * 8)')" 100000000 1
  is_near "eth1 tx bits" "$(rate a b eth1 '(.tx.sent_bytes * 8)')" 50000000 1
  # 12 seconds and one burst of it at the receiver, in frames of the test
  most=$(jq -n "50e6 * 12.06 / 8 / ($LARGE + $HEADERS) | floor")
  [ "$(jq .received "$BATS_TEST_TMPDIR/recv")" -le "$most" ]
}

@test "one limit for two vNICs in sum, and the tighter of two levels" {
  limit_vnic eth0 '{"rx_pps":8000}'
  limit_router '{"rx_pps":10000}'
  # back to the sender, too: both vNICs receive more than they may
  node_sender "$UDPSEQ" recv 198.18.0.2 5004 2 8 > "$BATS_TEST_TMPDIR/back" &
  back=$!
  node_receiver "$UDPSEQ" send 198.18.0.2 5004 20000 12 8 > /dev/null &
  ten_seconds 20000 $SMALL
  wait "$back"
  in0=$(rate a b eth0 .rx.filled)
  in1=$(rate a b eth1 .rx.filled)
  is_near "rx packets of both, $in0 and $in1" $((in0 + in1)) 10000 1
  [ "$in0" -le 8080 ]
  [ "$in1" -gt 1900 ]
}

@test "a burst after a rest is burst_ms of the rate, and no more" {
  limit_router '{"rx_pps":1000,"burst_ms":200}'
  sleep 1
  flood 50000 $SMALL 1
  flood_end
  # 1 s of 1000 and 200 at once; an eighth is for the control queue alone
  n=$(jq .received "$BATS_TEST_TMPDIR/recv")
  echo "# $n datagrams in a second" >&3
  [ "$n" -ge 1150 ]
  [ "$n" -le 1215 ]
}

@test "a change is in force when the answer comes, and is no new burst" {
  limit_router '{"rx_pps":5000}'
  flood 40000 $SMALL 10
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
  flood_end
  jq -e '.effective.rx_pps == 10000' "$BATS_TEST_TMPDIR/quota"
  is_near before "$(rate a b eth0 .rx.filled)" 5000 3
  is_near after "$(rate c d eth0 .rx.filled)" 10000 3
  is_near "the vNIC's" "$(rate e f eth0 .rx.filled)" 2000 3
  [ $((end - start)) -lt 500000000 ]
  balanced r1
}

@test "the quota tells what is in force, and its use" {
  limit_router '{"rx_pps":4000}'
  flood 20000 $SMALL 3
  sleep 1
  api GET /v1/routers/r1/quota > "$BATS_TEST_TMPDIR/u"
  sleep 1
  api GET /v1/routers/r1/quota > "$BATS_TEST_TMPDIR/u"
  flood_end
  cat "$BATS_TEST_TMPDIR/u"
  jq -e '.effective == .limit and .usage.window_ms >= 200' "$BATS_TEST_TMPDIR/u"
  is_near "usage.rx_pps" "$(jq .usage.rx_pps "$BATS_TEST_TMPDIR/u")" 4000 3
  jq -e '.usage.drops.quota_pps > 10000' "$BATS_TEST_TMPDIR/u"
}

@test "under a flood the router still answers, and is found" {
  limit_vnic eth0 '{"rx_pps":2000}'
  flood 40000 $SMALL 4
  sleep 1
  ip -n "$NODE_SENDER" neigh flush dev eth0
  node_sender ping -n -c 20 -i 0.05 -W 1 198.18.0.1 | tee "$BATS_TEST_TMPDIR/ping"
  flood_end
  grep -q ' 0% packet loss' "$BATS_TEST_TMPDIR/ping"
}

@test "a neighbour on the same ports loses nothing" {
  limit_vnic eth0 '{"rx_pps":1000,"rx_bps":"1M"}'
  node_receiver "$UDPSEQ" recv 198.18.3.2 5002 2 9 > "$BATS_TEST_TMPDIR/other" &
  other=$!
  flood 40000 $SMALL 6
  sleep 0.5
  node_sender "$UDPSEQ" send 198.18.3.2 5002 5000 5 9 > /dev/null
  flood_end
  wait "$other"
  cat "$BATS_TEST_TMPDIR/other"
  jq -e '.received == 25000 and .lost == 0 and .reordered == 0' "$BATS_TEST_TMPDIR/other"
  balanced r2
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
  flood 20000 $SMALL 5
  sleep 1
  look a
  sleep 3
  look b
  flood_end
  is_near "eth0 rx packets" "$(rate a b eth0 .rx.filled)" 3000 2
  is_near "router tx packets" "$(rate a b eth1 .tx.sent)" 2000 2
}

@test "packet memory shrinks and grows under traffic" {
  look a
  flood 10000 $SMALL 8
  sleep 1
  for slots in 16 1000 4 64 2 1024; do
    limit_router "{\"pool_slots\":$slots}"
    jq -e ".effective.pool_slots == $slots" "$BATS_TEST_TMPDIR/quota"
    sleep 0.5
    api GET /v1/routers/r1/quota | jq -c .usage
    [ "$(api GET /v1/routers/r1/quota | jq .usage.pool_slots)" -le $((2 * slots)) ]
  done
  sleep 0.2
  look full
  sleep 1
  look later
  flood_end
  sleep 0.3
  look b
  # each datagram that did not arrive found no slot; none with all slots back
  lost=$(jq -n --argjson s "$(jq .sent "$BATS_TEST_TMPDIR/sent")" --argjson r "$(jq .received "$BATS_TEST_TMPDIR/recv")" '$s - $r')
  dropped=$(jq -n --slurpfile a "$BATS_TEST_TMPDIR/a" --slurpfile b "$BATS_TEST_TMPDIR/b" \
    '$b[0].vnics[0].rx.drops.no_slot - $a[0].vnics[0].rx.drops.no_slot')
  echo "# $lost lost, $dropped found no slot" >&3
  [ "$lost" = "$dropped" ]
  [ "$dropped" -gt 0 ]
  [ "$(rate full later eth0 .rx.drops.no_slot)" = 0 ]
  balanced r1
  # more than its memory was made for needs a stop
  [ "$(api_status PATCH /v1/routers/r1/quota '{"limit":{"pool_slots":4096}}')" = 409 ]
}
