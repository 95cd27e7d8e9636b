#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# selftest: does each check of lint find what it is for? A small tree without
# faults must pass; with one fault planted, the check named must fail (TAP).
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
TREE=$(mktemp -d)
trap 'rm -rf "$TREE"' EXIT
n=0

# Without .git the files are found by name, as in a tarball.
make_tree() {
  rm -rf "${TREE:?}"/*
  mkdir -p "$TREE"/{lib,api,agent,doc,tests}
  cp -r "$HERE" "$TREE/tests/lint"
  chmod -R u+w "$TREE"
  cat > "$TREE/lib/a.h" << 'END'
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef A_H
#define A_H

#include <stdatomic.h>

extern _Atomic(int) count;
int add(int x);

#endif
END
  cat > "$TREE/lib/a.c" << 'END'
/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/a.h"

_Atomic(int) count;

int
add(int x)
{
	atomic_store_explicit(&count, x, memory_order_relaxed);
	return x + 1;
}
END
  # shellcheck disable=SC2016
  printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\necho "$1"\n' \
    > "$TREE/doc/a.sh"
  printf '.\\" SPDX-License-Identifier: Apache-2.0\n.TH A 8\n.SH NAME\na \\- b\n' \
    > "$TREE/doc/a.8"
  cp "$HERE/../../.clang-format" "$TREE/"
}

# expect RESULT WORDS CHECK: "ok" or "not ok" of one check on the tree
expect() {
  local out
  n=$((n + 1))
  out=$("$TREE/tests/lint/run" "$3" 2>&1)
  case $out in
    *'# SKIP'*) echo "ok $n - $3: $2 # SKIP${out#*'# SKIP'}" | head -n 1 ;;
    "$1 1 - "*) echo "ok $n - $3: $2" ;;
    *)
      echo "not ok $n - $3: $2"
      printf '%s\n' "$out" | sed 's/^/#   /'
      ;;
  esac
}

# plant CHECK WORDS FILE: standard input becomes, or is added to, FILE
plant() {
  make_tree
  cat >> "$TREE/$3"
  expect 'not ok' "$2" "$1"
}

ALL='format headers atomics cppcheck foreign layers length spdx space words
  shell man'
make_tree
for c in $ALL; do expect ok 'a clean tree passes' "$c"; done

plant format 'spaces for a tab' lib/a.c <<< $'\nint\nsub(int x)\n{\n  return x;\n}'
plant headers 'a header that needs another' lib/b.h <<< 'size_t f(void);'
plant atomics 'an increment without an order' lib/a.c \
  <<< $'\nvoid\nup(void)\n{\n\tcount++;\n}'
plant cppcheck 'an index behind the end' lib/b.c \
  <<< $'int\nf(void)\n{\n\tint a[2] = { 0 };\n\treturn a[2];\n}'
plant foreign 'SQLite in api/' api/b.c <<< '#include <sqlite3.h>'
plant foreign 'liblxc in europad' agent/main.c <<< '#include <lxc/lxccontainer.h>'
plant layers 'lib/ looks up' lib/b.c <<< '#include "api/model.h"'
plant layers 'a bare name' lib/b.c <<< '#include "a.h"'
plant length 'a long function' lib/b.c \
  < <(echo 'f(void)'; echo '{'; yes $'\tf();' | head -n 81; echo '}')
plant length 'a long file' lib/b.c < <(yes '/* */' | head -n 601)
plant spdx 'no licence' lib/b.c <<< 'int b;'
plant spdx 'no licence in a script' doc/tool <<< '#!/bin/sh'
plant space 'a blank at an end' doc/a.md <<< 'word '
plant space 'no newline' doc/a.md < <(printf 'word')
plant words "somebody's folder" doc/a.md <<< "see /hom""e/somebody/x"
plant words 'a registry' doc/a.md <<< "get it from registry"".example.org/x"
plant shell 'a variable without quotes' doc/a.sh <<< "rm \$1"
plant man 'a macro that is not there' doc/a.8 <<< '.NOSUCH x'
echo "1..$n"
