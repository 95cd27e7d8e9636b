# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# node.sh: one Europa node on virtual ports, for the demo and the system tests.
#
#     sender            data plane's namespace             receiver
#   +----------+      +------------------------+         +----------+
#   | eth0     |======| p0    europa-      p1  |=========| eth0     |
#   | 198.18.0.2      | dataplane              |         | 198.18.1.2
#   +----------+ veth +------------------------+  veth   +----------+
#                        ||| shared memory
#                     containers: r1, r2, ...    europad (host namespace)
#
# The namespace of the data plane has no addresses and does not forward; no veth
# enters a container; offloads are off. So whatever arrives at the receiver,
# Europa has moved it.
#
# Before sourcing: NODE_DIR (a fresh folder for all state), NODE_NS (prefix of
# the namespaces; may be empty), BIN_DATAPLANE, BIN_EUROPAD, BIN_LIBEXEC,
# BIN_TEMPLATE (folders with what a template holds, colons between).
# Optional: NODE_CONTAINERS (lxc), NODE_MEMORY_MIB, NODE_WEB, NODE_USER,
# NODE_WORKERS, NODE_HUGE (auto), NODE_AGENT_MORE and NODE_PLANE_MORE (lines of
# europa.conf), NODE_PLANE_ENV (an array, NAME=VALUE), NODE_DEVARGS0 and
# NODE_DEVARGS1 (of p0 and p1).

NODE_SENDER=${NODE_NS}sender
NODE_RECEIVER=${NODE_NS}receiver
NODE_PLANE_NS=${NODE_NS}europa-dp
NODE_SOCKET=$NODE_DIR/run/api.sock
NODE_PLANE_SOCKET=$NODE_DIR/plane/control.sock

node_say() { printf '%s\n' "$*" >&2; }

# node_wait SECONDS COMMAND...: until it succeeds; 1 if it never does.
node_wait() {
  local left=$(($1 * 50))
  shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 0.02
  done
}

# node_listens NAMESPACE PORT: a server there takes connections.
node_listens() { ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q .; }

