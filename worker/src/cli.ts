#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { createInterface } from 'node:readline/promises';

import { Command } from 'commander';

import { check } from './commands/check.ts';
import { exit } from './commands/exit.ts';
import { init } from './commands/init.ts';
import { backup, restore, rotate } from './commands/key.ts';
import { prove } from './commands/prove.ts';
import { proveDeps } from './commands/proveDeps.ts';
import { start } from './commands/start.ts';
import { fetchStatus, statusLines } from './commands/status.ts';
import { readConfig, type ConfigSources, type NodeConfig } from './config.ts';
import { EXIT, exitCodeOf, messageOf, OperatorError, WorkerError } from './errors.ts';
import { createLog, type Log } from './log.ts';
import { order } from './operator/order.ts';
import type { Ask } from './operator/questions.ts';
import { allRuntimes } from './runtimes/all.ts';
import { openControlGroups, type ControlGroups } from './sandbox/groups.ts';

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
  ['--schedule <windows>', 'local hours in which work is taken, such as "22:00-07:00 weekdays"'],
  ['--only-when-idle <true|false>', 'take work only while nobody else uses the machine'],
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

/** SIGUSR2 drains. One that comes before the node works is kept until then: unheard it would end the process. */
function onDrainSignal(): (drain: () => void) => void {
  let drain: (() => void) | undefined;
  let asked = false;
  process.on('SIGUSR2', () => {
    asked = true;
    drain?.();
  });
  return (ready) => {
    drain = ready;
    if (asked) drain();
  };
}

const NO_SETTINGS = ['config', 'ownerKeyFile', 'stake', 'json', 'yes'];

const nowSeconds = (): number => Date.now() / 1000;

/** Asks whoever sits at the terminal. */
async function withPerson<T>(work: (ask: Ask | undefined) => Promise<T>, wanted: boolean): Promise<T> {
  if (!wanted || !process.stdin.isTTY || !process.stdout.isTTY) return work(undefined);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await work((question, proposed) => terminal.question(`${question} [${proposed}]: `));
  } finally {
    terminal.close();
  }
}

/** What the command was given, without the options that are no settings. */
function sourcesOf(given: Record<string, string | undefined>): ConfigSources {
  const flags = Object.fromEntries(Object.entries(given).filter(([name]) => !NO_SETTINGS.includes(name)));
  return { file: given['config'], env: process.env, flags };
}

/** @throws OperatorError when it is none. */
function tierOf(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 255) return Number(text);
  throw new OperatorError(`${text} is no tier: a tier is a number from 1 to 255.`, {});
}

const program = new Command('dpu-node')
  .description('A node of the DPU network: takes compute jobs, runs them in a sandbox, proves them and is paid.')
  .addHelpText('after', '\nExit status: 0 clean, 1 somebody must act (the message says what), 75 start me again.');

/** Where shards get their control groups from, where the kernel gives this node some. */
function controlGroupsOf({ controlGroups }: NodeConfig, log: Log): ControlGroups | undefined {
  if (!controlGroups) return undefined;
  try {
    const groups = openControlGroups();
    log.info('Each shard has a control group', { version: groups.version });
    return groups;
  } catch (error) {
    log.info('Shards have no control groups: limits are those of single processes', { why: messageOf(error) });
    return undefined;
  }
}

withFlags(program.command('init'))
  .description('ask five questions, write the configuration and the keys, check the machine, say or do what comes next')
  .option('-y, --yes', 'ask nothing: take what is proposed, and what the other options say')
  .option('--owner-key-file <file>', 'the owner’s key: registers and stakes right away')
  .option('--stake <dpu>', 'DPU to stake (default: the network’s least)')
  .action(async (given: Record<string, string | undefined>) => {
    const { ownerKeyFile, stake, yes } = given;
    await withPerson(
      (ask) =>
        init(
          { sources: sourcesOf(given), ownerKeyFile, stake },
          { runtimes: (config) => allRuntimes(config), print, nowSeconds, ask },
        ),
      yes === undefined,
    );
  });

withFlags(program.command('start'))
  .description('work until stopped')
  .action(async (given: Record<string, string | undefined>) => {
    const config = readConfig(sourcesOf(given));
    const log = createLog(config.logLevel);
    await start(
      config,
      {
        runtimes: allRuntimes(config, controlGroupsOf(config, log)),
        log,
        clockMs: () => performance.now(),
        onDrainSignal: onDrainSignal(),
      },
      untilStopped(),
    );
  });

withFlags(program.command('check'))
  .description('check the machine, the sandbox, the chain and the operator, and say what to do')
  .action(async (given: Record<string, string | undefined>) => {
    await check(readConfig(sourcesOf(given)), { runtimes: (config) => allRuntimes(config), print, nowSeconds });
  });

withFlags(program.command('drain'))
  .description('take no new work and finish what is promised, also after a restart, until dpu-node resume')
  .action(async (given: Record<string, string | undefined>) => {
    await order(readConfig(sourcesOf(given)), 'drain');
    print('No new work is taken. dpu-node status shows what is left; dpu-node resume takes work again.');
  });

withFlags(program.command('resume'))
  .description('take work again after dpu-node drain')
  .action(async (given: Record<string, string | undefined>) => {
    await order(readConfig(sourcesOf(given)), 'resume');
    print('Work is taken again.');
  });

withFlags(program.command('prove <tier>'))
  .description('have the running node prove a tier of capability: a benchmark as a job, until it is entered on chain')
  .requiredOption('--owner-key-file <file>', 'the owner’s key: begins and ends the proof')
  .action(async (tier: string, given: Record<string, string | undefined>) => {
    const config = readConfig(sourcesOf(given));
    const { node, deps } = await proveDeps(config, given['ownerKeyFile']!, print);
    await prove(deps, node, tierOf(tier), untilStopped());
  });

const key = program.command('key').description('back up, restore or replace the operator’s key');
const keyDeps = { backupPassword: process.env['WORKER_BACKUP_PASSWORD'], print };

withFlags(key.command('backup <file>'))
  .description('write both keys to a new file, sealed with WORKER_BACKUP_PASSWORD')
  .action((file: string, given: Record<string, string | undefined>) =>
    backup(readConfig(sourcesOf(given)), file, keyDeps),
  );

withFlags(key.command('restore <file>'))
  .description('write the keys of a backup where the settings want them; never over others')
  .action((file: string, given: Record<string, string | undefined>) =>
    restore(readConfig(sourcesOf(given)), file, keyDeps),
  );

withFlags(key.command('rotate'))
  .description('replace the operator’s key, on chain too')
  .option('--owner-key-file <file>', 'the owner’s key: changes the operator right away')
  .action(async (given: Record<string, string | undefined>) => {
    await rotate(readConfig(sourcesOf(given)), given['ownerKeyFile'], keyDeps);
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
