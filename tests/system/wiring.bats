#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Two routers that links join to their ports and to each other:
#
#   sender -- p0 -- a:eth0 [a] a:eth1 -- link -- b:eth0 [b] b:eth1 -- p1 -- receiver

setup_file() {
  load common
  system_setup euwi-
  make_router '{"name":"a","spec":{"vnics":[
    {"name":"eth0","addresses":["198.18.0.1/24"]},
    {"name":"eth1","addresses":["198.18.10.1/24"]}],
    "routes":[{"prefix":"198.18.1.0/24","via":"198.18.10.2"}]}}'
  make_router '{"name":"b","spec":{"vnics":[
    {"name":"eth0","addresses":["198.18.10.2/24"]},
    {"name":"eth1","addresses":["198.18.1.1/24"]}],
    "routes":[{"prefix":"198.18.0.0/24","via":"198.18.10.1"}]}}'
  api POST /v1/links '{"name":"left","spec":{"ends":["port:p0","a:eth0"]}}' > /dev/null
  api POST /v1/links '{"name":"right","spec":{"ends":["b:eth1","port:p1"]}}' > /dev/null
  api POST /v1/links '{"name":"ab","spec":{"ends":["a:eth1","b:eth0"]}}' > /dev/null
}

setup() {
  load common
  system_resume
}

teardown_file() {
  load common
  system_teardown
}

link() { api GET /v1/links/ab | jq "$1"; }

change() { api PATCH /v1/links/ab "{\"spec\":{\"impair\":$1}}" > /dev/null; }

# The least round trip of a few, in whole milliseconds.
least_rtt() {
  node_sender ping -n -c "${1:-5}" -i 0.05 -W 2 198.18.1.2 |
    sed -n 's/.*time=\([0-9]*\).*/\1/p' | sort -n | head -n 1
}

# least_rtt_is WHAT LOW HIGH [COUNT]: a busy machine makes it more, and is measured
# again, up to six times; nothing makes it less.
least_rtt_is() {
  local round ms
  for ((round = 0; round < 6; round++)); do
    ms=$(least_rtt "${@:4}")
    echo "$1: $ms ms"
    [ "$ms" -ge "$2" ] || return 1
    [ "$ms" -gt "$3" ] || return 0
  done
  return 1
}

ping_works() { node_sender ping -n -c 1 -W 1 198.18.1.2; }

@test "a delay of each direction, changed live, and after the end of both daemons" {
  node_wait 10 ping_works
  [ "$(link .status.state)" = '"up"' ]
  change '{"forward":{"delay_ms":40},"reverse":{"delay_ms":20,"jitter_ms":5}}'
  least_rtt_is "40 ms there and 15 to 25 back" 55 75
  change '{"reverse":null}'
  least_rtt_is "40 ms there" 40 54
  kill -9 "$(node_pid dataplane)" "$(node_pid europad)"
  node_wait 15 node_is_ready
  node_wait 15 ping_works
  [ "$(least_rtt)" -ge 40 ]
  change null
  least_rtt_is "a wire" 0 19 10
}

# Leaves recv, and in $lost what the link says of it.
lose_some() {
  local before receiver
  before=$(link .status.forward.impair_loss)
  node_receiver "$UDPSEQ" recv 198.18.1.2 5002 5 9 > "$BATS_TEST_TMPDIR/recv" &
  receiver=$!
  receives "$NODE_RECEIVER" 198.18.1.2 5002
  node_sender "$UDPSEQ" send 198.18.1.2 5002 4000 1 9
  wait "$receiver"
  lost=$(($(link .status.forward.impair_loss) - before))
  cat "$BATS_TEST_TMPDIR/recv"
  echo "the link says $lost"
}

# A machine that stands still loses packets on the way to the link as well; what
# is counted wrong is wrong each time.
@test "what a link loses is what it says that it has lost" {
  node_wait 10 ping_works
  change '{"forward":{"loss_pct":10,"seed":7}}'
  for ((round = 0; round < 6; round++)); do
    lose_some
    [ "$(jq ".received + $lost" "$BATS_TEST_TMPDIR/recv")" != 4000 ] || break
  done
  change null
  [ "$(jq ".received + $lost" "$BATS_TEST_TMPDIR/recv")" = 4000 ]
  [ "$lost" -ge 310 ] && [ "$lost" -le 490 ]
  [ "$(host_sum a .tx.drops.impair_loss)" -ge "$lost" ]
}

