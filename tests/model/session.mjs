// SPDX-License-Identifier: Apache-2.0
// session: one operation after the other, asked of the node and of the model, with
// europad killed in the midst of some. What was acknowledged has to be there
// afterwards; what was not answered wholly or not at all; with an
// Idempotency-Key, sent again, it has one effect.
import {deepStrictEqual} from 'node:assert';

import {etagOf, predict} from './model.mjs';
import {compare, compareObject, descriptors, leaks, observe, settle}
  from './look.mjs';
import {pause, until} from './node.mjs';
import {DEVICES} from './operations.mjs';

// what was no good request is none when it comes again
const NOT_KEPT = [400, 403, 422];
const MOMENTS = ['before', 'during', 'during', 'during', 'during', 'after'];

export class Session {
  constructor(node, state, random) {
    Object.assign(this, {node, state, random});
    this.counts = {operations: 0, kills: 0, unanswered: 0, done: 0, refused: 0,
      retried: 0, replayed: 0, dry: 0};
    this.answers = []; // to requests with a key
    this.unseen = [];  // changes that have to be in the audit trail
    this.secrets = new Map();
    this.past = new Set();
    this.trace = [];
  }

  note(line) {
    this.trace.push(line);
    if (this.isTraced) console.log(`# ${line}`);
  }

  send(op) {
    const headers = {...op.headers};
    return this.node.ask(op.method, op.url, op.raw ?? op.body, headers)
      .catch(() => null);
  }

  // Kills europad while the answer is on its way; a few turns of our own loop are
  // microseconds, an operation of a container is milliseconds.
  async killDuring(op, answered) {
    const slow = /^(router|vnic)/.test(op.is) ? this.slowMs ?? 60 : 12;
    const turns = this.random(100) < 35 ? this.random(300) : 0;
    const ms = turns ? 0 : Math.floor(slow * (this.random(1000) / 1000) ** 2);
    let isOver = false;
    answered.then(() => { isOver = true; });
    for (let i = 0; i < turns && !isOver; i++)
      await new Promise((done) => setImmediate(done));
    if (ms) await pause(ms);
    this.node.kill();
  }

  async step(op, kills) {
    const said = predict(this.state, op);
    const moment = kills ? MOMENTS[this.random(MOMENTS.length)] : '';
    this.counts.operations++;
    this.note(`${this.counts.operations} ${moment} ${op.method} ${op.url} ` +
      `${JSON.stringify(op.headers)} ${op.raw ? op.raw.slice(0, 20) : JSON.stringify(op.body)}`);
    if (moment === 'before') this.node.kill();
    const asked = this.send(op);
    if (moment === 'during') await this.killDuring(op, asked);
    const answer = await asked;
    if (moment) {
      this.node.kill();
      this.counts.kills++;
      await this.node.restart(this.random(8) ? undefined : this.random(40));
    }
    if (this.node.died) throw new Error(this.node.died);
    this.note(`   ${answer ? answer.status : 'no answer'} ` +
      `${answer?.json?.code ?? ''} ${answer?.json?.detail ?? ''}`);
    if (answer) await this.check(op, said, answer);
    else await this.resolve(op, said);
    if (moment && (!answer || this.random(2))) await this.look(this.random(2) === 0);
    else if (op.headers.Prefer) await this.settled();
  }

  matches(said, answer) {
    return answer.status === said.status &&
      (answer.status < 400 || answer.json?.code === said.code);
  }

  // The answer is the one that was foreseen.
  async check(op, said, answer) {
    if (!this.matches(said, answer) && this.mayWait(op, answer)) {
      await this.settled();
      op = {...op, headers: {}}; // its key says what it said before
      answer = await this.send(op);
    }
    if (!this.matches(said, answer))
      throw new Error(`${op.method} ${op.url}: foreseen was ${said.status} ` +
        `${said.code ?? ''} ${said.why ?? ''}, it is ${answer.status} ${answer.text}`);
    this.state = said.state;
    this.counts[said.isDry ? 'dry' : answer.status < 300 ? 'done' : 'refused']++;
    if (answer.status < 300 && !said.isDry) {
      this.unseen.push(answer.headers['x-request-id']);
      if (said.object) this.checkBody(said, answer);
      if (said.part) this.checkPart(said, answer);
    }
    if (answer.json?.secret)
      this.secrets.set(answer.json.secret, said.object.id);
    this.remember(op, said, answer);
  }

  // A router that the new europad has not looked at yet cannot be restarted.
  mayWait(op, answer) {
    return op.is === 'router.restart' && answer.json?.code === 'wrong-state';
  }

