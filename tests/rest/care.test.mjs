// SPDX-License-Identifier: Apache-2.0
// care: what the node does for a router without being asked: it is started again
// or not, its faults are kept, it is protected, and ends with its lease.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {dataplane, empty, must, request, reset, skip, until} from './client.mjs';

const at = '/v1/routers/care';
const skipFake = skip || (process.env.EUROPA_FAKE_INIT ? false :
  'containers are real: their processes are not ours to end');

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

const get = async () => (await must('GET', at)).json;
const make = (spec) =>
  must('POST', '/v1/routers', {name: 'care', spec: {dataplane, ...spec}});

// Ends the process that stands for the container; returns its pid.
async function kill(signal = 'SIGKILL') {
  const pid = (await get()).status.container.init_pid;
  process.kill(pid, signal);
  return pid;
}

async function state(wanted) {
  return until(async () => {
    const r = await get();
    assert.equal(r.status.state, wanted);
    return r;
  });
}

async function anotherThan(pid) {
  return until(async () => {
    const r = await get();
    assert.notEqual(r.status.container.init_pid, pid);
    assert.notEqual(r.status.container.init_pid, 0);
    return r;
  });
}

test('every default is filled in', {skip}, async () => {
  const {json} = await make({});
  assert.deepEqual(json.spec.restart_policy, {mode: 'always', max_per_hour: 0});
  assert.equal(json.spec.protected, false);
  assert.equal(json.spec.lease, null);
  assert.equal(json.status.lease, null);
  assert.deepEqual(json.status.faults, []);
  await must('DELETE', at);
});

test('always: it comes back, and the fault is kept', {skip: skipFake}, async () => {
  await make({});
  const {status} = await anotherThan(await kill());
  const [fault] = status.faults;
  assert.equal(fault.what, 'container-ended');
  assert.equal(fault.count, 1);
  assert.equal(fault.exit_code, null);
  // kernels before 6.15 do not tell who is not the parent
  if (fault.signal !== null) assert.equal(fault.signal, 9);
  assert.match(fault.detail, /^the container ended by itself: /);
  await must('DELETE', at);
});

test('never: it stays down until somebody wants it', {skip: skipFake}, async () => {
  await make({restart_policy: {mode: 'never'}});
  await kill();
  const {status} = await state('failed');
  assert.match(status.problem.detail, /restart_policy does not start it again/);
  assert.match(status.problem.remedy, /power/);
  await must('PUT', `${at}/power`, {desired: 'running'});
  assert.notEqual((await get()).status.container.init_pid, 0);
  await must('DELETE', at);
});

test('on-failure: a clean end is none', {skip: skipFake}, async () => {
  await make({restart_policy: {mode: 'on-failure'}});
  const pid = await kill('SIGTERM');
  const fault = await until(async () => {
    const f = (await get()).status.faults.find((x) => x.what === 'container-ended');
    assert.ok(f);
    return f;
  });
  if (fault.exit_code === null) // an older kernel: taken for a failure
    await anotherThan(pid);
  else
    assert.match((await state('failed')).status.problem.detail, /exit code 0/);
  await must('PUT', `${at}/power`, {desired: 'running'});
  await anotherThan(await kill('SIGKILL'));
  await must('DELETE', at);
});

test('max_per_hour: the third end in an hour is the last', {skip: skipFake}, async () => {
  await make({restart_policy: {max_per_hour: 2}});
  await anotherThan(await kill());
  await anotherThan(await kill());
  await kill();
  const {status} = await state('failed');
  assert.match(status.problem.detail, /ended 3 times within an hour/);
  await must('DELETE', at);
});

test('protected: 409 until it is not', {skip}, async () => {
  await make({protected: true});
  for (const query of ['', '?dry_run=true']) {
    const answer = await request('DELETE', at + query);
    assert.equal(answer.status, 409, answer.text);
    assert.equal(answer.json.code, 'protected');
  }
  const lease = await request('PATCH', at, {spec: {lease: {seconds: 9}}});
  assert.equal(lease.status, 422, lease.text);
  assert.equal(lease.json.errors[0].pointer, '/spec/lease/on_expiry');
  await must('PATCH', at, {spec: {protected: false}});
  await must('DELETE', at);
});

test('a lease that ends deletes its router', {skip}, async () => {
  const {json} = await make({power: 'stopped', lease: {seconds: 3}});
  assert.deepEqual(json.spec.lease, {seconds: 3, on_expiry: 'delete'});
  assert.ok(json.status.lease.remaining_seconds <= 3);
  await until(async () =>
    assert.equal((await request('GET', at)).status, 404));
});

test('a lease that ends stops its router, once', {skip}, async () => {
  await make({lease: {seconds: 1, on_expiry: 'stop'}});
  const r = await state('stopped');
  assert.equal(r.spec.power, 'stopped');
  assert.equal(r.spec.lease, null);
  assert.equal(r.status.lease, null);
  // what the node changes in a wish is heard of as what others change
  const {text} = await must('GET', '/v1/events?follow=false', undefined,
    {Accept: 'application/x-ndjson'});
  const heard = text.split('\n').filter((l) => l.includes(r.uid)).map((l) => JSON.parse(l));
  assert.deepEqual(heard.filter((e) => e.type === 'router.changed').map((e) => e.generation),
    [r.generation]);
  await must('PUT', `${at}/power`, {desired: 'running'});
  await must('DELETE', at);
});

test('a lease is renewed by naming it, and by nothing else', {skip}, async () => {
  const end = new Date(Date.now() + 3e6).toISOString().replace(/\.\d+Z/, 'Z');
  const {json} = await make({power: 'stopped', lease: {expires_at: end}});
  assert.equal(json.spec.lease.expires_at, end);
  const left = json.status.lease.remaining_seconds;
  assert.ok(left > 2900 && left <= 3000, `${left}`);
  const other = await must('PATCH', at, {labels: {a: 'b'}});
  assert.ok(other.json.status.lease.remaining_seconds <= left);
  const dry = await must('PATCH', `${at}?dry_run=true`, {spec: {lease: {seconds: 50}}});
  assert.equal(dry.json.spec.lease.seconds, 50);
  assert.ok((await get()).status.lease.remaining_seconds > 2800);
  const longer = await must('PATCH', at, {spec: {lease: {seconds: 9000}}});
  assert.deepEqual(longer.json.spec.lease, {seconds: 9000, on_expiry: 'delete'});
  assert.ok(longer.json.status.lease.remaining_seconds > 8900);
  const both = await request('PATCH', at,
    {spec: {lease: {seconds: 1, expires_at: end}}});
  assert.equal(both.status, 422, both.text);
  const none = await must('PATCH', at, {spec: {lease: null}});
  assert.equal(none.json.status.lease, null);
  await must('DELETE', at);
});
