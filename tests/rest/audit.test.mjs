// SPDX-License-Identifier: Apache-2.0
// audit: every change is in the trail with who, when, what and its result;
// readings and dry runs are not; and a tenant sees his own.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {bearer, empty, must, request, reset, skip} from './client.mjs';

before(async () => {
  if (skip) return;
  await reset();
  await must('POST', '/v1/projects', {name: 'blue'});
});
after(async () => { if (!skip) await empty(); });

async function trail(query = '', headers = {}) {
  return (await must('GET', `/v1/audit${query}`, undefined, headers)).json;
}

async function newest() {
  return (await trail('?limit=1')).items[0];
}

test('a change is there when its answer is', {skip}, async () => {
  const made = await must('POST', '/v1/routers', {name: 'r2', spec: {power: 'stopped'}});
  const entry = await newest();
  assert.equal(entry.method, 'POST');
  assert.equal(entry.path, '/v1/routers');
  assert.equal(entry.name, 'r2');
  assert.equal(entry.project, 'default');
  assert.equal(entry.status, 201);
  assert.equal(entry.request_id, made.headers['x-request-id']);
  assert.deepEqual(entry.who, {uid: process.getuid()});
  assert.ok(Math.abs(Date.parse(entry.time) - Date.now()) < 60000);
  await must('GET', '/v1/routers');
  await must('DELETE', '/v1/routers/r2?dry_run=true');
  assert.equal((await newest()).id, entry.id);
  await must('DELETE', '/v1/routers/r2');
  const gone = await newest();
  assert.deepEqual([gone.method, gone.path, gone.status],
    ['DELETE', '/v1/routers/r2', 204]);
  assert.ok(gone.id > entry.id);
});

test('whose token it was, also when it is refused', {skip}, async () => {
  const headers = await bearer('looker', {blue: 'viewer'});
  const {uid} = (await must('GET', '/v1/tokens/looker')).json;
  assert.equal((await request('POST', '/v1/routers?project=blue', {name: 'x'},
    headers)).status, 403);
  const entry = await newest();
  assert.deepEqual(entry.who, {token: uid, name: 'looker'});
  assert.equal(entry.status, 403);
  assert.equal(entry.project, 'blue');
  assert.ok(!JSON.stringify(await trail()).includes('europa_'), 'no secrets');
});

test('a tenant sees his own', {skip}, async () => {
  const admin = await bearer('chief', {blue: 'admin'});
  await must('PUT', '/v1/routers/r7?project=blue', {spec: {power: 'stopped'}});
  const {items} = await trail('?project=blue', admin);
  assert.equal(items[0].path, '/v1/routers/r7');
  assert.ok(items.every((x) => x.project === 'blue'));
  assert.ok((await trail()).items.some((x) => x.project !== 'blue'));
  assert.equal((await request('GET', '/v1/audit', undefined, admin)).status, 404);
  const viewer = await bearer('small', {blue: 'viewer'});
  assert.equal((await request('GET', '/v1/audit?project=blue', undefined, viewer)).status, 403);
});

test('page by page, nothing twice and nothing left out', {skip}, async () => {
  const {items} = await trail('?limit=9');
  const paged = [];
  for (let cursor = ''; paged.length < 9;) {
    const page = await trail(`?limit=2${cursor}`);
    paged.push(...page.items);
    cursor = `&cursor=${page.next}`;
  }
  assert.deepEqual(paged.slice(0, 9).map((x) => x.id), items.map((x) => x.id));
  for (const bad of ['limit=0', 'limit=x', 'limit=1001', 'cursor=-1',
    'cursor=99999999999999999999', 'limit='])
    assert.equal((await request('GET', `/v1/audit?${bad}`)).status, 400, bad);
});
