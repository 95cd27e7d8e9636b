# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# kernel: the forwarders that Europa is compared with on veth ports.
#
#   kernel_up, afp_up, testpmd_up DRIVER    namespaces and configuration
#   kernel_load MPPS, afp_load MPPS, testpmd_load DRIVER MPPS
#                                           one run: sets MPPS, OFFERED, CPU_NS
#   kernel_down, afp_down, testpmd_down DRIVER
#   kernel_forward_curve MPPS..., afp_forward_curve MPPS...
#                                           up, a line "OFFERED RATE CPU_NS" for
#                                           each offered load, down
#
# Wants veth.bash, and the caller's bench_on_exit for the *_down. ip_forward runs
# on the host's core (RPS), as the others; KERNEL_CPUS=0 leaves it on the core
# where the packet arrived.

KERNEL_PREFIX=ebk$$- AFP_PREFIX=eba$$-

kernel_configure() { # wants veth_names
  local ns=$NODE_PLANE_NS
  ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
    net.ipv4.conf.p0.rp_filter=0 &&
    ip -n "$ns" addr add 198.18.0.1/24 dev p0 &&
    ip -n "$ns" addr add 198.18.1.1/24 dev p1 &&
    ip -n "$ns" neigh replace 198.18.1.2 lladdr "$VETH_HOP" dev p1 nud permanent &&
    ip -n "$ns" neigh replace 198.18.0.2 lladdr "$VETH_HOST" dev p0 nud permanent &&
    ip -n "$ns" route add 198.19.0.0/16 via 198.18.1.2
}

kernel_steer() { # CPU mask of RPS
  local cpus
  cpus=${KERNEL_CPUS:-$(printf '%x' $((1 << BENCH_HOST_CORE)))}
  # sysfs shows the devices of the namespace where it is mounted: ip netns does
  ip netns exec "$NODE_PLANE_NS" sh -c \
    "echo $cpus > /sys/class/net/p0/queues/rx-0/rps_cpus"
}

kernel_up() {
  veth_up "$KERNEL_PREFIX" && veth_sink && kernel_configure && kernel_steer
}

kernel_load() { veth_load "$KERNEL_PREFIX" "$1" dst="$VETH_GATE0"; }

kernel_down() { veth_down "$KERNEL_PREFIX"; }

afp_up() { veth_up "$AFP_PREFIX" && veth_sink; }

afp_load() {
  local rc=0
  veth_start "$AFP_PREFIX" taskset -c "$BENCH_HOST_CORE" \
    "$EUROPA_BUILDDIR/tests/bench/afpfwd" p0 "$VETH_MAC0" 198.18.0.0/24 "$VETH_HOST" \
    p1 "$VETH_MAC1" 198.19.0.0/16 "$VETH_HOP"
  veth_load "$AFP_PREFIX" "$1" || rc=1
  veth_stop "$AFP_PREFIX"
  return $rc
}

afp_down() { veth_down "$AFP_PREFIX"; }

# testpmd in the forwarding mode "io": what the port kind gives at most.
# TESTPMD_PREFIX, if set, is whose ports it takes.
testpmd_prefix() { echo "${TESTPMD_PREFIX:-ebt${1#af_}$$-}"; }

testpmd_up() { veth_up "$(testpmd_prefix "$1")" && veth_sink; }

testpmd_start() { # DRIVER
  local prefix fifo more=""
  command -v dpdk-testpmd > /dev/null || {
    echo "dpdk-testpmd is not installed (package dpdk-dev)" >&2
    return 1
  }
  prefix=$(testpmd_prefix "$1") fifo=$BENCH_TMP/$prefix.in
  [ "$1" = af_packet ] && more=,framecnt=8192
  [ -p "$fifo" ] || mkfifo "$fifo" || return 1
  # it ends when its input does
  exec {TESTPMD_IN}<> "$fifo"
  VETH_INPUT=$fifo veth_start "$prefix" dpdk-testpmd --lcores "0@$BENCH_ROUTER_CORE,1@$BENCH_HOST_CORE" \
    --main-lcore 0 --no-huge --no-shconf -m 256 --no-pci --no-telemetry \
    --file-prefix "$prefix" --log-level '*:error' \
    --vdev "net_$1,iface=p0$more" --vdev "net_${1}1,iface=p1$more" -- \
    --auto-start --nb-cores=1 --total-num-mbufs=8192 --mbcache=512 \
    --forward-mode=io --port-topology=paired
  sleep 1.5
}

testpmd_stop() { # DRIVER
  veth_stop "$(testpmd_prefix "$1")"
  exec {TESTPMD_IN}>&-
}

testpmd_load() { # DRIVER MPPS
  local rc=0 prefix keys=()
  prefix=$(testpmd_prefix "$1")
  testpmd_start "$1" || return 1
  [ "$1" != af_xdp ] || read -ra keys <<< "$(veth_by_wire "$prefix")"
  veth_load "$prefix" "$2" "${keys[@]}" || rc=1
  testpmd_stop "$1"
  return $rc
}

testpmd_down() { veth_down "$(testpmd_prefix "$1")"; }

forward_curve() { # PEER MPPS...
  local peer=$1 load rc=0
  shift
  "${peer}_up" || rc=1
  for load in "$@"; do
    [ $rc = 0 ] || break
    if "${peer}_load" "$load"; then echo "$OFFERED $MPPS $CPU_NS"; else rc=1; fi
  done
  "${peer}_down"
  return $rc
}

kernel_forward_curve() { forward_curve kernel "$@"; }
afp_forward_curve() { forward_curve afp "$@"; }
