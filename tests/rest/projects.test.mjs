// SPDX-License-Identifier: Apache-2.0
// projects: names are of a project, what is foreign is not there, and what the
// routers of a project may have in sum.
import assert from 'node:assert/strict';
import {after, before, beforeEach, test} from 'node:test';

import {empty, must, request, reset, skip} from './client.mjs';

const blue = '?project=blue';

before(async () => { if (!skip) await reset(); });
beforeEach(async () => {
  if (skip) return;
  await reset();
  await must('POST', '/v1/projects', {name: 'blue'});
});
after(async () => { if (!skip) await empty(); });

const stopped = (more) => ({power: 'stopped', ...more});

test('two projects have an r1 each, and a p0 each', {skip}, async () => {
  const port = await must('POST', `/v1/ports${blue}`,
    {name: 'p0', spec: {devargs: 'net_null5,no-rx=1'}});
  assert.equal(port.json.project, 'blue');
  assert.equal(port.headers.location, `/v1/ports/p0${blue}`);
  // the address of the default project's r1, on this project's own p0
  const made = await must('POST', `/v1/routers${blue}`, {name: 'r1', spec: {vnics: [
    {name: 'lan', attach: {port: 'p0'}, addresses: ['198.18.2.1/24']}]}});
  assert.equal(made.json.project, 'blue');
  assert.equal(made.json.status.vnics[0].attached, true);
  assert.equal(made.headers.location, `/v1/routers/r1${blue}`);
  const ours = (await must('GET', '/v1/routers/r1')).json;
  const theirs = (await must('GET', `/v1/routers/r1${blue}`)).json;
  assert.notEqual(ours.uid, theirs.uid);
  assert.equal((await must('GET', '/v1/routers')).json.items.length, 1);
  assert.equal((await must('GET', `/v1/routers${blue}`)).json.items.length, 1);
  assert.deepEqual((await must('GET', `/v1/ports${blue}`)).json.items
    .map((p) => [p.name, p.status.state]), [['p0', 'up']]);
  // each stays in its own
  await must('PATCH', `/v1/routers/r1${blue}`, {labels: {a: 'b'}});
  assert.deepEqual((await must('GET', '/v1/routers/r1')).json.labels, {});
  assert.equal((await request('DELETE', `/v1/ports/p0${blue}`)).status, 409);
  await must('DELETE', `/v1/routers/r1${blue}`);
  await must('DELETE', `/v1/ports/p0${blue}`);
  assert.equal((await must('GET', '/v1/routers/r1')).json.uid, ours.uid);
  assert.equal((await must('GET', '/v1/ports/p0')).json.status.state, 'up');
});

