#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Real containers by europa-launch: the walls around a tenant, the limits, and
# that nothing is left. The tenant is probe_wall.c.

setup_file() {
  : "${EUROPA_BUILDDIR:?run it through tests/system/run}"
  DIR=$(mktemp -d /tmp/eu.XXXXXX)
  chmod 755 "$DIR"
  echo "$DIR" > "$BATS_FILE_TMPDIR/dir"
  mkdir -p "$DIR/state" "$DIR/run" \
    "$DIR"/root/{sbin,bin,etc,proc,sys,dev,run,tmp,var,usr}
  cp "$EUROPA_BUILDDIR/tests/system/probe_wall" "$DIR/root/sbin/init"
  echo 'root:x:0:0::/:' > "$DIR/root/etc/passwd"
}

teardown_file() {
  local dir
  dir=$(cat "$BATS_FILE_TMPDIR/dir")
  rm -rf "$dir"
}

setup() {
  [ "$(id -u)" = 0 ] || skip 'needs root'
  DIR=$(cat "$BATS_FILE_TMPDIR/dir")
  # another one for each test: what is left of it is seen by its name
  CONTAINER=bats-$$-$BATS_TEST_NUMBER
  LIMITS=(--cpu-millis 500 --mem-bytes 67108864 --pids 32 --disk-bytes 8388608)
  mode idle
}

teardown() {
  launch destroy > /dev/null
  leftovers
}

mode() {
  echo "$1" > "$DIR/run/mode"
}

launch() { # VERB [OPTION...]
  local verb=$1
  shift
  # bats' own descriptor 3 shall not live on in a monitor
  timeout 30 "$EUROPA_BUILDDIR/europa-launch" "$verb" --dir "$DIR/state" \
    --uid "$CONTAINER" "$@" 3>&-
}

start() {
  launch start --hostname probe --rootfs "$DIR/root" --run-dir "$DIR/run" \
    --id-base 1900000000 "${LIMITS[@]}"
}

field() { # NAME < REPORT
  sed -n "s/^$1 //p"
}

init_pid() {
  launch query | field init-pid
}

# Waits for the probe's result and prints it.
result() {
  local pid file
  pid=$(init_pid)
  file=/proc/$pid/root/tmp/result
  for _ in $(seq 200); do
    if grep -q '^end' "$file" 2> /dev/null; then
      cat "$file"
      return 0
    fi
    sleep 0.05
  done
  echo "no result: $(cat "$file" 2>&1)"
  return 1
}

# The processes of the container. A dead one that nobody has waited for yet
# still bears the name.
living() {
  local dir
  for dir in /proc/[0-9]*; do
    grep -qs "$CONTAINER" "$dir/cgroup" &&
      grep -qs '^State:.[^ZX]' "$dir/status" && echo "$dir"
  done
  true
}

# Fails if anything on the host still bears the container's name.
leftovers() {
  run find /sys/fs/cgroup -type d -name "$CONTAINER"
  [ -z "$output" ] || { echo "$output"; return 1; }
  run living
  [ -z "$output" ] || { echo "$output"; return 1; }
  run grep "$DIR" /proc/self/mounts
  [ -z "$output" ] || { echo "$output"; return 1; }
  [ ! -e "$DIR/state/$CONTAINER" ]
}

# The folder with this file of the container's limits, whatever the version.
cgroup_file() { # FILE
  find /sys/fs/cgroup -path "*/europa/$CONTAINER/payload/$1" | head -n 1
}

@test "a container starts, stops and starts again, twenty times" {
  for _ in $(seq 20); do
    [ "$(start | field state)" = running ]
    [ "$(launch stop | field state)" = stopped ]
    run find /sys/fs/cgroup -type d -name "$CONTAINER"
    [ -z "$output" ]
  done
}

@test "starting what runs and stopping what is stopped succeed" {
  [ "$(launch stop | field state)" = stopped ]
  pid=$(start | field init-pid)
  [ "$(start | field init-pid)" = "$pid" ]
  launch stop
  launch stop
  [ "$(launch query | field state)" = stopped ]
}

@test "its root is nobody on the host, with no new privileges and two filters" {
  pid=$(start | field init-pid)
  run cat "/proc/$pid/uid_map"
  [[ $output =~ ^\ *0\ +1900000000\ +65536$ ]]
  run cat "/proc/$pid/gid_map"
  [[ $output =~ ^\ *0\ +1900000000\ +65536$ ]]
  run cat "/proc/$pid/status"
  [[ $output =~ NoNewPrivs:[[:space:]]1 ]]
  [[ $output =~ Seccomp:[[:space:]]2 ]]
  [[ $output =~ Seccomp_filters:[[:space:]]2 ]]
  # chown dac_override fowner fsetid kill setgid setuid setpcap
  # net_bind_service sys_chroot
  [[ $output =~ CapEff:[[:space:]]00000000000405fb ]]
  [[ $output =~ CapBnd:[[:space:]]00000000000405fb ]]
  [ ! -e "/proc/$pid/root/dev/net/tun" ]
}

