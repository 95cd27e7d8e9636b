// SPDX-License-Identifier: Apache-2.0
// rules: which documents are resources, and what they are with every default
// filled in, written down a second time from openapi.yaml and in another
// language than europad's. Nothing here knows of a node or of other objects.

// What a request is answered with when it is not done.
export class Refusal extends Error {
  constructor(status, code, why) {
    super(`${status} ${code}: ${why}`);
    this.status = status;
    this.code = code;
  }
}

export function invalid(why) {
  return new Refusal(422, 'invalid', why);
}

const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);

// RFC 7396
export function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  const out = isObject(target) ? {...target} : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = mergePatch(out[key], value);
  }
  return out;
}

function known(v, what, ...members) {
  if (!isObject(v)) throw invalid(`${what} is no object`);
  for (const key of Object.keys(v))
    if (!members.includes(key)) throw invalid(`${what} has ${key}`);
}

function list(v, what) {
  if (v === undefined) return [];
  if (!Array.isArray(v)) throw invalid(`${what} is no list`);
  return v;
}

function text(v, what, otherwise) {
  if (v === undefined) return otherwise;
  if (typeof v !== 'string') throw invalid(`${what} is no string`);
  return v;
}

function bool(v, what) {
  if (v === undefined) return false;
  if (typeof v !== 'boolean') throw invalid(`${what} is no boolean`);
  return v;
}

function word(v, what, words) {
  const s = text(v, what, words[0]);
  if (!words.includes(s)) throw invalid(`${what} is ${s}`);
  return s;
}

const UNITS = {'': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, ki: 2 ** 10,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40};

function count(v, what, otherwise, {min = 0, max, zero = false, bytes = false}) {
  let n = v;
  if (v === undefined) return otherwise;
  if (typeof v === 'string') {
    const m = /^(\d+(?:\.\d{1,6})?)([kKMGT]i?)?(B?)$/.exec(v);
    if (!m || (m[3] && !bytes)) throw invalid(`${what} is ${v}`);
    n = Number(m[1]) * UNITS[m[2] ?? ''];
  }
  if (!Number.isInteger(n)) throw invalid(`${what} is no whole number`);
  if (!(zero && n === 0) && (n < min || n > max))
    throw invalid(`${what} is ${n}`);
  return n;
}

function name(v, what, max = 63) {
  if (typeof v !== 'string' || v.length > max ||
    !/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(v))
    throw invalid(`${what} is no name`);
  return v;
}

function ownName(body, fixed) {
  if (fixed === undefined) return name(body.name, 'name');
  if (body.name !== undefined && body.name !== fixed)
    throw invalid('name is another one');
  return name(fixed, 'name');
}

function labels(v) {
  if (v === undefined) return {};
  if (!isObject(v)) throw invalid('labels is no object');
  for (const [key, value] of Object.entries(v))
    if (!/^[A-Za-z0-9._/-]{1,63}$/.test(key) || typeof value !== 'string' ||
      value.length > 255)
      throw invalid(`label ${key}`);
  return {...v};
}

// name, labels and the rest that a GET shows and a PUT may send back
function envelope(body, fixed, ...more) {
  known(body, 'the body', 'name', 'labels', 'spec', 'kind', 'uid', 'generation',
    'created', 'status', ...more);
  return {name: ownName(body, fixed), labels: labels(body.labels)};
}

const PPS = {min: 1, max: 1e9, zero: true};
const BPS = {min: 1000, max: 1e12, zero: true};
const RATES = ['rx_pps', 'tx_pps', 'rx_bps', 'tx_bps', 'burst_ms'];
const MIB = 2 ** 20;

function rates(v, what) {
  return {
    rx_pps: count(v.rx_pps, `${what} rx_pps`, 0, PPS),
    tx_pps: count(v.tx_pps, `${what} tx_pps`, 0, PPS),
    rx_bps: count(v.rx_bps, `${what} rx_bps`, 0, BPS),
    tx_bps: count(v.tx_bps, `${what} tx_bps`, 0, BPS),
    burst_ms: count(v.burst_ms, `${what} burst_ms`, 50, {min: 1, max: 1000}),
  };
}

