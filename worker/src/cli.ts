#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { Command } from 'commander';

import { exit } from './commands/exit.ts';
import { init } from './commands/init.ts';
import { start } from './commands/start.ts';
import { fetchStatus, statusLines } from './commands/status.ts';
import { readConfig, type ConfigSources } from './config.ts';
import { EXIT, exitCodeOf, messageOf, WorkerError } from './errors.ts';
import { createLog } from './log.ts';
import { allRuntimes } from './runtimes/all.ts';

// Node calls parts that the sandbox uses experimental; operators can do nothing about it. Said here too for those who
// start this file without the first line's flag.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') console.error(warning);
});

const print = (line: string): void => console.log(line);

/** Settings that can be given on the command line, with their placeholder and meaning. */
const FLAGS: readonly (readonly [string, string])[] = [
  ['--deployment <file>', 'deployment file of the network'],
  ['--rpc-url <url>', 'JSON-RPC endpoint'],
  ['--data-dir <folder>', 'folder of the journal and the block store'],
  ['--operator-key-file <file>', 'file of the operator’s private key'],
  ['--node-key-file <file>', 'file of the key that opens private jobs'],
  ['--slots <number>', 'shards that run at once'],
  ['--asks <list>', 'least price of a shard per currency: address=amount,…'],
  ['--gateway-host <address>', 'address at which this node’s gateway listens'],
  ['--gateway-port <port>', 'port of this node’s gateway'],
  ['--endpoint <url>', 'URL under which others reach that gateway'],
  ['--gateways <list>', 'gateways to fetch from, comma separated'],
  ['--status-port <port>', 'port of the status server on the loopback interface'],
  ['--poll-ms <ms>', 'how often the chain is asked for a new block'],
  ['--log-level <level>', 'debug, info, warn, error or silent'],
];

function withFlags(command: Command): Command {
  command.option('-c, --config <file>', 'configuration file (default: ./dpu-node.yaml)');
  for (const [flag, meaning] of FLAGS) command.option(flag, meaning);
  return command;
}

/** Aborted by the first SIGINT or SIGTERM; a second one ends the process where it stands, which the journal can take. */
function untilStopped(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(EXIT.restart);
      stop.abort();
    });
  }
  return stop.signal;
}

const NO_SETTINGS = ['config', 'ownerKeyFile', 'stake', 'json'];

/** What the command was given, without the options that are no settings. */
function sourcesOf(given: Record<string, string | undefined>): ConfigSources {
  const flags = Object.fromEntries(Object.entries(given).filter(([name]) => !NO_SETTINGS.includes(name)));
  return { file: given['config'], env: process.env, flags };
}

const program = new Command('dpu-node')
  .description('A node of the DPU network: takes compute jobs, runs them in a sandbox, proves them and is paid.')
  .addHelpText('after', '\nExit status: 0 clean, 1 somebody must act (the message says what), 75 start me again.');

withFlags(program.command('init'))
  .description('write the configuration and an operator key, test the machine, say or do what comes next')
  .option('--owner-key-file <file>', 'the owner’s key: registers and stakes right away')
  .option('--stake <dpu>', 'DPU to stake (default: the network’s least)')
  .action(async (given: Record<string, string | undefined>) => {
    await init(
      { sources: sourcesOf(given), ownerKeyFile: given['ownerKeyFile'], stake: given['stake'] },
      { runtimes: allRuntimes, print },
    );
  });

withFlags(program.command('start'))
  .description('work until stopped')
  .action(async (given: Record<string, string | undefined>) => {
    const config = readConfig(sourcesOf(given));
    const log = createLog(config.logLevel);
    await start(config, { runtimes: allRuntimes(config), log, clockMs: () => performance.now() }, untilStopped());
  });

withFlags(program.command('status'))
  .description('ask the running node how it is')
  .option('--json', 'the whole status as JSON')
  .action(async (given: Record<string, string | undefined>) => {
    const config = readConfig(sourcesOf(given));
    const status = await fetchStatus(config);
    if (given['json'] !== undefined) print(JSON.stringify(status, undefined, 2));
    else for (const line of statusLines(status, config.network.currencies)) print(line);
  });

withFlags(program.command('exit'))
  .description('take no new work, finish what is held, then queue the stake to leave or say how')
  .option('--owner-key-file <file>', 'the owner’s key: queues the unstake right away')
  .action(async (given: Record<string, string | undefined>) => {
    const config = readConfig(sourcesOf(given));
    await exit({ config, ownerKeyFile: given['ownerKeyFile'] }, print, untilStopped());
  });

try {
  await program.parseAsync();
} catch (error) {
  // A person reads this: the sentence is enough when it was written for one.
  console.error(error instanceof WorkerError && !error.retryable ? messageOf(error) : error);
  process.exitCode = exitCodeOf(error);
}
