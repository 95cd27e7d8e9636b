# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # used by the tests that load it
#
# quota: the node of the tests of limits, and what they measure with. r1 is
# limited, r2 is its neighbour on the same ports.
#
# A datagram of 24 bytes is a frame of 66, one of 1472 a frame of 1514.

SMALL=24 LARGE=1472 HEADERS=42

quota_setup_file() { # PREFIX
  system_setup "$1"
  make_router "$(node_router_body r1)"
  second_router r2 ',"quota":{"pool_slots":8192}'
}

# No limits, and neighbours that know each other.
quota_setup() {
  system_resume
  limit_router '{"rx_pps":0,"tx_pps":0,"rx_bps":0,"tx_bps":0,"burst_ms":50,"pool_slots":1024}'
  limit_vnic eth0 null
  limit_vnic eth1 null
  node_wait 5 node_sender ping -n -c 2 -i 0.05 -W 1 198.18.1.2
  node_wait 5 node_sender ping -n -c 2 -i 0.05 -W 1 198.18.3.2
}

limit_router() { api PATCH /v1/routers/r1/quota "{\"limit\":$1}" > "$BATS_TEST_TMPDIR/quota"; }

limit_vnic() { api PATCH "/v1/routers/r1/vnics/$1" "{\"spec\":{\"quota\":$2}}" > "$BATS_TEST_TMPDIR/vnic"; }

# flood PPS SIZE SECONDS: datagrams through r1, in the background.
flood() {
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" recv 198.18.1.2 5001 5 7 > "$BATS_TEST_TMPDIR/recv" &
  receiver=$!
  receives "$NODE_RECEIVER" 198.18.1.2 5001
  ip netns exec "$NODE_SENDER" "$UDPSEQ" send 198.18.1.2 5001 "$1" "$3" 7 "$2" > "$BATS_TEST_TMPDIR/sent" &
  sender=$!
}

flood_end() {
  wait "$sender" "$receiver"
  cat "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/recv"
}

# It has been long enough, and what a test sends beside it: what was sent is told
# all the same.
flood_cut() {
  kill "$sender" ${beside:+"$beside"}
  flood_end
}

# At the end of a test that failed in between: its ports are free again.
flood_stop() {
  local pid
  for pid in ${sender:-} ${receiver:-} ${other:-} ${beside:-}; do
    kill "$pid" 2> /dev/null || true
    wait "$pid" 2> /dev/null || true
  done
}

# look FILE: the counters of r1, and when they were so: when the answer came.
look() {
  local said ns
  said=$(stats r1)
  ns=$("$UDPSEQ" now)
  jq --argjson ns "$ns" '. + {ns: $ns}' <<< "$said" > "$BATS_TEST_TMPDIR/$1"
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

# steadily MEASURE CHECK: a machine that stands still for longer than a burst
# lasts has measured itself; then again, up to six times. What is wrong with the
# limits is wrong each time.
steadily() {
  local round
  for ((round = 0; round < 6; round++)); do
    # shellcheck disable=SC2086 # a function and its arguments
    $1
    "$2" && return 0
    echo "# again, longest gap $(jq .max_gap_ms "$BATS_TEST_TMPDIR/recv") ms" >&3
  done
  return 1
}

# seconds_of SECONDS PPS SIZE: leaves looks a and b, so far apart, in a flood.
seconds_of() {
  flood "$2" "$3" $(($1 + 50))
  sleep 1
  look a
  sleep "$1"
  look b
  flood_cut
}

balanced() {
  sleep 0.3
  stats "$1" | jq -e '
    (.vnics | length == 2) and
    ([.vnics[] | .held == 0 and .rx.filled == .back + .in_doubt
      and .rx.offered == .rx.filled + ([.rx.drops[]] | add)] | all) and
    ([.vnics[] | .back + .tx.originated] | add) ==
    ([.vnics[] | .tx.sent + ([.done[]] | add) + .faults.bad_len +
      .faults.bad_kind + ([.tx.drops[]] | add)] | add)'
}
