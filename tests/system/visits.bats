#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Visits: what a client does inside a router's container has the container's
# rights and nothing of the node; and what the node does for a router unasked.

setup_file() {
  load common
  command -v busybox > /dev/null || skip "no static busybox for a shell in the container"
  system_setup euvi-
  make_router "$(node_router_body r1)"
}

setup() {
  load common
  system_resume
}

teardown() { end_traffic; }

teardown_file() {
  load common
  [ ! -e "$BATS_FILE_TMPDIR/dir" ] || system_teardown
}

# in_router SCRIPT: its output; fails as it does.
in_router() {
  api POST /v1/routers/r1/exec "$(jq -n --arg s "$1" '{argv: ["sh", "-c", $s]}')" \
    > "$BATS_TEST_TMPDIR/lines" || return 1
  jq -jr '.stdout // .stderr // ""' "$BATS_TEST_TMPDIR/lines"
  [ "$(jq -s ".[-1].exit_code" "$BATS_TEST_TMPDIR/lines")" = 0 ]
}

# The rights of a process, by its status file.
rights() { grep -E '^(Cap|NoNewPrivs|Seccomp:)' "$1"; }

@test "a command has init's rights, and its namespaces" {
  pid=$(init_pid r1)
  [ "$(in_router 'id -u')" = 0 ]
  in_router 'cat /proc/self/status' > "$BATS_TEST_TMPDIR/status"
  diff <(rights "/proc/$pid/status") <(rights "$BATS_TEST_TMPDIR/status")
  grep -q '^NoNewPrivs:.1' "$BATS_TEST_TMPDIR/status"
  for ns in user mnt net pid ipc uts; do
    [ "$(in_router "readlink /proc/self/ns/$ns")" = "$(readlink "/proc/$pid/ns/$ns")" ]
  done
  [ "$(in_router 'cat /proc/self/cgroup')" = "$(in_router 'cat /proc/1/cgroup')" ]
  # three pipes, and the folder that ls reads
  in_router 'ls -l /proc/self/fd' > "$BATS_TEST_TMPDIR/fds"
  cat "$BATS_TEST_TMPDIR/fds"
  [ "$(grep -c 'pipe:' "$BATS_TEST_TMPDIR/fds")" = 3 ]
  [ "$(grep -c '^l[-r]' "$BATS_TEST_TMPDIR/fds")" = 4 ]
  run in_router 'mount -t tmpfs x /tmp'
  [ "$status" != 0 ]
}

@test "a client that goes away ends its command, in the container" {
  curl -sN --unix-socket "$NODE_SOCKET" http://europa/v1/routers/r1/exec \
    -d '{"argv":["sleep","1234"]}' > /dev/null &
  echo $! > "$BATS_TEST_TMPDIR/pids"
  node_wait 5 in_router 'pidof sleep'
  kill "$(cat "$BATS_TEST_TMPDIR/pids")"
  node_wait 5 in_router '! pidof sleep'
}

@test "a file goes in and comes out; what is none is refused" {
  curl_file() { curl -sS --unix-socket "$NODE_SOCKET" "http://europa/v1/routers/r1/files?path=$1" "${@:2}"; }
  head -c 300000 /dev/urandom > "$BATS_TEST_TMPDIR/bytes"
  curl_file /var/bytes -f -X PUT --data-binary @"$BATS_TEST_TMPDIR/bytes"
  curl_file /var/bytes -f | cmp - "$BATS_TEST_TMPDIR/bytes"
  in_router 'rm /var/bytes; mkfifo /var/fifo; ln -s /proc/1/environ /var/env; ln -s /dev/zero /var/zero'
  for path in /var/fifo /var/env /var/zero /etc/passwd /proc/version /sys/kernel/uevent_seqnum /var; do
    [ "$(curl_file $path -o /dev/null -w '%{http_code}')" = 422 ]
  done
  [ "$(curl_file /etc/passwd -o /dev/null -w '%{http_code}' -X PUT -d x)" = 422 ]
  # more than its disk of 16 MiB holds
  in_router 'dd if=/dev/zero of=/var/full bs=1M count=100 2>/dev/null; true'
  [ "$(curl_file /var/more -o /dev/null -w '%{http_code}' -X PUT --data-binary @"$BATS_TEST_TMPDIR/bytes")" = 409 ]
  in_router 'rm /var/full /var/fifo /var/env /var/zero; ls -a /var' > "$BATS_TEST_TMPDIR/ls"
  run grep europa- "$BATS_TEST_TMPDIR/ls"
  [ "$status" = 1 ]
}

