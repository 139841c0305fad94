import { zeroAddress } from 'viem';
import { describe, expect, test } from 'vitest';
import {
  creditMint,
  creditPurchase,
  epoch,
  holding,
  priority,
  priorityPayment,
  transfer,
  weight,
  weightChange,
} from '../ponder.schema.ts';
import { CREDITS, JOB, OWNER, OWNER_2, REQUESTER, START, TOKEN, World } from './lib/world.ts';

const MINTED = {
  ...{ job: JOB, node: 1, owner: OWNER, first: 0, runtime: 1, epoch: 3, amount: 50n, value: 80n },
  pressure: 250_000_000n,
};

describe('credits', () => {
  test('each lease that earned some is kept, and its epoch adds up', async () => {
    const world = new World();
    await world.emitOf('Credits', 'EpochRolled', { epoch: 3, startedAt: START });
    await world.emitOf('Credits', 'CreditsMinted', MINTED);
    await world.emitOf('Credits', 'CreditsMinted', { ...MINTED, first: 2, amount: 7n });
    await world.emitOf('Credits', 'EpochCapReached', { epoch: 3, missing: 4n });
    expect(world.memory.rows(creditMint).map(({ first, amount, block }) => [first, amount, block])).toEqual([
      [0, 50n, 2],
      [2, 7n, 3],
    ]);
    expect(world.memory.rows(epoch)).toEqual([
      { number: 3, startedAt: START, minted: 57n, missing: 4n, mints: 2, ...world.changed },
    ]);
  });

  test('an epoch whose beginning no event told yet has none', async () => {
    const world = new World();
    await world.emitOf('Credits', 'CreditsMinted', MINTED);
    expect(world.memory.rows(epoch)).toMatchObject([{ number: 3, startedAt: null, minted: 50n }]);
  });

  test('what was burnt for a job, and by whom', async () => {
    const world = new World();
    await world.emitOf('Credits', 'JobPrioritized', { job: JOB, payer: OWNER, amount: 5n, total: 5n });
    await world.emitOf('Credits', 'JobPrioritized', { job: JOB, payer: OWNER_2, amount: 4n, total: 9n });
    expect(world.memory.rows(priority)).toEqual([{ job: JOB, total: 9n, ...world.changed }]);
    expect(world.memory.rows(priorityPayment).map(({ payer, amount }) => [payer, amount])).toEqual([
      [OWNER, 5n],
      [OWNER_2, 4n],
    ]);
  });

  test('weights: the newest, and every move', async () => {
    const world = new World();
    const moved = { runtime: 1, epoch: 3, weight: 1_100_000_000, fees: 10n, pressures: 6n };
    await world.emitOf('Credits', 'WeightMoved', moved);
    await world.emitOf('Credits', 'WeightMoved', { ...moved, epoch: 4, weight: 1_200_000_000 });
    expect(world.memory.rows(weight)).toEqual([{ runtime: 1, epoch: 4, weight: 1_200_000_000n, ...world.changed }]);
    expect(world.memory.rows(weightChange).map((row) => row.weight)).toEqual([1_100_000_000n, 1_200_000_000n]);
  });

  test('bought at the offer', async () => {
    const world = new World();
    await world.emitOf('Credits', 'CreditsBought', { buyer: OWNER, to: REQUESTER, amount: 10n, cost: 2n });
    expect(world.memory.rows(creditPurchase)).toMatchObject([{ buyer: OWNER, to: REQUESTER, amount: 10n, cost: 2n }]);
  });
});

describe('holdings', () => {
  test('follow every transfer; mints come from nobody, burns go to nobody', async () => {
    const world = new World();
    await world.emitOf('Token', 'Transfer', { from: zeroAddress, to: OWNER, value: 100n });
    await world.emitOf('Token', 'Transfer', { from: OWNER, to: OWNER_2, value: 30n });
    await world.emitOf('Token', 'Transfer', { from: OWNER_2, to: OWNER_2, value: 30n });
    await world.emitOf('Token', 'Transfer', { from: OWNER_2, to: zeroAddress, value: 10n });
    await world.emitOf('Credits', 'Transfer', { from: zeroAddress, to: OWNER, value: 3n });
    expect(world.memory.rows(holding).map(({ token, account, amount }) => [token, account, amount])).toEqual([
      [TOKEN, OWNER, 70n],
      [TOKEN, OWNER_2, 20n],
      [CREDITS, OWNER, 3n],
    ]);
    expect(world.memory.rows(transfer)).toHaveLength(5);
  });

  test('of somebody who sends what nobody saw arrive are refused', async () => {
    await expect(new World().emitOf('Token', 'Transfer', { from: OWNER, to: OWNER_2, value: 30n })).rejects.toThrow(
      `block 1 needs earlier transfers of ${TOKEN} to ${OWNER}, which no event has named; set PONDER_START_BLOCK to the deployment's first block or earlier`,
    );
  });
});
