#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# State: what is refused leaves nothing; a full disk or a read-only one is a
# clear answer and no harm to running routers; readiness is told.

setup_file() {
  load common
  system_setup eust-
  make_router "$(node_router_body r1)"
}

setup() {
  load common
  system_resume
}

# Whatever a test did to the state folder is undone, and an agent runs.
teardown() {
  local small=$BATS_FILE_TMPDIR/small
  ! mountpoint -q "$NODE_DIR/state" || umount -l "$NODE_DIR/state"
  ! mountpoint -q "$small" || umount -l "$small"
  [ -e "$NODE_DIR/europad.pid" ] || node_agent_start
  node_wait 10 node_is_ready
}

teardown_file() {
  load common
  system_teardown
}

# Everything that a request could have left behind.
picture() {
  api GET /v1/routers | jq -S '[.items[] | {name, uid, generation}]'
  api GET /v1/ports | jq -S '[.items[] | {name, uid}]'
  find /sys/fs/cgroup -type d -path '*europa*' 2>/dev/null | sort
  wc -l < /proc/self/mounts
  find "/proc/$(node_pid europad)/fd" "/proc/$(node_pid dataplane)/fd" -type l | wc -l
  sqlite3 "$NODE_DIR/state/europa.db" 'SELECT count(*) FROM router; SELECT count(*) FROM port;'
  ls "$NODE_DIR/state/containers" "$NODE_DIR/run/r"
}

# refused STATUS CODE POINTER METHOD PATH BODY
refused() {
  local want=$1 code=$2 pointer=$3 out
  picture > "$BATS_TEST_TMPDIR/before"
  shift 3
  out=$(api "$@") && return 1
  echo "$out"
  [ "$(echo "$out" | jq -r .status)" = "$want" ]
  [ "$(echo "$out" | jq -r .code)" = "$code" ]
  [ -z "$pointer" ] || [ "$(echo "$out" | jq -r '.errors[0].pointer')" = "$pointer" ]
  [ "$(echo "$out" | jq -r '.remedy | length > 5')" = true ]
  picture > "$BATS_TEST_TMPDIR/after"
  diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

@test "an unknown member is refused, with its place" {
  refused 422 invalid /spec/colour POST /v1/routers '{"name":"x","spec":{"colour":1}}'
}

@test "a wrong type is refused, with its place" {
  refused 422 invalid /spec/quota/pids POST /v1/routers '{"name":"x","spec":{"quota":{"pids":"many"}}}'
}

@test "a name that is too long is refused" {
  name=$(printf 'a%.0s' $(seq 64))
  refused 422 invalid /name POST /v1/routers '{"name":"'"$name"'","spec":{}}'
}

@test "a name that exists is refused" {
  refused 409 exists "" POST /v1/routers '{"name":"r1","spec":{}}'
}

@test "an address that is taken on the segment is refused" {
  refused 409 in-use /spec/vnics/0/addresses POST /v1/routers \
    '{"name":"x","spec":{"vnics":[{"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24"]}]}}'
}

@test "a port that does not exist is refused, and those that do are named" {
  refused 422 invalid /spec/vnics/0/attach/port POST /v1/routers \
    '{"name":"x","spec":{"vnics":[{"name":"eth0","attach":{"port":"p9"}}]}}'
  [[ "$(api POST /v1/routers '{"name":"x","spec":{"vnics":[{"name":"eth0","attach":{"port":"p9"}}]}}')" == *"p0, p1"* ]]
}

@test "more memory than the machine has is refused, with what there is" {
  refused 507 no-memory "" POST /v1/routers '{"name":"x","spec":{"quota":{"mem_bytes":"900GiB"}}}'
  [ "$(api POST /v1/routers '{"name":"x","spec":{"quota":{"mem_bytes":"900GiB"}}}' | jq '.wanted > .best and .best > 0')" = true ]
}

@test "a body that is not JSON, or too large, is refused" {
  refused 400 not-json "" POST /v1/routers '{"name":'
  head -c 70000 /dev/zero | tr '\0' ' ' > "$BATS_TEST_TMPDIR/large"
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$NODE_SOCKET" --data-binary "@$BATS_TEST_TMPDIR/large" http://europa/v1/routers)" = 413 ]
}

@test "a port whose device is not there is refused" {
  refused 422 invalid /spec/devargs POST /v1/ports '{"name":"p7","spec":{"devargs":"net_af_packet7,iface=nothere"}}'
}

