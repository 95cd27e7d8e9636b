// SPDX-License-Identifier: Apache-2.0
// vnics: vNICs that come and go while their router runs, more often than its
// memory has places for them; a europad that does not know which are used up.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {dataplane, empty, killEuropad, must, pidFile, request, reset, skip, until}
  from './client.mjs';

const r1 = '/v1/routers/r1';

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

async function resets(name) {
  return (await must('GET', `/v1/routers/${name}/stats`)).json.resets;
}

async function comeAndGo(name) {
  const made = await must('POST', `${r1}/vnics`, {name});
  assert.equal(made.json.status.state, 'running', made.text);
  const {index} = made.json.status.vnics.find((v) => v.name === name);
  assert.ok(Number.isInteger(index), made.text);
  await must('DELETE', `${r1}/vnics/${name}`);
}

test('vNICs come and go more often than there are indices', {skip}, async () => {
  await must('POST', '/v1/routers', {name: 'other', spec: {dataplane}});
  const [mine, others] = [await resets('r1'), await resets('other')];
  const {uid, status} = (await must('GET', r1)).json;
  for (let i = 0; i < 14; i++) await comeAndGo(`x${i}`);
  assert.ok(await resets('r1') > mine, 'no epoch has ended');
  assert.equal(await resets('other'), others);
  // the same container, and the same process in it
  const now = (await must('GET', r1)).json;
  assert.equal(now.uid, uid);
  assert.equal(now.status.dataplane.starts, status.dataplane.starts);
  assert.equal((await must('GET', `${r1}/vnics/lan`)).json.status.attached, true);
});

test('a change of the MAC of all of them takes new places, too', {skip}, async () => {
  for (let i = 0; i < 6; i++)
    await must('PATCH', `${r1}/vnics/lan`, {spec: {mac: `0a:00:00:00:77:0${i}`}});
  assert.equal((await must('GET', r1)).json.status.state, 'running');
});

test('a program that is not there is named, with why and what to do', {skip}, async () => {
  const name = '/no/such/program';
  const attached = async () => (await must('GET', r1)).json.status.conditions
    .find((c) => c.type === 'attached');
  await must('PATCH', r1, {spec: {dataplane: `${name} -x`}}, {Prefer: 'respond-async'});
  await until(async () => {
    const {status, detail} = await attached();
    assert.equal(status, false);
    assert.match(detail, /^the program \/no\/such\/program cannot be run: .*\(ENOENT\); .*spec\.dataplane/);
  });
  const fault = (await must('GET', r1)).json.status.faults[0];
  assert.deepEqual([fault.what, fault.exit_code], ['dataplane-missing', 127]);
  assert.match(fault.detail, /no\/such\/program.*ENOENT/);
  assert.match(fault.remedy, /spec\.dataplane/);
  await must('PATCH', r1, {spec: {dataplane: '/etc/passwd'}}, {Prefer: 'respond-async'});
  await until(async () => assert.match((await attached()).detail, /EACCES/));
  await must('PATCH', r1, {spec: {dataplane}});
  // the answer does not wait for what has been away for 3 s
  await until(async () => assert.equal((await attached()).status, true));
});

test('a europad that was killed does not know what is used up',
  {skip: skip || !pidFile && 'no EUROPA_PID_FILE'}, async () => {
    for (let i = 0; i < 3; i++) await comeAndGo(`y${i}`);
    const was = await resets('r1');
    const pid = (await must('GET', r1)).json.status.container.init_pid;
    await killEuropad();
    await until(async () => {
      const {json} = await request('GET', r1);
      assert.equal(json.status.state, 'running');
    });
    for (let i = 0; i < 5; i++) await comeAndGo(`z${i}`);
    assert.ok(await resets('r1') > was);
    assert.equal((await must('GET', r1)).json.status.container.init_pid, pid);
  });
