// SPDX-License-Identifier: Apache-2.0
// model: what a node should hold, and how each operation should be answered.
// predict() is a function: the state that is given stays as it is, so that an
// operation whose answer never came can be compared with both of its outcomes.
import {Refusal, SUMS, invalid, mergePatch, sameAddress} from './rules.mjs';
import * as rules from './rules.mjs';

export const KINDS = ['routers', 'ports', 'links', 'segments', 'tokens'];
const NODE_BYTES = 2 ** 38; // what the node of this test may give to routers

export function empty() {
  const state = {next: 1, macs: {}, projects: {}};
  for (const kind of KINDS) state[kind] = {};
  add(state, 'projects', 'default', {name: 'default', labels: {},
    spec: rules.project({name: 'default'}).spec});
  return state;
}

const refuse = (status, code, why = '') => { throw new Refusal(status, code, why); };
const inUse = (why) => refuse(409, 'in-use', why);
const keyOf = (op) => `${op.project}/${op.name}`;

function add(state, kind, key, fields) {
  state[kind][key] = {id: state.next++, uid: null, generation: 1, ...fields};
  return state[kind][key];
}

export function ofProject(state, kind, project) {
  return Object.values(state[kind]).filter((o) => o.project === project);
}

const named = (state, kind, project, name) => state[kind][`${project}/${name}`];

export const etagOf = (o) => `${o.uid}-${o.generation}`;

// the object that is named in the path, and its ETag is the one that is meant
function find(state, kind, op) {
  const o = kind === 'projects' ? state.projects[op.name] : state[kind][keyOf(op)];
  if (!o) refuse(404, 'not-found', op.name);
  holds(op, o);
  return o;
}

function holds(op, o) {
  const want = op.headers?.['If-Match'];
  if (want === undefined || (o && want === '*')) return;
  if (!o || want !== `"${etagOf(o)}"`) refuse(412, 'stale', want);
}

// --- what vNICs are joined to ---------------------------------------------------------

function wiringOf(state, project, router, vnic) {
  for (const kind of ['links', 'segments'])
    for (const w of ofProject(state, kind, project)) {
      const i = w.ends.findIndex((e) => e.router === router && e.vnic === vnic);
      if (i >= 0) return {kind, w, i};
    }
  return null;
}

const ownAttach = (a) => a.port
  ? {to: 'port', name: a.port, vlan: a.match?.vlan ?? 0, trunk: a.trunk}
  : {to: 'vnic'};

function attachOf(state, project, router, v) {
  if (v.attach) return ownAttach(v.attach);
  const found = wiringOf(state, project, router, v.name);
  if (!found) return null;
  if (found.kind === 'segments') return {to: 'segment', name: found.w.name};
  const other = found.w.ends[1 - found.i];
  if (other.router) return {to: 'vnic'};
  return {to: 'port', name: other.port, vlan: found.w.spec.match?.vlan ?? 0,
    trunk: found.w.spec.trunk};
}

const shareVlan = (a, b) => a.trunk || b.trunk || a.vlan === b.vlan;

function clash(state, project, [router1, v1], [router2, v2]) {
  const a = attachOf(state, project, router1, v1);
  const b = attachOf(state, project, router2, v2);
  if (!a || !b || a.to !== b.to || a.name !== b.name || a.to === 'vnic') return;
  if (a.to === 'port' && !shareVlan(a, b)) return;
  if ((v1.mac && v1.mac === v2.mac) ||
    v1.addresses.some((x) => v2.addresses.some((y) => sameAddress(x, y))))
    inUse(`${router1}:${v1.name} and ${router2}:${v2.name}`);
}

function* vnicsOf(state, project) {
  for (const r of ofProject(state, 'routers', project))
    for (const v of r.spec.vnics) yield [r.name, v, r];
}

// --- routers --------------------------------------------------------------------------

const pool = (spec) => {
  let n = 8;
  while (n < Math.max(1024, spec.quota.pool_slots)) n *= 2;
  return n;
};
const frame = (spec) => Math.max(1500, ...spec.vnics.map((v) => v.mtu));

