// SPDX-License-Identifier: Apache-2.0
// files: bytes go into a router's disk and come back as they were; whatever else a
// path leads to is no file.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {empty, must, octets, request, reset, skip, socketPath, until} from './client.mjs';

const at = (path) => `/v1/routers/r1/files?path=${encodeURIComponent(path)}`;
const put = (path, bytes) => request('PUT', at(path), bytes, octets);

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

async function sh(script) {
  const {text} = await must('POST', '/v1/routers/r1/exec', {argv: ['sh', '-c', script]});
  const lines = text.trimEnd().split('\n').map((l) => JSON.parse(l));
  assert.equal(lines.at(-1).exit_code, 0, text);
  return lines.map((l) => l.stdout ?? '').join('');
}

function read(path) {
  return new Promise((done, failed) => {
    http.get({socketPath, path: at(path), agent: false}, (rs) => {
      const all = [];
      rs.on('data', (c) => all.push(c));
      rs.on('error', failed);
      rs.on('end', () => done({status: rs.statusCode, headers: rs.headers,
        bytes: Buffer.concat(all)}));
    }).on('error', failed);
  });
}

// Where the files of fake containers lie.
const root = (process.env.EUROPA_FAKE_INIT ?? '').match(/--root (\S+)/)?.[1] ?? '';

test('bytes come back as they were', {skip}, async () => {
  for (const n of [0, 1, 8192, 8193, 65536, 1 << 20]) {
    const bytes = Buffer.alloc(n);
    for (let i = 0; i < n; i++) bytes[i] = (i * 7 + (i >> 8)) & 255;
    assert.equal((await put('/var/bytes', bytes)).status, 204);
    const back = await read('/var/bytes');
    assert.equal(back.status, 200);
    assert.equal(back.headers['content-type'], 'application/octet-stream');
    assert.ok(back.bytes.equals(bytes), `${n} bytes`);
  }
  // a client that goes on for long may see no more than the end of it
  const much = await put('/var/bytes', Buffer.alloc((1 << 20) + 1)).catch((e) => e);
  assert.ok(much.status === 413 || ['EPIPE', 'ECONNRESET'].includes(much.code), `${much}`);
  assert.equal((await read('/var/bytes')).bytes.length, 1 << 20);
  await sh(`rm ${root}/var/bytes`);
});

test('who writes a file may say which content he has read', {skip}, async () => {
  const write = (bytes, tag, query = '') => request('PUT', at('/var/tagged') + query, bytes,
    {...octets, ...(tag ? {'If-Match': tag} : {})});
  const tag = async () => (await read('/var/tagged')).headers.etag;
  const none = await write('no', '*');
  assert.equal(none.status, 412, none.text);
  assert.equal(none.json.etag, undefined);
  const made = await write('one');
  assert.equal(made.status, 204);
  assert.match(made.headers.etag, /^"[0-9a-f-]+"$/);
  assert.equal(await tag(), made.headers.etag);
  assert.equal(await tag(), made.headers.etag);
  assert.equal((await request('HEAD', at('/var/tagged'))).headers.etag, made.headers.etag);
  const dry = await write('dry', made.headers.etag, '&dry_run=true');
  assert.equal(dry.status, 204, dry.text);
  assert.equal(await tag(), made.headers.etag);
  const two = await write('two', made.headers.etag);
  assert.equal(two.status, 204, two.text);
  assert.notEqual(two.headers.etag, made.headers.etag);
  for (const query of ['', '&dry_run=true']) {
    const stale = await write('three', made.headers.etag, query);
    assert.equal(stale.status, 412, stale.text);
    assert.equal(stale.json.code, 'stale');
    assert.equal(`"${stale.json.etag}"`, two.headers.etag);
    assert.equal(stale.json.changed, null);
  }
  assert.equal((await read('/var/tagged')).bytes.toString(), 'two');
  // what is done in the container counts, and what is no tag of ours is none
  await sh(`echo more >> ${root}/var/tagged`);
  assert.equal((await write('four', two.headers.etag)).status, 412);
  for (const odd of ['"x"', '"any"', '"="', `"${'a'.repeat(300)}"`, `${two.headers.etag.slice(0, -1)}x"`])
    assert.equal((await write('five', odd)).status, 412, odd);
  assert.equal((await write('six', '*')).status, 204);
  // of many who have read the same one alone is first
  const last = await tag();
  const patient = (i) => until(async () => {
    const answer = await write(`w${i}`, last);
    assert.notEqual(answer.status, 503, answer.text); // a place in its init is free
    return answer;
  });
  const answers = await Promise.all([0, 1, 2, 3].map(patient));
  assert.deepEqual(answers.map((a) => a.status).sort(), [204, 412, 412, 412]);
  const won = answers.findIndex((a) => a.status === 204);
  const end = await read('/var/tagged');
  assert.equal(end.bytes.toString(), `w${won}`);
  assert.equal(end.headers.etag, answers[won].headers.etag);
  await sh(`rm ${root}/var/tagged`);
  assert.equal((await sh(`ls -a ${root}/var | grep -c europa- || true`)), '0\n');
});

