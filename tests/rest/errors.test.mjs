// SPDX-License-Identifier: Apache-2.0
// errors: what is refused says where and why, and leaves nothing behind: the
// lists of routers and ports are the same before and after.
import assert from 'node:assert/strict';
import net from 'node:net';
import {after, before, test} from 'node:test';

import {empty, lines, lua, must, request, reset, skip, socketPath}
  from './client.mjs';
import {check, load} from './openapi.mjs';

const api = load();
const deep = '['.repeat(33) + ']'.repeat(33);

// What must not change; counters and times may.
async function snapshot() {
  const r1 = '/v1/routers/r1';
  const live = [(await must('GET', `${r1}/pipeline`)).json,
    (await must('GET', `${r1}/pipeline/revisions`)).json,
    (await must('GET', `${r1}/routes?source=api`)).json];
  const routers = (await must('GET', '/v1/routers')).json.items;
  const ports = (await must('GET', '/v1/ports')).json.items;
  const links = (await must('GET', '/v1/links')).json.items;
  const segments = (await must('GET', '/v1/segments')).json.items;
  return JSON.stringify([...routers, ...ports, ...links, ...segments].map((o) =>
    [o.kind, o.name, o.uid, o.generation, o.labels, o.spec])) +
    JSON.stringify(live);
}

function vnic(more) {
  return {name: 'r2', spec: {vnics: [{name: 'a', ...more}]}};
}

