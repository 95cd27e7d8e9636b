// SPDX-License-Identifier: Apache-2.0
// cli_server: europactl against a server that says what a test wants: every
// exit code, what is sent, pages, TLS with a pinned certificate. No node.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {chmodSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import {folder, program, run} from './cli.mjs';

const skip = program ? false : 'EUROPACTL names no program';

const cert = `-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUQSN+xnJQvtoECh0wuwLX/M81hqMwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLZXVyb3BhLXRlc3QwIBcNMjYxMTIyMTQwNTA0WhgPMjA1OTA5
MzAxNDA1MDRaMBYxFDASBgNVBAMMC2V1cm9wYS10ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEYRmha1Z7OCJk/lHMqJzhMprSvuNej4kIrNUEGi4uNLUl2oj+
O00zFlt/WNMIUjpYCZBqwe1aBT2xG8copQGlpKNTMFEwHQYDVR0OBBYEFDYb9v8E
/btSzJibU8Q7Gx9X8CKjMB8GA1UdIwQYMBaAFDYb9v8E/btSzJibU8Q7Gx9X8CKj
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgYyYquqaB5bxudAaz
XQa9MVTQ+uZWtYBi5/MmpEa5i6ICIQDJuk1mQ9+M3QHIRB4voaIdFYopuybW9csI
9f3QQWksLg==
-----END CERTIFICATE-----
`;
// of the certificate above, made for this test and used nowhere else
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLLF6Rrr5rd1wZsKO
VOznrfpVxozejFDRKH5DoJIEYW+hRANCAARhGaFrVns4ImT+UcyonOEymtK+416P
iQis1QQaLi40tSXaiP47TTMWW39Y0whSOlgJkGrB7VoFPbEbxyilAaWk
-----END PRIVATE KEY-----
`;
const fingerprint =
  'sha256:e562123676fd5b4848e5f0a5bffb2d7e7f1cc60c3bdee4581eaa654caf19b224';

const socket = join(folder, 'api.sock');
let answer = () => [200, {}];  // of a request: [status, document, headers]
let seen = [];
let plain, secure, secureUrl;

function serve(rq, rs) {
  const chunks = [];
  rq.on('data', (c) => chunks.push(c));
  rq.on('end', () => {
    const r = {method: rq.method, url: rq.url, headers: rq.headers,
      body: Buffer.concat(chunks).toString()};
    seen.push(r);
    const [status, doc, headers = {}] = answer(r);
    const text = doc === undefined ? '' :
      typeof doc === 'string' ? doc : JSON.stringify(doc);
    rs.writeHead(status, {'Content-Type': 'application/json', ...headers});
    rs.end(text);
  });
}

before(async () => {
  plain = http.createServer(serve);
  secure = https.createServer({cert, key}, serve);
  await new Promise((done) => plain.listen(socket, done));
  await new Promise((done) => secure.listen(0, '127.0.0.1', done));
  secureUrl = `https://127.0.0.1:${secure.address().port}`;
});
after(() => { plain.close(); secure.close(); secure.closeAllConnections?.(); });

async function ctl(args, options = {}) {
  seen = [];
  return run(['--server', socket, ...args], options);
}

for (const [status, code, exit] of [[400, 'not-json', 5], [401, 'no-token', 6],
  [403, 'denied', 6], [404, 'not-found', 3], [405, 'bad-method', 5],
  [409, 'exists', 4], [409, 'quota-exceeded', 7], [412, 'stale', 4],
  [413, 'too-large', 5], [415, 'media-type', 5], [422, 'invalid', 5],
  [429, 'too-many', 7], [500, 'failed', 1], [503, 'busy', 9],
  [504, 'not-applied', 8], [504, 'no-answer', 9], [507, 'no-memory', 7]]) {
  test(`${status} ${code} ends with ${exit}`, {skip}, async () => {
    answer = () => [status, {status, code, detail: `what ${code} is`,
      remedy: 'do this', errors: [{pointer: '/a', detail: 'wrong'}]},
    {'Content-Type': 'application/problem+json'}];
    for (const args of [['router', 'get', 'r1'], ['api', 'GET', '/v1/routers/r1']]) {
      const a = await ctl(args);
      assert.equal(a.code, exit, a.err);
      assert.match(a.err, new RegExp(`what ${code} is\n  /a: wrong\n`));
      assert.match(a.err, /remedy: do this/);
      assert.equal(a.out, '');
    }
  });
}

