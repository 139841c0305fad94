import { spawn, type ChildProcess } from 'node:child_process';

import { createTestClient, http, keccak256, toHex, type Hex, type TestClient } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { nativeBinary } from '../../../script/native.mjs';
import type { Chain } from '../../src/chain/chain.ts';
import { Journal } from '../../src/sending/journal.ts';
import { silentLog } from '../../src/log.ts';
import { Outbox, type Intent } from '../../src/sending/outbox.ts';
import { Sender } from '../../src/sending/sender.ts';
import { viemChain } from '../../src/chain/viemChain.ts';
import { Watch } from '../../src/chain/watch.ts';
import { freePort } from './network.ts';

const GWEI = 10n ** 9n;
/** Anvil's first account. */
const account = privateKeyToAccount('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const target = '0x00000000000000000000000000000000000000aa';

let anvil: ChildProcess;
let exited: Promise<void>;
let chain: Chain;
let control: TestClient;
let outbox: Outbox;
let watch: Watch;
let sender: Sender;

beforeEach(async () => {
  const port = await freePort();
  const rpcUrl = `http://127.0.0.1:${port}`;
  anvil = spawn(nativeBinary('anvil'), ['--port', String(port), '--silent', '--no-mining', '--hardfork', 'prague'], {
    stdio: 'ignore',
  });
  exited = new Promise((resolve) => anvil.once('exit', () => resolve()));
  control = createTestClient({
    chain: foundry,
    transport: http(rpcUrl, { retryCount: 100, retryDelay: 20 }),
    mode: 'anvil',
  });
  await control.request({ method: 'eth_chainId' } as never);
  chain = viemChain({ rpcUrl, market: target, timeoutMs: 5_000 });
  outbox = new Outbox(new Journal({ file: ':memory:' }));
  born();
});
afterEach(async () => {
  anvil.kill('SIGINT');
  await exited;
});

/** A process on the same outbox, as after a restart. */
function born(): void {
  watch = new Watch({ chainId: 31_337, lowerHeadPolls: 1 }, { chain, log: silentLog });
  sender = new Sender(
    {
      account,
      chainId: 31_337,
      fees: { tip: GWEI, cap: 50n * GWEI, urgentCap: 100_000n * GWEI },
      finalityBlocks: 64,
      bumpAfterBlocks: 3,
      lostAfterBlocks: 2,
      maxInFlight: 16,
    },
    { chain, outbox, log: silentLog },
  );
}
const intent = (key: string, over: Partial<Intent> = {}): Intent => ({
  key,
  kind: 'claim',
  to: target,
  data: toHex(key),
  gas: 50_000n,
  priority: 1,
  deadline: undefined,
  urgent: false,
  shards: 0,
  ...over,
});

/** Mines a block (empty when told) and lets the sender look at it. */
async function block({ empty = false } = {}): Promise<void> {
  if (empty) await control.request({ method: 'anvil_setBlockGasLimit', params: [toHex(1_000)] } as never);
  await control.mine({ blocks: 1 });
  if (empty) await control.request({ method: 'anvil_setBlockGasLimit', params: [toHex(30_000_000)] } as never);
  await look();
}
async function look(): Promise<void> {
  const change = await watch.poll();
  if (change) await sender.tick(change.head, change.reorged);
}
/** Data of the account's transactions on the chain, in order. */
async function executed(): Promise<string[]> {
  const found: string[] = [];
  const { number } = await chain.latest();
  for (let at = 0; at <= number; at += 1) {
    const { transactions } = (await control.request({
      method: 'eth_getBlockByNumber',
      params: [toHex(at), true],
    } as never)) as { transactions: { input: Hex }[] };
    for (const { input } of transactions)
      found.push(input === '0x' ? 'self' : Buffer.from(input.slice(2), 'hex').toString());
  }
  return found;
}

test('what is submitted is mined once, in order', async () => {
  await block();
  for (const key of ['a', 'b', 'c']) await sender.submit(intent(key));
  await block();
  await sender.submit(intent('a'));
  await block();
  expect(await executed()).toEqual(['a', 'b', 'c']);
  expect(['a', 'b', 'c'].map((key) => outbox.get(key)?.status)).toEqual(['mined', 'mined', 'mined']);
});

test('a dropped transaction is sent again', async () => {
  await block();
  await sender.submit(intent('a'));
  await control.dropTransaction({ hash: outbox.attempts('a')[0]!.hash });
  await block();
  await block();
  expect(await executed()).toEqual(['a']);
  expect(outbox.attempts('a')).toHaveLength(1);
});

test('a transaction that anvil does not include is replaced, and one of them lands', async () => {
  await block();
  await sender.submit(intent('a'));
  for (let blocks = 0; blocks < 3; blocks += 1) await block({ empty: true });
  expect(outbox.attempts('a')).toHaveLength(2);
  await block();
  expect(await executed()).toEqual(['a']);
  expect(outbox.get('a')?.hash).toBe(outbox.attempts('a')[1]?.hash);
});

test('a base fee that rises a hundredfold does not stop what is urgent', async () => {
  await block();
  await sender.submit(intent('commit', { urgent: true }));
  const { baseFee } = await chain.latest();
  await control.setNextBlockBaseFeePerGas({ baseFeePerGas: baseFee * 100n });
  await block();
  expect(await executed()).toEqual([]);
  await block();
  expect(await executed()).toEqual(['commit']);
});

test.each([1, 3, 8])('a reorg of %i blocks loses nothing and doubles nothing', async (depth) => {
  await block();
  for (const key of ['a', 'b']) await sender.submit(intent(key));
  await block();
  for (const key of ['c', 'd']) await sender.submit(intent(key));
  await block();
  for (let more = 0; more < 6; more += 1) await block();
  await control.request({ method: 'anvil_reorg', params: [depth, []] } as never);
  for (let more = 0; more < 4; more += 1) await block();
  expect((await executed()).sort()).toEqual(['a', 'b', 'c', 'd']);
});

test('a reorg while the process was dead is found at its start', async () => {
  await block();
  await sender.submit(intent('a'));
  await block();
  await control.request({ method: 'anvil_reorg', params: [1, []] } as never);
  born();
  await look();
  await block();
  await block();
  expect(await executed()).toEqual(['a']);
});

test('a transaction that was signed and never sent goes out after a restart', async () => {
  await block();
  const send = chain.sendRaw;
  chain.sendRaw = async () => ({ verdict: 'unknown', message: 'the process died here' });
  await sender.submit(intent('a'));
  chain.sendRaw = send;
  born();
  await look();
  await block();
  await block();
  expect(await executed()).toEqual(['a']);
});

test('a nonce that another program uses meanwhile is given up', async () => {
  await block();
  const send = chain.sendRaw;
  chain.sendRaw = async () => ({ verdict: 'unknown', message: 'lost on the way' });
  await sender.submit(intent('a'));
  chain.sendRaw = send;
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId: 31_337,
    nonce: 0,
    maxFeePerGas: 10n * GWEI,
    maxPriorityFeePerGas: GWEI,
    gas: 50_000n,
    to: target,
    data: toHex('foreign'),
  });
  expect(await chain.sendRaw(raw)).toEqual({ verdict: 'accepted', message: '' });
  for (let blocks = 0; blocks < 5; blocks += 1) await block();
  expect(await executed()).toEqual(['foreign', 'a']);
});

