// SPDX-License-Identifier: Apache-2.0
// reused: a project that is made anew under the name of one that is gone has
// nothing of it, and nobody who was in that one hears of it.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {bearer, empty, must, request, reset, skip, socketPath, until} from './client.mjs';

const blue = '?project=blue';

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

function listen(headers) {
  const reader = {text: '', ended: false};
  return new Promise((done, failed) => {
    const rq = http.request({socketPath, path: `/v1/events${blue}`, agent: false, headers});
    rq.on('error', failed);
    rq.on('response', (rs) => {
      assert.equal(rs.statusCode, 200);
      rs.setEncoding('utf8');
      rs.on('data', (d) => { reader.text += d; done(reader); });
      rs.on('error', () => {});
      rs.on('close', () => { reader.ended = true; });
    });
    rq.end();
  });
}

const segment = (name) => must('POST', `/v1/segments${blue}`,
  {name, spec: {members: ['r8:a', 'r9:a']}});

test('events and the trail are not those of the old project', {skip}, async () => {
  const {uid} = (await must('POST', '/v1/projects', {name: 'blue'})).json;
  const before = await listen(await bearer('before', {blue: 'admin'}));
  await segment('secret');
  await until(() => assert.match(before.text, /"name":"secret"/));
  const id = before.text.match(/^id: (.*)$/m)[1];
  await must('DELETE', `/v1/segments/secret${blue}`);
  await must('DELETE', '/v1/projects/blue');
  await must('POST', '/v1/projects', {name: 'blue'});
  await segment('new');
  await until(() => assert.ok(before.ended));
  assert.doesNotMatch(before.text, /"name":"new"/);

  const now = await bearer('now', {blue: 'admin'});
  for (const more of [{}, {'Last-Event-ID': id.replace(/\d+$/, '1')}]) {
    const {text} = await request('GET', `/v1/events${blue}&follow=false`,
      undefined, {...now, ...more});
    assert.match(text, /"name":"new"/);
    assert.doesNotMatch(text, /secret/);
  }
  const mine = await request('GET', `/v1/audit${blue}`, undefined, now);
  assert.deepEqual(mine.json.items.map((x) => x.path), ['/v1/segments']);
  const all = (await must('GET', '/v1/audit?limit=20')).json.items;
  assert.deepEqual(all.filter((x) => x.project === `blue (${uid})`)
    .map((x) => `${x.method} ${x.path}`),
  ['DELETE /v1/segments/secret', 'POST /v1/segments']);
});
