# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# routers: many routers on the same two cores: what all of them forward, and how
# fairly, with equal and with unequal load, and where one has all the load beside
# others that have none. [Europa paper, figure 6]
#
#   src (net_pcap, endless) -> N routers, each its MAC -> sink (net_null)
#
# Real containers, made through the REST API. A sink answers no ARP request, so
# each router is first attached to veth ports, the other end of which does; then
# its vNICs are moved to source and sink, and it keeps what it has learned. The
# source is held back until the last one is there (gate.c).

# shellcheck source=tests/bench/veth.bash
. "$EUROPA_SRCDIR/tests/bench/veth.bash"
# shellcheck source=tests/bench/europa.bash
. "$EUROPA_SRCDIR/tests/bench/europa.bash"

ROUTERS_POINTS="1 2 3 4 5 6 7 8 9 10 10/unequal 20 50 100 100/unequal 100/single"
ROUTERS_PREFIX=ebr$$-

describe_routers() {
  echo "1 to 100 routers on two cores: aggregate, each, fairness (root)"
}

tenant_body() { # I SOURCE SINK
  printf '{"name":"t%d","spec":{"vnics":[
    {"name":"eth0","mac":"02:00:00:01:00:%02x","attach":{"port":"%s"},"addresses":["198.18.0.%d/24"]},
    {"name":"eth1","mac":"02:00:00:02:00:%02x","attach":{"port":"%s"},"addresses":["198.18.1.%d/24"]}],
    "routes":[{"prefix":"198.19.0.0/16","via":"198.18.1.254"}]}}' \
    "$1" "$1" "$2" $(($1 + 10)) "$1" "$3" $(($1 + 10))
}

tenants_port() { # NAME DEVARGS
  api POST /v1/ports "{\"name\":\"$1\",\"spec\":{\"devargs\":\"$2\"}}" > answer || {
    cat answer >&2
    return 1
  }
}

# The same to each router, by one curl; %i in PATH is its name. Answers come in
# turn, but for those to DELETE, which are of no interest.
tenants_all() { # N METHOD PATH [SOURCE SINK]
  local i n=$1
  for ((i = 0; i < n; i++)); do
    [ $i = 0 ] || echo next
    printf 'unix-socket = "%s"\nsilent\nfail-with-body\nrequest = "%s"\nurl = "http://europa%s"\n' \
      "$NODE_SOCKET" "$2" "${3/\%i/t$i}"
    if [ $# -gt 3 ]; then
      printf 'data = "%s"\n' "$(tenant_body "$i" "$4" "$5" | tr -d '\n' | sed 's/"/\\"/g')"
    fi
  done > curl.conf
  local how=()
  [ "$2" != DELETE ] || how=(--parallel --parallel-max 20 --no-progress-meter)
  curl ${how[@]+"${how[@]}"} -K curl.conf > answers || {
    tail -c 500 answers >&2
    return 1
  }
}

# Lines of NANOSECONDS SENT OFFERED, one for each router.
tenants_counters() { # N
  local start end
  start=$("$UDPSEQ" now)
  tenants_all "$1" GET /v1/routers/%i/stats || return 1
  end=$("$UDPSEQ" now)
  # asked one after the other, at an even pace
  jq -r '"\(.vnics[1].tx.sent) \(.vnics[0].rx.offered)"' answers |
    awk -v start="$start" -v end="$end" -v n="$1" \
      '{printf "%.0f %s\n", start + (end - start) * NR / n, $0}'
}

tenants_forward() { # N: each has sent more than what it asked and announced
  tenants_all "$1" GET /v1/routers/%i/stats &&
    [ "$(jq -s 'map(.vnics[1].tx.sent > 20) | all' answers)" = true ]
}

# A few packets for each, until all know their next hop.
tenants_resolve() { # N
  local tries
  for ((tries = 0; tries < 10; tries++)); do
    veth_load "$ROUTERS_PREFIX" 0.02 dst=02:00:00:01:00:00 macs=128 warm=1500 window=100 ||
      return 1
    if tenants_forward "$1"; then return 0; fi
  done
  echo "routers: the next hop was not resolved" >&2
  return 1
}

tenants_up() { # N LOADED equal|unequal
  rm -f source.open
  tenants_all "$1" POST /v1/routers p0 p1 && tenants_resolve "$1" &&
    "$EUROPA_BUILDDIR/tests/bench/tenants" "$BENCH_TMP/src.pcap" "$2" "$3" &&
    tenants_port src "net_pcap0,rx_pcap=$BENCH_TMP/src.pcap,infinite_rx=1" &&
    tenants_all "$1" PATCH /v1/routers/%i src sink && : > source.open
}

tenants_down() { # N
  tenants_all "$1" DELETE /v1/routers/%i && api DELETE /v1/ports/src > /dev/null
}

# What all processes of the node had of the cores, ns: the plane and containers.
tenants_cpu() {
  local pid init
  for init in $(api GET /v1/routers | jq '.items[].status.container.init_pid'); do
    cat "/proc/$init/task/$init/children"
  done | tr ' ' '\n' | while read -r pid; do
    [ -z "$pid" ] || cat "/proc/$pid"/task/*/schedstat
  done | cat - "/proc/$(node_pid dataplane)"/task/*/schedstat |
    awk '{n += $1} END {printf "%.0f\n", n}'
}

# tenants_one N LOADED equal|unequal: a run. Sets AGGREGATE (Mpps), JAIN, CPU_NS,
# and the file rates: Mpps delivered and offered, by router.
#
# With unequal load a router's fair share is what max-min fairness gives it of
# the whole: no more than it was offered, and else as much as anybody.
tenants_one() {
  local cpu since
  tenants_up "$@" || return 1
  sleep "$(jq -n "$BENCH_WARM_MS / 1000")"
  since=$("$UDPSEQ" now) cpu=$(tenants_cpu)
  tenants_counters "$1" > before || return 1
  sleep "$(jq -n "$BENCH_WINDOW_MS / 1000")"
  tenants_counters "$1" > after || return 1
  since=$(($("$UDPSEQ" now) - since)) cpu=$(($(tenants_cpu) - cpu))
  paste before after | awk '{us = ($4 - $1) / 1000; print ($5 - $2) / us, ($6 - $3) / us}' > rates
  AGGREGATE=$(awk '{n += $1} END {print n}' rates)
  awk -v loaded="$2" '$1 > 0 && $2 > 0 {n++} END {exit n != loaded}' rates ||
    bench_die "routers: not $2 of $1 forward: has a next hop grown old?"
  CPU_NS=$(jq -n "$cpu / ($AGGREGATE * $since / 1000)")
  JAIN=$(sort -g -k 2 rates | tail -n "$2" | awk '
    {rate[NR] = $1; want[NR] = $2; left += $1}
    END {
      for (i = 1; i <= NR; i++) {
        fair = left / (NR - i + 1)
        if (want[i] < fair) fair = want[i]
        left -= fair
        x = rate[i] / fair
        sum += x; squares += x * x
      }
      print sum * sum / (NR * squares)
    }')
  tenants_down "$1"
}

routers_at() { # POINT: what its figures' names end with
  local n=${1%/*}
  case $1 in
    */*) echo "_${1#*/}@$n" ;;
    *) echo "@$n" ;;
  esac
}

routers_point() { # N, N/unequal, or N/single: one of N has the load
  local n=${1%/*} loaded=${1%/*} load=equal at
  at=$(routers_at "$1")
  case $1 in
    */unequal) load=unequal ;;
    */single) loaded=1 ;;
  esac
  bench_ping
  tenants_one "$n" "$loaded" "$load" || return 1
  bench_ping
  bench_value "europa$at" "$AGGREGATE" "$CPU_NS"
  bench_value "each$at" "$(jq -n "$AGGREGATE / $loaded")"
  bench_value "jain$at" "$JAIN"
}