test('nobody there: 9; not for us: 6; wrong words: 2', {skip}, async () => {
  const none = await run(['--server', join(folder, 'none.sock'), 'router', 'list']);
  assert.equal(none.code, 9);
  assert.match(none.err, /none\.sock.*\nremedy: /);
  const port = await run(['--server', 'http://127.0.0.1:1', 'router', 'list']);
  assert.equal(port.code, 9);
  for (const args of [[], ['router'], ['router', 'fly'], ['--format', 'xml', 'node'],
    ['--server', 'ftp://x', 'node'], ['--server', 'unknown', 'node'],
    ['quota', 'set', 'r1', 'x'], ['pipeline', 'put', 'r1', '/nonexistent']])
    assert.equal((await run(args)).code, 2, args.join(' '));
  if (process.getuid() === 0) {
    // setpriv: another user, who may not speak to the socket
    chmodSync(folder, 0o755);
    chmodSync(socket, 0o600);
    try {
      execFileSync('setpriv', ['--reuid=65534', '--clear-groups', program,
        '--server', socket, 'node'], {stdio: 'pipe'});
      assert.fail('it spoke');
    } catch (e) {
      assert.equal(e.status, 6, `${e.stderr ?? e}`);
      assert.match(`${e.stderr}`, /usermod -aG europa/);
    }
  }
});

test('what is sent', {skip}, async () => {
  answer = (r) => r.method === 'DELETE' ? [204] : [200, {name: 'r1', spec: {}}];
  await ctl(['--project', 'blue team', '--if-match', 'abc', '--async', '--dry-run',
    'router', 'set', 'r1', '--quota', 'pids=64']);
  assert.equal(seen[0].method, 'PATCH');
  assert.equal(seen[0].url, '/v1/routers/r1?project=blue%20team&dry_run=true');
  assert.equal(seen[0].headers['if-match'], '"abc"');
  assert.equal(seen[0].headers.prefer, 'respond-async');
  assert.deepEqual(JSON.parse(seen[0].body), {spec: {quota: {pids: 64}}});
  await ctl(['router', 'delete', '..']);
  assert.equal(seen[0].url, '/v1/routers/..');
  await ctl(['--key', 'k1', 'router', 'create', 'r1']);
  assert.equal(seen[0].headers['idempotency-key'], 'k1');
  await ctl(['--key', 'k1', 'router', 'put', 'r1']);
  assert.equal(seen[0].headers['idempotency-key'], undefined);
  const gone = await ctl(['router', 'delete', 'r1']);
  assert.deepEqual([gone.code, gone.out, gone.err], [0, '', '']);
  assert.equal(seen[0].headers['content-type'], undefined);
  await ctl(['router', 'create', 'r1', '-f', '-', '--label', 'a=b'],
    {stdin: '{"labels": {"c": "d"}, "spec": {"template": "bird"}}'});
  assert.deepEqual(JSON.parse(seen[0].body), {name: 'r1',
    labels: {a: 'b', c: 'd'}, spec: {template: 'bird'}});
  const bad = await ctl(['router', 'create', 'r1', '-f', '-'], {stdin: '{\n"a": }'});
  assert.equal(bad.code, 2);
  assert.match(bad.err, /-:2: /);
  assert.equal(seen.length, 0);
  await ctl(['api', 'put', '/v1/x?y=z', '-', '--type', 'text/plain'], {stdin: 'body'});
  assert.deepEqual([seen[0].method, seen[0].url, seen[0].headers['content-type'],
    seen[0].body], ['PUT', '/v1/x?y=z', 'text/plain', 'body']);
});

