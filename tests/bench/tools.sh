#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tools.sh: what the experiments run is built for them, also where the tests never
# were (TAP).
set -u
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

# nothing is built; the make that runs this one is no business of the other
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
  make -C "$EUROPA_BUILDDIR" -pn bench-tools 2> /dev/null |
  sed -n 's/^bench-tools: //p' | tail -n 1 | tr ' ' '\n' | sort > "$TMP/built"
cat "$EUROPA_SRCDIR"/tests/bench/run "$EUROPA_SRCDIR"/tests/bench/*.bash \
  "$EUROPA_SRCDIR"/tests/bench/exp/*.bash |
  grep -o 'BUILDDIR/tests/[a-z]*/[a-z.]*[a-z]' | sed 's,BUILDDIR/,,' |
  sort -u > "$TMP/run"
comm -23 "$TMP/run" "$TMP/built" > "$TMP/missing"

if [ "$(wc -l < "$TMP/run")" -gt 10 ] && [ ! -s "$TMP/missing" ]; then
  echo "ok 1 - bench-tools builds what experiments run"
else
  echo "not ok 1 - bench-tools builds what experiments run"
  sed 's/^/# missing: /' "$TMP/missing"
fi
echo "1..1"
