// SPDX-License-Identifier: Apache-2.0
// logs: what a container writes is there for who asks and for who follows, also
// when the container has ended; who writes without end fills nothing.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {empty, must, request, reset, skip, socketPath, until} from './client.mjs';

const at = '/v1/routers/r1/logs';

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

// As init and what it starts do: the parent of a command is init.
async function write(script) {
  const {text} = await must('POST', '/v1/routers/r1/exec',
    {argv: ['sh', '-c', `{ ${script}; } >> /proc/$PPID/fd/2`]});
  assert.equal(JSON.parse(text.trimEnd().split('\n').at(-1)).exit_code, 0, text);
}

const logs = async () => (await must('GET', at)).text;
const has = (re) => until(async () => assert.match(await logs(), re));

function follow(query = '?follow=1') {
  return new Promise((done, failed) => {
    const rq = http.get({socketPath, path: at + query, agent: false}, (rs) => {
      const f = {rs, text: '', ended: false, close: () => rq.destroy()};
      rs.on('data', (c) => { f.text += c; });
      rs.on('end', () => { f.ended = true; });
      rs.on('error', () => {});
      done(f);
    });
    rq.on('error', failed);
  });
}

test('what is written is there', {skip}, async () => {
  await write('echo first word');
  await has(/first word\n/);
  const {headers} = await must('GET', at);
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal((await request('GET', `${at}?follow=perhaps`)).status, 400);
});

test('a follower hears what comes', {skip}, async () => {
  const f = await follow();
  assert.equal(f.rs.statusCode, 200);
  await until(() => assert.match(f.text, /first word/));
  await write('echo second word');
  await until(() => assert.match(f.text, /second word\n/));
  assert.ok(!f.ended);
  f.close();
  const g = await follow('?follow=true');
  await write('echo third word');
  await until(() => assert.match(g.text, /first word[^]*second word[^]*third word\n/));
  g.close();
});

test('it outlives the container', {skip}, async () => {
  await write('echo the last word');
  await has(/the last word/);
  const f = await follow();
  await must('PUT', '/v1/routers/r1/power', {desired: 'stopped'});
  assert.match(await logs(), /first word[^]*the last word/);
  await must('PUT', '/v1/routers/r1/power', {desired: 'running'});
  await write('echo a new life');
  await until(() => assert.match(f.text, /the last word[^]*a new life/));
  f.close();
});

test('who writes without end fills nothing and stalls nobody', {skip}, async () => {
  const slow = await follow();
  slow.rs.pause();
  await write('i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/zero | ' +
    'tr "\\0" x; echo; i=$((i+1)); done');
  await must('GET', '/v1/routers/r1');
  await has(/bytes of this log are lost\n/);
  const text = await logs();
  assert.ok(text.length <= 1 << 20, `${text.length} bytes`);
  slow.close();
  // what follows is there when its turn has come
  await until(async () => {
    await write('echo after the flood');
    assert.match(await logs(), /after the flood/);
  }, 40);
});

// init does not look meanwhile, and nothing comes afterwards.
test('a loss is said though nobody writes any more', {skip}, async () => {
  const lost = async () => (await logs()).match(/bytes of this log are lost\n/g)?.length ?? 0;
  const before = await lost();
  await write('kill -STOP $PPID; head -c 3000000 /dev/zero | tr "\\0" x; kill -CONT $PPID');
  await until(async () => assert.ok(await lost() > before), 40);
});

test('a router that is deleted ends who follows it', {skip}, async () => {
  await must('POST', '/v1/routers', {name: 'gone', spec: {power: 'stopped'}});
  const rq = http.get({socketPath, path: '/v1/routers/gone/logs?follow=1', agent: false});
  const rs = await new Promise((done, failed) => rq.on('response', done).on('error', failed));
  let ended = false;
  rs.on('end', () => { ended = true; });
  rs.resume();
  await must('DELETE', '/v1/routers/gone');
  await until(() => assert.ok(ended));
});
