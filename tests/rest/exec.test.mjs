// SPDX-License-Identifier: Apache-2.0
// exec: commands in a router's container: what they say and how they end, and that
// neither a command nor a client costs anybody else anything.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {empty, must, request, reset, skip, socketPath, until} from './client.mjs';

const at = '/v1/routers/r1/exec';

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

const sh = (script, more) => ({argv: ['sh', '-c', script], ...more});

// All lines of a command, and what they say together.
async function run(body) {
  const answer = await request('POST', at, body);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['content-type'], 'application/x-ndjson');
  const lines = answer.text.trimEnd().split('\n').map((l) => JSON.parse(l));
  const join = (key) => Buffer.concat(lines.map((l) => l[key] !== undefined ?
    Buffer.from(l[key]) : Buffer.from(l[`${key}_base64`] ?? '', 'base64')));
  return {lines, out: join('stdout'), err: join('stderr'), last: lines.at(-1)};
}

// A command whose answer is not read to its end: the stream, and its way out.
function open(body) {
  return new Promise((done, failed) => {
    const rq = http.request({socketPath, method: 'POST', path: at, agent: false,
      headers: {'Content-Type': 'application/json'}}, (rs) => {
      rs.on('error', () => {});
      done({rs, close: () => rq.destroy()});
    });
    rq.on('error', failed);
    rq.end(JSON.stringify(body));
  });
}

// Whether a process with this word in its command line is there.
async function runs(word) {
  const {last} = await run(sh(
    'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " <$f 2>/dev/null | ' +
    `grep -q "${word.slice(0, -1)}[${word.slice(-1)}]" && exit 0; done; exit 1`));
  return last.exit_code === 0;
}

test('output, errors and exit code', {skip}, async () => {
  const {out, err, last, lines} = await run(sh('echo one; echo two >&2; exit 3'));
  assert.equal(out.toString(), 'one\n');
  assert.equal(err.toString(), 'two\n');
  assert.deepEqual(last, {exit_code: 3, signal: null, error: null});
  assert.ok(lines.slice(0, -1).every((l) => !('exit_code' in l)));
});

test('a signal is told', {skip}, async () => {
  const {last} = await run(sh('kill -9 $$'));
  assert.deepEqual(last, {exit_code: null, signal: 9, error: null});
});

test('input comes and ends', {skip}, async () => {
  const stdin = 'ä line\n'.repeat(6000);
  const {out, last} = await run({argv: ['cat'], stdin});
  assert.equal(out.toString(), stdin);
  assert.equal(last.exit_code, 0);
  // one that does not read it
  assert.deepEqual((await run({argv: ['true'], stdin})).last,
    {exit_code: 0, signal: null, error: null});
});

test('bytes that are no text', {skip}, async () => {
  const {out} = await run(sh(
    "printf '\\377\\376\\000\\001'; printf 'a\\303'; sleep 0.1; printf '\\244b'"));
  assert.deepEqual(out, Buffer.concat([
    Buffer.from([0xff, 0xfe, 0, 1]), Buffer.from('aäb')]));
});

test('much output arrives as it was', {skip}, async () => {
  const {out, last} = await run(sh(
    'i=0; while [ $i -lt 40000 ]; do echo "line $i"; i=$((i+1)); done'));
  assert.equal(last.exit_code, 0);
  const want = Array.from({length: 40000}, (_, i) => `line ${i}\n`).join('');
  assert.ok(out.toString() === want, `${out.length} bytes of ${want.length}`);
});

test('too much output, and too much time, end it', {skip}, async () => {
  const much = await run({argv: ['yes', 'x'.repeat(1000)]});
  assert.match(much.last.error, /16 MiB/);
  assert.equal(much.last.exit_code, null);
  const long = await run(sh('echo begun; sleep 1000.25', {timeout_seconds: 5}));
  assert.equal(long.out.toString(), 'begun\n');
  assert.match(long.last.error, /timeout_seconds/);
  await until(async () => assert.ok(!await runs('sleep 1000.25')));
});

test('a client that goes away ends the command', {skip}, async () => {
  const {rs, close} = await open(sh('echo begun; sleep 1000.5'));
  await new Promise((done) => rs.once('data', done));
  assert.ok(await runs('sleep 1000.5'));
  close();
  await until(async () => assert.ok(!await runs('sleep 1000.5')));
});

