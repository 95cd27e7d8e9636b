# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# node: a node of its own for an experiment, with real containers on the veth
# ports of tests/system/node.sh, and what its processes take: memory, processor.
# Wants N_ROUTERS (a divisor) and IDLE_S.

declare -gA MEMORY=() CPU=()

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

# Router I of many, on a VLAN of its own.
node_idle_router() { # I
  local i=$1
  api POST /v1/routers '{"name":"b'"$i"'","spec":{"vnics":[
    {"name":"eth0","attach":{"port":"p0","match":{"vlan":'$((100 + i))'}},"addresses":["198.18.'$((i % 128 * 2))'.1/24"]},
    {"name":"eth1","attach":{"port":"p1","match":{"vlan":'$((100 + i))'}},"addresses":["198.18.'$((i % 128 * 2 + 1))'.1/24"]}]}}' \
    > "$BENCH_TMP/answer" || {
    cat "$BENCH_TMP/answer" >&2
    return 1
  }
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

# shellcheck disable=SC2086
report_memory() { # EXPERIMENT
  local kind of="smaps_rollup of all processes, $N_ROUTERS routers"
  bench_record "$1" router_memory KiB - \
    "$of, beside the pool: the sum of the next six" ${MEMORY[total]}
  for kind in init router monitor; do
    bench_record "$1" "  pss_$kind" KiB - "$of: Pss_Anon + Pss_File" ${MEMORY[$kind]}
  done
  bench_record "$1" "  growth_agent" KiB - "$of: europad, above a node without" \
    ${MEMORY[agent]}
  bench_record "$1" "  growth_plane" KiB - \
    "$of: europa-dataplane, above a node without" ${MEMORY[plane]}
  bench_record "$1" "  cgroup_kernel" KiB - "kernel memory of the routers' cgroups" \
    ${MEMORY[kernel]}
  bench_record "$1" pool_memory KiB - "$of: Pss_Shmem" ${MEMORY[pool]}
  bench_record "$1" cgroup_memory KiB - "all memory of the routers' cgroups" \
    ${MEMORY[cgroup]}
}
