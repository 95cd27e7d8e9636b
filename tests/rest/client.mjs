// SPDX-License-Identifier: Apache-2.0
// client: requests over the unix socket that EUROPA_SOCKET names, and a node in
// the state that the examples of openapi.yaml speak of.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import http from 'node:http';
import https from 'node:https';

export const socketPath = process.env.EUROPA_SOCKET;
export const skip = socketPath ? false : 'EUROPA_SOCKET names no node';

// body: undefined, a string or Buffer as it is, or a value to be sent as JSON.
// where: {host, port} instead of the socket, with rejectUnauthorized for TLS.
export function request(method, path, body, headers = {}, where = {socketPath}) {
  const raw = body === undefined || typeof body === 'string' ||
    Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const all = {...headers};
  if (raw !== undefined) {
    if (!all['Transfer-Encoding'])
      all['Content-Length'] ??= Buffer.byteLength(raw);
    all['Content-Type'] ??= 'application/json';
  }
  return new Promise((done, failed) => {
    const rq = ('rejectUnauthorized' in where ? https : http).request({...where, method, path, headers: all, agent: false},
      (rs) => {
        const chunks = [];
        rs.on('data', (c) => chunks.push(c));
        rs.on('error', failed);
        rs.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          let json;
          try { json = JSON.parse(text); } catch { /* then it is none */ }
          done({status: rs.statusCode, headers: rs.headers, text, json});
        });
      });
    rq.setTimeout(30000, () => rq.destroy(new Error(`${method} ${path}: no answer`)));
    rq.on('error', failed);
    rq.end(raw);
  });
}

// A request that has to work.
export async function must(method, path, body, headers) {
  const a = await request(method, path, body, headers);
  assert.ok(a.status < 300, `${method} ${path}: ${a.status} ${a.text}`);
  return a;
}

// Waits until what() does not throw, and gives what it returned.
export async function until(what, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  for (let last; ; await new Promise((r) => setTimeout(r, 50))) {
    try {
      return await what();
    } catch (e) {
      last = e;
    }
    if (Date.now() > end) throw last;
  }
}

// Where containers are fake, the template's program is not in its place.
export const dataplane = process.env.EUROPA_TEST_DATAPLANE ?? '';

// Until that router runs and serves its socket: no answer waits longer than 3 s for
// such a program.
export async function comesToRun(name, query = '') {
  if (!dataplane) return;
  const path = `/v1/routers/${name}`;
  await until(async () => {
    assert.equal((await must('GET', path + query)).json.status.state, 'running');
    await must('GET', `${path}/neighbours${query}`); // 409 before
  }, 20);
}

// Of the europad of this run, which another one follows when it ends.
export const pidFile = process.env.EUROPA_PID_FILE;

// Until that one answers.
export async function killEuropad() {
  process.kill(Number(readFileSync(pidFile)), 'SIGKILL');
  await until(() => must('GET', '/readyz'), 20);
}

const ports = {
  p0: {devargs: 'net_null0,no-rx=1'},
  p1: {devargs: 'net_null1,no-rx=1'},
};

export const lua = {'Content-Type': 'text/x-lua'};
export const octets = {'Content-Type': 'application/octet-stream'};
export const lines = {'Content-Type': 'application/x-ndjson'};

// The shipped pipeline with a step that does nothing; each word another text.
export function pipeline(word) {
  return `-- author: rest
local pipeline = require "pipeline"
pipeline.steps:after("check_ip4", "${word}", function(tables, batch) end)
return pipeline
`;
}

// Every project but the default one, with what is in it; that one as it was.
export async function resetProjects() {
  for (const {name} of (await must('GET', '/v1/projects')).json.items) {
    if (name === 'default') continue;
    for (const kind of ['links', 'segments', 'routers', 'ports', 'tokens'])
      for (const o of (await must('GET', `/v1/${kind}?project=${name}`)).json.items)
        await must('DELETE', `/v1/${kind}/${o.name}?project=${name}`);
    await must('DELETE', `/v1/projects/${name}`);
  }
  await must('PATCH', '/v1/projects/default', {labels: null, spec: null});
  for (const {name} of (await must('GET', '/v1/tokens')).json.items)
    await must('DELETE', `/v1/tokens/${name}`);
}

// What a token of these roles sends.
export async function bearer(name, roles, project = 'default') {
  const {json} = await must('POST', `/v1/tokens?project=${project}`,
    {name, spec: {roles}});
  return {Authorization: `Bearer ${json.secret}`};
}

// As the examples want it: ports p0 and p1, the running router r1 with the vNIC
// lan on p0, revision 1 of its pipeline, the token t1, the link l1 and the segment
// s1 of routers that are not there, and nothing else.
export async function reset() {
  await resetProjects();
  await bearer('t1', {default: 'viewer'});
  const {items} = (await must('GET', '/v1/routers')).json;
  for (const r of items)
    if (r.name !== 'r1') await must('DELETE', `/v1/routers/${r.name}`);
  const there = (await must('GET', '/v1/ports')).json.items.map((p) => p.name);
  for (const name of Object.keys(ports))
    if (!there.includes(name))
      await must('POST', '/v1/ports', {name, spec: ports[name]});
  await must('PUT', '/v1/routers/r1', {spec: {dataplane, vnics: [
    {name: 'lan', attach: {port: 'p0'}, addresses: ['198.18.2.1/24']}]}});
  await comesToRun('r1');
  await must('PUT', '/v1/routers/r1/files?path=/var/motd', 'hello\n', octets);
  await cut();
  await must('POST', '/v1/links', {name: 'l1', spec: {ends: ['r8:a', 'r9:a']}});
  await must('POST', '/v1/segments', {name: 's1', spec: {members: ['r8:b', 'r9:b']}});
  for (const name of there)
    if (!ports[name]) await must('DELETE', `/v1/ports/${name}`);
  const {json} = await must('GET', '/v1/routers/r1/pipeline/revisions');
  if (json.items.length === 0)
    await must('PUT', '/v1/routers/r1/pipeline', pipeline('first'), lua);
}

// No links and no segments.
export async function cut() {
  for (const kind of ['links', 'segments'])
    for (const {name} of (await must('GET', `/v1/${kind}`)).json.items)
      await must('DELETE', `/v1/${kind}/${name}`);
}

// The node as it was: no routers, none of our ports.
export async function empty() {
  await resetProjects();
  await cut();
  for (const r of (await must('GET', '/v1/routers')).json.items)
    await must('DELETE', `/v1/routers/${r.name}`);
  for (const p of (await must('GET', '/v1/ports')).json.items)
    await must('DELETE', `/v1/ports/${p.name}`);
}
