// SPDX-License-Identifier: Apache-2.0
// model: random operations on a node of its own, whose europad is killed in some
// of them, beside a model (tests/model). EUROPA_SEED repeats one that failed.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {test} from 'node:test';

const program = fileURLToPath(new URL('../model/run.mjs', import.meta.url));
const seed = process.env.EUROPA_SEED ?? '7';
const build = process.env.EUROPA_BUILDDIR ??
  fileURLToPath(new URL('../../_build', import.meta.url));
const skip = existsSync(`${build}/europad`) ? false : `not built in ${build}`;

test(`100 operations and 25 kills, seed ${seed}`, {skip}, () => {
  const run = spawnSync(process.execPath, [program, '--operations', '100',
    '--kills', '25', '--seed', seed], {encoding: 'utf8', timeout: 120000});
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /^# [\d.]+ s: .*"kills":25\b/m);
});
