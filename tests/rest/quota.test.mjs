// SPDX-License-Identifier: Apache-2.0
// quota: what a router may have and what it uses, where it is not traffic. Fake
// containers use what a file says.
import assert from 'node:assert/strict';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {after, before, test} from 'node:test';

import {dataplane, empty, killEuropad, must, pidFile, request, reset, skip, until}
  from './client.mjs';

const state = process.env.EUROPA_STATE_DIR;
const skipFake = skip || (state ? false : 'the node was not started here');
const at = '/v1/routers/q1';
const quota = async () => (await must('GET', `${at}/quota`)).json;
let file;

const uses = ({cpu = 1e9, mem = 4096, pids = 3, disk = 0} = {}) =>
  writeFileSync(file, `${cpu} ${mem} ${pids} ${disk}\n`);

before(async () => {
  if (skip) return;
  await reset();
  const {json} = await must('POST', '/v1/routers',
    {name: 'q1', spec: {dataplane, vnics: [{name: 'a'}, {name: 'b'}]}});
  file = `${state}/containers/${json.uid}/use`;
});
after(async () => { if (!skip) await empty(); });

const ofContainer = ({cpu_usec, mem_bytes, pids, disk_bytes, vnics}) =>
  [cpu_usec, mem_bytes, pids, disk_bytes, vnics];

test('what the container uses is told while it runs', {skip: skipFake}, async () => {
  assert.deepEqual(ofContainer((await quota()).usage), [null, null, null, null, 2]);
  uses({cpu: 7654321, mem: 123456789, pids: 12, disk: 8192});
  assert.deepEqual(ofContainer((await quota()).usage), [7654, 123456789, 12, 8192, 2]);
  await must('PUT', `${at}/power`, {desired: 'paused'});
  assert.equal((await quota()).usage.pids, 12);
  await must('PUT', `${at}/power`, {desired: 'stopped'});
  const {usage} = await quota();
  assert.deepEqual(ofContainer(usage), [null, null, null, null, 2]);
  assert.equal(usage.cpu_millis, null);
  await must('PUT', `${at}/power`, {desired: 'running'});
});

test('time on cores is a mean of the window', {skip: skipFake}, async () => {
  uses({cpu: 1e9});
  await quota();
  await until(async () => { // both ends of a window have seen this file
    const {usage} = await quota();
    assert.equal(usage.cpu_millis, 0);
    assert.equal(usage.cpu_usec, 1e6);
  });
  uses({cpu: 3e9});
  await until(async () => {
    const {usage} = await quota();
    assert.equal(usage.cpu_usec, 3e6);
    assert.ok(usage.window_ms >= 200);
    // 2 s in one window, of whatever length
    assert.ok(Math.abs(usage.cpu_millis - 2e6 / usage.window_ms) <= 1,
      JSON.stringify(usage));
  });
  rmSync(file);
  await until(async () => assert.equal((await quota()).usage.cpu_millis, null));
});

test('there are no more vNICs than vnics_max, and it is no less than there are', {skip}, async () => {
  const patch = (limit) => request('PATCH', `${at}/quota`, {limit});
  const refused = (answer, pointer, wanted, best) => {
    assert.equal(answer.status, 409, answer.text);
    assert.equal(answer.json.code, 'quota-exceeded');
    assert.equal(answer.json.errors[0].pointer, pointer);
    assert.deepEqual([answer.json.wanted, answer.json.best], [wanted, best]);
  };
  assert.equal((await quota()).limit.vnics_max, 32);
  const {json} = await must('PATCH', `${at}/quota`, {limit: {vnics_max: 2}});
  assert.deepEqual([json.limit.vnics_max, json.effective.vnics_max], [2, 2]);
  refused(await request('POST', `${at}/vnics`, {name: 'c'}), '/spec/vnics',
    {vnics: 3}, {vnics: 2});
  refused(await patch({vnics_max: 1}), '/spec/quota/vnics_max',
    {vnics_max: 1}, {vnics_max: 2});
  assert.equal((await quota()).limit.vnics_max, 2);
  refused(await request('POST', '/v1/routers', {name: 'q2', spec: {power: 'stopped',
    quota: {vnics_max: 1}, vnics: [{name: 'a'}, {name: 'b'}]}}), '/spec/vnics',
  {vnics: 2}, {vnics: 1});
  await must('DELETE', `${at}/vnics/b`);
  await must('POST', `${at}/vnics`, {name: 'c'});
  await must('PATCH', `${at}/quota`, {limit: {vnics_max: 3}});
  await must('POST', `${at}/vnics`, {name: 'b'});
  assert.equal((await quota()).usage.vnics, 3);
});

