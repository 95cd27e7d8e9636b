# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # node.sh and the experiments use what is set here
#
# veth: forwarders on veth ports, each in three namespaces of its own, as the
# node of tests/system/node.sh: the sender's eth0 = p0, p1 = the receiver's eth0.
# All may be there at once; one that does nothing costs nothing.
#
#   SOURCE (core $BENCH_ROUTER_CORE) -> p0 forwarder p1 -> receiver, counted there
#                                    (core $BENCH_HOST_CORE)
#
# Frames go to a MAC that no kernel has (ip_forward excepted, which is one), and
# the receiver drops them before its stack: only the forwarder works on them.

VETH_GATE0=02:00:00:00:03:00 VETH_GATE1=02:00:00:00:03:01 # of p0, p1
VETH_HOST=02:00:00:00:02:01 VETH_HOP=02:00:00:00:02:02    # of the two hosts
VETH_MAC0=02:00:00:00:01:00 VETH_MAC1=02:00:00:00:01:01   # of a router
declare -gA VETH_PID=() # also when read by a function

# veth_names PREFIX: NODE_SENDER, NODE_RECEIVER, NODE_PLANE_NS and the functions
# of node.sh are about this one from now on.
veth_names() {
  NODE_NS=$1 NODE_DIR=$BENCH_TMP/$1
  # shellcheck source=tests/system/node.sh
  . "$EUROPA_SRCDIR/tests/system/node.sh"
}

veth_mac() { # NAMESPACE DEVICE MAC
  ip -n "$1" link set "$2" address "$3"
}

# The namespaces of PREFIX; the caller has seen to it that veth_down is called.
veth_up() { # PREFIX
  veth_names "$1"
  node_namespaces_up || return 1
  veth_mac "$NODE_SENDER" eth0 "$VETH_HOST" && veth_mac "$NODE_RECEIVER" eth0 "$VETH_HOP" &&
    veth_mac "$NODE_PLANE_NS" p0 "$VETH_GATE0" && veth_mac "$NODE_PLANE_NS" p1 "$VETH_GATE1"
}

# From here on IPv4 ends at the receiver's device.
veth_sink() {
  printf '%s\n' 'table netdev bench {' 'chain sink {' \
    'type filter hook ingress device eth0 priority 0;' 'meta protocol ip drop' '}' '}' |
    ip netns exec "$NODE_RECEIVER" nft -f -
}

veth_down() { # PREFIX
  veth_names "$1"
  veth_stop "$1"
  node_namespaces_down
}

# veth_start PREFIX COMMAND...: in the namespace of the ports, until veth_stop;
# VETH_INPUT, if set, is what it reads.
veth_start() {
  local prefix=$1
  shift
  veth_names "$prefix"
  ip netns exec "$NODE_PLANE_NS" "$@" < "${VETH_INPUT:-/dev/null}" \
    > "$BENCH_TMP/$prefix.log" 2>&1 &
  VETH_PID[$prefix]=$!
}

veth_stop() { # PREFIX
  local pid=${VETH_PID[$1]:-}
  [ -n "$pid" ] || return 0
  unset "VETH_PID[$1]"
  kill "$pid" 2> /dev/null
  wait "$pid" 2> /dev/null
  return 0
}

# veth_load PREFIX MPPS [KEY=VALUE...]: one timed run, 0 Mpps = all that the
# source can. Sets MPPS, OFFERED and CPU_NS (all of the machine, a packet).
veth_load() {
  local out prefix=$1 pps
  veth_names "$prefix"
  pps=$(awk -v m="$2" 'BEGIN {printf "%.0f", m * 1e6}')
  shift 2
  out=$("$EUROPA_BUILDDIR/tests/bench/vload" src="$NODE_PLANE_NS:p0" how=pass \
    sink="$NODE_RECEIVER:eth0" dst="$VETH_MAC0" pps="$pps" core="$BENCH_ROUTER_CORE" \
    warm="$BENCH_WARM_MS" window="$BENCH_WINDOW_MS" "$@") || return 1
  MPPS=$(printf '%s' "$out" | jq .mpps)
  OFFERED=$(printf '%s' "$out" | jq .offered_mpps)
  CPU_NS=$(printf '%s' "$out" | jq .cpu_ns)
}

# Keys of veth_load by which packets reach p0 through its driver, as AF_XDP wants.
veth_by_wire() { # PREFIX
  veth_names "$1"
  echo "src=$NODE_SENDER:eth0" how=redirect
}
