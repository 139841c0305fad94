/** The commands of `dpu`, for people and programs that want work done. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command, InvalidArgumentError } from 'commander';
import { isHex, type Hex } from 'viem';

import { newIdentity, type SecretIdentity } from '../privacy/identity.ts';
import { exportIdentity, importIdentity, newPassphrase } from '../privacy/recovery.ts';
import { CliError, messageOf } from './cliError.ts';
import { connect, type Connection } from './connect.ts';
import { allow, fetchResults, hold, post } from './jobs.ts';
import { readOwnKey, writeNew, writeOwnKey } from './ownKey.ts';

/** What the program takes from its surroundings. */
export interface ProgramDeps {
  print: (line: string) => void;
  /** The environment: `DPU_NETWORK_FILE`, `DPU_WALLET_KEY_FILE`, `DPU_KEY_FILE`, `DPU_PASSPHRASE`. */
  env: Readonly<Record<string, string | undefined>>;
  /** Where the key is when nobody says. */
  home: string;
  signal: AbortSignal;
  /** Rounds of scrypt in recovery files as a base-2 logarithm; those of `exportIdentity` unless a test needs fewer. */
  workLog2?: number;
}

interface Given {
  network?: string;
  walletKeyFile?: string;
  key: string;
}

const collect = (value: string, earlier: string[]): string[] => [...earlier, value];
const nodes = (text: string): number[] =>
  text.split(',').map((part) => {
    const id = Number(part);
    if (!Number.isInteger(id) || id < 1) throw new InvalidArgumentError('ids of nodes, separated by commas');
    return id;
  });
const jobId = (text: string): Hex => {
  if (!isHex(text) || text.length !== 66) throw new InvalidArgumentError('a job id is 0x and 64 hex digits');
  return text.toLowerCase() as Hex;
};
const amount = (text: string): bigint => {
  if (!/^\d{1,40}$/.test(text)) throw new InvalidArgumentError('a whole number of smallest units');
  return BigInt(text);
};
const seconds = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number of seconds');
  return Number(text);
};

/** Builds the program. Errors are thrown, not printed; the process stays. */
export function dpuProgram({ print, env, home, signal, workLog2 }: ProgramDeps): Command {
  const program = new Command('dpu')
    .description('Has work done on the DPU network: posts jobs, private ones too, and fetches their results.')
    .exitOverride();
  const keyFile = env['DPU_KEY_FILE'] ?? join(home, '.dpu', 'own.key');
  const common = (command: Command): Command =>
    command
      .option('--network <file or url>', 'deployment of the network', env['DPU_NETWORK_FILE'])
      .option('--key <file>', 'your own key, for private jobs', keyFile);
  const connected = ({ network, walletKeyFile }: Given, pays = false): Promise<Connection> => {
    const wallet = walletKeyFile ?? env['DPU_WALLET_KEY_FILE'];
    return connect({ network, walletKeyFile: pays ? wallet : undefined });
  };

  addKeyCommands(program, { print, env, keyFile, options: workLog2 === undefined ? {} : { workLog2 } });

  common(program.command('post <template>'))
    .description('store what a job needs, fund it and post it')
    .option('--wallet-key-file <file>', 'private key of the wallet that pays')
    .option('-o, --option <name=value>', 'an option of the template', collect, [])
    .option('-f, --file <name=path>', 'a file for the template', collect, [])
    .option('--min-price <wei>', 'least price of a shard', amount)
    .option('--max-price <wei>', 'most price of a shard', amount)
    .option('--window <seconds>', 'how long a shown result can be doubted before it is paid', seconds)
    .option('--ramp <seconds>', 'in which time the price rises from least to most', seconds)
    .option('--private', 'nobody but you and the nodes that you allow can read it')
    .option('--nodes <ids>', 'with --private: nodes that may compute from the start', nodes, [])
    .option('--agent <recipient>', 'with --private: who may let in other nodes for you', collect, [])
    .action(async (template: string, given: Given & PostGiven) => {
      if (!given.private && (given.nodes.length > 0 || given.agent.length > 0)) {
        throw new CliError('--nodes and --agent say who may read a private job: add --private.');
      }
      // Before anything is stored: a private job whose key is nowhere would be lost.
      const identity = given.private ? await readOwnKey(given.key) : undefined;
      const { ids } = await post(await connected(given, true), {
        ...{ template, options: given.option, files: given.file },
        ...{ minPrice: given.minPrice, maxPrice: given.maxPrice, window: given.window, ramp: given.ramp },
        private: identity && { identity, nodes: given.nodes, agents: given.agent },
      });
      for (const id of ids) print(id);
    });

  common(program.command('result <job>'))
    .description('download a result, check it against the chain, open it when the job is private')
    .requiredOption('--out <folder>', 'where the files go')
    .action(async (job: string, given: Given & { out: string }) => {
      const identity = await readOwnKey(given.key).catch((error: unknown) => {
        // Open results need no key; a private job says that one is missing.
        if (error instanceof CliError) return undefined;
        throw error;
      });
      const { written, opened } = await fetchResults(await connected(given), jobId(job), given.out, identity);
      if (opened) print(`opened: ${opened.spec.name}`);
      for (const { file, bytes } of written) print(`${file} ${bytes}`);
    });

  common(program.command('allow <job>'))
    .description('hand the key of a private job to nodes after it was posted')
    .requiredOption('--nodes <ids>', 'whom to allow', nodes)
    .action(async (job: string, given: Given & { nodes: number[] }) => {
      await allow(await connected(given), jobId(job), await readOwnKey(given.key), given.nodes);
      print(`nodes ${given.nodes.join(', ')} have the job's key`);
    });

  common(program.command('hold <job>'))
    .description('stay awake for a private job: hand its key to allowed nodes that ask, until it has ended')
    .requiredOption('--nodes <ids or any>', 'whom to allow', (text: string) => (text === 'any' ? text : nodes(text)))
    .option('--min-stake <wei>', 'least stake of a node, in the smallest unit of DPU', amount, 0n)
    .option('--every <seconds>', 'pause between two looks', seconds, 5)
    .action(async (job: string, given: Given & { nodes: number[] | 'any'; minStake: bigint; every: number }) => {
      const options = { nodes: given.nodes, minStake: given.minStake, everyMs: given.every * 1_000 };
      await hold(await connected(given), jobId(job), await readOwnKey(given.key), options, { print, signal });
    });
  return program;
}