test('a file of lines is streamed', {skip}, async () => {
  answer = () => [200, {routes: 20000, applied: true}];
  const lines = '{"prefix": "192.0.2.0/24", "vnic": "lan"}\n'.repeat(20000);
  const file = join(folder, 'routes');
  writeFileSync(file, lines);
  let a = await ctl(['route', 'put', 'r1', file]);
  assert.equal(a.code, 0, a.err);
  assert.match(a.out, /^ROUTES.*\n +20000 /);
  assert.equal(seen[0].headers['content-length'], `${lines.length}`);
  assert.equal(seen[0].headers['content-type'], 'application/x-ndjson');
  assert.equal(seen[0].body, lines);
  a = await ctl(['route', 'put', 'r1', '-'], {stdin: lines});
  assert.equal(a.code, 0, a.err);
  assert.equal(seen[0].headers['transfer-encoding'], 'chunked');
  assert.equal(seen[0].body, lines);
});

test('all pages of a list are one', {skip}, async () => {
  answer = (r) => {
    const at = Number(new URL(r.url, 'http://x').searchParams.get('cursor') ?? 0);
    return [200, {items: [{name: `r${at}`}], next: at < 3 ? `${at + 1}` : null}];
  };
  const names = await ctl(['--project', 'p', 'router', 'list', '--format', 'name']);
  assert.equal(names.out, 'r0\nr1\nr2\nr3\n');
  assert.ok(seen.every((r) => r.url.includes('project=p')));
  const json = await ctl(['router', 'list', '--format', 'json']);
  assert.deepEqual(JSON.parse(json.out), {items: [{name: 'r0'}, {name: 'r1'},
    {name: 'r2'}, {name: 'r3'}], next: null});
});

test('the curl line of --debug does the same', {skip}, async () => {
  answer = () => [200, {name: 'r1'}];
  for (const args of [['router', 'create', "r1's", '--label', 'a=$x "`\\'],
    ['router', 'get', 'a b'], ['router', 'get', '..'], ['port', 'delete', 'p0'],
    ['api', 'POST', '/v1/x', '@not-a-file']]) {
    if (args.at(-1) === '@not-a-file') args[3] = '{"@": "!"}';
    const a = await ctl(['--debug', '--if-match', 'x"y', ...args]);
    assert.equal(a.code, 0, a.err);
    const [ours] = seen;
    seen = [];
    const line = a.err.split('\n')[0];
    assert.match(line, /^curl -sS/);
    const {status} = await import('node:child_process').then(({spawn}) =>
      new Promise((done) => spawn('sh', ['-c', line], {stdio: 'ignore'})
        .on('close', (status) => done({status}))));
    assert.equal(status, 0, line);
    assert.equal(seen.length, 1);
    for (const k of ['method', 'url', 'body'])
      assert.equal(seen[0][k], ours[k], line);
    assert.equal(seen[0].headers['if-match'], ours.headers['if-match']);
    if (ours.body)
      assert.equal(seen[0].headers['content-type'], ours.headers['content-type']);
  }
});

