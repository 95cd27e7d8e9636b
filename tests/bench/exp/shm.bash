# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# shm: packets through shared memory to an isolated router that swaps their MACs
# and back, source net_pcap, sink net_null, host and router on a core each:
#
#	europa     europa-dataplane and io.c, rules and all checks on
#	memif_zc   net_memif, the router's side without copies
#	memif      net_memif, copying on both sides
#	vhost      net_vhost and net_virtio_user, packed ring, in order, vectors
#	ring       rte_ring and one pool of mbufs: no isolation at all
#	proto      Europa's idea of a path, unchecked (peer_proto.c)
#
# `NAME@X` is the rate with X bytes on the wire. Of the peers both usual bursts
# are tried at 64 bytes, the better one is used (SHM_BURST). SHM_SIZES in the
# environment takes fewer sizes; 64 and 1500 are those of the targets.

SHM_SIZES=${SHM_SIZES:-64 128 256 512 1024 1500}
SHM_PEERS="memif_zc memif vhost ring proto"
SHM_ISOLATED="memif_zc memif vhost"

describe_shm() {
  echo "shared memory: Europa, memif, vhost-user, rte_ring, a prototype"
}

# Which burst suits a peer on this machine: one run each.
shm_choose_bursts() {
  local way burst best
  declare -gA SHM_BURST=()
  bench_frames 64
  for way in $SHM_PEERS; do
    best=0
    for burst in 32 64; do
      bench_peer choice "$way" "$burst" || return 1
      if jq -en "$MPPS > $best" > /dev/null; then
        best=$MPPS SHM_BURST[$way]=$burst
      fi
    done
  done
}

shm_rates() { # SIZE
  local i way
  bench_frames "$1"
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    bench_rig "europa@$1" router=io || return 1
    for way in $SHM_PEERS; do
      bench_peer "$way@$1" "$way" "${SHM_BURST[$way]}" || return 1
    done
  done
  bench_series shm "europa@$1" Mpps "rig router=io"
  for way in $SHM_PEERS; do
    bench_ratio "to_$way@$1" "europa@$1" "$way@$1"
    bench_series shm "$way@$1" Mpps "peer $way burst ${SHM_BURST[$way]}"
    bench_series shm "to_$way@$1" ratio "both, taking turns"
  done
}

shm_judge() { # ID LEVEL WAY SIZE WANTED
  bench_judge "$1" "$2" "$(bench_median "to_$3@$4")" ">=" "$5" \
    "io, $4 bytes, to $3"
}

shm_targets() {
  local best=0 way
  shm_judge T1 must memif_zc 64 1.5
  shm_judge T1 must vhost 64 1.5
  shm_judge T1 must proto 64 0.85
  shm_judge T1 stretch memif_zc 64 2
  shm_judge T1 stretch ring 64 1.3
  bench_judge T1 stretch "$(bench_median europa@64)" ">=" 38 "Mpps, io, 64 bytes"
  for way in $SHM_ISOLATED; do
    if jq -en "$(bench_median "$way@1500") > $best" > /dev/null; then
      best=$(bench_median "$way@1500")
      BEST=$way
    fi
  done
  shm_judge T4 must "$BEST" 1500 1.0
  shm_judge T4 stretch "$BEST" 1500 1.3
}

run_shm() {
  local size
  bench_need_dpdk
  [ "$BENCH_HUGE" = yes ] || bench_die "memif without copies and the others want huge pages"
  shm_choose_bursts || return 1
  for size in $SHM_SIZES; do shm_rates "$size" || return 1; done
  shm_targets
}