// [what, method, path, body, headers, status, code, pointer]
const refused = [
  ['unknown member', 'POST', '/v1/routers', {name: 'r2', spek: {}}, {}, 422, 'invalid', '/spek'],
  ['wrong type', 'POST', '/v1/routers', {name: 2}, {}, 422, 'invalid', '/name'],
  ['not an object', 'POST', '/v1/routers', '7', {}, 422, 'invalid', ''],
  ['no name', 'POST', '/v1/routers', {}, {}, 422, 'invalid', '/name'],
  ['name too long', 'POST', '/v1/routers', {name: 'a'.repeat(64)}, {}, 422, 'invalid', '/name'],
  ['name that climbs', 'POST', '/v1/routers', {name: '../../etc'}, {}, 422, 'invalid', '/name'],
  ['name with a zero', 'POST', '/v1/routers', '{"name": "a\\u0000b"}', {}, 400, 'not-json'],
  ['duplicate', 'POST', '/v1/routers', {name: 'r1'}, {}, 409, 'exists'],
  ['no such template', 'POST', '/v1/routers', {name: 'r2', spec: {template: 'none'}}, {}, 422, 'invalid', '/spec/template'],
  ['missing port', 'POST', '/v1/routers', vnic({attach: {port: 'p7'}}), {}, 422, 'invalid', '/spec/vnics/0/attach/port'],
  ['missing peer', 'POST', '/v1/routers', vnic({attach: {router: 'r1', vnic: 'none'}}), {}, 422, 'invalid', '/spec/vnics/0/attach/vnic'],
  ['MTU above that of the port', 'POST', '/v1/routers', vnic({attach: {port: 'p0'}, mtu: 9000}), {}, 422, 'invalid', '/spec/vnics/0/mtu'],
  ['address twice in a router', 'POST', '/v1/routers', {name: 'r2', spec: {vnics: [{name: 'a', addresses: ['192.0.2.1/24']}, {name: 'b', addresses: ['192.0.2.1/24']}]}}, {}, 422, 'invalid', '/spec/vnics/1/addresses'],
  ['address of another router', 'POST', '/v1/routers', vnic({attach: {port: 'p0'}, addresses: ['198.18.2.1/24']}), {}, 409, 'in-use', '/spec/vnics/0/addresses'],
  ['route to nowhere', 'POST', '/v1/routers', {name: 'r2', spec: {routes: [{prefix: '0.0.0.0/0', via: '192.0.2.1'}]}}, {}, 422, 'invalid', '/spec/routes/0/via'],
  ['body too large', 'POST', '/v1/routers', `{"name": "${'a'.repeat(65536)}"}`, {}, 413, 'too-large'],
  ['not JSON', 'POST', '/v1/routers', 'name=r2', {}, 400, 'not-json'],
  ['a member twice', 'POST', '/v1/routers', '{"name": "r2", "name": "r3"}', {}, 400, 'not-json'],
  ['too deep', 'POST', '/v1/routers', deep, {}, 400, 'not-json'],
  ['no body', 'POST', '/v1/routers', '', {}, 400, 'no-body'],
  ['not UTF-8', 'POST', '/v1/routers', Buffer.from('{"name": "\xff"}', 'latin1'), {}, 400, 'not-json'],
  ['not a JSON type', 'POST', '/v1/routers', {name: 'r2'}, {'Content-Type': 'text/xml'}, 415, 'media-type'],
  ['misspelt dry_run', 'POST', '/v1/routers?dryrun=true', {name: 'r2'}, {}, 400, 'bad-query'],
  ['other project', 'POST', '/v1/routers?project=blue', {name: 'r2'}, {}, 404, 'not-found'],
  ['stale ETag, PUT', 'PUT', '/v1/routers/r1', {}, {'If-Match': '"old"'}, 412, 'stale'],
  ['stale ETag, PATCH', 'PATCH', '/v1/routers/r1', {labels: {a: 'b'}}, {'If-Match': '"old"'}, 412, 'stale'],
  ['stale ETag, DELETE', 'DELETE', '/v1/routers/r1', undefined, {'If-Match': '"old"'}, 412, 'stale'],
  ['stale ETag, power', 'PUT', '/v1/routers/r1/power', {desired: 'stopped'}, {'If-Match': '"old"'}, 412, 'stale'],
  ['If-Match: *, nothing there', 'PUT', '/v1/routers/r9', {}, {'If-Match': '*'}, 412, 'stale'],
  ['weak ETag', 'DELETE', '/v1/routers/r1', undefined, {'If-Match': 'W/"1"'}, 412, 'stale'],
  ['name cannot change', 'PATCH', '/v1/routers/r1', {name: 'r9'}, {}, 422, 'invalid', '/name'],
  ['unknown power', 'PUT', '/v1/routers/r1/power', {desired: 'off'}, {}, 422, 'invalid', '/desired'],
  ['unknown scope', 'POST', '/v1/routers/r1/restart', {scope: 'x'}, {}, 422, 'invalid', '/scope'],
  ['vNIC that exists', 'POST', '/v1/routers/r1/vnics', {name: 'lan'}, {}, 409, 'exists'],
  ['routes without a list', 'PUT', '/v1/routers/r1/routes', {}, {}, 422, 'invalid', '/routes'],
  ['routes, a line that is none', 'PUT', '/v1/routers/r1/routes', '{"prefix": "192.0.2.0/24", "vnic": "lan"}\nnonsense\n', lines, 400, 'not-json'],
  ['routes, a line too long', 'PUT', '/v1/routers/r1/routes', ' '.repeat(2000), lines, 400, 'not-json'],
  ['routes, a line too deep', 'PUT', '/v1/routers/r1/routes', `${deep}\n`, lines, 400, 'not-json'],
  ['routes, host bits', 'PUT', '/v1/routers/r1/routes', '\n{"prefix": "192.0.2.1/24", "vnic": "lan"}\n', lines, 422, 'invalid', '/1/prefix'],
  ['routes, no such vNIC', 'PUT', '/v1/routers/r1/routes', '{"prefix": "192.0.2.0/24", "vnic": "lan"}\n{"prefix": "203.0.113.0/24", "vnic": "wan"}\n', lines, 422, 'invalid', '/1'],
  ['routes, a gateway out of reach', 'PATCH', '/v1/routers/r1/routes', '{"prefix": "192.0.2.0/24", "vnic": "lan"}\n{"prefix": "203.0.113.0/24", "via": "192.0.2.1"}\n', lines, 422, 'invalid', '/1'],
  ['routes, a delete in a table', 'PUT', '/v1/routers/r1/routes', '{"op": "delete", "prefix": "192.0.2.0/24"}\n', lines, 422, 'invalid', '/0/op'],
  ['routes, too many for one change', 'PATCH', '/v1/routers/r1/routes', '{"prefix": "192.0.2.0/24", "vnic": "lan"}\n'.repeat(3000), lines, 413, 'too-large'],
  ['routes, of a stale router', 'PUT', '/v1/routers/r1/routes', '\n', {...lines, 'If-Match': '"old"'}, 412, 'stale'],
  ['routes from nowhere', 'GET', '/v1/routers/r1/routes?source=bgp', undefined, {}, 400, 'bad-query'],
  ['routes, a cursor that is none', 'GET', '/v1/routers/r1/routes?source=api&cursor=a%20b', undefined, {}, 400, 'bad-query'],
  ['pipeline too large', 'PUT', '/v1/routers/r1/pipeline', '-'.repeat(262145), {...lua, 'Transfer-Encoding': 'chunked'}, 413, 'too-large'],
  ['pipeline that is none', 'PUT', '/v1/routers/r1/pipeline', '', lua, 400, 'no-body'],
  ['pipeline as JSON', 'PUT', '/v1/routers/r1/pipeline', {text: ''}, {}, 415, 'media-type'],
  ['pipeline with a zero', 'PUT', '/v1/routers/r1/pipeline', 'return\0', lua, 422, 'invalid', ''],
  ['pipeline not UTF-8', 'PUT', '/v1/routers/r1/pipeline', Buffer.from('-- \xff', 'latin1'), lua, 422, 'invalid', ''],
  ['pipeline that does not compile', 'PUT', '/v1/routers/r1/pipeline', '\n\nlocal x = = 1', lua, 422, 'pipeline-refused'],
  ['pipeline that throws', 'PUT', '/v1/routers/r1/pipeline', 'error "no"', lua, 422, 'pipeline-refused'],
  ['pipeline of a stale one', 'PUT', '/v1/routers/r1/pipeline', 'return', {...lua, 'If-Match': '"old"'}, 412, 'stale'],
  ['no such revision', 'GET', '/v1/routers/r1/pipeline/revisions/999', undefined, {}, 404, 'not-found'],
  ['rollback to nothing', 'POST', '/v1/routers/r1/pipeline/rollback', {revision: 999}, {}, 422, 'invalid', '/revision'],
  ['rollback to a word', 'POST', '/v1/routers/r1/pipeline/rollback', {revision: 'x'}, {}, 422, 'invalid', '/revision'],
  ['no such router', 'GET', '/v1/routers/r9', undefined, {}, 404, 'not-found'],
  ['no such vNIC', 'GET', '/v1/routers/r1/vnics/x', undefined, {}, 404, 'not-found'],
  ['no such port', 'DELETE', '/v1/ports/p9', undefined, {}, 404, 'not-found'],
  ['a name that is none', 'GET', '/v1/routers/%2e%2e', undefined, {}, 404, 'not-found'],
  ['no such path', 'GET', '/v2', undefined, {}, 404, 'not-found'],
  ['no such method', 'DELETE', '/v1/routers', undefined, {}, 405, 'bad-method'],
  ['port in use', 'DELETE', '/v1/ports/p0', undefined, {}, 409, 'in-use'],
  ['port that exists', 'POST', '/v1/ports', {name: 'p0', spec: {devargs: 'net_null7,no-rx=1'}}, {}, 409, 'exists'],
  ['device of another port', 'POST', '/v1/ports', {name: 'p2', spec: {devargs: 'net_null0,no-rx=1'}}, {}, 409, 'in-use'],
  ['device of another port, PUT', 'PUT', '/v1/ports/p2', {spec: {devargs: 'net_null1'}}, {}, 409, 'in-use'],
  ['device of another port, a dry run', 'POST', '/v1/ports?dry_run=true', {name: 'p2', spec: {devargs: 'net_null1'}}, {}, 409, 'in-use'],
  ['port without a device', 'POST', '/v1/ports', {name: 'p2', spec: {}}, {}, 422, 'invalid', '/spec/devargs'],
  ['device that is none', 'POST', '/v1/ports', {name: 'p2', spec: {devargs: 'net_nosuchdriver0'}}, {}, 422, 'invalid', '/spec/devargs'],
  ['argument in a device', 'POST', '/v1/ports', {name: 'p2', spec: {devargs: '--no-huge'}}, {}, 422, 'invalid', '/spec/devargs'],
];

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

