// SPDX-License-Identifier: Apache-2.0
// lists: pages, labels and fields, and labels that change; answers that do not
// wait.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {empty, must, pipeline, lua, request, reset, skip, until} from './client.mjs';
import {check, load} from './openapi.mjs';

const api = load();
const stopped = {power: 'stopped'};

before(async () => {
  if (skip) return;
  await reset();
  for (const [name, labels] of [['r4', {team: 'red', site: 'a=b'}],
    ['r2', {team: 'red'}], ['r3', {team: 'blue'}]])
    await must('POST', '/v1/routers', {name, labels, spec: stopped});
});
after(async () => { if (!skip) await empty(); });

async function names(path) {
  const {items, next} = (await must('GET', path)).json;
  return [items.map((x) => x.name ?? x.revision), next];
}

test('items are whole objects', {skip}, async () => {
  for (const [path, schema] of [['/v1/routers', 'Router'], ['/v1/ports', 'Port'],
    ['/v1/routers/r1/vnics', 'VnicObject'],
    ['/v1/routers/r1/pipeline/revisions', 'RevisionItem']]) {
    const {items} = (await must('GET', path)).json;
    assert.ok(items.length > 0, path);
    for (const item of items)
      assert.deepEqual(check(api, api.components.schemas[schema], item), []);
  }
});

test('a list comes in pages', {skip}, async () => {
  assert.deepEqual(await names('/v1/routers'), [['r1', 'r2', 'r3', 'r4'], null]);
  assert.deepEqual(await names('/v1/routers?limit=3'), [['r1', 'r2', 'r3'], 'r3']);
  assert.deepEqual(await names('/v1/routers?limit=3&cursor=r3'), [['r4'], null]);
  assert.deepEqual(await names('/v1/ports?limit=1'), [['p0'], 'p0']);
  assert.deepEqual(await names('/v1/ports?limit=1&cursor=p0'), [['p1'], null]);
});

test('what goes between two pages shifts nothing', {skip}, async () => {
  await must('POST', '/v1/routers', {name: 'r2x', spec: stopped});
  const [, next] = await names('/v1/routers?limit=3');
  assert.equal(next, 'r2x');
  await must('DELETE', '/v1/routers/r2x');
  assert.deepEqual(await names(`/v1/routers?cursor=${next}`), [['r3', 'r4'], null]);
});

test('labels choose', {skip}, async () => {
  assert.deepEqual(await names('/v1/routers?label=team%3Dred'), [['r2', 'r4'], null]);
  assert.deepEqual(await names('/v1/routers?label=team=red&label=site=a%3Db'), [['r4'], null]);
  assert.deepEqual(await names('/v1/routers?label=team=red&limit=1'), [['r2'], 'r2']);
  assert.deepEqual(await names('/v1/routers?label=team=green'), [[], null]);
});

test('labels change, and nothing else does', {skip}, async () => {
  const before = (await must('GET', '/v1/ports/p1')).json;
  const made = await must('PATCH', '/v1/ports/p1', {labels: {rack: 'b2', u: '7'}});
  assert.deepEqual(made.json.labels, {rack: 'b2', u: '7'});
  assert.deepEqual(made.json.spec, before.spec);
  assert.deepEqual(await names('/v1/ports?label=rack=b2'), [['p1'], null]);
  const less = await must('PATCH', '/v1/ports/p1', {labels: {u: null}},
    {'If-Match': made.headers.etag});
  assert.deepEqual(less.json.labels, {rack: 'b2'});
  const stale = await request('PATCH', '/v1/ports/p1', {labels: {}},
    {'If-Match': made.headers.etag});
  assert.equal(stale.status, 412);
  const dry = await must('PATCH', '/v1/ports/p1?dry_run=true', {labels: {rack: null}});
  assert.deepEqual(dry.json.labels, {});
  assert.deepEqual((await must('GET', '/v1/ports/p1')).json.labels, {rack: 'b2'});
  const one = (await must('GET', '/v1/routers/r3')).json;
  const router = await must('PATCH', '/v1/routers/r3', {labels: {team: null, a: 'b'}});
  assert.deepEqual(router.json.labels, {a: 'b'});
  assert.deepEqual(router.json.spec, one.spec);
});

