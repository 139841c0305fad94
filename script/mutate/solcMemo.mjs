#!/usr/bin/env node
// The compiler of a scratch copy: script/solc.mjs with a memory. Forge asks for the same things again at every start (the names of the tests, when a
// filter is given); an answer that was given once is read from DPU_SOLC_MEMO instead of computed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const memo = process.env.DPU_SOLC_MEMO;
if (!memo) throw new Error('DPU_SOLC_MEMO must name the folder of remembered answers');

/** The remembered answer to `question`, else what `compute` says, which is then remembered. */
function remembered(question, compute) {
  const file = join(memo, createHash('sha256').update(question).digest('hex'));
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const answer = compute(createRequire(import.meta.url)('solc'));
  mkdirSync(memo, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, answer);
  renameSync(`${file}.${process.pid}`, file);
  return answer;
}

if (process.argv.includes('--version')) {
  console.log(
    `solc, the solidity compiler commandline interface\nVersion: ${remembered('version', (solc) => solc.version())}`,
  );
} else if (process.argv.includes('--standard-json')) {
  const input = readFileSync(0, 'utf8');
  process.stdout.write(remembered(input, (solc) => solc.compile(input)));
} else {
  console.error('this launcher speaks --version and --standard-json only');
  process.exit(1);
}
