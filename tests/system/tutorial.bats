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

@test "README: stopped, the demo leaves nothing" {
  tutorial "$README" stop
  run inside find /run -mindepth 1 -path /run/lxc -prune -o \
    -name '*europa*' -print -o -path '/run/netns/*' -print
  echo "$output"
  [ -z "$output" ]
}
