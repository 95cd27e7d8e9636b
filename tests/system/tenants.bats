#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Tenants: two projects have a router of the same name, each in a container of
# its own; what a project has used is counted and never goes back.

setup_file() {
  load common
  system_setup eutn-
}

setup() {
  load common
  system_resume
}

teardown_file() {
  load common
  system_resume
  node_wait 10 node_is_ready || true
  for name in r1 r2; do
    api DELETE "/v1/routers/$name?project=blue" > /dev/null || true
  done
  system_teardown
}

used() { api GET "/v1/projects/$1/usage" | jq ".$2"; }

# The counts of the default project, told at once, are at least those before.
grew_from() { # BEFORE...
  local now
  now=$(used default "rx_packets, .tx_packets, .rx_bytes, .tx_bytes, .cpu_ms")
  echo "$* -> $now"
  paste <(printf '%s\n' "$@") <(echo "$now") | awk '$2 < $1 {bad = 1} END {exit bad}'
}

used_is() { [ "$(used default "$1")" -ge "$2" ]; }

@test "two projects have an r1 each, and a limit on what they may have" {
  api POST /v1/projects '{"name":"blue","spec":{"quota":{"routers":1}}}'
  make_router "$(node_router_body r1)"
  api POST '/v1/routers?project=blue' '{"name":"r1"}' > "$BATS_TEST_TMPDIR/blue"
  [ "$(jq -r .status.state "$BATS_TEST_TMPDIR/blue")" = running ]
  [ "$(api_status GET '/v1/ports/p0?project=blue')" = 404 ]
  [ "$(api_status POST '/v1/routers?project=blue' '{"name":"r2"}')" = 409 ]
  [ "$(init_pid r1)" != "$(jq .status.container.init_pid "$BATS_TEST_TMPDIR/blue")" ]
}

@test "packets and time on cores are counted, over kills and restarts" {
  local before pid
  node_wait 10 node_sender ping -c 1 -W 1 198.18.1.2
  node_sender ping -q -c 20 -i 0.01 -W 1 198.18.1.2
  node_wait 5 used_is rx_packets 40
  node_wait 5 used_is cpu_ms 1
  [ "$(used blue rx_packets)" = 0 ]
  mapfile -t before < <(used default "rx_packets, .tx_packets, .rx_bytes, .tx_bytes, .cpu_ms")
  pid=$(node_pid europad)
  kill -9 "$pid"
  node_wait 10 node_is_ready
  grew_from "${before[@]}"
  # what it has counted it has not counted twice
  [ "$(used default rx_packets)" -lt $((before[0] * 2)) ]
  api POST /v1/routers/r1/restart '{"scope":"container"}' > /dev/null
  grew_from "${before[@]}"
  api DELETE /v1/routers/r1
  grew_from "${before[@]}"
}