export function quota(v = {}) {
  known(v, 'quota', 'cpu_millis', 'mem_bytes', 'pids', 'disk_bytes',
    'pool_slots', 'vnics_max', 'cpu_set', ...RATES);
  return {
    cpu_millis: count(v.cpu_millis, 'cpu_millis', 1000, {min: 10, max: 1e6}),
    mem_bytes: count(v.mem_bytes, 'mem_bytes', 64 * MIB,
      {min: 8 * MIB, max: 2 ** 40, bytes: true}),
    pids: count(v.pids, 'pids', 64, {min: 4, max: 32768}),
    disk_bytes: count(v.disk_bytes, 'disk_bytes', 16 * MIB,
      {min: MIB, max: 2 ** 40, bytes: true}),
    pool_slots: count(v.pool_slots, 'pool_slots', 1024, {min: 2, max: 65536}),
    vnics_max: count(v.vnics_max, 'vnics_max', 32, {min: 1, max: 32}),
    cpu_set: text(v.cpu_set, 'cpu_set', ''),
    ...rates(v, 'quota'),
  };
}

// --- addresses ------------------------------------------------------------------------

// {family, bytes, length}, or null. Of IPv6 only what this test sends: no IPv4
// within.
export function prefix(s, isAddress = false) {
  const m = /^([0-9a-fA-F.:]+)(?:\/(0|[1-9]\d*))?$/.exec(s);
  if (!m || (m[2] === undefined) !== isAddress) return null;
  const bytes = m[1].includes(':') ? bytes6(m[1]) : bytes4(m[1]);
  if (!bytes) return null;
  const length = m[2] === undefined ? bytes.length * 8 : Number(m[2]);
  if (length > bytes.length * 8) return null;
  return {family: bytes.length === 4 ? 4 : 6, bytes, length};
}

function bytes4(s) {
  const parts = s.split('.');
  if (parts.length !== 4 || !parts.every((p) => /^\d{1,3}$/.test(p) && p < 256))
    return null;
  return parts.map(Number);
}

function bytes6(s) {
  const halves = s.split('::').map((h) => h ? h.split(':') : []);
  const n = halves.flat().length;
  if (halves.length > 2 || n > 8 || (halves.length === 1 && n !== 8) ||
    !halves.flat().every((w) => /^[0-9a-fA-F]{1,4}$/.test(w)))
    return null;
  const gap = Array(8 - n).fill('0');
  const words = halves.length === 1 ? halves[0]
    : [...halves[0], ...gap, ...halves[1]];
  return words.map((w) => parseInt(w, 16)).flatMap((w) => [w >> 8, w & 255]);
}

const bit = (p, i) => (p.bytes[i >> 3] >> (7 - i % 8)) & 1;

function hostBits(p) {
  return Array.from({length: p.bytes.length * 8 - p.length},
    (_, i) => bit(p, p.length + i));
}

function contains(net, address) {
  if (net.family !== address.family) return false;
  for (let i = 0; i < net.length; i++)
    if (bit(net, i) !== bit(address, i)) return false;
  return true;
}

export function sameAddress(a, b) {
  const x = prefix(a), y = prefix(b);
  return x.family === y.family && x.bytes.every((v, i) => v === y.bytes[i]);
}

function address(s, mtu) {
  const p = typeof s === 'string' ? prefix(s) : null;
  if (!p || p.length === 0) throw invalid(`address ${s}`);
  if (p.family === 6) {
    if (p.bytes[0] === 255 || mtu < 1280) throw invalid(`address ${s}`);
    return;
  }
  const rest = hostBits(p);
  if ([0, 127].includes(p.bytes[0]) || p.bytes[0] >= 224)
    throw invalid(`address ${s}`);
  if (p.length <= 30 && (rest.every((b) => b === 0) || rest.every((b) => b === 1)))
    throw invalid(`address ${s} is its network's`);
}

