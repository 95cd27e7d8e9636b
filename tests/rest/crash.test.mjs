// SPDX-License-Identifier: Apache-2.0
// crash: single cases of what tests/model finds by chance: changes that a europad
// which is started again, or a start of the router, has to be able to live with.
import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {after, before, test} from 'node:test';

import {dataplane, empty, killEuropad, must, pidFile, request, reset, skip,
  until}
  from './client.mjs';

const at = '/v1/routers/crash';
const state = process.env.EUROPA_STATE_DIR;
const skipKill = skip || (pidFile && state ? false : 'the node was not started here');

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

const get = async () => (await must('GET', at)).json;
const make = (spec) =>
  must('POST', '/v1/routers', {name: 'crash', spec: {dataplane, ...spec}});

test('what is stopped may get memory of another size', {skip}, async () => {
  await make({vnics: [{name: 'a'}]});
  await must('PUT', `${at}/power`, {desired: 'stopped'});
  for (const spec of [{quota: {pool_slots: 2048}}, {vnics: [{name: 'a', mtu: 4000}]}]) {
    assert.equal((await must('PATCH', at, {spec})).json.status.state, 'stopped');
    await must('PATCH', at, {labels: {a: 'b'}}); // whatever was late has come
    assert.equal((await get()).status.problem, undefined);
  }
  const {json} = await must('PUT', `${at}/power`, {desired: 'running'});
  assert.match(json.status.state, /^(running|degraded)$/);
  await must('DELETE', at);
});

test('limits that the last europad did not set are set', {skip: skipKill}, async () => {
  const {json} = await make({});
  const file = `${state}/containers/${json.uid}/fake`;
  const has = (text) => assert.match(readFileSync(file, 'utf8'), text);
  await must('PATCH', at, {spec: {quota: {disk_bytes: '24MiB'}}});
  has(/^disk-bytes 25165824$/m);
  // as if it had been killed in between
  writeFileSync(file, readFileSync(file, 'utf8')
    .replace('disk-bytes 25165824', 'disk-bytes 16777216'));
  await killEuropad();
  await until(() => has(/^disk-bytes 25165824$/m));
  await until(async () => assert.equal(
    (await must('GET', `${at}/quota`)).json.effective?.disk_bytes, 25165824));
  await must('DELETE', at);
});

test('limits of a paused router are in force when it is said', {skip}, async () => {
  await make({power: 'paused'});
  const {json} = await must('PATCH', `${at}/quota`, {limit: {pids: 77}});
  assert.equal(json.effective.pids, 77);
  await must('DELETE', at);
});

test('what could not be read again is refused', {skip}, async () => {
  await make({power: 'stopped'});
  const routes = await request('PUT', `${at}/routes`,
    {routes: [{prefix: '10.0.0.0/8', vnic: 'a'}]});
  assert.equal(routes.json.code, 'invalid', routes.text);
  const {json} = await must('POST', `${at}/vnics`, {name: 'a'});
  const same = await request('PATCH', at, {spec: {vnics: [{name: 'a'},
    {name: 'b', mac: json.spec.vnics[0].mac}]}});
  assert.equal(same.json.code, 'invalid', same.text);
  assert.equal(same.json.errors[0].pointer, '/spec/vnics/1/mac');
  await must('DELETE', at);
});

test('who leaves a segment leaves its address', {skip}, async () => {
  const addresses = ['198.18.3.1/24'];
  await make({power: 'stopped', vnics: [{name: 'a', addresses}]});
  await must('POST', '/v1/routers', {name: 'crash2', spec: {power: 'stopped',
    vnics: [{name: 'a', addresses}]}});
  await must('POST', '/v1/segments', {name: 's9', spec: {members: ['crash:a']}});
  const both = {spec: {members: ['crash:a', 'crash2:a']}};
  assert.equal((await request('PATCH', '/v1/segments/s9', both)).json.code, 'in-use');
  await must('PATCH', '/v1/segments/s9', {spec: {members: ['crash2:a']}});
  await must('DELETE', '/v1/segments/s9');
  for (const name of ['crash', 'crash2']) await must('DELETE', `/v1/routers/${name}`);
});

test('a folder of a router that is gone goes', {skip: skipKill}, async () => {
  const uid = '01900000-0000-7000-8000-000000000000';
  const folders = [`${state}/routers/${uid}`, `${state}/../run/r/${uid}`];
  for (const dir of folders) mkdirSync(dir);
  await killEuropad();
  for (const dir of folders) assert.ok(!existsSync(dir), dir);
});
