import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDeployment, type Deployment } from '@dpu/sdk/deployment';
import type { RuntimeName } from '@dpu/sdk/terms';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';

import { nativeBinary, root } from '../native.mjs';
import { startAppServer } from './appServer.ts';
import { startChain, type LocalChain } from './chain.ts';
import { addNodes, fundRequesters, type DeployedContracts } from './equip.ts';
import { networkFolder } from './folders.ts';
import { buildNode } from './nodeBuild.ts';
import { nodeProcess } from './nodeProcess.ts';
import { deployPair, seedPair } from './pair.ts';
import { people, privateKeyOf } from './people.ts';
import { freePort, PORTS } from './ports.ts';
import { ProcessTree, type ProcessFailed, type ProcessSpec, type Running } from './processTree.ts';
import { run } from './run.ts';
import { fundProofs, localBenchmarks } from './tiers.ts';

/** What kind of local network to start. */
export interface NetworkOptions {
  /** Its folder under `.dpu`. */
  name: string;
  /** Nodes to start, at most `MOST_NODES`. Default 3. */
  nodes?: number;
  /** Seconds between blocks once everything is set up. Default 1. */
  blockSeconds?: number;
  /** Shards that each node runs at once. Default 1. */
  slots?: number;
  /** What the nodes are registered for, and test at their start. Everything that this machine has by default. */
  runtimes?: readonly RuntimeName[];
  /** Settings of single nodes by their environment names; `node` counts from 1. */
  settings?: (node: number) => Record<string, string>;
  /** Leave the indexer, or the dApp, out. */
  without?: readonly ('indexer' | 'app')[];
  /** PostgreSQL for the indexer instead of its embedded database. */
  databaseUrl?: string;
  /** More settings of the indexer by their environment names. */
  indexerEnv?: Record<string, string>;
  onStep?: (line: string) => void;
  onLine?: (process: string, line: string) => void;
  onFailure?: (error: ProcessFailed) => void;
}

/** A node of the local network. */
export interface LocalNode {
  id: number;
  process: Running;
  gatewayUrl: string;
  statusUrl: string;
  folder: string;
}

/** A local network that runs: chain, contracts, gateway, indexer, nodes, dApp. */
export interface Network {
  folder: string;
  /** The nodes' program. */
  program: string;
  tree: ProcessTree;
  local: LocalChain;
  deployment: Deployment;
  nodes: LocalNode[];
  appUrl: string | undefined;
  /** Reads from the gateway and every node, writes to the gateway. */
  storage: HttpBackend;
  /** Starts a node again after it was stopped or killed. */
  restartNode(node: LocalNode): Promise<void>;
  /** Kills the indexer and starts it again on the same data. @throws when there is none. */
  restartIndexer(): Promise<void>;
  stop(): Promise<void>;
}

/** An indexer that is no more than so many blocks behind the chain has caught up. */
const BLOCKS_BEHIND = 3;

