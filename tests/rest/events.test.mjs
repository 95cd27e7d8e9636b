// SPDX-License-Identifier: Apache-2.0
// events: what is done is heard of, in order, once.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {empty, killEuropad, must, pidFile, request, reset, skip, socketPath, until}
  from './client.mjs';
import {check, load} from './openapi.mjs';

const api = load();
const open = new Set();

before(async () => { if (!skip) await reset(); });
after(async () => {
  open.forEach((rq) => rq.destroy());
  if (!skip) await empty();
});

// A reader; heard is the list of events, each checked.
function listen(headers = {}, path = '/v1/events') {
  const heard = [];
  const rq = http.request({socketPath, path, agent: false,
    headers: {Accept: 'application/x-ndjson', ...headers}});
  open.add(rq);
  let ended;
  const over = new Promise((done) => { ended = done; });
  const begun = new Promise((done, failed) => {
    rq.on('error', failed);
    rq.on('response', (rs) => {
      assert.equal(rs.statusCode, 200);
      let text = '';
      rs.setEncoding('utf8');
      rs.on('error', () => {});
      rs.on('end', ended);
      rs.on('data', (d) => {
        const lines = (text + d).split('\n');
        text = lines.pop();
        heard.push(...lines.map((l) => JSON.parse(l)));
        done();
      });
    });
  });
  rq.end();
  return {heard, begun, over, close: () => { open.delete(rq); rq.destroy(); }};
}

const heardOf = (ok, what) => until(() => assert.ok(ok(), what()), 20);

const words = (list, name) => list.filter((e) => e.name === name)
  .map((e) => e.type === 'router.state' ? e.state : e.type);

test('the life of a router and of a port', {skip}, async () => {
  const reader = listen();
  await reader.begun;
  await must('POST', '/v1/ports', {name: 'p5', spec: {devargs: 'net_null5,no-rx=1'}});
  await must('PATCH', '/v1/ports/p5', {labels: {a: 'b'}});
  await must('DELETE', '/v1/ports/p5');
  const made = await must('POST', '/v1/routers', {name: 'e1'});
  await must('PUT', '/v1/routers/e1/power', {desired: 'stopped'});
  await must('DELETE', '/v1/routers/e1');
  const {heard} = reader;
  await heardOf(() => words(heard, 'e1').at(-1) === 'router.deleted',
    () => JSON.stringify(heard));
  assert.deepEqual(words(heard, 'p5'), ['port.created', 'port.changed', 'port.deleted']);
  const e1 = words(heard, 'e1');
  assert.equal(e1[0], 'router.created');
  // degraded where the template's program is not in its place
  assert.match(e1.join(' '),
    /starting.* (running|degraded) router.changed .*stopped deleting router.deleted$/);
  for (const e of heard) {
    assert.deepEqual(check(api, api.components.schemas.Event, e), []);
    if (e.name === 'e1') assert.equal(e.uid, made.json.uid);
  }
  const ids = heard.filter((e) => e.id).map((e) => e.id);
  assert.equal(new Set(ids).size, ids.length);

  // who comes back hears what is new, and nothing twice
  reader.close();
  await must('POST', '/v1/routers', {name: 'e2', spec: {power: 'stopped'}});
  const again = listen({'Last-Event-ID': ids.at(-1)});
  await heardOf(() => words(again.heard, 'e2').includes('stopped'),
    () => JSON.stringify(again.heard));
  assert.equal(words(again.heard, 'e1').length, 0);
  assert.equal(words(again.heard, 'e2')[0], 'router.created');
  again.close();

  const old = await request('GET', '/v1/events?follow=false', undefined,
    {'Last-Event-ID': ids[0], Accept: 'application/x-ndjson'});
  assert.ok(old.text.includes('"e2"'));
});