test('HTTPS: the pinned certificate and no other', {skip}, async () => {
  answer = () => [200, {name: 'node'}];
  const env = {EUROPA_TOKEN: 'secret-token'};
  const speak = (args, more = {}) => {
    seen = [];
    return run(['--server', secureUrl, ...args, 'node'], {env: {...env, ...more}});
  };
  let a = await speak(['--fingerprint', fingerprint]);
  assert.equal(a.code, 0, a.err);
  assert.equal(seen[0].headers.authorization, 'Bearer secret-token');
  // nothing is sent to another, above all no token
  a = await speak(['--fingerprint', fingerprint.replace(/4$/, '5')]);
  assert.equal(a.code, 9);
  assert.match(a.err, /its certificate is sha256:e5621236.*nothing was sent/);
  assert.equal(seen.length, 0);
  a = await speak([]);
  assert.equal(a.code, 9);
  assert.equal(seen.length, 0);
  a = await speak(['--fingerprint', 'sha256:12']);
  assert.equal(a.code, 2);
  a = await speak(['--debug'], {EUROPA_FINGERPRINT: fingerprint.toUpperCase()});
  assert.equal(a.code, 0, a.err);
  const line = a.err.split('\n')[0];
  assert.ok(!line.includes('secret-token'));
  seen = [];
  const {spawn} = await import('node:child_process');
  const status = await new Promise((done) => spawn('sh', ['-c', line],
    {stdio: 'ignore', env: {...process.env, ...env}}).on('close', done));
  assert.equal(status, 0, line);
  assert.equal(seen[0].headers.authorization, 'Bearer secret-token');
  // and not in the clear
  a = await run(['--server', 'http://192.0.2.1:8780', 'node'], {env});
  assert.equal(a.code, 2);
  assert.match(a.err, /token/);
});

test('a console over HTTPS', {skip}, async () => {
  let spoil = '', upgrades = [];
  secure.removeAllListeners('upgrade');
  secure.on('upgrade', (rq, s, first) => {
    upgrades.push(rq);
    const sum = createHash('sha1').update(rq.headers['sec-websocket-key'] +
      '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    // the first frames come with the head
    s.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n' +
      `Connection: Upgrade\r\nSec-WebSocket-Accept: ${spoil}${sum}\r\n\r\n` +
      '\x02\x02sh' + '\x80\x03own', 'latin1');
    s.on('error', () => {});
    let got = first;
    s.on('data', (d) => {
      got = Buffer.concat([got, d]);
      if (got.length < 6 + 5) return; // all that is typed, masked
      const typed = got.subarray(6, 11).map((b, i) => b ^ got[2 + i % 4]);
      const end = `{"exit_code": ${typed.toString() === 'typed' ? 5 : 99}, "signal": null}`;
      s.end(Buffer.concat([Buffer.from([0x81, end.length]), Buffer.from(end),
        Buffer.from([0x88, 0])]));
    });
  });
  const console = (pin) => run(['--server', secureUrl, '--fingerprint', pin,
    'console', 'r1'], {env: {EUROPA_TOKEN: 'secret-token'}, stdin: 'typed'});
  let a = await console(fingerprint);
  assert.equal(a.code, 5, a.err);
  assert.equal(a.out, 'shown');
  assert.equal(upgrades[0].url, '/v1/routers/r1/console');
  assert.equal(upgrades[0].headers.authorization, 'Bearer secret-token');
  spoil = 'x';
  a = await console(fingerprint);
  assert.equal(a.code, 1, a.err);
  upgrades = [];
  a = await console(fingerprint.replace(/4$/, '5'));
  assert.equal(a.code, 9, a.err);
  assert.equal(upgrades.length, 0);
  // a refusal is one as ever
  secure.removeAllListeners('upgrade');
  const no = JSON.stringify({code: 'not-found', detail: 'no r1', remedy: 'look'});
  answer = () => [404, no, {'Content-Length': no.length}];
  a = await console(fingerprint);
  assert.equal(a.code, 3, a.err);
  assert.match(a.err, /no r1\nremedy: look/);
});