@test "a port that was refused leaves its name free, at once" {
  [ "$(api_status POST /v1/ports '{"name":"p7","spec":{"devargs":"net_af_packet7,iface=nothere"}}')" = 422 ]
  api POST /v1/ports '{"name":"p7","spec":{"devargs":"net_null7"}}'
  api DELETE /v1/ports/p7
}

port_state() { api GET /v1/ports/p8 | jq -r .status.state; }

port_is() { [ "$(port_state)" = "$1" ]; }

@test "a port whose interface goes is down, says why, and is up when that is back" {
  ns() { ip -n "$NODE_PLANE_NS" link "$@"; }
  ns add ea8 type veth peer name eb8
  ns set ea8 up
  ns set eb8 up
  api POST /v1/ports '{"name":"p8","spec":{"devargs":"net_af_packet8,iface=ea8"}}' > /dev/null
  node_wait 10 port_is up
  ns set eb8 down
  node_wait 10 port_is down
  api GET /v1/ports/p8 | jq -e '.status.detail | test("no line")'
  ns del ea8
  gone() { api GET /v1/ports/p8 | jq -e '.status.detail | test("gone")'; }
  node_wait 10 gone
  api GET /v1/ports/p8 | jq -e '.status.state == "down" and (.status.remedy | test("again"))'
  ns add ea8 type veth peer name eb8
  ns set ea8 up
  ns set eb8 up
  node_wait 10 port_is up
  [ "$(api GET /v1/ports/p8 | jq -r .status.detail)" = "" ]
  api DELETE /v1/ports/p8
  ns del ea8
}

@test "a kind of port that only a start can open is stored and says so" {
  api POST /v1/ports '{"name":"x0","spec":{"devargs":"net_af_xdp0,iface=p0"}}' > "$BATS_TEST_TMPDIR/p"
  cat "$BATS_TEST_TMPDIR/p"
  [ "$(jq -r .status.state "$BATS_TEST_TMPDIR/p")" = pending-restart ]
  [ "$(jq -r '.status.remedy | test("restart")' "$BATS_TEST_TMPDIR/p")" = true ]
  api DELETE /v1/ports/x0
}

