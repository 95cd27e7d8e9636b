# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# quota: a limit, and several times as much offered: what passes in ten seconds
# by the host's counters, in percent of the limit, for frames of 64 and of 1514
# bytes, packets and bits, in and out, of a vNIC and of the router; and how long a
# live change takes (root). `NAME@BYTES`.

describe_quota() {
  echo "limits: what passes beside what may, and a live change (root)"
}

QUOTA_HEADERS=42 # Ethernet, IPv4, UDP

quota_body() {
  cat <<'JSON'
{"name":"r1","spec":{"vnics":[
 {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24"]},
 {"name":"eth1","attach":{"port":"p1"},"addresses":["198.18.1.1/24"]}]}}
JSON
}

quota_router() { # JSON
  api PATCH /v1/routers/r1/quota "{\"limit\":$1}" > answer
}

quota_vnic() { # VNIC JSON
  api PATCH "/v1/routers/r1/vnics/$1" "{\"spec\":{\"quota\":$2}}" > answer
}

quota_none() {
  quota_router '{"rx_pps":0,"tx_pps":0,"rx_bps":0,"tx_bps":0}' &&
    quota_vnic eth0 null && quota_vnic eth1 null
}

quota_look() { # FILE: the counters, and when they were so
  api GET /v1/routers/r1/stats | jq --argjson ns "$("$UDPSEQ" now)" \
    '. + {ns: $ns}' > "$1"
}

# quota_rate VNIC COUNTER: per second between looks a and b.
quota_rate() {
  jq -n --slurpfile a a --slurpfile b b --arg vnic "$1" "
    def of: .vnics[] | select(.name == \$vnic) | $2;
    ((\$b[0] | of) - (\$a[0] | of)) * 1e9 / (\$b[0].ns - \$a[0].ns)"
}

quota_flood() { # PPS BYTES SECONDS
  node_receiver "$UDPSEQ" recv 198.18.1.2 5001 1 7 > received &
  QUOTA_RECEIVER=$!
  sleep 0.2
  node_sender "$UDPSEQ" send 198.18.1.2 5001 "$1" "$3" 7 \
    $(($2 - QUOTA_HEADERS)) > sent &
  QUOTA_SENDER=$!
}

quota_flood_end() { wait "$QUOTA_SENDER" "$QUOTA_RECEIVER"; }

# quota_one NAME BYTES PPS LIMIT VNIC COUNTER: under the limit that is set.
quota_one() {
  local rate percent error
  quota_flood "$3" "$2" $((QUOTA_S + 2))
  sleep 1
  quota_look a && sleep "$QUOTA_S" && quota_look b || return 1
  quota_flood_end
  rate=$(quota_rate "$5" "$6") || return 1
  percent=$(jq -n "$rate * 100 / $4")
  bench_record quota "$1@$2" % - \
    "limit $4, offered $3 packets a second, over $QUOTA_S s" "$percent"
  error=$(jq -n "$percent - 100 | fabs")
  if jq -en "$error > $QUOTA_WORST" > /dev/null; then QUOTA_WORST=$error; fi
}

quota_accuracy() {
  quota_none && quota_vnic eth0 '{"rx_pps":20000}' &&
    quota_one vnic_rx_pps 66 60000 20000 eth0 .rx.filled &&
    quota_none && quota_router '{"tx_pps":10000}' &&
    quota_one router_tx_pps 66 60000 10000 eth1 .tx.sent &&
    quota_none && quota_router '{"rx_pps":8000}' &&
    quota_one router_rx_pps 1514 30000 8000 eth0 .rx.filled &&
    quota_none && quota_vnic eth1 '{"tx_pps":5000}' &&
    quota_one vnic_tx_pps 1514 30000 5000 eth1 .tx.sent &&
    quota_none && quota_vnic eth0 '{"rx_bps":"10M"}' &&
    quota_one vnic_rx_bps 66 60000 10000000 eth0 '(.rx.filled_bytes * 8)' &&
    quota_none && quota_router '{"tx_bps":"5M"}' &&
    quota_one router_tx_bps 66 60000 5000000 eth1 '(.tx.sent_bytes * 8)' &&
    quota_none && quota_router '{"rx_bps":"100M"}' &&
    quota_one router_rx_bps 1514 30000 100000000 eth0 '(.rx.filled_bytes * 8)' &&
    quota_none && quota_vnic eth1 '{"tx_bps":"50M"}' &&
    quota_one vnic_tx_bps 1514 30000 50000000 eth1 '(.tx.sent_bytes * 8)' &&
    quota_none
}

# From the PATCH to its answer, under load; then the new limit is in force.
quota_changes() {
  local i start ms=() pps
  quota_router '{"rx_pps":5000}' || return 1
  quota_flood 40000 66 $((BENCH_RUNS * 2 + 4))
  sleep 0.5
  for ((i = 1; i <= BENCH_RUNS * 4; i++)); do
    pps=$((5000 + i % 2 * 5000))
    start=$("$UDPSEQ" now)
    quota_router "{\"rx_pps\":$pps}" || return 1
    ms+=("$(jq -n "($("$UDPSEQ" now) - $start) / 1e6")")
    sleep 0.2
  done
  quota_look a && sleep 1 && quota_look b
  QUOTA_AFTER=$(jq -n "$(quota_rate eth0 .rx.filled) * 100 / $pps")
  quota_flood_end
  QUOTA_SLOWEST=$(printf '%s\n' "${ms[@]}" | jq -s max)
  bench_record quota live_change ms - "PATCH /v1/routers/r1/quota under load" \
    "${ms[@]}"
  bench_record quota after_change % - "the second after the last change" \
    "$QUOTA_AFTER"
}

run_quota() {
  [ "$(id -u)" = 0 ] || bench_die "a node needs root"
  # shellcheck source=tests/bench/node.bash
  . "$EUROPA_SRCDIR/tests/bench/node.bash"
  QUOTA_S=10 QUOTA_WORST=0
  [ -z "$BENCH_QUICK" ] || QUOTA_S=4
  node_bench_up || return 1
  if ! api POST /v1/routers "$(quota_body)" > answer ||
    ! node_wait 5 node_sender ping -n -c 2 -i 0.05 -W 1 198.18.1.2 ||
    ! quota_accuracy || ! quota_changes; then
    tail -n 20 "$NODE_DIR"/log/* answer >&2
    return 1
  fi
  bench_judge quota must "$QUOTA_WORST" "<=" 1 \
    "% off its limit, the worst of eight over $QUOTA_S s"
  bench_judge quota must "$QUOTA_SLOWEST" "<" 100 \
    "ms until a changed limit is in force, the slowest of $((BENCH_RUNS * 4))"
}
