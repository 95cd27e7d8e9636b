# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# impair: a link, asked to be worse than a wire, and what it does. Numbered
# datagrams cross it between two routers of a whole node:
#
#   sender -- p0 -- [a] -- link ab -- [b] -- p1 -- receiver
#
#   delay, jitter  one way, from send to receive: with all of the way, as `wire`
#   loss           of what was sent, with the interval that has 95 % of chance
#   burst          losses in a row; duplicate, reorder: share of what came
#   queue          a rate of 1 Mbit/s and room for 100; nothing goes uncounted
#   beside, alone  rate and latency over ab, a wire, while two other routers on a
#                  port of their own have an impaired link that has all it holds
#
# Rates, and what a packet costs, are of the load router (rig.c), whose eth1 is
# impaired: as fast as the host can, so `NAME_cost` is its time for a packet.
#
# `NAME@X`: X was asked for. The kernel here has no netem: there is no peer.
# IMPAIR_PARTS in the environment takes fewer of rig, link and beside.

IMPAIR_PARTS=${IMPAIR_PARTS:-rig link beside}

# shellcheck source=tests/bench/veth.bash
. "$EUROPA_SRCDIR/tests/bench/veth.bash"
# shellcheck source=tests/bench/europa.bash
. "$EUROPA_SRCDIR/tests/bench/europa.bash"

IMPAIR_PREFIX=ebi$$-
IMPAIR_PPS=20000
IMPAIR_MAC=02:00:00:00:01:0c # of c:eth0

describe_impair() {
  echo "what a link was asked to do, and does; its cost, its neighbours (root)"
}

# --- the node ----------------------------------------------------------------------

# LEFT forwards NET over link LEFTRIGHT, RIGHT its own network or to HOP.
impair_pair() { # LEFT RIGHT PORT0 MAC0 ADDRESS0 PORT1 ADDRESS1 NET [HOP]
  local routes='{"prefix":"198.18.0.0/24","via":"198.18.10.1"}'
  [ -z "${9:-}" ] || routes+=',{"prefix":"'"$8"'","via":"'"$9"'"}'
  europa_router '{"name":"'"$1"'","spec":{"quota":{"pool_slots":4096},"vnics":[
    {"name":"eth0","mac":"'"$4"'","attach":{"port":"'"$3"'"},"addresses":["'"$5"'"]},
    {"name":"eth1","addresses":["198.18.10.1/24"]}],
    "routes":[{"prefix":"'"$8"'","via":"198.18.10.2"}]}}' &&
    europa_router '{"name":"'"$2"'","spec":{"quota":{"pool_slots":4096},"vnics":[
    {"name":"eth0","addresses":["198.18.10.2/24"]},
    {"name":"eth1","attach":{"port":"'"$6"'"},"addresses":["'"$7"'"]}],
    "routes":['"$routes"']}}' &&
    api POST /v1/links '{"name":"'"$1$2"'","spec":{"ends":["'"$1"':eth1","'"$2"':eth0"]}}' > answer
}

impair_up() {
  europa_up "$IMPAIR_PREFIX" net_af_packet0,iface=p0,framecnt=8192 \
    net_af_packet1,iface=p1,framecnt=8192 &&
    impair_pair a b p0 "$VETH_MAC0" 198.18.0.1/24 p1 198.18.1.1/24 198.18.1.0/24 &&
    node_wait 10 node_sender ping -n -q -c 2 -i 0.1 -W 1 198.18.1.2
}

# Two more routers, and a host that drops what they forward.
impair_neighbour_up() {
  ip link add bad0 netns "$NODE_SENDER" type veth peer name p2 netns "$NODE_PLANE_NS" || return 1
  node_offloads_off "$NODE_SENDER" bad0
  node_offloads_off "$NODE_PLANE_NS" p2
  ip -n "$NODE_SENDER" addr add 198.18.2.2/24 dev bad0 &&
    ip -n "$NODE_SENDER" link set bad0 up && ip -n "$NODE_PLANE_NS" link set p2 up &&
    api POST /v1/ports '{"name":"p2","spec":{"devargs":"net_af_packet2,iface=p2,framecnt=8192"}}' > answer &&
    impair_pair c d p2 "$IMPAIR_MAC" 198.18.2.1/24 p2 198.18.2.12/24 198.19.0.0/16 198.18.2.2
}

impair_set() { # LINK FORWARD
  api PATCH "/v1/links/$1" '{"spec":{"impair":null}}' > answer &&
    api PATCH "/v1/links/$1" '{"spec":{"impair":{"forward":'"$2"'}}}' > answer
}

impair_counts() { api GET "/v1/links/$1" | jq .status.forward; } # LINK

