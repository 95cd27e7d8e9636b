// SPDX-License-Identifier: Apache-2.0
// again: requests that come twice with an Idempotency-Key, also to a europad
// that was killed in between (EUROPA_PID_FILE, where one is started anew).
import assert from 'node:assert/strict';
import {readdirSync, rmSync} from 'node:fs';
import {after, before, test} from 'node:test';

import {comesToRun, empty, killEuropad, lua, must, pidFile, pipeline, request, reset,
  skip} from './client.mjs';

const state = process.env.EUROPA_STATE_DIR;
const stopped = {power: 'stopped'};
const run = `${process.pid}-${Date.now()}`;
const key = (name) => ({'Idempotency-Key': `${run} ${name}`});

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

function same(a, b) {
  assert.equal(b.status, a.status, b.text);
  assert.equal(b.text, a.text);
  for (const h of ['etag', 'location', 'content-type'])
    assert.equal(b.headers[h], a.headers[h], h);
  assert.equal(a.headers['idempotent-replayed'], undefined);
  assert.equal(b.headers['idempotent-replayed'], 'true');
}

test('a create is done once, and answered twice', {skip}, async () => {
  const body = {name: 'k1', spec: stopped};
  const first = await request('POST', '/v1/routers', body, key('k1'));
  assert.equal(first.status, 201, first.text);
  same(first, await request('POST', '/v1/routers', body, key('k1')));
  // even when it is gone: nothing is done again
  await must('DELETE', '/v1/routers/k1');
  same(first, await request('POST', '/v1/routers', body, key('k1')));
  assert.equal((await request('GET', '/v1/routers/k1')).status, 404);
  // without the key it is another request
  assert.equal((await request('POST', '/v1/routers', body)).status, 201);
});

test('so is what was refused', {skip}, async () => {
  const first = await request('POST', '/v1/routers', {name: 'r1'}, key('taken'));
  assert.equal(first.status, 409);
  same(first, await request('POST', '/v1/routers', {name: 'r1'}, key('taken')));
});

test('the same key with another request is refused', {skip}, async () => {
  await must('POST', '/v1/routers', {name: 'k2', spec: stopped}, key('k2'));
  for (const [path, body] of [['/v1/routers', {name: 'k3', spec: stopped}],
    ['/v1/routers?project=default', {name: 'k2', spec: stopped}],
    ['/v1/routers/r1/vnics', {name: 'k2'}]]) {
    const other = await request('POST', path, body, key('k2'));
    assert.equal(other.status, 422, other.text);
    assert.equal(other.json.code, 'key-reused');
  }
  assert.equal((await request('GET', '/v1/routers/k3')).status, 404);
});

test('a dry run has no key', {skip}, async () => {
  const body = {name: 'k4', spec: stopped};
  const dry = await request('POST', '/v1/routers?dry_run=true', body, key('k4'));
  assert.equal(dry.status, 200, dry.text);
  assert.equal((await request('POST', '/v1/routers', body, key('k4'))).status, 201);
});

test('two at the same time: one is done', {skip}, async () => {
  const body = {name: 'k5'};
  const answers = await Promise.all([1, 2, 3, 4].map(() =>
    request('POST', '/v1/routers', body, key('k5'))));
  const made = answers.filter((a) => a.status === 201);
  assert.ok(made.length >= 1);
  for (const a of answers) {
    if (a.status === 201) assert.equal(a.text, made[0].text);
    else assert.equal(`${a.status} ${a.json.code}`, '409 in-progress');
  }
  const later = await request('POST', '/v1/routers', body, key('k5'));
  assert.equal(later.text, made[0].text);
});

test('each POST takes a key', {skip}, async () => {
  await must('PUT', '/v1/routers/r1/pipeline', pipeline('again'), lua);
  for (const [path, body] of [
    ['/v1/routers/r1/restart', {scope: 'container'}],
    ['/v1/routers/r1/vnics', {name: 'twice'}],
    ['/v1/routers/r1/pipeline/rollback', {}],
    ['/v1/ports', {name: 'p7', spec: {devargs: 'net_null7,no-rx=1'}}]]) {
    const first = await must('POST', path, body, key(path));
    same(first, await request('POST', path, body, key(path)));
    await comesToRun('r1');
  }
  await must('DELETE', '/v1/ports/p7');
});

