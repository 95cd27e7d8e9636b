// SPDX-License-Identifier: Apache-2.0
// tokens: what each role may do, in its project and in others; over the unix
// socket, where a token counts if there is one, and over TCP, where it must.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {bearer, empty, must, request, reset, skip, until} from './client.mjs';

const tcp = {host: '127.0.0.1', port: Number(process.env.EUROPA_TCP_PORT)};
const skipTcp = skip || (tcp.port ? false : 'EUROPA_TCP_PORT names no port');
const blue = '?project=blue';

before(async () => {
  if (skip) return;
  await reset();
  await must('POST', '/v1/projects', {name: 'blue'});
});
after(async () => { if (!skip) await empty(); });

// [what, method, path, body, needed]: 0 anyone, 1 viewer, 2 operator, 3 admin of
// blue, 4 admin of the node
const doors = [
  ['the node', 'GET', '/v1', undefined, 0],
  ['what it has', 'GET', '/v1/nodes/local', undefined, 0],
  ['list', 'GET', `/v1/routers${blue}`, undefined, 1],
  ['ports', 'GET', `/v1/ports${blue}`, undefined, 1],
  ['project', 'GET', '/v1/projects/blue', undefined, 1],
  ['its quota', 'GET', '/v1/projects/blue/quota', undefined, 1],
  ['its usage', 'GET', '/v1/projects/blue/usage', undefined, 1],
  ['create', 'POST', `/v1/routers${blue}&dry_run=true`, {name: 'r9'}, 2],
  ['replace', 'PUT', `/v1/routers/r9${blue}&dry_run=true`, {}, 2],
  ['tokens', 'GET', `/v1/tokens${blue}`, undefined, 3],
  ['a token', 'POST', `/v1/tokens${blue}&dry_run=true`,
    {name: 'x', spec: {roles: {blue: 'viewer'}}}, 3],
  ['a port', 'POST', `/v1/ports${blue}&dry_run=true`,
    {name: 'p9', spec: {devargs: 'net_null9,no-rx=1'}}, 4],
  ['a project', 'POST', '/v1/projects?dry_run=true', {name: 'red'}, 4],
  ['a quota', 'PATCH', '/v1/projects/blue/quota?dry_run=true', {limit: {}}, 4],
  ['its end', 'DELETE', '/v1/projects/blue?dry_run=true', undefined, 4],
];
const people = [
  ['viewer', {blue: 'viewer'}, 1], ['operator', {blue: 'operator'}, 2],
  ['admin', {blue: 'admin'}, 3], ['boss', {'*': 'admin'}, 4],
  ['guard', {'*': 'viewer'}, 1], ['stranger', {default: 'admin'}, 0]];

for (const [who, roles, level] of people) {
  test(`what a ${who} may`, {skip}, async () => {
    const headers = await bearer(who, roles);
    for (const [what, method, path, body, needed] of doors) {
      const answer = await request(method, path, body, headers);
      const told = `${who}, ${what}: ${answer.status} ${answer.text}`;
      if (level >= needed) assert.ok([200, 204].includes(answer.status) ||
        answer.json.code === 'in-use', told);
      // a stranger does not learn that there is a project
      else if (level === 0 && needed < 4) assert.equal(answer.status, 404, told);
      else assert.equal(answer.json.code, 'forbidden', told);
    }
    await must('DELETE', `/v1/tokens/${who}`);
    assert.equal((await request('GET', '/v1', undefined, headers)).status, 401);
  });
}