test('the disk is changed while it runs, not below what is there', {skip: skipFake}, async () => {
  const MIB = 2 ** 20;
  uses({disk: 5 * MIB});
  for (const size of [24 * MIB, 6 * MIB, 5 * MIB]) {
    const {json} = await must('PATCH', `${at}/quota`, {limit: {disk_bytes: size}});
    assert.equal(json.effective.disk_bytes, size);
  }
  const answer = await request('PATCH', `${at}/quota`, {limit: {disk_bytes: '4MiB'}});
  assert.equal(answer.status, 409, answer.text);
  assert.equal(answer.json.code, 'quota-exceeded');
  assert.equal(answer.json.errors[0].pointer, '/spec/quota/disk_bytes');
  assert.deepEqual([answer.json.wanted, answer.json.best],
    [{disk_bytes: 4 * MIB}, {disk_bytes: 5 * MIB}]);
  assert.equal((await quota()).limit.disk_bytes, 5 * MIB);
});

test('a node promises as much as its configuration says', {skip: skipFake || !pidFile}, async () => {
  const conf = `${state}/../europa.conf`;
  const was = readFileSync(conf, 'utf8');
  const {limits} = (await must('GET', '/v1')).json;
  assert.equal(limits.cpu_millis, 0);
  await must('PATCH', `${at}/quota`, {limit: {cpu_millis: 1000000}});
  writeFileSync(conf, was.replace('[agent]\n',
    '[agent]\nmem_overcommit = 200\ncpu_overcommit = 300\nrouter_cpus = 0\n'));
  try {
    await killEuropad();
    const now = (await must('GET', '/v1')).json.limits;
    assert.equal(now.mem_bytes, 2 * limits.mem_bytes);
    assert.equal(now.cpu_millis, 3000);
    // what is there stays, and may become less
    await must('PATCH', `${at}/quota`, {limit: {cpu_millis: 400000}});
    await must('PATCH', `${at}/quota`, {limit: {cpu_millis: 700}});
    const more = (cpu_millis) => request('POST', '/v1/routers?dry_run=true',
      {name: 'q2', spec: {power: 'stopped', quota: {cpu_millis}}});
    assert.equal((await more(1300)).status, 200); // r1 has 1000
    const full = await more(1301);
    assert.equal(full.status, 507, full.text);
    assert.deepEqual([full.json.code, full.json.wanted, full.json.best],
      ['no-cpu', 1301, 1300]);
  } finally {
    writeFileSync(conf, was);
    await killEuropad();
  }
  assert.deepEqual((await must('GET', '/v1')).json.limits, limits);
});

test('a router runs on the cores that its quota names', {skip: skipFake}, async () => {
  const set = async (cpu_set) =>
    (await must('PATCH', `${at}/quota`, {limit: {cpu_set}})).json.effective.cpu_set;
  const fake = () => readFileSync(file.replace(/use$/, 'fake'), 'utf8');
  assert.equal(await set('0'), '0');
  assert.match(fake(), /^cpus 0$/m);
  const {placement} = (await must('GET', '/v1/nodes/local')).json.status;
  assert.equal(placement.find((p) => p.router === 'q1').cpus, '0');
  assert.equal(await set(null), '');
  assert.match(fake(), /^cpus 0-7$/m); // all that there are
  for (const [cpu_set, words] of [['0,1023', /not on all of 0,1023/], ['1-', /list of cores/],
    ['0 1', /list of cores/], ['1024', /list of cores/]]) {
    const answer = await request('PATCH', `${at}/quota`, {limit: {cpu_set}});
    assert.equal(answer.status, 422, answer.text);
    assert.match(answer.json.errors[0].pointer, /\/cpu_set$/);
    assert.match(answer.json.errors[0].detail, words);
  }
});
