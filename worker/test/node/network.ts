/** A whole network in one test: anvil, the contracts, a gateway, owners with staked nodes, a requester with money. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AWAITED } from '@dpu/sdk/awaited';
import type { Deployment } from '@dpu/sdk/deployment';
import { startGateway, type Gateway } from '@dpu/sdk/gateway/server';
import { createMarket, type Market } from '@dpu/sdk/market';
import { packRules } from '@dpu/sdk/rules';
import { encodeSpec, type JobSpecInput } from '@dpu/sdk/spec';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { jobId, marketDomain, type Terms } from '@dpu/sdk/terms';
import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  erc20Abi,
  http,
  zeroHash,
  type Abi,
  type Hash,
  type Hex,
  type PublicClient,
  type TestClient,
} from 'viem';
import { mnemonicToAccount, type HDAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';

import { nativeBinary, root } from '../../../script/native.mjs';

const MNEMONIC = 'test test test test test test test test test test test junk';
export const DPU = 10n ** 18n;
const REQUESTER = 1;
const FIRST_OWNER = 3;
const FIRST_OPERATOR = 6;

/** Short windows, everyone drawn after three seconds. */
const PARAMS = {
  feeBps: 300,
  bondTenths: 40,
  noShowBps: 2_000,
  burnBps: 5_000,
  retryBps: 4_000,
  auditRates: 0,
  revealWindow: 60,
  auditWindow: 5,
  openFor: 0,
  drawStep: 1,
  drawOpenAfter: 3,
};

/** What differs from a one-shard job without windows. */
export interface PostOptions {
  module: Uint8Array<ArrayBuffer>;
  shards?: number;
  args?: string[];
  terms?: Partial<Terms>;
  spec?: Partial<JobSpecInput>;
}

/** A running test network. */
export interface TestNetwork {
  rpcUrl: string;
  deployment: Deployment;
  client: PublicClient;
  test: TestClient;
  gateway: Gateway;
  storage: HttpBackend;
  dir: string;
  requester: Market;
  owner(node: number): Market;
  person(index: number): HDAccount;
  /** Operator key of the node with this number, counted from 1. */
  operatorKey(node: number): Hex;
  ownerAddress(node: number): `0x${string}`;
  ownerKey(node: number): Hex;
  /** Sends DPU from the deployer. */
  give(to: `0x${string}`, amount: bigint): Promise<void>;
  /** A free TCP port. */
  port(): Promise<number>;
  post(options: PostOptions): Promise<{ id: Hex; terms: Terms }>;
  /** Resolves when `check` holds; asked once per block. */
  until<T>(what: string, check: () => Promise<T | undefined | false>, blocks?: number): Promise<T>;
  stop(): Promise<void>;
}

