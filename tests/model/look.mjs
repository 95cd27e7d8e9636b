// SPDX-License-Identifier: Apache-2.0
// look: what the node has, beside what the model says: the resources as GET shows
// them, and what a process, a folder or the kernel may still hold of something
// that is gone.
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync, readlinkSync} from 'node:fs';
import {deepStrictEqual} from 'node:assert';

import {KINDS, rolesOf} from './model.mjs';
import {until} from './node.mjs';

// --- resources --------------------------------------------------------------------

async function items(node, path) {
  const a = await node.ask('GET', path);
  if (a.status !== 200) throw new Error(`GET ${path}: ${a.status} ${a.text}`);
  return a.json.items;
}

// Everything, by kind and by project/name, without what is no promise.
export async function observe(node) {
  const out = {projects: {}};
  for (const p of await items(node, '/v1/projects?limit=1000'))
    out.projects[p.name] = p;
  for (const kind of KINDS) {
    out[kind] = {};
    for (const project of Object.keys(out.projects))
      for (const o of await items(node, `/v1/${kind}?project=${project}&limit=1000`))
        out[kind][`${project}/${o.name}`] = o;
  }
  return out;
}

// What the model says of o, in the form of what GET shows. What the node chooses
// (uid, MACs) is learnt the first time, and has to stay.
function expected(state, kind, o, seen) {
  const out = {name: o.name, uid: o.uid ?? seen.uid, generation: o.generation,
    labels: o.labels, spec: structuredClone(o.spec)};
  if (kind !== 'projects') out.project = o.project;
  if (kind === 'tokens') out.spec.roles = rolesOf(state, o);
  if (kind === 'routers')
    for (const [i, v] of out.spec.vnics.entries())
      v.mac ??= state.macs[`${out.uid}/${v.name}`] ??
        madeUp(seen.spec?.vnics?.[i]?.mac);
  return out;
}

const madeUp = (mac) => /^0a(:[0-9a-f]{2}){5}$/.test(mac ?? '') ? mac : 'one of 0a:';

function shown(o, kind) {
  const {name, uid, generation, labels, spec, project} = o;
  return {name, uid, generation, labels, spec,
    ...(kind === 'projects' ? {} : {project})};
}

function learn(state, kind, o, seen) {
  o.uid = seen.uid;
  o.created ??= seen.created;
  if (o.created !== seen.created)
    throw new Error(`${kind} ${o.name}: made at ${o.created}, now ${seen.created}`);
  if (kind !== 'routers') return;
  for (const [i, v] of o.spec.vnics.entries()) {
    if (!v.mac) state.macs[`${o.uid}/${v.name}`] = seen.spec.vnics[i].mac;
    v.mac = seen.spec.vnics[i].mac;
  }
}

// Throws where they differ.
export function compareObject(state, kind, o, seen) {
  deepStrictEqual(shown(seen, kind), expected(state, kind, o, seen));
  learn(state, kind, o, seen);
}

export function compare(state, seen) {
  for (const kind of ['projects', ...KINDS]) {
    deepStrictEqual(Object.keys(seen[kind]).sort(), Object.keys(state[kind]).sort(),
      `${kind}`);
    for (const [key, o] of Object.entries(state[kind]))
      compareObject(state, kind, o, seen[kind][key]);
  }
}

// Until nothing is under way: each router is what it should be.
export async function settle(node, seconds = 60) {
  let last;
  await until('the routers settle', async () => {
    if (node.died) throw new Error(node.died);
    last = await observe(node);
    return Object.values(last.routers).every((r) =>
      r.status.state === r.spec.power && r.status.observed_generation === r.generation);
  }, seconds).catch((e) => {
    const states = Object.values(last?.routers ?? {}).map((r) => `${r.project}/` +
      `${r.name} is ${r.status.state}, wanted ${r.spec.power}, ` +
      `${r.status.observed_generation} of ${r.generation} ` +
      `${JSON.stringify(r.status.problem ?? '')}`);
    throw new Error(`${e.message}\n${states.join('\n')}`);
  });
  return last;
}

// --- what else there is -------------------------------------------------------------

function links(pid) {
  const dir = `/proc/${pid}/fd`;
  return readdirSync(dir).flatMap((fd) => {
    try {
      return [readlinkSync(`${dir}/${fd}`)];
    } catch {
      return []; // closed meanwhile: the one of readdir itself
    }
  });
}

// {kind of descriptor: how many}; shared is the memory of routers.
export function descriptors(pid) {
  const out = {shared: 0, memfd: 0, eventfd: 0, socket: 0, pidfd: 0, other: 0};
  for (const to of links(pid))
    out[/memfd:europa-(host|router|pool) /.test(to) ? 'shared'
      : /memfd|eventfd|socket|pidfd/.exec(to)?.[0] ?? 'other']++;
  return out;
}

