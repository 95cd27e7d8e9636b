// SPDX-License-Identifier: Apache-2.0
// network: HTTPS, whose certificate the node has made; and clients that connect
// and say nothing, or little, on every port, while others are answered.
import assert from 'node:assert/strict';
import {X509Certificate, createHash} from 'node:crypto';
import {readFileSync, statSync} from 'node:fs';
import net from 'node:net';
import {after, before, test} from 'node:test';
import tls from 'node:tls';

import {bearer, empty, must, request, reset, skip, until} from './client.mjs';

const host = '127.0.0.1';
const https = {host, port: Number(process.env.EUROPA_HTTPS_PORT),
  rejectUnauthorized: false};
const plain = {host, port: Number(process.env.EUROPA_TCP_PORT)};
const state = process.env.EUROPA_STATE_DIR;
const skipNet = skip || (https.port && plain.port && state ? false :
  'the node was not started here');
let token;

before(async () => {
  if (skip) return;
  await reset();
  token = await bearer('net', {default: 'operator'});
});
after(async () => { if (!skip) await empty(); });

// The TLS connection, or the error with which it failed.
function connect(options) {
  return new Promise((done) => {
    const s = tls.connect({...https, ...options}, () => done(s));
    s.on('error', done);
  });
}

test('over TLS, with a token', {skip: skipNet}, async () => {
  assert.equal((await request('GET', '/v1', undefined, {}, https)).status, 401);
  const node = await request('GET', '/v1', undefined, token, https);
  assert.equal(node.status, 200, node.text);
  const made = await request('POST', '/v1/routers',
    {name: 'r2', spec: {power: 'stopped'}}, token, https);
  assert.equal(made.status, 201, made.text);
  assert.equal((await request('DELETE', '/v1/routers/r2', undefined, token, https)).status, 204);
  // any name of the node will do
  const named = await request('GET', '/v1', undefined,
    {...token, Host: 'node.example'}, https);
  assert.equal(named.status, 200, named.text);
});

test('the node says by what it is known', {skip: skipNet}, async () => {
  const {tls: said} = (await must('GET', '/v1')).json;
  const s = await connect();
  assert.ok(s instanceof tls.TLSSocket, String(s));
  const {raw} = s.getPeerCertificate();
  assert.match(s.getProtocol(), /^TLSv1\.[23]$/);
  s.destroy();
  assert.equal(createHash('sha256').update(raw).digest('hex'), said.fingerprint);
  const cert = new X509Certificate(readFileSync(`${state}/tls.crt`));
  assert.deepEqual(cert.raw, raw);
  const der = cert.publicKey.export({type: 'spki', format: 'der'});
  assert.equal(`sha256//${createHash('sha256').update(der).digest('base64')}`,
    said.public_key_pin);
  assert.ok(cert.checkHost('localhost') && cert.checkIP('127.0.0.1') &&
    cert.verify(cert.publicKey) && !cert.ca);
  assert.equal(statSync(`${state}/tls.key`).mode & 0o777, 0o600);
  // who pins it needs nothing else
  const pinned = await request('GET', '/healthz', undefined, {},
    {host, port: https.port, rejectUnauthorized: true, ca: cert.toString()});
  assert.equal(pinned.status, 200);
});

test('nothing before TLS 1.2, and no plain text', {skip: skipNet}, async () => {
  const old = await connect({minVersion: 'TLSv1', maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0'});
  assert.ok(old instanceof Error, String(old));
  const is12 = await connect({maxVersion: 'TLSv1.2'});
  assert.ok(is12 instanceof tls.TLSSocket, String(is12));
  is12.destroy();
  const answer = await request('GET', '/healthz', undefined, {},
    {host, port: https.port}).catch((e) => e);
  assert.ok(answer instanceof Error || answer.status === 400);
});

// n connections from an address that stay and bring a byte now and then.
function drip(n, port, localAddress, begin) {
  const open = new Set();
  for (let i = 0; i < n; i++) {
    const s = net.connect({host, port, localAddress}, () => s.write(begin));
    open.add(s);
    s.on('error', () => {});
    s.on('close', () => open.delete(s));
  }
  const timer = setInterval(() => {
    for (const s of open) s.write('x');
  }, 200);
  return {
    left: () => open.size,
    end: () => {
      clearInterval(timer);
      for (const s of open) s.destroy();
    },
  };
}

const comes = (what) => until(() => assert.ok(what()), 20);

const half = 'GET /v1 HTTP/1.1\r\nHost: localhost\r\nX: ';

test('two thousand that drip, from many addresses: others are answered', {skip: skipNet}, async () => {
  // one has a token, and a body that takes its time
  const all = [drip(1, plain.port, '127.0.4.1',
    'POST /v1/routers HTTP/1.1\r\nHost: localhost\r\n' +
    `Authorization: ${token.Authorization}\r\nContent-Length: 60000\r\n\r\n{`)];
  const began = Date.now();
  // four times what a listener takes: by their deadlines alone, of 5 s each,
  // whoever comes next would wait for 15
  for (let i = 0; i < 20; i++) {
    all.push(drip(50, plain.port, `127.0.1.${i + 1}`, half));
    all.push(drip(50, https.port, `127.0.1.${i + 1}`, '\x16\x03\x01'));
  }
  try {
    await new Promise((done) => setTimeout(done, 300));
    for (let i = 0; i < 5; i++) {
      assert.equal((await must('GET', '/v1')).status, 200);
      for (const where of [plain, https]) {
        const answer = await request('GET', '/v1', undefined, token,
          {...where, localAddress: '127.0.3.1'});
        assert.equal(answer.status, 200, answer.text);
      }
    }
    assert.ok(Date.now() - began < 10000);
    // nobody stays beyond his time
    await comes(() => all.every((d) => d.left() === 0));
  } finally {
    all.forEach((d) => d.end());
  }
});

test('who is slow and alone is not sent away for those who are many', {skip: skipNet}, async () => {
  const slow = net.connect({...plain, localAddress: '127.0.3.2'});
  let answer = '';
  slow.on('data', (d) => { answer += d; });
  slow.on('error', () => {});
  await new Promise((done) => slow.on('connect', done));
  slow.write(half);
  // more than a listener takes; he was there before them
  const many = [];
  for (let i = 0; i < 6; i++)
    many.push(drip(50, plain.port, `127.0.5.${i + 1}`, half));
  try {
    await comes(() => many.some((d) => d.left() < 50));
    slow.write(`y\r\nAuthorization: ${token.Authorization}\r\n\r\n`);
    await comes(() => answer.startsWith('HTTP/1.1 200 '));
  } finally {
    slow.destroy();
    many.forEach((d) => d.end());
  }
});

test('one address has 64 connections at most', {skip: skipNet}, async () => {
  const many = drip(80, plain.port, '127.0.2.1', half);
  let least = 80;
  await comes(() => (least = Math.min(least, many.left() || 80)) <= 64)
    .finally(many.end);
  assert.equal(least, 64);
});