// What a router that starts has for its packets, and keeps while it fits.
function memory(spec, old) {
  const want = {slots: pool(spec), mtu: frame(spec), vnics: spec.vnics.length + 4};
  return old && old.slots === want.slots && old.mtu === want.mtu &&
    old.vnics >= want.vnics ? old : want;
}

function checkAttach(state, project, r) {
  for (const v of r.spec.vnics) {
    if (v.attach?.port) {
      const port = named(state, 'ports', project, v.attach.port);
      if (!port || v.mtu > port.spec.mtu) throw invalid(`port ${v.attach.port}`);
    } else if (v.attach) {
      const peer = v.attach.router === r.name ? r
        : named(state, 'routers', project, v.attach.router);
      const other = peer?.spec.vnics.find((x) => x.name === v.attach.vnic);
      if (peer && (!other || other.mtu !== v.mtu))
        throw invalid(`${v.attach.router}:${v.attach.vnic}`);
    }
  }
}

function checkWired(state, project, r) {
  let mtuIsWrong = false;
  for (const v of r.spec.vnics) {
    const found = wiringOf(state, project, r.name, v.name);
    if (!found) continue;
    if (v.attach) inUse(`${v.name} is an end`);
    const others = found.w.ends.filter((_, i) => i !== found.i);
    const beside = others.filter((e) => e.router)
      .map((e) => named(state, 'routers', project, e.router)
        ?.spec.vnics.find((x) => x.name === e.vnic)).find((x) => x);
    const port = found.kind === 'links' && others[0]?.port &&
      named(state, 'ports', project, others[0].port);
    mtuIsWrong ||= (beside && beside.mtu !== v.mtu) ||
      (port && v.mtu > port.spec.mtu);
  }
  if (mtuIsWrong) throw invalid('mtu');
}

function checkClashes(state, project, r, old) {
  r.spec.vnics.forEach((v, i) => {
    for (const other of r.spec.vnics.slice(0, i))
      clash(state, project, [r.name, v], [r.name, other]);
    for (const [name, other, router] of vnicsOf(state, project))
      if (router !== old) clash(state, project, [r.name, v], [name, other]);
  });
}

// What a container that is there cannot change.
function checkFrozen(r, old) {
  if (!old || old.spec.power === 'stopped') return;
  const frozen = () => refuse(409, 'wrong-state', 'it runs');
  const [a, b] = [r.spec, old.spec];
  if (a.quota.pool_slots > 1024 && a.quota.pool_slots > (old.memory?.slots ?? 0)) {
    if (old.memory) frozen();
    refuse('either', 'wrong-state', 'its memory is not known');
  }
  if (frame(a) > frame(b) || a.template !== b.template ||
    (old.memory && a.vnics.length > old.memory.vnics))
    frozen();
  if (a.quota.disk_bytes < b.quota.disk_bytes && a.power !== 'stopped')
    refuse('either', 'busy', 'what is on the disk may not be known yet');
}

const sumOf = (spec, key) => {
  if (key === 'routers') return 1;
  if (key === 'links' || key === 'segments') return 0; // checked where they are made
  if (key === 'vnics') return spec.vnics.length;
  return spec.quota[key] === 0 ? Infinity : spec.quota[key];
};

function checkProject(state, project, r, old) {
  for (const key of SUMS) {
    const limit = state.projects[project].spec.quota[key];
    const want = sumOf(r.spec, key);
    if (limit === 0 || (old && want <= sumOf(old.spec, key))) continue;
    const others = ofProject(state, 'routers', project).filter((x) => x !== old)
      .reduce((sum, x) => sum + sumOf(x.spec, key), 0);
    if (want > Math.max(0, limit - others))
      refuse(409, 'quota-exceeded', `${key} of ${project}`);
  }
}

