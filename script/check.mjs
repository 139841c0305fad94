// Everything that must be green before a commit, with the time each part took. Target: under two minutes.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './native.mjs';

const node = process.execPath;
const bin = (name) => join(root, 'node_modules/.bin', name);
const steps = [
  ['contracts build', node, ['script/forge.mjs', 'build', '--quiet']],
  ['abi fresh', node, ['script/generate-abi.mjs', '--check']],
  ['layout and sizes', node, ['script/layout.mjs']],
  ['solidity format', node, ['script/forge.mjs', 'fmt', '--check']],
  ['format', bin('prettier'), ['--check', '--log-level=warn', '.']],
  ['lint', bin('eslint'), ['.', '--max-warnings', '0']],
  ['types', node, ['script/types.mjs']],
  ['unit tests', bin('vitest'), ['run', '--project', 'unit', '--reporter=dot']],
].filter(([, , [first]]) => !first.startsWith('script/') || existsSync(join(root, first)));

let failed = 0;
const started = performance.now();
for (const [name, file, args] of steps) {
  const from = performance.now();
  const { status } = spawnSync(file, args, { cwd: root, stdio: 'inherit' });
  const seconds = ((performance.now() - from) / 1_000).toFixed(1).padStart(6);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${seconds} s  ${name}`);
  if (status !== 0) failed += 1;
}
console.log(
  `${((performance.now() - started) / 1_000).toFixed(1)} s, ${steps.length - failed} passed, ${failed} failed`,
);
process.exit(failed === 0 ? 0 : 1);
