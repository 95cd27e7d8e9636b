// SPDX-License-Identifier: Apache-2.0
// macs: MACs that a vNIC may use beside its own (allow_macs): kept as they are
// meant, changed while the router runs, and nobody else's.
import assert from 'node:assert/strict';
import {after, before, beforeEach, test} from 'node:test';

import {cut, dataplane, empty, killEuropad, must, pidFile, request, reset, skip}
  from './client.mjs';

const a = '/v1/routers/m1/vnics/a';
const vrrp = '00:00:5e:00:01:07';

async function allow(path, list) {
  return must('PATCH', path, {spec: {allow_macs: list}});
}

async function refused(method, path, body, code, pointer) {
  const {status, json, text} = await request(method, path, body);
  assert.deepEqual([status, json.code, json.errors[0].pointer],
    [code === 'invalid' ? 422 : 409, code, pointer], text);
  assert.ok(json.remedy || json.errors[0].detail, text);
}

async function notAllowed(list, code, at = '') {
  await refused('PATCH', a, {spec: {allow_macs: list}}, code,
    `/spec/vnics/0/allow_macs${at}`);
}

before(async () => {
  if (skip) return;
  await reset();
  await must('POST', '/v1/routers', {name: 'm1', spec: {dataplane, vnics: [
    {name: 'a', attach: {port: 'p0'}, mac: '0a:00:00:00:01:01'}]}});
  await must('POST', '/v1/routers', {name: 'm2', spec: {dataplane, vnics: [
    {name: 'a', attach: {port: 'p0'}, mac: '0a:00:00:00:02:01'},
    {name: 'b', attach: {port: 'p0', match: {vlan: 7}}, mac: '0a:00:00:00:02:02'},
    {name: 'free'}]}});
});
beforeEach(async () => {
  if (skip) return;
  await cut();
  await allow(a, null);
  await must('PATCH', '/v1/routers/m2/vnics/a', {spec: {allow_macs: null}});
});
after(async () => { if (!skip) await empty(); });

test('there are none, then some, then none again', {skip}, async () => {
  assert.deepEqual((await must('GET', a)).json.spec.allow_macs, []);
  const {json} = await allow(a, ['00:00:5E:00:01:0F', '02:00:00:00:00:01']);
  assert.deepEqual(json.spec.allow_macs, ['00:00:5e:00:01:0f', '02:00:00:00:00:01']);
  assert.equal(json.status.attached, true);
  const router = (await must('GET', '/v1/routers/m1')).json;
  assert.deepEqual(router.spec.vnics[0].allow_macs, json.spec.allow_macs);
  // what GET returned can be put
  await must('PUT', '/v1/routers/m1', router);
  assert.deepEqual((await must('GET', a)).json.spec.allow_macs, json.spec.allow_macs);
  assert.deepEqual((await allow(a, [])).json.spec.allow_macs, []);
});

test('what another vNIC has there is refused', {skip}, async () => {
  await notAllowed(['0a:00:00:00:02:01'], 'in-use');
  await allow(a, ['0a:00:00:00:02:02']); // it is on another VLAN
  await allow('/v1/routers/m2/vnics/a', [vrrp]);
  await notAllowed([vrrp], 'in-use');
  await allow('/v1/routers/m2/vnics/b', [vrrp]);
  await allow('/v1/routers/m2/vnics/b', null);
});

test('who comes later may not have what is listed', {skip}, async () => {
  await allow(a, [vrrp]);
  await refused('POST', '/v1/routers', {name: 'm3', spec: {dataplane, vnics: [
    {name: 'x', attach: {port: 'p0'}, mac: vrrp}]}}, 'in-use', '/spec/vnics/0/mac');
  await must('PATCH', '/v1/routers/m2/vnics/free',
    {spec: {attach: {port: 'p1'}, allow_macs: [vrrp]}});
  await refused('PATCH', '/v1/routers/m2/vnics/free',
    {spec: {attach: {port: 'p0'}}}, 'in-use', '/spec/vnics/2/allow_macs');
  await must('PATCH', '/v1/routers/m2/vnics/free', {spec: {attach: null}});
  await refused('POST', '/v1/links', {name: 'l2', spec: {ends: ['m2:free', 'port:p0']}},
    'in-use', '/spec/ends/0');
  await must('PATCH', '/v1/routers/m2/vnics/free', {spec: {allow_macs: null}});
});

test('the MAC of a port is no tenant\'s, nor its own listed twice', {skip}, async () => {
  const {mac} = (await must('GET', '/v1/ports/p1')).json.status;
  assert.match(mac, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  await notAllowed([vrrp, mac], 'in-use', '/1');
  await notAllowed(['0a:00:00:00:01:01'], 'invalid', '/0');
});

test('nor is one that a link means of the port', {skip}, async () => {
  const link = {name: 'l2', spec: {ends: ['m2:free', 'port:p0'], match: {mac: vrrp}}};
  await must('POST', '/v1/links', link);
  await notAllowed([vrrp], 'rule-overlap', '/0');
  await must('DELETE', '/v1/links/l2');
  await allow(a, [vrrp]);
  await refused('POST', '/v1/links', link, 'rule-overlap', '/spec/match');
});

test('they outlast europad', {skip: skip || !pidFile && 'no EUROPA_PID_FILE'}, async () => {
  await allow(a, [vrrp]);
  await killEuropad();
  assert.deepEqual((await must('GET', a)).json.spec.allow_macs, [vrrp]);
  await refused('PATCH', a, {spec: {allow_macs: [vrrp, vrrp.toUpperCase()]}}, 'invalid',
    '/spec/allow_macs/1');
});
