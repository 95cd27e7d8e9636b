#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# config: the configuration that we ship is right, as it is and with each of its
# commented defaults made a line; a wrong one is refused (TAP).
set -u
CONF=$EUROPA_BUILDDIR/packaging/europa.conf
EUROPAD=$EUROPA_BUILDDIR/europad
DATAPLANE=$EUROPA_BUILDDIR/europa-dataplane
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
n=0

# result WORDS STATUS, then what was printed
result() {
  n=$((n + 1))
  if [ "$2" = 0 ]; then
    echo "ok $n - $1"
  else
    echo "not ok $n - $1"
    sed 's/^/# /' "$TMP/out"
  fi
}

accepted() { # PROGRAM FILE
  "$1" --config "$2" --check-config > "$TMP/out" 2>&1
}

refused() { # PROGRAM FILE WORD: fails, and names the file and the word
  ! accepted "$1" "$2" && grep -q "$2.*$3" "$TMP/out"
}

try() { # PROGRAM SECTION
  name=${1##*/}
  accepted "$1" "$CONF"
  result "$name takes the shipped europa.conf" $?
  accepted "$1" "$TMP/full.conf"
  result "$name takes every default written out" $?
  { cat "$CONF"; printf '[%s]\nnosuch = 1\n' "$2"; } > "$TMP/bad.conf"
  refused "$1" "$TMP/bad.conf" nosuch
  result "$name refuses a key that is not there" $?
  refused "$1" "$TMP/bad.conf" nosuch && grep -q 'bad.conf:[0-9]*: ' "$TMP/out"
  result "$name names file and line" $?
  cp "$CONF" "$TMP/parts.conf"
  mkdir -p "$TMP/parts.conf.d"
  printf '[%s]\nlog_level = debug\n' "$2" > "$TMP/parts.conf.d/10-a.conf"
  accepted "$1" "$TMP/parts.conf"
  result "$name takes a file of europa.conf.d" $?
  printf '[%s]\nlog_level = loud\n' "$2" > "$TMP/parts.conf.d/20-b.conf"
  refused "$1" "$TMP/parts.conf" '20-b.conf:2: log_level = loud: want err, warn'
  result "$name refuses a bad value there, and says what is wanted" $?
  refused "$1" "$TMP/absent.conf" 'No such file'
  result "$name refuses a file that is not there" $?
}

sed 's/^#\([a-z_]* =\)/\1/' "$CONF" > "$TMP/full.conf"
! cmp -s "$CONF" "$TMP/full.conf"
result 'europa.conf shows defaults' $?
try "$EUROPAD" agent
# configured without it, there is nothing to try
[ ! -x "$DATAPLANE" ] || try "$DATAPLANE" dataplane

# what the manual says are the keys is what the file has
man=$EUROPA_SRCDIR/doc/man/europa.conf.5
sed -n 's/^#\{0,1\}\([a-z_]*\) =.*/\1/p' "$CONF" | sort > "$TMP/keys"
sed -n '/^\.TP/{n;s/^\.B \([a-z_]*\)$/\1/p;}' "$man" | sort > "$TMP/man"
diff "$TMP/keys" "$TMP/man" > "$TMP/out"
result 'europa.conf(5) describes each key, and no other' $?
echo "1..$n"
