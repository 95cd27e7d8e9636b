// SPDX-License-Identifier: Apache-2.0
// cli: europactl against a node: the examples of its manual page, the life of a
// router by it, what is refused, backup and restore, completion.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {folder, program, run} from './cli.mjs';
import {comesToRun, empty, lines, lua, must, pipeline, request, reset, skip as noNode,
  socketPath} from './client.mjs';

const skip = noNode || (program ? false : 'EUROPACTL names no program');
const env = {EUROPA_SERVER: socketPath ?? ''};
const page = readFileSync(fileURLToPath(
  new URL('../../doc/man/europactl.1', import.meta.url))).toString();

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

async function ctl(args, more = {}) {
  return run(args, {env, ...more});
}

// One that has to work; its output.
async function does(...args) {
  const a = await ctl(args);
  assert.equal(a.code, 0, `${args.join(' ')}: ${a.err}`);
  return a.out;
}

async function doc(...args) {
  return JSON.parse(await does(...args, '--format', 'json'));
}

function shell(line) {
  return new Promise((done) => {
    const child = spawn('bash', ['-c', `set -o pipefail; ${line}`], {cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'], env: {...env, HOME: folder,
        PATH: `${join(program, '..')}:${process.env.PATH}`}});
    let out = '', err = '';
    child.stdout.on('data', (d) => { out += d; });
    child.stderr.on('data', (d) => { err += d; });
    child.on('close', (code) => done({code, out, err}));
  });
}

test('every example of the manual page works', {skip}, async () => {
  await reset();
  const [, examples] = page.match(/\.SH EXAMPLES\n\.EX\n([^]*?)\n\.EE/);
  const lines = examples.replaceAll('\\-', '-').split('\n');
  writeFileSync(join(folder, 'r3.json'), JSON.stringify({spec: {power: 'stopped'}}));
  writeFileSync(join(folder, 'routes.ndjson'),
    '{"prefix": "203.0.113.0/24", "via": "198.18.2.254"}\n');
  writeFileSync(join(folder, 'my.lua'), pipeline('manual'));
  assert.ok(lines.length >= 20);
  for (const line of lines) {
    assert.match(line, /^europactl /);
    const a = await shell(line);
    assert.equal(a.code, 0, `${line}: ${a.err}${a.out}`);
  }
});