// MACs stay with the names of their vNICs; those that nobody gave are the node's.
function keepMacs(state, r, old) {
  for (const v of r.spec.vnics)
    v.mac ??= old?.spec.vnics.find((x) => x.name === v.name)?.mac ??
      (old && state.macs[`${old.uid}/${v.name}`]) ?? null;
  r.spec.vnics.forEach((v, i) => {
    if (v.mac && r.spec.vnics.slice(0, i).some((x) => x.mac === v.mac))
      throw invalid(`two vNICs with ${v.mac}`);
  });
}

function checkRouter(state, project, r, old) {
  keepMacs(state, r, old);
  if (!old && named(state, 'routers', project, r.name))
    refuse(409, 'exists', r.name);
  if (r.spec.template !== 'router') throw invalid('template');
  checkAttach(state, project, r);
  checkWired(state, project, r);
  checkClashes(state, project, r, old);
  checkFrozen(r, old);
  if (r.spec.vnics.length > r.spec.quota.vnics_max)
    refuse(409, 'quota-exceeded', 'vnics_max');
  checkProject(state, project, r, old);
  if (r.spec.quota.mem_bytes > NODE_BYTES) refuse(507, 'no-memory');
  if (r.spec.lease?.expires_at && Date.parse(r.spec.lease.expires_at) <= Date.now())
    throw invalid('the lease is over');
}

function createRouter(state, op, r) {
  checkRouter(state, op.project, r, null);
  return {status: 201, kind: 'routers', object: add(state, 'routers',
    `${op.project}/${r.name}`, {name: r.name, project: op.project,
      labels: r.labels, spec: r.spec,
      memory: r.spec.power === 'stopped' ? null : memory(r.spec, null)})};
}

function applyRouter(state, op, r, old, status = 200) {
  checkRouter(state, op.project, r, old);
  const starts = old.spec.power === 'stopped' && r.spec.power !== 'stopped';
  old.labels = r.labels;
  old.spec = r.spec;
  old.generation++;
  if (starts) old.memory = memory(r.spec, old.memory);
  return {status, kind: 'routers', object: old};
}

const shown = (o) => structuredClone({name: o.name, labels: o.labels, spec: o.spec});

// the whole router with other members of its spec
function changeSpec(state, op, old, members, status) {
  const body = shown(old);
  Object.assign(body.spec, members);
  return applyRouter(state, op, rules.router(body, old.name), old, status);
}

function patchRouter(state, op) {
  const old = find(state, 'routers', op);
  const body = mergePatch(shown(old), op.body);
  const said = op.body?.spec?.lease;
  if (said?.seconds && !said.expires_at) delete body.spec.lease.expires_at;
  if (said?.expires_at && !said.seconds) delete body.spec.lease.seconds;
  return applyRouter(state, op, rules.router(body, old.name), old);
}

function power(state, op) {
  const old = find(state, 'routers', op);
  const want = op.body?.desired;
  if (!['running', 'stopped', 'paused'].includes(want) ||
    Object.keys(op.body).length !== 1)
    throw invalid('desired');
  if (want === old.spec.power && !op.dry)
    return {status: 200, kind: 'routers', object: old};
  return changeSpec(state, op, old, {power: want});
}

function restart(state, op) {
  const old = find(state, 'routers', op);
  if (!['dataplane', 'container'].includes(op.body?.scope)) throw invalid('scope');
  if (old.spec.power !== 'running') refuse(409, 'wrong-state', old.spec.power);
  if (op.body.scope === 'container') old.memory = memory(old.spec, old.memory);
  return {status: 200, kind: 'routers', object: old};
}

function deleteRouter(state, op) {
  const old = find(state, 'routers', op);
  if (old.spec.protected) refuse(409, 'protected');
  delete state.routers[keyOf(op)];
  return {status: 204};
}

const quotaView = (r) => ({kind: 'Quota', limit: r.spec.quota});

function patchQuota(state, op) {
  const old = find(state, 'routers', op);
  const body = mergePatch({limit: old.spec.quota}, op.body);
  const out = changeSpec(state, op, old, {quota: rules.quota(body.limit)});
  return {status: out.status, part: quotaView(out.object)};
}

