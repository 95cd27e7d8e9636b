# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# lib: what the experiments of tests/bench/run have in common.
#
#   bench_record EXPERIMENT NAME UNIT CPU_NS COMMAND VALUE...    a figure
#   bench_target ID LEVEL VALUE WANTED MET COMMENT               must|stretch
#   bench_judge ID LEVEL VALUE OP WANTED COMMENT                 OP: >= <= > <
#   bench_ping                      before and after each timed run
#   bench_value SERIES VALUE [CPU_NS]       the run between the last two pings
#   bench_ratio SERIES OVER UNDER           run by run, of two series
#   bench_ratio_series EXPERIMENT SERIES OVER UNDER   the same, recorded
#   bench_series EXPERIMENT SERIES UNIT COMMAND  bench_record of what is there
#   bench_median SERIES             of near runs if there are five, else of all
#   bench_timed CMD...              runs it in a session of its own, before all
#                                   other work; never inside $(...)
#   bench_start CMD...              the same in the background: BENCH_PID
#   bench_stop PID...               ends what bench_start started
#   bench_on_exit CMD...            when the experiment ends, however it ends
#
# An experiment runs in a shell of its own with BENCH_TMP, a fresh folder, as
# its current one, and EUROPA_SRCDIR, EUROPA_BUILDDIR, BENCH_RUNS, BENCH_QUICK,
# BENCH_WINDOW_MS, BENCH_WARM_MS, BENCH_HOST_CORE, BENCH_ROUTER_CORE and
# BENCH_HUGE (yes or no). What it needs and does not find is a failure.
#
# Virtual cores move. A run is near if a cache line went there and back within
# NEAR_NS before and after it (one die: 50 to 290 ns; two: 320 and more), far if
# neither, else mixed; a figure is near or far if all of its runs are. Targets are
# judged by near runs; fewer than NEAR_RUNS of them are luck: then all runs count.
#
# What timed programs print on stderr is in BENCH_TMP/stderr, and is shown when
# the experiment fails.

NEAR_NS=300 NEAR_RUNS=5

BENCH_PIDS=() BENCH_EXITS=() BENCH_CLASSES=() BENCH_PINGS=()
BENCH_CLASS="" BENCH_PID="" BENCH_EXPERIMENT_HEAD=""
declare -A SERIES_VALUES=() SERIES_CLASSES=() SERIES_CPU=()

bench_say() {
  printf 'bench: %s\n' "$*" >&2
}

bench_die() {
  bench_say "$@"
  exit 1
}

# --- processes ---------------------------------------------------------------------

# A scheduling autogroup is per session, hence setsid; nice alone does not help.
bench_start() {
  # shellcheck disable=SC2016
  setsid bash -c '{ echo -20 > /proc/self/autogroup; } 2> /dev/null; exec "$@"' \
    _ "$@" 2>> "$BENCH_TMP/stderr" &
  BENCH_PID=$!
  BENCH_PIDS+=("$BENCH_PID")
}

bench_forget() { # PID
  local i
  for i in "${!BENCH_PIDS[@]}"; do
    [ "${BENCH_PIDS[i]}" != "$1" ] || unset "BENCH_PIDS[i]"
  done
}

bench_timed() {
  local status=0
  bench_start "$@"
  wait "$BENCH_PID" || status=$?
  bench_forget "$BENCH_PID"
  return "$status"
}

bench_stop() {
  local pid
  for pid in "$@"; do
    kill "$pid" 2> /dev/null
    wait "$pid" 2> /dev/null
    bench_forget "$pid"
  done
}

bench_on_exit() {
  BENCH_EXITS+=("$(printf '%q ' "$@")")
}

# A second signal is no reason to leave half of it: whoever ends a run ends all
# of its processes, and the run then its experiment.
bench_ignore() {
  trap '' HUP INT TERM
}