routers_series() { # POINT
  local n=${1%/*} at
  at=$(routers_at "$1")
  bench_series routers "europa$at" Mpps "net_pcap, $n routers, net_null; 60 bytes"
  if [[ $1 != */single ]]; then
    bench_series routers "each$at" Mpps "the same, a router"
    bench_series routers "jain$at" index "the same, of max-min shares"
  fi
  if [[ $1 != 1 && $1 != */unequal ]]; then
    bench_ratio_series routers "to_one$at" "europa$at" europa@1
  fi
}

routers_targets() {
  local n must stretch
  for n in 10 100; do
    must=0.9 stretch=0.95
    [ $n = 10 ] || must=0.6 stretch=0.8
    bench_judge T5 must "$(bench_median to_one@$n)" '>=' $must \
      "$n routers to one, aggregate"
    bench_judge T5 stretch "$(bench_median to_one@$n)" '>=' $stretch \
      "$n routers to one, aggregate"
    bench_judge T5 must "$(bench_median jain@$n)" '>=' 0.98 \
      "Jain's index of $n routers, equal load"
  done
}

run_routers() {
  local i point
  [ "$(id -u)" = 0 ] || bench_die "routers: needs root"
  [ -z "$BENCH_QUICK" ] || ROUTERS_POINTS="1 10 10/unequal 100"
  NODE_PLANE_ENV=("LD_PRELOAD=$EUROPA_BUILDDIR/tests/bench/gate.so"
    BENCH_GATE_PORT=net_pcap0 "BENCH_GATE_FILE=$BENCH_TMP/source.open")
  europa_up "$ROUTERS_PREFIX" net_af_packet0,iface=p0 net_af_packet1,iface=p1 || return 1
  ip -n "$NODE_RECEIVER" addr add 198.18.1.254/24 dev eth0
  tenants_port sink net_null0,no-rx=1 || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for point in $ROUTERS_POINTS; do
      routers_point "$point" || return 1
    done
  done
  for point in $ROUTERS_POINTS; do
    routers_series "$point"
  done
  routers_targets
}