test('a mode is kept, and nothing is left beside', {skip}, async () => {
  await put('/var/run-me', '#!/bin/sh\n');
  assert.equal(await sh(`stat -c %a ${root}/var/run-me`), '644\n');
  await sh(`chmod 750 ${root}/var/run-me`);
  await put('/var/run-me', '#!/bin/sh\necho\n');
  assert.equal(await sh(`stat -c %a ${root}/var/run-me`), '750\n');
  assert.equal(await sh(`ls -a ${root}/var | grep -c europa- || true`), '0\n');
  await sh(`rm ${root}/var/run-me`);
});

test('what is no regular file of the disk is refused', {skip}, async () => {
  const v = `${root}/var`;
  await sh(`mkdir -p ${v}/d; mkfifo ${v}/fifo; ln -s loop ${v}/loop; ` +
    `ln -s /proc/version ${v}/proc; ln -s /dev/zero ${v}/zero; ` +
    `ln -s ../../../../../../../etc/shadow ${v}/out; ln -s motd ${v}/link`);
  for (const [path, status] of [
    ['/var/nope', 404], ['/var/d', 422], ['/var/fifo', 422], ['/var/loop', 422],
    ['/var/motd/x', 422], ['/var/d/', 422], ['/', 422],
  ]) {
    const answer = await request('GET', at(path));
    assert.equal(answer.status, status, `GET ${path} ${answer.text}`);
    assert.ok(answer.json.remedy);
  }
  for (const path of ['/var/proc', '/var/zero', '/var/out', '/proc/self/root/etc/shadow',
    '/../../etc/shadow', '/proc/kcore', '/sys/kernel/notes'])
    assert.ok([404, 422].includes((await request('GET', at(path))).status), path);
  for (const [path, status] of [
    ['/var/d', 422], ['/var/fifo', 422], ['/var/link', 422], ['/var/nope/x', 404],
    ['/var/..', 422], ['/var/.', 422], ['/var/d/', 422], ['/', 422],
    ['/var/motd/x', 422],
  ])
    assert.equal((await put(path, 'x')).status, status, `PUT ${path}`);
  // a link is followed where it is read, and stays what it is
  assert.equal((await read('/var/link')).bytes.toString(), 'hello\n');
  await sh(`rm -r ${v}/d ${v}/fifo ${v}/loop ${v}/proc ${v}/zero ${v}/out ${v}/link`);
});

test('queries and bodies that are none', {skip}, async () => {
  for (const query of ['', '?path=', '?path=var/motd', '?path=/a&path=/b', '?path=%00',
    `?path=/${'a'.repeat(300)}`]) {
    const answer = await request('GET', `/v1/routers/r1/files${query}`);
    assert.equal(answer.status, 400, query);
  }
  const json = await request('PUT', at('/var/motd'), {a: 1});
  assert.equal(json.status, 415);
  const dry = await request('PUT', `${at('/var/dry')}&dry_run=true`, 'x', octets);
  assert.equal(dry.status, 204);
  assert.equal((await request('GET', at('/var/dry'))).status, 404);
});

test('a router that does not run has no files', {skip}, async () => {
  await must('PUT', '/v1/routers/r1/power', {desired: 'stopped'});
  assert.equal((await request('GET', at('/var/motd'))).status, 409);
  assert.equal((await put('/var/motd', 'x')).status, 409);
  await must('PUT', '/v1/routers/r1/power', {desired: 'running'});
});
