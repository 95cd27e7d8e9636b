#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A node as it is installed: the package on a Debian with systemd as PID 1, its
# daemons as systemd's units, from installation to purge. The tests build on one
# another, in this order. A ping crosses a router of the node from namespace to
# namespace: nothing but Europa joins them.
#
# EUROPA_DEB is the package, EUROPA_TREE the tree; tests/systemd/run has both.

bats_require_minimum_version 1.5.0

load_machine() {
  NODE_DIR=$(cat "$BATS_FILE_TMPDIR/dir")
  MACHINE_DIR=$NODE_DIR MACHINE_NAME=eusd-${NODE_DIR##*.}
  NODE_NS=$MACHINE_NAME-
  # shellcheck source=tests/system/node.sh
  . "$EUROPA_SRCDIR/tests/system/node.sh"
  # shellcheck source=tests/systemd/machine.bash
  . "$EUROPA_SRCDIR/tests/systemd/machine.bash"
  NODE_SOCKET=/proc/$(machine_pid 2> /dev/null || true)/root/run/europa/api.sock
}

setup_file() {
  mktemp -d /var/tmp/eusd.XXXXXX > "$BATS_FILE_TMPDIR/dir"
  chmod 755 "$(cat "$BATS_FILE_TMPDIR/dir")"
  load_machine
  machine_boot "$MACHINE_DIR" "$MACHINE_NAME" "$EUROPA_TREE"
  ip netns attach "$NODE_PLANE_NS" "$(machine_pid)"
  ip netns add "$NODE_SENDER"
  ip netns add "$NODE_RECEIVER"
  node_veth "$NODE_SENDER" p0 198.18.0.2/24 198.18.0.1
  node_veth "$NODE_RECEIVER" p1 198.18.1.2/24 198.18.1.1
  cp "$EUROPA_DEB" "$MACHINE_DIR/root/root/europa.deb"
  mkdir -p "$MACHINE_DIR/root/root/_build/deb"
  cp "$EUROPA_DEB" "$EUROPA_CTL_DEB" "$MACHINE_DIR/root/root/_build/deb/"
  newer_package
  # a watchdog that need not be waited for half a minute, and as many starts as
  # the tests make
  local u
  for u in europad europa-dataplane; do
    mkdir -p "$MACHINE_DIR/root/etc/systemd/system/$u.service.d"
    printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nWatchdogSec=3\n' \
      > "$MACHINE_DIR/root/etc/systemd/system/$u.service.d/test.conf"
  done
  snapshot > "$BATS_FILE_TMPDIR/before"
}

setup() { load_machine; }

teardown_file() {
  load_machine
  machine_off
  node_namespaces_down
}

# The same with a later version.
newer_package() {
  local dir=$BATS_FILE_TMPDIR/deb
  dpkg-deb -R "$EUROPA_DEB" "$dir"
  sed -i 's/^Version: .*/&+later/' "$dir/DEBIAN/control"
  dpkg-deb -b --root-owner-group -Znone "$dir" \
    "$MACHINE_DIR/root/root/later.deb" > /dev/null
}

# All that a purge is to leave as it was: names of files, and who is who. Not
# what dpkg, the journal and systemd know of the past.
snapshot() {
  local root=$MACHINE_DIR/root
  find "$root" -xdev \
    \( -path "$root/var/lib/dpkg" -o -path "$root/var/log" -o \
    -path "$root/var/cache" -o -path "$root/var/lib/apt" -o \
    -path "$root/root" -o -path "$root/tmp" -o \
    -path "$root/var/tmp" -o -path "$root/var/lib/systemd/*" \) -prune -o \
    ! -name '*-' ! -name .pwd.lock -printf '%y /%P\n' | sort
  sort "$root"/etc/passwd "$root"/etc/group "$root"/etc/sub[ug]id
  find /sys/fs/cgroup -path "*/lxc.payload.$MACHINE_NAME/*europa*" -type d
}

router() { api GET /v1/routers/r1 | jq -r "$1"; }
init_pid() { router .status.container.init_pid; }
router_runs() { [ "$(router .status.state)" = running ]; }
crosses() { node_sender ping -q -c 1 -W 1 198.18.1.2; }

# Init and process of r1, and how often the process was started.
router_life() {
  router '[.status.container.init_pid, .status.dataplane.starts] | tostring'
}

pid_is_new() { # UNIT OLD
  local pid
  pid=$(unit_pid "$1")
  [ "$pid" != 0 ] && [ "$pid" != "$2" ]
}

# Its eth1 leads nowhere; it is gone when its port has been seen.
@test "what README.md says installs the packages, and makes a port" {
  local lines
  lines=$("$EUROPA_SRCDIR/tests/tools/tutorial.py" --list "$EUROPA_SRCDIR/README.md" machine)
  ip -n "$NODE_PLANE_NS" link add eth1 type veth peer name eth1-far
  run -0 machine bash -e -c "cd /root; $lines"
  [ "$(api GET /v1/ports/p0 | jq -r .status.state)" = up ]
  run -0 machine europactl port delete p0
  ip -n "$NODE_PLANE_NS" link del eth1
}

@test "both daemons are up" {
  node_wait 20 node_is_ready
  unit_is europad ActiveState active
  unit_is europa-dataplane ActiveState active
  unit_is europad UnitFileState enabled
  unit_is europa-dataplane UnitFileState enabled
  [ -z "$(machine systemctl --failed --no-legend)" ]
}

@test "its users, folders and sockets are whose they are to be" {
  machine getent passwd europa-dp
  machine grep -x root:1879048192:268435456 /etc/subuid /etc/subgid
  [ "$(machine stat -c '%U:%G %a' /run/europa/api.sock)" = 'root:europa 660' ]
  [ "$(machine stat -c '%U:%G %a' /run/europa-dataplane)" = 'europa-dp:europa-dp 700' ]
  [ "$(machine stat -c '%U:%G %a' /var/lib/europa)" = 'root:root 755' ]
  [ "$(machine stat -c %U "/proc/$(unit_pid europa-dataplane)")" = europa-dp ]
}

@test "the doctor finds nothing that a node of the packages lacks" {
  run -0 machine europactl doctor --format csv # 78 if one is a FAIL
  grep -q '^OK,subuids,' <<< "$output"
}

@test "a router forwards from namespace to namespace" {
  node_make_ports > /dev/null
  api POST /v1/routers "$(node_router_body r1)"
  router_runs
  node_wait 10 crosses
}

@test "the journal has what europad says, and systemctl its state" {
  machine journalctl -q --no-pager -u europad | grep -q 'created router=r1'
  machine journalctl -q --no-pager -u europa-dataplane | grep -q Started
  machine systemctl show -p StatusText --value europad |
    grep -q '1 of 1 routers running, 2 of 2 ports up'
}

@test "europad stops and starts, and the router knows nothing of it" {
  local life
  life=$(router_life)
  machine systemctl stop europad
  unit_is europad ActiveState inactive
  crosses
  machine systemctl start europad
  node_wait 20 router_runs
  [ "$(router_life)" = "$life" ]
  crosses
}

@test "with its socket unit europad starts when somebody asks" {
  machine systemctl stop europad
  machine systemctl start europad.socket
  unit_is europad ActiveState inactive
  [ "$(machine stat -c '%U:%G %a' /run/europa/api.sock)" = 'root:europa 660' ]
  node_wait 20 router_runs
  unit_is europad ActiveState active
  machine systemctl restart europad
  router_runs || node_wait 20 router_runs
  machine systemctl stop europad europad.socket
  machine test ! -e /run/europa/api.sock
  machine systemctl start europad
  node_wait 20 router_runs
}

@test "a europad that stands still is replaced by its watchdog" {
  local life pid
  life=$(router_life)
  pid=$(unit_pid europad)
  machine sh -c "kill -STOP $pid"
  node_wait 30 pid_is_new europad "$pid"
  node_wait 20 router_runs
  [ "$(router_life)" = "$life" ]
  machine journalctl -q --no-pager -u europad | grep -q 'Watchdog timeout'
}

@test "a data plane that stands still is replaced, and the router goes on" {
  local life pid
  life=$(router_life)
  pid=$(unit_pid europa-dataplane)
  machine sh -c "kill -STOP $pid"
  node_wait 30 pid_is_new europa-dataplane "$pid"
  node_wait 20 crosses
  node_wait 20 router_runs
  [ "$(router_life)" = "$life" ]
}

# What the data plane has counted of r1: it is in the memory that they share.
packets() { api GET /v1/routers/r1/stats | jq '[.vnics[].rx.filled] | add'; }

kept() { machine systemctl show -p NFileDescriptorStore --value europad; }

@test "both daemons die at once, and a router's memory is still there" {
  local life before
  life=$(router_life)
  [ "$(kept)" -ge 5 ]
  node_sender ping -q -c 20 -i 0.01 -W 1 198.18.1.2
  before=$(packets)
  [ "$before" -ge 20 ]
  machine sh -c "kill -9 $(unit_pid europad) $(unit_pid europa-dataplane)"
  node_wait 30 crosses
  node_wait 20 router_runs
  [ "$(router_life)" = "$life" ]
  [ "$(packets)" -ge "$before" ]
}

@test "an upgrade under traffic replaces both daemons, not the router" {
  local life agent plane ping
  life=$(router_life)
  agent=$(unit_pid europad)
  plane=$(unit_pid europa-dataplane)
  node_sender ping -i 0.05 -c 160 -W 1 198.18.1.2 > "$BATS_TEST_TMPDIR/ping" 3>&- &
  ping=$!
  run -0 machine dpkg -i /root/later.deb
  node_wait 20 router_runs
  node_wait 20 crosses
  wait "$ping" || true
  grep 'packet loss' "$BATS_TEST_TMPDIR/ping" | sed 's/^/# upgrade: /' >&3
  grep -q 'icmp_seq=160 ' "$BATS_TEST_TMPDIR/ping"
  [ "$(router_life)" = "$life" ]
  pid_is_new europad "$agent"
  pid_is_new europa-dataplane "$plane"
  machine dpkg -s europa-node | grep -q later
}

@test "removing the package ends routers and daemons, and keeps the state" {
  local init
  init=$(init_pid)
  machine sh -c "kill -0 $init"
  run -0 machine dpkg -r europa-node
  run ! machine sh -c "kill -0 $init"
  [ -z "$(machine sh -c 'grep -l "[e]uropa" /proc/[0-9]*/cmdline')" ]
  machine test -f /var/lib/europa/europa.db
  machine test -f /etc/europa/europa.conf
}

@test "installed again, it has the router again" {
  run -0 machine dpkg -i /root/europa.deb
  node_wait 20 router_runs
  node_wait 10 crosses
}

@test "a purge leaves nothing" {
  run -0 machine dpkg -P europa-node europactl
  snapshot | diff "$BATS_FILE_TMPDIR/before" -
}
