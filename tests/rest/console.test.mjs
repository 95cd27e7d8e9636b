// SPDX-License-Identifier: Apache-2.0
// console: a terminal in a router's container over a WebSocket, whose frames are
// made and read here by hand.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {empty, must, request, reset, skip, socketPath, until} from './client.mjs';

const at = '/v1/routers/r1/console';
const good = {Connection: 'Upgrade', Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='};
const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];

before(async () => { if (!skip) await reset(); });
after(async () => { if (!skip) await empty(); });

// A frame as a client sends it.
function frame(opcode, payload, {last = true, mask = [1, 2, 3, 4]} = {}) {
  const b = Buffer.from(payload);
  const head = b.length < 126 ? [b.length | 128] : [126 | 128, b.length >> 8, b.length & 255];
  return Buffer.concat([Buffer.from([opcode | (last ? 128 : 0), ...head, ...mask]),
    b.map((v, i) => v ^ mask[i % 4])]);
}

class Console {
  constructor(socket, rest) {
    Object.assign(this, {socket, shown: '', frames: [], ended: false, rest: Buffer.alloc(0)});
    socket.on('data', (c) => this.take(c));
    socket.on('close', () => { this.ended = true; });
    socket.on('error', () => {});
    this.take(rest);
  }
  take(bytes) {
    this.rest = Buffer.concat([this.rest, bytes]);
    for (;;) {
      const b = this.rest;
      if (b.length < 2) return;
      const head = (b[1] & 127) === 126 ? 4 : 2;
      if (b.length < head) return;
      const n = head === 4 ? b.readUInt16BE(2) : b[1] & 127;
      if (b.length < head + n) return;
      assert.equal(b[0] & 0xf0, 0x80);
      const payload = b.subarray(head, head + n);
      if ((b[0] & 15) === BINARY) this.shown += payload;
      else this.frames.push([b[0] & 15, Buffer.from(payload)]);
      this.rest = b.subarray(head + n);
    }
  }
  type(text) { this.socket.write(frame(BINARY, text)); }
  sees(re) { return until(() => assert.match(this.shown, re)); }
  get(opcode) {
    return until(() => {
      const f = this.frames.find(([o]) => o === opcode);
      assert.ok(f);
      return f[1];
    });
  }
}

function open(headers = good, path = at) {
  return new Promise((done, failed) => {
    const rq = http.get({socketPath, path, agent: false, headers});
    rq.on('upgrade', (rs, socket, head) => done({rs, c: new Console(socket, head)}));
    rq.on('response', (rs) => { rs.resume(); done({rs}); });
    rq.on('error', failed);
  });
}

test('a shell on a terminal', {skip}, async () => {
  const {rs, c} = await open();
  assert.equal(rs.statusCode, 101);
  assert.equal(rs.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  c.type('tty && echo $((6 * 7))\n');
  await c.sees(/\/dev\/pts\/\d+\r\n42\r\n/);
  c.type('stty size\n');
  await c.sees(/24 80\r\n/);
  c.socket.write(frame(TEXT, '{"rows": 50, "columns": 132}'));
  c.type('stty size\n');
  await c.sees(/50 132\r\n/);
  c.type('exit 5\n');
  assert.deepEqual(JSON.parse(await c.get(TEXT)), {exit_code: 5, signal: null});
  assert.equal((await c.get(CLOSE)).readUInt16BE(0), 1000);
  await until(() => assert.ok(c.ended));
});

test('fragments, pings, and a client that closes', {skip}, async () => {
  const {c} = await open();
  c.socket.write(Buffer.concat([frame(BINARY, 'echo o', {last: false}),
    frame(PING, 'are you there'), frame(0, 'ne-', {last: false}), frame(0, 'two\n')]));
  await c.sees(/one-two\r\n[^]*one-two\r\n/);
  assert.equal((await c.get(PONG)).toString(), 'are you there');
  c.socket.write(frame(CLOSE, Buffer.from([3, 232])));
  assert.equal((await c.get(CLOSE)).readUInt16BE(0), 1000);
  await until(() => assert.ok(c.ended));
});

test('what is no WebSocket is refused', {skip}, async () => {
  for (const [name, value] of [['Upgrade', 'h2c'], ['Connection', 'close'],
    ['Sec-WebSocket-Version', '8'], ['Sec-WebSocket-Key', 'short']]) {
    const {rs} = await open({...good, [name]: value});
    assert.equal(rs.statusCode, 400, name);
  }
  assert.equal((await request('GET', at)).status, 400);
  assert.equal((await open(good, '/v1/routers/none/console')).rs.statusCode, 404);
});

test('frames that must not be end it, with their code', {skip}, async () => {
  for (const [bytes, code] of [
    [Buffer.from([0x82, 1, 65]), 1002], // not masked
    [Buffer.from([0xc2, 0x81, 0, 0, 0, 0, 65]), 1002], // an extension
    [Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
    [frame(0, 'continues nothing'), 1002],
    [Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]), 1009],
    [frame(TEXT, 'x'.repeat(300)), 1009],
    [frame(TEXT, '{"rows": 0, "columns": 80}'), 1008],
    [frame(TEXT, 'no JSON'), 1008],
  ]) {
    const {c} = await open();
    c.socket.write(bytes);
    assert.equal((await c.get(CLOSE)).readUInt16BE(0), code, bytes.toString('hex'));
    await until(() => assert.ok(c.ended));
  }
});

test('a client that goes away ends its shell; one that does not read makes it wait', {skip},
  async () => {
    const {c} = await open();
    c.type('echo pid=$$; sleep 999.5 & yes\n');
    const pid = (await (await c.sees(/pid=\d+/), c.shown)).match(/pid=(\d+)/)[1];
    c.socket.pause();
    await must('GET', '/v1/routers/r1');
    c.socket.destroy();
    const {text} = await must('POST', '/v1/routers/r1/exec', {argv: ['sh', '-c',
      `i=0; while kill -0 ${pid} 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; ` +
      `kill -0 ${pid} 2>/dev/null && echo there; true`]});
    assert.ok(!text.includes('there'), text);
  });

test('a router that ends takes it along', {skip}, async () => {
  const {c} = await open();
  c.type('echo begun\n');
  await c.sees(/begun\r\n/);
  await must('PUT', '/v1/routers/r1/power', {desired: 'stopped'});
  await until(() => assert.ok(c.ended));
  assert.equal((await open()).rs.statusCode, 409);
  await must('PUT', '/v1/routers/r1/power', {desired: 'running'});
});