test('anvil’s own refusals are understood', async () => {
  await block();
  const sign = (over: {
    nonce?: number;
    maxFeePerGas?: bigint;
    gas?: bigint;
    value?: bigint;
  }): Promise<`0x02${string}`> =>
    account.signTransaction({
      type: 'eip1559',
      chainId: 31_337,
      nonce: 1,
      maxFeePerGas: 10n * GWEI,
      maxPriorityFeePerGas: 1n,
      gas: 21_000n,
      to: target,
      ...over,
    }) as Promise<`0x02${string}`>;
  const verdict = async (raw: Hex): Promise<string> => (await chain.sendRaw(raw)).verdict;
  const first = await sign({ nonce: 0 });
  expect(await verdict(first)).toBe('accepted');
  expect(await verdict(first)).toBe('known');
  expect(await verdict(await sign({ nonce: 0, value: 1n }))).toBe('underpriced');
  await block();
  expect(await verdict(await sign({ nonce: 0, value: 2n }))).toBe('nonceTooLow');
  expect(await verdict(await sign({ value: 10n ** 30n }))).toBe('insufficientFunds');
  expect(await verdict(await sign({ maxFeePerGas: 1n }))).toBe('feeTooLow');
  expect(await verdict(await sign({ gas: 1n }))).toBe('rejected');
  expect(await chain.knows(keccak256(first))).toBe(true);
  expect(await chain.knows(keccak256('0x01'))).toBe(false);
});
