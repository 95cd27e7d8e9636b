// SPDX-License-Identifier: Apache-2.0
// nodes: what the node says that it has is what there is, and what it says that
// is left can be had; a tenant sees no router of others.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';

import {bearer, empty, must, request, reset, skip} from './client.mjs';
import {check, load} from './openapi.mjs';

const api = load();
const status = async (headers) =>
  (await must('GET', '/v1/nodes/local', undefined, headers)).json.status;

before(async () => {
  if (skip) return;
  await reset();
  await must('POST', '/v1/projects', {name: 'blue'});
  await must('POST', '/v1/routers?project=blue',
    {name: 'hidden', spec: {power: 'stopped', quota: {cpu_millis: 700}}});
});
after(async () => { if (!skip) await empty(); });

test('the list has the node of GET /v1', {skip}, async () => {
  const {json} = await must('GET', '/v1/nodes');
  const node = (await must('GET', '/v1')).json;
  assert.equal(json.next, null);
  assert.deepEqual(json.items.map((i) => i.name), [node.name]);
  const one = (await must('GET', `/v1/nodes/${node.name}`)).json;
  assert.deepEqual(check(api, api.components.schemas.NodeCapacity, one), []);
  assert.deepEqual(check(api, api.components.schemas.NodeCapacity, json.items[0]), []);
  assert.equal(one.status.version, node.version);
  assert.deepEqual(one.status.features, node.features);
  assert.equal(node.features.includes('https'), node.tls !== undefined);
  assert.equal(one.status.id_ranges.total, node.limits.routers);
  const part = await must('GET', '/v1/nodes?fields=name,status.memory.left_bytes&limit=1');
  assert.deepEqual(Object.keys(part.json.items[0].status.memory), ['left_bytes']);
  assert.equal((await request('GET', '/v1/nodes/other')).json.code, 'not-found');
  assert.equal((await request('DELETE', '/v1/nodes/local')).status, 405);
});

test('the machine is as the kernel says', {skip}, async () => {
  const s = await status();
  const read = (path) => readFileSync(path, 'utf8').trim();
  assert.equal(s.cpus.online, read('/sys/devices/system/cpu/online'));
  assert.equal(s.cpus.routers, s.cpus.online);
  for (const {node, cpus} of s.cpus.numa)
    assert.equal(cpus, read(`/sys/devices/system/node/node${node}/cpulist`));
  for (const h of s.hugepages)
    assert.equal(h.total, Number(read(
      `/sys/kernel/mm/hugepages/hugepages-${h.size_bytes / 1024}kB/nr_hugepages`)));
  assert.ok(s.memory.machine_bytes >= 1024 *
    Number(/MemTotal: +(\d+)/.exec(read('/proc/meminfo'))[1]));
  assert.equal(s.dataplane.state, 'connected');
  assert.equal(s.cpus.workers.length, s.dataplane.workers);
  assert.ok(s.dataplane.workers > 0);
  const names = (await must('GET', '/v1/templates')).json.items
    .filter((t) => t.available).map((t) => t.name);
  assert.deepEqual([...s.templates].sort(), names);
});

test('what is reserved grows by a router, and what is left can be had', {skip}, async () => {
  const quota = (await must('GET', '/v1/routers/r1/quota')).json.limit;
  const before = await status();
  await must('POST', '/v1/routers', {name: 'n2', spec: {power: 'stopped', quota: {mem_bytes: '96MiB'}}});
  const now = await status();
  const pool = now.memory.pool_bytes - before.memory.pool_bytes;
  assert.ok(pool > 0);
  assert.equal(now.memory.reserved_bytes - before.memory.reserved_bytes, (96 << 20) + pool);
  assert.equal(now.memory.left_bytes, now.memory.total_bytes - now.memory.reserved_bytes);
  assert.equal(now.cpus.promised_millis - before.cpus.promised_millis, quota.cpu_millis);
  assert.equal(now.id_ranges.used, before.id_ranges.used + 1);
  assert.equal(now.routers.stopped, before.routers.stopped + 1);
  // admission means the same: a pool like that of n2 and all the rest is too much by 1
  const left = now.memory.left_bytes - pool;
  const ask = (mem_bytes) => request('POST', '/v1/routers?dry_run=true',
    {name: 'n3', spec: {power: 'stopped', quota: {mem_bytes}}});
  if (left <= 2 ** 40) { // the most that one router may have
    const fits = await ask(left);
    assert.equal(fits.status, 200, fits.text);
    const not = await ask(left + 1);
    assert.equal(not.status, 507, not.text);
    assert.equal(not.json.best, now.memory.left_bytes);
  }
  await must('DELETE', '/v1/routers/n2');
  assert.deepEqual((await status()).memory, before.memory);
});

test('a tenant sees the capacity, and his own routers', {skip}, async () => {
  const names = (s) => s.placement.map((p) => `${p.project}/${p.router}`).sort();
  const all = await status();
  assert.deepEqual(names(all), ['blue/hidden', 'default/r1']);
  assert.equal(all.placement.find((p) => p.router === 'hidden').cpu_millis, 700);
  assert.equal(all.placement[0].cpus, all.cpus.routers);
  for (const [roles, seen] of [[{default: 'viewer'}, ['default/r1']],
    [{blue: 'operator'}, ['blue/hidden']], [{'*': 'viewer'}, names(all)]]) {
    const headers = await bearer('looker', roles);
    const s = await status(headers);
    assert.deepEqual(names(s), seen);
    assert.deepEqual(s.memory, all.memory);
    assert.equal(Object.values(s.routers).reduce((a, b) => a + b), seen.length);
    const {text} = await must('GET', '/v1/nodes', undefined, headers);
    assert.equal(text.includes('hidden'), seen.includes('blue/hidden'));
    await must('DELETE', '/v1/tokens/looker');
  }
});
