// SPDX-License-Identifier: Apache-2.0
// schema: every operation of openapi.yaml, again and again, with parameters and
// bodies made from its schemas, most of them right, some not, and not as dry
// runs alone. Each answer must be one that the operation describes; a run in
// which fewer than half of the answers are 2xx has tried too little, and fails.
// EUROPA_FUZZ_SEED repeats a run, EUROPA_SCHEMA_SECONDS lengthens it.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {bearer, empty, must, request, reset, skip} from './client.mjs';
import {checkAnswer, load, operations, resolve} from './openapi.mjs';
import {generator} from './random.mjs';

const seed = Number(process.env.EUROPA_FUZZ_SEED ?? Date.now() % 1e9);
const seconds = Number(process.env.EUROPA_SCHEMA_SECONDS ?? 6);
const {random, pick} = generator(seed);
const api = load();
const ops = operations(api);

// What a schema alone does not say: which values this node can have.
const known = {
  template: ['router'], dataplane: [process.env.EUROPA_TEST_DATAPLANE ?? ''],
  power: ['running', 'running', 'stopped'],
  cpu_millis: [10, 1000, '1k'], mem_bytes: ['64MiB', 67108864], pids: [4, 64],
  disk_bytes: ['16MiB', '8MiB'], pool_slots: [2, 64, 1024], vnics_max: [1, 8, 32], cpu_set: ['', '0'],
  rx_pps: [0, 1, '1M'], tx_pps: [0, 5000], rx_bps: [0, '1G'], tx_bps: [0, 1000],
  burst_ms: [1, 50, 1000], mtu: [1500], mac: [null], vnic: ['lan'],
  prefix: ['203.0.113.0/24', '192.0.2.0/24', '2001:db8:7::/48'],
  via: ['198.18.2.254'], desired: ['running', 'running', 'running', 'stopped', 'paused'],
  scope: ['dataplane', 'dataplane', 'dataplane', 'container'], revision: [0, 1],
  attach: [null, {port: 'p0', match: {vlan: 7}}, {port: 'p1'}],
  routes: [[], [{prefix: '203.0.113.0/24', vnic: 'lan'}]],
  addresses: [[], ['198.18.77.1/24']], devargs: ['net_null3,no-rx=1'],
  vnics: [[], [{name: 'lan', addresses: ['198.18.2.1/24']}]],
  ends: [['r7:a', 'r6:a'], ['r7:b', 'r6:b'], ['f1:lan', 'f2:lan'], ['r5:a', 'port:p0']],
  members: [[], ['r6:c', 'r7:c'], ['r5:b']], match: [null], trunk: [false],
  impair: [null, {forward: {delay_ms: 1.5, loss_pct: 0.1}}, {reverse: {rate_bps: '1M'}}],
  limit: [1, 2, 1000], cursor: ['a', 'r1'], label: ['a=b'], fields: ['name,spec', 'labels'],
};
Object.assign(known, {
  argv: [['echo', 'a'], ['true'], ['cat']], stdin: ['', 'b'], timeout_seconds: [1, 60],
  lease: [null, {seconds: 3600}], protected: [false],
  path: ['/var/motd'], follow: ['false'],
});
const strange = [null, true, -1, 1.5, 2 ** 53, '', 'x', '\ud800', [], {}, [[]], 'ä'.repeat(99)];

function member(key, schema) {
  return known[key] ? pick(known[key]) : value(schema);
}

function objectOf(schema) {
  const o = {};
  for (const [k, v] of Object.entries(schema.properties ?? {}))
    if (v !== true && ((schema.required ?? []).includes(k) || random(3) === 0))
      o[k] = member(k, v);
  if (typeof schema.additionalProperties === 'object' && random(2) === 0)
    o[pick(['a', 'owner', 'x.y/z'])] = value(schema.additionalProperties);
  return o;
}

function value(schema) {
  const s = {...resolve(api, schema.$ref ? {$ref: schema.$ref} : schema), ...schema};
  if (s.anyOf) return value(pick(s.anyOf));
  if (s.enum) return pick(s.enum);
  switch (pick([s.type].flat())) {
    case 'object': return objectOf(s);
    case 'array': return Array.from({length: random(3)}, () => value(s.items));
    case 'integer': return (s.minimum ?? 0) + random(Math.min(50, (s.maximum ?? 50) + 1));
    case 'boolean': return random(2) === 0;
    case 'null': return null;
    default: return s.pattern ? pick(['f1', 'f2', 'f3']) : pick(['', 'b', 'some text']);
  }
}

// Something within is made wrong.
function spoil(v) {
  if (typeof v !== 'object' || v === null || random(5) === 0) return pick(strange);
  const copy = structuredClone(v);
  const keys = Object.keys(copy);
  if (keys.length === 0 || random(4) === 0) {
    if (!Array.isArray(copy)) copy.unknown = 1;
    return copy;
  }
  const k = pick(keys);
  copy[k] = spoil(copy[k]);
  return copy;
}

// [media type, body]; merge patches of no schema and texts are the examples.
function body(op) {
  const all = Object.entries(op.operation.requestBody?.content ?? {});
  if (all.length === 0) return [undefined, undefined];
  const [type, media] = pick(all);
  const good = Object.values(media.examples).filter((x) => x['x-status'] < 300)
    .map((x) => x.value);
  const s = resolve(api, media.schema);
  const made = s.properties && op.operation.operationId !== 'putPort' && !good.some((x) => typeof x === 'string') ?
    pick([value(s), pick(good)]) : pick(good);
  return [type, made];
}

