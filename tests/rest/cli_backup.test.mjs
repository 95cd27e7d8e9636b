// SPDX-License-Identifier: Apache-2.0
// cli_backup: europactl backup and restore of a node with several projects, of one
// of them, and of one in another's place.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {folder, program, run} from './cli.mjs';
import {bearer, comesToRun, dataplane, empty, lines, lua, must, pipeline, request, reset,
  skip as noNode, socketPath} from './client.mjs';

const skip = noNode || (program ? false : 'EUROPACTL names no program');
const env = {EUROPA_SERVER: socketPath ?? ''};
const file = join(folder, 'node.json');
const kinds = ['ports', 'routers', 'links', 'segments'];

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

const ctl = (args, more = {}) => run(args, {env, wait: 90000, ...more});

// One that ends with that code; what it said.
async function ends(code, args, more) {
  const a = await ctl(args, more);
  assert.equal(a.code, code, `${args.join(' ')}: ${a.out}${a.err}`);
  return a;
}

const rows = async (code, args) =>
  JSON.parse((await ends(code, [...args, '--format', 'json'])).out).items;

// All that a node is made of, without what differs by time.
async function state() {
  const all = {};
  for (const p of (await must('GET', '/v1/projects')).json.items) {
    const of = {labels: p.labels, spec: p.spec};
    for (const kind of kinds)
      of[kind] = (await must('GET', `/v1/${kind}?project=${p.name}`)).json.items
        .map((o) => [o.name, o.labels, o.spec]);
    all[p.name] = of;
  }
  const path = '/v1/routers/r1';
  all.text = (await must('GET', `${path}/pipeline?project=blue`)).json.text;
  all.routes = (await must('GET', `${path}/routes?source=api&project=blue`)).json.routes
    .map((r) => r.prefix);
  return all;
}

// Beside default, blue with an r1 that runs, and red with one that does not.
async function make() {
  await reset();
  await must('PATCH', '/v1/projects/default', {labels: {of: 'all'}});
  await must('POST', '/v1/projects', {name: 'blue', labels: {course: 'net-1'},
    spec: {description: 'students', quota: {routers: 2, mem_bytes: '1GiB', links: 3}}});
  await must('POST', '/v1/projects', {name: 'red', spec: {quota: {cpu_millis: 1500}}});
  const blue = '?project=blue';
  await must('POST', `/v1/ports${blue}`, {name: 'p0', spec: {devargs: 'net_null5,no-rx=1'}});
  await must('POST', `/v1/routers${blue}`, {name: 'r1', labels: {a: 'b'}, spec: {dataplane,
    quota: {mem_bytes: '64MiB'}, vnics: [{name: 'a'}, {name: 'b'},
      {name: 'lan', attach: {port: 'p0'}, addresses: ['198.18.7.1/24']}]}});
  await comesToRun('r1', blue);
  await must('PUT', `/v1/routers/r1/pipeline${blue}`, pipeline('blues'), lua);
  await must('PUT', `/v1/routers/r1/routes${blue}`,
    '{"prefix": "203.0.113.0/24", "via": "198.18.7.9"}\n', lines);
  await must('POST', `/v1/links${blue}`, {name: 'l1', spec: {ends: ['r1:a', 'r2:a'],
    impair: {forward: {delay_ms: 20}}}});
  await must('POST', `/v1/segments${blue}`, {name: 's1', spec: {members: ['r1:b']}});
  await must('POST', '/v1/routers?project=red', {name: 'r1', spec: {power: 'stopped',
    quota: {cpu_millis: 1500}}});
  await bearer('ci', {blue: 'operator'}, 'blue');
}

