# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# node: what routers cost that do nothing, and how fast one is there. Everything
# goes through the REST API of a node of its own, with real containers on the
# veth ports of tests/system/node.sh.

N_ROUTERS=10 IDLE_S=30

describe_node() {
  echo "$N_ROUTERS routers in containers: memory, idle CPU, start (root)"
}

node_bench_up() {
  NODE_DIR=$BENCH_TMP/node NODE_NS=ebn$$-
  BIN_DATAPLANE=$EUROPA_BUILDDIR/europa-dataplane
  BIN_EUROPAD=$EUROPA_BUILDDIR/europad
  BIN_LIBEXEC=$NODE_DIR/libexec
  BIN_TEMPLATE=$EUROPA_BUILDDIR:$EUROPA_BUILDDIR/container-templates:$EUROPA_BUILDDIR/examples
  UDPSEQ=$EUROPA_BUILDDIR/udpseq
  export BIN_DATAPLANE BIN_EUROPAD BIN_TEMPLATE UDPSEQ
  # shellcheck source=tests/system/node.sh
  . "$EUROPA_SRCDIR/tests/system/node.sh"
  mkdir -p "$BIN_LIBEXEC"
  chmod 755 "$NODE_DIR"
  ln -s "$EUROPA_BUILDDIR/europa-launch" \
    "$EUROPA_SRCDIR/container-templates/europa-template" "$BIN_LIBEXEC/"
  bench_on_exit node_down
  node_up
}

# --- processes ---------------------------------------------------------------------

# The folder of a router in the tree of cgroups that accounts memory.
router_cgroup() { # INIT
  local dir
  dir=$(sed -n 's/^[0-9]*:memory:/memory/p' "/proc/$1/cgroup")
  [ -n "$dir" ] || dir=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
  dir=/sys/fs/cgroup/${dir#/}
  while [ "$(basename "$(dirname "$dir")")" != europa ]; do
    [ "$dir" != / ] || return 1
    dir=$(dirname "$dir")
  done
  printf '%s\n' "$dir"
}

# Lines of KIND PID for every process of Europa, containers and all; and of
# cgroup FOLDER.
node_processes() {
  local init dir pid kind
  echo "agent $(node_pid europad)"
  echo "plane $(node_pid dataplane)"
  for init in $(api GET /v1/routers | jq '.items[].status.container.init_pid'); do
    dir=$(router_cgroup "$init") || return 1
    echo "cgroup $dir"
    find "$dir" -name cgroup.procs -printf '%P\n' | while IFS= read -r procs; do
      kind=router
      case $procs in monitor/*) kind=monitor ;; esac
      while IFS= read -r pid; do
        if [ "$pid" = "$init" ]; then echo "init $pid"; else echo "$kind $pid"; fi
      done < "$dir/$procs"
    done
  done
}

# sum_pss KIND MEMBER...: KiB, over the processes of that kind.
sum_pss() {
  local kind=$1 pid members
  shift
  members=$(printf '%s|' "$@")
  awk -v kind="$kind" '$1 == kind {print $2}' "$BENCH_TMP/processes" |
    while IFS= read -r pid; do
      cat "/proc/$pid/smaps_rollup" || echo gone
    done | awk -v members="^(${members%|}):" \
    '/^gone/ {exit 1} $0 ~ members {n += $2} END {print n + 0}'
}

# sum_cgroups V1_FILE V2_AWK: KiB, over the routers.
sum_cgroups() {
  local dir
  awk '$1 == "cgroup" {print $2}' "$BENCH_TMP/processes" |
    while IFS= read -r dir; do
      if [ -e "$dir/$1" ]; then cat "$dir/$1"; else awk "$2" "$dir"/memory.{current,stat}; fi
    done | awk '{n += $1} END {print n / 1024}'
}

# Lines of KIND NANOSECONDS: what every process has had of a core, now.
cpu_ns() {
  local kind pid
  awk '$1 != "cgroup"' "$BENCH_TMP/processes" | while read -r kind pid; do
    cat "/proc/$pid"/task/*/schedstat | awk -v kind="$kind" \
      '{n += $1} END {if (NR == 0) exit 1; printf "%s %.0f\n", kind, n}' ||
      echo "gone $pid"
  done
}

# --- figures -----------------------------------------------------------------------

make_routers() {
  local i
  for ((i = 0; i < N_ROUTERS; i++)); do
    api POST /v1/routers '{"name":"b'$i'","spec":{"vnics":[
      {"name":"eth0","attach":{"port":"p0","match":{"vlan":'$((100 + i))'}},"addresses":["198.18.'$((2 * i + 2))'.1/24"]},
      {"name":"eth1","attach":{"port":"p1","match":{"vlan":'$((100 + i))'}},"addresses":["198.18.'$((2 * i + 3))'.1/24"]}]}}' \
      > "$BENCH_TMP/answer" || {
      cat "$BENCH_TMP/answer" >&2
      return 1
    }
  done
}