function commands() {
  return readdirSync('/proc').filter((n) => /^\d+$/.test(n)).flatMap((pid) => {
    try {
      return [[Number(pid), readFileSync(`/proc/${pid}/cmdline`, 'utf8')]];
    } catch {
      return [];
    }
  });
}

// Processes of this node beside its two own; those of a fake container are told
// by its socket.
export function strangers(node) {
  const own = [process.pid, node.agent?.pid, node.plane?.pid];
  return commands().filter(([pid, line]) =>
    line.includes(`${node.dir}/`) && !own.includes(pid))
    .map(([pid, line]) => ({pid, line: line.replaceAll('\0', ' ')}));
}

function children(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
      .split(' ').filter((s) => s).map(Number);
  } catch {
    return [];
  }
}

const list = (dir) => existsSync(dir)
  ? readdirSync(dir).filter((n) => !n.startsWith('.')).sort() : [];

const STATE_FILES = ['answers', 'containers', 'europa.db', 'europa.db-shm',
  'europa.db-wal', 'ballast', 'lock', 'ports.conf', 'routers', 'templates'];

// Every file below that a write beside another one, or a crash, may leave.
function temporary(dir) {
  return readdirSync(dir, {withFileTypes: true}).flatMap((e) => {
    const path = `${dir}/${e.name}`;
    if (e.isDirectory() && e.name !== 'templates') return temporary(path);
    return /(^|\.)new$|\.tmp|~$/.test(e.name) ? [path] : [];
  });
}

function cgroups(uids) {
  const out = [];
  const walk = (dir, depth) => {
    for (const e of readdirSync(dir, {withFileTypes: true})) {
      if (!e.isDirectory()) continue;
      if (uids.some((u) => e.name.includes(u))) out.push(`${dir}/${e.name}`);
      else if (depth < 5) walk(`${dir}/${e.name}`, depth + 1);
    }
  };
  walk('/sys/fs/cgroup', 0);
  return out;
}

// What should not be there, as lines; none is the wish.
export function leaks(node, seen, past) {
  const routers = Object.values(seen.routers);
  const uids = routers.map((r) => r.uid).sort();
  const alive = routers.filter((r) => r.spec.power !== 'stopped');
  const out = [];
  const same = (what, have, want) => {
    try {
      deepStrictEqual(have, want);
    } catch {
      out.push(`${what}: have ${JSON.stringify(have)}, want ${JSON.stringify(want)}`);
    }
  };
  const only = (what, have, may) => {
    const more = have.filter((n) => !may.includes(n));
    if (more.length) out.push(`${what}: ${more.join(' ')}`);
  };
  for (const uid of uids) past.add(uid);
  only('state', list(node.path('state')), STATE_FILES);
  only('state/containers', list(node.path('state/containers')), uids);
  only('state/routers', list(node.path('state/routers')), uids);
  only('run/r', list(node.path('run/r')), uids);
  for (const path of temporary(node.path('state'))) out.push(`temporary: ${path}`);
  only('mounts', readFileSync('/proc/self/mounts', 'utf8').split('\n')
    .filter((l) => l.includes(node.dir)), []);
  const pids = alive.map((r) => r.status.container.init_pid).sort();
  same('a container each', new Set(pids).size, alive.length);
  if (node.isFake) same('inits', strangers(node).map((p) => p.pid).sort(), pids);
  else {
    const gone = [...past].filter((u) => !alive.some((r) => r.uid === u));
    out.push(...cgroups(gone).map((c) => `cgroup ${c}`));
    only('processes', strangers(node).map((p) => p.line)
      .filter((l) => !alive.some((r) => l.includes(r.uid))), []);
  }
  // one that is paused may have been so before it had begun
  for (const r of alive.filter((x) => x.spec.power === 'running'))
    same(`processes of ${r.name}`, children(r.status.container.init_pid).length, 1);
  return [...out, ...shared(node)];
}

// Memory that routers share: as much in the one process as in the other.
function shared(node) {
  const agent = descriptors(node.agent.pid), plane = descriptors(node.plane.pid);
  if (agent.shared === plane.shared) return [];
  return [`memory: ${agent.shared} descriptors in europad, ${plane.shared} in ` +
    'the data plane'];
}

// What a run that failed has left; containers of LXC are ended by its launcher.
export function sweep(node) {
  const dir = node.path('state/containers');
  if (!node.isFake)
    for (const uid of list(dir))
      spawnSync(`${node.build}/europa-launch`, ['destroy', '--dir', dir, '--uid', uid]);
  for (const {pid} of strangers(node)) {
    for (const child of children(pid)) process.kill(child, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
  }
}
