// Type-checks every part; runs two at a time, because the machine that runs CI has two cores.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './native.mjs';

const bin = (name) => join(root, 'node_modules/.bin', name);
const jobs = [
  ...['sdk', 'worker', 'indexer', 'script', 'test'].map((part) => [
    part,
    bin('tsc'),
    ['-p', `${part}/tsconfig.json`, '--noEmit'],
    root,
  ]),
  ['app', 'npm', ['run', 'check', '--silent'], join(root, 'app')],
].filter(([part]) => part === 'app' || existsSync(join(root, part, 'tsconfig.json')));

const one = ([part, file, args, cwd]) =>
  new Promise((resolve) => {
    let output = '';
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('exit', (code) => {
      if (code !== 0) console.error(`types of ${part}:\n${output}`);
      resolve(code === 0);
    });
  });

let failed = false;
const worker = async () => {
  for (let job = jobs.shift(); job; job = jobs.shift()) failed = !(await one(job)) || failed;
};
await Promise.all([worker(), worker()]);
process.exit(failed ? 1 : 0);
