import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { parseDeployment, type Deployment } from '@dpu/sdk/deployment';
import { isAddress, parseGwei } from 'viem';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';

import { messageOf, OperatorError } from './errors.ts';
import { LOG_LEVELS } from './log.ts';
import { shareOfMachine } from './resources/machine.ts';
import { parseWindow } from './resources/schedule.ts';

/** Where the configuration is looked for when nobody says. */
export const DEFAULT_CONFIG_FILE = './dpu-node.yaml';

const share = shareOfMachine();

const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) => z.coerce.number().int().min(least).max(most);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ''));
const list = z.preprocess(
  (value) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((item) => item.trim())
          .filter(Boolean)
      : value,
  z.array(url),
);
const gwei = z.union([z.string(), z.number()]).transform((value, context) => {
  try {
    return parseGwei(String(value));
  } catch {
    context.addIssue({ code: 'custom', message: 'must be an amount in gwei' });
    return z.NEVER;
  }
});
/** `address=amount,address=amount`, or a map. */
const asks = z.preprocess(
  (value) =>
    typeof value === 'string' ? Object.fromEntries(value.split(',').map((pair) => pair.trim().split('='))) : value,
  z.record(
    z.string().refine((text) => isAddress(text, { strict: false }), 'must be the address of a currency'),
    z
      .union([z.string().regex(/^\d+$/, 'must be a whole number of the smallest unit'), z.int().min(0)])
      .transform(BigInt),
  ),
);

/** Windows of local time, in a list or separated by semicolons. */
const windows = z
  .preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(';')
            .map((item) => item.trim())
            .filter(Boolean)
        : value,
    z.array(z.string()),
  )
  .transform((texts, context) =>
    texts.flatMap((text) => {
      try {
        return [parseWindow(text)];
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) });
        return [];
      }
    }),
  );
/** A group of settings; in the environment, YAML or JSON in one line. */
const group = <T extends z.ZodObject>(schema: T) =>
  z.preprocess((value) => (typeof value === 'string' ? parseYaml(value) : (value ?? {})), schema);
