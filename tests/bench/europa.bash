# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # node.sh and the experiments use what is set here
#
# europa: a whole node as a contender on veth ports: europad, europa-dataplane
# and routers in containers, all through the REST API. Wants veth.bash.
#
#   europa_up PREFIX DEVARGS0 DEVARGS1   a node without routers; ends by itself
#   europa_router BODY                   makes one, or says why not
#   europa_down PREFIX
#
# The worker is pinned to $BENCH_HOST_CORE, routers to $BENCH_ROUTER_CORE. After
# europa_up, or veth_names PREFIX, api() of node.sh talks to it.

europa_names() { # PREFIX
  BIN_DATAPLANE=$EUROPA_BUILDDIR/europa-dataplane
  BIN_EUROPAD=$EUROPA_BUILDDIR/europad
  BIN_LIBEXEC=$BENCH_TMP/libexec
  BIN_TEMPLATE=$EUROPA_BUILDDIR:$EUROPA_BUILDDIR/container-templates:$EUROPA_BUILDDIR/examples
  UDPSEQ=$EUROPA_BUILDDIR/udpseq
  NODE_HUGE=$BENCH_HUGE NODE_LOG_LEVEL=warn
  NODE_PLANE_MORE="worker_cores = $BENCH_HOST_CORE"
  NODE_AGENT_MORE="router_cpus = $BENCH_ROUTER_CORE"
  export BIN_DATAPLANE BIN_EUROPAD BIN_TEMPLATE UDPSEQ
  veth_names "$1"
}

europa_libexec() {
  [ ! -d "$BIN_LIBEXEC" ] || return 0
  mkdir -p "$BIN_LIBEXEC"
  ln -s "$EUROPA_BUILDDIR/europa-launch" \
    "$EUROPA_SRCDIR/container-templates/europa-template" "$BIN_LIBEXEC/"
}

europa_ports_are_up() {
  [ "$(api GET /v1/ports | jq '[.items[].status.state == "up"] | all')" = true ]
}

# Ports that can only be opened at the start of the data plane are, by another.
europa_settle_ports() {
  local pid
  europa_ports_are_up && return 0
  pid=$(node_pid dataplane)
  kill "$pid" && node_wait 5 test ! -e "/proc/$pid" &&
    node_wait 15 europa_ports_are_up && node_wait 15 node_is_ready
}

europa_up() { # PREFIX DEVARGS0 DEVARGS1
  europa_names "$1"
  europa_libexec
  NODE_DEVARGS0=$2 NODE_DEVARGS1=$3
  bench_on_exit europa_down "$1"
  if ! node_up || ! europa_settle_ports; then
    tail -n 20 "$NODE_DIR"/log/* >&2
    return 1
  fi
}

# Without asking europad, which would end routers one after the other: whoever
# ends an experiment early may not wait for long.
europa_down() { # PREFIX
  europa_names "$1"
  [ ! -e "$NODE_DIR/europad.supervisor" ] || node_release europad
  europa_sweep
  [ ! -e "$NODE_DIR/dataplane.supervisor" ] || node_release dataplane
  node_namespaces_down
}

europa_sweep() {
  local dir pids=()
  for dir in "$NODE_DIR"/state/containers/*/; do
    [ -d "$dir" ] || continue
    "$EUROPA_BUILDDIR/europa-launch" destroy --dir "$NODE_DIR/state/containers" \
      --uid "$(basename "$dir")" > /dev/null &
    pids+=($!)
  done
  [ ${#pids[@]} = 0 ] || wait "${pids[@]}"
}

europa_router() { # BODY
  api POST /v1/routers "$1" > "$BENCH_TMP/answer" && return 0
  cat "$BENCH_TMP/answer" >&2
  return 1
}

# The router of the experiments on ports: from p0 to the receiver's network.
europa_bench_router() { # [MORE MEMBERS OF SPEC, a comma first]
  europa_router '{"name":"bench","spec":{"vnics":[
    {"name":"eth0","mac":"'"$VETH_MAC0"'","attach":{"port":"p0"},"addresses":["198.18.0.1/24"]},
    {"name":"eth1","mac":"'"$VETH_MAC1"'","attach":{"port":"p1"},"addresses":["198.18.1.1/24"]}],
    "routes":[{"prefix":"198.19.0.0/16","via":"198.18.1.2"}]'"${1:-}"'}}'
}
