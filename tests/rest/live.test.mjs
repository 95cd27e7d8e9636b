// SPDX-License-Identifier: Apache-2.0
// live: what a router runs beside its spec, its pipeline and its run-time routes;
// and routers whose process answers badly, which costs nobody else anything.
import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {empty, lines, lua, must, pipeline, request, reset, skip, socketPath, until}
  from './client.mjs';

const r1 = '/v1/routers/r1';
const fake = fileURLToPath(new URL('fake_router.mjs', import.meta.url));
const skipFake = skip || (process.env.EUROPA_FAKE_INIT ? false :
  'containers are real: there is no node in them');

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

async function put(word) {
  return must('PUT', `${r1}/pipeline`, pipeline(word), lua);
}

// All routes of a source, over its pages.
async function routes(source) {
  const all = [];
  for (let cursor = ''; ;) {
    const {json} = await must('GET', `${r1}/routes?source=${source}${cursor}`);
    all.push(...json.routes);
    if (json.next === null) return all;
    cursor = `&cursor=${encodeURIComponent(json.next)}`;
  }
}

test('a pipeline is a revision, read back as it was', {skip}, async () => {
  const made = await put('alpha');
  assert.equal(made.status, 201);
  assert.equal(made.json.kind, 'PipelineRevision');
  assert.equal(made.json.state, 'running');
  assert.equal(made.json.author, 'rest');
  assert.match(made.json.report, /\d+ packets, .* 0 given up/);
  assert.match(made.json.digest, /^[0-9a-f]{64}$/);
  assert.match(made.json.time, /^\d{4}-\d\d-\d\dT/);
  const {revision} = made.json;
  assert.equal(made.headers.location, `${r1}/pipeline/revisions/${revision}`);
  const now = await must('GET', `${r1}/pipeline`);
  assert.equal(now.json.revision, revision);
  assert.equal(now.json.text, pipeline('alpha'));
  assert.equal(now.json.in_force, true);
  assert.equal(now.headers.etag, made.headers.etag);
  const raw = await request('GET', `${r1}/pipeline`, undefined, {Accept: 'text/x-lua'});
  assert.equal(raw.headers['content-type'], 'text/x-lua');
  assert.equal(raw.text, pipeline('alpha'));
  // the same once more is no new one
  const again = await put('alpha');
  assert.equal(again.status, 200);
  assert.equal(again.json.revision, revision);
});

test('one that is refused says its line and changes nothing', {skip}, async () => {
  const before = await must('GET', `${r1}/pipeline`);
  const answer = await request('PUT', `${r1}/pipeline`,
    'local pipeline = require "pipeline"\n\nlocal x = = 1\n', lua);
  assert.equal(answer.status, 422, answer.text);
  assert.equal(answer.json.line, 3);
  assert.match(answer.json.detail, /:3: unexpected symbol/);
  assert.equal((await must('GET', `${r1}/pipeline`)).text, before.text);
});

test('rollback runs an earlier one, and the one before', {skip}, async () => {
  const one = (await put('one')).json.revision;
  const two = (await put('two')).json.revision;
  assert.equal(two, one + 1);
  const back = await must('POST', `${r1}/pipeline/rollback`);
  assert.equal(back.json.revision, one);
  assert.equal((await must('GET', `${r1}/pipeline`)).json.text, pipeline('one'));
  const named = await must('POST', `${r1}/pipeline/rollback`, {revision: two});
  assert.equal(named.json.revision, two);
  const none = await must('POST', `${r1}/pipeline/rollback`, {revision: 0});
  assert.equal(none.json.revision, 0);
  const now = await must('GET', `${r1}/pipeline`);
  assert.equal(now.json.revision, 0);
  assert.match(now.json.text, /check_ip4/); // the shipped one
  const {items} = (await must('GET', `${r1}/pipeline/revisions`)).json;
  assert.deepEqual(items.slice(0, 2).map((v) => [v.revision, v.state]),
    [[two, 'replaced'], [one, 'replaced']]);
  const old = await must('GET', `${r1}/pipeline/revisions/${one}`);
  assert.equal(old.json.text, pipeline('one'));
});