# Adds to the arrays MEMORY_*, KiB a router.
measure_memory() {
  local kind total=0 kib
  for kind in init router monitor agent plane; do
    kib=$(sum_pss "$kind" Pss_Anon Pss_File) || return 1
    case $kind in
    agent) kib=$((kib - AGENT_KIB)) ;;
    plane) kib=$((kib - PLANE_KIB)) ;;
    esac
    kib=$(jq -n "$kib / $N_ROUTERS")
    MEMORY[$kind]+=" $kib"
    total="$total + $kib"
  done
  # shellcheck disable=SC2016
  kib=$(sum_cgroups memory.kmem.usage_in_bytes '$1 == "kernel" {print $2}')
  kib=$(jq -n "$kib / $N_ROUTERS")
  MEMORY[kernel]+=" $kib"
  MEMORY[total]+=" $(jq -n "$total + $kib")"
  kib=$(sum_cgroups memory.usage_in_bytes 'NF == 1')
  MEMORY[cgroup]+=" $(jq -n "$kib / $N_ROUTERS")"
  kib=0
  for kind in agent plane init router monitor; do
    kib=$((kib + $(sum_pss "$kind" Pss_Shmem)))
  done
  MEMORY[pool]+=" $(jq -n "$kib / $N_ROUTERS")"
}

# Adds to CPU, percent of a core in IDLE_S seconds, by kind and of all. What the
# kernel does in its own name is not in it.
measure_idle() {
  local kind percent start ns
  cpu_ns > "$BENCH_TMP/cpu"
  start=$("$UDPSEQ" now)
  sleep "$IDLE_S"
  cpu_ns >> "$BENCH_TMP/cpu"
  ns=$(($("$UDPSEQ" now) - start))
  if grep '^gone' "$BENCH_TMP/cpu" >&2; then return 1; fi
  # the first half of the lines is before
  while read -r kind percent; do
    CPU[$kind]+=" $percent"
  done < <(awk -v ns="$ns" -v half="$(($(wc -l < "$BENCH_TMP/cpu") / 2))" '
    {d = NR > half ? $2 : -$2; of[$1] += d; of["all"] += d}
    END {for (k in of) print k, of[k] * 100 / ns}' "$BENCH_TMP/cpu")
}

# A population of routers, measured and taken away, again and again.
measure_populations() {
  local i
  declare -gA MEMORY=() CPU=()
  node_processes > "$BENCH_TMP/processes" || return 1
  AGENT_KIB=$(sum_pss agent Pss_Anon Pss_File)
  PLANE_KIB=$(sum_pss plane Pss_Anon Pss_File)
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    make_routers || return 1
    sleep 2 # their announcements are out, and they sleep
    node_processes > "$BENCH_TMP/processes" && measure_memory &&
      measure_idle && node_delete_routers || return 1
  done
}

first_packet_body() {
  cat <<'JSON'
{"name": "f1", "spec": {"vnics": [
  {"name": "eth0", "mac": "0a:00:00:00:00:10", "attach": {"port": "p0"}, "addresses": ["198.18.0.1/24"]},
  {"name": "eth1", "mac": "0a:00:00:00:00:11", "attach": {"port": "p1"}, "addresses": ["198.18.1.1/24"]}]}}
JSON
}

measure_first_packets() {
  local i
  POST_MS=() PACKET_MS=()
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    node_first_packet "$(first_packet_body)" && node_delete_routers || return 1
    POST_MS+=("$ROUTER_START_MS")
    PACKET_MS+=("$FIRST_PACKET_MS")
  done
}

# shellcheck disable=SC2086
report_node() {
  local kind of="smaps_rollup of all processes, $N_ROUTERS routers"
  bench_record node router_memory KiB - \
    "$of, beside the pool: the sum of the next six" ${MEMORY[total]}
  for kind in init router monitor; do
    bench_record node "  pss_$kind" KiB - "$of: Pss_Anon + Pss_File" ${MEMORY[$kind]}
  done
  bench_record node "  growth_agent" KiB - "$of: europad, above a node without" \
    ${MEMORY[agent]}
  bench_record node "  growth_plane" KiB - \
    "$of: europa-dataplane, above a node without" ${MEMORY[plane]}
  bench_record node "  cgroup_kernel" KiB - "kernel memory of the routers' cgroups" \
    ${MEMORY[kernel]}
  bench_record node pool_memory KiB - "$of: Pss_Shmem" ${MEMORY[pool]}
  bench_record node cgroup_memory KiB - "all memory of the routers' cgroups" \
    ${MEMORY[cgroup]}
  of="schedstat of all processes over $IDLE_S s"
  bench_record node idle_cpu % - "$of" ${CPU[all]}
  for kind in agent plane init router monitor; do
    bench_record node "  idle_$kind" % - "$of" ${CPU[$kind]}
  done
  bench_record node post_running ms - "curl POST /v1/routers" "${POST_MS[@]}"
  bench_record node post_first_packet ms - \
    "the same, to the first datagram out of 2000 a second" "${PACKET_MS[@]}"
}

run_node() {
  [ "$(id -u)" = 0 ] || bench_die "the figures of a node need root"
  [ -z "$BENCH_QUICK" ] || IDLE_S=5
  node_bench_up || return 1
  if ! measure_populations || ! measure_first_packets; then
    tail -n 20 "$NODE_DIR"/log/* >&2
    return 1
  fi
  report_node
}
