/** `npm test`: makes sure that the tools are there, builds, and runs every suite. `--only a,b` runs some; `--list` names them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';

import { root } from './native.mjs';
import { ensureTools } from './tools.ts';

const node = process.execPath;
const vitest = (project: string): [string, string[]] => [
  join(root, 'node_modules/.bin/vitest'),
  ['run', '--project', project],
];
const suites: Record<string, [string, string[]]> = {
  build: [node, ['script/build.ts']],
  abi: [node, ['script/generate-abi.mjs', '--check']],
  layout: [node, ['script/layout.mjs']],
  contracts: [node, ['script/forge.mjs', 'test']],
  proof: [node, ['script/prove.mjs']],
  unit: vitest('unit'),
  integration: vitest('integration'),
  browser: vitest('browser'),
};

/** Only by name: the solver gives up by the clock, so on a busy machine an unproven property would say nothing about the code. */
const BY_NAME = ['proof'];

const { only, list } = new Command('npm test --')
  .description('Installs what the tests need, builds everything and runs every suite.')
  .option('--only <suites>', `comma-separated: ${Object.keys(suites).join(', ')}`)
  .option('--list', 'name the suites and stop')
  .parse()
  .opts<{ only?: string; list?: boolean }>();

if (list) {
  console.log(Object.keys(suites).join('\n'));
  process.exit(0);
}
const wanted = only?.split(',') ?? Object.keys(suites).filter((name) => !BY_NAME.includes(name));
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`no suite ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`);
  process.exit(1);
}

if (!only || wanted.some((name) => ['integration', 'browser'].includes(name))) ensureTools({ testing: true });

const failed: string[] = [];
for (const name of wanted) {
  const [file, args] = suites[name] as [string, string[]];
  console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 90 - name.length))}`);
  const from = performance.now();
  const { status } = spawnSync(file, args, { cwd: root, stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok' : 'FAILED'} ${name} in ${((performance.now() - from) / 1_000).toFixed(1)} s`);
  if (status !== 0) {
    failed.push(name);
    if (name === 'build') break; // nothing else can work
  }
}
console.log(
  `\n${wanted.length - failed.length} suites passed, ${failed.length} suites failed${failed.length > 0 ? `: ${failed.join(', ')}` : ''}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
