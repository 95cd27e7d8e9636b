// SPDX-License-Identifier: Apache-2.0
// wiring: links and segments of a node whose routers run: they come, change and
// go live; who is named twice is refused; what is away is told.
import assert from 'node:assert/strict';
import {after, before, beforeEach, test} from 'node:test';

import {cut, empty, must, request, reset, skip} from './client.mjs';

const dataplane = process.env.EUROPA_TEST_DATAPLANE ?? '';

function router(name, vnics) {
  return {name, spec: {dataplane, vnics}};
}

async function link(ends, more = {}) {
  return must('POST', '/v1/links', {name: 'l2', spec: {ends, ...more}});
}

async function attached(name, vnic) {
  return (await must('GET', `/v1/routers/${name}/vnics/${vnic}`)).json.status;
}

before(async () => {
  if (skip) return;
  await reset();
  await must('POST', '/v1/routers', router('r2',
    [{name: 'a', addresses: ['198.18.10.1/24']}, {name: 'b'}, {name: 'c'},
      {name: 'big', mtu: 4000}]));
  await must('POST', '/v1/routers', router('r3',
    [{name: 'a', addresses: ['198.18.10.2/24']}, {name: 'b', mac: '0a:00:00:00:03:0b'}]));
});
beforeEach(async () => { if (!skip) await cut(); });
after(async () => { if (!skip) await empty(); });

test('a link comes, changes and goes while its routers run', {skip}, async () => {
  assert.equal((await attached('r2', 'a')).attached, false);
  const made = await link(['r2:a', 'r3:a']);
  assert.equal(made.headers.location, '/v1/links/l2');
  assert.equal(made.json.status.state, 'up');
  assert.deepEqual(await attached('r2', 'a').then((s) => [s.attached, s.link]),
    [true, 'r3:a']);
  const other = await must('PATCH', '/v1/links/l2', {spec: {ends: ['r2:a', 'r3:b']}});
  assert.equal(other.json.status.state, 'up');
  assert.equal(other.json.generation, 2);
  assert.equal((await attached('r3', 'a')).attached, false);
  assert.equal((await attached('r3', 'b')).link, 'r2:a');
  await must('DELETE', '/v1/links/l2');
  assert.equal((await attached('r2', 'a')).attached, false);
  assert.equal((await attached('r3', 'b')).attached, false);
});

