// SPDX-License-Identifier: Apache-2.0
// fuzz: mutated examples of openapi.yaml, as dry runs. Whatever is sent, the
// answer is one that the operation describes, and the node stays as it was.
// EUROPA_FUZZ_SEED repeats a run, EUROPA_FUZZ_RUNS lengthens it.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {empty, must, request, reset, skip} from './client.mjs';
import {checkAnswer, load, operations} from './openapi.mjs';
import {generator} from './random.mjs';

const seed = Number(process.env.EUROPA_FUZZ_SEED ?? Date.now() % 1e9);
const runs = Number(process.env.EUROPA_FUZZ_RUNS ?? 60);
const api = load();

const {random, pick} = generator(seed);

const strange = [null, true, -1, 0, 1, 1.5, 1e300, 2 ** 53, '', 'a', '\u0000',
  '\ud800', 'ä'.repeat(200), '../..', '256MiB', '1e9', '999999999999T', [], {},
  [[[]]], {a: {b: {}}}, '198.18.0.1/24', '::/0', 'ff:ff:ff:ff:ff:ff', 'r1', 'p0'];

function mutate(v) {
  if (random(4) === 0 || v === null || typeof v !== 'object') return pick(strange);
  const copy = structuredClone(v);
  const keys = Object.keys(copy);
  const key = keys.length ? pick(keys) : 'x';
  if (Array.isArray(copy)) {
    if (random(3) === 0) copy.push(...copy.slice(0, 40));
    else copy[Number(key) || 0] = mutate(copy[Number(key) || 0] ?? {});
  } else {
    const how = random(5);
    if (how === 0) delete copy[key];
    else if (how === 1) copy[`${key}s`] = copy[key];
    else copy[key] = mutate(copy[key]);
  }
  return copy;
}

// Bytes of a JSON text changed, cut or doubled.
function damage(text) {
  const b = Buffer.from(text);
  for (let i = random(4); b.length && i > 0; i--) b[random(b.length)] = random(256);
  const how = random(4);
  if (how === 0) return b.subarray(0, random(b.length + 1));
  return how === 1 ? Buffer.concat([b, b]) : b;
}

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

for (const op of operations(api).filter((o) => o.operation.requestBody &&
     o.operation.operationId !== 'restartRouter')) {
  test(`${op.method} ${op.path}, seed ${seed}`, {skip}, async () => {
    const path = op.path.replace(/{(\w+)}/g, (_, name) =>
      op.parameters.find((p) => p.in === 'path' && p.name === name).example);
    const examples = Object.entries(op.operation.requestBody.content)
      .flatMap(([type, m]) => Object.values(m.examples)
        .map((e) => [type, e.value]));
    const etags = async () => (await Promise.all(['/v1/routers/r1', '/v1/ports/p0',
      '/v1/links/l1', '/v1/segments/s1']
      .map((p) => must('GET', p)))).map((a) => a.headers.etag);
    const before = await etags();
    for (let i = 0; i < runs; i++) {
      const [type, value] = pick(examples);
      const isText = typeof value === 'string';
      let body = isText ? value : JSON.stringify(mutate(value));
      if (isText || random(4) === 0) body = damage(body);
      const answer = await request(op.method, `${path}?dry_run=true`, body,
        random(8) === 0 ? {} : {'Content-Type': type});
      assert.deepEqual(checkAnswer(api, op, answer).filter((w) =>
        !w.startsWith('header ')), [], `${body} gave ${answer.status} ${answer.text}`);
    }
    assert.deepEqual(await etags(), before);
    assert.equal((await must('GET', '/v1/routers')).json.items.length, 1);
  });
}