@test "with the mark of twins, and only then, its network is its own to change" {
  mkdir "$DIR/root/etc/europa"
  touch "$DIR/root/etc/europa/twins"
  mode walls
  pid=$(start | field init-pid)
  rm -r "$DIR/root/etc/europa"
  run cat "/proc/$pid/status"
  # net_admin and net_raw beside the others
  [[ $output =~ CapBnd:[[:space:]]00000000000435fb ]]
  [ ! -c /dev/net/tun ] || [ -c "/proc/$pid/root/dev/net/tun" ]
  run result
  echo "$output"
  grep -qx 'packet 0' <<< "$output"
  # and a way back is none
  grep -qx 'unshare_user 1' <<< "$output"
  grep -qx 'clone_user 1' <<< "$output"
}

@test "it has no network but its own loopback" {
  pid=$(start | field init-pid)
  [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]
  run nsenter -t "$pid" -n ip -o link
  [ "$status" = 0 ]
  run grep -vE ' (lo|tunl0|sit0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0)[:@]' <<< "$output"
  [ -z "$output" ]
}

@test "no system call that a tenant must not have works" {
  mode walls
  start
  run result
  [ "$status" = 0 ]
  echo "$output"
  refused=(punch_hole madvise_remove madvise_wide io_setup mmap_hugetlb memfd_hugetlb shm_hugetlb
    process_madvise unshare_user clone_user setns mount bpf userfaultfd ptrace
    perf keyctl mbind move_pages init_module handle mknod packet)
  for name in "${refused[@]}"; do
    grep -qx "$name 1" <<< "$output"
  done
  for name in vsock vsock_wide alg; do
    grep -qx "$name 97" <<< "$output"
  done
  for name in rx_ring tx_ring; do
    grep -qx "$name 92" <<< "$output"
  done
  for name in i386 x32 clone3 io_uring; do
    grep -qx "$name 38" <<< "$output"
  done
  for name in write_root write_node write_sysrq write_sys; do
    grep -qxE "$name (1|2|13|30)" <<< "$output"
  done
  grep -qxE 'write_etc (13|30)' <<< "$output"
  # and what a tenant may do does
  for name in memfd truncate mmap madvise_dontneed write_var write_run \
    write_tmp become_1 inet unix keepalive; do
    grep -qx "$name 0" <<< "$output"
  done
}

@test "a memory bomb kills its own process only" {
  mode memory
  pid=$(start | field init-pid)
  run result
  [ "$status" = 0 ]
  grep -qx 'signal 9' <<< "$output"
  [ "$(init_pid)" = "$pid" ]
}

@test "a fork bomb meets its limit, and stop ends it" {
  mode forks
  start
  run result
  [ "$status" = 0 ]
  grep -qx 'fork 11' <<< "$output"
  grep -qx 'forks 31' <<< "$output"
  launch stop
}

@test "the cpu limit holds within five per cent" {
  mode spin
  start
  result
  usage() {
    local f
    f=$(cgroup_file cpuacct.usage)
    if [ -n "$f" ]; then
      cat "$f"
    else
      awk '$1 == "usage_usec" { print $2 * 1000 }' "$(cgroup_file cpu.stat)"
    fi
  }
  # in hundredths of a second: what nobody used, and what this machine did not get
  idle() { awk '$1 == "cpu" { print $5 }' /proc/stat; }
  stolen() { awk '$1 == "cpu" { print $9 }' /proc/stat; }
  # a machine that stands still has measured itself; a wrong limit is wrong each time
  local round
  for ((round = 0; round < 6; round++)); do
    sleep 0.2
    t0=$(date +%s%N) u0=$(usage) i0=$(idle) s0=$(stolen)
    sleep 2
    t1=$(date +%s%N) u1=$(usage) i1=$(idle) s1=$(stolen)
    permille=$(((u1 - u0) * 1000 / (t1 - t0)))
    echo "$permille of 1000, limit 500, host idle $((i1 - i0)), stolen $((s1 - s0)) of 200 and more"
    [ "$permille" -lt 475 ] || [ "$permille" -gt 525 ] || return 0
  done
  # on a host that is busy itself, or is kept waiting, it may get less, never more
  [ "$permille" -le 525 ]
  [ $((i1 - i0)) -lt 40 ] || [ $((s1 - s0)) -ge 10 ]
}

