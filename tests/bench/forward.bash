# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# forward: 64-byte frames a second through europa-dataplane and europa-router,
# beside the same modules in one process; part of tests/bench/first.
#
# The forwarders take turns, so that a machine that slows down slows both. Each
# run stands between two pings of a cache line: near, far or mixed cores.

NEAR_NS=200

# Runs a timed program; with --urgent before everything else (a scheduling
# autogroup is per session, hence setsid).
timed() {
  if [ -n "$URGENT" ]; then
    # shellcheck disable=SC2016
    setsid -w bash -c 'echo -20 > /proc/self/autogroup; exec "$@"' _ "$@"
  else
    "$@"
  fi
}

ping_cores() {
  PING_NS=$("$EUROPA_BUILDDIR/tests/bench/coreping" "$HOST_CORE" "$ROUTER_CORE")
}

core_class() { # NS NS
  if [ "$1" -lt "$NEAR_NS" ] && [ "$2" -lt "$NEAR_NS" ]; then
    echo near
  elif [ "$1" -ge "$NEAR_NS" ] && [ "$2" -ge "$NEAR_NS" ]; then
    echo far
  else
    echo mixed
  fi
}

# What runs one forwarder: the command, without its folders.
forwarder() { # router|echo|inproc
  if [ "$1" = inproc ]; then
    echo "inproc DIR $HOST_CORE $WARM_MS $WINDOW_MS $HUGE"
  else
    echo "rig DIR BUILD $1 $HOST_CORE $ROUTER_CORE $WARM_MS $WINDOW_MS"
  fi
}

forward_one() { # router|echo|inproc: sets MPPS, HUGE and CLASS
  local before out command
  read -ra command <<< "$(forwarder "$1")"
  command=("${command[@]/#DIR/$BENCH_DIR}")
  command=("${command[@]/#BUILD/$EUROPA_BUILDDIR}")
  ping_cores || return 1
  before=$PING_NS
  out=$(timed "$EUROPA_BUILDDIR/tests/bench/${command[0]}" "${command[@]:1}" \
    2> "$BENCH_DIR/log") || {
    cat "$BENCH_DIR/log" >&2
    return 1
  }
  MPPS=$(printf '%s' "$out" | jq .mpps)
  HUGE=$(printf '%s' "$out" | jq -r 'if .hugepages then "yes" else "no" end')
  ping_cores || return 1
  PINGS+=("$before" "$PING_NS")
  CLASS=$(core_class "$before" "$PING_NS")
}

# record_class CLASSES NAME UNIT COMMAND VALUE...
record_class() {
  # shellcheck disable=SC2034
  local CLASSES=${1# }
  record "${@:2}"
}

forward_figures() {
  local i routers=() inprocs=() echos=() ratios=()
  local router_class="" inproc_class="" echo_class=""
  PINGS=()
  HUGE=no
  if [ "$(nproc)" = 1 ] || [ "$HOST_CORE" = "$ROUTER_CORE" ]; then
    die "forwarding wants two cores"
  fi
  [ -x "$EUROPA_BUILDDIR/tests/bench/inproc" ] || die "built without DPDK"
  "$EUROPA_BUILDDIR/tests/bench/frames" "$BENCH_DIR" || return 1
  printf '\ncores %s and %s, a cache line there and back in ns:\n' \
    "$HOST_CORE" "$ROUTER_CORE"
  for ((i = 1; i <= RUNS; i++)); do
    # the host's data plane says whether there are huge pages, the peer follows
    forward_one router || return 1
    routers+=("$MPPS")
    router_class+=" $CLASS"
    forward_one inproc || return 1
    inprocs+=("$MPPS")
    inproc_class+=" $CLASS"
    ratios+=("$(jq -n "${routers[-1]} / $MPPS")")
    forward_one echo || return 1
    echos+=("$MPPS")
    echo_class+=" $CLASS"
    echo "run $i: router ${routers[-1]} Mpps, in-process ${inprocs[-1]}," \
      "io $MPPS; pings ${PINGS[*]: -6}"
  done
  header "64-byte frames, huge pages: $HUGE"
  record_class "$router_class" router_64 Mpps "$(forwarder router)" "${routers[@]}"
  record_class "$inproc_class" inprocess_64 Mpps "$(forwarder inproc)" "${inprocs[@]}"
  record_class "$router_class" router_to_inprocess ratio "both, taking turns" \
    "${ratios[@]}"
  record_class "$echo_class" io_64 Mpps "$(forwarder echo)" "${echos[@]}"
  record core_ping ns "coreping $HOST_CORE $ROUTER_CORE" "${PINGS[@]}"
  # shellcheck disable=SC2086
  printf 'runs by distance of the cores:%s (near: below %s ns)\n' \
    "$(printf '%s\n' $router_class $inproc_class $echo_class | sort | uniq -c |
      awk '{printf " %s %s", $1, $2}')" "$NEAR_NS"
}