// Objects that may go, beside r1 and p0, which the others need.
function names(op, p) {
  const id = op.operation.operationId;
  if (id === 'deleteRouter') return ['f1', 'f2', 'f3'];
  if (id === 'deleteLink' || id === 'deleteSegment') return ['f1', 'f2', 'f3'];
  if (p.name === 'r') return ['r1', 'r1', 'r1', 'f1'];
  if (id === 'putPort') return ['p0', 'p0', 'p1']; // whose device is in the examples
  if (op.path.startsWith('/v1/projects/')) return [op.method === 'GET' ? 'default' : 'f1'];
  if (p.name === 't') return [op.method === 'GET' ? 't1' : 'f1'];
  if (p.name === 'p') return op.method === 'GET' ? ['p0', 'p1'] : ['p1', 'f1'];
  if (p.name === 'v') return op.method === 'DELETE' ? ['f1', 'f2'] : ['lan'];
  return [p.example];
}

function build(op, isGood) {
  const at = (where) => op.parameters.filter((p) => p.in === where);
  const query = at('query').filter((p) => p.example || random(3) === 0)
    .map((p) => [p.name, p.example ?? (known[p.name] ? pick(known[p.name]) : value(p.schema))])
    .filter(([k, v]) => v !== 'some text' && (k !== 'project' || v === 'default'));
  const headers = {};
  for (const p of at('header')) {
    if (p.name === 'Prefer' && random(4)) headers.Prefer = 'respond-async';
    if (p.name === 'If-Match' && random(6) === 0) headers['If-Match'] = pick(['*', '*', '"old"']);
    if (p.name === 'Idempotency-Key' && random(4) === 0)
      headers['Idempotency-Key'] = `${seed}-${random(1e9)}`;
  }
  let [type, content] = body(op);
  let path = op.path.replace(/{(\w+)}/g, (_, name) =>
    pick(names(op, at('path').find((p) => p.name === name))));
  if (!isGood) {
    const how = random(4);
    if (how === 0 && at('path').length) path = path.replace(/[^/]*$/, pick(['gone', 'X', '%zz']));
    else if (how === 1) query.push([pick(['limit', 'dry_run', 'nonsense', 'project']), 'x']);
    else if (how === 2 && type) type = 'text/xml';
    else if (typeof content === 'object') content = spoil(content);
  }
  if (query.length)
    path += '?' + query.map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&');
  if (type) headers['Content-Type'] = type;
  // where the template's program is not in its place, nobody waits for it
  if (content?.spec && !content.spec.dataplane) headers.Prefer = 'respond-async';
  return {path, headers, content};
}

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

// What the other operations rely on is there again.
async function mend() {
  // a new one: vNICs of one memory can be added a few times only
  await request('DELETE', '/v1/routers/r1');
  await reset();
  for (const name of ['f1', 'f2'])
    await must('POST', '/v1/routers', {name, spec: {power: 'stopped'}});
  await must('POST', '/v1/routers/r1/vnics', {name: 'f1'});
  await must('POST', '/v1/projects', {name: 'f1'});
  await bearer('f1', {f1: 'viewer'});
  await must('POST', '/v1/ports', {name: 'f1', spec: {devargs: 'net_null4,no-rx=1'}});
  await must('POST', '/v1/links', {name: 'f1', spec: {ends: ['r4:x', 'r4:y']}});
  await must('POST', '/v1/segments', {name: 'f1', spec: {members: ['r4:z']}});
}

test(`every operation, seed ${seed}, ${seconds} s`, {skip}, async (t) => {
  const counts = new Map(ops.map((op) => [op.operation.operationId, [0, 0]]));
  let n = 0, good = 0;
  const end = Date.now() + seconds * 1000;
  for (let round = 0; round < 2 || Date.now() < end; round++) {
    await mend();
    for (const op of [...ops].sort(() => random(3) - 1)) {
      const {path, headers, content} = build(op, random(8) !== 0);
      const started = Date.now();
      const answer = await request(op.method, path, content, headers);
      const wrong = checkAnswer(api, op, answer).filter((w) =>
        !(answer.status >= 400 && w.startsWith('header ')));
      // of a dry run there is no object, so no place and no state of it
      const isDry = path.includes('dry_run=true') || headers['Idempotency-Key'];
      assert.deepEqual(wrong.filter((w) => !isDry || !w.startsWith('header ')), [],
        `${op.method} ${path} ${JSON.stringify(headers)} ${JSON.stringify(content)}` +
        ` gave ${answer.status} ${answer.text.slice(0, 2000)}`);
      const c = counts.get(op.operation.operationId);
      const is2xx = answer.status < 300;
      c[0]++; c[1] += is2xx; n++; good += is2xx;
      if (process.env.EUROPA_SCHEMA_SHOW)
        t.diagnostic(`${Date.now() - started} ms: ${answer.status} ${op.method} ${path} ${JSON.stringify(content)} ` +
          (is2xx ? '' : answer.text.slice(0, 200)));
    }
  }
  t.diagnostic(`${n} answers, ${good} of them 2xx`);
  for (const [id, [all, ok]] of counts)
    if (ok === 0) t.diagnostic(`${id}: none of ${all} was 2xx`);
  assert.ok(good * 2 >= n, `${good} of ${n} answers are 2xx`);
  assert.equal((await request('GET', '/readyz')).status, 200);
});