const multiaddrs = z.array(z.string().regex(/^\/(ip4|ip6|dns|dns4|dns6)\//, 'must be a multiaddr'));

/** Every setting. The file and the flags use these names; the environment uses WORKER_ and the name in capitals. */
export const configSchema = z.strictObject({
  /** The deployment file of the network: chain, contracts, gateway. A path relative to the configuration file. */
  deployment: z.string().default('.dpu/deployment.json'),
  /** JSON-RPC endpoint; the deployment's when absent. Short for `rpc` with one entry. */
  rpcUrl: url.optional(),
  /**
   * JSON-RPC endpoints of different providers, the preferred one first. With two or more, results are bound and shown, votes cast and bonds
   * settled only on what two of them say; with one, whatever it says is believed.
   */
  rpc: list.pipe(z.array(url).min(1)).optional(),
  /** An endpoint whose head is this many blocks older than another's lags. */
  rpcLagBlocks: whole(1).default(3),
  /** Act on one endpoint's word once half of the time left is gone in which the others were silent or lagged; never while they contradict it. */
  rpcSolo: flag.default(true),
  /** Folder of the journal, the block store and the control token. */
  dataDir: z.string().default('./dpu-node-data'),
  /** File of the operator's private key, readable by its owner only. Keys lie with the data when nothing is said. */
  operatorKeyFile: z.string().optional(),
  /** File of the key with which this node opens private jobs. Without the file it takes none. */
  nodeKeyFile: z.string().optional(),
  /** Password of encrypted key files. From the environment only. */
  keyPassword: z.string().optional(),
  /** Least price of one shard per currency, smallest units. Currencies that are not named are not taken. */
  asks: asks.optional(),
  /** Least price of a million units, about a quarter of an hour on one core, per currency, smallest units. */
  unitAsks: asks.default({}),
  /** What one whole coin of the chain is worth per currency, smallest units. Jobs whose gas would eat their price are then not taken. */
  coinPrices: asks.default({}),
  /** Shards that run at once. */
  slots: whole(1, 1024).default(share.cores),
  /** Processor cores and memory, MiB, that all shards together may use. */
  cores: whole(1, 4096).default(share.cores),
  memoryMb: whole(64).default(share.memoryMb),
  /** Most memory of one shard, MiB. */
  shardMemoryMb: whole(1).default(Math.min(4096, Math.ceil(share.memoryMb / 2))),
  /** Take work only while nobody else uses the machine. */
  onlyWhenIdle: flag.default(false),
  /** What counts as use: percent of all cores that others keep busy, percent of a GPU; and how long it must be quiet, seconds. */
  idleCpuPercent: z.coerce.number().min(0).max(100).default(25),
  idleGpuPercent: z.coerce.number().min(0).max(100).default(20),
  idleSeconds: whole(0).default(60),
  /** Degrees Celsius and watts above which no new work is taken, where the machine tells them; no limit when absent. */
  maxCpuTemperature: whole(1, 150).optional(),
  maxGpuTemperature: whole(1, 150).optional(),
  maxGpuPowerWatts: whole(1).optional(),
  /** Local hours in which work is taken, such as `22:00-07:00 weekdays`; always when there are none. */
  schedule: windows.default([]),
  /** Most bytes of a job's module and inputs, MiB. */
  maxInputMb: whole(1).default(1024),
  /** Most shards of one lease. */
  maxLeaseShards: whole(1, 8192).default(1024),
  /** Compute time that one lease should fill, seconds. */
  leaseSeconds: whole(1).default(60),
  /** Part of a lease's time that is kept free, percent, and seconds on top. */
  reservePercent: whole(0, 90).default(20),
  reserveSeconds: whole(0).default(3),
  /** How often the chain is asked for a new block, milliseconds. */
  pollMs: whole(10).default(250),
  /** Longest wait for the RPC, milliseconds. */
  rpcTimeoutMs: whole(100).default(10_000),
  /** Longest time in which a job's files are fetched, milliseconds. */
  fetchTimeoutMs: whole(100).default(300_000),
  /** Blocks after which a transaction or a scanned block is final. */
  finalityBlocks: whole(1).default(32),
  /** Blocks that a commit must have, its own included, before its result is shown. */
  revealConfirmations: whole(1).default(1),
  /** Offer to block proposers, gwei per gas; most in total; most where a bond is at risk. */
  tipGwei: gwei.default(parseGwei('1')),
  maxFeeGwei: gwei.default(parseGwei('200')),
  urgentMaxFeeGwei: gwei.default(parseGwei('2000')),
  /** Address and port at which this node's gateway listens. */
  gatewayHost: z.string().default('127.0.0.1'),
  gatewayPort: whole(0, 65_535).default(24_101),
  /** Base URL under which others reach that gateway; it is published on chain. The gateway's own URL when absent. */
  endpoint: url.optional(),
  /** Gateways to fetch from; the first also keeps copies of results. The deployment's when absent. */
  gateways: list.optional(),
  /** The network between nodes: heartbeats, progress, declines, what each holds. */
  gossip: group(
    z.strictObject({
      enabled: flag.default(true),
      /** Multiaddrs to listen at, such as /ip4/0.0.0.0/tcp/24301 and /ip4/0.0.0.0/tcp/24302/ws; free ports at gatewayHost when absent. */
      listen: multiaddrs.optional(),
      /** Multiaddrs under which others reach them, such as /dns4/node.example.org/tcp/24301; what it listens at when empty. */
      announce: multiaddrs.default([]),
      /** URLs of gateways and indexers, or peer ids, that may listen beside the nodes. The deployment's when absent. */
      observers: z.array(z.string()).optional(),
      /** Neighbours to look for. */
      neighbours: whole(1, 64).default(8),
    }),
  ),
  /** Bytes that the block store may hold, GiB; without a limit when absent. */
  storeQuotaGb: whole(1).optional(),
  /** Copies of each result that there should be, this node's own among them. 1: none elsewhere. */
  copies: whole(1, 8).default(3),
  /** Longest wait for the receipts of other holders before a result is shown, seconds; never more than a quarter of the time that there is. */
  receiptWaitSeconds: whole(0).default(20),
  /** How long results, inputs and the copies of others are kept, days. Later jobs may read a result for 60 days. */
  retentionDays: whole(1, 3_650).default(60),
  /** Bytes that are kept for any other node, GiB. 0: this node keeps no copies for others. */
  replicaQuotaGb: whole(0).default(10),
  /** How often other holders of what this node has signed for are asked whether they still have it, seconds. */
  auditSeconds: whole(1).default(300),
  /** Bytes that any one wallet may upload to this node's gateway, MiB, and how long they are kept, days. 0: no uploads. */
  uploadQuotaMb: whole(0).default(0),
  uploadDays: whole(1, 3_650).default(30),
  /** Port of the status server, on the loopback interface. */
  statusPort: whole(0, 65_535).default(24_201),
  /** Close expired jobs that this node worked for. */
  closeJobs: flag.default(true),
  /** Seconds that others get beyond a deadline before this node says that their lease has lapsed. */
  lapseGraceSeconds: whole(0).default(5),
  /**
   * Share of other nodes' results that are computed again when this machine is idle, 0 … 1, one shard of each. What is wrong is challenged
   * with this node's stake. The default is that of the protocol's own audits: a lie of a whole lease is then worth less than its
   * bond, and the machine gives a fiftieth of what others compute.
   */
  checkRate: z.coerce.number().min(0).max(1).default(0.02),
  /**
   * Challenge also what is right but out of reach. Off: a challenger gains nothing by that verdict, and loses its bond to a holder that brings the
   * data only once it is challenged.
   */
  challengeHidden: flag.default(false),
  /**
   * Most share of this node's stake that its open appeals may hold, 0 … 1; 0: it never appeals. It appeals where a jury found against it, the shard
   * computed again twice says otherwise, and what is at stake is worth the second jury.
   */
  appealShare: z.coerce.number().min(0).max(1).default(0.1),
  /** Prove the tier that this node has again before it runs out. Its owner begins the first proof: dpu-node prove. */
  renewTier: flag.default(true),
  /** How strongly shards are kept from the machine; the strongest that works when absent. */
  isolation: z.enum(['bubblewrap', 'prlimit', 'process']).optional(),
  /** Give each shard a control group of the kernel, where this node may make some: it bounds memory and processes of all that the shard starts. */
  controlGroups: flag.default(true),
  /** Idle sandbox processes that are kept ready. */
  warmProcesses: whole(0, 64).default(1),
  /**
   * Manifest of the Vulkan driver for GPU kernels, a path such as /usr/share/vulkan/icd.d/nvidia_icd.json, or `none` for none; the first
   * that computes a self-test right when absent.
   */
  gpuDriver: z.union([z.literal('none'), z.string().startsWith('/', 'must be an absolute path, or none')]).optional(),
  /** Socket of the container engine, a path such as /run/podman/podman.sock, or `none` for no containers; the first that is found when absent. */
  containerEngine: z
    .union([z.literal('none'), z.string().startsWith('/', 'must be an absolute path, or none')])
    .optional(),
  logLevel: z.enum(LOG_LEVELS).default('info'),
});

/** The settings, checked. Amounts in wei, paths absolute. */
export type Settings = z.output<typeof configSchema> & Record<(typeof KEYS)[number], string>;

/** Settings whose names differ from their amounts by the case of addresses only. */
const BY_CURRENCY = ['unitAsks', 'coinPrices'] as const;

/** Settings and the network that they name. */
export interface NodeConfig extends Settings {
  network: Deployment;
  /** Resolved: never absent. `rpcUrl` is the first of `rpc`. */
  rpcUrl: string;
  rpc: [string, ...string[]];
  gateways: string[];
  asks: Record<string, bigint>;
}

/** Where settings come from, weakest first: the file, the environment, the flags. */
export interface ConfigSources {
  /** Path of the YAML file; {@link DEFAULT_CONFIG_FILE} when absent, which then need not exist. */
  file?: string | undefined;
  env: Record<string, string | undefined>;
  flags?: Record<string, unknown>;
}

const NAMES = Object.keys(configSchema.shape) as (keyof Settings)[];
const PATHS = ['deployment', 'dataDir'] as const;
const KEYS = ['operatorKeyFile', 'nodeKeyFile'] as const;
const KEY_FILES = { operatorKeyFile: 'operator.key', nodeKeyFile: 'node.key' } as const;

/** Name of the environment variable of a setting. */
export function variableOf(name: string): string {
  return `WORKER_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * Reads the settings and the deployment file.
 * @throws OperatorError that names every setting that is wrong.
 */
export function readConfig(sources: ConfigSources): NodeConfig {
  const settings = readSettings(sources);
  const network = readDeployment(settings.deployment);
  const free = Object.fromEntries(network.currencies.map(({ address }) => [address.toLowerCase(), 0n]));
  const named = Object.entries(settings.asks ?? free).map(([address, ask]): [string, bigint] => [
    address.toLowerCase(),
    ask,
  ]);
  if (settings.rpc && settings.rpcUrl) {
    throw new OperatorError('Both rpc and rpcUrl are set. Keep rpc, which is the list of all endpoints.');
  }
  const [rpcUrl = settings.rpcUrl ?? network.rpcUrl, ...more] = settings.rpc ?? [];
  return {
    ...settings,
    network,
    rpcUrl,
    rpc: [rpcUrl, ...more],
    gateways: settings.gateways ?? [network.gatewayUrl],
    asks: Object.fromEntries(named),
  };
}

/** Reads the settings alone. */
export function readSettings({ file, env, flags = {} }: ConfigSources): Settings {
  const path = resolve(file ?? env['WORKER_CONFIG'] ?? DEFAULT_CONFIG_FILE);
  const fromFile = readYaml(path, file !== undefined || env['WORKER_CONFIG'] !== undefined);
  const fromEnv = Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = env[variableOf(name)];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const fromFlags = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  if ('keyPassword' in fromFile || 'keyPassword' in fromFlags) {
    throw new OperatorError(
      `The key's password belongs in ${variableOf('keyPassword')}, not in a file or on the command line.`,
    );
  }
  const parsed = configSchema.safeParse({ ...fromFile, ...fromEnv, ...fromFlags });
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path: at, message }) => `${at.join('.') || 'configuration'}: ${message}`,
    );
    throw new OperatorError(
      `The configuration is not valid. ${problems.join('; ')}. Correct ${path} or the environment.`,
      {
        problems,
      },
    );
  }
  const { operatorKeyFile = '', nodeKeyFile = '', ...others } = parsed.data;
  const settings: Settings = { ...others, operatorKeyFile, nodeKeyFile };
  for (const name of BY_CURRENCY) {
    const entries = Object.entries(settings[name]).map(([address, amount]) => [address.toLowerCase(), amount] as const);
    settings[name] = Object.fromEntries(entries);
  }
  // Paths in the file are relative to it, so that the node runs from any folder.
  const absolute = (name: (typeof PATHS | typeof KEYS)[number]): string =>
    resolve(name in fromFlags || name in fromEnv ? '.' : dirname(path), settings[name]);
  for (const name of PATHS) settings[name] = absolute(name);
  for (const name of KEYS)
    settings[name] = settings[name] === '' ? join(settings.dataDir, KEY_FILES[name]) : absolute(name);
  return settings;
}

function readYaml(path: string, required: boolean): Record<string, unknown> {
  if (!existsSync(path)) {
    if (required)
      throw new OperatorError(`There is no configuration file ${path}. Run dpu-node init, or correct --config.`, {
        path,
      });
    return {};
  }
  try {
    const value: unknown = parseYaml(readFileSync(path, 'utf8')) ?? {};
    if (typeof value !== 'object' || Array.isArray(value)) throw new Error('it is not a map of settings');
    return value as Record<string, unknown>;
  } catch (error) {
    throw new OperatorError(`The configuration file ${path} cannot be read: ${messageOf(error)}.`, { path }, error);
  }
}

function readDeployment(path: string): Deployment {
  try {
    return parseDeployment(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new OperatorError(
      `The deployment file ${path} cannot be used: ${messageOf(error)} It comes with the network; a dApp serves it as /config.json.`,
      { path },
      error,
    );
  }
}
