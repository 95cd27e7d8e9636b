#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# model: Spin looks at every order of steps of a small queue: an honest router
# with a kill of either side between any two steps, a hostile one, and nine
# errors that it must find. Less than a minute; skipped without spin.
set -eu
model=${EUROPA_SRCDIR:-.}/doc/model/vnic-ring.pml
cc=${CC:-cc}
if ! command -v spin >/dev/null; then
	echo "1..0 # SKIP spin is not installed"
	exit 0
fi
model=$(cd "$(dirname "$model")" && pwd)/vnic-ring.pml
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

n=0
failed=0
# look WANT NAME -D...: WANT is "sound" or "broken"
look() {
	want=$1
	name=$2
	shift 2
	n=$((n + 1))
	spin -a "$@" "$model" >out 2>&1
	$cc -O1 -w -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c
	timeout 120 ./pan -m1000000 >out 2>&1 || true
	verdict=incomplete
	if grep -q 'errors: [1-9]' out; then
		verdict=broken
	elif grep -q 'errors: 0' out && ! grep -q 'Search not completed' out; then
		verdict=sound
	fi
	if [ "$verdict" = "$want" ]; then
		echo "ok $n - $name: $verdict"
	else
		echo "not ok $n - $name: $verdict, want $want"
		sed 's/^/# /' out
		failed=1
	fi
}

small="-DS=2 -DN=2 -DV=1 -DP=2 -DO=1 -DRES=1"
hostile="-DS=2 -DN=2 -DV=1 -DP=3 -DO=2 -DRES=1 -DHOSTILE=1 -DKILLS=0"
# shellcheck disable=SC2086 # options
{
	look sound "honest, one kill" $small -DKILLS=1
	look sound "hostile, two arbitrary writes" $hostile
	for bug in RECHECK RUNG BLANK REJOIN ZERO; do
		look broken "$bug" $small -DKILLS=1 -DBUG_$bug
	done
	look broken NOKICK -DS=2 -DN=2 -DV=1 -DP=1 -DO=0 -DRES=1 \
	    -DBUG_NOKICK -DKILLS=2
	look broken "ring smaller than the partition" \
	    -DS=3 -DN=2 -DV=1 -DP=4 -DO=1 -DRES=1 -DKILLS=0
	look broken FETCH -DS=2 -DN=2 -DV=1 -DP=1 -DO=3 -DRES=1 \
	    -DHOSTILE=1 -DKILLS=0 -DBUG_FETCH
	look broken OWNER -DS=2 -DN=2 -DV=1 -DP=3 -DO=3 -DRES=1 \
	    -DHOSTILE=1 -DKILLS=0 -DBUG_OWNER
}
echo "1..$n"
exit $failed
