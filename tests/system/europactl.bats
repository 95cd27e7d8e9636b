#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What a person types: a router made by europactl forwards; deleted and restored
# from a backup it does so again, with its routes and its pipeline.

setup_file() {
  load common
  system_setup eurc-
}

setup() {
  load common
  system_resume
  export EUROPA_SERVER=$NODE_SOCKET HOME=$BATS_TEST_TMPDIR
}

teardown_file() {
  load common
  system_teardown
}

ctl() { "$EUROPA_BUILDDIR/europactl" "$@"; }

passes() { node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2; }

@test "a router by europactl, its backup, and the router again" {
  local file=$BATS_TEST_TMPDIR/backup.json
  ctl wait-ready --for 10
  ctl router create r1 --vnic eth0,port=p0,address=198.18.0.1/24 \
    --vnic eth1,port=p1,address=198.18.1.1/24 --quota pool_slots=256
  passes
  ctl route add r1 203.0.113.0/24 --via 198.18.1.2
  printf '%s\n' '-- author: bats' 'return require "pipeline"' |
    ctl pipeline put r1 -
  ctl backup "$file"
  ctl router delete r1
  [ "$(ctl router list --format name)" = "" ]
  run ctl restore --dry-run "$file"
  [ "$status" = 10 ]
  ctl restore "$file"
  passes
  [ "$(ctl route list r1 --source api --format csv --fields prefix,via)" = \
    $'PREFIX,VIA\n203.0.113.0/24,198.18.1.2' ]
  [ "$(ctl pipeline get r1 | head -n 1)" = '-- author: bats' ]
  run ctl restore --dry-run "$file"
  [ "$status" = 0 ]
  [ "$(ctl stats r1 --format csv --fields name | tail -n 2)" = $'eth0\neth1' ]
}