test('what is foreign is not there', {skip}, async () => {
  for (const [method, path, body] of [
    ['GET', '/v1/routers/r1'], ['DELETE', '/v1/routers/r1'],
    ['PATCH', '/v1/routers/r1', {labels: {a: 'b'}}],
    ['PUT', '/v1/routers/r1/power', {desired: 'stopped'}],
    ['GET', '/v1/routers/r1/quota'], ['GET', '/v1/routers/r1/stats'],
    ['GET', '/v1/routers/r1/vnics/lan'], ['GET', '/v1/routers/r1/pipeline'],
    ['GET', '/v1/routers/r1/routes'], ['GET', '/v1/ports/p0'],
    ['DELETE', '/v1/ports/p0']]) {
    const answer = await request(method, path + blue, body);
    assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`);
    assert.equal(answer.json.code, 'not-found');
  }
  // nor to be attached to: neither its ports nor its routers
  const port = await request('POST', `/v1/routers${blue}`, {name: 'r2',
    spec: {vnics: [{name: 'a', attach: {port: 'p0'}}]}});
  assert.equal(port.status, 422, port.text);
  assert.doesNotMatch(port.text, /p1/);
  const peer = await must('POST', `/v1/routers${blue}`, {name: 'r2',
    spec: stopped({vnics: [{name: 'a', attach: {router: 'r1', vnic: 'nothing'}}]})});
  assert.equal(peer.json.status.vnics[0].attached, false);
  assert.equal((await request('GET', '/v1/routers?project=red')).status, 404);
  assert.equal((await request('GET', '/v1/routers?project=../x')).status, 404);
});

test('a project goes when it is empty; the default one stays', {skip}, async () => {
  await must('POST', `/v1/routers${blue}`, {name: 'r2', spec: stopped()});
  const kept = await request('DELETE', '/v1/projects/blue');
  assert.equal(kept.status, 409);
  assert.equal(kept.json.code, 'in-use');
  await must('DELETE', `/v1/routers/r2${blue}`);
  await must('DELETE', '/v1/projects/blue?dry_run=true');
  await must('DELETE', '/v1/projects/blue');
  assert.equal((await request('GET', '/v1/projects/blue')).status, 404);
  const first = await request('DELETE', '/v1/projects/default');
  assert.equal(first.status, 409);
  assert.equal(first.json.code, 'protected');
});

test('a stale change of a project is told', {skip}, async () => {
  const {etag} = (await must('GET', '/v1/projects/blue')).headers;
  await must('PATCH', '/v1/projects/blue', {labels: {a: 'b'}}, {'If-Match': etag});
  for (const [method, path] of [['PATCH', ''], ['PATCH', '/quota'], ['DELETE', '']])
    assert.equal((await request(method, `/v1/projects/blue${path}`, {},
      {'If-Match': etag})).status, 412);
});

test('more than the project has left: 409 with wanted and best', {skip}, async () => {
  await must('PATCH', '/v1/projects/blue/quota',
    {limit: {cpu_millis: 1000, routers: 2, mem_bytes: '128MiB'}});
  await must('POST', `/v1/routers${blue}`,
    {name: 'r1', spec: stopped({quota: {cpu_millis: 600}})});
  const answer = await request('POST', `/v1/routers${blue}`,
    {name: 'r2', spec: stopped({quota: {cpu_millis: 500, mem_bytes: '65MiB'}})});
  assert.equal(answer.status, 409, answer.text);
  assert.equal(answer.json.code, 'quota-exceeded');
  assert.deepEqual(answer.json.wanted, {cpu_millis: 500, mem_bytes: 65 << 20});
  assert.deepEqual(answer.json.best, {cpu_millis: 400, mem_bytes: 64 << 20});
  assert.deepEqual(answer.json.errors.map((e) => e.pointer),
    ['/spec/quota/cpu_millis', '/spec/quota/mem_bytes']);
  assert.equal((await must('GET', `/v1/routers${blue}`)).json.items.length, 1);
  // best is what it says
  await must('POST', `/v1/routers${blue}`, {name: 'r2',
    spec: stopped({quota: {cpu_millis: 400, mem_bytes: '64MiB'}})});
  const third = await request('PUT', `/v1/routers/r3${blue}`, {spec: stopped()});
  assert.equal(third.status, 409, third.text);
  assert.equal(third.json.best.routers, 0);
  const {json} = await must('GET', '/v1/projects/blue/quota');
  assert.equal(json.usage.cpu_millis, 1000);
  assert.equal(json.usage.routers, 2);
  assert.equal(json.usage.rx_pps, null); // neither of them has a limit
  // changes are admitted, too, and the default project knows no limit
  assert.equal((await request('PATCH', `/v1/routers/r2/quota${blue}`,
    {limit: {cpu_millis: 401}})).json.code, 'quota-exceeded');
  await must('PATCH', '/v1/routers/r1/quota', {limit: {cpu_millis: 5000}});
});

test('a limit that is lowered takes nothing away', {skip}, async () => {
  await must('POST', `/v1/routers${blue}`,
    {name: 'r1', spec: stopped({quota: {pids: 100}, vnics: [{name: 'a'}]})});
  await must('PATCH', '/v1/projects/blue', {spec: {quota: {pids: 50, vnics: 1}}});
  await must('PATCH', `/v1/routers/r1${blue}`, {labels: {a: 'b'}});
  await must('PATCH', `/v1/routers/r1/quota${blue}`, {limit: {pids: 90}});
  const more = await request('PATCH', `/v1/routers/r1/quota${blue}`, {limit: {pids: 91}});
  assert.equal(more.json.code, 'quota-exceeded', more.text);
  assert.equal(more.json.best.pids, 50);
  const vnics = await request('POST', `/v1/routers/r1/vnics${blue}`, {name: 'b'});
  assert.equal(vnics.json.code, 'quota-exceeded', vnics.text);
  assert.equal(vnics.json.errors[0].pointer, '/spec/vnics');
});

test('where rates are limited in sum, each router needs a limit', {skip}, async () => {
  await must('PATCH', '/v1/projects/blue/quota', {limit: {rx_pps: '1M'}});
  const none = await request('POST', `/v1/routers${blue}`, {name: 'r1', spec: stopped()});
  assert.equal(none.status, 409, none.text);
  assert.equal(none.json.wanted.rx_pps, null);
  assert.equal(none.json.best.rx_pps, 1000000);
  await must('POST', `/v1/routers${blue}`,
    {name: 'r1', spec: stopped({quota: {rx_pps: 600000}})});
  const much = await request('POST', `/v1/routers${blue}`,
    {name: 'r2', spec: stopped({quota: {rx_pps: 500000}})});
  assert.equal(much.json.best.rx_pps, 400000, much.text);
});

test('links and segments are of a project, and join its own alone', {skip}, async () => {
  const spec = {ends: ['r1:lan', 'r2:a']};
  const made = await must('POST', `/v1/links${blue}`, {name: 'l1', spec});
  assert.equal(made.json.project, 'blue');
  assert.equal(made.headers.location, `/v1/links/l1${blue}`);
  // r1:lan of the default project is not the one that is meant
  assert.match(made.json.status.ends[0].detail, /no such router/);
  const ours = await must('GET', '/v1/links/l1');
  assert.notEqual(ours.json.uid, made.json.uid);
  const port = await request('POST', `/v1/links${blue}`,
    {name: 'l2', spec: {ends: ['r1:wan', 'port:p0']}});
  assert.equal(port.status, 422, port.text);
  await must('POST', `/v1/segments${blue}`, {name: 's1', spec: {members: ['r1:b']}});
  assert.equal((await must('GET', `/v1/segments${blue}`)).json.items.length, 1);
  assert.equal((await request('DELETE', '/v1/projects/blue')).json.code, 'in-use');
  await must('DELETE', `/v1/links/l1${blue}`);
  await must('DELETE', `/v1/segments/s1${blue}`);
  assert.equal((await must('GET', '/v1/links/l1')).json.uid, ours.json.uid);
  await must('DELETE', '/v1/projects/blue');
});

test('how many links and segments a project has', {skip}, async () => {
  await must('POST', '/v1/projects', {name: 'wired', spec: {quota: {links: 1, segments: 1}}});
  const at = '?project=wired';
  const link = (name) => request('POST', `/v1/links${at}`, {name, spec: {ends: [`${name}:a`, `${name}:b`]}});
  assert.equal((await link('one')).status, 201);
  const more = await link('two');
  assert.equal(more.status, 409, more.text);
  assert.equal(more.json.code, 'quota-exceeded');
  assert.deepEqual([more.json.wanted, more.json.best], [{links: 1}, {links: 0}]);
  assert.equal((await request('POST', `/v1/segments${at}`, {name: 'one', spec: {}})).status, 201);
  const wide = await request('POST', `/v1/segments${at}`, {name: 'two', spec: {}});
  assert.deepEqual([wide.json.code, wide.json.best], ['quota-exceeded', {segments: 0}]);
  const {limit, usage} = (await must('GET', '/v1/projects/wired/quota')).json;
  assert.deepEqual([limit.links, usage.links, limit.segments, usage.segments], [1, 1, 1, 1]);
  // it is what a project has, not what it had
  await must('PATCH', `/v1/links/one${at}`, {spec: {impair: {forward: {delay_ms: 1}}}});
  await must('DELETE', `/v1/links/one${at}`);
  assert.equal((await link('two')).status, 201);
  await must('DELETE', `/v1/links/two${at}`);
  await must('DELETE', `/v1/segments/one${at}`);
  await must('DELETE', '/v1/projects/wired');
});

test('where the quota says nothing, there are never too many all the same', {skip}, async () => {
  const segment = (i) => request('POST', `/v1/segments${blue}`, {name: `s${i}`, spec: {}});
  for (let i = 0; i < 256; i += 16)
    for (const a of await Promise.all([...Array(16).keys()].map((k) => segment(i + k))))
      assert.equal(a.status, 201, a.text);
  const more = await segment(256);
  assert.equal(more.status, 409, more.text);
  assert.equal(more.json.code, 'quota-exceeded');
  assert.deepEqual([more.json.wanted, more.json.best], [{segments: 1}, {segments: 0}]);
  // the admin of the node may mean more
  await must('PATCH', '/v1/projects/blue', {spec: {quota: {segments: 257}}});
  assert.equal((await segment(256)).status, 201);
});
