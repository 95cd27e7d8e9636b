// SPDX-License-Identifier: Apache-2.0
// contract: every example of openapi.yaml is sent to a node, and every answer
// must be one that openapi.yaml describes, headers and body included.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {empty, killEuropad, lines, lua, must, pidFile, pipeline, request, reset, skip, until}
  from './client.mjs';
import {check, checkAnswer, load, operations, resolve} from './openapi.mjs';

const api = load();
const ops = operations(api);

// The path, and the parameters of the query that have an example.
function target(op) {
  const path = op.path.replace(/{(\w+)}/g, (_, name) =>
    op.parameters.find((p) => p.in === 'path' && p.name === name).example);
  const query = op.parameters.filter((p) => p.in === 'query' && p.example)
    .map((p) => `${p.name}=${p.example}`);
  return query.length ? `${path}?${query.join('&')}` : path;
}

function find(id) {
  return ops.find((o) => o.operation.operationId === id);
}

function expectDescribed(op, answer) {
  const wrong = checkAnswer(api, op, answer);
  assert.deepEqual(wrong, [], `${op.method} ${op.path}: ${answer.text}`);
  assert.match(answer.headers['x-request-id'], /^[0-9a-f]{16}$/);
}

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

for (const op of ops.filter((o) => o.method === 'GET' && o.operation.responses[200])) {
  test(`GET ${op.path}`, {skip}, async () => {
    const answer = await request('GET', target(op));
    assert.equal(answer.status, 200, answer.text);
    expectDescribed(op, answer);
  });
  test(`HEAD ${op.path}`, {skip}, async () => {
    const answer = await request('HEAD', target(op));
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '');
    assert.equal(answer.headers['content-type'],
      Object.keys(op.operation.responses[200].content ??
        resolve(api, op.operation.responses[200]).content)[0]);
  });
}

for (const op of ops.filter((o) => o.operation.requestBody)) {
  for (const [type, media] of Object.entries(op.operation.requestBody.content)) {
    for (const [name, example] of Object.entries(media.examples)) {
      test(`${op.method} ${op.path}: ${name}`, {skip}, async () => {
        await reset();
        const answer = await request(op.method, target(op), example.value,
          {'Content-Type': type});
        assert.equal(answer.status, example['x-status'], answer.text);
        expectDescribed(op, answer);
        if (answer.headers.location) {
          const at = await request('GET', answer.headers.location);
          assert.equal(at.status, 200, answer.headers.location);
        }
      });
    }
  }
}

for (const id of ['deleteVnic', 'deleteRouter', 'deletePort', 'deleteLink',
  'deleteSegment']) {
  test(`${id}: 204, and 404 the second time`, {skip}, async () => {
    const op = find(id);
    await reset();
    if (id === 'deletePort') await must('DELETE', '/v1/routers/r1');
    const first = await request('DELETE', target(op));
    assert.equal(first.status, 204, first.text);
    expectDescribed(op, first);
    const second = await request('DELETE', target(op));
    assert.equal(second.status, 404, second.text);
    expectDescribed(op, second);
  });
}

test('what GET returns can be PUT, and changes nothing', {skip}, async () => {
  await reset();
  const read = await must('GET', '/v1/routers/r1');
  const put = await request('PUT', '/v1/routers/r1', read.json);
  assert.equal(put.status, 200, put.text);
  assert.deepEqual(put.json.spec, read.json.spec);
  assert.deepEqual(put.json.labels, read.json.labels);
  assert.equal(put.json.uid, read.json.uid);
});

test('every default is filled in, in plain integers', {skip}, async () => {
  await reset();
  const made = await must('POST', '/v1/routers',
    {name: 'r2', spec: {quota: {mem_bytes: '128MiB', pids: '1k'}}});
  assert.deepEqual(made.json.spec.quota, {cpu_millis: 1000,
    mem_bytes: 134217728, pids: 1000, disk_bytes: 16777216, pool_slots: 1024, vnics_max: 32, cpu_set: '',
    rx_pps: 0, tx_pps: 0, rx_bps: 0, tx_bps: 0, burst_ms: 50});
  assert.equal(made.json.spec.power, 'running');
  assert.equal(made.json.spec.template, 'router');
  assert.equal(made.headers.location, '/v1/routers/r2');
});

