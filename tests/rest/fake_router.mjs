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
};

rmSync(path, {force: true});
net.createServer((s) => {
  s.on('error', () => {});
  s.on('data', () => says[mode](s));
}).listen(path);
