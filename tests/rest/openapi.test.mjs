// SPDX-License-Identifier: Apache-2.0
// openapi.yaml by itself: it loads, and keeps what its own schemas promise. No
// node is needed.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {check, load, operations, parse, resolve} from './openapi.mjs';

const path = fileURLToPath(new URL('../../api/openapi.yaml', import.meta.url));
const api = load(path);

test('it loads, and as any YAML reader loads it', (t) => {
  const python = 'import json,sys,yaml;print(json.dumps(yaml.safe_load(open(sys.argv[1]))))';
  let text;
  try {
    text = execFileSync('python3', ['-c', python, path],
      {stdio: ['ignore', 'pipe', 'ignore']}).toString();
  } catch {
    t.skip('no python3-yaml to compare with');
    return;
  }
  assert.deepEqual(api, JSON.parse(text));
});

test('the reader refuses YAML that it does not know', () => {
  for (const bad of ['a: |\n  x', 'a: *b', 'a: b: c', 'a: 1\na: 2', 'a:\n\tb: 1',
    'a: {"b": 1', 'a:\n  b: 1\n c: 2', "a: 'b'", 'a:'])
    assert.throws(() => parse(bad), bad);
});

test('every reference leads somewhere and everything is used', () => {
  const used = new Set();
  const walk = (v) => {
    if (typeof v !== 'object' || v === null) return;
    if (typeof v.$ref === 'string') {
      used.add(v.$ref);
      assert.ok(resolve(api, {$ref: v.$ref}), v.$ref);
    }
    Object.values(v).forEach(walk);
  };
  walk(api);
  for (const [section, all] of Object.entries(api.components))
    for (const name of Object.keys(all))
      assert.ok(used.has(`#/components/${section}/${name}`), `${section}/${name}`);
});

test('operations have an id, a summary and refusals', () => {
  const ids = new Set();
  for (const {method, path: p, operation, parameters} of operations(api)) {
    assert.ok(operation.operationId && operation.summary, `${method} ${p}`);
    assert.ok(!ids.has(operation.operationId), operation.operationId);
    ids.add(operation.operationId);
    for (const s of [400, 403, 503])
      assert.ok(operation.responses[s], `${method} ${p} ${s}`);
    for (const s of [500, 501, 502])
      assert.ok(!operation.responses[s], `${method} ${p} ${s}`);
    for (const [, name] of p.matchAll(/{(\w+)}/g))
      assert.ok(parameters.some((x) => x.in === 'path' && x.name === name), p);
    for (const s of operation.requestBody ? [413, 415, 422] : [])
      assert.ok(operation.responses[s], `${method} ${p} ${s}`);
  }
});

test('operations have the manners of their kind', () => {
  for (const {method, operation, parameters} of operations(api)) {
    const id = operation.operationId;
    const has = (name) => parameters.some((p) => p.name === name);
    const ok = resolve(api, operation.responses[200]);
    const schema = resolve(api, ok?.content?.['application/json']?.schema);
    if (schema?.properties?.items)
      for (const name of ['limit', 'cursor', 'fields']) assert.ok(has(name), `${id} ${name}`);
    if (method !== 'GET') assert.ok(has('dry_run'), `${id} dry_run`);
    assert.ok(method === 'GET' || !has('limit'), id);
    if (has('Prefer')) assert.ok(operation.responses[202], `${id} 202`);
    if (has('If-Match')) assert.ok(operation.responses[412], `${id} 412`);
    if (has('Idempotency-Key')) {
      assert.equal(method, 'POST', id);
      for (const s of [409, 422]) assert.ok(operation.responses[s], `${id} ${s}`);
    }
    const names = parameters.map((p) => `${p.in} ${p.name}`);
    assert.equal(new Set(names).size, names.length, id);
  }
});

test('what a reader needs to know is written', () => {
  for (const [name, p] of Object.entries(api.components.parameters)) {
    assert.ok(p.in === 'path' || p.description || p.schema.enum, name);
    assert.ok(p.in !== 'path' || (p.required && p.example), name);
  }
  const walk = (v, at) => {
    if (typeof v !== 'object' || v === null) return;
    if (v.responses)
      for (const [s, r] of Object.entries(v.responses))
        assert.ok(resolve(api, r).description, `${at} ${s}`);
    for (const k of Object.keys(v.properties ?? {}))
      assert.match(k, /^[a-z][a-z0-9_]*$/, `${at}/${k}`);
    if (Array.isArray(v.required) && v.properties)
      for (const k of v.required)
        assert.ok(Object.hasOwn(v.properties, k), `${at}: ${k} is required and unknown`);
    Object.entries(v).forEach(([k, x]) => walk(x, `${at}/${k}`));
  };
  walk(api, '');
  for (const {operation} of operations(api)) {
    for (const media of Object.values(operation.requestBody?.content ?? {})) {
      const kinds = Object.values(media.examples).map((x) => x['x-status'] < 300);
      assert.ok(kinds.includes(true), `${operation.operationId}: an example that works`);
    }
  }
});

test('examples that are to succeed are valid, their statuses described', () => {
  let n = 0;
  for (const {method, path: p, operation} of operations(api)) {
    for (const media of Object.values(operation.requestBody?.content ?? {})) {
      assert.ok(Object.keys(media.examples).length > 0, `${method} ${p}`);
      for (const [name, example] of Object.entries(media.examples)) {
        n++;
        assert.ok(operation.responses[example['x-status']], `${p} ${name}`);
        if (example['x-status'] < 300)
          assert.deepEqual(check(api, media.schema, example.value), [], name);
      }
    }
  }
  assert.ok(n >= 20, `${n} examples`);
  const problem = api.components.schemas.Problem;
  for (const example of problem.examples)
    assert.deepEqual(check(api, problem, example), []);
});

test('the schemas refuse what they should', () => {
  const {RouterWrite} = api.components.schemas;
  for (const bad of [[], {name: 'R'}, {name: 'a', x: 1}, {spec: {power: 'off'}},
    {spec: {vnics: [{}]}}, {spec: {vnics: [{name: 'a', attach: {}}]}},
    {spec: {quota: {pids: '1x'}}}, {labels: {a: 1}}])
    assert.notDeepEqual(check(api, RouterWrite, bad), [], JSON.stringify(bad));
});
