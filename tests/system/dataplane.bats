#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# europa-dataplane between a router and a Linux neighbour:
#
#   namespace n                       namespace h
#   [ping]---veth n0 ======== h0---[europa-dataplane]===[dp_router]
#                              net_af_packet        shared memory

setup() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	bin="${EUROPA_BUILDDIR:-$PWD/_build}"
	id="edp$$"
	dir="$(mktemp -d)"
	chmod 755 "$dir"
	ip netns add "$id-n"
	ip netns add "$id-h"
	ip link add n0 netns "$id-n" type veth peer name h0 netns "$id-h"
	for end in n h; do
		ip netns exec "$id-$end" ethtool -K "${end}0" \
			tx off gso off tso off gro off rxvlan off txvlan off \
			>/dev/null 2>&1 || true
		ip netns exec "$id-$end" sysctl -qw \
			"net.ipv6.conf.${end}0.disable_ipv6=1"
		ip -n "$id-$end" link set "${end}0" up
	done
	ip -n "$id-n" addr add 198.18.0.1/24 dev n0
	echo "port p0 1500 net_af_packet0,iface=h0" >"$dir/ports"
	pids=""
	start_dataplane
}

start_dataplane() {
	ip netns exec "$id-h" "$bin/europa-dataplane" --config /dev/null \
		--socket "$dir/sock" --ports "$dir/ports" --user nobody \
		--no-huge >"$dir/log" 2>&1 3>&- &
	dp=$!
	pids="$pids $dp"
	for _ in $(seq 100); do
		[ -S "$dir/sock" ] && return
		sleep 0.05
	done
	cat "$dir/log"
	return 1
}

# start_router VLAN
start_router() {
	"$bin/tests/system/dp_router" "$dir/sock" p0 "$1" 1500 198.18.0.2 \
		>"$dir/router" 2>&1 3>&- &
	router=$!
	pids="$pids $router"
	for _ in $(seq 100); do
		grep -q runs "$dir/router" && return
		sleep 0.05
	done
	cat "$dir/router" "$dir/log"
	return 1
}

teardown() {
	[ -n "${dir:-}" ] || return 0
	for pid in $pids; do
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	ip netns del "$id-n" 2>/dev/null || true
	ip netns del "$id-h" 2>/dev/null || true
	rm -rf "$dir"
}

# No answer is lost. ping does not wait for one that is late by as much as the
# interval: what loses packets loses some in each of six rounds. Sets rounds.
ping_router() {
	for ((rounds = 1; rounds <= 6; rounds++)); do
		run ip netns exec "$id-n" ping -q -n -W 1 "$@" 198.18.0.2
		echo "$output"
		[ "$status" -eq 0 ] || return 1
		[[ "$output" != *" 0% packet loss"* ]] || return 0
	done
	return 1
}

# ticks of CPU that a process has used
ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

@test "a neighbour reaches a router through a veth port" {
	start_router 0
	ping_router -c 50 -i 0.01
	ping_router -c 5 -i 0.01 -s 1472 -M "do"
}

# ask VLAN: the VLAN of the answer
ask() {
	ip netns exec "$id-n" "$here/tagged_arp.py" n0 "$1"
}

@test "a router on a VLAN is reached with its tag, and only with it" {
	here="$(cd "$(dirname "$BATS_TEST_FILENAME")" && pwd)"
	start_router 42
	[ "$(ask 42)" = 42 ]
	[ "$(ask 0)" = none ]
	[ "$(ask 43)" = none ]
}

# counter NAME: as the router printed it at its end
counter() {
	sed -n "s/^$1=//p" "$dir/router"
}

@test "every packet is accounted for" {
	start_router 0
	ip -n "$id-n" neigh replace 198.18.0.2 lladdr 02:00:00:00:00:01 dev n0
	ping_router -c 100 -f
	kill "$router" # which waits for what is under way
	wait "$router"
	cat "$dir/router"
	[ "$(counter filled)" -ge $((100 * rounds)) ]
	[ "$(counter offered)" -eq "$(counter filled)" ]
	[ "$(counter back)" -eq "$(counter filled)" ]
	[ "$(counter sent)" -eq $((100 * rounds)) ]
}

@test "it keeps two rights, a third for locked memory, and no more" {
	start_router 0 # it has dropped them before it answers
	grep -q "^CapEff:.*0000000000007000" "/proc/$dp/status"
	grep -q "^CapBnd:.*0000000000007000" "/proc/$dp/status"
	grep -q "^NoNewPrivs:.*1" "/proc/$dp/status"
	[ "$(awk '/^Uid:/ { print $2 }' "/proc/$dp/status")" = "$(id -u nobody)" ]
}

@test "an idle data plane sleeps, and wakes for the first packet" {
	start_router 0
	ping_router -c 3 -i 0.01
	before="$(ticks "$dp")"
	sleep 2
	after="$(ticks "$dp")"
	echo "ticks in 2 s: $((after - before))"
	[ $((after - before)) -le 4 ]
	ping_router -c 1
}

@test "a killed data plane starts again and serves at once" {
	start_router 0
	ping_router -c 3 -i 0.01
	kill -9 "$dp"
	wait "$dp" || true
	rm -f "$dir/sock"
	kill -9 "$router"
	wait "$router" || true
	start_dataplane
	start_router 0
	ping_router -c 3 -i 0.01
}