test('what a stranger sees is his own', {skip}, async () => {
  await must('POST', `/v1/routers${blue}`, {name: 'r1', spec: {power: 'stopped'}});
  const headers = await bearer('mine', {blue: 'admin'});
  const ours = await must('GET', `/v1/routers/r1${blue}`, undefined, headers);
  assert.equal(ours.json.project, 'blue');
  for (const [method, path, body] of [['GET', '/v1/routers/r1'],
    ['GET', '/v1/routers'], ['DELETE', '/v1/routers/r1'], ['GET', '/v1/ports/p0'],
    ['PATCH', '/v1/routers/r1', {labels: {a: 'b'}}], ['GET', '/v1/tokens'],
    ['GET', '/v1/projects/default'], ['GET', '/v1/projects/nothing']]) {
    const answer = await request(method, path, body, headers);
    assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`);
  }
  const {json} = await must('GET', '/v1/projects', undefined, headers);
  assert.deepEqual(json.items.map((p) => p.name), ['blue']);
  const node = await must('GET', '/v1', undefined, headers);
  assert.deepEqual(node.json.counts, {routers: 1, ports: 0});
  await must('DELETE', `/v1/routers/r1${blue}`);
});

test('nobody gives away more than he has', {skip}, async () => {
  const headers = await bearer('lead', {blue: 'admin'});
  const give = (roles) => request('POST', `/v1/tokens${blue}`,
    {name: 'gift', spec: {roles}}, headers);
  assert.equal((await give({'*': 'viewer'})).status, 403);
  const foreign = await give({default: 'viewer'});
  const nothing = await give({nothing: 'viewer'});
  assert.equal(foreign.status, 422, foreign.text);
  assert.equal(foreign.text.replaceAll('default', 'X').replace(/"request_id":"\w+"/, ''),
    nothing.text.replaceAll('nothing', 'X').replace(/"request_id":"\w+"/, ''));
  const made = await give({blue: 'admin'});
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.location, `/v1/tokens/gift${blue}`);
  const {json} = await must('GET', `/v1/tokens/gift${blue}`, undefined, headers);
  assert.equal(json.secret, undefined);
  assert.ok(!JSON.stringify(json).includes(made.json.secret.slice(7)));
  // who is of a project that is gone is nobody in the next of its name
  await must('POST', '/v1/projects', {name: 'red'});
  const old = await bearer('old', {red: 'admin'});
  await must('DELETE', '/v1/projects/red');
  await must('POST', '/v1/projects', {name: 'red'});
  assert.equal((await request('GET', '/v1/routers?project=red', undefined, old)).status, 404);
  assert.deepEqual((await must('GET', '/v1/tokens/old')).json.spec.roles, {});
});

test('a project with tokens stays', {skip}, async () => {
  await must('POST', '/v1/projects', {name: 'green'});
  await bearer('x', {green: 'viewer'}, 'green');
  assert.equal((await request('DELETE', '/v1/projects/green')).json.code, 'in-use');
  await must('DELETE', '/v1/tokens/x?project=green');
  await must('DELETE', '/v1/projects/green');
});

test('a device that can run commands is for root, not for a token', {skip}, async () => {
  const headers = await bearer('opener', {'*': 'admin'});
  const answer = await request('POST', '/v1/ports',
    {name: 'p9', spec: {devargs: 'net_pcap0,rx_pcap=/etc/passwd'}}, headers);
  assert.equal(answer.status, 422, answer.text);
  assert.equal(answer.json.errors[0].pointer, '/spec/devargs');
});

test('over TCP, a token or nothing', {skip: skipTcp}, async () => {
  for (const headers of [{}, {Authorization: 'Bearer europa_00'},
    {Authorization: 'Basic cm9vdDo='}]) {
    const answer = await request('GET', '/v1/routers', undefined, headers, tcp);
    assert.equal(answer.status, 401, answer.text);
    assert.equal(answer.json.code, 'unauthorized');
    assert.match(answer.headers['www-authenticate'], /^Bearer /);
  }
  const headers = await bearer('net', {default: 'viewer'});
  assert.equal((await request('GET', '/v1/routers', undefined, headers, tcp)).status, 200);
  assert.equal((await request('DELETE', '/v1/routers/r1', undefined, headers, tcp)).status, 403);
  assert.equal((await request('GET', '/healthz', undefined, {}, tcp)).status, 200);
  assert.notEqual((await must('GET', '/v1/tokens/net')).json.status.last_used, null);
  await must('DELETE', '/v1/tokens/net');
  assert.equal((await request('GET', '/v1/routers', undefined, headers, tcp)).status, 401);
});

test('a token is changed, and its secret stays', {skip}, async () => {
  const headers = await bearer('kept', {default: 'viewer'});
  const at = '/v1/tokens/kept';
  const before = await must('GET', at);
  const made = await must('PATCH', at, {labels: {owner: 'lab'},
    spec: {roles: {default: 'operator', blue: 'viewer'}, expires: '2099-01-01T00:00:00Z'}});
  assert.deepEqual(made.json.spec, {roles: {default: 'operator', blue: 'viewer'},
    expires: '2099-01-01T00:00:00Z'});
  assert.deepEqual([made.json.labels, made.json.generation], [{owner: 'lab'}, 2]);
  assert.deepEqual((await must('GET', at)).json.spec, made.json.spec);
  assert.notEqual(made.headers.etag, before.headers.etag);
  const stale = await request('PATCH', at, {labels: {a: 'b'}}, {'If-Match': before.headers.etag});
  assert.equal(stale.status, 412, stale.text);
  // it may from now on, and may not
  await must('POST', '/v1/routers?dry_run=true', {name: 'r9'}, headers);
  await must('GET', `/v1/routers${blue}`, undefined, headers);
  await must('PATCH', at, {spec: {roles: {blue: null, default: 'viewer'}, expires: null}});
  assert.equal((await request('POST', '/v1/routers?dry_run=true', {name: 'r9'}, headers)).status, 403);
  assert.equal((await request('GET', `/v1/routers${blue}`, undefined, headers)).status, 404);
  assert.equal((await must('GET', at)).json.spec.expires, null);
  // a dry run says what would be
  const dry = await must('PATCH', `${at}?dry_run=true`, {labels: {b: 'c'}});
  assert.deepEqual(dry.json.labels, {owner: 'lab', b: 'c'});
  assert.deepEqual((await must('GET', at)).json.labels, {owner: 'lab'});
  for (const [body, pointer] of [[{spec: {roles: {default: null}}}, '/spec/roles'],
    [{spec: {expires: '2020-01-01T00:00:00Z'}}, '/spec/expires'],
    [{spec: {roles: {nothing: 'viewer'}}}, '/spec/roles/nothing'], [{name: 'x'}, '/name'],
    [{spec: null}, '/spec'], [{secret: 'x'}, '/secret']]) {
    const no = await request('PATCH', at, body);
    assert.equal(no.status, 422, no.text);
    assert.equal(no.json.errors[0].pointer, pointer, no.text);
  }
});

test('a token whose time is over can be changed, and has more of it then', {skip}, async () => {
  const expires = new Date(Date.now() + 5000).toISOString().replace(/\.\d+/, '');
  const {json} = await must('POST', '/v1/tokens', {name: 'late', spec: {roles: {default: 'viewer'}, expires}});
  const headers = {Authorization: `Bearer ${json.secret}`};
  await until(async () =>
    assert.ok((await must('GET', '/v1/tokens/late')).json.status.expired), 20);
  assert.equal((await request('GET', '/v1', undefined, headers)).status, 401);
  assert.equal((await must('PATCH', '/v1/tokens/late', {labels: {a: 'b'}})).json.spec.expires, expires);
  await must('PATCH', '/v1/tokens/late', {spec: {expires: null}});
  await must('GET', '/v1', undefined, headers);
});

test('who changes a token is admin of all that it may do', {skip}, async () => {
  const lead = await bearer('chief', {blue: 'admin'});
  await bearer('both', {blue: 'viewer', default: 'admin'}, 'blue');
  const patch = (body) => request('PATCH', `/v1/tokens/both${blue}`, body, lead);
  // default is not there for him: nor is it said to be
  assert.equal((await patch({spec: {expires: '2099-01-01T00:00:00Z'}})).status, 422);
  assert.equal((await patch({spec: {roles: {blue: 'admin'}}})).status, 422);
  assert.equal((await patch({labels: {a: 'b'}})).status, 200);
  assert.equal((await patch({spec: {roles: {default: null}}})).status, 200);
  const wide = await patch({spec: {roles: {blue: 'operator'}}});
  assert.equal(wide.status, 200, wide.text);
  assert.deepEqual(wide.json.spec.roles, {blue: 'operator'});
  assert.equal((await patch({spec: {roles: {'*': 'viewer'}}})).status, 403);
});

test('which templates a tenant may use the node says', {skip}, async () => {
  const operator = await bearer('tenant', {default: 'operator'});
  const admin = await bearer('landlord', {default: 'admin'});
  const node = await bearer('wide', {'*': 'admin'});
  const bird = {spec: {template: 'bird', power: 'stopped'}};
  for (const headers of [operator, admin])
    for (const [method, path, body] of [['POST', '/v1/routers', {name: 'r9', ...bird}],
      ['POST', '/v1/routers?dry_run=true', {name: 'r9', ...bird}],
      ['PUT', '/v1/routers/r9', bird],
      ['PATCH', '/v1/routers/r1', {spec: {template: 'bird'}}]]) {
      const no = await request(method, path, body, headers);
      assert.equal(no.status, 403, `${method} ${path}: ${no.text}`);
      assert.equal(no.json.code, 'forbidden');
      assert.match(no.text, /tenant_templates/);
    }
  // node's admin: only that where containers are fake there is no such template
  for (const headers of [node, {}]) {
    const answer = await request('POST', '/v1/routers?dry_run=true', {name: 'r9', ...bird}, headers);
    assert.notEqual(answer.status, 403, answer.text);
  }
  await must('POST', '/v1/routers?dry_run=true', {name: 'r9', spec: {template: 'router'}}, operator);
  await must('PATCH', '/v1/routers/r1', {labels: {a: 'b'}}, operator);
});

test('nobody learns by a question which projects there are', {skip}, async () => {
  await must('POST', '/v1/projects', {name: 'hidden'});
  const token = await bearer('nosy', {default: 'viewer'});
  for (const path of ['/v1', '/v1/templates', '/v1/projects', '/v1/nodes', '/v1/routers']) {
    const ask = (project) => request('GET', `${path}?project=${project}`, undefined, token);
    const there = await ask('hidden'), nowhere = await ask('nowhere');
    assert.equal(there.status, nowhere.status, path);
    assert.equal(there.text.replaceAll('hidden', '')
      .replace(there.json.request_id, ''), nowhere.text.replaceAll('nowhere', '')
      .replace(nowhere.json.request_id, ''), path);
  }
});