test('fields are left alone', {skip}, async () => {
  const {items} = (await must('GET', '/v1/routers?fields=name,status.state&label=team=red')).json;
  assert.deepEqual(items, [{name: 'r2', status: {state: 'stopped'}},
    {name: 'r4', status: {state: 'stopped'}}]);
});

test('lists in another order have pages too', {skip}, async () => {
  await must('PUT', '/v1/routers/r1/pipeline', pipeline('second'), lua);
  const at = '/v1/routers/r1/pipeline/revisions';
  const [[newest, older]] = await names(at);
  assert.ok(newest > older);
  assert.deepEqual(await names(`${at}?limit=1`), [[newest], String(newest)]);
  const [[second]] = await names(`${at}?limit=1&cursor=${newest}`);
  assert.equal(second, older);
  const gone = await request('GET', `${at}?cursor=99999`);
  assert.equal(gone.status, 400, gone.text);
});

test('nonsense is refused', {skip}, async () => {
  for (const q of ['limit=0', 'limit=1001', 'limit=x', 'limit=', 'fields=', 'fields=a..b,',
    'label=x', 'label==x', 'limit=1&limit=2', `${'label=a=b&'.repeat(16)}label=a=b`]) {
    const a = await request('GET', `/v1/routers?${q}`);
    assert.equal(a.status, 400, q);
    assert.equal(a.json.code, 'bad-query', q);
  }
  // vNICs have no labels
  assert.equal((await request('GET', '/v1/routers/r1/vnics?label=a=b')).status, 400);
});

test('a port that nobody waits for opens, or stays failed', {skip}, async () => {
  const prefer = {Prefer: 'respond-async'};
  for (const [name, devargs, state] of [['p8', 'net_null8,no-rx=1', 'up'],
    ['p9', 'net_nosuchdriver9', 'failed']]) {
    const made = await request('POST', '/v1/ports', {name, spec: {devargs}}, prefer);
    assert.equal(made.status, 202, made.text);
    assert.equal(made.headers.location, `/v1/ports/${name}`);
    await until(async () => {
      const {status} = (await must('GET', `/v1/ports/${name}`)).json;
      assert.equal(status.state, state);
      assert.equal(status.detail === '', state === 'up');
    }, 20);
    await must('DELETE', `/v1/ports/${name}`);
  }
});

test('a vNIC that nobody waits for', {skip}, async () => {
  const made = await request('POST', '/v1/routers/r1/vnics', {name: 'dmz'},
    {Prefer: 'respond-async'});
  assert.equal(made.status, 202, made.text);
  await until(async () => {
    const router = (await must('GET', '/v1/routers/r1')).json;
    assert.equal(router.status.observed_generation, router.generation);
    assert.ok(router.status.vnics.some((v) => v.name === 'dmz'));
  }, 20);
});

test('templates are listed and inspected', {skip}, async () => {
  const {items} = (await must('GET', '/v1/templates')).json;
  const names = items.map((t) => t.name);
  assert.ok(names.includes('router') && names.includes('bird'), `${names}`);
  const bird = (await must('GET', '/v1/templates/bird')).json;
  assert.deepEqual(bird, items[names.indexOf('bird')]);
  assert.match(bird.description, /^A router with a routing daemon: .* of each vNIC\.$/);
  assert.deepEqual(bird.includes, ['router']);
  assert.ok(bird.programs.includes('/usr/sbin/bird'));
  assert.ok(bird.programs.includes('/usr/sbin/europa-router'));
  assert.equal(bird.service, true);
  assert.equal(bird.twins, true);
  assert.equal(bird.dataplane, false);
  assert.equal(bird.available, bird.missing.length === 0);
  const linux = (await must('GET', '/v1/templates/linux')).json;
  assert.match(linux.description, /^A router whose packets the container's kernel forwards,/);
  assert.ok(linux.programs.includes('/usr/sbin/europa-taps'));
  assert.equal(linux.twins, true);
  assert.equal(linux.dataplane, true);
  assert.ok(!linux.missing.includes('nft'), 'nft is optional');
  const router = (await must('GET', '/v1/templates/router')).json;
  assert.equal(router.available, true);
  assert.equal(router.service, false);
  assert.equal(router.routers, (await must('GET', '/v1/routers')).json.items.length);
  for (const name of ['none', 'europa-template', 'init'])
    assert.equal((await request('GET', `/v1/templates/${name}`)).status, 404);
});
