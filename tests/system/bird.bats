#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Linux beside the router: three routers of the template bird speak OSPF, for
# both protocols, as it comes out of the box.
#
#   sender -- p0 -- a --(198.18.10)-- b -- p1 -- receiver
#                    \               /
#                (198.18.11)    (198.18.12)
#                      \           /
#                       +--- c ---+

A=2001:db8::2 GATE_A=2001:db8::1
B=2001:db8:1::2 GATE_B=2001:db8:1::1

setup_file() {
  load common
  command -v bird > /dev/null || [ -x /usr/sbin/bird ] || skip "bird2 is not installed"
  [ -c /dev/net/tun ] || skip "no /dev/net/tun"
  system_setup eubd-
  give_ip6 "$NODE_SENDER" $A $GATE_A
  give_ip6 "$NODE_RECEIVER" $B $GATE_B
  make_router '{"name":"a","spec":{"template":"bird","vnics":[
    {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24","'$GATE_A'/64"]},
    {"name":"eth1","attach":{"router":"b","vnic":"eth1"},"addresses":["198.18.10.1/24","2001:db8:10::1/64"]},
    {"name":"eth2","attach":{"router":"c","vnic":"eth0"},"addresses":["198.18.11.1/24","2001:db8:11::1/64"]}]}}'
  make_router '{"name":"b","spec":{"template":"bird","vnics":[
    {"name":"eth0","attach":{"port":"p1"},"addresses":["198.18.1.1/24","'$GATE_B'/64"]},
    {"name":"eth1","attach":{"router":"a","vnic":"eth1"},"addresses":["198.18.10.2/24","2001:db8:10::2/64"]},
    {"name":"eth2","attach":{"router":"c","vnic":"eth1"},"addresses":["198.18.12.2/24","2001:db8:12::2/64"]}]}}'
  make_router '{"name":"c","spec":{"template":"bird","vnics":[
    {"name":"eth0","attach":{"router":"a","vnic":"eth2"},"addresses":["198.18.11.3/24","2001:db8:11::3/64"]},
    {"name":"eth1","attach":{"router":"b","vnic":"eth2"},"addresses":["198.18.12.3/24","2001:db8:12::3/64"]}]}}'
}

setup() {
  load common
  system_resume
}

teardown_file() {
  load common
  [ ! -e "$BATS_FILE_TMPDIR/dir" ] || system_teardown
}

# The pid, on the host, of a router's own process.
data_plane() { # ROUTER
  local init
  init=$(init_pid "$1")
  pgrep -x -P "$init" europa-router
}

# inside ROUTER COMMAND...: as the owner, root in the container.
inside() {
  local pid
  pid=$(init_pid "$1")
  shift
  nsenter -t "$pid" -U -m -n -p -S 0 -G 0 -- "$@"
}

# kernel ROUTER COMMAND...: the host's program, about the container's network.
kernel() {
  local pid
  pid=$(init_pid "$1")
  shift
  nsenter -t "$pid" -n -- "$@"
}

diagnose() {
  local r
  for r in a b c; do
    echo "--- $r"
    kernel $r ip addr
    kernel $r ip route
    inside $r /usr/sbin/birdc show ospf neighbors
    tail -n 20 "/proc/$(init_pid $r)/root/var/log/europa.log"
    stats $r | jq -c '.router.counters | with_entries(select(.value > 0))'
  done >&2
  return 1
}

reaches() { node_sender ping -n -c 1 -W 1 198.18.1.2; }
reaches6() { node_sender ping -6 -n -c 1 -W 1 $B; }

# ttl_is WHAT: that of echo requests that left the sender with 64.
ttl_is() {
  capture_ttl "$NODE_RECEIVER" 3 'icmp[icmptype] = icmp-echo' > "$BATS_TEST_TMPDIR/ttl" &
  captures
  node_sender ping -n -c 5 -i 0.1 -W 2 -t 64 198.18.1.2
  wait
  cat "$BATS_TEST_TMPDIR/ttl"
  [ "$(sort -u "$BATS_TEST_TMPDIR/ttl")" = "$1" ]
}

# forwarded ROUTER: by its fast path.
forwarded() { claim "$1" forwarded; }

# What the kernels of a, b and c have forwarded, both protocols together.
kernel_forwarded() {
  local r
  for r in a b c; do
    kernel $r cat /proc/net/snmp /proc/net/snmp6
  done | awk '/^Ip: [0-9]/ {n += $7} /^Ip6OutForwDatagrams/ {n += $2} END {print n + 0}'
}

has_address() { # ROUTER INTERFACE ADDRESS
  kernel "$1" ip -o addr show "$2" | grep -F " $3 "
}

@test "each vNIC has a twin: same name, MAC, MTU and addresses" {
  within 20 kernel a ip link show eth2
  local v
  for v in 0 1 2; do
    mac=$(api GET /v1/routers/a | jq -r ".status.vnics[$v].mac")
    kernel a ip -o link show "eth$v" | grep -F "link/ether $mac" | grep -F 'mtu 1500'
  done
  within 10 has_address a eth0 198.18.0.1/24
  has_address a eth0 $GATE_A/64
}

@test "OSPF finds the way, for both protocols" {
  within 40 reaches || diagnose
  within 40 reaches6 || diagnose
  kernel a ip route | grep '^198.18.1.0/24 via 198.18.10.2 dev eth1 proto bird'
}

