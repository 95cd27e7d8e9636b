// SPDX-License-Identifier: Apache-2.0
// shares: what the tokens of one project have open is a part of what there is,
// so that another one's, and the node's own, have the rest.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {bearer, empty, must, reset, skip, socketPath} from './client.mjs';

const open = [];

before(async () => { if (!skip) await reset(); });
after(async () => {
  for (const rq of open) rq.destroy();
  if (!skip) await empty();
});

// Something that goes on: its status; it stays open.
function begin(path, headers = {}) {
  return new Promise((done, failed) => {
    const rq = http.request({socketPath, path, agent: false, headers});
    open.push(rq);
    rq.on('response', (rs) => {
      rs.on('error', () => {});
      rs.resume();
      done(rs.statusCode);
    });
    rq.on('error', failed);
    rq.end();
  });
}

const times = async (n, path, headers) => {
  const all = [];
  for (let i = 0; i < n; i++) all.push(await begin(path(i), headers));
  return all;
};

test('a project has a part of the logs, and of the readers of events', {skip}, async () => {
  const roles = {};
  for (const name of ['blue', 'red']) {
    await must('POST', '/v1/projects', {name});
    for (const r of ['a', 'b'])
      await must('POST', `/v1/routers?project=${name}`, {name: r, spec: {power: 'stopped'}});
    roles[name] = 'viewer';
  }
  const one = await bearer('one', roles), two = await bearer('two', roles);
  const log = (of) => (i) => `/v1/routers/${'ab'[i % 2]}/logs?follow=1&project=${of}`;
  assert.deepEqual(await times(12, log('blue'), one), Array(12).fill(200));
  assert.deepEqual(await times(1, log('blue'), two), [503]);
  assert.deepEqual(await times(1, log('red'), two), [200]);
  assert.deepEqual(await times(1, log('blue')), [200], 'the socket');

  for (const rq of open.splice(0)) rq.destroy();
  const events = (of) => () => `/v1/events?project=${of}`;
  assert.deepEqual(await times(8, events('blue'), one), Array(8).fill(200));
  assert.deepEqual(await times(8, events('blue'), two), Array(8).fill(200));
  const three = await bearer('three', roles);
  assert.deepEqual(await times(1, events('blue'), three), [503]);
  assert.deepEqual(await times(16, events('red'), three), Array(16).fill(200));
  const four = await bearer('four', {default: 'viewer'});
  assert.deepEqual(await times(16, events('default'), four), Array(16).fill(200));
  await must('POST', '/v1/projects', {name: 'green'});
  const five = await bearer('five', {green: 'viewer'});
  assert.deepEqual(await times(1, events('green'), five), [503]);
  assert.deepEqual(await times(1, events('default')), [200], 'the socket');
});

test('tokens of many projects leave some of the logs to the socket', {skip}, async () => {
  for (const rq of open.splice(0)) rq.destroy();
  const roles = {}, names = ['c1', 'c2', 'c3', 'c4'];
  for (const name of names) {
    await must('POST', '/v1/projects', {name});
    for (const r of ['a', 'b'])
      await must('POST', `/v1/routers?project=${name}`, {name: r, spec: {power: 'stopped'}});
    roles[name] = 'viewer';
  }
  const token = await bearer('many', roles);
  const log = (of) => (i) => `/v1/routers/${'ab'[i % 2]}/logs?follow=1&project=${of}`;
  // root's are not the project's
  assert.deepEqual(await times(2, log('c1')), [200, 200]);
  for (const name of names.slice(0, 3))
    assert.deepEqual(await times(12, log(name), token), Array(12).fill(200), name);
  assert.deepEqual(await times(1, log('c4'), token), [503]);
  assert.deepEqual(await times(10, log('c4')), Array(10).fill(200), 'the socket');
  assert.deepEqual(await times(1, log('c4')), [503], 'all 48');
});
