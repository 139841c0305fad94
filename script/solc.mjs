#!/usr/bin/env node
// A solc that forge can call, made of npm's solc: no native compiler needs to be downloaded.
import { readFileSync } from 'node:fs';
import solc from 'solc';

if (process.argv.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
} else {
  console.error('this launcher speaks --version and --standard-json only');
  process.exit(1);
}
