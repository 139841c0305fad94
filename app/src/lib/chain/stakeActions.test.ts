import { decodeFunctionData } from 'viem';
import { marketAbi, dpuTokenAbi } from '@dpu/sdk/abi';
import { permitTypedData } from '@dpu/sdk/market';
import { describe, expect, test } from 'vitest';

import type { App } from '../app.ts';
import { ANN, MARKET, TOKEN } from '../governance/testing.ts';
import { delegate, queueExit, stake, takeOut } from './stakeActions.ts';

const SIGNATURE = `0x${'11'.repeat(32)}${'22'.repeat(32)}1b` as const;
const HASH = `0x${'ab'.repeat(32)}` as const;

/** A page with a wallet that confirms everything, and what happened there in order. */
function setup(over: { allowance?: bigint; permits?: boolean; refused?: Error } = {}) {
  const seen: string[] = [];
  const sent: { to: string; data: `0x${string}`; gas: bigint }[] = [];
  const account = { address: ANN };
  const token = { address: TOKEN, name: 'DPU', chainId: 1 };
  const app = {
    deployment: { market: MARKET, token: TOKEN },
    chain: async () => ({
      client: {
        call: async () => {
          if (over.refused) throw over.refused;
          seen.push('tried');
        },
        estimateGas: async () => 50_000n,
        getBlock: async () => ({ timestamp: 1_000n }),
      },
      allowance: async () => over.allowance ?? 0n,
      permitData: async (_: string, owner: `0x${string}`, amount: bigint, deadline: bigint) =>
        over.permits === false ? undefined : permitTypedData(token, owner, MARKET, amount, 0n, deadline),
      included: async () => void seen.push('included'),
    }),
    wallet: {
      client: async () => ({
        account,
        signTypedData: async ({ message }: { message: { value: bigint; deadline: bigint } }) => {
          seen.push(`signed a permit of ${message.value} until ${message.deadline}`);
          return SIGNATURE;
        },
        sendTransaction: async (request: (typeof sent)[number]) => {
          seen.push('sent');
          sent.push(request);
          return HASH;
        },
      }),
    },
  } as unknown as App;
  const steps = {
    wallet: (step: string) => void seen.push(step),
    chain: (step: string) => void seen.push(`${step} …`),
  };
  return { app, steps, seen, sent };
}

const read = (data: `0x${string}`) => decodeFunctionData({ abi: marketAbi, data });

describe('staking', () => {
  test('takes one free signature and one transaction: permit and stake together', async () => {
    const { app, steps, seen, sent } = setup();
    await expect(stake(app, 7, 500n, steps)).resolves.toBe(HASH);
    expect(seen).toEqual([
      'Sign the permit (free)',
      'signed a permit of 500 until 2800',
      'tried',
      'Stake',
      'sent',
      'Staking …',
      'included',
    ]);
    const batch = read(sent[0]?.data ?? '0x');
    expect(batch.functionName).toBe('multicall');
    expect((batch.args?.[0] as `0x${string}`[]).map(read)).toEqual([
      {
        functionName: 'permit',
        args: [TOKEN, 500n, 2_800n, 27, `0x${'11'.repeat(32)}`, `0x${'22'.repeat(32)}`],
      },
      { functionName: 'stake', args: [7, 500n] },
    ]);
  });

  test('signs nothing extra when the Market may take enough already', async () => {
    const { app, steps, seen, sent } = setup({ allowance: 500n });
    await stake(app, 7, 500n, steps);
    expect(seen).toEqual(['tried', 'Stake', 'sent', 'Staking …', 'included']);
    expect(read(sent[0]?.data ?? '0x')).toEqual({ functionName: 'stake', args: [7, 500n] });
  });

  test('approves exactly the amount where the token knows no permits', async () => {
    const { app, steps, sent } = setup({ allowance: 499n, permits: false });
    await stake(app, 7, 500n, steps);
    const [approval, staked] = sent;
    expect([approval?.to, decodeFunctionData({ abi: dpuTokenAbi, data: approval?.data ?? '0x' })]).toEqual([
      TOKEN,
      { functionName: 'approve', args: [MARKET, 500n] },
    ]);
    expect([staked?.to, read(staked?.data ?? '0x').functionName]).toEqual([MARKET, 'stake']);
  });
});

test('what the contract refuses is refused before the wallet is asked', async () => {
  const refused = new Error('StakeTooLow');
  const { app, steps, seen } = setup({ refused });
  await expect(queueExit(app, 7, 500n, steps)).rejects.toBe(refused);
  expect(seen).toEqual([]);
});

test('calls that move votes carry gas to spare', async () => {
  const { app, steps, sent } = setup();
  await takeOut(app, 7, steps);
  expect([sent[0]?.gas, read(sent[0]?.data ?? '0x')]).toEqual([150_000n, { functionName: 'unstake', args: [7, ANN] }]);
});

test('delegating sends one transaction for each part, and says which', async () => {
  const { app, steps, seen, sent } = setup();
  await expect(delegate(app, ['staked', 'wallet'], ANN, steps)).resolves.toBe(HASH);
  expect(sent.map(({ to }) => to)).toEqual([MARKET, TOKEN]);
  expect(seen.filter((step) => step.startsWith('Delegate '))).toEqual([
    'Delegate what is staked (1 of 2)',
    'Delegate what is in the wallet (2 of 2)',
  ]);
  const none = setup();
  await expect(delegate(none.app, [], ANN, none.steps)).resolves.toBeUndefined();
  expect(none.sent).toEqual([]);
});
