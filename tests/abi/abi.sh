#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# abi: the contract between host and router is what tests/abi/vnic_abi.txt says:
# numbers of structs and layout, and the text of the header without comments.
# "abi.sh update" rewrites the file, and refuses unless the version was raised.
# shellcheck disable=SC2317,SC2020 # functions called by name; sets of tr
set -eu
src=${EUROPA_SRCDIR:-.}
build=${EUROPA_BUILDDIR:-.}
golden=$src/tests/abi/vnic_abi.txt
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

n=0
failed=0
check() { # what, then a command
	what=$1
	shift
	n=$((n + 1))
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		sed 's/^/# /' "$tmp/out"
		failed=1
	fi
}

${CC:-cc} -E -P -DVNIC_FFI "$src/lib/vnic_abi.h" >"$tmp/ffi.h"
"$build/tests/abi/abi_dump" >"$tmp/dump.txt"
"$build/tests/abi/abi_dump_ffi" >"$tmp/dump_ffi.txt"
{
	cat "$tmp/dump.txt"
	echo "text"
	# one word a line: how a preprocessor sets its lines does not matter
	tr -s ' \t\n' '\n\n\n' <"$tmp/ffi.h" | sed '/^$/d'
} >"$tmp/now.txt"

version() { sed -n 's/^version //p' "$1"; }

if [ "${1:-}" = update ]; then
	if [ -f "$golden" ] && ! cmp -s "$golden" "$tmp/now.txt" &&
	    [ "$(version "$golden")" = "$(version "$tmp/now.txt")" ]; then
		echo "abi: the contract has changed: raise VNIC_MAJOR or" \
		    "VNIC_MINOR in lib/vnic_abi.h first" >&2
		exit 1
	fi
	cp "$tmp/now.txt" "$golden"
	exit 0
fi

no_c_words() {
	! grep -nE '_Atomic|static_assert|_Static_assert|_Alignas|#' \
	    "$tmp/ffi.h"
}
same_structs() {
	sed '/^magic/,$d' "$tmp/dump.txt" | diff - "$tmp/dump_ffi.txt"
}
every_field() {
	# a field that abi_dump does not print would not be watched
	fields=$(sed -n '/^struct/,/^}/p' "$tmp/ffi.h" | grep -c ';$')
	ends=$(grep -c '^};' "$tmp/ffi.h")
	enums=$(grep -c '^enum' "$tmp/ffi.h")
	printed=$(grep -c '^	.* + [0-9]*$' "$tmp/dump_ffi.txt")
	[ "$printed" -eq $((fields - ends + enums)) ] || {
		echo "the header has $((fields - ends + enums)) fields," \
		    "abi_dump prints $printed"
		return 1
	}
}
as_golden() {
	diff "$golden" "$tmp/now.txt" && return 0
	if [ "$(version "$golden")" = "$(version "$tmp/now.txt")" ]; then
		echo "the contract has changed, its version has not"
	else
		echo "a new version: run make abi-update"
	fi
	return 1
}
luajit_reads() {
	{
		echo 'local ffi = require("ffi") ffi.cdef[['
		cat "$tmp/ffi.h"
		echo ']]'
		sed -n 's/^struct \(.*\) \(.*\)$/assert(ffi.sizeof("struct \1") == \2, "\1")/p' \
		    "$tmp/dump.txt"
		sed -n 's/^	\(.*\)\.\(.*\) \(.*\) + .*$/assert(ffi.offsetof("struct \1", "\2") == \3, "\1.\2")/p' \
		    "$tmp/dump_ffi.txt"
	} >"$tmp/cdef.lua"
	luajit "$tmp/cdef.lua"
}

check "the FFI text has no word that LuaJIT rejects" no_c_words
check "the FFI text has the same structs" same_structs
check "every field is printed" every_field
if command -v luajit >/dev/null; then
	check "LuaJIT reads the text and agrees" luajit_reads
fi
check "the contract is that of its version" as_golden
echo "1..$n"
exit $failed
