#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# errors: each code that the API can answer has its entry in europa-errors(7), and
# each program its manual page (TAP).
set -u
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
cd "$EUROPA_SRCDIR" || exit 1
man=doc/man/europa-errors.7
n=0

result() { # WORDS STATUS, then what is in $TMP/out
  n=$((n + 1))
  if [ "$2" = 0 ]; then
    echo "ok $n - $1"
  else
    echo "not ok $n - $1"
    sed 's/^/# /' "$TMP/out"
  fi
}

# The first text in a call of problem_set() is the code.
cat api/*.c agent/*.c | tr '\n\t' '  ' | sed 's/problem_set(/\n&/g' |
  sed -n 's/^problem_set([^,"]*, *[0-9][0-9]*, *"\([a-z-]*\)".*/\1/p' |
  sort -u > "$TMP/codes"
tr -d '\134' < "$man" | sed -n 's/^\.BR \([a-z-]*\) " ([0-9].*/\1/p' |
  sort > "$TMP/man"

[ "$(wc -l < "$TMP/codes")" -gt 20 ]
result 'the codes are found in the sources' $?
comm -23 "$TMP/codes" "$TMP/man" > "$TMP/out"
[ ! -s "$TMP/out" ]
result 'europa-errors(7) describes each code that the API can answer' $?
uniq -d "$TMP/man" > "$TMP/out"
[ ! -s "$TMP/out" ]
result 'and none of them twice' $?

# what is installed for people has a page
for f in europad europa-dataplane europa-init europa-launch europa-router \
  routerctl europa-template europa.conf router.conf; do
  ls "doc/man/$f".[1-9] > /dev/null 2>&1 || echo "$f"
done > "$TMP/out"
[ ! -s "$TMP/out" ]
result 'each program and file has a manual page' $?
echo "1..$n"