function mac(v) {
  if (v === undefined || v === null) return null;
  if (typeof v !== 'string' || !/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(v) ||
    parseInt(v.slice(0, 2), 16) & 1 || /^[0:]+$/.test(v))
    throw invalid(`mac ${v}`);
  return v.toLowerCase();
}

// --- routers --------------------------------------------------------------------------

function attach(v) {
  if (v === undefined || v === null) return null;
  known(v, 'attach', 'port', 'router', 'vnic', 'match', 'trunk');
  if (v.port !== undefined && v.router === undefined) {
    if (v.vnic !== undefined) throw invalid('attach: vnic with a port');
    const out = {port: name(v.port, 'port'), trunk: bool(v.trunk, 'trunk')};
    if (v.match !== undefined) {
      known(v.match, 'match', 'vlan');
      const vlan = count(v.match.vlan, 'vlan', 0, {min: 1, max: 4094});
      if (vlan && out.trunk) throw invalid('a trunk with a VLAN');
      if (vlan) out.match = {vlan};
    }
    return out;
  }
  if (v.router === undefined || v.port !== undefined || v.vnic === undefined ||
    v.match !== undefined || v.trunk !== undefined)
    throw invalid('attach');
  return {router: name(v.router, 'router'), vnic: name(v.vnic, 'vnic', 15)};
}

export function vnic(v) {
  known(v, 'vnic', 'name', 'attach', 'mtu', 'mac', 'addresses', 'allow_macs', 'quota');
  const out = {
    name: name(v.name, 'vnic name', 15),
    attach: attach(v.attach),
    mtu: count(v.mtu, 'mtu', 1500, {min: 68, max: 9000}),
    mac: mac(v.mac),
    addresses: list(v.addresses, 'addresses'),
    allow_macs: [], // operations ask for none
  };
  out.addresses.forEach((a, i) => {
    address(a, out.mtu);
    if (out.addresses.slice(0, i).some((b) => sameAddress(a, b)))
      throw invalid(`${a} twice`);
  });
  known(v.quota ?? {}, 'vnic quota', ...RATES);
  out.quota = rates(v.quota ?? {}, 'vnic');
  return out;
}

function vnics(v, own) {
  const out = list(v, 'vnics').map(vnic);
  out.forEach((a, i) => {
    if (a.attach?.router === own && a.attach?.vnic === a.name)
      throw invalid('a vNIC linked to itself');
    for (const b of out.slice(0, i))
      if (a.name === b.name || (a.mac && a.mac === b.mac) ||
        a.addresses.some((x) => b.addresses.some((y) => sameAddress(x, y))))
        throw invalid(`vNICs ${b.name} and ${a.name} are one`);
  });
  return out;
}

function route(r, near) {
  known(r, 'route', 'prefix', 'via', 'vnic');
  const p = typeof r.prefix === 'string' ? prefix(r.prefix) : null;
  if (!p || hostBits(p).some((b) => b)) throw invalid(`prefix ${r.prefix}`);
  const out = {prefix: r.prefix};
  if (r.via !== undefined) {
    const via = typeof r.via === 'string' ? prefix(r.via, true) : null;
    if (!via || via.family !== p.family) throw invalid(`via ${r.via}`);
    if (r.vnic === undefined && !near.some((v) =>
      v.addresses.some((a) => contains(prefix(a), via))))
      throw invalid(`via ${r.via} is on no subnet`);
    out.via = r.via;
  }
  if (r.vnic !== undefined) {
    out.vnic = name(r.vnic, 'vnic', 15);
    if (!near.some((v) => v.name === r.vnic)) throw invalid(`no ${r.vnic}`);
  }
  if (!out.via && !out.vnic) throw invalid('a route to nowhere');
  return out;
}

export function routes(v, near) {
  const out = list(v, 'routes').map((r) => route(r, near));
  if (new Set(out.map((r) => JSON.stringify(r))).size !== out.length)
    throw invalid('a route twice');
  return out;
}