test('the answer comes when the data plane has agreed, not before', {skip}, async () => {
  const {pid} = (await must('GET', '/v1')).json.dataplane;
  await link(['r2:a', 'r3:a']);
  process.kill(pid, 'SIGSTOP');
  try {
    let isAnswered = false;
    const change = must('PATCH', '/v1/links/l2', {spec: {ends: ['r2:a', 'r3:b']}})
      .then((a) => { isAnswered = true; return a; });
    const later = await must('POST', '/v1/segments',
      {name: 's2', spec: {members: ['r2:c', 'r3:a']}}, {Prefer: 'respond-async'});
    assert.equal(later.status, 202);
    for (let i = 0; i < 5; i++) await must('GET', '/v1/links/l2');
    assert.equal(isAnswered, false);
    process.kill(pid, 'SIGCONT');
    assert.equal((await change).json.status.state, 'up');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('every default is filled in, and read back as it was', {skip}, async () => {
  const made = await link(['r2:a', 'r3:a'],
    {impair: {forward: {delay_ms: 20, jitter_ms: 0.1, loss_pct: 0.0003, rate_bps: '10M'}}});
  const {forward, reverse} = made.json.spec.impair;
  assert.deepEqual(forward, {delay_ms: 20, jitter_ms: 0.1, loss_pct: 0.0003,
    duplicate_pct: 0, reorder_pct: 0, burst_begin_pct: 0, burst_end_pct: 100,
    burst_loss_pct: 100, rate_bps: 10000000, seed: 0, queue_packets: 1000});
  assert.deepEqual(reverse, {...forward, delay_ms: 0, jitter_ms: 0, loss_pct: 0, rate_bps: 0});
  assert.match(made.text, /"jitter_ms":0\.1,/);
  const read = await must('GET', '/v1/links/l2');
  const same = await must('PATCH', '/v1/links/l2', {spec: read.json.spec});
  assert.deepEqual(same.json.spec, read.json.spec);
  assert.deepEqual(made.json.status.forward,
    {packets: 0, impair_loss: 0, impair_queue: 0, duplicated: 0});
  const wire = await must('PATCH', '/v1/links/l2', {spec: {impair: null}});
  assert.equal(wire.json.spec.impair.forward.delay_ms, 0);
});

test('what a link names may come later, and go', {skip}, async () => {
  const made = await link(['r4:a', 'r2:c']);
  assert.equal(made.json.status.state, 'down');
  assert.match(made.json.status.ends[0].detail, /no such router/);
  await must('POST', '/v1/routers', router('r4', [{name: 'a'}]));
  assert.equal((await must('GET', '/v1/links/l2')).json.status.state, 'up');
  await must('DELETE', '/v1/routers/r4');
  assert.equal((await must('GET', '/v1/links/l2')).json.status.state, 'down');
  assert.equal((await attached('r2', 'c')).attached, false);
});

test('a port, with a VLAN; it cannot go while a link names it', {skip}, async () => {
  await must('POST', '/v1/ports', {name: 'p2', spec: {devargs: 'net_null2,no-rx=1'}});
  const made = await link(['port:p2', 'r2:a'], {match: {vlan: 42}});
  assert.equal(made.json.status.state, 'up');
  assert.equal((await attached('r2', 'a')).link, 'port:p2 vlan 42');
  const busy = await request('DELETE', '/v1/ports/p2');
  assert.equal(busy.status, 409);
  assert.match(busy.json.detail, /link l2/);
  await must('DELETE', '/v1/links/l2');
  await must('DELETE', '/v1/ports/p2');
});

test('a segment joins many, and each of them once', {skip}, async () => {
  const made = await must('POST', '/v1/segments',
    {name: 's2', spec: {members: ['r2:b', 'r3:b']}});
  assert.equal(made.json.status.state, 'up');
  assert.equal((await attached('r3', 'b')).link, 'segment:s2');
  const more = await must('PATCH', '/v1/segments/s2',
    {spec: {members: ['r2:b', 'r3:b', 'r2:c', 'r9:x']}});
  assert.deepEqual(more.json.status.ends.map((e) => e.state),
    ['up', 'up', 'up', 'down']);
  const twice = await request('POST', '/v1/links', {name: 'l2', spec: {ends: ['r2:b', 'r3:a']}});
  assert.equal(twice.status, 409);
  assert.equal(twice.json.code, 'in-use');
  assert.match(twice.json.detail, /segment s2/);
  assert.equal(twice.json.errors[0].pointer, '/spec/ends/0');
  await must('PATCH', '/v1/segments/s2', {spec: {members: ['r3:b']}});
  assert.equal((await attached('r2', 'b')).attached, false);
});

test('clashes are refused from both sides', {skip}, async () => {
  const mtu = await request('POST', '/v1/links', {name: 'l2', spec: {ends: ['r2:big', 'r3:a']}});
  assert.deepEqual([mtu.status, mtu.json.errors[0].pointer], [422, '/spec/ends/1']);
  const port = await request('POST', '/v1/links', {name: 'l2', spec: {ends: ['r2:big', 'port:p0']}});
  assert.deepEqual([port.status, port.json.errors[0].pointer], [422, '/spec/ends/0']);
  const gone = await request('POST', '/v1/links', {name: 'l2', spec: {ends: ['r2:zz', 'r3:a']}});
  assert.equal(gone.status, 422);
  const address = await request('POST', '/v1/segments',
    {name: 's2', spec: {members: ['r2:a', 'r5:a', 'r3:a']}});
  assert.equal(address.status, 201, address.text);
  const same = await request('POST', '/v1/routers', router('r5',
    [{name: 'a', addresses: ['198.18.10.2/24']}]));
  assert.deepEqual([same.status, same.json.code], [409, 'in-use']);
  const own = await request('PATCH', '/v1/routers/r3/vnics/a',
    {spec: {attach: {port: 'p0'}}});
  assert.deepEqual([own.status, own.json.code], [409, 'in-use']);
  assert.match(own.json.detail, /segment s2/);
  const other = await request('PATCH', '/v1/routers/r3/vnics/a', {spec: {mtu: 1400}});
  assert.equal(other.status, 422);
});

// [first match, second match, do they overlap, has the second link a trunk]
const pairs = [
  [{dst: '203.0.113.0/24'}, {dst: '203.0.113.128/25'}, true],
  [{dst: '203.0.113.0/24'}, {dst: '203.0.112.0/24'}, false],
  [{dst: '203.0.113.0/24'}, {src: '192.0.2.0/24'}, true],
  [{dst: '203.0.113.0/24'}, {src: '2001:db8::/32'}, false],
  [{dst: '203.0.113.0/24', vlan: 1}, {dst: '203.0.113.0/24', vlan: 2}, false],
  [{dst: '203.0.113.0/24', vlan: 1}, {dst: '203.0.113.0/24'}, false],
  [{dst: '203.0.113.0/24', vlan: 1}, {dst: '203.0.113.0/24'}, true, true],
  [{vlan: 7}, {vlan: 7}, false],
  [{protocol: 6, dst_port: 80}, {protocol: 6, src_port: 80}, true],
  [{protocol: 6, dst_port: 80}, {protocol: 6, dst_port: 81}, false],
  [{protocol: 6, dst_port: 80}, {protocol: 17, dst_port: 80}, false],
  [{vxlan_vni: 1}, {vxlan_vni: 2}, false],
  [{vxlan_vni: 1}, {protocol: 17, dst_port: 4789}, true],
  [{vxlan_vni: 1}, {protocol: 17, dst_port: 53}, false],
  [{vxlan_vni: 1}, {gre_key: 1}, false],
  [{gre_key: 1, dst: '203.0.113.1/32'}, {gre_key: 1, dst: '203.0.113.2/32'}, false],
  [{gre_key: 0}, {protocol: 47}, true],
  [{mac: '0a:00:00:00:99:01'}, {mac: '0a:00:00:00:99:02'}, false],
  [{mac: '0a:00:00:00:99:01'}, {dst: '::/0'}, true],
];

for (const [a, b, overlap, trunk] of pairs) {
  test(`${JSON.stringify(a)} and ${JSON.stringify(b)}${trunk ? ' on a trunk' : ''}: ${
    overlap ? 'an overlap' : 'none'}`, {skip}, async () => {
    const spec = (vnic, match, more) => ({ends: [vnic, 'port:p0'], match, ...more});
    const one = await must('POST', '/v1/links', {name: 'one', spec: spec('r2:a', a)});
    assert.deepEqual(one.json.spec.match, a);
    const two = await request('POST', '/v1/links',
      {name: 'two', spec: spec('r3:b', b, trunk ? {trunk} : {})});
    if (!overlap) {
      assert.equal(two.status, 201, two.text);
      // both to itself, and on another port beside the other
      await must('PATCH', '/v1/links/two', {spec: {match: b}});
      return;
    }
    assert.deepEqual([two.status, two.json.code, two.json.errors[0].pointer],
      [409, 'rule-overlap', '/spec/match']);
    assert.match(two.json.detail, /link one on port p0/);
    await must('POST', '/v1/links',
      {name: 'two', spec: {...spec('r3:b', b, trunk ? {trunk} : {}), ends: ['r3:b', 'port:p1']}});
    const moved = await request('PATCH', '/v1/links/two',
      {spec: {ends: ['r3:b', 'port:p0']}});
    assert.equal(moved.json.code, 'rule-overlap');
  });
}

test('the MAC of a vNIC is no match of another', {skip}, async () => {
  await link(['r3:b', 'port:p0']);
  const other = await request('POST', '/v1/links', {name: 'l3', spec: {
    ends: ['r2:a', 'port:p0'], match: {mac: '0a:00:00:00:03:0b'}}});
  assert.deepEqual([other.status, other.json.code], [409, 'rule-overlap']);
  assert.match(other.json.detail, /r3:b/);
});

test('what waits on links has its bounds on the node', {skip}, async () => {
  const waits = {delay_ms: 1, queue_packets: 16384};
  let last;
  for (let i = 0; i < 4000; i++) {
    last = await request('POST', '/v1/links', {name: `m${i}`, spec: {
      ends: [`x${i}:a`, `y${i}:a`], impair: {forward: waits, reverse: waits}}});
    if (last.status !== 201) break;
  }
  assert.equal(last.status, 507);
  assert.equal(last.json.code, 'no-memory');
  assert.ok(last.json.best < last.json.wanted);
});

test('frames that grow are counted where they wait', {skip}, async () => {
  const at = '/v1/routers/r4';
  const vnics = (mtu) => ({spec: {vnics: [{name: 'a', mtu}]}});
  const links = async (queue_packets, name) => {
    const waits = {delay_ms: 1, queue_packets};
    for (let i = 0; i < 4000; i++) {
      const r = `${name}${i >> 5}`, v = (k) => ({name: `v${k}`});
      if (i % 32 === 0)
        await must('POST', '/v1/routers', {name: r, spec: {power: 'stopped',
          vnics: Array.from({length: 32}, (_, k) => v(k))}});
      const a = await request('POST', '/v1/links', {name: `${name}${i}`, spec: {
        ends: [`${r}:${v(i % 32).name}`, `y${name}${i}:a`], impair: {forward: waits}}});
      if (a.status === 507) return i;
      assert.equal(a.status, 201, a.text);
    }
    return undefined;
  };
  await must('POST', '/v1/routers', {name: 'r4', spec: {power: 'stopped',
    vnics: [{name: 'a'}]}});
  await link(['r4:a', 'late:a'], {impair: {forward: {delay_ms: 1, queue_packets: 16384}}});
  assert.ok(await links(16384, 'm') !== undefined);
  assert.ok(await links(500, 'n') !== undefined);
  const grown = await request('PATCH', at, vnics(9000));
  assert.equal(grown.json.code, 'no-memory', grown.text);
  assert.ok(grown.json.best < grown.json.wanted);
  await must('PATCH', at, vnics(1400));
  // an end that is not there takes nothing: not a way to grow, either
  await must('PATCH', at, {spec: {vnics: []}});
  assert.equal((await request('PATCH', at, vnics(9000))).json.code, 'no-memory');
  await must('DELETE', at);
  const anew = {name: 'r4', spec: {power: 'stopped', vnics: [{name: 'a', mtu: 9000}]}};
  assert.equal((await request('POST', '/v1/routers', anew)).json.code, 'no-memory');
  // what is no larger than it was is no matter of memory, when there is none
  await must('PATCH', '/v1/links/m0', {labels: {full: 'yes'}});
  await must('PATCH', '/v1/links/m0', {spec: {impair: {forward: {queue_packets: 16000}}}});
});
