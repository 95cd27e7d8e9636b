#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck disable=SC2016 # the quotes are those of the page
#
# conformance: each test that doc/conformance.md names is there, and is run (TAP).
set -u
SRC=${EUROPA_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
n=0 missing=0
while IFS=: read -r file tests; do
  for name in $(grep -oE '`[a-z0-9_]+`' <<< "$tests" | tr -d '`'); do
    n=$((n + 1))
    grep -qE "(TEST|cmocka_unit_test)\($name\)" \
      "$SRC/tests/unit/test_router_$file.c" 2> /dev/null && continue
    echo "# $file: $name is not among the tests of test_router_$file.c"
    missing=$((missing + 1))
  done
done < <(grep -oE '[a-z0-9]+: `[a-z0-9_]+`(, `[a-z0-9_]+`)*' \
  "$SRC/doc/conformance.md")
if [ "$n" -ge 100 ] && [ "$missing" = 0 ]; then
  echo "ok 1 - all of $n tests that are named are there"
else
  echo "not ok 1 - $n tests are named, $missing are not there"
fi
echo 1..1
