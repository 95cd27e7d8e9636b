#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A tenant who attacks: its data plane is tests/tools/hostile.c, and a neighbour
# on the same ports goes on as if nothing were. Who loses anything is seen in
# the neighbour's numbered packets, in the process numbers of the node and in
# its answers.

SECONDS_OF_ATTACK=${SECONDS_OF_ATTACK:-4}
PPS=20000

setup_file() {
  load common
  system_setup euho-
  # what the machine has is shared by quota; slots last for 0.2 s of traffic
  make_router "$(node_router_body bad ',"quota":{"cpu_millis":300}')"
  second_router good ',"quota":{"pool_slots":4096}'
}

setup() {
  load common
  system_resume
  node_sender ping -n -c 2 -i 0.1 -W 2 198.18.3.2
  plane=$(node_pid dataplane)
  agent=$(node_pid europad)
}

# Whatever the test came to, the attacker's container is honest again.
teardown() {
  local i
  # one who floods europad may drown the first order to start anew
  for ((i = 0; i < 5; i++)); do
    set_program null
    if node_wait 3 bad_runs europa-router; then break; fi
  done
  node_wait 20 bad_is running &&
    node_wait 5 node_sender ping -n -c 1 -W 1 198.18.1.2
}

teardown_file() {
  load common
  node_delete_routers
  system_teardown
}

bad_is() { api GET /v1/routers/bad | jq -e ".status.state == \"$1\""; }

bad_runs() { # the program in the container is this one
  [ "$(cat "/proc/$(router_process bad)/comm")" = "$1" ]
}

# The answer to a restart comes when it runs, and an attacker may never do so.
set_program() { # JSON
  curl -sS -m 10 --unix-socket "$NODE_SOCKET" -o /dev/null -X PATCH \
    -H 'Prefer: respond-async' -d "{\"spec\":{\"dataplane\":$1}}" \
    http://europa/v1/routers/bad
  sleep 0.2
  curl -s -m 1 --unix-socket "$NODE_SOCKET" -o /dev/null \
    -d '{"scope":"dataplane"}' http://europa/v1/routers/bad/restart || true
}

# As the container's own root: the /var of its user namespace knows no other.
put_program() {
  local init var
  init=$(init_pid bad)
  var=/proc/$init/root/var
  # shellcheck disable=SC2016
  nsenter -t "$init" -U -S 0 -G 0 -- sh -c \
    'rm -f "$1" && cat > "$1" && chmod 755 "$1"' sh "$var/hostile" \
    < "$EUROPA_BUILDDIR/hostile"
}

