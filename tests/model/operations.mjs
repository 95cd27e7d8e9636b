// SPDX-License-Identifier: Apache-2.0
// operations: what is asked of the node next. All of it follows from the seed and
// from the state of the model; most of it is possible, some of it is not, and
// what is refused has to be refused as the model says.
import {ofProject, etagOf} from './model.mjs';

const ROUTERS = ['r1', 'r2', 'r3', 'r4', 'r5'];
const VNICS = ['a', 'b', 'c', 'd'];
const PORTS = ['p0', 'p1', 'p2', 'p3'];
const LINKS = ['l1', 'l2', 'l3', 'l4'];
const SEGMENTS = ['s1', 's2'];
const TOKENS = ['t1', 't2', 't3'];
const PROJECTS = ['blue', 'red'];
export const DEVICES = 9; // net_null0 and on
const MACS = ['0a:00:00:00:00:01', '0a:00:00:00:00:02', '0A:00:00:00:00:03'];

const weights = {
  'project.create': 4, 'project.patch': 2, 'project.quota': 3,
  'project.delete': 2,
  'port.create': 6, 'port.put': 2, 'port.patch': 2, 'port.delete': 3,
  'router.create': 14, 'router.put': 6, 'router.patch': 14, 'router.power': 9,
  'router.restart': 3, 'router.quota': 7, 'router.routes': 4,
  'router.delete': 6,
  'vnic.create': 7, 'vnic.patch': 5, 'vnic.delete': 3,
  'link.create': 7, 'link.patch': 4, 'link.delete': 3,
  'segment.create': 4, 'segment.patch': 4, 'segment.delete': 1,
  'token.create': 3, 'token.patch': 3, 'token.delete': 2,
  'bad.json': 1, 'bad.large': 1,
};

export class Operations {
  constructor({random, pick}, dataplane) {
    this.random = random;
    this.pick = pick;
    this.dataplane = dataplane;
    this.names = Object.entries(weights).flatMap(([is, n]) => Array(n).fill(is));
    this.nKeys = 0;
  }

  chance(percent) { return this.random(100) < percent; }

  // The next one: {is, method, path, project, name, sub, body, headers, dry}
  next(state) {
    this.state = state;
    const project = this.chance(70) ? 'default' : this.pick(PROJECTS);
    this.project = state.projects[project] || this.chance(10) ? project : 'default';
    const op = this.make(this.possible(this.pick(this.names)));
    op.project = this.project;
    op.headers = this.headers(op);
    op.dry = !op.is.startsWith('bad') && this.chance(7);
    const query = [];
    if (!op.is.startsWith('project') && this.project !== 'default')
      query.push(`project=${this.project}`);
    if (op.dry) query.push('dry_run=true');
    op.url = op.path + (query.length ? `?${query.join('&')}` : '');
    return op;
  }

  // What is changed has to be there; with too few of a kind one is made, mostly.
  possible(is) {
    const noun = is.split('.')[0].replace('vnic', 'router');
    const few = {router: 3, port: 2, link: 1, segment: 1, token: 1}[noun] ?? 0;
    const n = few ? ofProject(this.state, `${noun}s`, this.project).length : 1;
    return n < few && this.chance(n ? 50 : 95) ? `${noun}.create` : is;
  }

  headers(op) {
    const out = {};
    if (op.method === 'POST' && !/^(bad|token)/.test(op.is) && this.chance(45))
      out['Idempotency-Key'] = `key ${++this.nKeys}`;
    if (op.about && this.chance(18))
      out['If-Match'] = this.chance(60) ? `"${etagOf(op.about)}"`
        : this.pick(['*', `"${etagOf({...op.about, generation: 0})}"`]);
    if (/^(router\.(create|put|patch|power|quota)|vnic)/.test(op.is) && this.chance(4))
      out.Prefer = 'respond-async';
    delete op.about;
    return out;
  }

  make(is) {
    const [noun, verb] = is.split('.');
    if (noun === 'bad') return this.bad(is, verb);
    if (noun === 'vnic') return {is, ...this.vnicOp(verb)};
    if (noun === 'router') return {is, ...this.routerOp(verb)};
    return {is, ...this.plain(noun, verb)};
  }

  bad(is, verb) {
    const raw = verb === 'json' ? this.pick(['{"name":', 'x', '{} {}', '[1,'])
      : `{"name": "r9"${' '.repeat(70000)}}`;
    return {is, method: 'POST', path: this.pick(['/v1/routers', '/v1/ports',
      '/v1/links']), raw};
  }

