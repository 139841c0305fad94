import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import type { RuntimeName } from '@dpu/sdk/terms';
import { formatUnits, parseEther, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { stringify } from 'yaml';

import {
  readConfig,
  readSettings,
  variableOf,
  DEFAULT_CONFIG_FILE,
  type ConfigSources,
  type NodeConfig,
} from '../config.ts';
import { messageOf, OperatorError } from '../errors.ts';
import { createKeyFile, readKeyFile } from '../keys/keyFile.ts';
import { createNodeKey, readNodeKey } from '../keys/nodeKey.ts';
import { earningLines } from '../operator/earnings.ts';
import { findingLines } from '../operator/findings.ts';
import { askQuestions, type Ask } from '../operator/questions.ts';
import { examine, indexedMarket, type CheckDeps } from './check.ts';
import { ownerOf, reader } from './owner.ts';

/** What `dpu-node init` was told. */
export interface InitOptions {
  sources: ConfigSources;
  /** The owner's key: then registering and staking is done here. */
  ownerKeyFile?: string | undefined;
  /** DPU to stake, decimal. */
  stake?: string | undefined;
}

/** What it works with. */
export interface InitDeps extends CheckDeps {
  /** Asks a person; undefined where nobody is there to answer, or wants to. */
  ask: Ask | undefined;
}

const HEADER = `# Settings of this DPU node. Every setting and its meaning: worker/.env.example.
# asks: the least price of one shard per currency, in the currency's smallest unit; currencies that are not named are not taken.
`;

/** Writes the configuration, the operator's key and the key for private jobs, tests the machine, and registers or says how. Running it again changes nothing that is there. */
export async function init({ sources, ownerKeyFile, stake }: InitOptions, { ask, ...deps }: InitDeps): Promise<void> {
  const { print } = deps;
  const path = resolve(sources.file ?? sources.env['WORKER_CONFIG'] ?? DEFAULT_CONFIG_FILE);
  const fresh = !existsSync(path);
  const config = readConfig(fresh ? await firstAnswers(sources, ask, print) : sources);
  if (fresh) writeConfig(path, config);
  print(fresh ? `Configuration written: ${path}` : `Configuration found: ${path}`);

  const keyExists = existsSync(config.operatorKeyFile);
  const key = keyExists
    ? readKeyFile(config.operatorKeyFile, config.keyPassword)
    : createKeyFile(config.operatorKeyFile, config.keyPassword);
  const operator = privateKeyToAccount(key).address;
  const protection = config.keyPassword === undefined ? 'only you can read it' : 'encrypted with WORKER_KEY_PASSWORD';
  print(`Operator key ${keyExists ? 'found' : 'made'}: ${config.operatorKeyFile} (${protection})`);
  print(`Operator address: ${operator}`);

  const known = await readNodeKey(config);
  const identity = known ?? (await createNodeKey(config));
  print(`Key for private jobs ${known ? 'found' : 'made'}: ${config.nodeKeyFile} (${protection})`);

  print('');
  const { findings, working } = await examine(config, operator, deps);
  for (const line of findingLines(findings.filter(({ what }) => what !== 'Node'))) print(line);
  print('');
  const market = await (deps.market ?? indexedMarket)(config);
  for (const line of earningLines(market, working, {}, config.network.currencies)) print(line);
  await introduce(
    config,
    { operator, key: identity.key, runtimes: working as RuntimeName[] },
    ownerKeyFile,
    stake,
    print,
  );
}

/** The sources of a node that has no configuration yet, with what a person answered. */
async function firstAnswers(
  { env, flags = {} }: ConfigSources,
  ask: Ask | undefined,
  print: (line: string) => void,
): Promise<ConfigSources> {
  const sources: ConfigSources = { file: undefined, env: { ...env, WORKER_CONFIG: undefined }, flags };
  if (!ask) return sources;
  const settings = readSettings(sources);
  const names = Object.keys(settings) as (keyof typeof settings)[];
  const given = new Set(names.filter((name) => flags[name] !== undefined || env[variableOf(name)] !== undefined));
  print('Five questions; Enter takes what is proposed.');
  const answers = await askQuestions(ask, {
    given,
    deployment: settings.deployment,
    dataDir: settings.dataDir,
    cores: settings.cores,
    readNetwork: (deployment) => readConfig({ ...sources, flags: { ...flags, deployment } }).network,
    print,
  });
  const asked = Object.fromEntries(
    Object.entries(answers).filter(([name]) => !given.has(name as keyof typeof settings)),
  );
  return { ...sources, flags: { ...flags, ...asked } };
}

function writeConfig(path: string, config: NodeConfig): void {
  const {
    deployment,
    dataDir,
    operatorKeyFile,
    nodeKeyFile,
    slots,
    asks,
    gatewayHost,
    gatewayPort,
    statusPort,
    endpoint,
    rpcUrl,
    onlyWhenIdle,
    schedule,
  } = config;
  const text = stringify({
    deployment,
    ...(config.rpc.length > 1 ? { rpc: config.rpc } : rpcUrl === config.network.rpcUrl ? {} : { rpcUrl }),
    dataDir,
    operatorKeyFile,
    nodeKeyFile,
    slots,
    asks: Object.fromEntries(Object.entries(asks).map(([currency, ask]) => [currency, ask.toString()])),
    ...(onlyWhenIdle ? { onlyWhenIdle } : {}),
    ...(schedule.length === 0 ? {} : { schedule: schedule.map(({ text }) => text) }),
    gatewayHost,
    gatewayPort,
    statusPort,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, HEADER + text, { flag: 'wx' });
  } catch (error) {
    throw new OperatorError(`The configuration ${path} cannot be written: ${messageOf(error)}.`, { path }, error);
  }
}

async function introduce(
  config: NodeConfig,
  { operator, key, runtimes }: { operator: Hex; key: Hex; runtimes: readonly RuntimeName[] },
  ownerKeyFile: string | undefined,
  stake: string | undefined,
  print: (line: string) => void,
): Promise<void> {
  const { client, market } = reader(config);
  const endpoint = config.endpoint ?? `http://${config.gatewayHost}:${config.gatewayPort}`;
  const { minStake } = await market.config();
  let node = await market.nodeOf(operator);
  if (ownerKeyFile !== undefined) {
    const owner = ownerOf(config, ownerKeyFile);
    if (node === 0) {
      node = await owner.register(operator, runtimes, key, endpoint);
      print(`Node ${node} registered for the owner ${owner.address}.`);
    }
    if ((await market.node(node)).key !== key) {
      await owner.publishKey(node, key);
      print(`Node ${node} has its key for private jobs on chain now.`);
    }
    const wanted = stake === undefined ? minStake : parseEther(stake);
    const { stake: staked } = await market.node(node);
    if (staked < wanted) {
      await owner.stake(node, wanted - staked);
      print(`Staked ${formatUnits(wanted - staked, 18)} DPU; the node has ${formatUnits(wanted, 18)} now.`);
    }
  }
  const balance = await client.getBalance({ address: operator });
  const published = node === 0 ? key : (await market.node(node)).key;

  print('');
  print('Next:');
  if (node === 0) {
    print(
      `1. With the owner's wallet, in the dApp: register a node with the operator ${operator}, the key ${key} and the endpoint ${endpoint}.`,
    );
    print(`2. Stake at least ${formatUnits(minStake, 18)} DPU on it. (Or run init again with --owner-key-file.)`);
  } else print(`- Node ${node} is registered.`);
  if (published !== key) {
    print(
      `- To take private jobs: with the owner's wallet, set the node's key to ${key}. (Or run init again with --owner-key-file.)`,
    );
  }
  if (balance === 0n) print(`- Send the operator ${operator} some of the chain's coin for gas.`);
  print('- Run: dpu-node start');
}