test('all projects, with their limits and all that is in them', {skip}, async () => {
  await make();
  const made = await ends(0, ['backup', file]);
  assert.match(made.err, /^europactl: tokens are not in the backup/m);
  assert.match(made.err, /^europactl: project red: router r1 does not run/m);
  const text = readFileSync(file).toString();
  assert.equal(JSON.parse(text).version, 2);
  assert.doesNotMatch(text, /"roles"|"tokens"/);
  const before = await state();
  assert.deepEqual(Object.keys(before).slice(0, 3).sort(), ['blue', 'default', 'red']);
  await ends(0, ['restore', '--dry-run', file]);
  // all of it gone
  await empty();
  await ends(10, ['restore', '--dry-run', file]);
  assert.equal((await request('GET', '/v1/projects/blue')).status, 404);
  const done = await rows(0, ['restore', file]);
  assert.deepEqual([...new Set(done.map((i) => i.kind))],
    ['Project', 'Port', 'Router', 'Pipeline', 'Routes', 'Link', 'Segment']);
  assert.deepEqual(await state(), before);
  assert.equal((await must('GET', '/v1/routers/r1?project=blue')).json.status.state,
    'running');
  assert.ok((await rows(0, ['restore', file])).every((i) => i.result === 'unchanged'));
  // limits and labels that came since go again, and one of two projects may be meant
  for (const name of ['blue', 'red'])
    await must('PATCH', `/v1/projects/${name}`,
      {labels: {late: '1'}, spec: {quota: {routers: 9, pids: 7000}}});
  await must('PATCH', '/v1/links/l1?project=blue',
    {labels: {x: 'y'}, spec: {impair: {forward: {delay_ms: 9, seed: 7}}}});
  const changed = (await rows(0, ['--project', 'blue', 'restore', file]))
    .filter((i) => i.result !== 'unchanged');
  assert.deepEqual(changed.map((i) => [i.kind, i.name, i.result]),
    [['Project', 'blue', 'changed'], ['Link', 'l1', 'changed']]);
  assert.equal((await must('GET', '/v1/projects/red')).json.spec.quota.pids, 7000);
  await ends(0, ['restore', file]);
  assert.deepEqual(await state(), before);
  const none = await ends(3, ['--project', 'green', 'restore', file]);
  assert.match(none.err, /has no project green/);
});

test('prune: objects of the projects that it has, and empty projects', {skip}, async () => {
  await make();
  await ends(0, ['backup', file]);
  const before = await state();
  const stopped = {name: 'r9', spec: {power: 'stopped'}};
  await must('POST', '/v1/routers?project=blue', stopped);
  await must('POST', '/v1/projects', {name: 'void'});
  await must('POST', '/v1/projects', {name: 'full'});
  await must('POST', '/v1/routers?project=full', stopped);
  const prune = ['restore', '--prune', file];
  const asked = await ends(2, prune, {stdin: ''});
  assert.match(asked.err, /project full is not in the backup, and stays: it is not empty/);
  assert.match(asked.err, /removes:\n {2}Router r9 of project blue\n {2}Project void\n/);
  assert.deepEqual((await rows(10, [...prune, '--dry-run'])).slice(0, 2)
    .map((i) => [i.kind, i.name, i.result, i.project]),
  [['Router', 'r9', 'removed', 'blue'], ['Project', 'void', 'removed', undefined]]);
  // of one project nothing of the others goes
  await ends(0, ['--project', 'red', ...prune, '--yes']);
  await must('GET', '/v1/routers/r9?project=blue');
  await must('GET', '/v1/projects/void');
  await ends(0, [...prune, '--yes']);
  await must('GET', '/v1/routers/r9?project=full');
  await must('DELETE', '/v1/routers/r9?project=full');
  await must('DELETE', '/v1/projects/full');
  assert.deepEqual(await state(), before);
});

test('one project, also in another one; who may not ask for all', {skip}, async () => {
  await make();
  await ends(0, ['--project', 'red', 'backup', file]);
  const red = JSON.parse(readFileSync(file));
  assert.equal(red.version, 1);
  assert.equal(red.projects, undefined);
  assert.deepEqual(red.routers.map((r) => r.name), ['r1']);
  await must('POST', '/v1/projects', {name: 'pink'});
  await ends(0, ['--project', 'pink', 'restore', file]);
  const [theirs, ours] = await Promise.all(['red', 'pink'].map(async (p) =>
    (await must('GET', `/v1/routers/r1?project=${p}`)).json));
  assert.deepEqual(ours.spec, theirs.spec);
  // a token of two projects is not one of the node
  const {Authorization} = await bearer('two', {default: 'viewer', blue: 'viewer'});
  const theirEnv = {...env, EUROPA_TOKEN: Authorization.slice('Bearer '.length)};
  const a = await ends(0, ['backup', '-'], {env: theirEnv});
  assert.match(a.err, /you are not admin of the node/);
  const doc = JSON.parse(a.out);
  assert.equal(doc.version, 1);
  assert.deepEqual(doc.ports.map((p) => p.name), ['p0', 'p1']);
  await ends(0, ['--project', 'blue', 'backup', '-'], {env: theirEnv});
  await ends(3, ['--project', 'red', 'backup', '-'], {env: theirEnv});
});
