# SPDX-License-Identifier: Apache-2.0
# stages: the lines that a build with --enable-stage-timing writes (lib/stage.h)
# as a table: jq -rf tests/bench/stages.jq FILE. Time is in ns; a packet is one
# that the stage has seen; what reading the clock cost is taken off.
def ns($hz): . * 1e9 / $hz;
def round2: . * 100 | round / 100;
. as $t
| ([.stages[] | select(.name != "idle") | .ticks - .marks * $t.mark_ticks] | add) as $all
| "\(.thread): \(.turns) turns timed, \(.idle_turns) idle, \(.packets) packets",
  (["  stage", "ns/packet", "%", "packets/turn"] | @tsv),
  (.stages[] | select(.name != "idle")
   | (.ticks - .marks * $t.mark_ticks) as $ticks
   | ["  " + .name,
      ($ticks / ([.packets, 1] | max) | ns($t.hz) | round2),
      ($ticks * 100 / $all | round2),
      (.packets / ([$t.turns - $t.idle_turns, 1] | max) | round2)] | @tsv),
  (["  all", ($all / ([.packets, 1] | max) | ns($t.hz) | round2), 100,
    (.packets / ([$t.turns - $t.idle_turns, 1] | max) | round2)] | @tsv)