  // A name that is there, mostly.
  there(kind, names) {
    const have = kind === 'projects' ? Object.values(this.state.projects)
      : ofProject(this.state, kind, this.project);
    return have.length && this.chance(94) ? this.pick(have).name : this.pick(names);
  }

  // One that is not there, mostly.
  fresh(kind, names) {
    const have = kind === 'projects' ? Object.values(this.state.projects)
      : ofProject(this.state, kind, this.project);
    const free = names.filter((n) => !have.some((o) => o.name === n));
    return free.length && this.chance(88) ? this.pick(free) : this.pick(names);
  }

  get(kind, name) {
    return kind === 'projects' ? this.state.projects[name]
      : this.state[kind][`${this.project}/${name}`];
  }

  labels() {
    const out = {};
    for (const key of ['site', 'owner', 'a/b'])
      if (this.chance(40)) out[key] = this.pick(['x', 'y', 'zürich', '']);
    return out;
  }

  // --- projects, ports, links, segments, tokens ---------------------------------------

  plain(noun, verb) {
    const kind = `${noun}s`;
    const names = {projects: PROJECTS, ports: PORTS, links: LINKS,
      segments: SEGMENTS, tokens: TOKENS}[kind];
    if (verb === 'create')
      return {method: 'POST', path: `/v1/${kind}`,
        body: this.body(kind, this.fresh(kind, names))};
    const name = verb === 'put' && this.chance(40) ? this.fresh(kind, names)
      : this.there(kind, names);
    const op = {name, path: `/v1/${kind}/${name}`, about: this.get(kind, name)};
    if (verb === 'delete') return {...op, method: 'DELETE'};
    if (verb === 'put') return {...op, method: 'PUT', body: this.putPort(op)};
    if (verb === 'quota')
      return {...op, path: `${op.path}/quota`, method: 'PATCH',
        body: {limit: this.sums()}};
    return {...op, method: 'PATCH', body: this.patch(kind, op.about)};
  }

  body(kind, name) {
    const out = {name, ...(this.chance(40) ? {labels: this.labels()} : {})};
    if (kind === 'projects')
      return this.chance(40) ? out : {...out, spec: {description: 'for tests',
        quota: this.sums()}};
    return {...out, spec: this.spec(kind)};
  }

  spec(kind) {
    if (kind === 'ports') return this.portSpec();
    if (kind === 'links') return this.linkSpec();
    if (kind === 'segments') return {members: this.ends(this.random(4))};
    return {roles: this.roles(), ...(this.chance(30)
      ? {expires: this.pick(['2040-01-31T12:00:00Z', '2001-01-31T12:00:00Z'])} : {})};
  }

  portSpec() {
    const n = this.random(DEVICES);
    return this.pick([{devargs: `net_null${n},no-rx=1`},
      {devargs: `net_null${n},no-rx=1`, mtu: 1500},
      {devargs: `net_null${n},no-rx=1`, mtu: 9000},
      {devargs: `net_null${n},no-rx=1`},
      {devargs: 'net_af_packet7,iface=nothere'}, {devargs: 'net null'},
      {mtu: 1500}, {devargs: `net_null${n},no-rx=1`, speed: 10}]);
  }

  putPort({name, about}) {
    const body = about && this.chance(80)
      ? {labels: this.labels(), spec: {...about.spec}} : {spec: this.portSpec()};
    return this.chance(20) ? {...body, name} : body;
  }

  patch(kind, about) {
    if (kind === 'projects' && this.chance(50))
      return {spec: {description: this.pick(['one', 'two', 7])}};
    if (kind === 'links' && this.chance(65))
      return {spec: this.pick([{impair: this.impairs()}, {ends: this.ends(2)},
        {trunk: this.chance(50)}, {impair: null},
        {match: this.pick([null, {vlan: 1 + this.random(4)}, {vlan: null}])}])};
    if (kind === 'segments' && this.chance(75))
      return {spec: {members: this.ends(this.random(4))}};
    if (kind === 'ports' && this.chance(20)) return {spec: {mtu: 1400}};
    if (kind === 'tokens' && this.chance(60))
      return {spec: this.pick([{roles: this.roles()}, {expires: null},
        {expires: '2040-01-31T12:00:00Z'}, {expires: '2001-01-31T12:00:00Z'}])};
    return this.pick([{labels: this.labels()}, {labels: null},
      {labels: {site: null}}, {name: about?.name ?? 'x'}, {name: 'other'},
      {labels: {site: 7}}]);
  }

  sums() {
    return this.pick([{}, {routers: this.random(4)}, {vnics: 2 + this.random(6)},
      {cpu_millis: 1000 + this.random(4) * 1000}, {mem_bytes: '256MiB'},
      {rx_pps: '1M'}, {routers: 0, vnics: 0}, {routers: null},
      {links: 1 + this.random(3)}, {segments: 1}, {links: null, segments: 0},
      {cpu_millis: 0, mem_bytes: 0, rx_pps: 0}, {cpu_millis: 'much'}]);
  }

