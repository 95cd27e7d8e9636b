#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Random operations on a node of its own with real containers, whose europad is
# killed in some of them, beside a model; tests/model/run.mjs prints the seed.

@test "random operations and kills of europad: the state is the model's" {
  command -v node > /dev/null || skip "no node"
  run node "$EUROPA_SRCDIR/tests/model/run.mjs" --containers lxc \
    --operations 50 --kills 10 --seed "${EUROPA_SEED:-5}"
  echo "$output"
  [ "$status" = 0 ]
}