/** Starts a network with `nodes` staked nodes, mining one block a second (or none by itself). */
export async function startNetwork({
  nodes = 1,
  blockTime = 1,
}: { nodes?: number; blockTime?: number } = {}): Promise<TestNetwork> {
  const port = await freePort();
  const rpcUrl = `http://127.0.0.1:${port}`;
  const timing = blockTime > 0 ? ['--block-time', String(blockTime)] : [];
  const anvil = spawn(nativeBinary('anvil'), ['--port', String(port), '--silent', '--hardfork', 'prague', ...timing], {
    stdio: 'ignore',
  });
  const exited = new Promise<void>((resolve) => anvil.once('exit', () => resolve()));
  const transport = http(rpcUrl);
  const client = createPublicClient({ chain: foundry, transport, pollingInterval: 50, cacheTime: 0 });
  const patient = createPublicClient({ chain: foundry, transport: http(rpcUrl, { retryCount: 200, retryDelay: 20 }) });
  await patient.getChainId();
  const test = createTestClient({ chain: foundry, transport, mode: 'anvil' });
  const dir = mkdtempSync(join(tmpdir(), 'dpu-network-'));
  const gateway = await startGateway({ dir: join(dir, 'gateway') });
  const person = (index: number): HDAccount => mnemonicToAccount(MNEMONIC, { addressIndex: index });
  const wallet = (index: number) => createWalletClient({ account: person(index), chain: foundry, transport });

  async function mined(hash: Hash): Promise<Hash> {
    if (blockTime === 0) await test.mine({ blocks: 1 });
    const receipt = await client.waitForTransactionReceipt({ hash, ...AWAITED });
    if (receipt.status !== 'success') throw new Error(`the transaction ${hash} reverted`);
    return hash;
  }
  async function deploy(name: string, args: unknown[]): Promise<`0x${string}`> {
    const { abi, bytecode } = artifact(name);
    const hash = await mined(await wallet(0).deployContract({ abi, bytecode, args }));
    const { contractAddress } = await client.getTransactionReceipt({ hash });
    if (!contractAddress) throw new Error(`${name} was not deployed`);
    return contractAddress;
  }

  const governor = person(0).address;
  const token = await deploy('DpuToken', [governor]);
  const extension = await deploy('MarketExtension', [token]);
  const panels = await deploy('MarketPanels', [token]);
  const exits = await deploy('MarketExits', [token]);
  const court = await deploy('MarketCourt', [token]);
  const startBlock = Number(await client.getBlockNumber());
  const address = await deploy('Market', [
    token,
    { extension, panels, exits, court },
    governor,
    person(2).address,
    PARAMS,
  ]);
  const deployment: Deployment = {
    chainId: foundry.id,
    rpcUrl,
    market: address,
    token,
    currencies: [{ address: token, symbol: 'DPU', decimals: 18 }],
    startBlock,
    indexerUrl: 'http://127.0.0.1:1',
    gatewayUrl: gateway.url,
  };
  const market = (index: number): Market =>
    createMarket({ publicClient: client, walletClient: wallet(index), deployment });
  const give = async (index: number, amount: bigint): Promise<void> => {
    const base = { address: token, abi: erc20Abi } as const;
    await mined(
      await wallet(0).writeContract({ ...base, functionName: 'transfer', args: [person(index).address, amount] }),
    );
    await mined(await wallet(index).writeContract({ ...base, functionName: 'approve', args: [address, amount] }));
  };

  const requester = market(REQUESTER);
  await Promise.all([
    give(REQUESTER, 100_000n * DPU).then(async () =>
      mined(await requester.deposit(token, person(REQUESTER).address, 100_000n * DPU)),
    ),
  ]);
  for (let node = 1; node <= nodes; node += 1) {
    const owner = market(FIRST_OWNER + node - 1);
    await mined(await owner.register(person(FIRST_OPERATOR + node - 1).address, 2, zeroHash, ''));
    await give(FIRST_OWNER + node - 1, 10_000n * DPU);
    await mined(await owner.stake(node, 10_000n * DPU));
  }
  writeFileSync(join(dir, 'deployment.json'), JSON.stringify(deployment));

  const storage = new HttpBackend({ getHolders: () => [gateway.url], writeTo: gateway.url });
  let salt = 0n;

  return {
    rpcUrl,
    deployment,
    client,
    test,
    gateway,
    storage,
    dir,
    requester,
    owner: (node) => market(FIRST_OWNER + node - 1),
    person,
    operatorKey: (node) => keyOf(person(FIRST_OPERATOR + node - 1)),
    ownerAddress: (node) => person(FIRST_OWNER + node - 1).address,
    ownerKey: (node) => keyOf(person(FIRST_OWNER + node - 1)),
    async give(to, amount) {
      const transfer = { address: token, abi: erc20Abi, functionName: 'transfer', args: [to, amount] } as const;
      await mined(await wallet(0).writeContract(transfer));
    },
    port: freePort,

    async post({ module, shards = 1, args = [], terms = {}, spec = {} }) {
      const { cid } = await storage.addFile(module);
      const encoded = encodeSpec({
        version: 1,
        name: 'A test job',
        runtime: 'wasm',
        module: cid,
        args,
        inputs: [],
        shards,
        output: { name: 'out.bin', mediaType: 'application/octet-stream' },
        limits: { memoryBytes: 16 * 1024 * 1024, units: 1_000_000, outputBytes: 65_536, seconds: 5 },
        comparator: { kind: 'exact' },
        ...spec,
      });
      await storage.putBlock(encoded.cid, encoded.bytes);
      const { timestamp } = await client.getBlock();
      salt += 1n;
      const full: Terms = {
        requester: person(REQUESTER).address,
        currency: token,
        minPrice: DPU,
        maxPrice: DPU,
        bond: 4n * DPU,
        shards,
        maxLease: 64,
        runtime: 1,
        tier: 0,
        seats: 1,
        direct: false,
        tolerant: false,
        auditBps: 0,
        rules: packRules({ ...PARAMS, version: 1 }),
        node: 0,
        start: 0,
        expiry: Number(timestamp) + 3_600,
        ramp: 0,
        exec: 60,
        window: 2,
        spec: encoded.digest,
        afterJob: zeroHash,
        salt,
        ...terms,
      };
      await mined(await requester.post(full));
      return { id: jobId(full, marketDomain(deployment.chainId, deployment.market)), terms: full };
    },

    async until(what, check, blocks = 60) {
      const from = await client.getBlockNumber();
      for (;;) {
        const answer = await check();
        if (answer !== undefined && answer !== false) return answer;
        const now = await client.getBlockNumber();
        if (now - from > BigInt(blocks)) throw new Error(`${what} did not happen within ${blocks} blocks`);
        await nextBlock(client, now);
      }
    },

    async stop() {
      await gateway.close();
      anvil.kill('SIGINT');
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** ABI and bytecode of a contract that forge has built. */
export function artifact(name: string): { abi: Abi; bytecode: Hex } {
  const { abi, bytecode } = JSON.parse(readFileSync(join(root, `out/${name}.sol/${name}.json`), 'utf8')) as {
    abi: Abi;
    bytecode: { object: Hex };
  };
  return { abi, bytecode: bytecode.object };
}

function keyOf(account: HDAccount): Hex {
  const { privateKey } = account.getHdKey();
  if (!privateKey) throw new Error('the account has no key');
  return `0x${Buffer.from(privateKey).toString('hex')}`;
}

/** Resolves when the chain is past block `number`. */
function nextBlock(client: PublicClient, number: bigint): Promise<void> {
  return new Promise((resolve) => {
    const unwatch = client.watchBlockNumber({
      emitOnBegin: true,
      poll: true,
      pollingInterval: 100,
      onBlockNumber: (now) => {
        if (now <= number) return;
        unwatch();
        resolve();
      },
    });
  });
}

/** A free TCP port. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