  roles() {
    return this.pick([{default: 'viewer'}, {blue: 'operator'}, {red: 'admin'},
      {'*': 'admin'}, {default: 'operator', blue: 'viewer'}, {}, {default: 'king'},
      {nowhere: 'viewer'}]);
  }

  // --- links and segments -------------------------------------------------------------

  ends(n) {
    const routers = ofProject(this.state, 'routers', this.project);
    const free = routers.flatMap((r) => r.spec.vnics
      .filter((v) => !v.attach || this.chance(10)).map((v) => `${r.name}:${v.name}`));
    const out = [];
    for (let i = 0; i < n; i++)
      out.push(free.length && this.chance(85) ? this.pick(free)
        : `${this.pick(ROUTERS)}:${this.pick(VNICS)}`);
    return out;
  }

  linkSpec() {
    const ends = this.ends(this.chance(96) ? 2 : 1);
    const toPort = this.chance(55);
    if (toPort)
      ends[this.random(ends.length)] = `port:${this.there('ports', PORTS)}`;
    const out = {ends};
    if (this.chance(50)) out.impair = this.impairs();
    if (this.chance(toPort ? 60 : 3))
      out.match = this.pick([{vlan: 1 + this.random(4)}, {dst: '198.18.0.0/16'},
        {vlan: 2, dst: `198.18.${this.random(4)}.0/24`}, {vlan: 4095}]);
    if (this.chance(8)) out.trunk = true;
    return out;
  }

  impairs() {
    const one = () => this.pick([{delay_ms: 20, jitter_ms: 0.5}, {loss_pct: 0.1},
      {rate_bps: '10M', queue_packets: 100}, {loss_pct: 1, seed: 7}, {},
      {delay_ms: 5, reorder_pct: 25}, {duplicate_pct: 2.5}, {jitter_ms: 3},
      {burst_begin_pct: 1, burst_end_pct: 30}]);
    return this.pick([{forward: one()}, {reverse: one()},
      {forward: one(), reverse: one()}, {}]);
  }

  // --- routers ------------------------------------------------------------------------

  address() {
    return this.chance(12) ? this.pick(['2001:db8::1/64', '2001:db8:1::5/64',
      '198.18.0.0/24', '198.18.0.1', '224.0.0.1/24'])
      : `198.18.${this.chance(25) ? this.random(3) : this.random(200)}.` +
        `${1 + this.random(3)}/24`;
  }

  attach() {
    const port = this.there('ports', PORTS);
    const peer = this.there('routers', ROUTERS);
    return this.pick([null, null, {port}, {port, match: {vlan: 1 + this.random(4)}},
      {port, match: {vlan: 1 + this.random(4)}}, {port, trunk: true},
      {router: peer, vnic: this.pick(VNICS)}]);
  }

  vnic(name) {
    const out = {name};
    const attach = this.attach();
    if (attach || this.chance(20)) out.attach = attach;
    const n = this.pick([0, 1, 1, 1, 2]);
    if (n) out.addresses = Array.from({length: n}, () => this.address());
    if (this.chance(10)) out.mac = this.pick([...MACS, '01:00:00:00:00:01']);
    if (this.chance(10)) out.mtu = this.pick([1400, 1500, 4000, 60]);
    if (this.chance(15)) out.quota = this.pick([{rx_pps: '1k'}, {tx_bps: '10M'},
      {burst_ms: 10}, {rx_bps: 999}]);
    return out;
  }

  vnics() {
    return VNICS.slice(0, this.pick([0, 1, 1, 2, 2, 3])).map((n) => this.vnic(n));
  }

  quota() {
    return this.pick([{cpu_millis: 500}, {pids: 40 + this.random(40)},
      {mem_bytes: this.pick(['64MiB', '96MiB', 134217728])},
      {pool_slots: this.pick([64, 100, 512, 1024])}, {rx_pps: '100k', tx_bps: '1G'},
      {burst_ms: 20}, {rx_pps: null, burst_ms: null}, {pool_slots: 2048},
      {disk_bytes: '8MiB'}, {vnics_max: this.pick([0, 1, 2, 32])},
      {mem_bytes: '900GiB'}, {pids: 'many'}, {pids: 3}]);
  }

