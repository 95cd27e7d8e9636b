# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# text: checks of files as text; part of tests/lint/run.

# Every file of the project: what git knows, or what a tarball has.
list_files() {
  if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
    git ls-files -co --exclude-standard
  else
    find . -type f -printf '%P\n' | grep -vE \
      '^(_build|autom4te|build-aux/[^g]|configure$|aclocal|config\.h)|(^|/)(Makefile\.in|node_modules/.*)$'
  fi | while IFS= read -r f; do [ -f "$f" ] && [ ! -L "$f" ] && echo "$f"; done
}

# files REGEX: those whose name matches
files() { grep -E "$1" "$TMP/files"; }

# Files of a kind, by name or by their first line.
shell_files() {
  files '\.(sh|bash|bats)$'
  grep -vE '\.[a-z]+$' "$TMP/files" | while IFS= read -r f; do
    head -n 1 "$f" | grep -qE '^#!.*(sh|bash|bats)$' && echo "$f"
  done
}

check_length() {
  local f
  files '\.(c|h|sh|bash|bats|js|mjs|css)$' | while IFS= read -r f; do
    [ "$(wc -l < "$f")" -le 600 ] ||
      echo "$f: $(wc -l < "$f") lines, 600 are the limit"
  done
  # clang-format puts a function's braces alone into the first column
  # shellcheck disable=SC2046
  awk 'FNR == 1 { start = 0 }
    /^\{/ { start = FNR }
    /^\}/ && start {
      if (FNR - start - 1 > 80)
        printf "%s:%d: a function of %d lines, 80 are the limit\n", \
          FILENAME, start, FNR - start - 1
      start = 0
    }' $(files '\.[ch]$')
}

check_spdx() {
  { files '\.(c|h|js|mjs|css|html|mk|ac|am|in|pml|[1578]|service|sysusers)$'
    shell_files; } | sort -u | while IFS= read -r f; do
    head -n 5 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
      echo "$f: SPDX-License-Identifier: Apache-2.0 is not in its first five lines"
  done
}

# Golden files and corpora are as they are.
check_space() {
  local f
  grep -vE '\.(png|ico|svg|bin|pcap|out|golden|woff2|xz)$|/(corpus|golden)/|^LICENSE$' \
    "$TMP/files" | while IFS= read -r f; do
    [ -s "$f" ] || continue
    grep -nE '[[:blank:]]+$' "$f" | head -n 3 | sed "s|^|$f:|; s|\$|<-|"
    [ -z "$(tail -c 1 "$f")" ] || echo "$f: no newline at its end"
    [ "$(tail -c 2 "$f" | od -An -c | tr -d ' ')" != '\n\n' ] ||
      echo "$f: empty lines at its end"
  done
}

# The patterns are written so that they do not match themselves.
check_words() {
  local f
  while IFS= read -r f; do
    grep -nIE -e '(registry|proxy|index)\.[a-z]+\.(org|com|io)/' \
      -e 'npm[j]s\.|py[p]i\.org|files\.python[h]osted|crates\.[i]o' \
      -e '(^|[^a-zA-Z0-9_$}])/(ho[m]e|Use[r]s|wor[k])/[a-z]' \
      -e '"resol[v]ed"' "$f" | head -n 3 | sed "s|^|$f:|"
  done < "$TMP/files"
}

# SC2317: it does not see that a function is called by a trap or by its name.
check_shell() {
  shell_files | sort -u |
    xargs -P "$JOBS" -n 4 shellcheck -x -P . -P SCRIPTDIR -e SC2317 -f gcc
}

check_man() {
  local f
  files '\.[1-9]$' | while IFS= read -r f; do
    groff -man -ww -z "$f"
  done
}
