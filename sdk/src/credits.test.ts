import { decodeFunctionData, encodeErrorResult, recoverTypedDataAddress, zeroHash, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { computeCreditsAbi } from './abi/generated.ts';
import {
  creditsOf,
  creditsRevertOf,
  encodeBuy,
  encodeMint,
  encodePrioritize,
  encodePrioritizeWithSignature,
  encodeRoll,
  encodeSettleAndMint,
  encodeUpdateWeights,
  NoCredits,
  prioritizeTypedData,
  readCost,
  readCredits,
  readCreditSettings,
  readEpoch,
  readPriority,
  readRate,
  readRuntime,
  readSupply,
} from './credits.ts';
import { packLease, type Lease } from './lease.ts';
import { splitSignature } from './market.ts';
import { packTerms } from './packedTerms.ts';
import type { Terms } from './terms.ts';

const at = (digit: string): Address => `0x${digit.repeat(40)}`;
const CREDITS = at('1');
const ANN = at('2');
const JOB: Hex = `0x${'ab'.repeat(32)}`;
const deployment = { credits: CREDITS };
const decoded = (data: Hex) => decodeFunctionData({ abi: computeCreditsAbi, data });

/** A chain whose credits contract answers from a table, `function(arguments)`. */
function chain(answers: Record<string, unknown>) {
  return {
    readContract({ address, functionName, args = [] }: { address: Address; functionName: string; args?: unknown[] }) {
      const key = `${functionName}(${args.join()})`;
      if (address !== CREDITS || !(key in answers)) throw new Error(`nobody expected ${key} of ${address}`);
      return Promise.resolve(answers[key]);
    },
  } as never;
}

const terms: Terms = {
  ...{ requester: ANN, currency: at('3'), minPrice: 1n, maxPrice: 2n, bond: 8n, shards: 1, maxLease: 1 },
  ...{
    runtime: 1,
    tier: 0,
    seats: 1,
    direct: false,
    tolerant: false,
    auditBps: 0,
    rules: 5n,
    node: 0,
    start: 0,
    expiry: 9,
  },
  ...{ ramp: 1, exec: 1, window: 1, spec: JOB, afterJob: zeroHash, salt: 1n },
};
const lease: Lease = {
  ...{ first: 0, count: 1, node: 7, price: 1n, bonus: 0n, deadline: 5, flags: 0x80 },
  ...{ commitment: JOB, committedBlock: 3 },
};
const result = { root: JOB, units: 5n, manifest: JOB };

describe('reads', () => {
  test('come typed', async () => {
    const client = chain({
      [`balanceOf(${ANN})`]: 5n,
      'totalSupply()': 9n,
      'epoch()': [3, 100n, 200n, 7n, 8n],
      'weightOf(1)': 1_100_000_000n,
      'runtimeOf(1)': [10n, 4n, 2_000_000_000n],
      'weightOf(2)': 1_000_000_000n,
      'runtimeOf(2)': [0n, 0n, 0n],
      'settings()': [250_000_000, 500_000_000, 4_000_000_000, 200_000_000_000_000_000n],
      [`rateOf(${ANN})`]: 6n,
      [`priorityOf(${JOB})`]: 2n,
    });
    expect(await readCredits(client, deployment, ANN)).toBe(5n);
    expect(await readSupply(client, deployment)).toBe(9n);
    expect(await readEpoch(client, deployment)).toEqual({
      number: 3,
      startedAt: 100,
      endsAt: 200,
      minted: 7n,
      cap: 8n,
    });
    const wasm = { weight: 1_100_000_000n, perUnit: 10n, fees: 4n, pressure: 500_000_000n };
    expect(await readRuntime(client, deployment, 1)).toEqual(wasm);
    expect((await readRuntime(client, deployment, 2)).pressure).toBeUndefined();
    expect(await readCreditSettings(client, deployment)).toEqual({
      ...{ target: 250_000_000n, least: 500_000_000n, most: 4_000_000_000n },
      offer: 200_000_000_000_000_000n,
    });
    expect(await readRate(client, deployment, ANN)).toBe(6n);
    expect(await readPriority(client, deployment, JOB)).toBe(2n);
    expect(await readCost(client, deployment, 10n ** 19n)).toBe(2n * 10n ** 18n);
  });

  test('need credits', () => {
    expect(() => creditsOf({})).toThrow(NoCredits);
    expect(creditsOf(deployment)).toBe(CREDITS);
  });
});

describe('calls', () => {
  test('of minting carry packed terms and leases', () => {
    const args = [packTerms(terms), [packLease(lease)], [result]];
    expect(decoded(encodeMint(deployment, terms, [lease], [result]).data)).toEqual({ functionName: 'mint', args });
    const both = encodeSettleAndMint(deployment, terms, [lease], [result]);
    expect(both.to).toBe(CREDITS);
    expect(decoded(both.data)).toEqual({ functionName: 'settleAndMint', args });
  });

  test('of use and upkeep say what they mean', () => {
    expect(decoded(encodePrioritize(deployment, JOB, 3n).data)).toEqual({
      functionName: 'prioritize',
      args: [JOB, 3n],
    });
    expect(decoded(encodeBuy(deployment, 3n, ANN, 1n).data)).toEqual({ functionName: 'buy', args: [3n, ANN, 1n] });
    expect(decoded(encodeRoll(deployment).data).functionName).toBe('roll');
    expect(decoded(encodeUpdateWeights(deployment, [1, 2]).data).args).toEqual([[1, 2]]);
  });

  test('of a signed priority are what the owner signs', async () => {
    const owner = privateKeyToAccount(`0x${'11'.repeat(32)}`);
    const signed = { owner: owner.address, job: JOB, amount: 3n, nonce: 0n, deadline: 9n };
    const data = prioritizeTypedData(31_337, CREDITS, signed);
    const signature = await owner.signTypedData(data);
    expect(await recoverTypedDataAddress({ ...data, signature })).toBe(owner.address);
    const { v, r, s } = splitSignature(signature);
    const call = encodePrioritizeWithSignature(deployment, signed, { v, r, s });
    expect(decoded(call.data).args).toEqual([owner.address, JOB, 3n, 9n, v, r, s]);
  });
});

test('a refusal is told by its name', () => {
  const data = encodeErrorResult({ abi: computeCreditsAbi, errorName: 'RuntimeEarnsNothing', args: [4] });
  expect(creditsRevertOf({ data })).toEqual({ name: 'RuntimeEarnsNothing', args: [4] });
  expect(creditsRevertOf(new Error('the line is dead'))).toBeUndefined();
});