function createVnic(state, op) {
  const old = find(state, 'routers', op);
  const v = rules.vnic(op.body);
  if (old.spec.vnics.some((x) => x.name === v.name)) refuse(409, 'exists', v.name);
  return changeSpec(state, op, old, {vnics: [...old.spec.vnics, op.body]}, 201);
}

function vnicAt(old, op) {
  const i = old.spec.vnics.findIndex((v) => v.name === op.sub);
  if (i < 0) refuse(404, 'not-found', op.sub);
  return i;
}

function patchVnic(state, op) {
  const old = find(state, 'routers', op);
  const i = vnicAt(old, op);
  const {spec} = mergePatch({spec: structuredClone(old.spec.vnics[i])}, op.body);
  if (rules.vnic(spec).name !== op.sub) throw invalid('its name');
  const vnics = old.spec.vnics.map((v, k) => k === i ? spec : v);
  const out = changeSpec(state, op, old, {vnics});
  return {status: out.status, part: {kind: 'Vnic', name: op.sub}};
}

function deleteVnic(state, op) {
  const old = find(state, 'routers', op);
  vnicAt(old, op);
  const vnics = old.spec.vnics.filter((v) => v.name !== op.sub);
  return {...changeSpec(state, op, old, {vnics}), status: 204};
}

function putRoutes(state, op) {
  const old = find(state, 'routers', op);
  if (op.body.routes === undefined) throw invalid('routes is missing');
  return changeSpec(state, op, old,
    {routes: rules.routes(op.body.routes, old.spec.vnics)});
}

// --- links and segments ---------------------------------------------------------------

function checkEnds(state, project, w) {
  const there = [];
  for (const e of w.ends) {
    if (e.port) {
      if (!named(state, 'ports', project, e.port)) throw invalid(`port ${e.port}`);
      continue;
    }
    const r = named(state, 'routers', project, e.router);
    const v = r?.spec.vnics.find((x) => x.name === e.vnic);
    if (r && !v) throw invalid(`no ${e.router}:${e.vnic}`);
    if (v) there.push([e.router, v]);
  }
  const port = w.ends.find((e) => e.port);
  const most = port ? named(state, 'ports', project, port.port).spec.mtu : Infinity;
  for (const [, v] of there)
    if (v.mtu !== there[0][1].mtu || v.mtu > most) throw invalid('mtu');
  return there;
}

function checkFree(state, project, w, old) {
  for (const e of w.ends.filter((x) => x.router)) {
    const v = named(state, 'routers', project, e.router)
      ?.spec.vnics.find((x) => x.name === e.vnic);
    if (v?.attach) inUse(`${v.name} is attached`);
    const found = wiringOf(state, project, e.router, e.vnic);
    if (found && found.w !== old) inUse(`an end of ${found.w.name}`);
  }
}

const portRule = (w) => ({port: w.ends.find((e) => e.port)?.port,
  dst: w.spec.match?.dst, vlan: w.spec.match?.vlan ?? 0, trunk: w.spec.trunk});

function overlap(a, b) {
  const [x, y] = [rules.prefix(a), rules.prefix(b)];
  if (x.family !== y.family) return false;
  const bits = Math.min(x.length, y.length);
  for (let i = 0; i < bits; i++)
    if (((x.bytes[i >> 3] ^ y.bytes[i >> 3]) >> (7 - i % 8)) & 1) return false;
  return true;
}

function checkRules(state, kind, project, w, old) {
  const mine = kind === 'links' ? portRule(w) : {};
  if (!mine.port || !mine.dst) return;
  for (const x of ofProject(state, 'links', project)) {
    const theirs = portRule(x);
    if (x !== old && theirs.dst && theirs.port === mine.port &&
      shareVlan(mine, theirs) && overlap(mine.dst, theirs.dst))
      refuse(409, 'rule-overlap', x.name);
  }
}

