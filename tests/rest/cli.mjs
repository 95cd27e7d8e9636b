// SPDX-License-Identifier: Apache-2.0
// cli: runs europactl, in a home of its own and with no environment but ours.
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export const program = process.env.EUROPACTL;
export const folder = mkdtempSync(join(tmpdir(), 'europactl.'));
process.on('exit', () => rmSync(folder, {recursive: true, force: true}));

// {stdin, env, wait: milliseconds, until: it is ended when this is true of what
// it has said}; the answer {code, out, err}.
export function run(args, {stdin, env = {}, wait = 30000, until = () => false} = {}) {
  return new Promise((done, failed) => {
    const child = spawn(program, args, {stdio: ['pipe', 'pipe', 'pipe'],
      env: {PATH: process.env.PATH, HOME: folder, ...env}});
    const timer = setTimeout(() => child.kill('SIGKILL'), wait);
    let out = '', err = '';
    child.stdout.on('data', (d) => {
      out += d;
      if (until(out)) child.kill('SIGKILL');
    });
    child.stderr.on('data', (d) => { err += d; });
    child.stdin.on('error', () => {}); // it need not read
    child.on('error', failed);
    child.on('close', (code) => {
      clearTimeout(timer);
      done({code, out, err});
    });
    child.stdin.end(stdin ?? '');
  });
}
