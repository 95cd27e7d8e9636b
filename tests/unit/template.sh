#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# template: what europa-template makes of manifests: templates that include
# others, programs of the host, and what it says of what is not there.
# shellcheck disable=SC2317 # functions called by name
set -eu
src=${EUROPA_SRCDIR:-.}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

n=0
failed=0
check() { # what, then a command
	what=$1
	shift
	n=$((n + 1))
	if "$@" >"$tmp/log" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		sed 's/^/# /' "$tmp/log"
		failed=1
	fi
}

make_template() { # NAME MANIFEST
	mkdir -p "$tmp/templates/$1"
	printf '%s\n' "$2" >"$tmp/templates/$1/manifest"
}

build() { # NAME: the root's path is in $root, the messages in $tmp/why
	status=0
	root=$("$src/container-templates/europa-template" build "$1" \
		--templates "$tmp/templates" --bin "$tmp/bin" --out "$tmp/out" \
		2>"$tmp/why") || status=$?
	return $status
}

mkdir "$tmp/bin"
cp /bin/true "$tmp/bin/mine"
make_template base 'dir /run 0755
file /etc/motd 0644 motd
program /usr/bin/mine 0755 mine'
echo of the base >"$tmp/templates/base/motd"
make_template more 'file /etc/motd 0644 motd
include base
host /usr/bin/env 0755 env
host /usr/bin/none 0755 europa-no-such-program optional
file /etc/own 0600 motd'
echo my own >"$tmp/templates/more/motd"
make_template broken 'include nowhere'
make_template lacking 'host /bin/x 0755 europa-no-such-program'
make_template odd 'elephant /etc 0755'

build base
check "a file of the manifest's folder" grep -q 'of the base' "$root/etc/motd"
build more
check "what it includes is there" test -x "$root/usr/bin/mine" -a -d "$root/run"
check "its own file comes before that of the other" \
	grep -q 'my own' "$root/etc/motd"
check "a program of the host is there, and runs in its root's libraries" \
	cmp "$root/usr/bin/env" "$(command -v env)"
check "a program that the host need not have" test ! -e "$root/usr/bin/none"
check "modes are kept" test "$(stat -c %a "$root/etc/own")" = 600

refused() { # NAME STATUS TEXT
	status=0
	build "$1" || status=$?
	cat "$tmp/why"
	[ "$status" = "$2" ] && grep -q "$3" "$tmp/why"
}
check "no such template has a status of its own" \
	refused missing 3 'no template missing'
check "those that there are, are named" \
	test "$root" = 'base bird broken lacking linux more odd router'
check "one that includes no template" refused broken 1 'no template nowhere'
check "a program that the host has not" \
	refused lacking 1 'europa-no-such-program is not installed'
check "an unknown word" refused odd 1 'unknown word elephant'
check "nothing half made stays behind" \
	test -z "$(find "$tmp/out" -name '.new-*')"
echo "1..$n"
exit $failed
