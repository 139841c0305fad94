import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import type { RuntimeName } from '@dpu/sdk/terms';
import { formatUnits, parseEther, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { stringify } from 'yaml';

import { readConfig, DEFAULT_CONFIG_FILE, type ConfigSources, type NodeConfig } from '../config.ts';
import { messageOf, OperatorError } from '../errors.ts';
import { createKeyFile, readKeyFile } from '../keyFile.ts';
import { createNodeKey, readNodeKey } from '../nodeKey.ts';
import type { Runtime } from '../runtimes/runtime.ts';
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
export interface InitDeps {
  runtimes: (config: NodeConfig) => readonly Runtime[];
  print: (line: string) => void;
}

const HEADER = `# Settings of this DPU node. Every setting and its meaning: worker/.env.example.
# asks: the least price of one shard per currency, in the currency's smallest unit; currencies that are not named are not taken.
`;

/** Writes the configuration, the operator's key and the key for private jobs, tests the machine, and registers or says how. Running it again changes nothing that is there. */
export async function init(
  { sources, ownerKeyFile, stake }: InitOptions,
  { runtimes, print }: InitDeps,
): Promise<void> {
  const path = resolve(sources.file ?? sources.env['WORKER_CONFIG'] ?? DEFAULT_CONFIG_FILE);
  const fresh = !existsSync(path);
  const config = readConfig(
    fresh ? { ...sources, file: undefined, env: { ...sources.env, WORKER_CONFIG: undefined } } : sources,
  );
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

  const working: RuntimeName[] = [];
  for (const runtime of runtimes(config)) {
    const probe = await runtime.probe();
    if (probe.available) working.push(runtime.name as RuntimeName);
    print(
      `Runtime ${runtime.name}: ${probe.available ? `works, isolation ${probe.isolation}` : 'DOES NOT WORK'}. ${probe.detail}`,
    );
    await runtime.close();
  }
  await introduce(config, { operator, key: identity.key, runtimes: working }, ownerKeyFile, stake, print);
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
  } = config;
  const text = stringify({
    deployment,
    ...(config.rpc.length > 1 ? { rpc: config.rpc } : rpcUrl === config.network.rpcUrl ? {} : { rpcUrl }),
    dataDir,
    operatorKeyFile,
    nodeKeyFile,
    slots,
    asks: Object.fromEntries(Object.entries(asks).map(([currency, ask]) => [currency, ask.toString()])),
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