# impair_flow PPS [OPTION VALUE]... of udpseq: sent.json, recv.json, and by the
# link's counters counted.json.
impair_flow() {
  local recv pps=$1
  shift
  rm -f window
  impair_counts ab > before.json || return 1
  (exec ip netns exec "$NODE_RECEIVER" chrt -f 10 "$UDPSEQ" ${IMPAIR_WINDOW:+-w window} \
    recv 198.18.1.2 5001 1 7 > recv.json) &
  recv=$!
  sleep 0.2
  node_sender chrt -f 10 "$UDPSEQ" ${IMPAIR_WINDOW:+-w window} "$@" \
    send 198.18.1.2 5001 "$pps" "$IMPAIR_S" 7 > sent.json || return 1
  sleep 0.3 # more than any packet waits
  kill "$recv" 2> /dev/null
  wait "$recv" || return 1
  impair_counts ab | jq --slurpfile b before.json \
    'with_entries(.value -= $b[0][.key])' > counted.json
}

# --- what ab does -------------------------------------------------------------------

# impair_latency SERIES [X]: ms, in SERIES_p50@X and SERIES_p99@X.
impair_latency() {
  local p at=${2:+@$2}
  impair_flow 1000 -b 1 || return 1
  for p in 50 99; do
    bench_value "${1}_p$p$at" "$(jq ".p${p}_us / 1000" recv.json)"
  done
}

impair_delays() {
  local ms
  impair_set ab null && impair_latency wire || return 1
  for ms in $IMPAIR_DELAYS; do
    impair_set ab "{\"delay_ms\":$ms}" && impair_latency delay "$ms" || return 1
  done
  # further apart than twice the jitter: else order delays some more
  impair_set ab '{"delay_ms":10,"jitter_ms":2}' && impair_flow 200 -b 1 || return 1
  bench_value jitter_spread "$(jq '(.p90_us - .p10_us) / 1000' recv.json)"
}

# Adds to IMPAIR_UNCOUNTED: what neither came nor was counted, or was twice.
impair_balance() {
  bench_value uncounted "$(jq -s '(.[0].sent - .[1].received + .[1].doubled -
    .[2].impair_loss - .[2].impair_queue) | fabs' sent.json recv.json counted.json)"
}

impair_losses() { # ROUND
  local pct
  for pct in $IMPAIR_LOSSES; do
    impair_set ab "{\"loss_pct\":$pct,\"seed\":$1}" && impair_flow $IMPAIR_PPS || return 1
    impair_balance
    bench_value "loss@$pct" "$(jq -s '(.[0].sent - .[1].received) * 100 / .[0].sent' \
      sent.json recv.json)"
    jq -sc '[.[0].sent, .[0].sent - .[1].received]' sent.json recv.json >> "lost@$pct"
  done
}

# At once: what is asked of chance for one does not move the other.
impair_shares() { # ROUND
  impair_set ab '{"burst_begin_pct":0.5,"burst_end_pct":10,"duplicate_pct":5,
    "delay_ms":5,"reorder_pct":10,"seed":'"$1"'}' && impair_flow $IMPAIR_PPS || return 1
  impair_balance
  bench_value burst_length "$(jq '.lost / .lost_runs' recv.json)"
  bench_value duplicate "$(jq '.doubled * 100 / (.received - .doubled)' recv.json)"
  # those that came behind later ones were overtaken; the others overtook
  bench_value reorder "$(jq '100 - .reordered * 100 / (.received - .doubled)' recv.json)"
}

# A datagram is 66 bytes, 528 us; the last of 100 waits 52.8 ms.
impair_queue() {
  impair_set ab '{"rate_bps":"1M","queue_packets":100}' && impair_flow $IMPAIR_PPS || return 1
  impair_balance
  bench_value queue_p50 "$(jq .p50_us/1000 recv.json)"
  bench_value queue_dropped "$(jq -s '.[1].impair_queue * 100 / .[0].sent' \
    sent.json counted.json)"
}

# --- the load router ----------------------------------------------------------------

impair_rig_runs() {
  local i mbit queue=queue_packets=16384
  bench_need_dpdk
  bench_frames 64
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    bench_rig rig_wire router=io && bench_rig rig_loss router=io loss_ppm=1 $queue &&
      bench_rig rig_delay router=io delay_us=1000 $queue || return 1
  done
  for ((i = 1; i <= (BENCH_RUNS + 1) / 3; i++)); do
    for mbit in $IMPAIR_RATES; do
      bench_rig rig_rate router=io rate_bps="${mbit}000000" $queue || return 1
      bench_value "rate@$mbit" "$(jq .sent_mbps out)"
      bench_value "rate_dropped@$mbit" "$(jq .queue_full_mpps out)"
    done
  done
}

