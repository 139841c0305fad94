import { describe, expect, test } from 'vitest';
import { bondChange, period, periodMoney } from '../ponder.schema.ts';
import { DOLLAR, JOB, REQUESTER, START, TOKEN, World } from './lib/world.ts';

const HOUR = START - (START % 3_600);
const DAY = START - (START % 86_400);

describe('statistics by hour and day', () => {
  test('count what happened, in both', async () => {
    const world = new World();
    await world.treasury();
    await world.node();
    await world.post();
    await world.claim();
    await world.reveal();
    await world.settle();
    const sums = {
      ...{ events: 7, posted: 1, completed: 0, cancelled: 0, closed: 0, claimed: 1, settled: 1, lapsed: 0 },
      ...{ challenged: 0, nodes: 1, shardsSettled: 2, unitsSettled: 12n, stake: 9_000n, ...world.changed },
    };
    expect(world.memory.rows(period)).toEqual([
      { unit: 'hour', start: HOUR, ...sums },
      { unit: 'day', start: DAY, ...sums },
    ]);
  });

  test('the last second of an hour and the first of the next are two', async () => {
    const world = new World();
    const deposit = { currency: DOLLAR, account: REQUESTER, from: REQUESTER, amount: 70n };
    world.block = HOUR + 3_600 - START - 2;
    await world.emit('Deposited', deposit);
    expect(START + world.block).toBe(HOUR + 3_599);
    await world.emit('Deposited', deposit);
    const hours = world.memory.rows(period).filter(({ unit }) => unit === 'hour');
    expect(hours.map(({ start, events }) => [start, events])).toEqual([
      [HOUR, 1],
      [HOUR + 3_600, 1],
    ]);
    const days = world.memory.rows(periodMoney).filter(({ unit }) => unit === 'day');
    expect(days).toMatchObject([{ start: DAY, currency: DOLLAR, deposited: 140n }]);
  });

  test('sum what moved, per currency', async () => {
    const world = new World();
    await world.treasury();
    await world.node();
    await world.post();
    await world.claim();
    await world.reveal();
    await world.settle();
    await world.emit('JobClosed', { id: JOB, refunded: 900n });
    await world.emit('NodeSlashed', { node: 1, amount: 400n, burnt: 200n, treasury: 40n, stake: 8_600n });
    const hours = world.memory.rows(periodMoney).filter(({ unit }) => unit === 'hour');
    expect(hours).toMatchObject([
      { currency: DOLLAR, escrowed: 1_200n, paid: 291n, fee: 9n, refunded: 900n, slashed: 0n },
      { currency: TOKEN, escrowed: 0n, slashed: 400n, burnt: 200n },
    ]);
  });
});

describe('bonds', () => {
  test('every lock and release is kept, with what is locked then', async () => {
    const world = new World();
    await world.treasury();
    await world.node();
    await world.post();
    await world.claim();
    await world.claim({ first: 2 });
    await world.reveal();
    await world.settle();
    expect(world.memory.rows(bondChange).map(({ node, amount, locked, part }) => [node, amount, locked, part])).toEqual(
      [
        [1, 2_000n, 2_000n, 0],
        [1, 2_000n, 4_000n, 0],
        [1, -2_000n, 2_000n, 0],
      ],
    );
  });
});
