#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The template linux: the container's kernel forwards between twins of the vNICs.
# Here alone ip_forward is 1, and in this container alone.

A=2001:db8::2 GATE_A=2001:db8::1
B=2001:db8:1::2 GATE_B=2001:db8:1::1

setup_file() {
  load common
  [ -c /dev/net/tun ] || skip "no /dev/net/tun"
  system_setup eulx-
  give_ip6 "$NODE_SENDER" $A $GATE_A
  give_ip6 "$NODE_RECEIVER" $B $GATE_B
  make_router '{"name":"l","spec":{"template":"linux",
    "routes":[{"prefix":"192.0.2.0/24","via":"198.18.1.2"}],"vnics":[
    {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24","'$GATE_A'/64"]},
    {"name":"eth1","attach":{"port":"p1"},"addresses":["198.18.1.1/24","'$GATE_B'/64"]}]}}'
  ip -n "$NODE_RECEIVER" addr add 192.0.2.9/32 dev lo
}

setup() {
  load common
  system_resume
}

teardown_file() {
  load common
  [ ! -e "$BATS_FILE_TMPDIR/dir" ] || system_teardown
}

# run_in COMMAND...: as the owner does it, by the API; prints what it prints.
run_in() {
  local body
  body=$(printf '%s\n' "$@" | jq -R . | jq -cs '{argv: .}')
  api POST /v1/routers/l/exec "$body" > "$BATS_TEST_TMPDIR/exec"
  jq -r 'select(.stdout) | .stdout' "$BATS_TEST_TMPDIR/exec"
  jq -se 'last.exit_code == 0' "$BATS_TEST_TMPDIR/exec" > /dev/null
}

reaches() { node_sender ping -n -c 1 -W 1 198.18.1.2; }
reaches6() { node_sender ping -6 -n -c 1 -W 1 $B; }
reaches_behind() { node_sender ping -n -c 1 -W 1 192.0.2.9; }

