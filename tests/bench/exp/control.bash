# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# control: how fast a router is there, how many there may be, what those cost
# that do nothing, and how fast one that sleeps is awake. Everything goes through
# the REST API of a node of its own, with real containers on veth ports (root).

describe_control() {
  echo "POST to first packet, 200 routers (30 with --quick), memory, idle CPU, waking (root)"
}

control_first_body() {
  cat <<'JSON'
{"name": "f1", "spec": {"vnics": [
  {"name": "eth0", "mac": "0a:00:00:00:00:10", "attach": {"port": "p0"}, "addresses": ["198.18.0.1/24"]},
  {"name": "eth1", "mac": "0a:00:00:00:00:11", "attach": {"port": "p1"}, "addresses": ["198.18.1.1/24"]}]}}
JSON
}

# quantile SHARE VALUE...
quantile() {
  local share=$1
  shift
  printf '%s\n' "$@" |
    jq -s "sort | .[[(length * $share | floor), length - 1] | min]"
}

control_first_packets() { # TIMES
  local i post=() packet=()
  for ((i = 1; i <= $1; i++)); do
    node_first_packet "$(control_first_body)" && node_delete_routers || return 1
    post+=("$ROUTER_START_MS")
    packet+=("$FIRST_PACKET_MS")
  done
  bench_record control post_running ms - "curl POST /v1/routers" "${post[@]}"
  bench_record control post_first_packet ms - \
    "the same, to the first datagram out of 2000 a second" "${packet[@]}"
  FIRST_P50=$(quantile 0.5 "${packet[@]}")
  FIRST_P99=$(quantile 0.99 "${packet[@]}")
  bench_record control post_first_packet_p99 ms - "the same, $1 times" "$FIRST_P99"
}

# control_ping TIMES ADDRESS: sets PING_P50 and PING_P99, us, there and back.
control_ping() {
  local rtts
  # at 10 ms and below ping itself would spin on a core
  rtts=$(node_sender ping -n -c "$1" -i 0.05 -W 1 "$2" |
    sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | awk '{print $1 * 1000}')
  [ "$(wc -l <<< "$rtts")" -ge $(($1 * 9 / 10)) ] || return 1
  # shellcheck disable=SC2086
  PING_P50=$(quantile 0.5 $rtts) PING_P99=$(quantile 0.99 $rtts)
}

# The kernel of another namespace, over a veth of its own: what a ping takes here
# that wakes nobody.
control_kernel() { # up|down
  if [ "$1" = down ]; then
    ip -n "$NODE_SENDER" link del kernel
    return
  fi
  ip link add kernel netns "$NODE_SENDER" type veth \
    peer name kernel netns "$NODE_RECEIVER" &&
    ip -n "$NODE_SENDER" addr add 192.0.2.1/24 dev kernel &&
    ip -n "$NODE_RECEIVER" addr add 192.0.2.2/24 dev kernel &&
    ip -n "$NODE_SENDER" link set kernel up &&
    ip -n "$NODE_RECEIVER" link set kernel up &&
    node_wait 5 node_sender ping -n -c 1 -W 1 192.0.2.2
}

# A ping of a sleeping router wakes the host and the router; it is measured there
# and back, so it is more than the way to the router.
control_wakes() {
  local i p50=() p99=() kernel_p50=() kernel_p99=()
  api POST /v1/routers "$(control_first_body)" > answer &&
    node_wait 5 node_sender ping -n -c 1 -W 1 198.18.0.1 &&
    control_kernel up || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    control_ping 200 198.18.0.1 || return 1
    p50+=("$PING_P50") p99+=("$PING_P99")
    control_ping 200 192.0.2.2 || return 1
    kernel_p50+=("$PING_P50") kernel_p99+=("$PING_P99")
  done
  control_kernel down && node_delete_routers || return 1
  bench_record control wake_ping_p50 us - \
    "ping -i 0.05 to a sleeping router, there and back" "${p50[@]}"
  bench_record control wake_ping_p99 us - "the same" "${p99[@]}"
  bench_record control kernel_ping_p50 us - \
    "the same, to the kernel of a namespace over veth" "${kernel_p50[@]}"
  bench_record control kernel_ping_p99 us - "the same" "${kernel_p99[@]}"
  WAKE_P99=$(bench_median_of "${p99[@]}")
  KERNEL_P99=$(bench_median_of "${kernel_p99[@]}")
}