function checkWiring(state, kind, project, w, old) {
  const same = named(state, kind, project, w.name);
  if (same && same !== old) refuse(409, 'exists', w.name);
  const there = checkEnds(state, project, w);
  checkFree(state, project, w, old);
  // as it would be with w in its place
  const wish = {...state, [kind]: {...state[kind],
    [`${project}/${w.name}`]: {...w, project}}};
  there.forEach((mine, i) => {
    for (const other of vnicsOf(state, project))
      if (!there.some(([r, v]) => r === other[0] && v === other[1]))
        clash(wish, project, mine, other);
    for (const other of there.slice(0, i)) clash(wish, project, mine, other);
  });
  checkRules(state, kind, project, w, old);
}

const reader = {links: rules.link, segments: rules.segment};

const createWiring = (kind) => (state, op) => {
  const w = reader[kind](op.body);
  checkWiring(state, kind, op.project, w, null);
  const limit = state.projects[op.project].spec.quota[kind];
  if (limit && ofProject(state, kind, op.project).length >= limit)
    refuse(409, 'quota-exceeded', kind);
  return {status: 201, kind, object: add(state, kind, `${op.project}/${w.name}`,
    {...w, project: op.project})};
};

const patchWiring = (kind) => (state, op) => {
  const old = find(state, kind, op);
  const w = reader[kind](mergePatch(shown(old), op.body), old.name);
  checkWiring(state, kind, op.project, w, old);
  Object.assign(old, w);
  old.generation++;
  return {status: 200, kind, object: old};
};

const deleteOf = (kind) => (state, op) => {
  find(state, kind, op);
  delete state[kind][keyOf(op)];
  return {status: 204};
};

// --- ports, projects, tokens ----------------------------------------------------------

const device = (devargs) => devargs.split(',')[0];

function createPort(state, op, p) {
  const taken = Object.values(state.ports)
    .some((x) => device(x.spec.devargs) === device(p.spec.devargs));
  if (taken) inUse(p.spec.devargs);
  // only what is not dry opens it
  if (!op.dry && !device(p.spec.devargs).startsWith('net_null'))
    throw invalid('no such device');
  return {status: 201, kind: 'ports', object: add(state, 'ports',
    `${op.project}/${p.name}`, {...p, project: op.project})};
}

function applyPort(p, old) {
  if (p.spec.devargs !== old.spec.devargs || p.spec.mtu !== old.spec.mtu)
    refuse(409, 'wrong-state', 'a port that is open');
  old.labels = p.labels;
  old.generation++;
  return {status: 200, kind: 'ports', object: old};
}

function deletePort(state, op) {
  find(state, 'ports', op);
  for (const w of ofProject(state, 'links', op.project))
    if (w.ends.some((e) => e.port === op.name)) inUse(w.name);
  for (const [router, v] of vnicsOf(state, op.project))
    if (v.attach?.port === op.name) inUse(`${router}:${v.name}`);
  delete state.ports[keyOf(op)];
  return {status: 204};
}

function patchProject(state, op) {
  const old = find(state, 'projects', op);
  const p = rules.project(mergePatch(shown(old), op.body), old.name);
  Object.assign(old, p);
  old.generation++;
  return {status: 200, kind: 'projects', object: old};
}

function patchSums(state, op) {
  const old = find(state, 'projects', op);
  old.spec.quota = rules.sums(mergePatch({limit: old.spec.quota}, op.body).limit);
  old.generation++;
  return {status: 200, part: {kind: 'ProjectQuota', limit: old.spec.quota}};
}

function deleteProject(state, op) {
  find(state, 'projects', op);
  if (op.name === 'default') refuse(409, 'protected');
  for (const kind of KINDS)
    if (ofProject(state, kind, op.name).length) inUse(kind);
  delete state.projects[op.name];
  return {status: 204};
}

// A role is of that very project, and not of the next one with its name.
function giveRoles(state, t) {
  for (const project of Object.keys(t.spec.roles))
    if (project !== '*' && !state.projects[project]) throw invalid(project);
  t.of = Object.fromEntries(Object.keys(t.spec.roles).map((p) =>
    [p, state.projects[p]?.id ?? 0]));
}