function lease(v, isProtected) {
  if (v === undefined || v === null) return null;
  known(v, 'lease', 'seconds', 'expires_at', 'on_expiry');
  if ((v.seconds === undefined) === (v.expires_at === undefined))
    throw invalid('lease: one of seconds and expires_at');
  const end = word(v.on_expiry, 'on_expiry', ['delete', 'stop']);
  if (isProtected && end === 'delete') throw invalid('protected');
  if (v.seconds !== undefined)
    return {seconds: count(v.seconds, 'seconds', 0, {min: 1, max: 366 * 86400}),
      on_expiry: end};
  if (typeof v.expires_at !== 'string' || Number.isNaN(Date.parse(v.expires_at)))
    throw invalid('expires_at');
  return {expires_at: v.expires_at, on_expiry: end};
}

export function router(body, fixed) {
  const out = envelope(body, fixed, 'project');
  const s = body.spec === undefined ? {} : body.spec;
  known(s, 'spec', 'template', 'power', 'quota', 'vnics', 'routes', 'dataplane',
    'restart_policy', 'protected', 'lease');
  const policy = s.restart_policy === undefined ? {} : s.restart_policy;
  known(policy, 'restart_policy', 'mode', 'max_per_hour');
  const near = vnics(s.vnics, out.name);
  const isProtected = bool(s.protected, 'protected');
  const dataplane = text(s.dataplane, 'dataplane', '');
  if (dataplane && !dataplane.startsWith('/')) throw invalid('dataplane');
  out.spec = {
    template: s.template === undefined ? 'router' : name(s.template, 'template'),
    power: word(s.power, 'power', ['running', 'stopped', 'paused']),
    quota: quota(s.quota),
    vnics: near,
    routes: routes(s.routes, near),
    dataplane,
    restart_policy: {
      mode: word(policy.mode, 'mode', ['always', 'on-failure', 'never']),
      max_per_hour: count(policy.max_per_hour, 'max_per_hour', 0, {max: 60}),
    },
    protected: isProtected,
    lease: lease(s.lease, isProtected),
  };
  return out;
}

// --- the others -----------------------------------------------------------------------

export function port(body, fixed) {
  const out = envelope(body, fixed, 'project');
  known(body.spec, 'spec', 'devargs', 'mtu');
  const devargs = text(body.spec.devargs, 'devargs', '');
  if (!/^[!-,.-~][!-~]*$/.test(devargs)) throw invalid('devargs');
  out.spec = {devargs,
    mtu: count(body.spec.mtu, 'mtu', 1500, {min: 68, max: 9000})};
  return out;
}

export const SUMS = ['cpu_millis', 'mem_bytes', 'pids', 'disk_bytes',
  'pool_slots', 'rx_pps', 'tx_pps', 'rx_bps', 'tx_bps', 'routers', 'vnics',
  'links', 'segments'];

export function sums(v = {}) {
  known(v, 'quota', ...SUMS);
  return Object.fromEntries(SUMS.map((key) => [key, count(v[key], key, 0,
    {max: 2 ** 52, bytes: key.endsWith('_bytes')})]));
}

export function project(body, fixed) {
  const out = envelope(body, fixed);
  const s = body.spec === undefined ? {} : body.spec;
  known(s, 'spec', 'quota', 'description');
  out.spec = {description: text(s.description, 'description', ''),
    quota: sums(s.quota)};
  return out;
}

function end(s, ports) {
  const m = typeof s === 'string' ? /^([^:]*):(.*)$/.exec(s) : null;
  if (!m) throw invalid(`end ${s}`);
  if (m[1] === 'port') {
    if (!ports) throw invalid('a port in a segment');
    return {port: name(m[2], 'port')};
  }
  return {router: name(m[1], 'router'), vnic: name(m[2], 'vnic', 15)};
}

function ends(v, ports) {
  const out = list(v, 'ends').map((s) => end(s, ports));
  if (new Set(v).size !== out.length) throw invalid('an end twice');
  return out;
}

