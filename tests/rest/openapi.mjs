// SPDX-License-Identifier: Apache-2.0
// openapi: api/openapi.yaml as a JavaScript object, and values against its
// schemas.
//
// The file is written in a part of YAML: block mappings and sequences, JSON for
// whatever is in {} or [] (over several lines if need be), double quotes, folded
// text after ">", comments on lines of their own. Anything else is an error
// here, so that the file stays readable without a YAML library. Schemas: the
// keywords that the file uses; an unknown one is an error too.
import {readFileSync} from 'node:fs';

const top = new URL('../../', import.meta.url);

export function load(path = new URL('api/openapi.yaml', top)) {
  return parse(readFileSync(path, 'utf8'));
}

// --- the part of YAML ---------------------------------------------------------

export function parse(text) {
  const lines = [];
  let blank = false;
  text.split('\n').forEach((raw, i) => {
    if (/^\s*(#.*)?$/.test(raw)) {
      blank ||= raw.trim() === '';
      return;
    }
    if (raw.includes('\t')) throw new Error(`line ${i + 1}: a tab`);
    lines.push({indent: raw.search(/\S/), text: raw.trim(), no: i + 1, blank});
    blank = false;
  });
  const state = {lines, at: 0};
  const value = block(state, 0);
  if (state.at < lines.length) fail(lines[state.at], 'indented otherwise');
  return value;
}

function fail(line, why) {
  throw new Error(`openapi.yaml:${line.no}: ${why}: ${line.text}`);
}

function block(state, indent) {
  return state.lines[state.at].text.startsWith('- ') ?
    sequence(state, indent) : mapping(state, indent);
}

function sequence(state, indent) {
  const list = [];
  for (let l; (l = state.lines[state.at]) && l.indent === indent &&
       l.text.startsWith('- ');) {
    state.at++;
    list.push(scalar(state, l, l.text.slice(2).trim()));
  }
  return list;
}

function mapping(state, indent) {
  const map = {};
  for (let l; (l = state.lines[state.at]) && l.indent === indent;) {
    const m = /^("[^"]*"|[^\s"'{[][^:]*):(?:\s+(.*))?$/.exec(l.text);
    if (!m) fail(l, 'no key');
    const key = m[1][0] === '"' ? JSON.parse(m[1]) : m[1];
    if (Object.hasOwn(map, key)) fail(l, 'a key twice');
    state.at++;
    if (m[2] !== undefined) {
      map[key] = scalar(state, l, m[2]);
    } else {
      const next = state.lines[state.at];
      if (!next || next.indent <= indent) fail(l, 'no value');
      map[key] = block(state, next.indent);
    }
  }
  return map;
}

function scalar(state, line, text) {
  if (text === '>') return folded(state, line.indent);
  if (text[0] === '{' || text[0] === '[') return flow(state, line, text);
  if (text[0] === '"') return JSON.parse(text);
  if (/^['&*!|%@`]/.test(text) || / #|: /.test(text))
    fail(line, 'more YAML than we read');
  if (/^-?\d+$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}

// JSON goes on until it parses; a line that is indented less ends it.
function flow(state, line, text) {
  for (;;) {
    try {
      return JSON.parse(text);
    } catch (e) {
      const next = state.lines[state.at];
      if (!next || next.indent <= line.indent) fail(line, e.message);
      text += '\n' + next.text;
      state.at++;
    }
  }
}

function folded(state, indent) {
  let text = '';
  for (let l; (l = state.lines[state.at]) && l.indent > indent; state.at++)
    text += (text && (l.blank ? '\n' : ' ')) + l.text;
  return text + '\n';
}

// --- references and schemas ---------------------------------------------------

export function resolve(api, node) {
  while (node && node.$ref && Object.keys(node).length === 1) {
    node = node.$ref.slice(2).split('/').reduce((o, k) => o?.[k], api);
    if (node === undefined) throw new Error('a reference to nothing');
  }
  return node;
}

const annotations = new Set(
  ['description', 'default', 'examples', 'example', 'title', 'x-line']);

function typeOf(v) {
  if (v === null) return 'null';
  if (Array.isArray(v)) return 'array';
  if (Number.isInteger(v)) return 'integer';
  return typeof v;
}

const keywords = {
  $ref: (api, ref, v, at) => check(api, resolve(api, {$ref: ref}), v, at),
  type: (api, type, v, at) => {
    const is = typeOf(v);
    const ok = [type].flat().some((t) =>
      t === is || (t === 'number' && is === 'integer'));
    return ok ? [] : [`${at}: ${is} instead of ${type}`];
  },
  enum: (api, list, v, at) =>
    list.includes(v) ? [] : [`${at}: ${JSON.stringify(v)} is not one of ${list}`],
  pattern: (api, p, v, at) =>
    typeof v !== 'string' || new RegExp(p, 'u').test(v) ? [] :
      [`${at}: "${v}" does not match ${p}`],
  minLength: (api, n, v, at) =>
    typeof v !== 'string' || v.length >= n ? [] : [`${at}: too short`],
  maxLength: (api, n, v, at) =>
    typeof v !== 'string' || v.length <= n ? [] : [`${at}: too long`],
  minimum: (api, n, v, at) =>
    typeof v !== 'number' || v >= n ? [] : [`${at}: ${v} is less than ${n}`],
  maximum: (api, n, v, at) =>
    typeof v !== 'number' || v <= n ? [] : [`${at}: ${v} is more than ${n}`],
  minItems: (api, n, v, at) =>
    !Array.isArray(v) || v.length >= n ? [] : [`${at}: too few`],
  maxItems: (api, n, v, at) =>
    !Array.isArray(v) || v.length <= n ? [] : [`${at}: too many`],
  maxProperties: (api, n, v, at) =>
    typeOf(v) !== 'object' || Object.keys(v).length <= n ? [] :
      [`${at}: too many`],
  required: (api, list, v, at) =>
    typeOf(v) !== 'object' ? [] : list.filter((k) => !Object.hasOwn(v, k))
      .map((k) => `${at}/${k}: is missing`),
  items: (api, s, v, at) => !Array.isArray(v) ? [] :
    v.flatMap((x, i) => check(api, s, x, `${at}/${i}`)),
  properties: (api, p, v, at) => typeOf(v) !== 'object' ? [] :
    Object.keys(p).filter((k) => Object.hasOwn(v, k))
      .flatMap((k) => check(api, p[k], v[k], `${at}/${k}`)),
  additionalProperties: (api, s, v, at, schema) =>
    typeOf(v) !== 'object' ? [] : Object.keys(v)
      .filter((k) => !Object.hasOwn(schema.properties ?? {}, k))
      .flatMap((k) => s === false ? [`${at}/${k}: unknown`] :
        check(api, s, v[k], `${at}/${k}`)),
  anyOf: (api, list, v, at) => {
    const all = list.map((s) => check(api, s, v, at));
    return all.some((e) => e.length === 0) ? [] : all.flat();
  },
};

// Returns the list of what is wrong with v.
export function check(api, schema, v, at = '') {
  if (schema === true) return [];
  return Object.entries(schema).flatMap(([k, arg]) => {
    if (annotations.has(k)) return [];
    if (!keywords[k]) throw new Error(`schema keyword ${k} is not known here`);
    return keywords[k](api, arg, v, at, schema);
  });
}

// --- operations ---------------------------------------------------------------

// [{method, path, operation}], with what the path and references say put in.
export function operations(api) {
  const methods = ['get', 'put', 'post', 'patch', 'delete'];
  return Object.entries(api.paths).flatMap(([path, item]) =>
    methods.filter((m) => item[m]).map((m) => ({
      method: m.toUpperCase(),
      path,
      parameters: [...(item.parameters ?? []), ...(item[m].parameters ?? [])]
        .map((p) => resolve(api, p)),
      operation: item[m],
    })));
}

// Whether this answer is one that the operation lists. Returns what is wrong.
export function checkAnswer(api, op, answer) {
  const listed = resolve(api, op.operation.responses[String(answer.status)]);
  if (!listed) return [`${answer.status} is not described`];
  const wrong = [];
  for (const [name, header] of Object.entries(listed.headers ?? {})) {
    const value = answer.headers[name.toLowerCase()];
    if (value === undefined) wrong.push(`header ${name} is missing`);
    else wrong.push(...check(api, resolve(api, header).schema, value, name));
  }
  if (!listed.content) {
    if (answer.text !== '') wrong.push(`a body, and none is described`);
    return wrong;
  }
  const type = answer.headers['content-type'];
  if (!listed.content[type]) return [...wrong, `media type ${type}`];
  const {schema} = listed.content[type];
  if (!/json$/.test(type)) return wrong.concat(check(api, schema, answer.text));
  if (schema['x-line'])
    return wrong.concat(...answer.text.split('\n').filter((l) => l !== '')
      .map((l) => check(api, schema['x-line'], JSON.parse(l))));
  if (answer.json === undefined) return [...wrong, 'the body is not JSON'];
  return wrong.concat(check(api, schema, answer.json));
}
