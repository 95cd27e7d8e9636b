// SPDX-License-Identifier: Apache-2.0
// metrics: /metrics is OpenMetrics text with what GET says elsewhere, and what
// the shipped dashboard and alert rules ask for is there.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';

import {bearer, empty, must, request, reset, skip} from './client.mjs';
import {parse} from './openapi.mjs';

const folder = new URL('../../packaging/monitoring/', import.meta.url);

const host = '127.0.0.1';
const tcp = {host, port: Number(process.env.EUROPA_TCP_PORT)};
const state = process.env.EUROPA_STATE_DIR;
const skipNet = skip || (tcp.port && state ? false : 'the node was not started here');

before(async () => {
  if (skip) return;
  await reset();
  await must('POST', '/v1/routers', {name: 'm2', spec: {power: 'stopped'}});
});
after(async () => { if (!skip) await empty(); });

// {family: {type, unit, help, samples: [{name, labels, value}]}}; strict, in the
// order that OpenMetrics 1.0 asks for.
function read(text) {
  assert.ok(text.endsWith('\n# EOF\n'));
  const families = new Map();
  let now;
  for (const line of text.slice(0, -'# EOF\n'.length - 1).split('\n')) {
    const meta = /^# (TYPE|UNIT|HELP) ([a-z_]+) (.+)$/.exec(line);
    if (meta) {
      const [, what, name, rest] = meta;
      if (what === 'TYPE') {
        assert.ok(!families.has(name), `${name} twice`);
        now = {name, type: rest, samples: []};
        families.set(name, now);
      }
      assert.equal(name, now.name, line);
      assert.equal(now.samples.length, 0, line);
      now[what] = rest;
      continue;
    }
    const m = /^([a-z_]+)(?:{((?:[a-z]+="[^"\\]*",?)*)})? (\d+)$/.exec(line);
    assert.ok(m, line);
    const suffix = {counter: '_total', gauge: '', info: '_info'}[now.type];
    assert.equal(m[1], now.name + suffix, line);
    const labels = Object.fromEntries([...(m[2] ?? '').matchAll(/([a-z]+)="([^"]*)"/g)]
      .map((x) => [x[1], x[2]]));
    now.samples.push({labels, value: Number(m[3]), line});
  }
  return families;
}

async function scrape() {
  const a = await must('GET', '/metrics');
  assert.equal(a.headers['content-type'],
    'application/openmetrics-text; version=1.0.0; charset=utf-8');
  return read(a.text);
}

function value(families, family, labels) {
  const found = families.get(family).samples.filter((s) =>
    Object.entries(labels).every(([k, v]) => s.labels[k] === v));
  assert.equal(found.length, 1, `${family} ${JSON.stringify(labels)}`);
  return found[0].value;
}

test('families have a type, help, their unit and samples once each', {skip}, async () => {
  const families = await scrape();
  assert.ok(families.size > 15);
  for (const [name, f] of families) {
    assert.match(name, /^europa_/);
    assert.match(f.HELP ?? '', /\.$/, name);
    const unit = /_(bytes|packets|slots)$/.exec(name)?.[1];
    assert.equal(f.UNIT, unit, name);
    assert.ok(f.samples.length > 0, name);
    const keys = f.samples.map((s) => s.line.replace(/ \d+$/, ''));
    assert.equal(new Set(keys).size, keys.length, name);
  }
});

test('the values are those of the objects', {skip}, async () => {
  const families = await scrape();
  const r1 = (await must('GET', '/v1/routers/r1')).json;
  assert.equal(value(families, 'europa_router_up', {router: 'r1'}),
    Number(r1.status.state === 'running'));
  assert.equal(value(families, 'europa_router_wanted', {router: 'r1'}), 1);
  assert.equal(value(families, 'europa_router_wanted', {router: 'm2'}), 0);
  assert.equal(value(families, 'europa_routers', {state: 'stopped'}), 1);
  assert.equal(value(families, 'europa_router_pool_slots', {router: 'r1'}),
    r1.spec.quota.pool_slots);
  const node = (await must('GET', '/v1')).json;
  assert.equal(value(families, 'europa_dataplane_up', {}), 1);
  assert.equal(value(families, 'europa_node_memory_bytes', {}), node.limits.mem_bytes);
  assert.equal(value(families, 'europa_build', {version: node.version}), 1);
  // what is not reserved is what a router that wants too much could have
  const full = await request('POST', '/v1/routers?dry_run=true',
    {name: 'm3', spec: {quota: {mem_bytes: '1TiB'}}});
  assert.equal(full.status, 507, full.text);
  const reserved = value(families, 'europa_node_reserved_memory_bytes', {});
  assert.equal(node.limits.mem_bytes - reserved, full.json.best);
  assert.ok(reserved > 2 * r1.spec.quota.mem_bytes, `${reserved}`);
});

test('each reason of each vNIC is there, as in its stats', {skip}, async () => {
  const stats = (await must('GET', '/v1/routers/r1/stats')).json.vnics
    .find((v) => v.name === 'lan');
  const families = await scrape();
  const at = {router: 'r1', vnic: 'lan', project: 'default'};
  for (const [side, direction] of [['rx', 'receive'], ['tx', 'transmit']]) {
    const reasons = Object.keys(stats[side].drops);
    assert.ok(reasons.includes('quota_pps') && reasons.length > 10);
    for (const reason of reasons)
      assert.ok(value(families, 'europa_vnic_dropped_packets',
        {...at, direction, reason}) >= stats[side].drops[reason]);
  }
  for (const [family, n] of [['receive_packets', stats.rx.filled],
    ['receive_bytes', stats.rx.filled_bytes], ['offered_packets', stats.rx.offered],
    ['transmit_packets', stats.tx.sent], ['transmit_bytes', stats.tx.sent_bytes]])
    assert.ok(value(families, `europa_vnic_${family}`, at) >= n, family);
  for (const reason of Object.keys(stats.faults))
    assert.equal(value(families, 'europa_vnic_faults', {...at, reason}), 0);
});

test('what is sent is counted', {skip}, async () => {
  // a router that begins says so (gratuitous ARP): frames leave by p0
  await must('POST', '/v1/routers/r1/restart', {scope: 'container'});
  let sent = 0;
  for (const end = Date.now() + 20000; sent === 0 && Date.now() < end;) {
    const families = await scrape();
    sent = Math.min(value(families, 'europa_port_transmit_packets', {port: 'p0'}),
      value(families, 'europa_vnic_transmit_packets', {router: 'r1', vnic: 'lan'}));
    await new Promise((r) => setTimeout(r, 50));
  }
  assert.ok(sent > 0);
  const families = await scrape();
  assert.ok(value(families, 'europa_port_transmit_bytes', {port: 'p0'}) > 0);
  assert.ok(value(families, 'europa_router_process_starts', {router: 'r1'}) > 0);
});

// [metric, labels] of every selector in a text of PromQL
function selectors(promql) {
  return [...promql.matchAll(/\b(europa_\w+)(?:{([^}]*)})?/g)].map((m) => [m[1],
    [...(m[2] ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map((x) => x[1])]);
}

function promqlOf(v) {
  if (typeof v !== 'object' || v === null) return [];
  return Object.entries(v).flatMap(([k, x]) =>
    ['expr', 'query'].includes(k) && typeof x === 'string' ? [x] : promqlOf(x));
}

for (const [file, least] of [['grafana.json', 20], ['alerts.yaml', 8]]) {
  test(`${file} asks for what is there`, {skip}, async () => {
    const families = await scrape();
    const there = new Map([...families].flatMap(([name, f]) =>
      f.samples.map((s) => [name + {counter: '_total', info: '_info', gauge: ''}[f.type],
        Object.keys(s.labels)])));
    const text = readFileSync(new URL(file, folder), 'utf8');
    const all = promqlOf(file.endsWith('.json') ? JSON.parse(text) : parse(text));
    const asked = all.flatMap(selectors);
    assert.ok(asked.length >= least, `${asked.length} selectors`);
    for (const [metric, labels] of asked) {
      assert.ok(there.has(metric), metric);
      for (const label of labels.filter((l) => l !== 'instance'))
        assert.ok(there.get(metric).includes(label), `${metric} has no ${label}`);
    }
    // reasons by name
    const reasons = new Set([...families.values()].flatMap((f) =>
      f.samples.map((s) => s.labels.reason)));
    for (const [, list] of all.join('\n').matchAll(/reason=~?"([^"]+)"/g))
      for (const reason of list.split('|')) assert.ok(reasons.has(reason), reason);
  });
}

test('over the network, for who has a role in all projects', {skip: skipNet}, async () => {
  const none = await request('GET', '/metrics', undefined, {}, tcp);
  assert.equal(none.status, 401, none.text);
  assert.equal(none.json.code, 'unauthorized');
  for (const [name, roles, status] of [['tenant', {default: 'admin'}, 403],
    ['prometheus', {'*': 'viewer'}, 200]]) {
    const answer = await request('GET', '/metrics', undefined, await bearer(name, roles), tcp);
    assert.equal(answer.status, status, `${name}: ${answer.text.slice(0, 300)}`);
    assert.equal(answer.text.includes('router="r1"'), status === 200, name);
  }
});

test('as doc/rest.md has Prometheus read them', {skip: skipNet}, async () => {
  const text = readFileSync(new URL('../../doc/rest.md', import.meta.url), 'utf8');
  const [, recipe] = /```\n(scrape_configs:\n[^]*?)```/.exec(text);
  const value = (key) => new RegExp(`\\b${key}: ([^\\s,}\\]]+)`).exec(recipe)[1];
  assert.equal(value('scheme'), 'https');
  assert.equal(value('type'), 'Bearer');
  assert.ok(text.includes(`> ${value('credentials_file')}`));
  const [, name, role] = /token create (\w+) --role '(.*?)'/.exec(text);
  const headers = await bearer(`${name}-2`, Object.fromEntries([role.split('=')]));
  // the certificate that is named, of this node's state, and the name that is asked
  const [, file] = /^\/var\/lib\/europa\/(\S+)$/.exec(value('ca_file'));
  const [, target] = /targets: \["(\w+):8780"\]/.exec(recipe);
  const answer = await request('GET', '/metrics', undefined, headers,
    {host: '127.0.0.1', port: Number(process.env.EUROPA_HTTPS_PORT), servername: target,
      rejectUnauthorized: true, ca: readFileSync(`${state}/${file}`)});
  assert.equal(answer.status, 200, answer.text.slice(0, 300));
  assert.ok(read(answer.text).size > 15);
  const [, rules] = /^rule_files: \[\/usr\/share\/europa\/monitoring\/(.*)\]$/m.exec(recipe);
  assert.ok(readFileSync(new URL(rules, folder)).length > 0);
});