@test "limits change while it runs, and are read back" {
  mode fill
  start
  result
  run launch limit --cpu-millis 250 --mem-bytes 134217728 --pids 40 \
    --disk-bytes 4194304
  [ "$status" = 0 ]
  grep -qx 'cpu-millis 250' <<< "$output"
  grep -qx 'mem-bytes 134217728' <<< "$output"
  grep -qx 'pids 40' <<< "$output"
  grep -qx 'disk-bytes 4194304' <<< "$output"
  # down again, and below what is in use is refused and changes nothing
  run launch limit --cpu-millis 250 --mem-bytes 33554432 --pids 40 \
    --disk-bytes 4194304
  [ "$status" = 0 ]
  run launch limit --cpu-millis 900 --mem-bytes 33554432 --pids 40 \
    --disk-bytes 1048576
  [ "$status" = 1 ]
  run launch query
  grep -qx 'cpu-millis 250' <<< "$output"
  grep -qx 'disk-bytes 4194304' <<< "$output"
}

@test "without a controller for a limit nothing is started" {
  v1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)pids(,|$)/ { print $2 }' /proc/mounts)
  [ -n "$v1" ] || skip 'no version 1 pids controller to take away'
  run unshare -m sh -c "umount -l '$v1' && exec '$EUROPA_BUILDDIR/europa-launch' \
    start --dir '$DIR/state' --uid '$CONTAINER' --hostname x \
    --rootfs '$DIR/root' --run-dir '$DIR/run' --id-base 1900000000 \
    ${LIMITS[*]}" 3>&-
  [ "$status" = 1 ]
  [[ $output =~ 'controller pids' ]]
  [ "$(launch query | field state)" = stopped ]
}

@test "frozen it does not run, thawed it does" {
  mode spin
  start
  result
  [ "$(launch freeze | field state)" = frozen ]
  [ "$(launch freeze | field state)" = frozen ]
  pid=$(init_pid)
  child=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children")
  ticks() { cut -d' ' -f14 "/proc/$child/stat"; }
  before=$(ticks)
  sleep 0.3
  [ "$(ticks)" = "$before" ]
  [ "$(launch thaw | field state)" = running ]
  for _ in $(seq 50); do
    [ "$(ticks)" = "$before" ] || break
    sleep 0.1
  done
  [ "$(ticks)" != "$before" ]
  # and a frozen one can be stopped
  launch freeze
  [ "$(launch stop | field state)" = stopped ]
}

@test "a monitor that is killed takes its container along, once" {
  pid=$(start | field init-pid)
  monitor=$(find /sys/fs/cgroup -path "*/europa/$CONTAINER/monitor/cgroup.procs" \
    -exec cat {} + | head -n 1)
  kill -9 "$monitor"
  for _ in $(seq 50); do
    [ -n "$(living)" ] || break
    sleep 0.02
  done
  [ -z "$(living)" ]
  [ "$(launch query | field state)" = stopped ]
  new=$(start | field init-pid)
  [ "$new" != "$pid" ]
  # the only one
  [ "$(sort -u "$(cgroup_file inner/cgroup.procs)")" = "$new" ]
}

@test "a launcher killed at any moment leaves nothing that the next cannot mend" {
  for ms in 1 2 3 5 8 12 16 20; do
    "$EUROPA_BUILDDIR/europa-launch" start --dir "$DIR/state" \
      --uid "$CONTAINER" --hostname probe --rootfs "$DIR/root" \
      --run-dir "$DIR/run" --id-base 1900000000 "${LIMITS[@]}" \
      > /dev/null 3>&- &
    launcher=$!
    sleep "0.$(printf '%03d' "$ms")"
    kill -9 "$launcher" 2> /dev/null || true
    wait "$launcher" 2> /dev/null || true
    [ "$(start | field state)" = running ]
    n=$(sort -u "$(cgroup_file inner/cgroup.procs)" | wc -l)
    [ "$n" = 1 ]
    launch stop > /dev/null
  done
}

@test "a root file system that is not there is a clear error" {
  run launch start --hostname probe --rootfs "$DIR/none" --run-dir "$DIR/run" \
    --id-base 1900000000 "${LIMITS[@]}"
  [ "$status" = 1 ]
  [[ $output =~ error\ [0-9]+\ LXC: ]]
  run find /sys/fs/cgroup -type d -name "$CONTAINER"
  [ -z "$output" ]
}
