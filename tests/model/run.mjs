// SPDX-License-Identifier: Apache-2.0
// run: random operations on a node, with europad killed in some of them, beside a
// model of what should be there. Prints its seed first, and TAP at the end.
//
//	node tests/model/run.mjs [--operations 1000] [--kills 200] [--seed N]
//		[--containers fake|lxc] [--keep] [--trace]
//
// EUROPA_BUILDDIR names the build. Containers of LXC need root.
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

import {descriptors, sweep} from './look.mjs';
import {empty, predict} from './model.mjs';
import {Node} from './node.mjs';
import {Operations} from './operations.mjs';
import {generator} from '../rest/random.mjs';
import {Session} from './session.mjs';

const {values: options} = parseArgs({options: {
  operations: {type: 'string', default: '1000'},
  kills: {type: 'string', default: '200'},
  seed: {type: 'string', default: String(Date.now() % 1000000)},
  containers: {type: 'string', default: 'fake'},
  keep: {type: 'boolean', default: false},
  trace: {type: 'boolean', default: false},
}});
const source = join(dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.EUROPA_BUILDDIR ?? join(source, '_build');
const nOps = Number(options.operations), nKills = Number(options.kills);
const numbers = generator(Number(options.seed));
const INSPECT_EVERY = 50;

// Which operations are cut short: nKills of nOps, anywhere.
function chooseKills() {
  const all = Array.from({length: nOps}, (_, i) => i);
  for (let i = 0; i < nKills; i++) {
    const k = i + numbers.random(nOps - i);
    [all[i], all[k]] = [all[k], all[i]];
  }
  return new Set(all.slice(0, nKills));
}

// What is refused is no less a test, but seldom one of kills.
function choose(operations, state, isKilled) {
  for (let left = isKilled ? 6 : numbers.random(3); ; left--) {
    const op = operations.next(state);
    const {status} = predict(state, op);
    if (status !== 'either' && (left <= 0 || status < 300)) return op;
  }
}

async function play(node) {
  const isFake = options.containers === 'fake';
  const session = new Session(node, empty(), numbers.random);
  const operations = new Operations(numbers, isFake ? join(build, 'europa-router') : '');
  const kills = chooseKills();
  session.slowMs = isFake ? 60 : 250;
  session.isTraced = options.trace;
  await node.start();
  const plane = descriptors(node.plane.pid);
  try {
    await session.inspect();
    for (let i = 0; i < nOps; i++) {
      const op = choose(operations, session.state, kills.has(i));
      await session.step(op, kills.has(i));
      if (numbers.random(8) === 0) await session.replay();
      if (i % INSPECT_EVERY === INSPECT_EVERY - 1) await session.inspect();
    }
    await session.inspect();
    await session.finish(plane);
  } catch (e) {
    e.message += `\nthe last operations:\n${session.trace.slice(-24).join('\n')}`;
    throw e;
  }
  return session.counts;
}

if (options.containers === 'lxc' && process.getuid() !== 0) {
  console.log('1..0 # SKIP containers of LXC need root');
  process.exit(0);
}
console.log('TAP version 13\n1..1');
console.log(`# seed ${options.seed}, ${nOps} operations, ${nKills} kills, ` +
  `containers ${options.containers}`);
const node = new Node({build, source, containers: options.containers});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => { node.died = `ended by ${signal}`; });
const began = Date.now();
const what = 'random operations and kills of europad: the state is the model\'s';
try {
  const counts = await play(node);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`# ${seconds} s: ${JSON.stringify(counts)}`);
  console.log(`ok 1 - ${what}`);
} catch (e) {
  console.log(`not ok 1 - ${what}`);
  for (const line of `${e.stack}\n${node.log()}`.split('\n')) console.log(`# ${line}`);
  console.log(`# again: tests/model/run.mjs --seed ${options.seed} --operations ` +
    `${nOps} --kills ${nKills} --containers ${options.containers}`);
  process.exitCode = 1;
}
await node.stop();
sweep(node);
if (process.exitCode && options.keep) console.log(`# ${node.dir} is kept`);
else node.remove();