test('what changes nothing is no event', {skip}, async () => {
  const reader = listen();
  await reader.begun;
  await must('PATCH', '/v1/routers/r1?dry_run=true', {labels: {x: 'y'}});
  await request('PATCH', '/v1/routers/r1', {spec: {quota: {pids: 1}}});
  await must('POST', '/v1/ports?dry_run=true', {name: 'p6', spec: {devargs: 'net_null6,no-rx=1'}});
  await must('PATCH', '/v1/routers/r1', {labels: {x: 'y'}});
  await heardOf(() => words(reader.heard, 'r1').length > 0, () => 'nothing');
  assert.deepEqual(reader.heard.filter((e) => e.type !== 'heartbeat')
    .map((e) => `${e.type} ${e.name}`), ['router.changed r1']);
  reader.close();
});

// The events that are kept, as who comes later finds them.
async function kept(project) {
  const {text} = await request('GET', `/v1/events?project=${project}&follow=false`,
    undefined, {Accept: 'application/x-ndjson'});
  return text.split('\n').filter((l) => l).map((l) => JSON.parse(l));
}

// What has been heard, each of a type that Event lists and as it says.
const seen = new Set();
function note(list) {
  for (const e of list) {
    assert.deepEqual(check(api, api.components.schemas.Event, e), [], JSON.stringify(e));
    if (!['gap', 'heartbeat'].includes(e.type))
      assert.equal(e.kind.toLowerCase(), e.type.split('.')[0], JSON.stringify(e));
    seen.add(e.type);
  }
}

const lives = [
  ['ports', 'p7', {devargs: 'net_null7,no-rx=1'}],
  ['routers', 'e7', {}],
  ['links', 'l7', {ends: ['e6:a', 'e5:a']}],
  ['segments', 's7', {members: ['e6:b']}],
];

test('every kind of object has events, and they are as described', {skip}, async () => {
  await must('POST', '/v1/projects', {name: 'told'});
  const reader = listen({}, '/v1/events?project=told');
  await reader.begun;
  for (const [kind, name, spec] of lives)
    await must('POST', `/v1/${kind}?project=told`, {name, spec});
  await must('POST', '/v1/routers/e7/vnics?project=told', {name: 'c'});
  for (const [kind, name] of lives)
    await must('PATCH', `/v1/${kind}/${name}?project=told`, {labels: {a: 'b'}});
  await must('PATCH', '/v1/projects/told', {labels: {a: 'b'}});
  for (const [kind, name] of [...lives].reverse())
    await must('DELETE', `/v1/${kind}/${name}?project=told`);
  await heardOf(() => words(reader.heard, 'p7').includes('port.deleted'),
    () => JSON.stringify(reader.heard));
  for (const [kind, name] of lives) {
    const one = kind.slice(0, -1);
    for (const what of ['created', 'changed', 'deleted'])
      assert.ok(words(reader.heard, name).includes(`${one}.${what}`), `${one}.${what}`);
  }
  assert.equal(words(reader.heard, 'e7').filter((w) => w === 'router.changed').length, 2);
  assert.deepEqual(words(await kept('told'), 'told'), ['project.created', 'project.changed']);
  note([...reader.heard, ...await kept('told')]);
  // the end of a project is that of its stream, and the next one has nothing of it
  await must('DELETE', '/v1/projects/told');
  await reader.over;
  await must('POST', '/v1/projects', {name: 'told'});
  assert.deepEqual((await kept('told')).filter((e) => e.project).map((e) => [e.type, e.generation]),
    [['project.created', 1]]);
  await must('DELETE', '/v1/projects/told');
});

test('another europad says that something may be missing',
  {skip: skip || !pidFile && 'no EUROPA_PID_FILE'}, async () => {
    const {text} = await request('GET', '/v1/events?follow=false');
    const id = text.match(/^id: (.*)$/m)[1];
    await killEuropad();
    const later = listen({'Last-Event-ID': id});
    await heardOf(() => later.heard.length > 0, () => 'nothing');
    assert.equal(later.heard[0].type, 'gap');
    assert.equal(later.heard[0].missed, null);
    // it meets the data plane, and hears how the ports are
    await until(async () => assert.ok(words(await kept('default'), 'p0').includes('port.state')), 20);
    note([...later.heard, ...await kept('default')]);
    later.close();
    assert.deepEqual(api.components.schemas.Event.properties.type.enum
      .filter((type) => !seen.has(type)), []);
  });