test('a client that does not read makes the command wait, and nobody else', {skip}, async () => {
  const {rs, close} = await open({argv: ['yes', 'never-read']});
  rs.pause();
  await new Promise((done) => setTimeout(done, 300));
  assert.equal((await run({argv: ['echo', 'ok']})).out.toString(), 'ok\n');
  await must('GET', '/v1/routers/r1');
  close();
  await until(async () => assert.ok(!await runs('never-read')));
});

test('so many at once, and no more', {skip}, async () => {
  const all = await Promise.all(Array.from({length: 8}, () =>
    open(sh('echo begun; sleep 1000.75'))));
  assert.ok(all.every(({rs}) => rs.statusCode === 200));
  const more = await request('POST', at, {argv: ['true']});
  assert.equal(more.status, 503, more.text);
  assert.equal(more.json.code, 'busy');
  all.forEach(({close}) => close());
  await until(async () => assert.equal(
    (await request('POST', at, {argv: ['true']})).status, 200));
  // one place is free when one of them has ended
  await until(async () => assert.ok(!await runs('sleep 1000.75')));
});

test('what it leaves behind does not keep it open', {skip}, async () => {
  const {out, last} = await run(sh('setsid sleep 30.125 & echo out'));
  assert.equal(out.toString(), 'out\n');
  assert.equal(last.exit_code, 0);
  await run(sh('for p in /proc/[0-9]*; do grep -q "30[.]125" $p/cmdline ' +
    '2>/dev/null && kill ${p#/proc/}; done; true'));
});

test('nothing of the node is handed in', {skip}, async () => {
  const {out} = await run(sh('ls -l /proc/self/fd; cat'));
  const fds = out.toString().split('\n').filter((l) => l.includes('->'));
  assert.ok(fds.length >= 3 && fds.length <= 4, out.toString());
  assert.ok(fds.every((l) => /pipe:|\/proc\//.test(l)), out.toString());
  const env = (await run({argv: ['env']})).out.toString().trimEnd().split('\n');
  assert.deepEqual(env.map((l) => l.split('=')[0]).sort(), ['HOME', 'PATH', 'TERM']);
});

test('what cannot be run is refused before anything is', {skip}, async () => {
  for (const [body, pointer] of [
    [{}, '/argv'], [{argv: 'ls'}, '/argv'], [{argv: []}, '/argv'],
    [{argv: ['']}, '/argv/0'], [{argv: ['a', 1]}, '/argv/1'],
    [{argv: Array(65).fill('a')}, '/argv'],
    [{argv: ['a', 'x'.repeat(8193)]}, '/argv/1'],
    [{argv: ['a'], stdin: 1}, '/stdin'],
    [{argv: ['a'], timeout_seconds: 0}, '/timeout_seconds'],
    [{argv: ['a'], timeout_seconds: '1'}, '/timeout_seconds'],
    [{argv: ['a'], env: {}}, ''],
  ]) {
    const answer = await request('POST', at, body);
    assert.equal(answer.status, 422, JSON.stringify(body));
    assert.equal(answer.json.errors[0].pointer, pointer);
  }
  const none = await request('POST', at, {argv: ['/etc']});
  assert.equal(none.status, 422);
  assert.equal(none.json.code, 'cannot-run');
  const dry = await must('POST', `${at}?dry_run=true`, {argv: ['x']});
  assert.deepEqual(dry.json, {would_run: true});
});

test('a router that does not run runs no command; one that ends, ends it', {skip}, async () => {
  const {rs} = await open(sh('echo begun; sleep 1000.875'));
  let text = '';
  rs.on('data', (c) => { text += c; });
  await until(() => assert.match(text, /begun/));
  await must('PUT', '/v1/routers/r1/power', {desired: 'stopped'});
  await until(() => assert.match(text, /"error":"the container ended/));
  const answer = await request('POST', at, {argv: ['true']});
  assert.equal(answer.status, 409, answer.text);
  assert.equal(answer.json.code, 'wrong-state');
  await must('PUT', '/v1/routers/r1/power', {desired: 'running'});
});