# api METHOD PATH [BODY]: the answer's body; fails on a status of 400 or more.
api() {
  local out status
  out=$(curl -sS --unix-socket "$NODE_SOCKET" -X "$1" -w '\n%{http_code}' \
    ${3+-d "$3"} "http://europa$2") || return 1
  status=${out##*$'\n'}
  printf '%s\n' "${out%$'\n'*}"
  [ "$status" -lt 400 ]
}

# api_status METHOD PATH [BODY]: the HTTP status alone.
api_status() {
  curl -sS -o /dev/null --unix-socket "$NODE_SOCKET" -X "$1" \
    -w '%{http_code}' ${3+-d "$3"} "http://europa$2"
}

node_offloads_off() { # NAMESPACE DEVICE
  ip netns exec "$1" ethtool -K "$2" tso off gso off gro off tx off rx off \
    rxvlan off txvlan off sg off >/dev/null 2>&1 || true
}

node_veth() { # NAMESPACE PORT ADDRESS GATEWAY
  ip link add eth0 netns "$1" type veth peer name "$2" netns "$NODE_PLANE_NS"
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
  ip netns exec "$NODE_PLANE_NS" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1"
  node_offloads_off "$1" eth0
  node_offloads_off "$NODE_PLANE_NS" "$2"
  ip -n "$1" addr add "$3" dev eth0
  ip -n "$1" link set lo up
  ip -n "$1" link set eth0 up
  ip -n "$NODE_PLANE_NS" link set "$2" up
  ip -n "$1" route add default via "$4"
}

node_namespaces_up() {
  local ns
  for ns in "$NODE_SENDER" "$NODE_RECEIVER" "$NODE_PLANE_NS"; do
    ip netns add "$ns" || return 1
    ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=0
  done
  node_veth "$NODE_SENDER" p0 198.18.0.2/24 198.18.0.1
  node_veth "$NODE_RECEIVER" p1 198.18.1.2/24 198.18.1.1
}

node_namespaces_down() {
  local ns
  for ns in "$NODE_SENDER" "$NODE_RECEIVER" "$NODE_PLANE_NS"; do
    ip netns del "$ns" 2>/dev/null || true
  done
}

node_write_conf() {
  mkdir -p "$NODE_DIR"/{state,run,plane,log}
  chmod 755 "$NODE_DIR" "$NODE_DIR/run"
  cat > "$NODE_DIR/europa.conf" <<CONF
[agent]
state_dir = $NODE_DIR/state
run_dir = $NODE_DIR/run
socket = $NODE_SOCKET
dataplane_socket = $NODE_PLANE_SOCKET
libexec_dir = $BIN_LIBEXEC
template_bin = $BIN_TEMPLATE
web_dir = ${NODE_WEB:-}
containers = ${NODE_CONTAINERS:-lxc}
memory_mib = ${NODE_MEMORY_MIB:-0}
${NODE_AGENT_MORE:-}
log_level = ${NODE_LOG_LEVEL:-info}

[dataplane]
socket = $NODE_PLANE_SOCKET
ports = $NODE_DIR/state/ports.conf
user = ${NODE_USER-nobody}
hugepages = ${NODE_HUGE:-auto}
workers = ${NODE_WORKERS:-0}
log_level = ${NODE_LOG_LEVEL:-info}
${NODE_PLANE_MORE:-}
CONF
}

# node_supervise NAME COMMAND...: runs it again whenever it ends, as a service
# manager would, until node_release NAME. Its pid is in NODE_DIR/NAME.pid. With
# NODE_SETSID=setsid no Ctrl-C at a terminal reaches it.
node_supervise() {
  local name=$1
  shift
  rm -f "$NODE_DIR/$name.stop"
  (
    trap '' INT
    while [ ! -e "$NODE_DIR/$name.stop" ]; do
      ${NODE_SETSID-} "$@" >> "$NODE_DIR/log/$name.log" 2>&1 3>&- &
      echo $! > "$NODE_DIR/$name.pid"
      wait $!
      sleep 0.02
    done
  ) 2>/dev/null 3>&- &
  echo $! > "$NODE_DIR/$name.supervisor"
  node_wait 5 test -s "$NODE_DIR/$name.pid"
}

node_pid() { cat "$NODE_DIR/$1.pid"; }

# A pid of a file may be of another program by now; one that was just started
# names its configuration within a moment.
node_is_ours() { grep -qsF "$NODE_DIR/" "/proc/$1/cmdline"; }

node_release() { # NAME: end it and its supervisor
  local pid
  [ -e "$NODE_DIR/$1.pid" ] || return 0
  touch "$NODE_DIR/$1.stop"
  pid=$(node_pid "$1")
  if [ -e "/proc/$pid" ] && node_wait 1 node_is_ours "$pid"; then
    kill "$pid" 2>/dev/null || true
    if ! node_wait 5 test ! -e "/proc/$pid"; then
      node_say "$1 did not stop within 5 s: killed"
      kill -9 "$pid" 2>/dev/null || true
    fi
  fi
  pid=$(cat "$NODE_DIR/$1.supervisor")
  [ ! "/proc/$pid/exe" -ef "$BASH" ] || node_wait 5 test ! -e "/proc/$pid" ||
    kill -9 "$pid" 2>/dev/null || true
  rm -f "$NODE_DIR/$1".{pid,stop,supervisor}
}

# RUNTIME_DIRECTORY is where DPDK makes a folder per process that nobody removes.
node_plane_start() {
  # shellcheck disable=SC2153 # who has something for it sets it
  node_supervise dataplane ip netns exec "$NODE_PLANE_NS" \
    env RUNTIME_DIRECTORY="$NODE_DIR/plane" \
    ${NODE_PLANE_ENV[@]+"${NODE_PLANE_ENV[@]}"} "$BIN_DATAPLANE" --config "$NODE_DIR/europa.conf"
}

node_agent_start() {
  node_supervise europad "$BIN_EUROPAD" --config "$NODE_DIR/europa.conf"
}

node_is_ready() { api GET /readyz; }

node_make_ports() { # [MORE ARGUMENTS OF THE DEVICES]
  local i devargs=("${NODE_DEVARGS0:-net_af_packet0,iface=p0,framecnt=8192}"
    "${NODE_DEVARGS1:-net_af_packet1,iface=p1,framecnt=8192}")
  for i in 0 1; do
    api POST /v1/ports "{\"name\":\"p$i\",\"spec\":{\"devargs\":\"${devargs[i]}${1-}\"}}" || return 1
  done
}

# The whole node, without routers. Fails with the logs on standard error.
node_up() {
  node_namespaces_up && node_write_conf && node_plane_start &&
    node_agent_start && node_wait 15 node_is_ready &&
    node_make_ports "" > /dev/null && return 0
  node_say "the node did not come up; its logs:"
  tail -n 30 "$NODE_DIR"/log/* >&2
  return 1
}

node_delete_routers() {
  local project name
  for project in $(api GET /v1/projects | jq -r '.items[].name'); do
    for name in $(api GET "/v1/routers?project=$project" | jq -r '.items[].name'); do
      api DELETE "/v1/routers/$name?project=$project" > /dev/null || return 1
    done
  done
}

# Everything that node_up and the routers made; prints what would not go.
node_down() {
  local rc=0
  if [ -S "$NODE_SOCKET" ]; then
    node_delete_routers || rc=1
  fi
  node_release europad
  node_release dataplane
  # shellcheck disable=SC2086
  [ -z "${NODE_FLOW:-}" ] || kill $NODE_FLOW 2>/dev/null || true
  node_namespaces_down
  [ "$rc" = 0 ] || node_say "not every router could be deleted"
  return $rc
}

# Router NAME between p0 and p1: 198.18.0.1/24 and 198.18.1.1/24, VLAN optional.
node_router_body() { # NAME [MORE SPEC MEMBERS, as JSON text with a comma first]
  cat <<JSON
{"name":"$1","spec":{"vnics":[
 {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24"]},
 {"name":"eth1","attach":{"port":"p1"},"addresses":["198.18.1.1/24"]}]${2:-}}}
JSON
}

node_sender() { ip netns exec "$NODE_SENDER" "$@"; }
node_receiver() { ip netns exec "$NODE_RECEIVER" "$@"; }

# The receiver says in its window which datagram it wants next: not the first.
node_first_is_there() {
  [ -s "$NODE_DIR/first.window" ] && ! cmp -s -n 8 "$NODE_DIR/first.window" /dev/zero
}

# Sets ROUTER_START_MS and FIRST_PACKET_MS, from the POST to its answer and to the
# first datagram at the receiver: datagrams flow at 2000 a second before there is
# a router. Wants UDPSEQ; its eth0 has the MAC 0a:00:00:00:00:10.
# shellcheck disable=SC2034
node_first_packet() { # BODY
  local mac0=0a:00:00:00:00:10 start out recv send rc=0
  ip -n "$NODE_SENDER" neigh replace 198.18.0.1 lladdr $mac0 dev eth0
  rm -f "$NODE_DIR/first.window"
  ip netns exec "$NODE_RECEIVER" "$UDPSEQ" -w "$NODE_DIR/first.window" \
    recv 198.18.1.2 5001 60 1 > "$NODE_DIR/first.json" &
  recv=$!
  ip netns exec "$NODE_SENDER" "$UDPSEQ" send 198.18.1.2 5001 2000 60 1 > /dev/null 2>&1 &
  send=$!
  NODE_FLOW="$send $recv"
  sleep 0.2
  start=$("$UDPSEQ" now)
  out=$(curl -sS --unix-socket "$NODE_SOCKET" -w '\n%{http_code} %{time_total}' \
    http://europa/v1/routers -d "$1") || rc=1
  set -- "${out##*$'\n'}"
  # shellcheck disable=SC2086
  set -- $1
  if [ $rc = 0 ] && [ "$1" = 201 ]; then
    node_wait 10 node_first_is_there || true
  else
    printf '%s\n' "$out" >&2
    rc=1
  fi
  kill "$send" "$recv" 2>/dev/null
  wait "$send" "$recv" 2>/dev/null
  NODE_FLOW=
  [ $rc = 0 ] || return 1
  ROUTER_START_MS=$(echo "$2" | awk "{print \$1 * 1000}")
  FIRST_PACKET_MS=$(jq --argjson s "$start" \
    'if .received > 0 then (.first_ns - $s) / 1e6 * 100 | round / 100 else error("no packet came") end' \
    "$NODE_DIR/first.json") || return 1
  ip -n "$NODE_SENDER" neigh del 198.18.0.1 dev eth0 2>/dev/null
}