  care() {
    return this.pick([{restart_policy: {mode: 'on-failure', max_per_hour: 5}},
      {restart_policy: {mode: 'never'}}, {protected: true}, {protected: false},
      {protected: false}, {lease: {seconds: 7200}}, {lease: null},
      {lease: {seconds: 9000, on_expiry: 'stop'}},
      {lease: {expires_at: '2040-01-31T12:00:00Z'}},
      {lease: {expires_at: '2001-01-31T12:00:00Z'}},
      {restart_policy: {mode: 'sometimes'}}]);
  }

  routes(about) {
    const vnics = about?.spec.vnics ?? [];
    const net = `198.19.${this.random(200)}.0/24`;
    const out = [];
    if (vnics.length && this.chance(70))
      out.push({prefix: net, vnic: this.pick(vnics).name});
    if (this.chance(30))
      out.push({prefix: '192.0.2.0/24', via: `198.18.${this.random(3)}.2`});
    if (this.chance(10)) out.push({prefix: '192.0.2.1/24', vnic: 'a'});
    return out;
  }

  routerBody(name) {
    const spec = {dataplane: this.dataplane, vnics: this.vnics()};
    if (this.chance(35)) spec.quota = this.quota();
    if (spec.quota) for (const k of Object.keys(spec.quota))
      if (spec.quota[k] === null) delete spec.quota[k];
    if (this.chance(20)) Object.assign(spec, this.care());
    if (this.chance(35)) spec.power = this.pick(['stopped', 'paused', 'running']);
    if (this.chance(15)) spec.routes = this.routes({spec});
    if (this.chance(3)) spec.template = 'nothere';
    if (this.chance(3)) spec.colour = 1;
    return {name, spec, ...(this.chance(40) ? {labels: this.labels()} : {})};
  }

  patchRouter(about) {
    const of = (spec) => ({spec});
    return this.pick([{labels: this.labels()}, {labels: {site: null, a: 'b'}},
      of({quota: this.quota()}), of(this.care()), of(this.care()),
      of({vnics: this.vnics()}), of({routes: this.routes(about)}),
      of({power: this.pick(['running', 'stopped', 'paused'])}),
      of({quota: {disk_bytes: this.pick(['8MiB', '24MiB'])}}), of({quota: null}),
      of({dataplane: this.dataplane}), {name: 'r9'}]);
  }

  routerOp(verb) {
    if (verb === 'create')
      return {method: 'POST', path: '/v1/routers',
        body: this.routerBody(this.fresh('routers', ROUTERS))};
    const name = this.there('routers', ROUTERS);
    const about = this.get('routers', name);
    const op = {name, path: `/v1/routers/${name}`, about};
    switch (verb) {
    case 'put':
      return {...op, method: 'PUT', body: this.putRouter(name, about)};
    case 'patch':
      return {...op, method: 'PATCH', body: this.patchRouter(about)};
    case 'power':
      return {...op, method: 'PUT', path: `${op.path}/power`, body: {desired:
        this.pick(['running', 'running', 'stopped', 'paused', 'running', 'asleep'])}};
    case 'restart':
      return {...op, method: 'POST', path: `${op.path}/restart`,
        body: {scope: this.pick(['dataplane', 'container', 'world'])}};
    case 'quota':
      return {...op, method: 'PATCH', path: `${op.path}/quota`,
        body: {limit: this.quota()}};
    case 'routes':
      return {...op, method: 'PUT', path: `${op.path}/routes`,
        body: this.chance(95) ? {routes: this.routes(about)} : {}};
    default:
      return {...op, method: 'DELETE'};
    }
  }

  putRouter(name, about) {
    if (about && this.chance(30))
      return {name, labels: about.labels, spec: about.spec};
    const body = this.routerBody(name);
    if (this.chance(50)) delete body.name;
    return body;
  }

  vnicOp(verb) {
    const router = this.there('routers', ROUTERS);
    const about = this.get('routers', router);
    const have = (about?.spec.vnics ?? []).map((v) => v.name);
    const path = `/v1/routers/${router}/vnics`;
    if (verb === 'create') {
      const free = VNICS.filter((n) => !have.includes(n));
      return {method: 'POST', path, name: router, about,
        body: this.vnic(this.pick(free.length && this.chance(90) ? free : VNICS))};
    }
    const sub = this.pick(have.length && this.chance(92) ? have : VNICS);
    const op = {name: router, sub, path: `${path}/${sub}`, about};
    if (verb === 'delete') return {...op, method: 'DELETE'};
    return {...op, method: 'PATCH', body: {spec: this.pick([
      {quota: {rx_pps: '5k'}}, {quota: null}, {addresses: [this.address()]},
      {attach: this.attach()}, {mac: this.pick(MACS)}, {mtu: 1400}, {mtu: 1500},
      {addresses: null}, {name: 'other'}])}};
  }
}
