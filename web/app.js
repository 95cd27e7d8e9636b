// SPDX-License-Identifier: Apache-2.0
// app: reads the node every two seconds and shows it. Text from the node only
// ever becomes text (textContent), never markup. A node that is away is said to
// be away, and what was last heard of it stays, faded.

const PERIOD_MS = 2000;
const TIMEOUT_MS = 5000;

const STATE_CLASS = {
  running: 'good', up: 'good',
  failed: 'bad', quarantined: 'bad', degraded: 'bad', down: 'bad',
  stopped: '', paused: '',
};

const $ = (id) => document.getElementById(id);

// Kept for this tab alone; no page but ours can read it.
const TOKEN_KEY = 'europa-token';

async function read(path) {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const answer = await fetch(path, {signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: token ? {Authorization: `Bearer ${token}`} : {}});
  const body = await answer.json();
  $('login').hidden = answer.status !== 401;
  if (!answer.ok) throw new Error(body.detail ?? `${path}: ${answer.status}`);
  return body;
}

// An element with text or other elements in it.
function make(tag, className, ...content) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...content.filter((c) => c !== '' && c !== undefined));
  return e;
}

function more(text) {
  return text ? make('span', 'more', text) : '';
}

function name(text) {
  const e = make('th', '', text);
  e.scope = 'row';
  return e;
}

function state(word, why) {
  return make('td', '', make('span', STATE_CLASS[word] ?? 'wait', word), more(why));
}

function number(text) {
  return make('td', 'number', text);
}

function scaled(value, step, units) {
  let u = 0;
  while (value >= step && u + 1 < units.length) {
    value /= step;
    u++;
  }
  return `${Number(value.toFixed(value < 10 && u ? 1 : 0))} ${units[u]}`.trim();
}

const bytes = (v) => scaled(v, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
const packets = (v) => scaled(v ?? 0, 1000, ['', 'k', 'M', 'G', 'T']);

function since(text) {
  const t = new Date(text);
  return isNaN(t) ? '' : t.toLocaleString();
}

function vnics(router) {
  const cell = make('td', '');
  for (const v of router.status.vnics) {
    const spec = router.spec.vnics.find((s) => s.name === v.name);
    const to = v.link ? ` → ${v.link}${v.attached ? '' : ' (not attached)'}` : '';
    cell.append(make('div', '', v.name + to, more(spec?.addresses.join(', '))));
  }
  return cell;
}

function routerRow(r) {
  const q = r.spec.quota;
  const late = r.status.observed_generation < r.generation;
  return make('tr', '', name(r.name),
    state(r.status.state, r.status.problem?.detail ?? (late ? 'changing' : '')),
    vnics(r), number(`${q.cpu_millis / 1000}`), number(bytes(q.mem_bytes)),
    number(`${q.pool_slots} slots`), make('td', '', since(r.status.since)));
}

function traffic(n, size) {
  return number(`${packets(n)} packets, ${bytes(size ?? 0)}`);
}

function portRow(p) {
  const c = p.status.counters ?? {};
  return make('tr', '', name(p.name),
    state(p.status.state, p.status.detail || p.status.remedy),
    make('td', '', make('code', '', p.spec.devargs), more(p.status.driver)),
    make('td', '', make('code', '', p.status.mac ?? '')), number(p.spec.mtu),
    traffic(c.rx, c.rx_bytes), traffic(c.tx, c.tx_bytes));
}

function show(id, list, row) {
  $(id).replaceChildren(...list.items.map(row));
  $(`${id}-count`).textContent = list.items.length || '';
  $(`${id}-none`).hidden = list.items.length > 0;
}

function say(text, isBad, isStale) {
  const e = $('state');
  // said once, not every two seconds: it is a live region
  if (e.textContent !== text) e.textContent = text;
  e.classList.toggle('offline', isBad);
  document.body.classList.toggle('stale', isStale);
}

async function refresh() {
  try {
    const [node, routers, ports] =
      await Promise.all(['/v1', '/v1/routers', '/v1/ports'].map(read));
    $('node').textContent = `${node.name ?? ''} ${node.version}`.trim();
    show('routers', routers, routerRow);
    show('ports', ports, portRow);
    if (node.dataplane?.connected === false)
      say('data plane away: no packet moves', true, false);
    else
      say('online', false, false);
  } catch (e) {
    const away = e.name === 'TypeError' || e.name === 'TimeoutError';
    say(`offline: ${away ? 'the node does not answer' : e.message}`, true, true);
  }
}

// The next reading begins when this one has ended; a hidden page rests.
async function run() {
  if (!document.hidden) await refresh();
  setTimeout(run, PERIOD_MS);
}

$('login').addEventListener('submit', (e) => {
  e.preventDefault();
  sessionStorage.setItem(TOKEN_KEY, $('token').value.trim());
  $('token').value = '';
  refresh();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) refresh();
});
run();