# What was sent has left the link, or was lost there.
has_left_all() { # COUNTS BEFORE
  link .status.forward | jq -e --argjson b "$1" --slurpfile s "$BATS_TEST_TMPDIR/sent" '
    with_entries(.value -= $b[.key])
    | .packets + .impair_loss + .impair_queue - .duplicated >= $s[0].sent'
}

# flow BEFORE [AFTER]: a second of datagrams over a link that does BEFORE, and
# AFTER when a third of that is over; in $said what came and what the link has
# counted. Sender and receiver keep together: what is lost, the link has lost.
flow() {
  local receiver sender before pps=${PPS:-4000}
  rm -f "$BATS_TEST_TMPDIR/window"
  change null
  change "{\"forward\":$1}"
  before=$(link .status.forward)
  (exec ip netns exec "$NODE_RECEIVER" "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" \
    recv 198.18.1.2 5003 9 9 > "$BATS_TEST_TMPDIR/recv") &
  receiver=$!
  receives "$NODE_RECEIVER" 198.18.1.2 5003
  node_sender "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" send 198.18.1.2 5003 "$pps" 1 9 \
    > "$BATS_TEST_TMPDIR/sent" &
  sender=$!
  if [ -n "${2:-}" ]; then
    sleep 0.3
    change "{\"forward\":$2}"
  fi
  wait "$sender"
  within 10 has_left_all "$before"
  sleep 0.3
  kill "$receiver"
  wait "$receiver"
  said=$(link .status.forward | jq -c --argjson b "$before" \
    --slurpfile s "$BATS_TEST_TMPDIR/sent" --slurpfile r "$BATS_TEST_TMPDIR/recv" \
    'with_entries(.value -= $b[.key]) * $r[0] * {sent: $s[0].sent}
     | .missing = .sent - (.received - .doubled)
     | .span_us = (.last_ns - .first_sent_ns) / 1000')
  echo "$said"
}

says() { [ "$(jq "$1" <<< "$said")" = true ]; }

# A bad time begins with 1 % and ends with 10 % of the packets: 9 % are lost, in
# tens. Those that do not overtake come behind some that do.
@test "bursts of loss, copies and overtakers, as counted" {
  node_wait 10 ping_works
  for ((round = 0; round < 4; round++)); do
    flow '{"delay_ms":10,"reorder_pct":25,"duplicate_pct":10,
      "burst_begin_pct":1,"burst_end_pct":10,"seed":7}'
    says '.missing == .impair_loss and .doubled == .duplicated' && break
  done
  says '.sent == 4000 and .missing == .impair_loss and .impair_queue == 0'
  says '.doubled == .duplicated and .doubled > 270 and .doubled < 460'
  says '.missing > 150 and .missing < 700'
  says '.lost / .lost_runs | . > 5 and . < 20'
  says '.reordered / (.received - .doubled) | . > 0.6 and . < 0.9'
  change null
}

# A datagram is 66 bytes: 528 us at 1 Mbit/s, 264 at 2, and 50 of them wait for
# the last one. No machine makes it come earlier.
@test "a rate, faster while packets flow, and the end of its queue" {
  node_wait 10 ping_works
  for ((round = 0; round < 4; round++)); do
    PPS=8000 flow '{"rate_bps":"1M","queue_packets":50}' '{"rate_bps":"2M"}'
    says '.missing == .impair_queue' && break
  done
  says '.sent == 8000 and .missing == .impair_queue and .impair_loss == 0'
  says '.span_us >= .received * 264 and .received > 400'
  says '.doubled == 0 and .reordered == 0'
  says '.p50_us > 8000 and .p50_us < 80000'
  [ "$(host_sum a .tx.drops.impair_queue)" -ge "$(jq .missing <<< "$said")" ]
  change null
}

@test "a link becomes a segment; without either, link_down is counted" {
  node_wait 10 ping_works
  api DELETE /v1/links/ab > /dev/null
  run ping_works
  [ "$status" != 0 ]
  [ "$(host_sum a .tx.drops.link_down)" -gt 0 ]
  api POST /v1/segments '{"name":"lan","spec":{"members":["a:eth1","b:eth0","c:eth0"]}}' > /dev/null
  node_wait 10 ping_works
  api DELETE /v1/segments/lan > /dev/null
  run ping_works
  [ "$status" != 0 ]
}
