#!/usr/bin/env node
// A solc that forge can call, made of npm's solc: no native compiler needs to be downloaded. It has a memory, because forge asks for the same again at
// every start (the names of the tests, when a filter is given), and npm's solc is slow to say it.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Where answers are kept; `forge clean` forgets them. */
const memory = process.env.DPU_SOLC_MEMO ?? join(import.meta.dirname, '../cache/solc');
/** Answers that are kept; those that were asked for longest ago go first. One has up to 30 MB. */
const MOST = 24;

const require = createRequire(import.meta.url);
const { version } = require('solc/package.json');

/** The remembered answer to `question`, else what `compute` says, which is then remembered. */
function remembered(question, compute) {
  const file = join(memory, createHash('sha256').update(`${version} ${question}`).digest('hex'));
  try {
    const answer = readFileSync(file, 'utf8');
    const now = new Date();
    utimesSync(file, now, now);
    return answer;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const answer = compute(require('solc'));
  mkdirSync(memory, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, answer);
  renameSync(`${file}.${process.pid}`, file);
  forgetOldest();
  return answer;
}

function forgetOldest() {
  const files = readdirSync(memory).map((name) => join(memory, name));
  const ages = new Map(files.map((file) => [file, statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  const newestFirst = files.sort((a, b) => ages.get(b) - ages.get(a));
  for (const file of newestFirst.slice(MOST)) rmSync(file, { force: true });
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