@test "the fast paths forward, one from the TTL each, and no kernel does" {
  ttl_is 62
  fa=$(forwarded a) fb=$(forwarded b)
  slow=$(claim a slow_forwarded)
  node_sender ping -n -q -c 200 -i 0.01 -W 2 198.18.1.2 | tee "$BATS_TEST_TMPDIR/ping"
  # there and back: what came back has been twice in each router, 5 of it slowly
  n=$(awk '/packets transmitted/ { print $4 }' "$BATS_TEST_TMPDIR/ping")
  [ "$n" -ge 150 ]
  within 5 at_least $((fa + 2 * n - 5)) forwarded a
  within 5 at_least $((fb + 2 * n - 5)) forwarded b
  [ "$(claim a slow_forwarded)" -le $((slow + 5)) ]
  for r in a b c; do
    [ "$(kernel $r cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
    [ "$(kernel $r cat /proc/sys/net/ipv6/conf/all/forwarding)" = 0 ]
  done
  [ "$(kernel_forwarded)" = 0 ]
}

@test "a question has one answer" {
  # ARP: of the router, not of its kernel
  ip netns exec "$NODE_SENDER" timeout 30 tcpdump -n -i eth0 -c 8 \
    'arp[6:2] = 2 or icmp[icmptype] = icmp-echoreply' > "$BATS_TEST_TMPDIR/answers" 2> "$BATS_TEST_TMPDIR/tcpdump" &
  captures
  ip -n "$NODE_SENDER" neigh flush dev eth0
  node_sender ping -n -c 3 -i 0.2 -W 2 198.18.0.1
  sleep 1
  kill %1 2> /dev/null || true
  wait
  cat "$BATS_TEST_TMPDIR/answers"
  [ "$(grep -c 'Reply 198.18.0.1 ' "$BATS_TEST_TMPDIR/answers")" = 1 ]
  [ "$(grep -c 'echo reply' "$BATS_TEST_TMPDIR/answers")" = 3 ]
}

@test "Linux speaks for itself: ping from the container, a closed port" {
  kernel a ping -n -c 3 -i 0.2 -W 2 198.18.0.2
  kernel a ping -n -c 3 -i 0.2 -W 2 198.18.1.2
  run node_sender bash -c 'exec 3<> /dev/tcp/198.18.0.1/9'
  echo "$output"
  [[ "$output" == *"Connection refused"* ]]
}

@test "a route typed in is in force at once, and so is its end" {
  within 40 reaches
  ip -n "$NODE_SENDER" addr add 198.18.77.1/32 dev eth0
  ip -n "$NODE_RECEIVER" route add 198.18.77.0/24 via 198.18.1.1
  kernel b ip route add 198.18.77.0/24 via 198.18.10.1
  kernel a ip route add 198.18.77.0/24 via 198.18.0.2
  within 5 node_receiver ping -n -c 1 -W 1 198.18.77.1
  # in the place of the other
  kernel b ip route replace blackhole 198.18.77.0/24
  before=$(claim b blackhole)
  within 5 at_least $((before + 1)) knock_77
  run node_receiver ping -n -c 2 -i 0.2 -W 1 198.18.77.1
  [[ "$output" == *"100% packet loss"* ]]
  kernel b ip route del blackhole 198.18.77.0/24
  within 5 is_unreachable
  kernel a ip route del 198.18.77.0/24
  ip -n "$NODE_SENDER" addr del 198.18.77.1/32 dev eth0
  ip -n "$NODE_RECEIVER" route del 198.18.77.0/24
}

# One packet to the hole; prints what the hole has taken.
knock_77() {
  node_receiver ping -n -c 1 -W 1 198.18.77.1 > /dev/null 2>&1
  claim b blackhole
}

is_unreachable() {
  node_receiver ping -n -c 1 -W 1 198.18.77.1 | grep 'Net Unreachable'
}

@test "an owner's configuration takes its place" {
  inside a /bin/busybox sed -i 's/hello 1;/hello 1; cost 77;/' /run/europa/bird.conf
  inside a /usr/sbin/birdc configure | grep Reconfigured
  inside a /usr/sbin/birdc show ospf interface ospf4 | grep 'Cost: 77'
  within 20 reaches
}

@test "a link goes, and traffic takes the other way" {
  local fc
  within 40 reaches
  within 40 reaches6
  fc=$(forwarded c)
  api DELETE /v1/routers/a/vnics/eth1 > /dev/null
  within 30 reaches || diagnose
  within 30 reaches6 || diagnose
  ttl_is 61
  [ "$(forwarded c)" -gt "$fc" ]
  kernel a ip route | grep '^198.18.1.0/24 via 198.18.11.3 dev eth2 proto bird'
  run kernel a ip link show eth1
  [ "$status" != 0 ]
  [ "$(kernel_forwarded)" = 0 ]
}

# How often BIRD has worked out OSPF's ways because an interface came.
worked_out() { # ROUTER
  grep -c 'Reloading protocol ospf4' "/proc/$(init_pid "$1")/root/var/log/europa.log" || true
}

@test "a twin that somebody deletes comes back, and OSPF is worked out once more" {
  local index before
  before=$(worked_out c)
  index=$(kernel c ip -o link show eth1 | cut -d: -f1)
  inside c /bin/busybox ip link del eth1
  within 10 is_another c eth1 "$index"
  within 10 has_address c eth1 198.18.12.3/24
  within 15 at_least $((before + 1)) worked_out c
}

is_another() { # ROUTER INTERFACE INDEX
  local now
  now=$(kernel "$1" ip -o link show "$2" | cut -d: -f1)
  [ -n "$now" ] && [ "$now" != "$3" ]
}

@test "the router's process ends, and the next one finds its way again" {
  local process
  process=$(data_plane a)
  kill -9 "$process"
  within 60 is_renewed "$process"
  within 60 reaches || diagnose
}

is_renewed() { # PID
  local now
  now=$(data_plane a)
  [ -n "$now" ] && [ "$now" != "$1" ] && has_address a eth2 198.18.11.1/24
}