interface PostGiven {
  option: string[];
  file: string[];
  minPrice?: bigint;
  maxPrice?: bigint;
  window?: number;
  ramp?: number;
  private?: true;
  nodes: number[];
  agent: string[];
}

/** Makes, shows, exports and recovers the person's own key. */
function addKeyCommands(
  program: Command,
  {
    print,
    env,
    keyFile,
    options,
  }: Pick<ProgramDeps, 'print' | 'env'> & { keyFile: string; options: Parameters<typeof exportIdentity>[2] },
): void {
  const key = program.command('key').description('your own key, which opens your private jobs');
  const withKey = (command: Command): Command => command.option('--key <file>', 'the key', keyFile);

  withKey(key.command('new'))
    .description('make a key; export it next, because without it private jobs cannot be read by anyone')
    .action(async (given: Given) => {
      const identity = await newIdentity();
      writeOwnKey(given.key, identity);
      print(identity.recipient);
    });
  withKey(key.command('show'))
    .description('the public half, which others may know')
    .action(async (given: Given) => print((await readOwnKey(given.key)).recipient));
  withKey(key.command('export <file>'))
    .description('write a recovery file that DPU_PASSPHRASE opens, or a new passphrase, which is printed once')
    .action(async (file: string, given: Given) => {
      const own = env['DPU_PASSPHRASE'];
      const passphrase = own ?? newPassphrase();
      writeNew(file, await exportIdentity(await readOwnKey(given.key), passphrase, options));
      print(own === undefined ? `passphrase, keep it elsewhere than the file: ${passphrase}` : `written to ${file}`);
    });
  withKey(key.command('recover <file>'))
    .description('bring a key back from a recovery file, opened with DPU_PASSPHRASE; never over another key')
    .action(async (file: string, given: Given) => {
      const passphrase = env['DPU_PASSPHRASE'];
      if (passphrase === undefined) throw new CliError('Set DPU_PASSPHRASE to the passphrase of the recovery file.');
      const identity: SecretIdentity = await importIdentity(recoveryText(file), passphrase);
      writeOwnKey(given.key, identity);
      print(identity.recipient);
    });
}

function recoveryText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`The recovery file cannot be read: ${messageOf(error)}.`, error);
  }
}
