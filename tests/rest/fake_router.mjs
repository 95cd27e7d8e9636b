// SPDX-License-Identifier: Apache-2.0
// fake_router: a router's process that serves its own socket badly. It forwards
// nothing. Started by init as a data plane: node fake_router.mjs MODE
//
//	silent    takes every question, and says nothing
//	nonsense  answers with bytes that are none of the protocol's
//	huge      promises more than anybody reads
//	deep      JSON that nests without end
//	drip      one byte now and then
//	wrong     JSON, with members of other types than they have
//	stuck     takes tables, and never answers a change
//	full      no change fits, and part of it was done; tables it takes: the
//	          state of its one neighbour says how many
import {rmSync} from 'node:fs';
import net from 'node:net';
import {dirname, join} from 'node:path';

const mode = process.argv[2];
const path = join(dirname(process.env.EUROPA_CONF), 'router.sock');
const deep = '{"a":'.repeat(20000) + '1' + '}'.repeat(20000);
const wrong = '{"running": "1", "revisions": 7, "routes": [{"prefix": 1}], ' +
  '"neighbours": {"a": 1}, "drops": [1], "state": [], "next": 5}';

function answer(text) {
  return `ok ${text.length}\n${text}`;
}

const says = {
  silent: () => {},
  nonsense: (s) => s.write('\0\0\0 what? \xff\n'.repeat(50)),
  huge: (s) => {
    s.write('ok 2000000000\n');
    const more = () => { while (!s.destroyed && s.write('x'.repeat(65536))); };
    s.on('drain', more);
    more();
  },
  deep: (s) => s.write(answer(deep)),
  drip: (s) => {
    s.write('ok 100000\n{');
    const timer = setInterval(() => s.write(' '), 50);
    s.on('close', () => clearInterval(timer));
  },
  wrong: (s) => s.write(answer(wrong)),
  stuck: (s, data) => says.full(s, data),
  full: (s, data) => {
    s.said = (s.said ?? '') + data;
    for (let m; (m = /^(.*) (\d+)\n/.exec(s.said));) {
      const end = m[0].length + Number(m[2]);
      if (s.said.length < end) return;
      s.said = s.said.slice(end);
      if (mode !== 'stuck' || m[1] !== 'change routes') s.write(full(m[1]));
    }
  },
};

let tables = 0;

function full(words) {
  if (words === 'change routes') {
    const text = '{"error": "1 changes before it are carried out", "code": "full"}\n';
    return `error ${text.length}\n${text}`;
  }
  if (words === 'replace routes end') tables++;
  return answer(words.startsWith('show neighbours')
    ? `{"neighbours": [{"address": "192.0.2.1", "state": "tables-${tables}"}]}\n`
    : '{"routes": 0}\n');
}

rmSync(path, {force: true});
net.createServer((s) => {
  s.on('error', () => {});
  s.on('data', (data) => says[mode](s, data));
}).listen(path);