test('two that meant the same state: the second is told', {skip}, async () => {
  const {etag} = (await put('base')).headers;
  const first = await request('PUT', `${r1}/pipeline`, pipeline('mine'), {...lua, 'If-Match': etag});
  assert.equal(first.status, 201, first.text);
  const second = await request('PUT', `${r1}/pipeline`, pipeline('theirs'), {...lua, 'If-Match': etag});
  assert.equal(second.status, 412, second.text);
  assert.equal(`"${second.json.etag}"`, first.headers.etag);
});

test('run-time routes: a table, changes, pages, and those of the spec stay', {skip}, async () => {
  const fixed = (await must('GET', `${r1}/routes`)).json;
  let text = '';
  for (let i = 0; i < 3000; i++)
    text += `{"prefix": "10.${i >> 8}.${i & 255}.0/24", "via": "198.18.2.${2 + i % 200}"}\n`;
  const made = await must('PUT', `${r1}/routes`, text, lines);
  assert.deepEqual(made.json, {routes: 3000, applied: true});
  const all = await routes('api');
  assert.equal(all.length, 3000);
  assert.deepEqual(all.find((x) => x.prefix === '10.1.44.0/24'),
    {prefix: '10.1.44.0/24', via: '198.18.2.102', vnic: 'lan', source: 'api', active: true});
  const changed = await must('PATCH', `${r1}/routes`,
    '{"op": "delete", "prefix": "10.0.0.0/24"}\n' +
    '{"op": "delete", "prefix": "192.0.2.0/24"}\n' +
    '{"prefix": "10.0.1.0/24", "vnic": "lan"}\n' +
    '{"prefix": "203.0.113.0/24", "via": "198.18.2.9"}\n', lines);
  assert.deepEqual(changed.json,
    {added: 1, changed: 1, deleted: 1, missing: 1, applied: true});
  assert.equal((await routes('api')).length, 3000);
  // what GET returned can be sent back
  const back = (await routes('api')).map((x) => JSON.stringify(x)).join('\n');
  assert.equal((await must('PUT', `${r1}/routes`, back, lines)).json.routes, 3000);
  assert.deepEqual((await must('GET', `${r1}/routes`)).json, fixed);
  assert.deepEqual((await must('GET', `${r1}/routes?source=static`)).json, fixed);
  assert.ok((await routes('connected')).some((x) => x.prefix === '198.18.2.0/24'));
});

test('what was acknowledged is there after a start', {skip}, async () => {
  const {revision} = (await put('kept')).json;
  await must('PUT', `${r1}/routes`, '{"prefix": "10.7.0.0/16", "via": "198.18.2.7"}\n', lines);
  await must('PATCH', `${r1}/routes`, {prefix: '10.8.0.0/16', vnic: 'lan'});
  await must('PUT', `${r1}/power`, {desired: 'stopped'});
  const asleep = await must('GET', `${r1}/pipeline`);
  assert.equal(asleep.json.revision, revision);
  assert.equal(asleep.json.in_force, false);
  assert.equal((await request('GET', `${r1}/routes?source=api`)).status, 409);
  assert.equal((await request('PUT', `${r1}/pipeline`, pipeline('x'), lua)).status, 409);
  // there is nobody to ask: written down
  const late = await must('PATCH', `${r1}/routes`, {op: 'delete', prefix: '10.7.0.0/16'});
  assert.equal(late.json.applied, false);
  await must('PUT', `${r1}/power`, {desired: 'running'});
  await until(async () => {
    const now = await must('GET', `${r1}/pipeline`);
    assert.equal(now.json.revision, revision);
    assert.equal(now.json.in_force, true);
    assert.deepEqual((await routes('api')).map((x) => x.prefix), ['10.8.0.0/16']);
  });
});

test('counters by module and reason, and rates', {skip}, async () => {
  const {json} = await must('GET', `${r1}/stats`);
  // a rate is the mean of a time: there is one from the first question on
  assert.ok(json.rates.rx_pps >= 0);
  assert.ok(json.rates.window_ms >= 200);
  // its process has a fraction of a second to tell, and may need more
  await until(async () => {
    const {drops, drops_complete} = (await must('GET', `${r1}/stats`)).json;
    assert.equal(drops_complete, true, JSON.stringify(drops));
    for (const d of drops) assert.ok(['host', 'router'].includes(d.by), d.by);
  });
});