test('the manual page and the help have the same commands', {skip}, async () => {
  const plain = page.replaceAll('\\-', '-').replace(/"/g, '');
  for (const line of (await does('help')).split('\n')) {
    const [, noun, verb] = line.match(/^  ([a-z-]+)(?: ([a-z]+))?/) ?? [];
    if (!noun || noun.startsWith('--')) continue;
    const words = verb ? `${noun} ${verb}` : noun;
    assert.match(plain, new RegExp(`^\\.(B|BI|BR) ${words}\\b`, 'm'), words);
  }
  for (const [option] of (await does('help')).matchAll(/^  --[a-z-]+/gm))
    assert.ok(page.replaceAll('\\-', '-').includes(option.trim()), option);
});

test('the life of a router', {skip}, async () => {
  await reset();
  const table = await does('router', 'create', 'r2', '--vnic',
    'a,port=p1,vlan=9,address=198.18.9.1/24,rx_pps=7k', '--label', 'x=y');
  assert.match(table, /^NAME +STATE .*\nr2 /);
  const r2 = (await must('GET', '/v1/routers/r2')).json;
  assert.deepEqual(r2.spec.vnics[0].attach, {port: 'p1', trunk: false, match: {vlan: 9}});
  assert.equal(r2.spec.vnics[0].quota.rx_pps, 7000);
  assert.deepEqual(await doc('router', 'get', 'r2'),
    (await must('GET', '/v1/routers/r2')).json);
  assert.equal(await does('router', 'list', '--format', 'name'), 'r1\nr2\n');
  await does('router', 'set', 'r2', '--label', 'x-', '--label', 'z=1',
    '--quota', 'cpu_millis=250');
  const set = (await must('GET', '/v1/routers/r2')).json;
  assert.deepEqual(set.labels, {z: '1'});
  assert.equal(set.spec.quota.cpu_millis, 250);
  await does('vnic', 'add', 'r2', 'b,port=p0');
  await does('vnic', 'set', 'r2', 'b', 'tx_bps=1M', 'address=198.18.10.1/24');
  const b = (await must('GET', '/v1/routers/r2/vnics/b')).json.spec;
  assert.equal(b.quota.tx_bps, 1000000);
  assert.deepEqual(b.addresses, ['198.18.10.1/24']);
  assert.equal(await does('vnic', 'list', 'r2', '--format', 'name'), 'a\nb\n');
  await does('vnic', 'delete', 'r2', 'b');
  for (const [verb, state] of [['pause', 'paused'], ['stop', 'stopped']]) {
    await does('router', verb, 'r2');
    assert.equal((await must('GET', '/v1/routers/r2')).json.status.state, state);
  }
  await does('router', 'start', 'r2');
  assert.equal(await does('router', 'delete', 'r2'), '');
  assert.equal((await ctl(['router', 'get', 'r2'])).code, 3);
});

test('a router that runs: routes, pipeline, counters', {skip}, async () => {
  await reset();
  await must('PUT', '/v1/routers/r1/routes', '\n', lines);
  const counts = await doc('route', 'add', 'r1', '192.0.2.0/24', '--via', '198.18.2.9');
  assert.equal(counts.added, 1);
  assert.equal((await doc('route', 'delete', 'r1', '192.0.2.0/24')).deleted, 1);
  let many = '';
  for (let i = 0; i < 3000; i++)
    many += `{"prefix": "10.${i >> 8}.${i & 255}.0/24", "via": "198.18.2.9"}\n`;
  const put = await ctl(['route', 'put', 'r1', '-', '--format', 'json'], {stdin: many});
  assert.equal(put.code, 0, put.err);
  assert.equal(JSON.parse(put.out).routes, 3000);
  // they come back in pages; all of them are printed
  assert.equal((await doc('route', 'list', 'r1', '--source', 'api')).routes.length, 3000);
  const text = pipeline('bycli');
  const made = await ctl(['pipeline', 'put', 'r1', '-', '--format', 'json'], {stdin: text});
  assert.equal(made.code, 0, made.err);
  const {revision} = JSON.parse(made.out);
  assert.equal(await does('pipeline', 'get', 'r1'), text);
  assert.equal(await does('pipeline', 'revision', 'r1', `${revision}`), text);
  const bad = await ctl(['pipeline', 'put', 'r1', '-'], {stdin: '\n\nlocal x = = 1'});
  assert.equal(bad.code, 5);
  assert.match(bad.err, /^line: 3$/m);
  assert.equal((await doc('pipeline', 'rollback', 'r1', '0')).revision, 0);
  assert.match(await does('stats', 'r1'), /^VNIC .*\nlan /);
  const top = await does('top', '--count', '2', '--interval', '1');
  assert.equal(top.match(/^r1 .*running/gm).length, 2);
  assert.ok(!top.includes('\x1b'));
  await must('PUT', '/v1/routers/r1/routes', '\n', lines);
});

test('what is refused', {skip}, async () => {
  await reset();
  const before = (await must('GET', '/v1/routers')).json.items.length;
  for (const [args, code, words] of [
    [['router', 'create', 'r1'], 4, /r1 exists\nremedy: /],
    [['router', 'create', 'r2', '--vnic', 'a,port=p7', '--quota', 'pids=1,cpu_millis=1'], 5, /^ {2}\/spec\/quota\/pids: /m],
    [['router', 'get', 'r9'], 3, /r9/],
    [['router', 'get', '../../etc'], 3, /remedy/],
    [['--project', 'nobodys', 'router', 'list'], 3, /remedy/],
    [['router', 'create', 'r2', '--quota', 'mem_bytes=1TiB,pool_slots=65536'], 7, /^best: \d/m],
    [['--if-match', 'old', 'router', 'set', 'r1', '--label', 'a=b'], 4, /^etag: /m],
    [['port', 'delete', 'p0'], 4, /remedy/],
    [['api', 'DELETE', '/v1/routers'], 5, /remedy/]]) {
    const a = await ctl(args);
    assert.equal(a.code, code, `${args.join(' ')}: ${a.err}`);
    assert.match(a.err, words);
    assert.equal(a.out, '');
  }
  const dry = await ctl(['--dry-run', 'router', 'create', 'r2']);
  assert.equal(dry.code, 0, dry.err);
  assert.match(dry.out, /^name: r2$/m);
  assert.equal((await must('GET', '/v1/routers')).json.items.length, before);
});

// What a node has, without what differs by time.
async function state() {
  const all = [];
  for (const kind of ['ports', 'routers'])
    for (const o of (await must('GET', `/v1/${kind}`)).json.items)
      all.push([o.kind, o.name, o.labels, o.spec]);
  for (const name of ['r1', 'r2']) {
    const {json} = await must('GET', `/v1/routers/${name}/pipeline`);
    all.push(json.text);
  }
  all.push((await must('GET', '/v1/routers/r1/routes?source=api')).json.routes);
  return all;
}

test('backup, and restore of all of it', {skip}, async () => {
  await reset();
  const file = join(folder, 'backup.json');
  const {dataplane} = (await must('GET', '/v1/routers/r1')).json.spec;
  await must('POST', '/v1/routers', {name: 'r2', labels: {k: 'v'}, spec: {dataplane,
    vnics: [{name: 'x', attach: {router: 'r1', vnic: 'lan'}}]}});
  await comesToRun('r2');
  await must('PUT', '/v1/routers/r1/pipeline', pipeline('kept'), lua);
  await must('PUT', '/v1/routers/r2/pipeline', pipeline('asleep'), lua);
  await must('PUT', '/v1/routers/r2/power', {desired: 'stopped'});
  await must('PUT', '/v1/routers/r1/routes',
    '{"prefix": "203.0.113.0/24", "via": "198.18.2.9"}\n', lines);
  const made = await ctl(['backup', file]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, /router r2 does not run/);
  const before = await state();
  let a = await ctl(['restore', file, '--dry-run']);
  assert.equal(a.code, 0, a.out + a.err);
  // all of it gone
  await empty();
  a = await ctl(['restore', file, '--dry-run']);
  assert.equal(a.code, 10, a.out + a.err);
  assert.equal((await must('GET', '/v1/routers')).json.items.length, 0);
  a = await ctl(['restore', file, '--format', 'json']);
  assert.equal(a.code, 0, a.out + a.err);
  assert.deepEqual(await state(), before);
  assert.equal((await must('GET', '/v1/routers/r2')).json.status.state, 'stopped');
  // again: nothing changes
  a = await ctl(['restore', file, '--format', 'json']);
  assert.equal(a.code, 0, a.out + a.err);
  assert.ok(JSON.parse(a.out).items.every((i) => i.result === 'unchanged'), a.out);
  // a part of it different, and an address in the way
  await must('PATCH', '/v1/routers/r1', {labels: {new: '1'}, spec: {vnics: []}});
  await must('POST', '/v1/ports', {name: 'p9', spec: {devargs: 'net_null9,no-rx=1'}});
  a = await ctl(['restore', file, '--format', 'csv']);
  assert.equal(a.code, 0, a.out + a.err);
  assert.match(a.out, /^Router,r1,changed/m);
  assert.match(a.out, /^Router,r2,unchanged/m);
  assert.equal((await request('GET', '/v1/ports/p9')).status, 200);
  // and without what is not in it, if that was meant
  await must('POST', '/v1/routers', {name: 'r9', spec: {power: 'stopped',
    vnics: [{name: 'x'}]}});
  await must('POST', '/v1/links', {name: 'l9', spec: {ends: ['r9:x', 'port:p9']}});
  a = await ctl(['restore', file, '--prune'], {stdin: ''});
  assert.equal(a.code, 2, a.out + a.err);
  assert.match(a.err, /Link l9 .*\n.*Router r9 .*\n.*Port p9 of project default\n.*say --yes/);
  a = await ctl(['restore', file, '--prune', '--dry-run', '--format', 'csv']);
  assert.equal(a.code, 10, a.out + a.err);
  assert.match(a.out,
    /^Link,l9,removed,-,default\nRouter,r9,removed,-,default\nPort,p9,removed,-,default$/m);
  for (const path of ['links/l9', 'routers/r9', 'ports/p9'])
    await must('GET', `/v1/${path}`);
  a = await ctl(['restore', file, '--prune', '--yes']);
  assert.equal(a.code, 0, a.out + a.err);
  for (const path of ['links/l9', 'routers/r9', 'ports/p9'])
    assert.equal((await request('GET', `/v1/${path}`)).status, 404);
  assert.deepEqual(await state(), before);
  a = await ctl(['restore', file, '--prune']);
  assert.equal(a.code, 0, a.out + a.err);
  // what may not go stays, and is said to
  await must('POST', '/v1/routers', {name: 'r8', spec: {power: 'stopped', protected: true}});
  a = await ctl(['restore', file, '--prune', '--yes', '--format', 'csv']);
  assert.equal(a.code, 4, a.out + a.err);
  assert.match(a.out, /^Router,r8,refused,protected,default$/m);
  await must('PATCH', '/v1/routers/r8', {spec: {protected: false}});
  await must('DELETE', '/v1/routers/r8');
});

test('a backup that is none, and one that cannot be', {skip}, async () => {
  await reset();
  for (const text of ['{}', '[]', 'x', '{"kind": "EuropaBackup", "version": 3}',
    '{"kind": "EuropaBackup", "version": 2}',
    '{"kind": "EuropaBackup", "version": 2, "projects": [{"routers": [{"name": "r7"}]}]}']) {
    const a = await ctl(['restore', '-'], {stdin: text});
    assert.equal(a.code, 5, text);
  }
  const port = {name: 'p5', spec: {devargs: 'net_nosuchdriver0'}};
  const good = {name: 'p6', spec: {devargs: 'net_null6,no-rx=1', mtu: 1500}};
  const a = await ctl(['restore', '-', '--format', 'csv'], {stdin: JSON.stringify(
    {kind: 'EuropaBackup', version: 1, ports: [port, good]})});
  assert.equal(a.code, 5, a.err);
  assert.match(a.err, /devargs/);
  assert.match(a.out, /^Port,p5,refused,invalid,-$/m);
  assert.match(a.out, /^Port,p6,created/m);
  await must('DELETE', '/v1/ports/p6');
});

test('completion offers what there is', {skip}, async () => {
  await reset();
  for (const [words, expected] of [
    [['rou'], ['router', 'route']],
    [['router', 're'], ['restart']],
    [['router', 'get', ''], ['r1']],
    [['--debug', '--project', 'default', 'vnic', 'get', 'r1', 'l'], ['lan']],
    [['pipeline', 'revision', 'r1', ''], null],
    [['port', 'delete', 'p'], ['p0', 'p1']],
    [['router', 'list', '--format', 'c'], ['csv']],
    [['route', 'list', 'r1', '--so'], ['--source']],
    [['completion', ''], ['bash', 'zsh', 'fish']],
    [['router', 'create', ''], []]]) {
    const out = await does('__complete', ...words);
    if (expected) assert.deepEqual(out.split('\n').filter(Boolean), expected, words);
    else assert.match(out, /^\d+$/m);
  }
  const none = await run(['__complete', 'router', 'get', ''],
    {env: {EUROPA_SERVER: join(folder, 'none')}});
  assert.deepEqual([none.code, none.out, none.err], [0, '', '']);
  const script = `source <(${program} completion bash)
    COMP_WORDS=(${program} router get r) COMP_CWORD=3
    _europactl; echo "\${COMPREPLY[@]}"`;
  assert.equal(execFileSync('bash', ['-c', script], {env: {...process.env, ...env}})
    .toString(), 'r1\n');
});

// The shell, and what is said where it is not installed.
const lacks = (shell) => skip || (['/bin', '/usr/bin', '/usr/local/bin'].some((d) =>
  existsSync(join(d, shell))) ? false : `${shell} is not installed`);
const shellEnv = {...env, HOME: folder, PATH: `${join(program ?? '', '..')}:${process.env.PATH}`};

for (const shell of ['bash', 'zsh', 'fish'])
  test(`the script for ${shell} is one`, {skip: lacks(shell)}, async () => {
    const script = join(folder, `script.${shell}`);
    writeFileSync(script, await does('completion', shell));
    execFileSync(shell, ['-n', script], {env: shellEnv, timeout: 20000});
  });

test('fish completes the name of a router', {skip: lacks('fish')}, async () => {
  await reset();
  const out = execFileSync('fish', ['--no-config', '-c', `europactl completion fish | source
    complete -C 'europactl router get r'`], {env: shellEnv, cwd: '/', timeout: 20000}).toString();
  assert.match(out, /^r1$/m);
  assert.doesNotMatch(out, /^lan$/m);
});

// On a terminal of its own: what is typed, a tab, and a key that shows the line.
test('zsh completes the name of a router', {skip: lacks('zsh')}, async () => {
  await reset();
  const script = `zmodload zsh/zpty && zpty t zsh -fi
    zpty -w t 'autoload -Uz compinit; compinit -u; source <(europactl completion zsh)'
    zpty -w t 'show() { print -r -- "<$BUFFER>" }; zle -N show; bindkey "^Xs" show; print READ""Y'
    zpty -r t out '*READY*'
    zpty -w -n t $'europactl router get r\\t\\C-Xs'
    zpty -r t out '*<europactl router get r*>*'
    print -r -- "$out"`;
  const out = execFileSync('zsh', ['-f', '-c', script],
    {env: {...shellEnv, TERM: 'dumb'}, cwd: '/', timeout: 20000}).toString();
  assert.match(out, /<europactl router get r1 ?>/);
});

test('the doctor looks at the node', {skip}, async () => {
  await reset();
  const a = await ctl(['doctor', '--format', 'json']);
  assert.ok([0, 78].includes(a.code), a.err);
  const {checks} = JSON.parse(a.out);
  assert.equal(a.code, checks.some((c) => c.state === 'FAIL') ? 78 : 0);
  for (const name of ['europad', 'europa-dataplane', 'port p0'])
    assert.equal(checks.find((c) => c.name === name).state, 'OK', name);
  for (const c of checks) assert.equal(c.state === 'OK', c.cure === undefined, c.name);
  const away = await run(['doctor', '--server', join(folder, 'none'), '--format', 'json']);
  assert.equal(away.code, 78);
  const found = JSON.parse(away.out).checks.find((c) => c.name === 'europad');
  assert.equal(found.state, 'FAIL');
  assert.match(found.cure, /systemctl/);
});
