import {
  createPublicClient,
  createWalletClient,
  custom,
  decodeFunctionData,
  encodeAbiParameters,
  encodeErrorResult,
  encodeEventTopics,
  encodeFunctionResult,
  hexToBigInt,
  keccak256,
  parseTransaction,
  recoverTypedDataAddress,
  toHex,
  zeroHash,
  type Address,
  type Hex,
  type Log,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { describe, expect, test } from 'vitest';
import { marketAbi } from './abi/generated.ts';
import { explain, MarketRevert } from './errors.ts';
import { createMarket, NoSigner, permitTypedData, SPARE_GAS, splitSignature } from './market.ts';
import type { MarketRequest } from './market.ts';
import { packLease } from './lease.ts';
import { packTerms } from './packedTerms.ts';
import { LEASE, RESULT, TERMS } from './testing.ts';

const deployment = {
  chainId: foundry.id,
  market: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
  rpcUrl: 'http://127.0.0.1:8545',
} as const;
const ID = keccak256(toHex('job'));
const HASH = keccak256(toHex('transaction'));
const account = privateKeyToAccount(keccak256(toHex('key')));

/** A chain that answers `eth_call` as told and remembers what it was asked. */
function setup({
  call = () => '0x' as Hex,
  chainId = foundry.id,
}: { call?: (data: Hex) => Hex; chainId?: number } = {}) {
  const asked: { method: string; params: unknown }[] = [];
  const provider = {
    request({ method, params }: { method: string; params: [{ data: Hex }] }) {
      asked.push({ method, params });
      const answers: Record<string, () => unknown> = {
        eth_call: () => call(params[0].data),
        eth_chainId: () => toHex(chainId),
        eth_sendRawTransaction: () => HASH,
        eth_getTransactionCount: () => '0x0',
        eth_estimateGas: () => '0x5208',
        eth_getBlockByNumber: () => ({ baseFeePerGas: '0x1', number: '0x1', timestamp: '0x1' }),
        eth_maxPriorityFeePerGas: () => '0x1',
      };
      return Promise.resolve(answers[method]?.());
    },
  };
  const transport = custom(provider, { retryCount: 0 });
  return {
    asked,
    transport,
    methods: () => asked.map(({ method }) => method).filter((m) => m === 'eth_call' || m.startsWith('eth_send')),
    publicClient: createPublicClient({ chain: foundry, transport }),
    walletClient: createWalletClient({ account, chain: foundry, transport }),
  };
}

const refuse = (errorName: string, args: readonly unknown[]) => (): Hex => {
  const data = encodeErrorResult({ abi: marketAbi, errorName, args } as never);
  throw Object.assign(new Error('execution reverted'), { code: 3, data });
};

describe('a write', () => {
  test('is simulated, then signed for the Market and sent', async () => {
    const { asked, methods, ...clients } = setup();
    const market = createMarket({ ...clients, deployment });
    expect(await market.claim(TERMS, 4, 3)).toBe(HASH);
    expect(methods()).toEqual(['eth_call', 'eth_sendRawTransaction']);
    const [raw] = asked.find(({ method }) => method === 'eth_sendRawTransaction')!.params as [Hex];
    const sent = parseTransaction(raw);
    expect([sent.to, sent.chainId, sent.gas]).toEqual([
      deployment.market.toLowerCase(),
      foundry.id,
      21_000n + SPARE_GAS,
    ]);
    expect(decodeFunctionData({ abi: marketAbi, data: sent.data! })).toEqual({
      functionName: 'claim',
      args: [packTerms(TERMS), 4, 3],
    });
    const [simulated] = asked.find(({ method }) => method === 'eth_call')!.params as [{ from: Address; data: Hex }];
    expect([simulated.from, simulated.data]).toEqual([account.address, sent.data]);
  });

  test('that the contract refuses is not sent and becomes a typed error', async () => {
    const { methods, ...clients } = setup({ call: refuse('NotDrawn', [ID, 4, 1_700_000_000]) });
    const market = createMarket({ ...clients, deployment });
    const error = await market.claim(TERMS, 4, 3).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MarketRevert);
    expect(error).toMatchObject({ call: 'claim', errorName: 'NotDrawn', args: [ID, 4, 1_700_000_000] });
    expect(explain(error)).toMatchObject({ name: 'NotDrawn', retryable: true, retryAt: 1_700_000_000 });
    expect(methods()).toEqual(['eth_call']);
  });

  test('goes through the sender of the program when there is one', async () => {
    const sent: MarketRequest[] = [];
    const { methods, asked, publicClient } = setup();
    const send = (request: MarketRequest): Promise<Hex> => {
      sent.push(request);
      return Promise.resolve(HASH);
    };
    const options = { account: account.address, simulateIn: 'pending' } as const;
    const market = createMarket({ publicClient, deployment, send, ...options });
    expect(await market.submit(ID, LEASE, RESULT)).toBe(HASH);
    expect(sent).toEqual([{ to: deployment.market, data: market.encode.submit(ID, LEASE, RESULT) }]);
    expect(methods()).toEqual(['eth_call']);
    expect(asked[0]!.params).toMatchObject([{ from: account.address }, 'pending']);
  });

  test('packs terms and leases, alone and in lists', () => {
    const { encode } = createMarket({ publicClient: setup().publicClient, deployment });
    const decoded = (data: Hex) => decodeFunctionData({ abi: marketAbi, data }).args;
    expect(decoded(encode.postBatch([TERMS, TERMS]))).toEqual([[packTerms(TERMS), packTerms(TERMS)]]);
    expect(decoded(encode.settle(TERMS, [LEASE], [RESULT]))).toEqual([packTerms(TERMS), [packLease(LEASE)], [RESULT]]);
    expect(decoded(encode.commit(ID, LEASE, HASH))).toEqual([ID, packLease(LEASE), HASH]);
  });

  test('with a field that does not fit is refused before anything is asked', async () => {
    const { asked, ...clients } = setup();
    const market = createMarket({ ...clients, deployment });
    await expect(market.post({ ...TERMS, salt: 1n << 64n })).rejects.toThrow(/^terms\.salt is 18446744073709551616,/);
    expect(asked).toEqual([]);
  });

  test('that nobody can sign is refused with the next step', async () => {
    const market = createMarket({ publicClient: setup().publicClient, deployment });
    const error = await market.cancel(TERMS).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NoSigner);
    expect(explain(error)).toMatchObject({ name: 'NotConnected', action: 'Connect a wallet, then try again.' });
  });

  test('is not sent to another chain', async () => {
    const elsewhere = setup({ chainId: 1 });
    const market = createMarket({
      ...elsewhere,
      walletClient: createWalletClient({ account: account.address, transport: elsewhere.transport }),
      deployment,
    });
    const error = await market.cancel(TERMS).catch((thrown: unknown) => thrown);
    expect(explain(error).name).toBe('WrongChain');
    expect(elsewhere.methods()).toEqual(['eth_call']);
  });

  test('can permit, deposit and post at once', async () => {
    const { asked, methods, ...clients } = setup();
    const market = createMarket({ ...clients, deployment });
    const amount = 24n * 10n ** 18n;
    const message = permitTypedData(
      { address: TERMS.currency, name: 'USD', chainId: foundry.id },
      account.address,
      deployment.market,
      amount,
      0n,
      99n,
    );
    const signature = await account.signTypedData(message);
    expect(await recoverTypedDataAddress({ ...message, signature })).toBe(account.address);

    await market.depositPermitAndPost({ currency: TERMS.currency, amount, deadline: 99n, signature, terms: TERMS });
    expect(methods()).toEqual(['eth_call', 'eth_sendRawTransaction']);
    const [{ data }] = asked.find(({ method }) => method === 'eth_call')!.params as [{ data: Hex }];
    const { functionName, args } = decodeFunctionData({ abi: marketAbi, data });
    expect(functionName).toBe('multicall');
    const { v, r, s } = splitSignature(signature);
    expect((args as [Hex[]])[0].map((each) => decodeFunctionData({ abi: marketAbi, data: each }))).toEqual([
      { functionName: 'permit', args: [TERMS.currency, amount, 99n, v, r, s] },
      { functionName: 'deposit', args: [TERMS.currency, TERMS.requester, amount] },
      { functionName: 'post', args: [packTerms(TERMS)] },
    ]);
  });
});

