#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { homedir } from 'node:os';

import { CommanderError } from 'commander';

import { CliError } from './cliError.ts';
import { dpuProgram } from './program.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());

try {
  const print = (line: string): void => console.log(line);
  await dpuProgram({ print, env: process.env, home: homedir(), signal: stop.signal }).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    // A person reads this: sentences that were written for one are enough.
    const known = error instanceof CliError || (error instanceof Error && 'retryable' in error);
    console.error(known ? (error as Error).message : error);
    process.exitCode = 1;
  }
}