impair_rig_figures() {
  local name mbit mpps
  for name in wire loss delay; do
    bench_series impair "rig_$name" Mpps "rig router=io, eth1: $name"
    for mpps in ${SERIES_VALUES["rig_$name"]}; do
      bench_value "${name}_cost" "$(jq -n "1000 / $mpps")"
    done
    bench_series impair "${name}_cost" ns "the host's worker, a packet: 1 / rate"
  done
  for mbit in $IMPAIR_RATES; do
    bench_series impair "rate@$mbit" Mbit/s "rig router=io rate_bps=${mbit}000000"
    bench_series impair "rate_dropped@$mbit" Mpps "the same, impair_queue"
  done
}

# --- beside it ----------------------------------------------------------------------

impair_measure() { # SERIES
  bench_ping
  impair_flow $IMPAIR_PPS || return 1
  bench_ping
  bench_value "$1" "$(jq --argjson s "$IMPAIR_S" '.received / $s / 1000' recv.json)"
  bench_value "${1}_p50" "$(jq .p50_us recv.json)"
  bench_value "${1}_p99" "$(jq .p99_us recv.json)"
}

impair_load_on() {
  "$EUROPA_BUILDDIR/tests/bench/vload" src="$NODE_PLANE_NS:p2" how=pass \
    sink="$NODE_SENDER:bad0" dst="$IMPAIR_MAC" pps=50000 core="$BENCH_ROUTER_CORE" \
    window=0 > load.json 2>> "$BENCH_TMP/stderr" &
  IMPAIR_LOAD=$!
  sleep 0.5
}

impair_load_off() {
  [ -n "$IMPAIR_LOAD" ] || return 0
  kill "$IMPAIR_LOAD" 2> /dev/null
  wait "$IMPAIR_LOAD"
  IMPAIR_LOAD=""
}

# Adds to passed and dropped, in thousands a second, what cd did meanwhile.
impair_neighbour_counts() { # FILE BEGIN_NS
  impair_counts cd > now.json || return 1
  bench_value neighbour_passed "$(jq -n --slurpfile a "$1" --slurpfile b now.json \
    "(\$b[0].packets - \$a[0].packets) * 1e6 / ($("$UDPSEQ" now) - $2)")"
  bench_value neighbour_dropped "$(jq -n --slurpfile a "$1" --slurpfile b now.json \
    "(\$b[0].impair_queue - \$a[0].impair_queue) * 1e6 / ($("$UDPSEQ" now) - $2)")"
}

impair_neighbours() {
  local i begin IMPAIR_WINDOW=""
  impair_neighbour_up && impair_set ab null &&
    impair_set cd '{"delay_ms":10,"jitter_ms":2,"loss_pct":1,"rate_bps":"10M"}' || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    impair_measure alone || return 1
    impair_load_on
    impair_counts cd > then.json
    begin=$("$UDPSEQ" now)
    impair_measure beside && impair_neighbour_counts then.json "$begin" || return 1
    impair_load_off
  done
}

# --- figures -------------------------------------------------------------------------