test('servers are remembered, for their owner alone', {skip}, async () => {
  answer = () => [200, {name: 'node'}];
  const token = join(folder, 'token');
  writeFileSync(token, 'file-token\n');
  let a = await run(['config', 'add', 'lab', secureUrl]);
  assert.equal(a.code, 6);
  assert.ok(a.err.includes(fingerprint), a.err);
  a = await run(['config', 'add', 'lab', secureUrl, '--trust', '--token-file',
    token, '--project', 'blue']);
  assert.equal(a.code, 0, a.err);
  const file = join(folder, '.config/europa/servers.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(JSON.parse(readFileSync(file)).servers.lab.fingerprint, fingerprint);
  seen = [];
  a = await run(['node']);
  assert.equal(a.code, 0, a.err);
  assert.equal(seen[0].headers.authorization, 'Bearer file-token');
  assert.equal(seen[0].url, '/v1?project=blue');
  // a token belongs to its server: another URL does not get it
  seen = [];
  a = await run(['--server', socket, 'node']);
  assert.equal(a.code, 0, a.err);
  assert.equal(seen[0].headers.authorization, undefined);
  a = await run(['config', 'add', 'here', socket]);
  assert.equal(a.code, 0, a.err);
  a = await run(['config', 'list', '--format', 'csv']);
  assert.match(a.out, /^NAME,CURRENT,.*\nhere,no,.*\nlab,yes,https.*,yes\n/);
  assert.ok(!a.out.includes('file-token'));
  assert.equal((await run(['config', 'use', 'here'])).code, 0);
  assert.equal((await run(['config', 'remove', 'lab'])).code, 0);
  assert.equal((await run(['config', 'use', 'lab'])).code, 3);
  assert.equal((await run(['--server', 'lab', 'node'])).code, 2);
  assert.equal((await run(['node'])).code, 0);
  assert.equal((await run(['config', 'remove', 'here'])).code, 0);
  // by the other noun
  for (const name of ['one', 'two'])
    assert.equal((await run(['remote', 'add', name, socket])).code, 0);
  assert.equal((await run(['remote', 'use', 'two'])).code, 0);
  assert.equal((await run(['remote', 'remove', 'one'])).code, 0);
  for (const noun of ['remote', 'config'])
    assert.match((await run([noun, 'list', '--format', 'csv'])).out, /\ntwo,yes,[^\n]*\n$/);
  assert.equal((await run(['remote', 'remove', 'two'])).code, 0);
});

test('a restore waits while a node is busy', {skip}, async () => {
  let n = 0;
  answer = (r) => r.method === 'GET' ? [404, {code: 'not-found', detail: 'no'}] :
    n++ < 2 ? [503, {code: 'busy', detail: 'try again'}] : [201, {name: 'p0'}];
  const a = await ctl(['restore', '-', '--format', 'csv'], {stdin: JSON.stringify({kind:
    'EuropaBackup', version: 1, ports: [{name: 'p0', spec: {devargs: 'net_null0'}}]})});
  assert.equal(a.code, 0, a.err);
  assert.match(a.out, /^Port,p0,created/m);
  assert.equal(n, 3);
});

// A node with one router, that runs what has no pipeline: its socket is not served.
function nodeOf(router, template) {
  return ({method, url}) => {
    if (url === '/v1') return [200, {name: 'n', version: '1'}];
    if (url.startsWith('/v1/templates/'))
      return url.endsWith(`/${router.spec.template}`) ? [200, template] : [404, {}];
    if (url.match(/\/(pipeline|routes)/))
      return [409, {code: 'wrong-state', detail: 'does not serve its socket'}];
    if (url === '/v1/routers/v1') return [200, router];
    if (method !== 'GET') return [500, {}];
    return [200, {items: url.startsWith('/v1/routers') ? [router] : [], next: null}];
  };
}

test('a template may name a data plane that has no pipeline', {skip}, async () => {
  const router = {name: 'v1', labels: {}, spec: {template: 'linux', dataplane: ''}};
  answer = nodeOf(router, {kind: 'Template', name: 'linux', dataplane: true});
  let a = await ctl(['backup', '-']);
  assert.equal(a.code, 0, a.err);
  assert.match(a.err, /router v1: its data plane has no pipeline/);
  const doc = JSON.parse(a.out);
  assert.deepEqual(doc.routers, [router]);
  // one of a router that was stopped then says that it ran the template's own
  doc.routers[0].pipeline = null;
  for (const more of [[], ['--dry-run']]) {
    a = await ctl(['restore', '-', ...more], {stdin: JSON.stringify(doc)});
    assert.equal(a.code, 0, a.err);
  }
  // europa-router that does not answer is another thing
  answer = nodeOf(router, {kind: 'Template', name: 'linux', dataplane: false});
  a = await ctl(['backup', '-']);
  assert.equal(a.code, 4);
  assert.match(a.err, /does not serve its socket/);
  assert.equal(a.out, '');
});

test('a backup of less than all does not look like one of all', {skip}, async () => {
  let status = 403;
  answer = ({method, url}) => method === 'PATCH' ?
    [status, {code: 'x', detail: 'no'}] :
    [200, {items: url === '/v1/projects' ? [{name: 'default'}] : [], next: null}];
  let a = await ctl(['backup', '-']);
  assert.equal(a.code, 0, a.err);
  assert.equal(JSON.parse(a.out).version, 1);
  assert.deepEqual(seen.filter((r) => r.method !== 'GET').map((r) => r.url),
    ['/v1/projects/default?dry_run=true']);
  status = 503;
  a = await ctl(['backup', '-']);
  assert.equal(a.code, 9, a.err);
  assert.equal(a.out, '');
  status = 200;
  a = await ctl(['backup', '-']);
  assert.equal(a.code, 0, a.err);
  assert.deepEqual(JSON.parse(a.out).projects.map((p) => p.name), ['default']);
});

test('prune leaves alone what it was not told of, and what has changed', {skip}, async () => {
  const things = [{name: 'x0'}, {name: 'x1'}];
  answer = ({method, url, headers}) => {
    if (method === 'DELETE')
      return headers['if-match'] === '"e7"' ? [204] :
        [412, {code: 'stale', detail: 'it has changed'}];
    if (/\/x\d$/.test(url))
      return [200, {}, {ETag: url.endsWith('x0') ? '"e7"' : '"e8"'}];
    return [200, {items: things, next: null}];
  };
  const a = await ctl(['restore', '-', '--prune', '--yes', '--format', 'csv'],
    {stdin: JSON.stringify({kind: 'EuropaBackup', version: 1, routers: [], links: null})});
  assert.equal(a.code, 4, a.err);
  assert.match(a.out, /^Router,x0,removed,-,-$/m);
  assert.match(a.out, /^Router,x1,refused,stale,-$/m);
  assert.match(a.err, /it has changed/);
  assert.deepEqual([...new Set(seen.filter((r) => r.method !== 'GET').map((r) => r.url))],
    ['/v1/routers/x0', '/v1/routers/x1']);
});

test('node stop asks the service manager, in order', {skip}, async () => {
  const bin = join(folder, 'bin'), log = join(folder, 'systemctl.log');
  mkdirSync(bin);
  // europad.socket is active; europad.service still is when asked at first
  writeFileSync(join(bin, 'systemctl'), `#!/bin/sh
echo "$*" >> ${log}
case "$*" in
*is-active*europad.service) [ "$(grep -c 'active.*service' ${log})" -lt \${ENDS-3} ] ;;
*kill*) exit \${KILLS-0} ;;
esac
`, {mode: 0o755});
  const stop = async (env, ...more) => {
    writeFileSync(log, '');
    const a = await run(['node', 'stop', ...more],
      {env: {PATH: `${bin}:${process.env.PATH}`, ...env}});
    return [a.code, readFileSync(log).toString().trim().split('\n'), a.err];
  };
  let [code, lines, err] = await stop({});
  assert.equal(code, 0, err);
  assert.deepEqual(lines, ['is-active --quiet europad.socket', 'stop europad.socket',
    'kill --kill-who=main --signal=SIGUSR1 europad.service',
    'is-active --quiet europad.service', 'is-active --quiet europad.service',
    'is-active --quiet europad.service', 'stop europa-dataplane.service']);
  [code, lines, err] = await stop({ENDS: '9999'}, '--for', '0');
  assert.equal(code, 8, err);
  assert.ok(!lines.includes('stop europa-dataplane.service'));
  [code, lines] = await stop({KILLS: '1'});
  assert.equal(code, 1);
  assert.ok(!lines.includes('stop europa-dataplane.service'));
  assert.equal((await run(['node', 'stop'], {env: {PATH: '/nonexistent'}})).code, 1);
});

test('wait-ready waits, and not for ever', {skip}, async () => {
  let n = 0;
  answer = () => n++ < 3 ? [503, {detail: 'not yet', code: 'starting'}] : [200, {}];
  assert.equal((await ctl(['wait-ready', '--for', '20'])).code, 0);
  assert.equal(n, 4);
  answer = () => [503, {detail: 'not yet', code: 'starting'}];
  const a = await ctl(['wait-ready', '--for', '0']);
  assert.equal(a.code, 9);
  assert.match(a.err, /not yet/);
});

test('on a terminal: a table that fits, a top that stays', {skip}, async () => {
  const {spawn} = await import('node:child_process');
  const terminal = (args) => new Promise((done) => {
    const line = `stty cols 40; ${[program, '--server', socket, ...args].join(' ')}`;
    const child = spawn('script', ['-qec', line, '/dev/null'],
      {stdio: ['ignore', 'pipe', 'ignore'], env: {...process.env, HOME: folder,
        SHELL: '/bin/bash'}});
    let out = '';
    child.stdout.on('data', (d) => { out += d; });
    child.on('close', (code) => done({code, out}));
  });
  answer = (r) => [200, r.url.includes('/stats') ? {vnics: [], rates: {rx_pps: 5}} :
    {items: [{name: 'r1', spec: {template: 'x'.repeat(90), vnics: []}, status:
      {state: '\x1b[2Jrunning'}}], next: null}];
  let a = await terminal(['router', 'list']);
  assert.equal(a.code, 0, a.out);
  for (const line of a.out.trimEnd().split(/\r?\n/))
    assert.ok(line.length <= 40, line);
  assert.ok(!a.out.includes('\x1b'));
  a = await terminal(['top', '--count', '2', '--interval', '1']);
  assert.equal(a.code, 0, a.out);
  assert.equal(a.out.split('\x1b[H\x1b[J').length, 3);
  assert.match(a.out, /^r1 +\?\[2~ +5 /m);
  // a body that takes its time has a bar, which goes away
  answer = () => [200, {routes: 1, applied: true}];
  const file = join(folder, 'long'), begun = join(folder, 'begun');
  writeFileSync(file, '{"prefix": "192.0.2.0/24", "vnic": "lan"}\n');
  plain.once('request', (rq) => rq.once('data', () => writeFileSync(begun, '')));
  a = await terminal(['route', 'put', 'r1', '-', `< <(cat ${file}; ` +
    `for i in {1..300}; do [ ! -e ${begun} ] || break; sleep 0.1; done; ` +
    `sleep 1; cat ${file}; sleep 0.3; cat ${file})`]);
  assert.equal(a.code, 0, a.out);
  assert.match(a.out, /\r\x1b\[K\[.*MiB/);
});

test('answers that are none end with 1', {skip}, async () => {
  for (const text of ['nonsense', '{"items": [', '\0']) {
    answer = () => [200, text];
    const a = await ctl(['router', 'list']);
    assert.equal(a.code, 1, JSON.stringify(text));
    assert.equal(a.out, '');
  }
  // of another shape: an empty table, not a crash
  for (const doc of [{}, {items: 7}, {items: [1, 'x', null, []]}, [], 7, null]) {
    answer = () => [200, doc];
    assert.ok((await ctl(['router', 'list'])).code !== null, JSON.stringify(doc));
    assert.ok((await ctl(['stats', 'r1'])).code !== null);
    assert.ok((await ctl(['top', '--count', '1'])).code !== null);
    assert.ok((await ctl(['backup'])).code !== null);
    assert.ok((await ctl(['doctor'])).code !== null);
  }
});