@test "ping passes the kernel, both protocols, one from the TTL" {
  within 20 reaches
  within 20 reaches6
  [ "$(run_in cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
  capture_ttl "$NODE_RECEIVER" 3 'icmp[icmptype] = icmp-echo' > "$BATS_TEST_TMPDIR/ttl" &
  within 10 seen_ttl
  wait
  [ "$(sort -u "$BATS_TEST_TMPDIR/ttl")" = 63 ]
  # and what ends here is told to the sender by the kernel
  run node_sender ping -n -c 1 -W 2 -t 1 198.18.1.2
  [[ "$output" == *"From 198.18.0.1"*"Time to live exceeded"* ]]
  run node_sender ping -6 -n -c 1 -W 2 -t 1 $B
  [[ "$output" == *"From $GATE_A"*"Time exceeded"* ]]
  run_in ip -o link show eth1 | grep -F 'mtu 1500'
}

seen_ttl() {
  node_sender ping -n -c 1 -W 1 -t 64 198.18.1.2
  [ "$(wc -l < "$BATS_TEST_TMPDIR/ttl")" = 3 ]
}

@test "every packet is in the host's account, the kernel's and the program's" {
  sent0=$(host_sum l .tx.sent)
  kernel0=$(claim l kernel_forwarded)
  node_receiver "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" recv 198.18.1.2 5002 5 77 > "$BATS_TEST_TMPDIR/recv" &
  receives "$NODE_RECEIVER" 198.18.1.2 5002
  node_sender "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" send 198.18.1.2 5002 10000 2 77
  wait
  cat "$BATS_TEST_TMPDIR/recv"
  [ "$(jq '.received == 20000 and .lost == 0 and .reordered == 0 and .doubled == 0' "$BATS_TEST_TMPDIR/recv")" = true ]
  [ $(($(host_sum l .tx.sent) - sent0)) -ge 20000 ]
  within 10 at_least $((kernel0 + 20000)) claim l kernel_forwarded
  within 10 is_balanced
}

is_balanced() {
  stats l | jq -e '([.vnics[].held] | add) == 0
    and ([.vnics[] | .rx.offered == .rx.filled + ([.rx.drops[]] | add)] | all)
    and (.router.counters | .rx == .twin_up + .twin_up_absent + .twin_up_refused)
    and ([.vnics[].done.delivered] | add) > 0'
}

@test "routes of the spec are the kernel's, live" {
  within 10 reaches_behind
  api PATCH /v1/routers/l '{"spec":{"routes":[]}}' > /dev/null
  within 10 is_unreachable_behind
  # a new address takes the place of the old one, and routes find their links again
  api PATCH /v1/routers/l/vnics/eth1 '{"spec":{"addresses":["198.18.1.1/25","'$GATE_B'/64"]}}' > /dev/null
  api PATCH /v1/routers/l '{"spec":{"routes":[{"prefix":"192.0.2.0/24","via":"198.18.1.2"}]}}' > /dev/null
  within 10 reaches_behind
  run_in ip -o addr show eth1 | grep -F '198.18.1.1/25'
}

is_unreachable_behind() {
  node_sender ping -n -c 1 -W 1 192.0.2.9 | grep -F 'Net Unreachable'
}

@test "the owner's own words to the kernel are in force" {
  within 10 reaches_behind
  run_in ip route replace blackhole 192.0.2.9/32
  run reaches_behind
  [ "$status" != 0 ]
  run_in ip route del blackhole 192.0.2.9/32
  reaches_behind
  if ! run_in sh -c 'nft add table ip t && nft add chain ip t f "{ type filter hook forward priority 0; }"'; then
    skip "no nftables here"
  fi
  run_in nft add rule ip t f icmp type echo-request drop
  run reaches
  [ "$status" != 0 ]
  run_in nft delete table ip t
  reaches
}

@test "vNICs, files, limits and a pause are as of any router" {
  api POST /v1/routers/l/vnics '{"name":"eth2","addresses":["198.18.2.1/24"]}' > /dev/null
  within 10 run_in ip link show eth2
  api DELETE /v1/routers/l/vnics/eth2 > /dev/null
  within 10 lacks eth2
  api PUT '/v1/routers/l/files?path=/var/tmp.txt' "mine" > /dev/null
  [ "$(run_in cat /var/tmp.txt)" = mine ]
  api PATCH /v1/routers/l/quota '{"limit":{"rx_pps":5}}' > /dev/null
  run node_sender ping -n -q -c 30 -i 0.02 -W 1 198.18.1.2
  [ "$(host_sum l '(.rx.drops.quota_pps // 0)')" -gt 0 ]
  api PATCH /v1/routers/l/quota '{"limit":{"rx_pps":null}}' > /dev/null
  within 10 reaches
  api PUT /v1/routers/l/power '{"desired":"paused"}' > /dev/null
  run reaches
  [ "$status" != 0 ]
  api PUT /v1/routers/l/power '{"desired":"running"}' > /dev/null
  within 10 reaches
}

lacks() { # INTERFACE
  run_in true
  ! run_in ip link show "$1"
}

# As keepalived does it with use_vmac: sent from it and sent to it.
@test "a MAC of VRRP passes if its vNIC lists it" {
  run_in ip link add vrrp.7 link eth0 address 00:00:5e:00:01:07 type macvlan mode private ||
    skip "no macvlan here"
  run_in sh -c 'ip addr add 198.18.0.7/32 dev vrrp.7 && ip link set vrrp.7 up'
  run_in ip route add 198.18.0.2/32 dev vrrp.7 src 198.18.0.7
  ip -n "$NODE_SENDER" neigh replace 198.18.0.7 lladdr 00:00:5e:00:01:07 dev eth0
  run run_in ping -n -c 1 -W 1 198.18.0.2
  [ "$status" != 0 ]
  [ "$(host_sum l '(.tx.drops.spoofed // 0)')" -gt 0 ]
  api PATCH /v1/routers/l/vnics/eth0 '{"spec":{"allow_macs":["00:00:5E:00:01:07"]}}' > /dev/null
  within 10 reaches_vrrp
  run_in ip link del vrrp.7
  ip -n "$NODE_SENDER" neigh del 198.18.0.7 dev eth0
  within 10 reaches
}

reaches_vrrp() { node_sender ping -n -c 1 -W 1 198.18.0.7; }

@test "a twin that is deleted, and a program that is killed, come back" {
  within 10 reaches
  run_in ip link del eth1
  within 10 reaches_behind
  process=$(router_process l)
  [ "$(cat "/proc/$process/comm")" = europa-taps ]
  kill -9 "$process"
  within 20 reaches_behind
  within 20 reaches6
  [ "$(router_process l)" != "$process" ]
}
