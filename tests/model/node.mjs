// SPDX-License-Identifier: Apache-2.0
// node: a node of its own in a folder of its own: a data plane on devices that
// are none, and a europad that is killed and started again.
import {spawn} from 'node:child_process';
import {closeSync, mkdirSync, mkdtempSync, openSync, rmSync, readFileSync,
  symlinkSync, writeFileSync, chmodSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import {request} from '../rest/client.mjs';

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Until what() gives something; an error tells what was waited for.
export async function until(why, what, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; ; await pause(4)) {
    const out = await what();
    if (out) return out;
    if (Date.now() > end) throw new Error(`in vain: ${why}`);
  }
}

function conf(dir, build, source, containers) {
  return `[agent]
state_dir = ${dir}/state
run_dir = ${dir}/run
socket = ${dir}/api.sock
dataplane_socket = ${dir}/plane/control.sock
web_dir =
libexec_dir = ${dir}/libexec
template_bin = ${build}:${build}/container-templates:${build}/examples
containers = ${containers}
memory_mib = ${2 ** 18}
[dataplane]
socket = ${dir}/plane/control.sock
ports = ${dir}/state/ports.conf
user = ${process.getuid() === 0 ? 'nobody' : ''}
hugepages = auto
`;
}

export class Node {
  constructor({build, source, containers}) {
    this.dir = mkdtempSync(join(tmpdir(), 'europa-model.'));
    this.build = build;
    this.isFake = containers === 'fake';
    this.kills = 0;
    for (const sub of ['state', 'run', 'plane', 'libexec', 'root', 'root/var'])
      mkdirSync(join(this.dir, sub));
    chmodSync(this.dir, 0o755);
    symlinkSync(`${build}/europa-launch`, `${this.dir}/libexec/europa-launch`);
    symlinkSync(`${source}/container-templates/europa-template`,
      `${this.dir}/libexec/europa-template`);
    writeFileSync(this.path('europa.conf'), conf(this.dir, build, source, containers));
  }

  path(name) { return join(this.dir, name); }

  // An end that nobody asked for is remembered, and fails the next step.
  run(name, env) {
    const log = openSync(this.path(`${name}.log`), 'a');
    const child = spawn(`${this.build}/${name}`,
      ['--config', this.path('europa.conf')],
      {stdio: ['ignore', log, log], env: {...process.env, ...env}});
    closeSync(log);
    child.gone = new Promise((done) => {
      child.on('exit', (code, signal) => {
        if (!child.isEnding) this.died = `${name} ended: ${code ?? signal}`;
        done();
      });
      child.on('error', (e) => { // it was never there
        this.died = e.message;
        done();
      });
    });
    return child;
  }

  async start() {
    // what DPDK makes in it nobody else removes
    this.plane = this.run('europa-dataplane', {RUNTIME_DIRECTORY: this.path('plane')});
    await this.startAgent();
  }

  spawnAgent() {
    const env = this.isFake ? {EUROPA_FAKE_INIT:
      `${this.build}/container-templates/europa-init --root ${this.path('root')}`} : {};
    this.agent = this.run('europad', env);
  }

  async startAgent() {
    this.spawnAgent();
    await until('europad is ready', async () => {
      if (this.died) throw new Error(this.died);
      return (await this.ask('GET', '/readyz').catch(() => null))?.status === 200;
    });
  }

  ask(method, url, body, headers) {
    return request(method, url, body, headers, {socketPath: this.path('api.sock')});
  }

  // Without a wait: it is dead when the next request comes.
  kill() {
    if (this.agent.isEnding) return;
    this.agent.isEnding = true;
    this.agent.kill('SIGKILL');
    this.kills++;
  }

  // earlyMs: it is killed so long after its start, too, and started once more.
  async restart(earlyMs) {
    await this.agent.gone;
    if (earlyMs !== undefined) {
      this.spawnAgent();
      await pause(earlyMs);
      this.kill();
      await this.agent.gone;
    }
    await this.startAgent();
  }

  async stop() {
    for (const child of [this.agent, this.plane]) {
      if (!child) continue;
      child.isEnding = true;
      child.kill('SIGTERM');
      const killed = setTimeout(() => child.kill('SIGKILL'), 10000);
      await child.gone;
      clearTimeout(killed);
    }
  }

  log(lines = 25) {
    return readFileSync(this.path('europad.log'), 'utf8').trimEnd().split('\n')
      .slice(-lines).join('\n');
  }

  remove() { rmSync(this.dir, {recursive: true, force: true}); }
}