// A running router whose process is the fake one; its path.
async function bad(mode) {
  const name = `bad-${mode}`;
  await request('POST', '/v1/routers',
    {name, spec: {dataplane: `${process.execPath} ${fake} ${mode}`}},
    {Prefer: 'respond-async'});
  await until(async () => {
    const {json} = await must('GET', `/v1/routers/${name}`);
    assert.equal(json.status.dataplane.running, true);
    // its socket is there: before, this is 409
    const a = await request('GET', `/v1/routers/${name}/neighbours`);
    assert.notEqual(a.status, 409, a.text);
  }, 20);
  return `/v1/routers/${name}`;
}

for (const mode of ['nonsense', 'huge', 'deep', 'drip', 'wrong']) {
  test(`a process that is ${mode} gets no further`, {skip: skipFake}, async () => {
    const at = await bad(mode);
    for (const [method, path, body, type] of [
      ['GET', 'pipeline'], ['GET', 'neighbours'], ['GET', 'routes?source=api'],
      ['PUT', 'pipeline', pipeline('x'), lua],
      ['POST', 'pipeline/rollback', {revision: 0}]]) {
      const answer = await request(method, `${at}/${path}`, body, type);
      assert.equal(answer.status, 504, `${path}: ${answer.text}`);
      assert.equal(answer.json.code, 'no-answer');
      assert.ok(answer.json.remedy);
    }
    assert.equal((await must('GET', `${at}/stats`)).json.drops_complete, false);
    await must('DELETE', at);
  });
}

test('a process that is silent delays its own clients alone', {skip: skipFake}, async () => {
  const at = await bad('silent');
  let isSilent = true;
  const stuck = request('PUT', `${at}/pipeline`, pipeline('x'), lua)
    .then((a) => { isSilent = false; return a; });
  const routes = request('PUT', `${at}/routes`, '{"prefix": "10.0.0.0/8", "via": "198.18.2.7"}\n', lines);
  for (let i = 0; i < 5; i++) await must('GET', `${r1}/neighbours`);
  assert.ok(isSilent, 'it was answered first');
  assert.equal((await put('beside')).status, 201);
  assert.equal((await stuck).status, 504);
  assert.equal((await routes).status, 504);
  // its end ends who waits
  const last = request('GET', `${at}/pipeline`);
  await must('DELETE', at);
  assert.ok([409, 504].includes((await last).status));
});

test('a change that is carried out in part is taken back', {skip: skipFake}, async () => {
  const at = await bad('full');
  const tables = async () => (await must('GET', `${at}/neighbours`)).json.neighbours[0].state;
  assert.equal(await tables(), 'tables-0');
  await until(async () => { // 503 until europad has looked at it
    const a = await request('PATCH', `${at}/routes`, {prefix: '10.8.0.0/16', via: '198.18.2.7'});
    assert.equal(a.status, 409, a.text);
  });
  await until(async () => assert.equal(await tables(), 'tables-1'));
  await must('DELETE', at);
});

// Whoever starts next gives it what is on disk, whatever it has of the change.
test('while a change is on its way nothing says that the router has its routes', {skip: skipFake}, async () => {
  const at = await bad('stuck');
  const {uid} = (await must('GET', at)).json;
  const given = join(dirname(socketPath), 'state/routers', uid, 'given');
  const route = {prefix: '10.8.0.0/16', via: '198.18.2.7'};
  await until(async () => must('PUT', `${at}/routes`, `${JSON.stringify(route)}\n`, lines));
  assert.ok(existsSync(given));
  const change = request('PATCH', `${at}/routes`, route);
  await until(async () => assert.ok(!existsSync(given)));
  await must('DELETE', at);
  assert.equal((await change).status, 409);
});

test('a process without a socket is told so', {skip: skipFake}, async () => {
  await request('POST', '/v1/routers', {name: 'deaf', spec: {dataplane: '/bin/sleep 1000'}},
    {Prefer: 'respond-async'});
  const answer = await until(async () => {
    const a = await request('GET', '/v1/routers/deaf/pipeline');
    assert.equal(a.status, 409, a.text);
    return a;
  }, 20);
  assert.equal(answer.json.code, 'wrong-state');
  await must('DELETE', '/v1/routers/deaf');
});