describe('a read', () => {
  test('of one value is that value', async () => {
    const call = (): Hex => encodeFunctionResult({ abi: marketAbi, functionName: 'priceAt', result: 7n });
    const market = createMarket({ publicClient: setup({ call }).publicClient, deployment });
    expect(await market.priceAt(TERMS, 5n)).toBe(7n);
  });

  test('of several values has their names, without underscores', async () => {
    const config = (): Hex =>
      encodeFunctionResult({
        abi: marketAbi,
        functionName: 'config',
        result: [TERMS.rules, 0, 10n ** 21n, 604_800, 3],
      });
    const drawn = (): Hex => encodeFunctionResult({ abi: marketAbi, functionName: 'drawn', result: [true, 5] });
    expect(await createMarket({ publicClient: setup({ call: config }).publicClient, deployment }).config()).toEqual({
      rules: TERMS.rules,
      pausedUntil: 0,
      minStake: 10n ** 21n,
      unbonding: 604_800,
      nodeCount: 3,
    });
    const market = createMarket({ publicClient: setup({ call: drawn }).publicClient, deployment });
    const { now, from }: { now: boolean; from: number } = await market.drawn(TERMS, 0, 1);
    expect([now, from]).toEqual([true, 5]);
  });

  test('that the contract refuses becomes a typed error', async () => {
    const market = createMarket({ publicClient: setup({ call: refuse('NodeUnknown', [9]) }).publicClient, deployment });
    await expect(market.node(9)).rejects.toMatchObject({
      name: 'MarketRevert',
      call: 'node',
      errorName: 'NodeUnknown',
    });
  });

  test('exists for every view, and a write and an encoder for every call', () => {
    const market = createMarket({ publicClient: setup().publicClient, deployment });
    const names = marketAbi.filter((item) => item.type === 'function').map(({ name }) => name);
    expect(names.filter((name) => typeof market[name] !== 'function')).toEqual([]);
    expect(Object.keys(market.encode)).toEqual(
      marketAbi.flatMap((item) =>
        item.type === 'function' && item.stateMutability === 'nonpayable' ? [item.name] : [],
      ),
    );
  });
});

test('events of other contracts in a receipt are left out', () => {
  const market = createMarket({ publicClient: setup().publicClient, deployment });
  const log = {
    topics: encodeEventTopics({ abi: marketAbi, eventName: 'JobCancelled', args: { id: ID } }),
    data: encodeAbiParameters([{ type: 'uint256' }], [5n]),
    blockHash: zeroHash,
    transactionHash: HASH,
  } as unknown as Log;
  const logs = [
    { ...log, address: deployment.market },
    { ...log, address: TERMS.currency },
  ];
  expect(market.eventsOf({ logs }).map(({ eventName, args }) => [eventName, args])).toEqual([
    ['JobCancelled', { id: ID, refunded: 5n }],
  ]);
});

test('a signature is split as the contract takes it', async () => {
  const signature = await account.sign({ hash: ID });
  const { v, r, s } = splitSignature(signature);
  expect(`${r}${s.slice(2)}${v.toString(16)}`).toBe(signature);
  expect([27, 28]).toContain(v);
  expect(hexToBigInt(s) < 1n << 255n).toBe(true);
});