  checkBody(said, answer) {
    const o = said.object;
    if (said.status === 204 || answer.json.kind === 'Vnic') return;
    compareObject(this.state, said.kind, o, answer.json);
    if (answer.headers.etag && answer.headers.etag !== `"${etagOf(o)}"`)
      throw new Error(`${o.name}: ETag ${answer.headers.etag}`);
  }

  checkPart(said, answer) {
    const {kind, limit, name} = said.part;
    if (answer.json.kind !== kind) throw new Error(`${answer.json.kind}: ${kind}`);
    if (limit) deepStrictEqual(answer.json.limit, limit);
    if (name) deepStrictEqual(answer.json.name, name);
  }

  remember(op, said, answer) {
    if (!op.headers['Idempotency-Key'] || op.dry || answer.status >= 500 ||
      NOT_KEPT.includes(answer.status) || said.why?.endsWith(`: ${op.project}`))
      return;
    this.answers.push({op, status: answer.status, text: answer.text});
  }

  // The same key again: the answer that was given, and nothing is done. With
  // another body it is refused.
  async replay() {
    const x = this.answers[this.random(this.answers.length)];
    if (!x || !this.state.projects[x.op.project]) return;
    const a = await this.send(x.op);
    deepStrictEqual([a.status, a.text, a.headers['idempotent-replayed']],
      [x.status, x.text, 'true'], `${x.op.url} again`);
    const b = await this.send({...x.op, body: {...x.op.body, other: 1}});
    deepStrictEqual([b.status, b.json?.code], [422, 'key-reused']);
    this.counts.replayed++;
  }

  // There was no answer: it is done, or it is not. A request with a key is sent
  // again until it is answered, and then it has been done once.
  async resolve(op, said) {
    this.counts.unanswered++;
    for (const r of Object.values(said.state.routers)) r.memory = null;
    for (const r of Object.values(this.state.routers)) r.memory = null;
    const seen = await this.undeleted();
    const isDone = this.whichOf(said.state, seen, op);
    if (!op.headers['Idempotency-Key'] || op.dry) {
      if (isDone) this.state = said.state;
      return;
    }
    const again = isDone ? predict(said.state, op) : said;
    const answer = await this.send(op);
    this.counts.retried++;
    this.note(`   again: ${answer?.status} ${answer?.json?.code ?? ''} ` +
      `${answer?.headers['idempotent-replayed'] ?? ''}`);
    if (!isDone) return this.check(op, said, answer);
    this.state = said.state;
    // what was made says so; of a vNIC nobody knows who made it
    const mayBeOther = !/^(router|port|link|segment|project)\.create$/.test(op.is);
    const isSame = answer.status === said.status;
    if (!isSame && !(mayBeOther && this.matches(again, answer)) &&
      !this.mayWait(op, answer))
      throw new Error(`sent again: ${answer.status} ${answer.text}`);
    compare(this.state, await this.undeleted());
  }

  // Deleting goes on after a crash; then what is left is either of two states.
  async undeleted() {
    return until('what is deleted goes', async () => {
      const seen = await observe(this.node);
      return Object.values(seen.routers)
        .every((r) => r.status.state !== 'deleting') && seen;
    });
  }

  whichOf(after, seen, op) {
    try {
      compare(after, seen);
      return true;
    } catch (asAfter) {
      try {
        compare(this.state, seen);
        return false;
      } catch (asBefore) {
        throw new Error(`${op.url}: neither done nor not done\n` +
          `as if done: ${asAfter.message}\nas if not: ${asBefore.message}`);
      }
    }
  }

  async settled() { return settle(this.node); }

  // All of it is as the model says.
  async look(settles) {
    compare(this.state, settles ? await this.settled() : await this.undeleted());
  }

  // The same, and nothing else is there.
  async inspect() {
    let seen = await this.settled();
    compare(this.state, seen);
    this.checkStatus(seen);
    await this.checkAudit();
    await this.checkTokens();
    for (const r of Object.values(seen.routers)) await this.checkQuota(r);
    let found;
    await until('no leaks', async () => {
      seen = await observe(this.node);
      found = leaks(this.node, seen, this.past);
      return found.length === 0;
    }, 10).catch(() => { throw new Error(`left behind:\n${found.join('\n')}`); });
  }

