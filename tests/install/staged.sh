#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# staged: what make install puts where, whether it works away from the build
# folder, and whether make uninstall takes all of it (TAP). files.txt is the
# list; after a change on purpose:  UPDATE=1 make check-install
set -u
: "${EUROPA_BUILDDIR:?is set by make check-install}" "${EUROPA_SRCDIR:?}"
LIST=$EUROPA_SRCDIR/tests/install/files.txt
STAGE=$(mktemp -d)
TMP=$(mktemp -d)
trap 'rm -rf "$STAGE" "$TMP"' EXIT
# shellcheck source=tests/install/dirs.sh.in
. "$EUROPA_BUILDDIR/tests/install/dirs.sh"
n=0 failed=0

result() { # WORDS STATUS, then what is in $TMP/out
  n=$((n + 1))
  if [ "$2" = 0 ]; then
    echo "ok $n - $1"
  else
    echo "not ok $n - $1"
    sed 's/^/# /' "$TMP/out" | head -n 60
    failed=1
  fi
}

run_make() {
  MAKEFLAGS='' make -s -C "$EUROPA_BUILDDIR" "$@" DESTDIR="$STAGE" \
    > "$TMP/out" 2>&1
}

# The longest folders first, so that a shorter one does not take their place.
name_folders() {
  local v
  for v in unitdir sysctldir sysusersdir tmpfilesdir sbindir bindir \
    confdir libexecdir docdir \
    mandir datadir sharedir libdir includedir; do
    if [ -n "${!v}" ]; then printf 's|^%s/|@%s@/|;' "${!v}" "$v"; fi
  done
}

installed() {
  (cd "$STAGE" && find . ! -type d -printf '/%P\n') |
    sed "$(name_folders)" | LC_ALL=C sort
}

# What this build leaves out on purpose.
expected() {
  local skip='^#|^$'
  [ -x "$EUROPA_BUILDDIR/europa-dataplane" ] ||
    skip="$skip|/europa-dataplane(\\.service)?\$"
  [ -x "$EUROPA_BUILDDIR/europa-router-dpdk.so" ] ||
    skip="$skip|/europa-router-dpdk\\.so\$"
  [ -n "$unitdir" ] || skip="$skip|^@unitdir@"
  grep -vE "$skip" "$LIST"
}

programs() {
  find "$STAGE$bindir" "$STAGE$sbindir" "$STAGE$libexecdir" -type f -perm -100 2> /dev/null
}

says_version() { # PROGRAM: its name and the version, from elsewhere
  local out
  out=$(cd / && env -i PATH=/usr/bin:/bin "$1" --version 2>&1)
  [ "$?/$out" = "0/${1##*/} $version" ] || echo "${1#"$STAGE"}: $out"
}

# what git knows and a tarball has no use for is named here
if git -C "$EUROPA_SRCDIR" rev-parse 2> /dev/null; then
  run_make distdir distdir="$TMP/dist" && diff \
    <(git -C "$EUROPA_SRCDIR" ls-files | grep -vE '^\.git(attributes|ignore)$' | sort) \
    <(cd "$TMP/dist" && find . -type f -printf '%P\n' | sort) |
    grep '^<' > "$TMP/out"
  [ ! -s "$TMP/out" ]
  result 'a tarball has every file of the repository' $?
fi

run_make install
result 'make install into a stage' $?

if [ -n "${UPDATE-}" ]; then
  { echo '# Installed files; see staged.sh'; installed; } > "$LIST"
fi
diff <(expected) <(installed) > "$TMP/out"
result 'the files of tests/install/files.txt and no others' $?

find "$STAGE" -perm /7022 ! -type l > "$TMP/out"
[ ! -s "$TMP/out" ]
result 'nothing is writable for others, nothing is set-uid' $?

for p in "$STAGE$bindir"/* "$STAGE$sbindir"/*; do says_version "$p"; done > "$TMP/out"
[ ! -s "$TMP/out" ]
result "each program says its name and $version" $?

# Sanitizers write the folders into a program.
if grep -qE '__(asan|tsan|ubsan)_' "$STAGE$sbindir/europad"; then
  n=$((n + 1))
  echo "ok $n - programs and folders # SKIP built with sanitizers"
else
  for f in $(programs); do
    if head -c 4 "$f" | grep -q ELF; then strings -d "$f"; else cat "$f"; fi |
      grep -F -e "$EUROPA_BUILDDIR" -e "$EUROPA_SRCDIR" |
      sed "s|^|${f#"$STAGE"}: |"
  done > "$TMP/out"
  [ ! -s "$TMP/out" ]
  result 'no program knows the folders that it was built from' $?
fi

build_echo() {
  local flags
  flags=$(PKG_CONFIG_SYSROOT_DIR=$STAGE \
    PKG_CONFIG_PATH=$STAGE$libdir/pkgconfig \
    pkg-config --cflags --libs europa-vnic) || return 1
  # shellcheck disable=SC2086
  cd "$TMP" && ${CC:-cc} $SANITIZE -o my-echo my-echo.c $flags
}
SANITIZE=$(grep -oE -- '-fsanitize=[a-z,]+' "$EUROPA_BUILDDIR/Makefile" |
  head -n 1)
cp "$EUROPA_SRCDIR/examples/vnic-echo.c" "$TMP/my-echo.c"
(build_echo) > "$TMP/out" 2>&1
result 'a data plane of one'"'"'s own builds from what is installed' $?

grep -rlE '@[a-z]+@' "$STAGE$libdir/pkgconfig" "$STAGE$confdir" "$STAGE$sysusersdir" \
  "$STAGE$tmpfilesdir" "$STAGE${unitdir:-$confdir}" > "$TMP/out"
[ ! -s "$TMP/out" ]
result 'all names in configuration are filled in' $?

echo '# mine' >> "$STAGE$confdir/europa.conf"
run_make install && grep -q '# mine' "$STAGE$confdir/europa.conf"
result 'a changed europa.conf survives make install' $?
run_make uninstall && [ -f "$STAGE$confdir/europa.conf" ]
result 'and make uninstall' $?

rm "$STAGE$confdir/europa.conf"
run_make install && run_make uninstall &&
  find "$STAGE" ! -type d > "$TMP/out" && [ ! -s "$TMP/out" ]
result 'make uninstall leaves no file' $?
echo "1..$n"
exit $failed