/** Starts everything and waits until it is ready. On failure, what was started is stopped. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const tree = new ProcessTree({
    ...(options.onLine ? { onLine: options.onLine } : {}),
    ...(options.onFailure ? { onFailure: options.onFailure } : {}),
  });
  try {
    return await bringUp(options, tree);
  } catch (error) {
    await tree.stop();
    throw error;
  }
}

async function bringUp(options: NetworkOptions, tree: ProcessTree): Promise<Network> {
  const step = options.onStep ?? ((): void => {});
  const folder = networkFolder(options.name);
  const without = new Set(options.without);

  const building = buildNode();
  building.catch(() => {}); // it is heard of where the program is needed
  const local = await startChain(tree, { port: await freePort(PORTS.chain) });
  step(`chain at ${local.rpcUrl}`);

  const gatewayPort = await freePort(PORTS.gateway);
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
  const gatewayArgs = [
    join(root, 'script/network/gatewayProcess.ts'),
    ...[join(folder, 'gateway'), String(gatewayPort), join(folder, 'deployment.json')],
  ];
  const gateway = tree.start({ name: 'gateway', file: process.execPath, args: gatewayArgs });

  const contracts = await deploy(folder, local);
  const [dollar] = contracts.currencies;
  if (!dollar) throw new Error('the deployment made no local dollar: deploy with DPU_NETWORK=local');
  await fundRequesters(local, contracts.token, dollar);
  await fundProofs(local, contracts);
  step(`Market at ${contracts.market}`);
  const exchange = await deployPair(local, people.deployer, contracts);
  await seedPair(local, people.deployer, { ...contracts, exchange });
  step(`credits at ${contracts.credits}, traded at ${exchange.pair}`);

  const seats: { gatewayPort: number; statusPort: number }[] = [];
  for (let index = 1; index <= (options.nodes ?? 3); index += 1) {
    const previous = seats.at(-1);
    seats.push({
      gatewayPort: await freePort(Math.max(PORTS.nodeGateway + index, (previous?.gatewayPort ?? 0) + 1)),
      statusPort: await freePort(Math.max(PORTS.nodeStatus + index, (previous?.statusPort ?? 0) + 1)),
    });
  }
  const endpoints = seats.map((seat) => `http://127.0.0.1:${seat.gatewayPort}`);
  const ids = await addNodes(local, contracts, endpoints, options.runtimes);
  // Setup ran on a block per transaction; from here on time passes as on a real chain.
  await local.testClient.setIntervalMining({ interval: options.blockSeconds ?? 1 });
  step(`${ids.length} nodes registered and staked`);

  const indexerPort = await freePort(PORTS.indexer);
  const deployment = parseDeployment({
    chainId: contracts.chainId,
    rpcUrl: local.rpcUrl,
    market: contracts.market,
    token: contracts.token,
    governor: contracts.governor,
    timelock: contracts.timelock,
    credits: contracts.credits,
    proofs: contracts.proofs,
    exchange: { router: exchange.router, pair: exchange.pair },
    currencies: [
      { address: contracts.token, symbol: 'DPU', decimals: 18 },
      { address: dollar, symbol: 'USDL', decimals: 6 },
      { address: contracts.credits, symbol: 'DPUC', decimals: 18 },
    ],
    startBlock: contracts.startBlock,
    indexerUrl: `http://127.0.0.1:${indexerPort}`,
    gatewayUrl,
  });
  writeFileSync(join(folder, 'deployment.json'), `${JSON.stringify(deployment, null, 2)}\n`);

  await tree.ready(gateway, async () => (await fetch(`${gatewayUrl}/health`)).ok);
  step(`gateway at ${gatewayUrl}`);

  const program = await building;
  const specOf = (index: number, seat: (typeof seats)[number]): ProcessSpec => {
    const env = options.settings?.(index + 1) ?? {};
    return nodeProcess({ program, index: index + 1, folder, slots: options.slots ?? 1, ...seat, env });
  };
  const nodes: LocalNode[] = ids.map((id, index) => {
    const seat = seats[index] as (typeof seats)[number];
    return {
      id,
      process: tree.start(specOf(index, seat)),
      gatewayUrl: `http://127.0.0.1:${seat.gatewayPort}`,
      statusUrl: `http://127.0.0.1:${seat.statusPort}`,
      folder: join(folder, `node-${index + 1}`),
    };
  });
  // Before the indexer starts: it is told at which page people sign in.
  const appPort = without.has('app') ? PORTS.app : await freePort(PORTS.app);
  const runIndexer = (): Running => startIndexer(tree, options, folder, deployment, { port: indexerPort, appPort });
  let indexer = without.has('indexer') ? undefined : runIndexer();
  /** It has caught up, and its accounts are open. */
  const indexerReady = (running: Running): Promise<void> =>
    tree.ready(running, async () => {
      const { indexerUrl } = deployment;
      if (!(await fetch(`${indexerUrl}/ready`)).ok) return false;
      if (!(await fetch(`${indexerUrl}/v1/account/nonce`, { method: 'POST' })).ok) return false;
      // Ponder calls itself ready before it has worked off the blocks of the set-up.
      const status = (await (await fetch(`${indexerUrl}/v1/status`)).json()) as { block: number };
      return status.block + BLOCKS_BEHIND >= Number(await local.publicClient.getBlockNumber());
    });
  const nodeReady = (node: LocalNode): Promise<void> =>
    tree.ready(node.process, async () => (await fetch(`${node.statusUrl}/health`)).ok);
  await Promise.all(nodes.map(nodeReady));
  step(`nodes ${nodes.map(({ id }) => id).join(', ')} are watching`);
  await tree.ready(gateway, async () => (await heartbeats(gatewayUrl)) === nodes.length);
  step(`nodes hear each other: the gateway has ${nodes.length} heartbeats`);
  if (indexer) {
    await indexerReady(indexer);
    step(`indexer at ${deployment.indexerUrl}`);
  }
  const app = without.has('app') ? undefined : await startAppServer({ port: appPort, deployment });
  if (app) step(`dApp at ${app.url}`);

  return {
    folder,
    program,
    tree,
    local,
    deployment,
    nodes,
    appUrl: app?.url,
    storage: new HttpBackend({
      getHolders: () => [gatewayUrl, ...nodes.map((node) => node.gatewayUrl)],
      writeTo: gatewayUrl,
    }),
    async restartNode(node) {
      const index = nodes.indexOf(node);
      node.process = tree.start(specOf(index, seats[index] as (typeof seats)[number]));
      await nodeReady(node);
    },
    async restartIndexer() {
      if (!indexer) throw new Error('this network has no indexer');
      indexer.kill('SIGKILL');
      await indexer.exited;
      indexer = runIndexer();
      await indexerReady(indexer);
    },
    async stop() {
      await app?.stop();
      await tree.stop();
    },
  };
}