test('an ETag changes with the object, and only then', {skip}, async () => {
  await reset();
  const one = await must('GET', '/v1/routers/r1');
  const two = await must('GET', '/v1/routers/r1');
  assert.equal(one.headers.etag, two.headers.etag);
  const three = await request('PATCH', '/v1/routers/r1', {labels: {a: 'b'}},
    {'If-Match': one.headers.etag});
  assert.equal(three.status, 200, three.text);
  assert.notEqual(three.headers.etag, one.headers.etag);
  assert.equal(three.json.labels.a, 'b');
  const any = await request('PATCH', '/v1/routers/r1', {labels: {a: null}},
    {'If-Match': '*'});
  assert.equal(any.status, 200, any.text);
  assert.equal(any.json.labels.a, undefined);
});

test('a stale ETag is told what has changed since', {skip}, async () => {
  await reset();
  const stale = async (path, etag) => {
    const {json} = await request('PATCH', path, {labels: {no: 'no'}}, {'If-Match': etag});
    assert.deepEqual(check(api, api.components.schemas.Problem, json), []);
    assert.equal(json.code, 'stale');
    return json;
  };
  const tags = [(await must('GET', '/v1/routers/r1')).headers.etag];
  for (const body of [{labels: {a: 'b'}}, {spec: {protected: true}},
    {spec: {quota: {pids: 99}}}, {spec: {protected: false}}, {}])
    tags.push((await must('PATCH', '/v1/routers/r1', body)).headers.etag);
  const of = async (i) => (await stale('/v1/routers/r1', tags[i])).changed.sort();
  assert.deepEqual(await of(0), ['/labels', '/spec/protected', '/spec/quota']);
  assert.deepEqual(await of(1), ['/spec/protected', '/spec/quota']);
  assert.deepEqual(await of(2), ['/spec/protected', '/spec/quota']);
  assert.deepEqual(await of(3), ['/spec/protected']);
  assert.deepEqual(await of(4), []);
  assert.equal(`"${(await stale('/v1/routers/r1', tags[0])).etag}"`, tags.at(-1));
  // its vNICs are members of it
  await must('PATCH', '/v1/routers/r1/vnics/lan', {spec: {quota: {rx_pps: 7}}});
  assert.deepEqual(await of(5), ['/spec/vnics']);
  // what is no ETag of it says nothing
  const [uid, n] = tags.at(-1).slice(1, -1).split(/-(?=\d+$)/);
  for (const odd of ['x', uid, `${uid}-`, `${uid}-0`, `${uid}-${n}x`, `${uid}-${Number(n) + 9}`,
    `${uid}-99999999999999999999`, `f${uid.slice(1)}-1`])
    assert.equal((await stale('/v1/routers/r1', `"${odd}"`)).changed, null, odd);
  // the other kinds of objects
  await must('POST', '/v1/projects', {name: 'blue'});
  for (const [path, body, pointer] of [
    ['/v1/ports/p1', {labels: {a: 'b'}}, '/labels'],
    ['/v1/links/l1', {spec: {impair: {forward: {delay_ms: 1}}}}, '/spec/impair'],
    ['/v1/segments/s1', {spec: {members: []}}, '/spec/members'],
    ['/v1/tokens/t1', {spec: {expires: '2099-01-01T00:00:00Z'}}, '/spec/expires'],
    ['/v1/projects/blue', {spec: {description: 'sky'}}, '/spec/description']]) {
    const {etag} = (await must('GET', path)).headers;
    await must('PATCH', path, body);
    assert.deepEqual((await stale(path, etag)).changed, [pointer], path);
  }
  if (!pidFile) return;
  await killEuropad();
  assert.equal((await stale('/v1/routers/r1', tags[4])).changed, null);
  await until(async () =>
    assert.equal((await must('GET', '/v1/routers/r1')).json.status.state, 'running'), 20);
});

test('a dry run shows what would be', {skip}, async () => {
  await reset();
  const now = (await must('GET', '/v1/routers/r1')).json.spec;
  const answer = await request('PATCH', '/v1/routers/r1?dry_run=true',
    {labels: {x: 'y'}, spec: {protected: true}});
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.labels.x, 'y');
  assert.deepEqual(answer.json.spec, {...now, protected: true});
  assert.deepEqual((await must('GET', '/v1/routers/r1')).json.spec, now);
});

test('a dry run of a restart restarts nothing and has the ETag of GET', {skip}, async () => {
  await reset();
  const before = await must('GET', '/v1/routers/r1');
  const answer = await request('POST', '/v1/routers/r1/restart?dry_run=true', {scope: 'container'});
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers.etag, before.headers.etag);
  assert.deepEqual(answer.json.status, before.json.status);
});