# impair_interval PCT: of all runs; 95 % of chance (Wilson, 1927). IMPAIR_OFF gets
# the deviation from what was asked, in standard deviations, if it is the worst.
impair_interval() {
  local low high off
  read -r low high off < <(jq -rs --argjson asked "$1" '
    (map(.[0]) | add) as $n | (map(.[1]) | add / $n) as $p | 1.96 as $z
    | ($p + $z * $z / (2 * $n)) as $mid
    | ($z * ($p * (1 - $p) / $n + $z * $z / (4 * $n * $n) | sqrt)) as $half
    | (1 + $z * $z / $n) as $d | ($asked / 100) as $a
    | "\(($mid - $half) / $d * 100) \(($mid + $half) / $d * 100) " +
      "\(($p - $a | fabs) / ($a * (1 - $a) / $n | sqrt))"' "lost@$1")
  bench_series impair "loss@$1" % "udpseq $IMPAIR_PPS a second, loss_pct $1"
  bench_record impair "loss_low@$1" % - "of all runs, 95 % are above" "$low"
  bench_record impair "loss_high@$1" % - "of all runs, 95 % are below" "$high"
  IMPAIR_OFF=$(jq -n "[$IMPAIR_OFF, $off] | max")
}

impair_link_figures() {
  local x p
  for p in p50 p99; do
    bench_series impair "wire_$p" ms "udpseq over a link that does nothing"
    for x in $IMPAIR_DELAYS; do
      bench_series impair "delay_$p@$x" ms "the same, delay_ms $x"
    done
  done
  bench_series impair jitter_spread ms "p90 - p10, delay_ms 10, jitter_ms 2: 3.2 wanted"
  for x in $IMPAIR_LOSSES; do impair_interval "$x"; done
  bench_series impair burst_length packets "burst_end_pct 10: 10 wanted"
  bench_series impair duplicate % "duplicate_pct 5"
  bench_series impair reorder % "delay_ms 5, reorder_pct 10: they overtook"
  bench_series impair queue_p50 ms "rate_bps 1M, queue_packets 100: 52.8 wanted"
  bench_series impair queue_dropped % "the same, impair_queue"
  bench_series impair uncounted packets "sent, not received and not counted as lost"
}

# impair_worst EXPRESSION SERIES ASKED...: the most of EXPRESSION, of $m and $asked.
impair_worst() {
  local expression=$1 series=$2 x
  shift 2
  for x in "$@"; do
    jq -n --argjson asked "$x" --argjson m "$(bench_median "$series@$x")" "$expression"
  done | jq -s max
}

# shellcheck disable=SC2016,SC2086
impair_link_targets() {
  bench_judge impair must "$(impair_worst '$m - $asked - '"$(bench_median wire_p50)"' | fabs' \
    delay_p50 $IMPAIR_DELAYS)" '<=' 0.5 "ms off a delay asked, p50, the worst of three"
  bench_judge impair must "$(jq -n "$(bench_median jitter_spread) - 3.2 | fabs")" '<=' 0.8 \
    "ms off the spread of a jitter of 2 ms, of eight in ten packets"
  bench_judge impair must "$IMPAIR_OFF" '<=' 4 \
    "standard deviations off a loss asked, the worst of three"
  bench_judge impair must "$(jq -n "$(bench_median burst_length) - 10 | fabs")" '<=' 3 \
    "packets off the mean burst of ten"
  bench_judge impair must "$(bench_median uncounted)" '<=' 1 \
    "datagrams that neither came nor were counted; the router's ARP is on the link, too"
}

impair_link() {
  local i
  for ((i = 1; i <= IMPAIR_ROUNDS; i++)); do
    # shellcheck disable=SC2034 # bench_value has it: no run between two pings
    BENCH_CLASS=""
    # once is enough to be quick
    [ -n "$BENCH_QUICK" ] && [ "$i" != 1 ] || impair_delays || return 1
    impair_losses "$i" && impair_shares "$i" && impair_queue || return 1
  done
  impair_link_figures
  impair_link_targets
}

impair_rig() {
  local i
  impair_rig_runs && impair_rig_figures || return 1
  # shellcheck disable=SC2016,SC2086
  bench_judge impair must "$(impair_worst '($m / $asked - 1) * 100 | fabs' rate $IMPAIR_RATES)" \
    '<=' 1 "% off a rate asked, the worst of three"
}

impair_beside() {
  local name what
  impair_neighbours || return 1
  for name in alone beside; do
    what="udpseq over a wire, the neighbours' link: $name"
    bench_series impair "$name" kpps "$what"
    bench_series impair "${name}_p50" us "$what"
    bench_series impair "${name}_p99" us "$what"
  done
  bench_series impair neighbour_passed kpps "50 kpps offered, rate_bps 10M, delay, loss"
  bench_series impair neighbour_dropped kpps "the same, impair_queue"
  bench_judge impair must "$(jq -n "$(bench_median beside) / $(bench_median alone)")" '>=' 0.95 \
    "rate over a wire beside an impaired link that is full, to alone"
  bench_judge impair must "$(jq -n "$(bench_median beside_p99) / $(bench_median alone_p99)")" \
    '<=' 2 "p99 over a wire beside an impaired link that is full, to alone"
}

run_impair() {
  local part
  [ "$(id -u)" = 0 ] || bench_die "a node needs root"
  IMPAIR_DELAYS="1 10 50" IMPAIR_LOSSES="0.1 1 10" IMPAIR_RATES="10 100 1000"
  IMPAIR_LOAD="" IMPAIR_OFF=0 IMPAIR_WINDOW=1
  IMPAIR_ROUNDS=$BENCH_RUNS IMPAIR_S=$(((BENCH_WINDOW_MS + 999) / 1000))
  [ -z "$BENCH_QUICK" ] || IMPAIR_ROUNDS=2
  bench_on_exit impair_load_off
  for part in $IMPAIR_PARTS; do
    case $part in
    rig) ;;
    link | beside) [ -e "$BENCH_TMP/$IMPAIR_PREFIX" ] || impair_up || return 1 ;;
    *) bench_die "IMPAIR_PARTS: no part $part" ;;
    esac
    "impair_$part" || return 1
  done
}