  checkStatus(seen) {
    for (const r of Object.values(seen.routers)) {
      if ((r.spec.lease === null) !== (r.status.lease === null))
        throw new Error(`${r.name}: the lease ${JSON.stringify(r.status.lease)}`);
      for (const v of r.status.vnics)
        if (r.spec.power !== 'stopped' && v.link.startsWith('port:') && !v.attached)
          throw new Error(`${r.name}:${v.name} is not attached to ${v.link}`);
    }
    for (const w of [...Object.values(seen.links), ...Object.values(seen.segments)])
      this.checkEnds(seen, w);
    for (const p of Object.values(seen.ports))
      if (p.status.state !== 'up')
        throw new Error(`port ${p.name} is ${p.status.state}: ${p.status.detail}`);
    for (const p of Object.values(seen.projects)) {
      const n = Object.values(seen.routers).filter((r) => r.project === p.name);
      deepStrictEqual(p.status.routers, n.length, `routers of ${p.name}`);
    }
  }

  // Whoever is there, and has been started, is joined.
  checkEnds(seen, w) {
    const ends = w.spec.ends ?? w.spec.members;
    const there = ends.every((end) => {
      const [router, vnic] = end.split(':');
      const r = seen.routers[`${w.project}/${router}`];
      return router === 'port' || (r && r.spec.power !== 'stopped' &&
        r.spec.vnics.some((v) => v.name === vnic));
    });
    if (there && ends.length && w.status.state !== 'up')
      throw new Error(`${w.kind} ${w.name}: ${JSON.stringify(w.status.ends)}`);
  }

  async checkQuota(r) {
    const {json} = await this.node.ask('GET',
      `/v1/routers/${r.name}/quota?project=${r.project}`);
    const want = r.spec.power === 'stopped' ? null : r.spec.quota;
    deepStrictEqual(json.effective, want,
      `in force in ${r.project}/${r.name}, ${r.spec.power}`);
  }

  async checkAudit() {
    const {json} = await this.node.ask('GET', '/v1/audit?limit=1000');
    const there = new Set(json.items.map((x) => x.request_id));
    const lost = this.unseen.filter((id) => !there.has(id));
    if (lost.length) throw new Error(`not in the audit trail: ${lost.join(' ')}`);
    this.unseen = [];
  }

  async checkTokens() {
    const there = new Set(Object.values(this.state.tokens).map((t) => t.id));
    for (const [secret, id] of this.secrets) {
      const a = await this.node.ask('GET', '/v1', undefined,
        {Authorization: `Bearer ${secret}`});
      if (a.status !== (there.has(id) ? 200 : 401))
        throw new Error(`token ${id}: ${a.status}, there: ${there.has(id)}`);
      if (!there.has(id)) this.secrets.delete(secret);
    }
  }

  // Everything goes, and then no process has more than one that has just begun.
  async finish(planeBefore) {
    for (const kind of ['links', 'segments', 'tokens', 'routers', 'ports'])
      for (const o of Object.values(this.state[kind])) await this.remove(kind, o);
    for (const name of Object.keys(this.state.projects))
      if (name !== 'default')
        await this.step({is: 'project.delete', method: 'DELETE', name,
          project: 'default', url: `/v1/projects/${name}`, headers: {}}, false);
    await this.inspect();
    // a device that the data plane still had would be refused
    for (let i = 0; i < DEVICES; i++) {
      const body = {name: 'last', spec: {devargs: `net_null${i},no-rx=1`}};
      const op = {name: 'last', project: 'default', headers: {}};
      await this.step({...op, is: 'port.create', method: 'POST',
        url: '/v1/ports', body}, false);
      await this.step({...op, is: 'port.delete', method: 'DELETE',
        url: '/v1/ports/last'}, false);
    }
    let have = descriptors(this.node.agent.pid);
    this.node.kill();
    await this.node.restart();
    const fresh = descriptors(this.node.agent.pid);
    const more = Object.keys(have).filter((k) => have[k] > fresh[k] + (k === 'socket' ? 2 : 0));
    if (more.length)
      throw new Error(`europad held ${JSON.stringify(have)}, a new one ` +
        JSON.stringify(fresh));
    have = descriptors(this.node.plane.pid);
    deepStrictEqual(have, planeBefore, 'descriptors of the data plane');
  }

  async remove(kind, o) {
    const q = o.project === 'default' ? '' : `?project=${o.project}`;
    const op = {name: o.name, project: o.project, headers: {},
      url: `/v1/${kind}/${o.name}${q}`};
    if (o.spec.protected)
      await this.step({...op, is: 'router.patch', method: 'PATCH',
        body: {spec: {protected: false}}}, false);
    await this.step({...op, is: `${kind.slice(0, -1)}.delete`, method: 'DELETE'},
      false);
  }
}
