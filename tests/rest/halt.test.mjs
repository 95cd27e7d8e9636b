// SPDX-License-Identifier: Apache-2.0
// halt: SIGUSR1 has europad stop every router, and end; what was wanted of them
// stays, and the europad that comes next (EUROPA_PID_FILE) makes it so.
import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';

import {empty, must, reset, skip, until} from './client.mjs';

const pidFile = process.env.EUROPA_PID_FILE;

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

test('SIGUSR1 stops every router, and the next europad starts them',
  {skip: skip || (!pidFile && 'no europad of ours')}, async () => {
    const r1 = (await must('GET', '/v1/routers/r1')).json;
    const init = r1.status.container.init_pid;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    assert.ok(existsSync(`/proc/${init}`));
    process.kill(pid, 'SIGUSR1');
    for (const each of [init, pid])
      await until(() => assert.ok(!existsSync(`/proc/${each}`)), 20);
    await until(async () => assert.equal(
      (await must('GET', '/v1/routers/r1')).json.status.state, 'running'), 20);
    const again = (await must('GET', '/v1/routers/r1')).json;
    assert.equal(again.uid, r1.uid);
    assert.equal(again.generation, r1.generation);
    assert.equal(again.spec.power, 'running');
  });