bench_leave() {
  local i status=$?
  bench_ignore
  trap - EXIT
  if [ "$status" = 1 ] && [ -e "$BENCH_TMP/stderr" ]; then
    tail -n 40 "$BENCH_TMP/stderr" >&2
  fi
  for ((i = ${#BENCH_EXITS[@]} - 1; i >= 0; i--)); do
    eval "${BENCH_EXITS[i]}"
  done
  bench_stop ${BENCH_PIDS[@]+"${BENCH_PIDS[@]}"}
}

# --- near and far ------------------------------------------------------------------

# Every second call ends a run: it sets BENCH_CLASS and adds to BENCH_CLASSES.
bench_ping() {
  local ns before
  # before all other work too: two threads that wait for each other starve
  bench_timed "$EUROPA_BUILDDIR/tests/bench/coreping" \
    "$BENCH_HOST_CORE" "$BENCH_ROUTER_CORE" > "$BENCH_TMP/ping" ||
    bench_die "coreping failed"
  ns=$(cat "$BENCH_TMP/ping")
  BENCH_PINGS+=("$ns")
  [ $((${#BENCH_PINGS[@]} % 2)) = 0 ] || return 0
  before=${BENCH_PINGS[-2]}
  BENCH_CLASS=mixed
  if [ "$before" -lt "$NEAR_NS" ] && [ "$ns" -lt "$NEAR_NS" ]; then
    BENCH_CLASS=near
  elif [ "$before" -ge "$NEAR_NS" ] && [ "$ns" -ge "$NEAR_NS" ]; then
    BENCH_CLASS=far
  fi
  BENCH_CLASSES+=("$BENCH_CLASS")
}

# --- figures -----------------------------------------------------------------------

bench_head() { # EXPERIMENT
  [ "$BENCH_EXPERIMENT_HEAD" != "$1" ] || return 0
  BENCH_EXPERIMENT_HEAD=$1
  printf '%-34s %-6s %10s %10s %10s %3s %-6s %9s\n' \
    "$1" unit median min max n class "cpu ns/pk"
}

# The classes are those of BENCH_CLASSES, if there is one for each value; they
# are used up. Spaces before a name indent it.
bench_record() {
  local experiment=$1 name=$2 unit=$3 cpu=$4 command=$5 classes="" line
  shift 5
  [ $# -gt 0 ] || bench_die "no values of $name"
  [ ${#BENCH_CLASSES[@]} != $# ] || classes="${BENCH_CLASSES[*]}"
  BENCH_CLASSES=()
  # shellcheck disable=SC2016
  line=$(jq -cn --arg experiment "$experiment" --arg name "$name" \
    --arg unit "$unit" --arg cpu "$cpu" --arg command "$command" \
    --arg classes "$classes" '
    def round3: . * 1000 | round / 1000;
    ($ARGS.positional | map(round3)) as $v | ($v | sort) as $s
    | ($s | length) as $n
    | ($classes | if . == "" then [] else split(" ") end) as $c
    | {experiment: $experiment, name: ($name | ltrimstr("  ")), unit: $unit,
       median: ((($s[($n - 1) / 2 | floor] + $s[$n / 2 | floor]) / 2) | round3),
       min: $s[0], max: $s[-1], n: $n,
       class: ($c | unique | if length == 0 then null
         elif length == 1 then .[0] else "mixed" end),
       cpu_ns_per_packet: ($cpu | if . == "-" then null
         else tonumber | round3 end),
       command: $command, values: $v, classes: $c}' --jsonargs "$@") ||
    bench_die "not a number among the values of $name: $cpu, $*"
  printf '%s\n' "$line" >> "$BENCH_JSON"
  bench_head "$experiment"
  # shellcheck disable=SC2046,SC2183
  printf '%-34s %-6s %10s %10s %10s %3s %-6s %9s\n' "$name" "$unit" $(
    printf '%s\n' "$line" | jq -r '[.median, .min, .max, .n, .class // "-",
      .cpu_ns_per_packet // "-"] | map(tostring) | join(" ")'
  )
}

bench_target() {
  local line
  # shellcheck disable=SC2016
  line=$(jq -cn --arg target "$1" --arg level "$2" --arg value "$3" \
    --arg wanted "$4" --argjson met "$5" --arg comment "$6" '
    {target: $target, level: $level, value: ($value | tonumber? // .),
     wanted: $wanted, met: $met, comment: $comment}') ||
    bench_die "target $1: want true or false, not $5"
  printf '%s\n' "$line" >> "$BENCH_JSON"
  printf '%s' "$line" | jq -r '"\(.target) \(.level): \(.value), wanted " +
    "\(.wanted): \(if .met then "met" else "NOT MET" end) (\(.comment))"'
}

bench_judge() {
  local met
  met=$(jq -n "$3 $4 $5") || bench_die "target $1: not numbers: $3 $4 $5"
  bench_target "$1" "$2" "$(jq -n "$3 * 1000 | round / 1000")" "$4 $5" "$met" "$6"
}

# --- series of runs that take turns ------------------------------------------------

bench_value() {
  SERIES_VALUES[$1]+="$2 "
  SERIES_CLASSES[$1]+="${BENCH_CLASS:--} "
  SERIES_CPU[$1]+="${3:--} "
}

bench_ratio() {
  local i over under over_class under_class class
  read -ra over <<< "${SERIES_VALUES[$2]}"
  read -ra under <<< "${SERIES_VALUES[$3]}"
  read -ra over_class <<< "${SERIES_CLASSES[$2]}"
  read -ra under_class <<< "${SERIES_CLASSES[$3]}"
  [ ${#over[@]} = ${#under[@]} ] || bench_die "$2 and $3 are not of the same runs"
  for i in "${!over[@]}"; do
    class=mixed
    [ "${over_class[i]}" != "${under_class[i]}" ] || class=${over_class[i]}
    SERIES_VALUES[$1]+="$(jq -en "${over[i]} / ${under[i]}") " ||
      bench_die "$2 over $3: not numbers: ${over[i]} / ${under[i]}"
    SERIES_CLASSES[$1]+="$class "
    SERIES_CPU[$1]+="- "
  done
}

bench_ratio_series() {
  bench_ratio "$2" "$3" "$4"
  bench_series "$1" "$2" ratio "$3 over $4, run by run"
}

bench_median_of() { # NUMBER...
  printf '%s\n' "$@" | jq -s 'sort | length as $n |
    (.[($n - 1) / 2 | floor] + .[$n / 2 | floor]) / 2'
}

bench_median() {
  local i values classes near=()
  read -ra values <<< "${SERIES_VALUES[$1]}"
  read -ra classes <<< "${SERIES_CLASSES[$1]}"
  for i in "${!values[@]}"; do
    [ "${classes[i]}" != near ] || near+=("${values[i]}")
  done
  [ ${#near[@]} -ge $NEAR_RUNS ] || near=("${values[@]}")
  bench_median_of "${near[@]}"
}

bench_series() {
  local cpu values
  # shellcheck disable=SC2206
  values=(${SERIES_VALUES[$2]}) BENCH_CLASSES=(${SERIES_CLASSES[$2]})
  [ "${BENCH_CLASSES[0]}" != - ] || BENCH_CLASSES=()
  cpu=-
  case ${SERIES_CPU[$2]} in
  *[0-9]*)
    # shellcheck disable=SC2086
    cpu=$(bench_median_of ${SERIES_CPU[$2]//- /})
    ;;
  esac
  bench_record "$1" "$2" "$3" "$cpu" "$4" "${values[@]}"
}