@test "a stale ETag is refused, and the present one is told" {
  out=$(curl -s --unix-socket "$NODE_SOCKET" -X PATCH -H 'If-Match: "old-1"' -d '{"labels":{"a":"b"}}' http://europa/v1/routers/r1)
  [ "$(echo "$out" | jq -r .status)" = 412 ]
  etag=$(echo "$out" | jq -r .etag)
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$NODE_SOCKET" -X PATCH -H "If-Match: \"$etag\"" -d '{"labels":{"a":"b"}}' http://europa/v1/routers/r1)" = 200 ]
}

@test "limits change live and are read back" {
  api PATCH /v1/routers/r1 '{"spec":{"quota":{"cpu_millis":500,"pids":40}}}' > "$BATS_TEST_TMPDIR/r"
  [ "$(jq '.status.container.effective | .cpu_millis == 500 and .pids == 40' "$BATS_TEST_TMPDIR/r")" = true ]
  node_sender ping -n -c 2 -i 0.05 -W 2 198.18.1.2
  api PATCH /v1/routers/r1 '{"spec":{"quota":{"cpu_millis":1000,"pids":64}}}' > /dev/null
}

@test "a vNIC comes and goes while the router runs" {
  api POST /v1/routers/r1/vnics '{"name":"eth2","attach":{"port":"p1","match":{"vlan":7}},"addresses":["198.18.7.1/24"]}' > /dev/null
  probe="$EUROPA_SRCDIR/tests/tools/arp_probe.py"
  node_receiver python3 "$probe" eth0 7 198.18.7.2 198.18.7.1
  [ "$(api_status DELETE /v1/routers/r1/vnics/eth2)" = 204 ]
  if node_receiver python3 "$probe" eth0 7 198.18.7.2 198.18.7.1 1; then
    return 1
  fi
  node_sender ping -n -c 2 -i 0.05 -W 2 198.18.1.2
}

# It has room for a few more than it was made with; each that goes is burnt.
@test "vNICs come and go more often than there are indices" {
  before=$(api GET /v1/routers/r1/stats | jq .resets)
  for ((i = 0; i < 10; i++)); do
    api POST /v1/routers/r1/vnics \
      '{"name":"eth2","attach":{"port":"p1","match":{"vlan":7}},"addresses":["198.18.7.1/24"]}' > /dev/null
    [ "$i" = 9 ] || [ "$(api_status DELETE /v1/routers/r1/vnics/eth2)" = 204 ]
  done
  [ "$(api GET /v1/routers/r1/stats | jq .resets)" -gt "$before" ]
  node_receiver python3 "$EUROPA_SRCDIR/tests/tools/arp_probe.py" eth0 7 198.18.7.2 198.18.7.1
  node_sender ping -n -c 2 -i 0.05 -W 2 198.18.1.2
  [ "$(api_status DELETE /v1/routers/r1/vnics/eth2)" = 204 ]
}

@test "deleting twice: 204, then 404" {
  make_router '{"name":"gone","spec":{"vnics":[]}}'
  [ "$(api_status DELETE /v1/routers/gone)" = 204 ]
  [ "$(api_status DELETE /v1/routers/gone)" = 404 ]
}

@test "disk full: 507, nothing half done, routers untouched, then all is well" {
  small=$BATS_FILE_TMPDIR/small
  mkdir "$small"
  node_release europad
  cp -a "$NODE_DIR/state" "$BATS_FILE_TMPDIR/state.copy"
  mount -t tmpfs -o size=48m tmpfs "$small"
  cp -a "$NODE_DIR/state/." "$small/"
  mount --bind "$small" "$NODE_DIR/state"
  node_agent_start
  node_wait 10 node_is_ready
  node_wait 10 sh -c "curl -s --unix-socket $NODE_SOCKET http://europa/v1/routers/r1 | jq -e '.status.state == \"running\"'"
  dd if=/dev/zero of="$small/filler" bs=64k 2>/dev/null || true
  big=$(printf 'x%.0s' $(seq 60))
  statuses=""
  for i in $(seq 1 40); do
    statuses="$statuses $(api_status PATCH /v1/routers/r1 '{"labels":{"l'"$i"'":"'"$big"'"}}')"
  done
  echo "$statuses"
  [[ "$statuses" == *507* ]]
  node_sender ping -n -c 3 -i 0.05 -W 2 198.18.1.2
  [ "$(api_status GET /v1/routers/r1)" = 200 ]
  rm "$small/filler"
  [ "$(api_status PATCH /v1/routers/r1 '{"labels":null}')" = 200 ]
  node_release europad
  umount "$NODE_DIR/state"
  # what was acknowledged on the small disk is the truth
  cp -a "$small"/europa.db* "$small"/ports.conf "$NODE_DIR/state/"
  umount "$small"
  node_agent_start
  node_wait 10 node_is_ready
}

@test "a state folder that cannot be written: a clear answer, routers untouched" {
  mount --bind "$NODE_DIR/state" "$NODE_DIR/state"
  mount -o remount,bind,ro "$NODE_DIR/state"
  run api_status PATCH /v1/routers/r1 '{"labels":{"a":"c"}}'
  umount -l "$NODE_DIR/state"
  echo "$output"
  [ "$output" = 200 ] || [ "$output" = 503 ] || [ "$output" = 507 ]
  node_sender ping -n -c 2 -i 0.05 -W 2 198.18.1.2
}

@test "a second agent on the same state is refused" {
  run "$BIN_EUROPAD" --config "$NODE_DIR/europa.conf"
  [ "$status" != 0 ]
  [[ "$output" == *"another europad"* ]]
  [ "$(api_status GET /healthz)" = 200 ]
}

@test "readiness, status and watchdog are told to the service manager" {
  python3 - "$NODE_DIR" "$BIN_EUROPAD" <<'PY'
import os, socket, subprocess, sys, time
d, europad = sys.argv[1:]
conf = open(d + '/europa.conf').read().replace(d + '/state', d + '/state2') \
    .replace(d + '/run', d + '/run2')
open(d + '/two.conf', 'w').write(conf)
path = d + '/notify'
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
s.settimeout(10)
env = dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC='400000')
p = subprocess.Popen([europad, '--config', d + '/two.conf'], env=env, stderr=subprocess.DEVNULL)
seen = b''
end = time.time() + 5
try:
    while time.time() < end and not (b'READY=1' in seen and seen.count(b'WATCHDOG=1') > 3 and b'STATUS=' in seen):
        seen += s.recv(4096) + b'\n'
    p.terminate()
    p.wait(5)
    while b'STOPPING=1' not in seen:
        seen += s.recv(4096) + b'\n'
finally:
    p.poll() is None and p.kill()
for want in (b'READY=1', b'WATCHDOG=1', b'STATUS=', b'STOPPING=1'):
    assert want in seen, (want, seen)
PY
}