control_idle() { # ROUTERS
  local n=$1 values=() i
  sleep 2 # their announcements are out, and they sleep
  node_processes > "$BENCH_TMP/processes" || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    declare -gA CPU=()
    measure_idle || return 1
    values+=("${CPU[all]}")
  done
  bench_record control "idle_cpu@$n" % - \
    "schedstat of all processes over $IDLE_S s, $n routers" "${values[@]}"
  IDLE[n]=$(bench_median_of "${values[@]}")
}

# Makes routers up to N; adds what each took to CREATE_NS.
control_grow() { # N
  local i start
  for ((i = N_THERE; i < $1; i++)); do
    start=$("$UDPSEQ" now)
    node_idle_router "$i" || return 1
    CREATE_NS+=("$(($("$UDPSEQ" now) - start))")
  done
  N_THERE=$1
}

control_shrink() {
  local name start
  for name in $(api GET /v1/routers | jq -r '.items[].name'); do
    start=$("$UDPSEQ" now)
    api DELETE "/v1/routers/$name" > answer || return 1
    DELETE_NS+=("$(($("$UDPSEQ" now) - start))")
  done
}

in_ms() { printf '%s\n' "$@" | jq -s 'map(. / 1e6)[]'; }

# shellcheck disable=SC2046
control_population() {
  local n total=200 at="10 100"
  if [ -n "$BENCH_QUICK" ]; then total=30 at="10 20"; fi
  N_THERE=0 CREATE_NS=() DELETE_NS=()
  declare -gA MEMORY=() CPU=()
  declare -ga IDLE=()
  node_processes > "$BENCH_TMP/processes" || return 1
  AGENT_KIB=$(sum_pss agent Pss_Anon Pss_File)
  PLANE_KIB=$(sum_pss plane Pss_Anon Pss_File)
  control_idle 0 || return 1
  for n in $at; do
    control_grow "$n" && control_idle "$n" || return 1
  done
  IDLE_N=$n
  control_grow "$total" || return 1
  sleep 2
  N_ROUTERS=$(api GET /v1/routers |
    jq '[.items[] | select(.status.state == "running" and .status.dataplane.running)] | length')
  [ "$N_ROUTERS" = "$total" ] || bench_die "$N_ROUTERS of $total routers run"
  node_processes > "$BENCH_TMP/processes" && measure_memory || return 1
  report_memory control
  bench_record control create ms - "POST /v1/routers, one of $total" \
    $(in_ms "${CREATE_NS[@]}")
  control_shrink || return 1
  bench_record control delete ms - "DELETE /v1/routers/NAME, one of $total" \
    $(in_ms "${DELETE_NS[@]}")
  N_AT_ONCE=$total
}

control_targets() {
  local kib=${MEMORY[total]# }
  bench_judge T11 must "${IDLE[IDLE_N]}" "<" 2 \
    "% of a core, all processes, $IDLE_N idle routers"
  bench_judge T11 stretch "${IDLE[IDLE_N]}" "<" 1 "the same"
  bench_judge T11 must "$WAKE_P99" "<" 500 \
    "us, p99 of a ping of a sleeping router, from wire to router and back; of the kernel of a namespace, which wakes nobody: $KERNEL_P99 us"
  bench_judge T12 must "$FIRST_P50" "<" 100 "ms, p50 from POST to first packet"
  bench_judge T12 must "$FIRST_P99" "<" 250 "ms, p99 of the same"
  bench_judge T12 stretch "$FIRST_P50" "<" 60 "ms, p50 from POST to first packet"
  bench_judge T12 stretch "$FIRST_P99" "<" 150 "ms, p99 of the same"
  bench_judge T12 must "$(jq -n "$kib / 1024")" "<=" 6 \
    "MiB a router beside the pool, of $N_AT_ONCE"
  bench_judge T12 stretch "$(jq -n "$kib / 1024")" "<=" 4 "the same"
  [ -n "$BENCH_QUICK" ] ||
    bench_judge T12 must "$N_AT_ONCE" ">=" 200 "routers at once, all running"
}

run_control() {
  local times=40
  [ "$(id -u)" = 0 ] || bench_die "the figures of a node need root"
  # shellcheck source=tests/bench/node.bash
  . "$EUROPA_SRCDIR/tests/bench/node.bash"
  IDLE_S=30
  if [ -n "$BENCH_QUICK" ]; then IDLE_S=5 times=10; fi
  node_bench_up || return 1
  if ! control_first_packets "$times" || ! control_wakes ||
    ! control_population; then
    tail -n 20 "$NODE_DIR"/log/* answer >&2
    return 1
  fi
  control_targets
}
