#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# units: the service manager understands the units, and finds them no more
# exposed than they have to be (TAP).
#
# systemd-analyze verify ends with 0 even for a key that it does not know, so
# the test is that it says nothing. It must find the programs: they are replaced
# by one that is there.
set -u
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
if ! command -v systemd-analyze > /dev/null; then
  echo '1..0 # SKIP systemd-analyze is not installed'
  exit 0
fi

for u in europad europa-dataplane; do
  sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' \
    "$EUROPA_BUILDDIR/packaging/$u.service" > "$TMP/$u.service"
done
n=0

try() { # WORDS COMMAND...: no failure, nothing on standard error
  words=$1
  shift
  n=$((n + 1))
  if "$@" > "$TMP/out" 2> "$TMP/err" && [ ! -s "$TMP/err" ]; then
    echo "ok $n - $words"
  else
    echo "not ok $n - $words"
    sed 's/^/# /' "$TMP/err"
    grep -F '✗' "$TMP/out" | sed 's/^/# /'
  fi
}

exposure() { # UNIT TENTHS
  try "$1: exposure of at most $2 tenths" systemd-analyze security \
    --offline=true --threshold="$2" "$TMP/$1.service"
}

cd "$TMP" || exit 1
for u in europad europa-dataplane; do
  try "$u: every key is known" \
    systemd-analyze verify --man=no "./$u.service"
done
cp "$EUROPA_SRCDIR/packaging/europad.socket" .
try "europad.socket: every key is known" \
  systemd-analyze verify --man=no ./europad.socket
exposure europad 60
exposure europa-dataplane 20

printf '[Service]\nNoSuchKey=1\nExecStart=/bin/true\n' > bad.service
n=$((n + 1))
if systemd-analyze verify --man=no ./bad.service 2>&1 | grep -q NoSuchKey; then
  echo "ok $n - a key that is not there is found"
else
  echo "not ok $n - a key that is not there is found"
fi
echo "1..$n"
