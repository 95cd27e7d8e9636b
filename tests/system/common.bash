# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# common: what every system test does. A file gets a node of its own in
# setup_file, and teardown_file takes it down and fails if anything is left.

: "${EUROPA_SRCDIR:?run it through tests/system/run}"
: "${EUROPA_BUILDDIR:?run it through tests/system/run}"

system_env() {
  NODE_DIR=$1
  NODE_NS=$2
  BIN_DATAPLANE=$EUROPA_BUILDDIR/europa-dataplane
  BIN_EUROPAD=$EUROPA_BUILDDIR/europad
  BIN_LIBEXEC=$NODE_DIR/libexec
  BIN_TEMPLATE=$EUROPA_BUILDDIR:$EUROPA_BUILDDIR/container-templates:$EUROPA_BUILDDIR/examples
  UDPSEQ=$EUROPA_BUILDDIR/udpseq
  export NODE_DIR NODE_NS BIN_DATAPLANE BIN_EUROPAD BIN_LIBEXEC BIN_TEMPLATE UDPSEQ
  # shellcheck source=tests/system/node.sh
  . "$EUROPA_SRCDIR/tests/system/node.sh"
}

# What a node may leave behind, as text to compare: namespaces, cgroups (and
# with them whatever runs in a container), mounts, and processes that name its
# folder.
system_leftovers() { # FOLDER PREFIX
  local uid
  ip netns list | awk -v p="$2" 'index($1, p) == 1 {print "netns", $1}' | sort
  { grep -oh 'uid=[0-9a-f-]\{36\}' "$1/log/europad.log" 2>/dev/null || true; } |
    cut -d= -f2 | sort -u | while read -r uid; do
    find /sys/fs/cgroup -type d -name "$uid" 2>/dev/null
  done
  grep -F "$1" /proc/self/mounts || true
  grep -lF "$1/" /proc/[0-9]*/cmdline 2>/dev/null || true
  find "$1/state/containers" "$1/run/r" -mindepth 1 ! -name '.*' 2>/dev/null || true
}

system_setup() { # PREFIX
  local dir
  dir=$(mktemp -d /tmp/eu.XXXXXX)
  chmod 755 "$dir"
  system_leftovers "$dir" "$1" > "$dir.before"
  system_env "$dir" "$1"
  mkdir -p "$BIN_LIBEXEC"
  ln -s "$EUROPA_BUILDDIR/europa-launch" \
    "$EUROPA_SRCDIR/container-templates/europa-template" "$BIN_LIBEXEC/"
  echo "$dir" > "$BATS_FILE_TMPDIR/dir"
  echo "$1" > "$BATS_FILE_TMPDIR/prefix"
  node_up
}

# At the head of setup(): the variables are not kept between bats processes.
system_resume() {
  system_env "$(cat "$BATS_FILE_TMPDIR/dir")" "$(cat "$BATS_FILE_TMPDIR/prefix")"
}

system_teardown() {
  local rc=0
  system_resume
  node_down || rc=1
  if ! system_leftovers "$NODE_DIR" "$NODE_NS" | diff "$NODE_DIR.before" - >&2; then
    echo "the node left something behind" >&2
    rc=1
  fi
  if [ $rc = 0 ]; then
    rm -rf "$NODE_DIR" "$NODE_DIR.before"
  else
    tail -n 40 "$NODE_DIR"/log/* >&2
  fi
  return $rc
}

# make_router NAME BODY: created, or the answer is shown and the test fails.
make_router() {
  api POST /v1/routers "$1" > "$BATS_TEST_TMPDIR/answer" || {
    cat "$BATS_TEST_TMPDIR/answer" >&2
    return 1
  }
}

# second_router NAME [SPEC]: on the same ports as r1, with networks of its own.
second_router() {
  make_router "{\"name\":\"$1\",\"spec\":{\"vnics\":[
    {\"name\":\"eth0\",\"attach\":{\"port\":\"p0\"},\"addresses\":[\"198.18.2.1/24\"]},
    {\"name\":\"eth1\",\"attach\":{\"port\":\"p1\"},\"addresses\":[\"198.18.3.1/24\"]}]
    ${2:-}}}"
  ip -n "$NODE_SENDER" addr add 198.18.2.2/24 dev eth0
  ip -n "$NODE_RECEIVER" addr add 198.18.3.2/24 dev eth0
  ip -n "$NODE_SENDER" route add 198.18.3.0/24 via 198.18.2.1
  ip -n "$NODE_RECEIVER" route add 198.18.2.0/24 via 198.18.3.1
}

# within SECONDS COMMAND...: until it succeeds, by the clock: it may take a second.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

at_least() { # NUMBER COMMAND...: what it prints is as much
  local n=$1
  shift
  [ "$("$@")" -ge "$n" ]
}

# listens NAMESPACE PORT: until a server there takes connections.
listens() {
  within 20 node_listens "$1" "$2"
}

# receives NAMESPACE ADDRESS PORT: until what is sent there waits for its reader.
receives() {
  within 20 is_receiving "$1" "$2" "$3"
}

is_receiving() { ip netns exec "$1" ss -Hlun "src $2:$3" | grep -q .; }

# captures: until the tcpdump whose standard error is the file tcpdump has its
# filter, and takes what comes.
captures() {
  within 20 grep -q 'listening on' "$BATS_TEST_TMPDIR/tcpdump" &&
    rm "$BATS_TEST_TMPDIR/tcpdump" # the next one has its own
}

give_ip6() { # NAMESPACE ADDRESS GATEWAY
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0
  ip netns exec "$1" sysctl -qw net.ipv6.conf.eth0.accept_ra=0
  ip -n "$1" addr add "$2/64" dev eth0 nodad
  ip -n "$1" -6 route add default via "$3"
}

# In teardown(): no traffic whose pid is in the file pids outlives its test,
# however that ends.
end_traffic() {
  local pid
  [ -e "$BATS_TEST_TMPDIR/pids" ] || return 0
  while read -r pid; do
    kill "$pid" 2> /dev/null || true
  done < "$BATS_TEST_TMPDIR/pids"
}

delete_router() { api DELETE "/v1/routers/$1"; }

stats() { api GET "/v1/routers/$1/stats"; }

# host_sum ROUTER JQ: e.g. host_sum r1 .tx.sent, over all vNICs.
host_sum() { stats "$1" | jq "[.vnics[] | $2] | add"; }

# claim ROUTER NAME: a counter of the router process. Of one that does not tell
# within 300 ms europad has the last ones only, which may be old: asked again.
claim() {
  local i begin said
  for ((i = 0; i < 20; i++)); do
    begin=$("$UDPSEQ" now)
    said=$(stats "$1")
    [ $(($("$UDPSEQ" now) - begin)) -ge 300000000 ] || break
  done
  jq ".router.counters[\"$2\"] // 0" <<< "$said"
}

init_pid() { api GET "/v1/routers/$1" | jq .status.container.init_pid; }

# The pid, on the host, of a router's data plane process.
router_process() {
  local init
  init=$(init_pid "$1")
  tr ' ' '\n' < "/proc/$init/task/$init/children" | head -n 1
}

# capture_ttl NAMESPACE COUNT FILTER: the TTLs of what arrives, one a line.
capture_ttl() {
  ip netns exec "$1" timeout 30 tcpdump -n -v -i eth0 -c "$2" "$3" 2> "$BATS_TEST_TMPDIR/tcpdump" |
    sed -n 's/.*ttl \([0-9]*\),.*/\1/p'
}
