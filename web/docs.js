// SPDX-License-Identifier: Apache-2.0
// docs: openapi.json of this node as a page to read and search. Text becomes
// text nodes, never HTML. render() has what it writes to handed in, so that it
// can be tried without a browser.

const methods = ['get', 'post', 'put', 'patch', 'delete'];

export function render(api, document, root) {
  const el = (name, attributes, ...inside) => {
    const e = document.createElement(name);
    for (const [k, v] of Object.entries(attributes ?? {})) e.setAttribute(k, v);
    e.append(...inside.filter((x) => x !== null && x !== undefined));
    return e;
  };
  const text = (s) => String(s ?? '').trim().split('\n')
    .filter((p) => p !== '').map((p) => el('p', {}, p));
  const resolve = (x) => x && x.$ref && x.$ref.startsWith('#/') ?
    {...x.$ref.slice(2).split('/').reduce((o, k) => o[k], api), ...x, $ref: undefined} : x;
  const nameOf = (x) => x && x.$ref ? x.$ref.split('/').pop() : null;

  // One line for a schema: its type and its limits.
  function brief(s) {
    if (s === true) return 'anything';
    const types = s.type ? [s.type].flat().join(' or ') : '';
    const words = [nameOf(s) ?? types];
    const r = resolve(s);
    if (r.enum) words.push(r.enum.map((x) => JSON.stringify(x)).join(' | '));
    if (r.pattern) words.push(`matches ${r.pattern}`);
    if (r.minimum !== undefined) words.push(`≥ ${r.minimum}`);
    if (r.maximum !== undefined) words.push(`≤ ${r.maximum}`);
    if (r.maxLength !== undefined) words.push(`at most ${r.maxLength} characters`);
    if (r.maxItems !== undefined) words.push(`at most ${r.maxItems} items`);
    if (r.default !== undefined) words.push(`default ${JSON.stringify(r.default)}`);
    return words.filter(Boolean).join(', ');
  }

  // Members, items and choices; what refers to what it is in, is named alone.
  function schema(s, within = []) {
    if (s === true || !s) return [];
    const name = nameOf(s);
    if (name && within.includes(name)) return [];
    const inner = name ? [...within, name] : within;
    const r = resolve(s);
    const out = text(r.description);
    const members = Object.entries(r.properties ?? {});
    if (members.length)
      out.push(el('dl', {}, ...members.flatMap(([k, v]) => [
        el('dt', {class: (r.required ?? []).includes(k) ? 'must' : ''}, k, ' ',
          el('span', {class: 'type'}, brief(v))),
        el('dd', {}, ...schema(v, inner))])));
    if (r.items)
      out.push(el('p', {class: 'type'}, `items: ${brief(r.items)}`), ...schema(r.items, inner));
    if (r['x-line'])
      out.push(el('p', {class: 'type'}, `lines: ${brief(r['x-line'])}`), ...schema(r['x-line'], inner));
    if (typeof r.additionalProperties === 'object')
      out.push(el('p', {class: 'type'}, `members: ${brief(r.additionalProperties)}`),
        ...schema(r.additionalProperties, inner));
    for (const one of r.anyOf ?? [])
      out.push(el('p', {class: 'type'}, `or: ${brief(one)}`), ...schema(one, inner));
    return out;
  }

  function contents(content) {
    return Object.entries(content ?? {}).flatMap(([media, m]) => [
      el('p', {}, el('code', {}, media), ' ', el('span', {class: 'type'}, brief(m.schema))),
      ...schema(m.schema)]);
  }

  const quoted = (s) => `'${s.replace(/'/g, "'\\''")}'`;

  function curl(method, path, media, value) {
    const body = typeof value === 'string' ? value : JSON.stringify(value, null, 1);
    const type = media === 'application/json' ? '' : ` -H 'Content-Type: ${media}'`;
    return `curl -sS --unix-socket /run/europa/api.sock -X ${method}${type} \\\n` +
      `  http://europa${path} --data-binary ${quoted(body)}`;
  }

  function examples(method, path, op, parameters) {
    const real = path.replace(/{(\w+)}/g, (all, name) =>
      parameters.find((p) => p.in === 'path' && p.name === name)?.example ?? all);
    return Object.entries(op.requestBody?.content ?? {}).flatMap(([media, m]) =>
      Object.entries(m.examples ?? {}).map(([name, x]) => el('details', {class: 'example'},
        el('summary', {}, `Example ${name}`, x.summary ? `: ${x.summary}` : '', ' ',
          el('span', {class: 'status'}, x['x-status'])),
        el('pre', {}, curl(method.toUpperCase(), real, media, x.value)))));
  }

  function operation(path, item, method) {
    const op = item[method];
    const parameters = [...(item.parameters ?? []), ...(op.parameters ?? [])].map(resolve);
    return el('details', {class: 'operation', id: op.operationId},
      el('summary', {}, el('span', {class: 'method'}, method.toUpperCase()), op.summary),
      ...text(op.description),
      parameters.length ? el('h4', {}, 'Parameters') : null,
      parameters.length ? el('dl', {}, ...parameters.flatMap((p) => [
        el('dt', {class: p.required ? 'must' : ''}, p.name, ' ',
          el('span', {class: 'type'}, `${p.in}, ${brief(p.schema)}`)),
        el('dd', {}, ...text(p.description))])) : null,
      op.requestBody ? el('h4', {}, 'Body') : null,
      ...contents(op.requestBody?.content),
      ...examples(method, path, op, parameters),
      el('h4', {}, 'Answers'),
      ...Object.entries(op.responses).map(([status, r]) => el('details', {class: 'answer'},
        el('summary', {}, el('span', {class: 'status'}, status), ' ',
          String(resolve(r).description).trim()),
        ...Object.keys(resolve(r).headers ?? {}).map((h) => el('p', {}, `header ${h}`)),
        ...contents(resolve(r).content))));
  }

  root.append(...text(api.info.description));
  for (const [path, item] of Object.entries(api.paths)) {
    root.append(el('section', {class: 'path'}, el('h2', {}, path),
      ...methods.filter((m) => item[m]).map((m) => operation(path, item, m))));
  }
}

// Hides what has not all of the words.
export function filter(root, words) {
  const all = words.toLowerCase().split(/\s+/).filter(Boolean);
  let n = 0;
  for (const section of root.querySelectorAll('section')) {
    const path = section.querySelector('h2').textContent.toLowerCase();
    let some = false;
    for (const op of section.querySelectorAll('.operation')) {
      const has = all.every((w) => path.includes(w) || op.textContent.toLowerCase().includes(w));
      op.hidden = !has;
      some ||= has;
      n += has;
    }
    section.hidden = !some;
  }
  return n;
}

async function main() {
  const root = document.getElementById('api');
  const state = document.getElementById('state');
  const find = document.getElementById('find');
  try {
    const answer = await fetch('v1/openapi.json');
    if (!answer.ok) throw new Error(`the node answers ${answer.status}`);
    render(await answer.json(), document, root);
  } catch (e) {
    state.textContent = `cannot be read: ${e.message}`;
    return;
  }
  const show = () => { state.textContent = `${filter(root, find.value)} operations`; };
  find.addEventListener('input', show);
  show();
  const named = document.getElementById(location.hash.slice(1));
  if (named) {
    named.open = true;
    named.scrollIntoView();
  }
}

if (typeof window !== 'undefined') main();