/** How many nodes a gateway has heard lately. */
async function heartbeats(gatewayUrl: string): Promise<number> {
  const answer = await fetch(`${gatewayUrl}/v1/live/heartbeats`);
  return answer.ok ? ((await answer.json()) as { items: unknown[] }).items.length : 0;
}

/** Runs the deployment script and reads what it wrote. */
async function deploy(folder: string, local: LocalChain): Promise<DeployedContracts> {
  const file = join(folder, 'contracts.json');
  if (existsSync(file)) throw new Error(`${file} exists: this network was deployed already`);
  await run(
    'Deploying the contracts',
    nativeBinary('forge'),
    [
      'script',
      'script/contracts/Deploy.s.sol',
      '--rpc-url',
      local.rpcUrl,
      '--broadcast',
      '--slow',
      '--skip-simulation',
    ],
    {
      env: {
        FOUNDRY_PROFILE: 'deploy',
        DPU_NETWORK: 'local',
        DPU_DEPLOYMENT_FILE: file,
        DPU_BENCHMARKS: await localBenchmarks(),
      },
    },
  );
  return JSON.parse(readFileSync(file, 'utf8')) as DeployedContracts;
}

function startIndexer(
  tree: ProcessTree,
  options: NetworkOptions,
  folder: string,
  deployment: Deployment,
  { port, appPort }: { port: number; appPort: number },
): Running {
  return tree.start({
    name: 'indexer',
    file: join(root, 'node_modules/.bin/ponder'),
    args: ['start', '--schema', 'dpu', '--port', String(port), '-H', '127.0.0.1', '--log-format', 'json'],
    cwd: join(root, 'indexer'),
    env: {
      PORT: String(port),
      PONDER_RPC_URL: deployment.rpcUrl,
      PONDER_CHAIN_ID: String(deployment.chainId),
      PONDER_MARKET: deployment.market,
      PONDER_TOKEN: deployment.token,
      PONDER_CREDITS: deployment.credits ?? '',
      PONDER_GOVERNOR: deployment.governor ?? '',
      PONDER_PROOFS: deployment.proofs ?? '',
      PONDER_TIMELOCK: deployment.timelock ?? '',
      PONDER_START_BLOCK: String(deployment.startBlock),
      PONDER_POLL_MS: '200',
      PONDER_LIVE_DIR: join(folder, 'indexer-live'),
      // Both names of this machine: browsers give passkeys to names alone, and the page is linked by its number.
      PONDER_ACCOUNT_ORIGINS: ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${appPort}`).join(','),
      PONDER_ACCOUNT_URL: deployment.indexerUrl,
      PONDER_ACCOUNT_DIR: join(folder, 'accounts'),
      PONDER_RELAYER_KEY: privateKeyOf(people.relayer),
      PONDER_WEBHOOK_PRIVATE: '1',
      ...(options.databaseUrl ? { DATABASE_URL: options.databaseUrl } : { PONDER_PGLITE_DIR: join(folder, 'pglite') }),
      ...options.indexerEnv,
    },
  });
}
