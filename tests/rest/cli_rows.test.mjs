// SPDX-License-Identifier: Apache-2.0
// cli_rows: europactl and what is beside routers and ports: links and segments,
// projects and tokens, the audit trail, commands and files, events.
import assert from 'node:assert/strict';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {folder, program, run} from './cli.mjs';
import {empty, must, request, reset, skip as noNode, socketPath}
  from './client.mjs';

const skip = noNode || (program ? false : 'EUROPACTL names no program');
const env = {EUROPA_SERVER: socketPath ?? ''};

// Why a test cannot be, on a node that has nothing there.
async function lacks(path) {
  if (skip) return skip;
  // no path has this method: 405 where there is one
  return (await request('TRACE', path)).status === 404 ? `the node has no ${path}` : false;
}
const skips = {links: await lacks('/v1/links'), projects: await lacks('/v1/projects'),
  tokens: await lacks('/v1/tokens'), exec: await lacks('/v1/routers/r1/exec'),
  logs: await lacks('/v1/routers/r1/logs'),
  console: await lacks('/v1/routers/r1/console'), events: await lacks('/v1/events?follow=false')};

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

async function does(args, more = {}) {
  const a = await run(args, {env, ...more});
  assert.equal(a.code, 0, `${args.join(' ')}: ${a.err}`);
  return a.out;
}

const doc = async (...args) => JSON.parse(await does([...args, '--format', 'json']));

test('links, and backup and restore of them', {skip: skips.links}, async () => {
  await does(['router', 'create', 'r2', '--vnic', 'a', '--vnic', 'b', '--vnic', 'c',
    '--power', 'stopped']);
  await does(['router', 'create', 'r3', '--vnic', 'a', '--vnic', 'b', '--power', 'stopped']);
  await does(['link', 'create', 'x1', 'r2:a', 'r3:a', '--forward', 'delay_ms=20,loss_pct=0.5',
    '--label', 'k=v']);
  const x1 = (await must('GET', '/v1/links/x1')).json;
  assert.deepEqual(x1.spec.ends, ['r2:a', 'r3:a']);
  assert.equal(x1.spec.impair.forward.loss_pct, 0.5);
  assert.deepEqual(x1.labels, {k: 'v'});
  await does(['link', 'set', 'x1', '--reverse', 'loss_pct=2']);
  assert.equal((await must('GET', '/v1/links/x1')).json.spec.impair.reverse.loss_pct, 2);
  await does(['link', 'create', 'x2', 'r2:b', 'port:p1', '--match', 'vlan=42']);
  assert.match(await does(['link', 'list']), /^x2 .*r2:b,port:p1 .*vlan=42/m);
  await does(['segment', 'create', 's9', 'r2:c', 'r3:b']);
  assert.deepEqual((await must('GET', '/v1/segments/s9')).json.spec.members, ['r2:c', 'r3:b']);
  assert.equal(await does(['__complete', 'link', 'get', 'x']), 'x1\nx2\n');
  const before = [await doc('link', 'list'), await doc('segment', 'list')]
    .map((l) => l.items.map((o) => [o.name, o.labels, o.spec]));
  const file = join(folder, 'links.json');
  await does(['backup', file]);
  await does(['link', 'set', 'x1', '--set', 'spec.impair=null', '--label', 'k=w']);
  await does(['segment', 'set', 's9', 'r2:c']);
  await does(['link', 'delete', 'x2']);
  await does(['restore', file]);
  assert.deepEqual([await doc('link', 'list'), await doc('segment', 'list')]
    .map((l) => l.items.map((o) => [o.name, o.labels, o.spec])), before);
  await does(['restore', '--dry-run', file]); // 10 if there were differences
  await does(['segment', 'delete', 's9']);
  await does(['link', 'delete', 'x1']);
  await does(['link', 'delete', 'x2']);
});