# attack MODE: it runs, under the neighbour's traffic, for some seconds.
attack() {
  put_program
  logged0=$(cat "$NODE_DIR"/log/* | wc -l)
  traffic_begin
  set_program "\"/var/hostile $1\""
  node_wait 5 bad_runs hostile
  [ -n "${2:-}" ] && "$2"
  slowest_answer
  traffic_end
  logged=$(($(cat "$NODE_DIR"/log/* | wc -l) - logged0))
  stats bad > "$BATS_TEST_TMPDIR/bad"
  echo "# $1: $(jq -c '{resets, quarantines,
    faults: ([.vnics[].faults | to_entries[]] | group_by(.key) |
      map({(.[0].key): (map(.value) | add)}) | add)}' "$BATS_TEST_TMPDIR/bad"), $logged lines logged, slowest answers $slowest and $second ms" >&3
}

traffic_begin() {
  node_receiver "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" recv 198.18.3.2 5002 3 9 > "$BATS_TEST_TMPDIR/recv" &
  receiver=$!
  receives "$NODE_RECEIVER" 198.18.3.2 5002
  node_sender "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" \
    send 198.18.3.2 5002 $PPS "$((SECONDS_OF_ATTACK + 3))" 9 \
    > "$BATS_TEST_TMPDIR/sent" &
  sender=$!
}

traffic_end() { wait "$sender" "$receiver"; }

# Sets slowest: the longest, in ms, that anybody waited for an answer of REST; and
# second: the same of all the others. A machine that stands still does so once.
slowest_answer() {
  local end=$((SECONDS + SECONDS_OF_ATTACK)) t
  slowest=0 second=0
  while [ $SECONDS -lt $end ]; do
    t=$(curl -s -m 5 --unix-socket "$NODE_SOCKET" -o /dev/null \
      -w '%{time_total}' http://europa/v1/routers/good | awk '{print int($1 * 1000)}')
    if [ "$t" -gt "$slowest" ]; then
      second=$slowest slowest=$t
    elif [ "$t" -gt "$second" ]; then
      second=$t
    fi
    sleep 0.05
  done
}

neighbour_is_well() {
  local sent
  sent=$(jq .sent "$BATS_TEST_TMPDIR/sent")
  cat "$BATS_TEST_TMPDIR/recv"
  [ "$sent" -gt $((PPS * SECONDS_OF_ATTACK)) ]
  [ "$(jq ".received == $sent and .lost == 0 and .reordered == 0 and .doubled == 0" "$BATS_TEST_TMPDIR/recv")" = true ]
  api GET /v1/routers/good | jq -e '.status.state == "running"'
  sleep 0.3
  stats good | jq -e '[.vnics[] | .held == 0 and .rx.filled == .back + .in_doubt
    and .rx.offered == .rx.filled + ([.rx.drops[]] | add)
    and ([.faults[]] | add) == 0 and ([.tx.drops[]] | add) == 0] | all'
}

node_is_well() {
  [ "$(node_pid dataplane)" = "$plane" ]
  [ "$(node_pid europad)" = "$agent" ]
  [ "$second" -lt 1000 ]
  [ "$slowest" -lt 5000 ]
  [ "$logged" -lt 200 ]
}

faults() { jq "[.vnics[].faults.$1] | add" "$BATS_TEST_TMPDIR/bad"; }

is_quarantined() { node_wait 8 bad_is quarantined; }

@test "random descriptors are counted, and the tenant is held off" {
  attack random is_quarantined
  node_is_well
  neighbour_is_well
  [ "$(faults bad_slot)" -gt 0 ]
  [ "$(faults not_held)" -gt 0 ]
  [ "$(jq .quarantines "$BATS_TEST_TMPDIR/bad")" -gt 0 ]
}

@test "a slot that is handed back twice is taken once" {
  attack twice is_quarantined
  node_is_well
  neighbour_is_well
  [ "$(faults not_held)" -gt 0 ]
}

@test "old laps, holes and torn order are not yet there, or faults" {
  attack turns
  node_is_well
  neighbour_is_well
}

@test "lengths, offsets and kinds that do not fit lose the packet alone" {
  attack length is_quarantined
  node_is_well
  neighbour_is_well
  [ "$(faults bad_len)" -gt 0 ]
  [ "$(faults bad_kind)" -gt 0 ]
}

@test "epochs that are taken back are begun ever later" {
  attack epoch
  node_is_well
  neighbour_is_well
  # 1, 2, 4 ... ms: about ten in the first second, then one a second, per queue
  [ "$(jq .resets "$BATS_TEST_TMPDIR/bad")" -lt 300 ]
}

@test "a storm of bells, and work that is none" {
  attack kick
  node_is_well
  neighbour_is_well
}

@test "sleepers by the thousand cost nobody else anything" {
  attack wake
  node_is_well
  neighbour_is_well
}

@test "its memory keeps its size, its mode and its pages" {
  attack holes
  node_is_well
  neighbour_is_well
}

@test "one that dies with packets in its hands is started again" {
  attack die
  node_is_well
  neighbour_is_well
}

@test "europad answers while a tenant hangs, floods and lies to it" {
  attack agent
  node_is_well
  neighbour_is_well
}
