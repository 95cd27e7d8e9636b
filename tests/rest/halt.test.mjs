// SPDX-License-Identifier: Apache-2.0
// halt: SIGUSR1 has europad stop every router, and end; what was wanted of them
// stays, and the europad that comes next (EUROPA_PID_FILE) makes it so.
import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {after, before, test} from 'node:test';

import {empty, must, request, reset, skip} from './client.mjs';

const pidFile = process.env.EUROPA_PID_FILE;

async function until(what, done) {
  for (let i = 0; i < 400; i++) {
    if (await done().catch(() => false)) return;
    await sleep(50);
  }
  assert.fail(`never: ${what}`);
}

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

test('SIGUSR1 stops every router, and the next europad starts them',
  {skip: skip || (!pidFile && 'no europad of ours')}, async () => {
    const r1 = (await must('GET', '/v1/routers/r1')).json;
    const init = r1.status.container.init_pid;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    assert.ok(existsSync(`/proc/${init}`));
    process.kill(pid, 'SIGUSR1');
    await until('init has ended', async () => !existsSync(`/proc/${init}`));
    await until('europad has ended', async () => !existsSync(`/proc/${pid}`));
    await until('r1 runs again', async () => {
      const {json} = await request('GET', '/v1/routers/r1');
      return json.status.state === 'running';
    });
    const again = (await must('GET', '/v1/routers/r1')).json;
    assert.equal(again.uid, r1.uid);
    assert.equal(again.generation, r1.generation);
    assert.equal(again.spec.power, 'running');
  });
