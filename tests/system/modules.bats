#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Modules that a router's owner may choose: lookup and classifier of DPDK, which
# nobody has who does not ask, and larger batches. In a container, as its owner
# would do it.

A=2001:db8::2 GATE_A=2001:db8::1
B=2001:db8:1::2 GATE_B=2001:db8:1::1

setup_file() {
  load common
  [ -e "$EUROPA_BUILDDIR/europa-router-dpdk.so" ] ||
    skip "built without DPDK's archives"
  system_setup eumo-
  give_ip6 "$NODE_SENDER" $A $GATE_A
  give_ip6 "$NODE_RECEIVER" $B $GATE_B
  make_router '{"name":"r1","spec":{"vnics":[
   {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24","'$GATE_A'/64"]},
   {"name":"eth1","attach":{"port":"p1"},"addresses":["198.18.1.1/24","'$GATE_B'/64"]}],
   "quota":{"mem_bytes":"256MiB"}}}'
}

setup() {
  load common
  system_resume
}

teardown_file() {
  load common
  [ ! -e "$BATS_FILE_TMPDIR/dir" ] || system_teardown
}

# inside COMMAND...: as the owner, root in the container.
inside() { nsenter -t "$(init_pid r1)" -U -m -S 0 -G 0 -- "$@"; }

published() { claim r1 tables_published; }

is_beyond() { [ "$(published)" -gt "$1" ]; } # NUMBER

# choose TEXT: the owner's file, in force when it returns.
choose() {
  local before
  before=$(published)
  printf '%s\nend\n' "$1" |
    inside /bin/busybox sh -c 'cat > /run/europa/filter.new'
  inside /bin/busybox mv /run/europa/filter.new /run/europa/filter.conf
  node_wait 10 is_beyond "$before"
}

# What of DPDK the router has in memory.
dpdk_of() {
  awk '{print $6}' "/proc/$(router_process r1)/maps" |
    grep -E 'librte|dpdk' | sort -u
}

passes() { # both families
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2 &&
    node_wait 10 node_sender ping -6 -n -c 1 -W 1 $B
}

counts() { [ "$(claim r1 "$1")" -ge "$2" ]; } # COUNTER AT_LEAST

@test "a router that does not ask has nothing of DPDK" {
  passes
  [ -z "$(dpdk_of)" ]
}

@test "lookup rte_fib: packets of both families go on, also with other routes" {
  process=$(router_process r1)
  choose "lookup rte_fib 192"
  [ "$(dpdk_of)" = /usr/sbin/europa-router-dpdk.so ]
  passes
  # no route in DPDK's table either
  run node_sender ping -n -c 1 -W 1 192.0.2.9
  [ "$status" != 0 ]
  before=$(published)
  api PUT /v1/routers/r1/routes \
    '{"routes":[{"prefix":"192.0.2.0/24","via":"198.18.1.2"}]}'
  node_wait 10 is_beyond "$before"
  ip -n "$NODE_RECEIVER" addr add 192.0.2.9/32 dev eth0
  node_wait 10 node_sender ping -n -c 1 -W 1 192.0.2.9
  # and one at run time
  inside /usr/bin/routerctl add route 198.18.99.0/24 via 198.18.1.2
  ip -n "$NODE_RECEIVER" addr add 198.18.99.9/32 dev eth0
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.99.9
  passes
  [ "$(router_process r1)" = "$process" ]
}

@test "filter acl: first match, and counters by rule" {
  before=$(claim r1 filter_7)
  choose "lookup rte_fib
filter acl 1
filter 5 permit protocol icmp from 198.18.0.2/32 to 198.18.1.2/32
filter 7 deny to 198.18.1.0/24
filter 9 deny to 192.0.2.0/24"
  passes
  # refused by rule 7: it was not for the receiver's own address
  run node_sender ping -n -c 2 -i 0.2 -W 1 198.18.1.77
  [ "$status" != 0 ]
  node_wait 10 counts filter_7 $((before + 2))
  node_wait 10 counts filter_5 1
  # a change of a rule while packets pass
  choose "filter acl 1
filter 7 deny to 198.18.1.2/32"
  run node_sender ping -n -c 1 -W 1 198.18.1.2
  [ "$status" != 0 ]
  node_wait 10 node_sender ping -6 -n -c 1 -W 1 $B
}

@test "larger batches: what is gathered comes out, late by no more than said" {
  choose "distribute 256 10000"
  passes
  node_sender ping -n -c 50 -i 0.01 -W 2 198.18.1.2
  [ "$(claim r1 gathered_lost)" = 0 ]
}

@test "a choice that is none is refused, and what was in force stays" {
  before=$(published)
  printf 'lookup rte_lpm\nend\n' |
    inside /bin/busybox sh -c 'cat > /run/europa/filter.new'
  inside /bin/busybox mv /run/europa/filter.new /run/europa/filter.conf
  run inside /usr/sbin/europa-router --check /run/europa/router.conf
  echo "$output"
  [ "$status" = 1 ]
  [[ "$output" == *"filter.conf:1: expected: lookup compact"* ]]
  passes
  inside /bin/busybox rm /run/europa/filter.conf
  node_wait 10 is_beyond "$before"
  passes
}