function decimal(v, what, otherwise, max) {
  if (v === undefined) return otherwise;
  if (typeof v !== 'number' || v < 0 || v > max) throw invalid(`${what} is ${v}`);
  return v;
}

function impair(v = {}) {
  const per = (key, otherwise = 0) => decimal(v[key], key, otherwise, 100);
  known(v, 'impair', 'delay_ms', 'jitter_ms', 'loss_pct', 'duplicate_pct',
    'reorder_pct', 'burst_begin_pct', 'burst_end_pct', 'burst_loss_pct',
    'rate_bps', 'seed', 'queue_packets');
  const out = {
    delay_ms: decimal(v.delay_ms, 'delay_ms', 0, 10000),
    jitter_ms: decimal(v.jitter_ms, 'jitter_ms', 0, 10000),
    loss_pct: per('loss_pct'),
    duplicate_pct: per('duplicate_pct'),
    reorder_pct: per('reorder_pct'),
    burst_begin_pct: per('burst_begin_pct'),
    burst_end_pct: per('burst_end_pct', 100),
    burst_loss_pct: per('burst_loss_pct', 100),
    rate_bps: count(v.rate_bps, 'rate_bps', 0, BPS),
    seed: count(v.seed, 'seed', 0, {max: 2 ** 53 - 1}),
    queue_packets: count(v.queue_packets, 'queue_packets', 1000,
      {min: 1, max: 16384}),
  };
  if (out.jitter_ms > out.delay_ms) throw invalid('jitter_ms');
  if (out.reorder_pct && !out.delay_ms) throw invalid('reorder_pct');
  return out;
}

export function link(body, fixed) {
  const out = envelope(body, fixed, 'project');
  const s = body.spec;
  known(s, 'spec', 'ends', 'match', 'trunk', 'impair');
  out.ends = ends(s.ends, true);
  const ports = out.ends.filter((e) => e.port).length;
  const match = s.match === undefined || s.match === null ? {} : s.match;
  known(match, 'match', 'vlan', 'dst');
  const vlan = count(match.vlan, 'vlan', 0, {min: 1, max: 4094});
  const dst = text(match.dst, 'dst', null);
  if (dst !== null && (!prefix(dst) || hostBits(prefix(dst)).some((b) => b)))
    throw invalid('dst');
  const trunk = bool(s.trunk, 'trunk');
  if (out.ends.length !== 2 || ports === 2 || (ports === 0 && (vlan || dst || trunk)) ||
    (trunk && vlan))
    throw invalid('link');
  const both = s.impair === undefined || s.impair === null ? {} : s.impair;
  known(both, 'impair', 'forward', 'reverse');
  out.spec = {ends: [...s.ends], trunk,
    impair: {forward: impair(both.forward), reverse: impair(both.reverse)}};
  if (vlan || dst)
    out.spec.match = {...(vlan ? {vlan} : {}), ...(dst ? {dst} : {})};
  return out;
}

export function segment(body, fixed) {
  const out = envelope(body, fixed, 'project');
  known(body.spec, 'spec', 'members');
  out.ends = ends(body.spec.members ?? [], false);
  out.spec = {members: [...(body.spec.members ?? [])]};
  return out;
}

export function token(body, fixed) {
  known(body, 'the body', 'name', 'labels', 'spec', 'kind');
  const out = {name: ownName(body, fixed), labels: labels(body.labels)};
  known(body.spec, 'spec', 'roles', 'expires');
  if (!isObject(body.spec.roles) || !Object.keys(body.spec.roles).length)
    throw invalid('roles');
  for (const [project, role] of Object.entries(body.spec.roles)) {
    if (project !== '*') name(project, 'project');
    if (!['viewer', 'operator', 'admin'].includes(role)) throw invalid('role');
  }
  const expires = body.spec.expires ?? null;
  if (expires !== null && !(Date.parse(expires) > Date.now()))
    throw invalid('expires');
  out.spec = {roles: {...body.spec.roles}, expires};
  return out;
}