test('limits of traffic are plain integers, at both levels', {skip}, async () => {
  await reset();
  const made = await must('POST', '/v1/routers', {name: 'r2', spec: {
    quota: {rx_pps: '1M', tx_bps: '2G', burst_ms: 10},
    vnics: [{name: 'a', quota: {tx_pps: '1k'}}, {name: 'b'}]}});
  const {quota, vnics} = made.json.spec;
  assert.equal(quota.rx_pps, 1000000);
  assert.equal(quota.tx_bps, 2000000000);
  assert.equal(quota.burst_ms, 10);
  assert.deepEqual(vnics[0].quota,
    {rx_pps: 0, tx_pps: 1000, rx_bps: 0, tx_bps: 0, burst_ms: 50});
  assert.deepEqual(vnics[1].quota,
    {rx_pps: 0, tx_pps: 0, rx_bps: 0, tx_bps: 0, burst_ms: 50});
});

test('a quota is changed, in force when the answer comes, and in the router', {skip}, async () => {
  await reset();
  const before = await must('GET', '/v1/routers/r1/quota');
  assert.equal(before.json.limit.rx_pps, 0);
  assert.deepEqual(before.json.effective, before.json.limit);
  assert.equal(before.json.usage.drops.quota_pps, 0);
  const answer = await request('PATCH', '/v1/routers/r1/quota',
    {limit: {rx_pps: '5k', pool_slots: 100}}, {'If-Match': before.headers.etag});
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.limit.rx_pps, 5000);
  assert.equal(answer.json.effective.rx_pps, 5000);
  assert.equal(answer.json.effective.pool_slots, 100);
  assert.notEqual(answer.headers.etag, before.headers.etag);
  const stale = await request('PATCH', '/v1/routers/r1/quota',
    {limit: {rx_pps: 6000}}, {'If-Match': before.headers.etag});
  assert.equal(stale.status, 412);
  const router = await must('GET', '/v1/routers/r1');
  assert.equal(router.json.spec.quota.rx_pps, 5000);
  assert.equal(router.json.spec.quota.tx_pps, 0);
  // what GET returned can be sent back; null is the default
  const same = await must('PATCH', '/v1/routers/r1/quota',
    (await must('GET', '/v1/routers/r1/quota')).json);
  assert.equal(same.json.limit.rx_pps, 5000);
  const none = await must('PATCH', '/v1/routers/r1/quota', {limit: {rx_pps: null}});
  assert.equal(none.json.effective.rx_pps, 0);
  assert.equal(none.json.effective.pool_slots, 100);
  const dry = await must('PATCH', '/v1/routers/r1/quota?dry_run=true', {limit: {rx_pps: 7}});
  assert.equal(dry.json.limit.rx_pps, 7);
  assert.equal((await must('GET', '/v1/routers/r1/quota')).json.limit.rx_pps, 0);
});

test('a quota that no container has is not in force', {skip}, async () => {
  await reset();
  await must('PUT', '/v1/routers/r1/power', {desired: 'stopped'});
  const stopped = await must('PATCH', '/v1/routers/r1/quota', {limit: {tx_pps: 9}});
  assert.equal(stopped.json.limit.tx_pps, 9);
  assert.equal(stopped.json.effective, null);
  await must('PUT', '/v1/routers/r1/power', {desired: 'running'});
  const {json} = await must('GET', '/v1/routers/r1/quota');
  assert.equal(json.effective.tx_pps, 9);
});

test('a vNIC is changed alone, and the others stay', {skip}, async () => {
  await reset();
  await must('POST', '/v1/routers/r1/vnics', {name: 'dmz', quota: {rx_pps: 3}});
  const one = await must('GET', '/v1/routers/r1/vnics/lan');
  const answer = await must('PATCH', '/v1/routers/r1/vnics/lan',
    {spec: {quota: {tx_bps: '1M'}, addresses: ['198.18.2.9/24']}});
  assert.equal(answer.json.kind, 'Vnic');
  assert.equal(answer.json.spec.quota.tx_bps, 1000000);
  assert.deepEqual(answer.json.spec.addresses, ['198.18.2.9/24']);
  assert.equal(answer.json.spec.mac, one.json.spec.mac);
  assert.equal(answer.json.status.index, one.json.status.index);
  const other = await must('GET', '/v1/routers/r1/vnics/dmz');
  assert.equal(other.json.spec.quota.rx_pps, 3);
  const gone = await request('PATCH', '/v1/routers/r1/vnics/wan', {spec: {}});
  assert.equal(gone.status, 404);
  const dry = await must('PATCH', '/v1/routers/r1/vnics/lan?dry_run=true',
    {spec: {quota: null}});
  assert.equal(dry.json.spec.quota.tx_bps, 0);
  assert.equal((await must('GET', '/v1/routers/r1/vnics/lan')).json.spec.quota.tx_bps, 1000000);
});