function expectProblem(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.deepEqual(check(api, api.components.schemas.Problem, answer.json), []);
  assert.equal(answer.json.status, status);
  assert.equal(answer.json.code, code, answer.text);
  assert.equal(answer.json.request_id, answer.headers['x-request-id']);
  assert.ok(answer.json.remedy, 'a remedy');
}

for (const [what, method, path, body, headers, status, code, pointer] of refused) {
  test(what, {skip}, async () => {
    const before = await snapshot();
    const answer = await request(method, path, body, headers);
    expectProblem(answer, status, code);
    if (pointer !== undefined)
      assert.ok(answer.json.errors.some((e) => e.pointer === pointer && e.detail),
        `${pointer} in ${answer.text}`);
    if (status === 412) {
      const object = path.endsWith('/pipeline') ? path :
        path.split('/').slice(0, 4).join('/');
      const now = await request('GET', object);
      const etag = now.status === 200 ? now.headers.etag : undefined;
      assert.equal(answer.json.etag && `"${answer.json.etag}"`, etag);
    }
    if (status === 405) assert.equal(answer.headers.allow, 'GET, HEAD, POST');
    assert.equal(await snapshot(), before);
  });
}

test('more than the machine has: 507 says what could be', {skip}, async () => {
  const before = await snapshot();
  const answer = await request('POST', '/v1/routers',
    {name: 'r2', spec: {quota: {mem_bytes: '1TiB', pool_slots: 65536}}});
  expectProblem(answer, 507, answer.json?.code);
  assert.ok(answer.json.wanted > 2 ** 40, answer.text);
  assert.ok(answer.json.best >= 0 && answer.json.best < answer.json.wanted);
  assert.equal(await snapshot(), before);
});