// Those of projects that are there.
export function rolesOf(state, t) {
  return Object.fromEntries(Object.entries(t.spec.roles).filter(([p]) =>
    p === '*' || state.projects[p]?.id === t.of[p]));
}

function patchToken(state, op) {
  const old = find(state, 'tokens', op);
  const says = op.body?.spec?.expires !== undefined;
  const body = mergePatch({...shown(old),
    spec: {roles: rolesOf(state, old), expires: old.spec.expires}}, op.body);
  if (!says) delete body.spec.expires; // it may be over by now
  const t = rules.token(body, old.name);
  if (!says) t.spec.expires = old.spec.expires;
  giveRoles(state, t);
  Object.assign(old, t);
  old.generation++;
  return {status: 200, kind: 'tokens', object: old};
}

function createToken(state, op) {
  const t = rules.token(op.body);
  giveRoles(state, t);
  if (named(state, 'tokens', op.project, t.name)) refuse(409, 'exists', t.name);
  return {status: 201, kind: 'tokens',
    object: add(state, 'tokens', `${op.project}/${t.name}`, {...t, project: op.project})};
}

const table = {
  'project.create': (state, op) => {
    const p = rules.project(op.body);
    if (state.projects[p.name]) refuse(409, 'exists', p.name);
    return {status: 201, kind: 'projects', object: add(state, 'projects', p.name, p)};
  },
  'project.patch': patchProject,
  'project.quota': patchSums,
  'project.delete': deleteProject,
  'port.create': (state, op) => {
    const p = rules.port(op.body);
    if (named(state, 'ports', op.project, p.name)) refuse(409, 'exists', p.name);
    return createPort(state, op, p);
  },
  'port.put': (state, op) => {
    const old = state.ports[keyOf(op)];
    holds(op, old);
    const p = rules.port(op.body, op.name);
    return old ? applyPort(p, old) : createPort(state, op, p);
  },
  'port.patch': (state, op) => {
    const old = find(state, 'ports', op);
    return applyPort(rules.port(mergePatch(shown(old), op.body), old.name), old);
  },
  'port.delete': deletePort,
  'router.create': (state, op) => createRouter(state, op, rules.router(op.body)),
  'router.put': (state, op) => {
    const old = state.routers[keyOf(op)];
    holds(op, old);
    const r = rules.router(op.body, op.name);
    return old ? applyRouter(state, op, r, old) : createRouter(state, op, r);
  },
  'router.patch': patchRouter,
  'router.power': power,
  'router.restart': restart,
  'router.quota': patchQuota,
  'router.routes': putRoutes,
  'router.delete': deleteRouter,
  'vnic.create': createVnic,
  'vnic.patch': patchVnic,
  'vnic.delete': deleteVnic,
  'link.create': createWiring('links'),
  'link.patch': patchWiring('links'),
  'link.delete': deleteOf('links'),
  'segment.create': createWiring('segments'),
  'segment.patch': patchWiring('segments'),
  'segment.delete': deleteOf('segments'),
  'token.create': createToken,
  'token.patch': patchToken,
  'token.delete': deleteOf('tokens'),
  'bad.json': () => refuse(400, 'not-json'),
  'bad.large': () => refuse(413, 'too-large'),
};

// How op should be answered, and the state after it: {status, code, state, ...}
export function predict(state, op) {
  const next = structuredClone(state);
  let out;
  try {
    if (!op.is.startsWith('project') && !state.projects[op.project])
      refuse(404, 'not-found', op.project);
    out = table[op.is](next, op);
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    return {status: e.status, code: e.code, why: e.message, state};
  }
  if (op.dry) // of a vNIC the router is shown that would be left
    return {status: out.status === 204 && op.is !== 'vnic.delete' ? 204 : 200,
      state, isDry: true};
  if (op.headers?.Prefer) out.status = 202;
  return {...out, state: next};
}
