# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# workers: what a packet costs the host with one worker and with two, on veth
# ports at a steady load of many flows, through a router in a container. CPU time
# is that of the workers' threads, from schedstat; the router's is not in it.
#
#   one     one worker
#   handed  two; each port has one rx queue: half of the frames cross
#   fanned  two; the kernel fans out to two rx queues a port: none cross
#
# With two workers each should cost half, and both together what one did; what
# handed is above fanned is the price of crossing.

WORKERS_FLOWS=8 WORKERS_PPS=8000

describe_workers() { echo "CPU time of one and of two workers a packet"; }

# Sets what node.sh wants; its folders are fresh in each run.
workers_node() { # WORKERS [MORE ARGUMENTS OF THE DEVICES]
  NODE_DIR=$(mktemp -d "$BENCH_TMP/node.XXXXXX") && chmod 755 "$NODE_DIR" || return 1
  NODE_NS=ebw- NODE_WORKERS=$1
  BIN_DATAPLANE=$EUROPA_BUILDDIR/europa-dataplane
  BIN_EUROPAD=$EUROPA_BUILDDIR/europad
  BIN_LIBEXEC=$NODE_DIR/libexec
  BIN_TEMPLATE=$EUROPA_BUILDDIR:$EUROPA_BUILDDIR/container-templates:$EUROPA_BUILDDIR/examples
  UDPSEQ=$EUROPA_BUILDDIR/udpseq
  export NODE_NS NODE_WORKERS BIN_DATAPLANE BIN_EUROPAD BIN_TEMPLATE UDPSEQ
  # shellcheck source=tests/system/node.sh
  . "$EUROPA_SRCDIR/tests/system/node.sh"
  mkdir -p "$BIN_LIBEXEC"
  ln -s "$EUROPA_BUILDDIR/europa-launch" \
    "$EUROPA_SRCDIR/container-templates/europa-template" "$BIN_LIBEXEC/"
  WORKERS_UP=1
  node_up || return 1
  if [ -n "${2-}" ]; then
    api DELETE /v1/ports/p0 > /dev/null && api DELETE /v1/ports/p1 > /dev/null &&
      node_make_ports "$2" > /dev/null || return 1
  fi
  api POST /v1/routers "$(node_router_body r1 ',"quota":{"pool_slots":8192}')" \
    > "$NODE_DIR/answer" || return 1
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2
}

workers_down() {
  [ -n "${WORKERS_UP-}" ] || return 0
  WORKERS_UP=""
  node_down
}

# Lines of NAME NANOSECONDS: what each worker has had of a core.
workers_cpu() {
  local task
  for task in /proc/"$(node_pid dataplane)"/task/*; do
    case $(cat "$task/comm") in
    worker*) echo "$(cat "$task/comm") $(cut -d ' ' -f 1 "$task/schedstat")" ;;
    esac
  done
}

workers_sent() {
  api GET /v1/routers/r1/stats | jq '[.vnics[].tx.sent] | add'
}

# Sets NS_ALL and NS_MOST, of all workers and of the busiest, a packet.
workers_measure() {
  local i port pids=() before after sent
  for ((i = 0; i < WORKERS_FLOWS; i++)); do
    port=$((5000 + i))
    ip netns exec "$NODE_RECEIVER" "$UDPSEQ" recv 198.18.1.2 $port 60 $port \
      > "$NODE_DIR/recv$i" &
    pids+=($!)
    ip netns exec "$NODE_SENDER" "$UDPSEQ" send 198.18.1.2 $port $WORKERS_PPS 60 $port \
      > /dev/null &
    pids+=($!)
  done
  sleep "$(jq -n "$BENCH_WARM_MS / 1000")"
  before=$(workers_cpu) sent=$(workers_sent)
  sleep "$(jq -n "$BENCH_WINDOW_MS / 1000")"
  after=$(workers_cpu) sent=$(($(workers_sent) - sent))
  kill "${pids[@]}" 2> /dev/null
  wait "${pids[@]}" 2> /dev/null
  for ((i = 0; i < WORKERS_FLOWS; i++)); do
    jq -e '.received > 0 and .reordered == 0 and .doubled == 0' "$NODE_DIR/recv$i" \
      > /dev/null || return 1
  done
  read -r NS_ALL NS_MOST < <(printf '%s\n' "$before" "$after" |
    awk -v sent="$sent" '
      {if ($1 in first) {d = $2 - first[$1]; all += d; if (d > most) most = d} else first[$1] = $2}
      END {if (sent < 1) exit 1; print all / sent, most / sent}')
  [ -n "$NS_MOST" ]
}

workers_run() { # NAME WORKERS [MORE ARGUMENTS]
  bench_ping
  if ! workers_node "${@:2}" || ! workers_measure; then
    tail -n 20 "$NODE_DIR"/log/* >&2
    return 1
  fi
  workers_down || return 1
  bench_ping
  bench_value "$1" "$NS_ALL" "$NS_ALL"
  bench_value "$1.busiest" "$NS_MOST"
}

# The same in each run: which lines two workers write, the order of three.
workers_guard() {
  "$EUROPA_BUILDDIR/tests/guard/lines" > lines.tap
  "$EUROPA_BUILDDIR/tests/guard/order" > order.tap
  grep -q '^1\.\.' lines.tap && grep -q '^1\.\.' order.tap || return 1
  bench_judge T14 must "$(grep -cE '^(not ok|# line)' lines.tap)" '<=' 0 \
    "cache lines that two workers write, but those of limits"
  bench_judge T14 must "$(awk '/pairs overtaken/ {n += $2} END {print n + 0}' order.tap)" '<=' 0 \
    "packets of a fast path before what its slow path had sent, of three workers"
}

run_workers() {
  local i name
  [ "$(id -u)" = 0 ] || bench_die "workers wants root: a node with veth ports"
  bench_on_exit workers_down
  for ((i = 0; i < BENCH_RUNS; i++)); do
    workers_run one 1 && workers_run handed 2 && workers_run fanned 2 ,qpairs=2 ||
      return 1
  done
  for name in one handed fanned; do
    bench_series workers "$name" ns \
      "CPU of all workers a packet, $WORKERS_FLOWS flows of $WORKERS_PPS a second"
    bench_series workers "$name.busiest" ns "the same, of the busiest worker"
  done
  bench_ratio scaling one.busiest fanned.busiest
  bench_series workers scaling ratio "CPU of the one worker over that of the busier of two"
  bench_judge T14 stretch "$(bench_median scaling)" '>=' 1.6 \
    "two workers: CPU of one over that of the busier of two, 2 is linear"
  workers_guard
}