@test "the disk grows and shrinks while it runs, not below what is there" {
  disk() { api PATCH /v1/routers/r1/quota "{\"limit\":{\"disk_bytes\":\"$1\"}}" > "$BATS_TEST_TMPDIR/q"; }
  room() { stat -fc '%b*%S' "/proc/$(init_pid r1)/root/var"; }
  was=$(init_pid r1)
  in_router 'dd if=/dev/zero of=/var/full bs=1M count=100 2>/dev/null; true'
  disk 24MiB
  [ "$(($(room)))" = 25165824 ]
  jq -e '.effective.disk_bytes == 25165824 and .usage.disk_bytes > 16000000' "$BATS_TEST_TMPDIR/q"
  in_router 'head -c 4194304 /dev/zero > /var/more'
  run disk 8MiB
  [ "$status" != 0 ]
  jq -e '.code == "quota-exceeded" and .best.disk_bytes > 20000000' "$BATS_TEST_TMPDIR/q"
  [ "$(($(room)))" = 25165824 ]
  in_router 'rm /var/full'
  disk 8MiB
  [ "$(($(room)))" = 8388608 ]
  run in_router 'head -c 6291456 /dev/zero > /var/full'
  [ "$status" != 0 ]
  in_router 'rm /var/full /var/more'
  [ "$(init_pid r1)" = "$was" ]
}

@test "the cores of a running router change" {
  cores() { api PATCH /v1/routers/r1/quota "{\"limit\":{\"cpu_set\":\"$1\"}}" > "$BATS_TEST_TMPDIR/q"; }
  allowed() { sed -n 's/^Cpus_allowed_list:.//p' "/proc/$(init_pid r1)/status"; }
  all=$(allowed)
  cores 0
  jq -e '.effective.cpu_set == "0"' "$BATS_TEST_TMPDIR/q"
  [ "$(allowed)" = 0 ]
  cores ''
  jq -e '.effective == .limit' "$BATS_TEST_TMPDIR/q"
  [ "$(allowed)" = "$all" ]
}

ended_by_9() { api GET /v1/routers/r1 | jq -e '.status.faults[] | select(.what == "container-ended" and .signal == 9)'; }
runs_again() { api GET /v1/routers/r1 | jq -e ".status.state == \"running\" and .status.container.init_pid != $1"; }

@test "its init is killed: it runs again, fault and log outlive europad" {
  api PATCH /v1/routers/r1 '{"spec":{"lease":{"seconds":3600,"on_expiry":"stop"}}}'
  pid=$(init_pid r1)
  in_router 'echo the last words >> /var/log/europa.log'
  has_last_words() { api GET /v1/routers/r1/logs | grep 'the last words'; }
  node_wait 5 has_last_words
  kill -9 "$pid"
  node_wait 10 runs_again "$pid"
  ended_by_9
  has_last_words
  old=$(node_pid europad)
  kill -9 "$old"
  is_another() { [ "$(node_pid europad)" != "$old" ]; }
  node_wait 10 is_another
  node_wait 10 node_is_ready
  ended_by_9
  has_last_words
  [ "$(api GET /v1/routers/r1 | jq '.status.lease.remaining_seconds > 3000')" = true ]
}

@test "never: a death is the last one, also one that nobody saw" {
  api PATCH /v1/routers/r1 '{"spec":{"restart_policy":{"mode":"never"}}}'
  pid=$(init_pid r1)
  node_release europad
  kill -9 "$pid"
  node_agent_start
  node_wait 10 node_is_ready
  is_failed() { [ "$(api GET /v1/routers/r1 | jq -r .status.state)" = failed ]; }
  node_wait 10 is_failed
  api PUT /v1/routers/r1/power '{"desired":"running"}'
  [ "$(init_pid r1)" != 0 ]
}
