// SPDX-License-Identifier: Apache-2.0
// revoked: what goes on for a token, events, a log, a command, a console, ends
// soon after the token does; what others have open goes on.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {bearer, empty, must, reset, skip, socketPath, until} from './client.mjs';

const upgrade = {Connection: 'Upgrade', Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='};
const command = {argv: ['sh', '-c', 'echo here; sleep 60']};

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

// Something that goes on; it has begun when this has come back.
function open(method, path, headers, body) {
  return new Promise((done, failed) => {
    const open = {ended: false};
    const goes = (status, socket) => {
      open.status = status;
      socket.on('data', () => {});
      socket.on('error', () => {});
      socket.on('close', () => { open.ended = true; });
      open.close = () => socket.destroy();
      done(open);
    };
    const rq = http.request({socketPath, method, path, agent: false,
      headers: {...headers, ...(body ? {'Content-Type': 'application/json'} : {})}});
    rq.on('response', (rs) => goes(rs.statusCode, rs));
    rq.on('upgrade', (rs, socket) => goes(rs.statusCode, socket));
    rq.on('error', failed);
    rq.end(body && JSON.stringify(body));
  });
}

const all = (headers) => Promise.all([
  open('GET', '/v1/events', headers),
  open('GET', '/v1/routers/r1/logs?follow=1', headers),
  open('POST', '/v1/routers/r1/exec', headers, command),
  open('GET', '/v1/routers/r1/console', {...headers, ...upgrade})]);

const end = (list) => until(() => assert.deepEqual(list.map((o) => o.ended),
  list.map(() => true)));

for (const [what, stop] of [
  ['is deleted', () => must('DELETE', '/v1/tokens/over')],
  ['has other roles', () => must('PATCH', '/v1/tokens/over',
    {spec: {roles: {default: 'viewer'}}})],
  ['expires', async () => {
    await must('PATCH', '/v1/tokens/over',
      {spec: {expires: new Date(Date.now() + 5000).toISOString().replace(/\.\d+/, '')}});
    await until(async () =>
      assert.ok((await must('GET', '/v1/tokens/over')).json.status.expired), 20);
  }],
]) {
  test(`all that is open ends when its token ${what}`, {skip}, async () => {
    const others = await all(await bearer('other', {default: 'operator'}));
    const mine = await all(await bearer('over', {default: 'operator'}));
    assert.deepEqual([...mine, ...others].map((o) => o.status),
      [200, 200, 200, 101, 200, 200, 200, 101]);
    // it is not the change as such
    await must('PATCH', '/v1/tokens/other', {labels: {a: 'b'},
      spec: {expires: '2099-01-01T00:00:00Z'}});
    await stop();
    await end(mine);
    assert.deepEqual(others.map((o) => o.ended), [false, false, false, false]);
    for (const o of others) o.close();
    await must('DELETE', '/v1/tokens/other');
    if (what !== 'is deleted') await must('DELETE', '/v1/tokens/over');
  });
}

test('a token that deletes itself has its answer', {skip}, async () => {
  const headers = await bearer('self', {default: 'admin'});
  await must('DELETE', '/v1/tokens/self', undefined, headers);
});