test('lists by label, and no longer than wanted', {skip: skips.links}, async () => {
  const all = [{name: 'y1', labels: {team: 'red', k: 'v'}}, {name: 'y2', labels: {team: 'red'}},
    {name: 'y3', labels: {team: 'blue'}}];
  const specs = {link: (i) => ({ends: [`r8:x${i}`, `r9:x${i}`]}), segment: () => ({}),
    project: () => ({}), token: () => ({roles: {default: 'viewer'}}),
    port: (i) => ({devargs: `net_null${20 + i},no-rx=1`}), router: () => ({power: 'stopped'})};
  for (const [noun, spec] of Object.entries(specs)) {
    for (const [i, o] of all.entries())
      await must('POST', `/v1/${noun}s`, {...o, spec: spec(i)});
    const names = (...args) => does([noun, 'list', '--format', 'name', ...args]);
    assert.equal(await names('--label', 'team=red'), 'y1\ny2\n', noun);
    assert.equal(await names('--label', 'team=red', '--label', 'k=v'), 'y1\n', noun);
    assert.equal(await names('--label', 'team=red', '--limit', '1'), 'y1\n', noun);
    assert.equal((await names('--limit', '2')).split('\n').length, 3, noun);
    assert.equal(await does(['__complete', noun, 'list', '--l']), '--label\n--limit\n', noun);
    for (const {name} of all) await must('DELETE', `/v1/${noun}s/${name}`);
  }
});

test('projects and their quotas', {skip: skips.projects}, async () => {
  await does(['project', 'create', 'blue', '--quota', 'routers=1', '--description', 'of a test']);
  const blue = (await must('GET', '/v1/projects/blue')).json;
  assert.equal(blue.spec.quota.routers, 1);
  assert.equal(blue.spec.description, 'of a test');
  await does(['--project', 'blue', 'router', 'create', 'mine', '--power', 'stopped']);
  const full = await run(['--project', 'blue', 'router', 'create', 'more'], {env});
  assert.equal(full.code, 7, full.err);
  assert.match(full.err, /^best: /m);
  assert.equal((await doc('project', 'limit', 'blue', 'routers=2')).limit.routers, 2);
  assert.equal((await doc('project', 'quota', 'blue')).usage.routers, 1);
  assert.equal((await doc('project', 'usage', 'blue')).project, 'blue');
  assert.equal(await does(['--project', 'blue', 'router', 'list', '--format', 'name']), 'mine\n');
  assert.equal((await run(['router', 'get', 'mine'], {env})).code, 3);
  assert.equal((await run(['project', 'delete', 'blue'], {env})).code, 4);
  await does(['--project', 'blue', 'router', 'delete', 'mine']);
  await does(['project', 'delete', 'blue']);
});

test('a token is shown once, and the trail knows who', {skip: skips.tokens}, async () => {
  const out = await does(['token', 'create', 'ci', '--role', 'default=viewer', '--format',
    'csv', '--fields', 'secret']);
  const secret = out.split('\n')[1];
  assert.match(secret, /^europa_[0-9a-f]{64}$/);
  assert.ok(!(await does(['token', 'list', '--format', 'json'])).includes(secret));
  const token = {env: {...env, EUROPA_TOKEN: secret}};
  assert.equal((await run(['router', 'list'], token)).code, 0);
  assert.equal((await run(['router', 'create', 'r7'], token)).code, 6);
  assert.match(await does(['audit', '--limit', '3']), /POST +\/v1\/routers +403/);
  assert.equal((await doc('audit', '--limit', '2')).items.length, 2);
  await does(['token', 'set', 'ci', '--role', 'default=operator', '--label', 'k=v',
    '--expires', '2099-01-01T00:00:00Z']);
  assert.equal((await run(['router', 'create', 'r7', '--dry-run'], token)).code, 0);
  await does(['token', 'set', 'ci', '--set', 'spec.expires=null']);
  const ci = (await must('GET', '/v1/tokens/ci')).json;
  assert.deepEqual([ci.spec, ci.labels],
    [{roles: {default: 'operator'}, expires: null}, {k: 'v'}]);
  await does(['token', 'set', 'ci', '--role', '*=viewer', '--role', 'default-']);
  assert.deepEqual((await must('GET', '/v1/tokens/ci')).json.spec.roles, {'*': 'viewer'});
  await does(['token', 'delete', 'ci']);
  assert.equal((await run(['router', 'list'], token)).code, 6);
});