test('a key that is none', {skip}, async () => {
  for (const bad of ['', 'x'.repeat(256)]) {
    const a = await request('POST', '/v1/routers', {name: 'k9'},
      {'Idempotency-Key': bad});
    assert.equal(a.status, 400, a.text);
    assert.equal(a.json.code, 'bad-header');
  }
});

test('secrets and streams take no key, and say so', {skip}, async () => {
  for (const [path, body] of [['/v1/tokens', {name: 'k7', spec: {roles: {default: 'viewer'}}}],
    ['/v1/routers/r1/exec', {argv: ['true']}]]) {
    const a = await request('POST', path, body, key(path));
    assert.equal(a.status, 400, a.text);
    assert.equal(a.json.code, 'bad-header');
  }
  assert.equal((await request('GET', '/v1/tokens/k7')).status, 404);
});

test('the answer outlives europad', {skip: skip || !pidFile && 'no EUROPA_PID_FILE'},
  async () => {
    const body = {name: 'k6', spec: stopped};
    const first = await request('POST', '/v1/routers', body, key('k6'));
    assert.equal(first.status, 201, first.text);
    await killEuropad();
    same(first, await request('POST', '/v1/routers', body, key('k6')));
    const other = await request('POST', '/v1/routers', {name: 'k7'}, key('k6'));
    assert.equal(other.status, 422);
    assert.equal(other.json.code, 'key-reused');
  });

// A europad that dies with the object on disk and the answer not is played by
// one that loses its answers.
test('what was made and not answered is made once', {skip: skip || !(pidFile && state) &&
  'the node was not started here'}, async () => {
  const bodies = {
    routers: {name: 'k8', spec: stopped},
    ports: {name: 'k8', spec: {devargs: 'net_null8,no-rx=1'}},
    links: {name: 'k8', spec: {ends: ['r8:x', 'r9:x']}},
    segments: {name: 'k8', spec: {members: ['r8:y']}},
    projects: {name: 'k8'},
  };
  const made = {};
  for (const [kind, body] of Object.entries(bodies))
    made[kind] = await must('POST', `/v1/${kind}`, body, key(`k8 ${kind}`));
  for (const name of readdirSync(`${state}/answers`)) rmSync(`${state}/answers/${name}`);
  await killEuropad();
  for (const [kind, body] of Object.entries(bodies)) {
    const again = await request('POST', `/v1/${kind}`, body, key(`k8 ${kind}`));
    assert.equal(again.status, 201, again.text);
    for (const h of ['etag', 'location'])
      assert.equal(again.headers[h], made[kind].headers[h]);
    assert.equal(again.json.uid, made[kind].json.uid);
    // another request is not the one that made it
    const other = await request('POST', `/v1/${kind}`, body, key(`k9 ${kind}`));
    assert.equal(other.json.code, 'exists', other.text);
  }
  for (const kind of ['ports', 'projects']) await must('DELETE', `/v1/${kind}/k8`);
});

test('the same key makes another object when the first is gone', {skip: skip ||
  !(pidFile && state) && 'the node was not started here'}, async () => {
  const body = {name: 'k10', spec: stopped};
  const first = await must('POST', '/v1/routers', body, key('k10'));
  await must('DELETE', '/v1/routers/k10');
  for (const name of readdirSync(`${state}/answers`)) rmSync(`${state}/answers/${name}`);
  await killEuropad();
  const second = await must('POST', '/v1/routers', body, key('k10'));
  assert.equal(second.json.generation, first.json.generation);
  assert.notEqual(second.headers.etag, first.headers.etag);
  const late = await request('DELETE', '/v1/routers/k10', undefined,
    {'If-Match': first.headers.etag});
  assert.equal(late.json.code, 'stale', late.text);
  await must('DELETE', '/v1/routers/k10');
});
