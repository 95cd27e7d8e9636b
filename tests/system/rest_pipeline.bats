#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What a router runs, by REST: pipelines and run-time routes are in force when
# curl has its answer, lose no packet when they change, and are there again after
# europad was killed and the container started anew.

SWAPS=30
ROUTES=10000

setup_file() {
  load common
  system_setup eurp-
  make_router "$(node_router_body r1 ',"quota":{"pool_slots":8192}')"
  # whatever has one of these addresses as its destination is the receiver's
  ip -n "$NODE_RECEIVER" route add local 198.19.0.0/16 dev lo
}

setup() {
  load common
  system_resume
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2
}

teardown() {
  end_traffic
}

teardown_file() {
  load common
  system_teardown
}

# rest METHOD PATH TYPE FILE: the answer's body; STATUS is in the file status.
rest() {
  curl -sS --unix-socket "$NODE_SOCKET" -X "$1" -H "Content-Type: $3" \
    --data-binary "@$4" -w '%{stderr}%{http_code}' \
    "http://europa/v1/routers/r1/$2" 2> "$BATS_TEST_TMPDIR/status"
}

status_is() { [ "$(cat "$BATS_TEST_TMPDIR/status")" = "$1" ]; }

# give TEXT [STATUS]: it is the pipeline; the answer is in the file answer.
give() {
  printf '%s\n' "$1" > "$BATS_TEST_TMPDIR/text"
  rest PUT pipeline text/x-lua "$BATS_TEST_TMPDIR/text" \
    > "$BATS_TEST_TMPDIR/answer"
  status_is "${2:-201}" || {
    cat "$BATS_TEST_TMPDIR/status" "$BATS_TEST_TMPDIR/answer" >&2
    return 1
  }
}

answered() { jq -r "$1" "$BATS_TEST_TMPDIR/answer"; }

runs() { api GET /v1/routers/r1/pipeline | jq -r .revision; }

# at_port PORT [COMMENT]: a pipeline that drops UDP to that port.
at_port() {
  cat << LUA
-- author: bats
local pipeline = require "pipeline"
local router = require "router"
local C = router.C
pipeline.steps:after("check_ip4", "mine", function(tables, batch)
   for i in router.frames(batch) do
      local ip = batch.frame[i].data + C.ETH_BYTES
      if ip[C.IP4_PROTOCOL] == C.IP_UDP and router.be16(ip + 22) == $1 then
         router.drop(batch, i)
      end
   end
end)
return pipeline -- ${2:-}
LUA
}

knock() { # PORT: one datagram through r1
  node_sender bash -c "echo x > /dev/udp/198.18.1.2/$1"
}

dropped() { [ "$(claim r1 pipeline_drop)" = "$1" ]; }

# reaches ADDRESS [SECONDS]: it answers within so many.
reaches() { node_sender ping -n -c 1 -W "${2:-1}" "$1"; }
reaches_not() { ! reaches "$1"; }

# A table of ROUTES host routes, a line each: 198.19.0.0 and on.
table() {
  local i
  for ((i = 0; i < ROUTES; i++)); do
    printf '{"prefix": "198.19.%d.%d/32", "via": "198.18.1.2"}\n' \
      $((i / 256)) $((i % 256))
  done
}

change() { # LINES STATUS
  printf '%s\n' "$1" > "$BATS_TEST_TMPDIR/lines"
  rest PATCH routes application/x-ndjson "$BATS_TEST_TMPDIR/lines" \
    > "$BATS_TEST_TMPDIR/answer"
  cat "$BATS_TEST_TMPDIR/answer"
  status_is "$2"
}

restart_container() {
  api POST /v1/routers/r1/restart '{"scope":"container"}'
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2
}

@test "a pipeline that is PUT does what it says when curl has its answer" {
  give "$(at_port 5999)"
  [ "$(answered .revision)" = 1 ]
  [ "$(answered .author)" = bats ]
  [ "$(answered .digest)" = "$(sha256sum < "$BATS_TEST_TMPDIR/text" | cut -d' ' -f1)" ]
  before=$(claim r1 pipeline_drop)
  knock 5999
  knock 5999
  knock 5998
  node_wait 5 dropped $((before + 2))
  sleep 0.2
  dropped $((before + 2))
}

@test "one that is wrong is refused with its line, and changes nothing" {
  running=$(runs)
  give $'local pipeline = require "pipeline"\nlocal x = = 1' 422
  answered .detail | grep ':2: unexpected symbol'
  [ "$(answered .code)" = pipeline-refused ]
  [ "$(answered .line)" = 2 ]
  [ "$(runs)" = "$running" ]
}

@test "rollback: the one before, and the template's" {
  give "$(at_port 5998)"
  two=$(answered .revision)
  before=$(claim r1 pipeline_drop)
  api POST /v1/routers/r1/pipeline/rollback '{}' | jq -e '.revision == 1'
  knock 5998
  knock 5999
  node_wait 5 dropped $((before + 1))
  api POST /v1/routers/r1/pipeline/rollback '{"revision": 0}'
  knock 5998
  knock 5999
  api POST /v1/routers/r1/pipeline/rollback "{\"revision\": $two}"
  knock 5998
  node_wait 5 dropped $((before + 2))
}

