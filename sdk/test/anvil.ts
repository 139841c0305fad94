/** A chain of its own for an integration test: anvil on a free port, mining a block for each transaction. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  http,
  type Abi,
  type Account,
  type Chain,
  type Hex,
  type HttpTransport,
  type PublicClient,
  type TestClient,
  type WalletClient,
} from 'viem';
import { mnemonicToAccount, type HDAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';

import { nativeBinary, root } from '../../script/native.mjs';

const MNEMONIC = 'test test test test test test test test test test test junk';

/** A running anvil and what a test does with it. */
export interface TestChain {
  rpcUrl: string;
  publicClient: PublicClient<HttpTransport, Chain>;
  testClient: TestClient;
  /** Anvil's well-known account `index`. */
  person(index: number): HDAccount;
  /** Signs for that account. */
  wallet(index: number): WalletClient<HttpTransport, Chain, Account>;
  stop(): Promise<void>;
}

/** Starts anvil and waits until it answers. */
export async function startAnvil(): Promise<TestChain> {
  const port = await freePort();
  const rpcUrl = `http://127.0.0.1:${port}`;
  const child = spawn(nativeBinary('anvil'), ['--port', String(port), '--silent', '--hardfork', 'prague'], {
    stdio: 'ignore',
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const transport = http(rpcUrl);
  const publicClient = createPublicClient({ chain: foundry, transport, pollingInterval: 20, cacheTime: 0 });
  const patient = createPublicClient({ chain: foundry, transport: http(rpcUrl, { retryCount: 100, retryDelay: 20 }) });
  await patient.getChainId();
  const person = (index: number): HDAccount => mnemonicToAccount(MNEMONIC, { addressIndex: index });
  return {
    rpcUrl,
    publicClient,
    testClient: createTestClient({ chain: foundry, transport, mode: 'anvil' }),
    person,
    wallet: (index) => createWalletClient({ account: person(index), chain: foundry, transport }),
    stop() {
      child.kill('SIGINT');
      return exited;
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