test('all that is wrong is told at once', {skip}, async () => {
  const answer = await request('POST', '/v1/routers', {name: 'R', labels: 1,
    spec: {quota: {pids: 0, pool_slots: 'x'}, vnics: [{nam: 'a', mtu: 1}]}});
  expectProblem(answer, 422, 'invalid');
  assert.deepEqual(answer.json.errors.map((e) => e.pointer).sort(),
    ['/labels', '/name', '/spec/quota/pids', '/spec/quota/pool_slots',
      '/spec/vnics/0/mtu', '/spec/vnics/0/nam', '/spec/vnics/0/name']);
});

test('a misspelt member is answered with the right one', {skip}, async () => {
  const answer = await request('POST', '/v1/routers',
    {name: 'r2', spec: {quota: {cpu_milis: 5}}});
  assert.match(answer.json.errors[0].detail, /did you mean "cpu_millis"/);
});

// Bytes as they are; resolves with what came back when the node hangs up.
function raw(text, patience = 14000) {
  return new Promise((done, failed) => {
    const s = net.connect(socketPath, () => s.write(text));
    let got = '';
    s.on('data', (d) => { got += d; });
    s.on('error', () => done(got));
    s.on('close', () => done(got));
    setTimeout(() => { s.destroy(); failed(new Error(`still open: ${got}`)); },
      patience).unref();
  });
}

test('what is not HTTP is hung up on, and the node lives', {skip}, async () => {
  for (const text of ['\0\0\0\0\r\n\r\n', 'GET\r\n\r\n', 'GET /v1 HTTP/9.9\r\n\r\n',
    'GET /v1 HTTP/1.1\r\n\r\n', `GET /${'a'.repeat(40000)} HTTP/1.1\r\n\r\n`,
    `GET /v1 HTTP/1.1\r\nX: ${'a'.repeat(40000)}\r\n\r\n`]) {
    const got = await raw(text);
    assert.match(got, /^(HTTP\/1\.1 (400|414|431|505) .*)?$/s, text.slice(0, 40));
  }
  assert.equal((await request('GET', '/healthz')).status, 200);
});

test('half a request is ended within its time', {skip}, async () => {
  const started = Date.now();
  await raw('POST /v1/routers HTTP/1.1\r\nHost: e\r\nContent-Length: 9\r\n\r\n{');
  assert.ok(Date.now() - started < 12000);
});
