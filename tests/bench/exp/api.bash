# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# api: how fast the REST interface answers: one router to 1, 8 and 64
# connections that stay, lists of 200 routers, and one who connects anew for each
# question while 2,000 connections drip. The containers are not real, the objects
# are; who asks runs on the same cores (root).

describe_api() {
  echo "GET a second, a list of 200 routers, beside 2000 that drip (root)"
}

API_ROUTERS=200

api_all_there() {
  [ "$(api GET "/v1/routers?fields=status.state" | grep -o degraded |
    wc -l)" = "$API_ROUTERS" ]
}

# Nothing serves their vNICs, so nobody waits for that: they are degraded.
api_routers() {
  local i labels
  for ((i = 0; i < API_ROUTERS; i++)); do
    labels='{}'
    [ $((i % 20)) != 0 ] || labels='{"team":"red"}'
    curl -sS --fail-with-body --unix-socket "$NODE_SOCKET" \
      -H 'Prefer: respond-async' http://europa/v1/routers -d '
      {"name":"b'"$i"'","labels":'"$labels"',"spec":{"vnics":[
      {"name":"eth0","attach":{"port":"p0","match":{"vlan":'$((100 + i))'}},"addresses":["198.18.'$((i % 128 * 2))'.1/24"]},
      {"name":"eth1","attach":{"port":"p1","match":{"vlan":'$((100 + i))'}},"addresses":["198.18.'$((i % 128 * 2 + 1))'.1/24"]}]}}' \
      > answer || return 1
  done
  node_wait 30 api_all_there
}

# api_load ARGUMENT...: sets API_SAID.
api_load() {
  bench_timed "$EUROPA_BUILDDIR/tests/bench/apiload" get "$@" > said ||
    return 1
  API_SAID=$(cat said)
}

# api_rate CONNECTIONS: adds to series get@CONNECTIONS and its p99.
api_rate() {
  api_load "$NODE_SOCKET" "$1" "$BENCH_WINDOW_MS" /v1/routers/b7 || return 1
  bench_value "get@$1" "$(jq .per_s <<< "$API_SAID")"
  bench_value "get_p99@$1" "$(jq .p99_us <<< "$API_SAID")"
}

# api_list NAME QUERY: adds to series list_NAME, and to API_LIST_P99.
api_list() {
  api_load "$NODE_SOCKET" 1 "$BENCH_WINDOW_MS" "/v1/routers$2" || return 1
  bench_value "list_$1" "$(jq '.p50_us / 1000' <<< "$API_SAID")"
  bench_value "list_$1_p99" "$(jq '.p99_us / 1000' <<< "$API_SAID")"
}

# api_beside NAME ADDRESSES: who asks while 2,000 drip from so many addresses;
# 0: while nobody does.
api_beside() {
  local pid=""
  if [ "$2" != 0 ]; then
    bench_start "$EUROPA_BUILDDIR/tests/bench/apiload" drip \
      "$API_PORT@127.0.16.1" 2000 $((BENCH_WINDOW_MS + 1800)) "$2" > dripped
    pid=$BENCH_PID
    sleep 1.5 # each has sent its first bytes
  fi
  EUROPA_TOKEN=$API_TOKEN api_load "$API_PORT@127.0.8.1" 1 \
    "$BENCH_WINDOW_MS" /v1/routers/b7 fresh 2000 || return 1
  bench_value "$1_p50" "$(jq '.p50_us / 1000' <<< "$API_SAID")"
  bench_value "$1_p99" "$(jq '.p99_us / 1000' <<< "$API_SAID")"
  [ -n "$pid" ] || return 0
  wait "$pid" && bench_forget "$pid"
}

api_runs() {
  local i
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    api_rate 1 && api_rate 8 && api_rate 64 &&
      api_list all "" && api_list 50 "?limit=50" &&
      api_list labels "?label=team%3Dred" &&
      api_beside alone 0 && api_beside drip_one 1 && api_beside drip_40 40 ||
      return 1
  done
}

api_figures() {
  local n name
  for n in 1 8 64; do
    bench_series api "get@$n" "1/s" "GET /v1/routers/b7, $n connections"
    bench_series api "get_p99@$n" us "the same"
  done
  for name in all 50 labels; do
    bench_series api "list_$name" ms "GET /v1/routers, p50, of $API_ROUTERS"
    bench_series api "list_${name}_p99" ms "the same, p99"
  done
  for name in alone drip_one drip_40; do
    bench_series api "${name}_p50" ms "GET over TCP, a connection each"
    bench_series api "${name}_p99" ms "the same"
  done
}

run_api() {
  [ "$(id -u)" = 0 ] || bench_die "a node needs root"
  # shellcheck source=tests/bench/node.bash
  . "$EUROPA_SRCDIR/tests/bench/node.bash"
  API_PORT=$((20000 + $$ % 10000))
  export NODE_CONTAINERS=fake NODE_AGENT_MORE="tcp_port = $API_PORT"
  node_bench_up || return 1
  API_TOKEN=$(api POST /v1/tokens \
    '{"name":"bench","spec":{"roles":{"default":"viewer"}}}' | jq -r .secret)
  if ! api_routers || ! api_runs; then
    tail -n 20 "$NODE_DIR"/log/* answer >&2
    return 1
  fi
  api_figures
  bench_judge api must "$(bench_median get@64)" ">=" 20000 \
    "GET of a router a second, 64 connections"
  bench_judge api must "$(bench_median list_all_p99)" "<" 10 \
    "ms, p99 of a list of $API_ROUTERS routers"
  bench_judge api must "$(bench_median drip_one_p99)" "<" 200 \
    "ms, p99 beside 2,000 connections that drip from one address"
  bench_judge api must "$(bench_median drip_40_p99)" "<" 200 \
    "ms, p99 beside 2,000 that drip from forty"
}
