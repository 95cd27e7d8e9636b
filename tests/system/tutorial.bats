#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The tutorial of README.md, as somebody types it who reads it from above: the
# demo, every line that follows, and its end. A mount namespace has a /run of its
# own, so that the demo is where README says and nothing of this host is touched.

bats_require_minimum_version 1.5.0

README=$EUROPA_SRCDIR/README.md

setup() {
  [ "$EUROPA_BUILDDIR" -ef "$EUROPA_SRCDIR/_build" ] ||
    skip 'README.md builds in _build, and this build is elsewhere'
}

setup_file() {
  echo 'fail-with-body' > "$BATS_FILE_TMPDIR/.curlrc"
  cgroups > "$BATS_FILE_TMPDIR/cgroups"
  # bash, so that it has its mounts when it says so
  unshare --mount --propagation private bash -c '
    mount -t tmpfs -o mode=755 tutorial /run && echo here && exec sleep 600' \
    > "$BATS_FILE_TMPDIR/ready" 3>&- &
  echo $! > "$BATS_FILE_TMPDIR/holder"
  for ((i = 0; i < 500; i++)); do
    [ ! -s "$BATS_FILE_TMPDIR/ready" ] || return 0
    sleep 0.02
  done
  return 1
}

# inside COMMAND...: in the namespace and in the source tree, as who has read
# nothing but README.md
inside() {
  (cd "$EUROPA_SRCDIR" && HOME=$BATS_FILE_TMPDIR nsenter \
    --mount="/proc/$(cat "$BATS_FILE_TMPDIR/holder")/ns/mnt" --wdns="$PWD" "$@" 3>&-)
}

tutorial() { inside "$EUROPA_SRCDIR/tests/tools/tutorial.py" "$@"; }

teardown_file() {
  inside ./quickstart stop > /dev/null 2>&1 || true
  kill "$(cat "$BATS_FILE_TMPDIR/holder")"
}

@test "README: the demo shows what it says" {
  tutorial "$README" demo
}

# Each has one mistake in the block of the first look.
@test "README: a line that is wrong is found, and named" {
  local wrong=$BATS_TEST_TMPDIR/README.md edit
  for edit in 's/^europactl router list$/europactl router lst/' \
    's|/v1/routers/r1 . jq|/v1/router/r1 \| jq|' \
    's/^r1    running/r1    stopped/' \
    's/^NAME  STATE /NAME  POWER /'; do
    sed "$edit" "$README" > "$wrong"
    run ! cmp -s "$README" "$wrong"
    run tutorial "$wrong"
    echo "$edit: $output"
    [ "$status" = 1 ]
    [[ $output == *README.md:* ]]
  done
}

@test "README: every line of the tutorial does what it says" {
  tutorial "$README" > "$BATS_TEST_TMPDIR/lines"
  echo "# $(wc -l < "$BATS_TEST_TMPDIR/lines") commands of README.md" >&3
  "$EUROPA_SRCDIR/tests/tools/tutorial.py" --left-out "$README" |
    sed 's/^/# README.md: /' >&3
}

# Containers too: a monitor names the folder of its container, a cgroup its uid.
nothing_is_left() {
  local left
  left=$(inside find /run -mindepth 1 -name '*europa*' -print -o -path '/run/netns/*' -print
    grep -ls europa-demo/state /proc/[0-9]*/cmdline
    comm -13 "$BATS_FILE_TMPDIR/cgroups" <(cgroups))
  echo "$left"
  [ -z "$left" ]
}

cgroups() { find /sys/fs/cgroup -path '*/europa/*' -type d | sort; }

@test "README: stopped, the demo leaves nothing" {
  tutorial "$README" stop
  nothing_is_left
}

@test "README: Ctrl-C at its terminal ends the demo, and leaves nothing" {
  run inside tests/tools/ctrl_c.py 'Stop it with Ctrl-C' ./quickstart demo
  echo "$output"
  [ "$status" = 130 ]
  [[ $output == *"POST until 1st packet"* ]]
  nothing_is_left
}

@test "of a demo that was killed, stop leaves nothing either" {
  local pid
  inside ./quickstart demo > "$BATS_TEST_TMPDIR/demo" 2>&1 &
  for ((i = 0; i < 1800; i++)); do
    ! grep -q 'Stop it with' "$BATS_TEST_TMPDIR/demo" || break
    sleep 0.1
  done
  cat "$BATS_TEST_TMPDIR/demo"
  grep -q 'Stop it with' "$BATS_TEST_TMPDIR/demo"
  for pid in $(inside sh -c 'cat /run/europa-demo/*.supervisor /run/europa-demo/*.pid'); do
    kill -9 "$pid"
  done
  run inside ./quickstart stop
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"its routers end without it"* ]]
  wait # for the demo, which sees that
  nothing_is_left
}
