#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Pipelines in Lua: changed under traffic without a loss, contained when they go
# wrong, in a container as its owner would do it.

SWAPS=100

setup_file() {
  load common
  system_setup eulu-
  make_router "$(node_router_body r1 ',"quota":{"pool_slots":8192}')"
  second_router r2 ',"quota":{"pool_slots":8192}'
}

setup() {
  load common
  system_resume
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.1.2
  node_wait 10 node_sender ping -n -c 1 -W 1 198.18.3.2
}

teardown() {
  end_traffic
}

teardown_file() {
  load common
  system_teardown
}

# The folder of router.conf, in the container of r1.
folder() { echo "/proc/$(init_pid r1)/root/run/europa"; }

# give TEXT: it is the owner's pipeline; NUMBER is its revision. Written by the
# container's root: that of the host owns nothing there.
give() {
  local uid
  NUMBER=$(($(newest) + 1))
  uid=$(stat -c %u "$(folder)")
  (cd "$(folder)" && printf '%s\n' "$1" |
    setpriv --reuid "$uid" --regid "$uid" --clear-groups \
      sh -c 'cat > .pipeline.new && mv .pipeline.new pipeline.lua' 2> /dev/null)
}

newest() {
  tail -n 1 "$(folder)/pipelines/list" 2> /dev/null | cut -d' ' -f1 | grep . || echo 0
}

is() { # NUMBER STATE
  grep -q "^$1 $2 " "$(folder)/pipelines/list"
}

# at_port PORT WHAT: a pipeline that does WHAT with UDP to that port.
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
         $2
      end
   end
end)
return pipeline
LUA
}

# traffic_start NAME DST PPS SECONDS, held up while its receiver is.
traffic_start() {
  local window=$BATS_TEST_TMPDIR/$1.window
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" -w "$window" recv "$2" 5002 3 7 \
    > "$BATS_TEST_TMPDIR/$1" &
  echo $! >> "$BATS_TEST_TMPDIR/pids"
  receives "$NODE_RECEIVER" "$2" 5002
  ip netns exec "$NODE_SENDER" "$UDPSEQ" -w "$window" send "$2" 5002 "$3" "$4" 7 \
    > "$BATS_TEST_TMPDIR/$1.sent" &
  echo $! >> "$BATS_TEST_TMPDIR/pids"
}

# Waits for the traffic of NAME, in the shell that started it. All of it came, in
# order and once.
all_came() { # NAME
  local pid sent
  while read -r pid; do
    wait "$pid"
  done < "$BATS_TEST_TMPDIR/pids"
  cat "$BATS_TEST_TMPDIR/$1.sent" "$BATS_TEST_TMPDIR/$1"
  sent=$(jq .sent "$BATS_TEST_TMPDIR/$1.sent")
  [ "$sent" -gt 10000 ] &&
    jq -e ".received == $sent and .lost == 0 and .reordered == 0 and .doubled == 0" \
      "$BATS_TEST_TMPDIR/$1"
}

knock() { # PORT: one datagram through r1
  node_sender bash -c "echo x > /dev/udp/198.18.1.2/$1"
}

# KiB that are the router's own: how much of the shared pool it has touched so far
# is a matter of how the machine stood still.
own_memory() {
  awk '/^RssAnon/ {print $2}' "/proc/$(router_process r1)/status"
}

dropped() { [ "$(claim r1 pipeline_drop)" = "$1" ]; }

@test "a pipeline of the owner's does what it says, at once" {
  give "$(at_port 5999 'router.drop(batch, i)')"
  node_wait 5 is "$NUMBER" running
  before=$(claim r1 pipeline_drop)
  knock 5999
  knock 5999
  knock 5998
  node_wait 5 dropped $((before + 2))
  sleep 0.2
  dropped $((before + 2))
}

@test "one that is wrong is refused with its line, and changes nothing" {
  running=$(awk '$2 == "running" {print $1}' "$(folder)/pipelines/list")
  give 'local x = = 1'
  node_wait 5 is "$NUMBER" refused
  grep "^$NUMBER .*pipeline.lua:1: unexpected symbol" "$(folder)/pipelines/list"
  is "$running" running
}

@test "100 swaps under traffic lose nothing, and leave no memory behind" {
  traffic_start flow 198.18.1.2 50000 300
  for ((i = 1; i <= SWAPS; i++)); do
    give "$(at_port 5999 "router.drop(batch, i) -- $i")"
    node_wait 10 is "$NUMBER" running
    [ "$i" != 20 ] ||
      rss=$(own_memory)
  done
  end=$(own_memory)
  kill "$(tail -n 1 "$BATS_TEST_TMPDIR/pids")" # the sender
  echo "KiB after 20 swaps $rss, after $SWAPS $end"
  all_came flow
  # a state that stays behind is more than 100 KiB
  [ "$end" -le $((rss + 1024)) ]
}

@test "one that stands still costs its neighbour nothing, and is replaced" {
  process=$(router_process r1)
  before=$(awk '$2 == "running" {print $1}' "$(folder)/pipelines/list")
  give "$(at_port 5777 'while i do end')"
  node_wait 5 is "$NUMBER" running
  traffic_start neighbour 198.18.3.2 20000 4
  knock 5777
  node_wait 5 is "$NUMBER" failed
  node_wait 5 is "$before" running
  [ "$(router_process r1)" != "$process" ]
  node_wait 5 node_sender ping -n -c 1 -W 1 198.18.1.2
  all_came neighbour
}

@test "one that crashes the router is not started again" {
  before=$(awk '$2 == "running" {print $1}' "$(folder)/pipelines/list")
  give "$(at_port 5777 'require("ffi").cast("int *", 0)[0] = 1')"
  node_wait 5 is "$NUMBER" running
  traffic_start neighbour 198.18.3.2 20000 4
  knock 5777
  node_wait 5 is "$NUMBER" failed
  grep "^$NUMBER .*crashed: Segmentation fault" "$(folder)/pipelines/list"
  is "$before" running
  node_wait 5 node_sender ping -n -c 1 -W 1 198.18.1.2
  all_came neighbour
}