@test "$SWAPS swaps by REST under traffic lose nothing" {
  local window=$BATS_TEST_TMPDIR/window i sent
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" -w "$window" recv 198.18.1.2 5002 3 7 \
    > "$BATS_TEST_TMPDIR/got" &
  echo $! >> "$BATS_TEST_TMPDIR/pids"
  receives "$NODE_RECEIVER" 198.18.1.2 5002
  ip netns exec "$NODE_SENDER" "$UDPSEQ" -w "$window" send 198.18.1.2 5002 50000 300 7 \
    > "$BATS_TEST_TMPDIR/sent" &
  echo $! >> "$BATS_TEST_TMPDIR/pids"
  for ((i = 1; i <= SWAPS; i++)); do
    give "$(at_port 5999 "$i")"
  done
  kill "$(tail -n 1 "$BATS_TEST_TMPDIR/pids")" # the sender
  while read -r i; do
    wait "$i"
  done < "$BATS_TEST_TMPDIR/pids"
  cat "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/got"
  sent=$(jq .sent "$BATS_TEST_TMPDIR/sent")
  [ "$sent" -gt 10000 ]
  jq -e ".received == $sent and .lost == 0 and .reordered == 0 and .doubled == 0" \
    "$BATS_TEST_TMPDIR/got"
}

@test "it outlives europad, and holds from the first packet of a new container" {
  give "$(at_port 5999 'to stay')"
  revision=$(answered .revision)
  old=$(node_pid europad)
  kill -9 "$old"
  is_another() { [ "$(node_pid europad)" != "$old" ] && node_is_ready; }
  node_wait 15 is_another
  [ "$(runs)" = "$revision" ]
  # what is dropped arrives never, before, in and after a start
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" recv 198.18.1.2 5999 60 7 \
    > "$BATS_TEST_TMPDIR/got" &
  receiver=$!
  echo "$receiver" >> "$BATS_TEST_TMPDIR/pids"
  receives "$NODE_RECEIVER" 198.18.1.2 5999
  ip netns exec "$NODE_SENDER" "$UDPSEQ" send 198.18.1.2 5999 2000 300 7 \
    > "$BATS_TEST_TMPDIR/sent" 2>&1 &
  echo $! >> "$BATS_TEST_TMPDIR/pids"
  sleep 0.2
  restart_container
  drops_many() { [ "$(claim r1 pipeline_drop)" -gt 100 ]; }
  node_wait 10 drops_many
  kill "$(tail -n 1 "$BATS_TEST_TMPDIR/pids")" "$receiver"
  wait "$receiver" || true
  cat "$BATS_TEST_TMPDIR/got"
  jq -e '.received == 0' "$BATS_TEST_TMPDIR/got"
  [ "$(runs)" = "$revision" ]
}

@test "$ROUTES routes that are PUT are there for the next packet" {
  reaches_not 198.19.3.7
  table > "$BATS_TEST_TMPDIR/table"
  rest PUT routes application/x-ndjson "$BATS_TEST_TMPDIR/table" \
    > "$BATS_TEST_TMPDIR/answer"
  cat "$BATS_TEST_TMPDIR/answer"
  status_is 200
  [ "$(answered .routes)" = $ROUTES ]
  [ "$(answered .applied)" = true ]
  for i in 198.19.0.0 198.19.3.7 198.19.20.99 198.19.39.15; do
    reaches $i 5
  done
  reaches_not 198.19.39.16 # one more than there are
  change '{"op": "delete", "prefix": "198.19.3.7/32"}' 200
  reaches_not 198.19.3.7
  change '{"prefix": "198.19.200.0/24", "via": "198.18.1.2"}' 200
  reaches 198.19.200.200 5
  # the second line leads nowhere: neither is carried out
  change $'{"prefix": "198.19.201.0/24", "via": "198.18.1.2"}\n{"prefix": "198.19.202.0/24", "via": "192.0.2.1"}' 422
  reaches_not 198.19.201.1
}

@test "routes outlive the router's process, europad and the container" {
  kill -9 "$(router_process r1)"
  node_wait 10 reaches 198.19.20.99
  kill -9 "$(node_pid europad)"
  reaches 198.19.20.99 5
  node_wait 15 node_is_ready
  restart_container
  node_wait 20 reaches 198.19.20.99
  node_wait 10 reaches 198.19.200.200
  reaches_not 198.19.3.7
  # those that the node writes down while the router is off
  api PUT /v1/routers/r1/power '{"desired":"stopped"}'
  change '{"op": "delete", "prefix": "198.19.20.99/32"}' 200
  [ "$(answered .applied)" = false ]
  api PUT /v1/routers/r1/power '{"desired":"running"}'
  node_wait 20 reaches 198.19.20.98
  reaches_not 198.19.20.99
}

@test "a router that is deleted leaves nothing of it on the disk" {
  uid=$(api GET /v1/routers/r1 | jq -r .uid)
  [ -d "$NODE_DIR/state/routers/$uid" ]
  delete_router r1
  [ ! -e "$NODE_DIR/state/routers/$uid" ]
  # nor does one whose deletion was cut off
  mkdir -p "$NODE_DIR/state/routers/$uid/pipelines"
  kill -9 "$(node_pid europad)"
  node_wait 15 test ! -e "$NODE_DIR/state/routers/$uid"
  node_wait 15 node_is_ready
}
