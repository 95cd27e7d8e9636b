#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ended.sh: a run that is ended with all its processes, as Ctrl-C and a service
# manager do, takes away first what its experiment made (TAP).
set -u
for tool in bash jq pkg-config setsid; do
  command -v $tool > /dev/null || {
    echo "1..0 # SKIP $tool is not installed"
    exit 0
  }
done

TMP=$(mktemp -d)
RUN=""
leave() {
  [ -z "$RUN" ] || kill -KILL "-$RUN" 2> /dev/null
  rm -rf "$TMP"
}
trap leave EXIT
mkdir -p "$TMP/tests/bench/exp" "$TMP/build/tests/bench"
for f in run lib.bash forwarders.bash; do
  ln -s "$EUROPA_SRCDIR/tests/bench/$f" "$TMP/tests/bench/"
done
for f in europad tests/bench/rig; do
  echo '#!/bin/sh' > "$TMP/build/$f" && chmod 755 "$TMP/build/$f"
done
cat > "$TMP/tests/bench/exp/endless.bash" << 'EXPERIMENT'
describe_endless() { echo endless; }
# as a node: it is taken down by a few programs, one after the other
endless_down() {
  sleep 0.2
  rm "$ENDED/made"
  sleep 0.2
  touch "$ENDED/down"
}
run_endless() {
  bench_on_exit endless_down
  touch "$ENDED/made"
  while :; do sleep 0.05; done
}
EXPERIMENT

soon() { # COMMAND...: within 10 s
  for _ in $(seq 100); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  return 1
}

n=0
for signal in INT TERM HUP; do
  n=$((n + 1))
  rm -f "$TMP/down"
  # whoever ignores a signal lets nobody below hear of it
  ENDED=$TMP EUROPA_BUILDDIR=$TMP/build setsid env --default-signal=INT,TERM,HUP \
    "$TMP/tests/bench/run" --only endless --no-huge > "$TMP/out" 2>&1 &
  RUN=$!
  soon test -e "$TMP/made" || signal=KILL
  kill -$signal "-$RUN"
  wait "$RUN"
  if [ $? = 130 ] && [ ! -e "$TMP/made" ] && [ -e "$TMP/down" ]; then
    echo "ok $n - by $signal"
  else
    echo "not ok $n - by $signal"
    sed 's/^/# /' "$TMP/out"
    rm -f "$TMP/made"
  fi
  RUN=""
done
echo "1..$n"