test('what routers can be made from', {skip}, async () => {
  assert.match(await does(['template', 'list']), /^NAME .*\n(.*\n)*router +yes /m);
  assert.equal((await doc('template', 'show', 'router')).kind, 'Template');
  assert.equal((await run(['template', 'show', 'nothing'], {env})).code, 3);
  assert.match(await does(['__complete', 'template', 'show', 'r']), /^router$/m);
  assert.match(await does(['node', 'list']), /^NAME .*LEFT.*\nlocal /);
  const {status} = await doc('node', 'show', 'local');
  assert.equal(status.memory.total_bytes,
    (await must('GET', '/v1')).json.limits.mem_bytes);
});

test('commands and files in a container', {skip: skips.exec}, async () => {
  const said = await run(['exec', 'r1', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'], {env});
  assert.deepEqual([said.code, said.out, said.err], [7, 'out\n', 'err\n']);
  const bytes = await run(['exec', 'r1', '--', 'printf', '\\377\\n'], {env});
  assert.deepEqual([bytes.code, bytes.out], [0, '\ufffd\n'], bytes.err);
  const cat = await run(['exec', 'r1', '--stdin', '--', 'cat'], {env, stdin: 'one\ntwo'});
  assert.deepEqual([cat.code, cat.out], [0, 'one\ntwo']);
  assert.equal((await run(['exec', 'r1', '--', '/no/such'], {env})).code, 5);
  assert.equal((await run(['exec', 'r9', 'true'], {env})).code, 3);
  await does(['exec', 'r1', '--dry-run', '--', 'false']);
  const at = '/var/in the container';
  assert.equal(await does(['files', 'put', 'r1', at, '-'], {stdin: 'a\0b\n'}), '');
  assert.equal(await does(['files', 'get', 'r1', at]), 'a\0b\n');
  const none = await run(['files', 'get', 'r1', `${at}s`], {env});
  assert.equal(none.code, 3, none.err);
});

test('what a container wrote', {skip: skips.logs || skips.exec}, async () => {
  assert.equal((await run(['logs', 'r9'], {env})).code, 3);
  const here = await request('GET', '/v1/routers/r1/logs');
  assert.ok((await does(['logs', 'r1'])).startsWith(here.text));
  // it goes on until it is ended: what is written when all of that is there comes
  let written;
  const followed = await run(['logs', 'r1', '-f'], {env, until: (out) => {
    if (!out.startsWith(here.text)) return false;
    written ??= does(['exec', 'r1', '--', 'sh', '-c', 'echo one word more >> /proc/$PPID/fd/2']);
    return out.includes('one word more\n', here.text.length);
  }});
  await written;
  assert.equal(followed.code, null);
  assert.ok(followed.out.startsWith(here.text));
  assert.match(followed.out.slice(here.text.length), /one word more\n/);
});

test('what is made with a key is made once', {skip: skips.events}, async () => {
  const make = ['--key', `k-${process.pid}`, 'router', 'create', 'r4', '--power', 'stopped'];
  await does(make);
  await does(make); // and not: it exists
  await does(['router', 'delete', 'r4']);
});

test('a console: what is typed, what is shown, how it ends', {skip: skips.console}, async () => {
  const typed = await run(['console', 'r1'], {env, stdin: 'echo a$((1+1))b\nexit 3\n'});
  assert.equal(typed.code, 3, typed.err);
  assert.match(typed.out, /a2b/);
  assert.equal((await run(['console', 'r9'], {env})).code, 3);
});

test('events are lines', {skip: skips.events}, async () => {
  await does(['router', 'set', 'r1', '--label', 'seen=yes']);
  const lines = (await does(['events', '--follow=false'])).trim().split('\n');
  assert.ok(lines.map((l) => JSON.parse(l))
    .some((e) => e.type === 'router.changed' && e.name === 'r1'));
});

test('lists by label, a port by its labels', {skip: skips.events}, async () => {
  await does(['port', 'set', 'p1', '--label', 'rack=b2']);
  assert.equal(await does(['port', 'list', '--label', 'rack=b2', '--format', 'name']), 'p1\n');
  assert.equal((await doc('port', 'list', '--limit', '1')).items.length, 1);
  await does(['port', 'set', 'p1', '--label', 'rack-']);
});
