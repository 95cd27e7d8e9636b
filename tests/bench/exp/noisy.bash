# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# noisy: a router at moderate load, alone and beside tenants who care for nobody
# (tests/bench/unruly.c), one misbehaviour at a time:
#
#   flood      a router sends what it can
#   stall      a router takes nothing out of its rings, and is offered much
#   burn       a router's threads use all the CPU they get
#   pingpong   two routers send packets to and fro over a link
#   broadcast  a segment with five routers is flooded with broadcasts
#
# The good router moves numbered datagrams between the two hosts; the others are
# on a port of their own, p2, and share the worker and the cores with it. Sender
# and receiver of the datagrams run before all else (SCHED_FIFO): they are not
# what is measured.

# shellcheck source=tests/bench/veth.bash
. "$EUROPA_SRCDIR/tests/bench/veth.bash"
# shellcheck source=tests/bench/europa.bash
. "$EUROPA_SRCDIR/tests/bench/europa.bash"

NOISY_WHO="flood stall burn pingpong broadcast"
NOISY_PPS=20000
NOISY_PREFIX=ebq$$-
NOISY_MAC=02:00:00:01:02:0 # and the number of the router

describe_noisy() {
  echo "a good router beside five kinds of bad neighbours: rate and latency (root)"
}

noisy_up() {
  europa_up "$NOISY_PREFIX" net_af_packet0,iface=p0,framecnt=8192 \
    net_af_packet1,iface=p1,framecnt=8192 || return 1
  ip link add bad0 netns "$NODE_SENDER" type veth peer name p2 netns "$NODE_PLANE_NS" || return 1
  node_offloads_off "$NODE_SENDER" bad0
  node_offloads_off "$NODE_PLANE_NS" p2
  ip -n "$NODE_SENDER" link set bad0 up && ip -n "$NODE_PLANE_NS" link set p2 up &&
    api POST /v1/ports '{"name":"p2","spec":{"devargs":"net_af_packet2,iface=p2,framecnt=8192"}}' > /dev/null &&
    europa_router "$(node_router_body good ',"quota":{"pool_slots":4096}')"
}

noisy_router() { # I ATTACH
  europa_router '{"name":"bad'"$1"'","spec":{"vnics":[
    {"name":"eth0","mac":"'"$NOISY_MAC$1"'","attach":'"$2"',"addresses":["198.18.2.'$((10 + $1))'/24"]}]}}'
}

# The router's process becomes unruly: a static program, put into its /var as
# its own root, whose file system knows no other.
noisy_program() { # I MODE [MAC]
  local init
  init=$(api GET "/v1/routers/bad$1" | jq .status.container.init_pid) || return 1
  # shellcheck disable=SC2016
  nsenter -t "$init" -U -S 0 -G 0 -- sh -c \
    'cat > "$1" && chmod 755 "$1"' sh "/proc/$init/root/var/unruly" \
    < "$EUROPA_BUILDDIR/tests/bench/unruly" &&
    api PATCH "/v1/routers/bad$1" '{"spec":{"dataplane":"/var/unruly '"$2${3:+ $3}"'"}}' > answer &&
    api POST "/v1/routers/bad$1/restart" '{"scope":"dataplane"}' > answer && return 0
  cat answer >&2
  return 1
}

# Frames to the bad ones' port, until noisy_quiet.
noisy_load() { # MAC PPS
  "$EUROPA_BUILDDIR/tests/bench/vload" src="$NODE_PLANE_NS:p2" how=pass \
    sink="$NODE_SENDER:bad0" dst="$1" pps="$2" core="$BENCH_ROUTER_CORE" window=0 \
    > load.json 2>> "$BENCH_TMP/stderr" &
  NOISY_LOAD=$!
}

noisy_begin() { # WHO
  local i port='{"port":"p2"}'
  case $1 in
  flood) noisy_router 0 "$port" && noisy_program 0 flood ;;
  stall | burn)
    noisy_router 0 "$port" && noisy_program 0 "$1" && noisy_load ${NOISY_MAC}0 50000
    ;;
  pingpong)
    noisy_router 0 '{"router":"bad1","vnic":"eth0"}' &&
      noisy_router 1 '{"router":"bad0","vnic":"eth0"}' &&
      noisy_program 0 pingpong ${NOISY_MAC}1 && noisy_program 1 pingpong ${NOISY_MAC}0
    ;;
  broadcast)
    for i in 0 1 2 3 4; do noisy_router $i "$port" || return 1; done
    noisy_load ff:ff:ff:ff:ff:ff 100000
    ;;
  esac
}

noisy_quiet() {
  local name
  if [ -n "$NOISY_LOAD" ]; then
    kill "$NOISY_LOAD" 2> /dev/null
    wait "$NOISY_LOAD"
    NOISY_LOAD=""
  fi
  for name in $(api GET /v1/routers | jq -r '.items[].name'); do
    [ "$name" = good ] || api DELETE "/v1/routers/$name" > /dev/null || return 1
  done
}

# noisy_measure SERIES: kpps that came, and the latency that 99 % did not exceed.
noisy_measure() {
  local seconds=$(((BENCH_WINDOW_MS + 999) / 1000)) recv
  bench_ping
  node_receiver chrt -f 10 "$UDPSEQ" recv 198.18.1.2 5001 1 7 > recv.json &
  recv=$!
  sleep 0.2
  node_sender chrt -f 10 "$UDPSEQ" send 198.18.1.2 5001 $NOISY_PPS "$seconds" 7 > send.json || return 1
  wait "$recv"
  bench_ping
  bench_value "$1" "$(jq --argjson s "$seconds" '.received / $s / 1000' recv.json)"
  bench_value "${1}_p50" "$(jq .p50_us recv.json)"
  bench_value "${1}_p99" "$(jq .p99_us recv.json)"
}

noisy_targets() {
  local who
  for who in $NOISY_WHO; do
    bench_judge noisy must "$(jq -n "$(bench_median "$who") / $(bench_median alone)")" '>=' 0.95 \
      "rate of the good router beside $who, to alone"
    bench_judge noisy must "$(jq -n "$(bench_median "${who}_p99") / $(bench_median alone_p99)")" '<=' 2 \
      "p99 of the good router beside $who, to alone"
  done
}

run_noisy() {
  local i who what
  [ "$(id -u)" = 0 ] || bench_die "noisy: needs root"
  NOISY_LOAD=""
  noisy_up || return 1
  # shellcheck disable=SC2016 # when it ends, not now
  bench_on_exit eval '[ -z "$NOISY_LOAD" ] || kill "$NOISY_LOAD"'
  node_sender ping -n -q -c 3 -i 0.1 -W 2 198.18.1.2 > /dev/null || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    noisy_measure alone || return 1
    for who in $NOISY_WHO; do
      noisy_begin "$who" || return 1
      sleep 0.3
      noisy_measure "$who" && noisy_quiet || return 1
    done
  done
  for who in alone $NOISY_WHO; do
    what="udpseq $NOISY_PPS a second through one router, beside: $who"
    bench_series noisy "$who" kpps "$what"
    bench_series noisy "${who}_p50" us "$what"
    bench_series noisy "${who}_p99" us "$what"
  done
  noisy_targets
}
