#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Ports of kind net_af_xdp: they can only be opened when the data plane starts,
# as root; after that they carry packets as any other, and wake a worker.

setup_file() {
  load common
  export NODE_DEVARGS0=net_af_xdp0,iface=p0 NODE_DEVARGS1=net_af_xdp1,iface=p1
  system_setup euxd-
}

setup() {
  load common
  system_resume
}

teardown_file() {
  load common
  system_teardown
}

ports_are() { # STATE
  [ "$(api GET /v1/ports | jq -c '[.items[].status.state]')" = "[\"$1\",\"$1\"]" ]
}

@test "a port that cannot be opened now waits for the data plane's next start" {
  ports_are pending-restart
  pid=$(node_pid dataplane)
  kill "$pid"
  node_wait 5 test ! -e "/proc/$pid"
  node_wait 15 ports_are up
  [ "$(api GET /v1/ports | jq -r '.items[].status.driver' | sort -u)" = net_af_xdp ]
  # and nothing is left of root
  [ "$(awk '/^Uid:/ {print $2}' "/proc/$(node_pid dataplane)/status")" != 0 ]
}

@test "packets pass, none is lost" {
  make_router "$(node_router_body r1)"
  node_sender ping -n -c 10 -i 0.05 -W 2 198.18.1.2
  # its rings hold half a second of these: the machine may be busy elsewhere
  node_receiver "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" recv 198.18.1.2 5002 5 3 > "$BATS_TEST_TMPDIR/recv" &
  receives "$NODE_RECEIVER" 198.18.1.2 5002
  node_sender "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" send 198.18.1.2 5002 4000 5 3
  wait
  cat "$BATS_TEST_TMPDIR/recv"
  [ "$(jq '.received == 20000 and .lost == 0 and .reordered == 0 and .doubled == 0' "$BATS_TEST_TMPDIR/recv")" = true ]
}

@test "full-size frames pass, TCP too" {
  node_sender ping -n -c 2 -i 0.05 -W 1 -s 1472 -M "do" 198.18.1.2
  node_receiver timeout 30 iperf3 -s -B 198.18.1.2 -1 > /dev/null &
  listens "$NODE_RECEIVER" 5201
  node_sender iperf3 -c 198.18.1.2 -t 2 -J > "$BATS_TEST_TMPDIR/tcp"
  wait
  [ "$(jq '.end.sum_received.bits_per_second > 1e7' "$BATS_TEST_TMPDIR/tcp")" = true ]
}

@test "a worker with nothing to do sleeps, and a packet wakes it" {
  pid=$(node_pid dataplane)
  sleep 1
  ns0=$(cat "/proc/$pid"/task/*/schedstat | awk '{n += $1} END {printf "%.0f", n}')
  sleep 1
  ns1=$(cat "/proc/$pid"/task/*/schedstat | awk '{n += $1} END {printf "%.0f", n}')
  echo "$((ns1 - ns0)) ns of a second"
  [ $((ns1 - ns0)) -lt 200000000 ]
  node_sender ping -n -c 3 -i 0.3 -W 1 198.18.1.2
}
