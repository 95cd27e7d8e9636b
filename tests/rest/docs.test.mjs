// SPDX-License-Identifier: Apache-2.0
// docs: what the node says of itself is openapi.yaml, and the page that shows it
// needs nothing from elsewhere and shows all of it.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {filter, render} from '../../web/docs.js';
import {must, request, skip} from './client.mjs';
import {load, operations} from './openapi.mjs';

const web = new URL('../../web/', import.meta.url);
const api = load();

// As much of a document as the page uses.
class Element {
  constructor(name) { Object.assign(this, {name, inside: [], attributes: {}, hidden: false}); }
  setAttribute(k, v) { this.attributes[k] = String(v); }
  append(...all) {
    for (const x of all) {
      assert.ok(x instanceof Element || typeof x === 'string' || typeof x === 'number',
        `${typeof x} in ${this.name}`);
      this.inside.push(x);
    }
  }
  get textContent() {
    return this.inside.map((x) => x instanceof Element ? x.textContent : String(x)).join('');
  }
  querySelectorAll(what) {
    return this.inside.filter((x) => x instanceof Element).flatMap((x) => [
      ...(what[0] === '.' ? x.attributes.class === what.slice(1) : x.name === what) ? [x] : [],
      ...x.querySelectorAll(what)]);
  }
  querySelector(what) { return this.querySelectorAll(what)[0]; }
}

function page() {
  const root = new Element('main');
  render(api, {createElement: (name) => new Element(name)}, root);
  return root;
}

test('openapi.json is openapi.yaml', {skip}, async () => {
  const {json} = await must('GET', '/v1/openapi.json');
  assert.deepEqual(json, api);
});

test('the page comes with all that it names, and names nothing else', {skip}, async () => {
  const answer = await must('GET', '/docs');
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
  const named = [...answer.text.matchAll(/(?:src|href)="([^"]*)"/g)].map((m) => m[1])
    .filter((a) => a !== 'data:,');
  assert.deepEqual(named.sort(), ['app.css', 'docs.css', 'docs.js', 'v1/openapi.json']);
  for (const a of named) await must('GET', `/${a}`);
  assert.equal((await request('POST', '/docs', {})).status, 404);
});

test('no file of it asks anybody else', () => {
  for (const file of ['docs.html', 'docs.js', 'docs.css', 'app.css']) {
    const text = readFileSync(new URL(file, web), 'utf8')
      .replaceAll('http://europa${path}', ''); // the words of an example
    assert.doesNotMatch(text, /https?:|["'(]\/\/|@import|\burl\(|innerHTML|eval\(/, file);
  }
});

test('every operation, parameter, example and answer is shown', () => {
  const shown = new Map(page().querySelectorAll('.operation')
    .map((e) => [e.attributes.id, e]));
  const ops = operations(api);
  assert.equal(shown.size, ops.length);
  for (const {method, operation, parameters} of ops) {
    const e = shown.get(operation.operationId);
    assert.ok(e.textContent.includes(method) && e.textContent.includes(operation.summary));
    for (const p of parameters) assert.ok(e.textContent.includes(p.name), p.name);
    assert.equal(e.querySelectorAll('.answer').length,
      Object.keys(operation.responses).length);
    const examples = Object.values(operation.requestBody?.content ?? {})
      .flatMap((m) => Object.keys(m.examples));
    assert.equal(e.querySelectorAll('.example').length, examples.length);
  }
});

test('an example is a command that a shell takes as it is', () => {
  const all = page().querySelectorAll('pre').map((e) => e.textContent);
  assert.ok(all.length > 30);
  for (const line of all) {
    assert.match(line, /^curl -sS --unix-socket \S+ -X [A-Z]+ /);
    assert.equal(line.replaceAll("'\\''", '').match(/'/g).length % 2, 0, line);
    assert.doesNotMatch(line, /{[a-z]}/);
  }
});

test('what is looked for is found', () => {
  const root = page();
  assert.equal(filter(root, ''), operations(api).length);
  assert.equal(filter(root, 'xyzzy'), 0);
  const n = filter(root, '/v1/ports LABELS');
  assert.ok(n > 0 && n < operations(api).length);
  assert.ok(root.querySelectorAll('section').some((s) => s.hidden));
});