test('a dry run stores nothing', {skip}, async () => {
  await reset();
  await must('PUT', '/v1/routers/r1/routes', '\n', lines);
  const running = await must('GET', '/v1/routers/r1/pipeline');
  const before = await must('GET', '/v1/routers/r1');
  for (const [method, path, body, type] of [
    ['POST', '/v1/routers', {name: 'r2'}],
    ['PUT', '/v1/routers/r1', {spec: {vnics: []}}],
    ['PATCH', '/v1/routers/r1', {labels: {x: 'y'}}],
    ['PUT', '/v1/routers/r1/power', {desired: 'stopped'}],
    ['PUT', '/v1/routers/r1/routes', {routes: [{prefix: '10.0.0.0/8', vnic: 'lan'}]}],
    ['POST', '/v1/routers/r1/vnics', {name: 'x'}],
    ['PATCH', '/v1/routers/r1/quota', {limit: {rx_pps: 1}}],
    ['PATCH', '/v1/routers/r1/vnics/lan', {spec: {quota: {rx_pps: 1}}}],
    ['DELETE', '/v1/routers/r1/vnics/lan'],
    ['DELETE', '/v1/routers/r1'],
    ['POST', '/v1/ports', {name: 'p9', spec: {devargs: 'net_null9,no-rx=1'}}],
    ['DELETE', '/v1/ports/p1'],
    ['POST', '/v1/links', {name: 'l9', spec: {ends: ['r2:a', 'r3:a']}}],
    ['PATCH', '/v1/links/l1', {labels: {x: 'y'}}],
    ['DELETE', '/v1/links/l1'],
    ['POST', '/v1/segments', {name: 's9', spec: {}}],
    ['PATCH', '/v1/segments/s1', {spec: {members: []}}],
    ['DELETE', '/v1/segments/s1'],
    ['PUT', '/v1/routers/r1/pipeline', pipeline('dry'), lua],
    ['POST', '/v1/routers/r1/pipeline/rollback', {revision: 0}],
    ['PUT', '/v1/routers/r1/routes', '{"prefix": "10.0.0.0/8", "vnic": "lan"}', lines],
    ['PATCH', '/v1/routers/r1/routes', '{"prefix": "10.0.0.0/8", "vnic": "lan"}', lines],
  ]) {
    const answer = await request(method, `${path}?dry_run=true`, body, type);
    assert.ok([200, 204].includes(answer.status),
      `${method} ${path}: ${answer.status} ${answer.text}`);
  }
  assert.equal((await must('GET', '/v1/routers/r1/pipeline')).text, running.text);
  assert.deepEqual((await must('GET', '/v1/routers/r1/routes?source=api')).json.routes, []);
  const later = await must('GET', '/v1/routers/r1');
  assert.equal(later.headers.etag, before.headers.etag);
  assert.deepEqual(later.json.spec, before.json.spec);
  assert.equal((await must('GET', '/v1/routers')).json.items.length, 1);
  assert.equal((await must('GET', '/v1/ports')).json.items.length, 2);
  for (const path of ['links/l1', 'segments/s1'])
    assert.equal((await must('GET', `/v1/${path}`)).json.generation, 1);
});

test('respond-async answers 202 at once', {skip}, async () => {
  await reset();
  const answer = await request('POST', '/v1/routers', {name: 'r2'},
    {Prefer: 'respond-async'});
  assert.equal(answer.status, 202, answer.text);
  expectDescribed(find('createRouter'), answer);
});

test('power is desired, and repeated without harm', {skip}, async () => {
  await reset();
  for (const [desired, state] of [['paused', /^paused$/], ['paused', /^paused$/],
    ['stopped', /^stopped$/], ['stopped', /^stopped$/],
    ['running', /^(running|degraded)$/]]) {
    const answer = await must('PUT', '/v1/routers/r1/power', {desired});
    assert.equal(answer.json.spec.power, desired);
    assert.match(answer.json.status.state, state, desired);
  }
});
