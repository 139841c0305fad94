// Everything that must be green before a commit, with the time each part took. Target: under two minutes on two cores.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './native.mjs';

const node = process.execPath;
const bin = (name) => join(root, 'node_modules/.bin', name);
const cache = ['--cache', '--cache-location', join(root, 'node_modules/.cache/eslint/')];

/** Two lanes, one for each core of a small machine; what a lane does in turn needs what came before. */
const lanes = [
  [
    ['contracts build', node, ['script/forge.mjs', 'build', '--quiet']],
    ['abi fresh', node, ['script/generate-abi.mjs', '--check']],
    ['layout and sizes', node, ['script/layout.mjs']],
    ['solidity format', node, ['script/forge.mjs', 'fmt', '--check']],
    ['unit tests', bin('vitest'), ['run', '--project', 'unit', '--reporter=dot']],
  ],
  [
    ['types', node, ['script/types.mjs']],
    ['lint', bin('eslint'), ['.', '--max-warnings', '0', ...cache]],
    ['format', bin('prettier'), ['--check', '--log-level=warn', '.']],
  ],
];

/** Runs one step, prints what it said once it is over, and answers whether it passed. */
function run([name, file, args]) {
  const from = performance.now();
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  child.stdout.on('data', (chunk) => said.push(chunk));
  child.stderr.on('data', (chunk) => said.push(chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => said.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (status) => {
      process.stdout.write(Buffer.concat(said));
      const seconds = ((performance.now() - from) / 1_000).toFixed(1).padStart(6);
      console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${seconds} s  ${name}`);
      resolve(status === 0);
    });
  });
}

async function walk(lane) {
  const passed = [];
  for (const step of lane) passed.push(await run(step));
  return passed;
}

const started = performance.now();
const results = (await Promise.all(lanes.map(walk))).flat();
const failed = results.filter((passed) => !passed).length;
const seconds = ((performance.now() - started) / 1_000).toFixed(1);
console.log(`${seconds} s, ${results.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
