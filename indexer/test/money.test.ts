import { describe, expect, test } from 'vitest';
import { balance, currency, payment } from '../ponder.schema.ts';
import { DOLLAR, JOB, OWNER, REQUESTER, START, TOKEN, TREASURY, World } from './lib/world.ts';

const GWEI = 1_000_000_000n;

const balances = (world: World) =>
  Object.fromEntries(world.memory.rows(balance).map((row) => [`${row.account} ${row.currency}`, row.amount]));

describe('money in and out', () => {
  test('a deposit goes to the account it is for, not to who pays', async () => {
    const world = new World();
    const event = await world.emit('Deposited', { currency: DOLLAR, account: REQUESTER, from: OWNER, amount: 70n });
    expect(balances(world)).toEqual({ [`${REQUESTER} ${DOLLAR}`]: 70n });
    expect(world.memory.rows(payment)).toEqual([
      {
        sortKey: `${event}.deposit.0`,
        event,
        kind: 'deposit',
        part: 0,
        currency: DOLLAR,
        account: REQUESTER,
        amount: 70n,
        job: null,
        first: null,
        node: null,
        block: 1,
        timestamp: START + 1,
        transaction: world.transaction(),
      },
    ]);
  });

  test('a withdrawal leaves the account it came from', async () => {
    const world = new World();
    await world.emit('Deposited', { currency: DOLLAR, account: REQUESTER, from: REQUESTER, amount: 70n });
    await world.emit('Withdrawn', { currency: DOLLAR, account: REQUESTER, to: OWNER, amount: 30n });
    expect(balances(world)).toEqual({ [`${REQUESTER} ${DOLLAR}`]: 40n });
    expect(world.memory.rows(currency)).toMatchObject([{ address: DOLLAR, deposited: 70n, withdrawn: 30n }]);
  });

  test('addresses are one account however they are written', async () => {
    const world = new World();
    const shouting = REQUESTER.toUpperCase().replace('0X', '0x') as typeof REQUESTER;
    await world.emit('Deposited', { currency: DOLLAR, account: REQUESTER, from: REQUESTER, amount: 1n });
    await world.emit('Deposited', { currency: DOLLAR, account: shouting, from: REQUESTER, amount: 2n });
    expect(balances(world)).toEqual({ [`${REQUESTER} ${DOLLAR}`]: 3n });
  });

  test('fees wait in the pot until they are collected', async () => {
    const world = new World();
    await world.node();
    await world.post();
    await world.claim();
    await world.settle();
    expect(world.memory.rows(currency)).toMatchObject([{ fee: 9n, uncollected: 9n, paid: 291n, escrow: 900n }]);
    expect(balances(world)[`${TREASURY} ${DOLLAR}`]).toBeUndefined();

    await world.emit('FeesCollected', { currency: DOLLAR, treasury: TREASURY, amount: 9n });
    expect(world.memory.rows(currency)).toMatchObject([{ fee: 9n, uncollected: 0n }]);
    expect(balances(world)[`${TREASURY} ${DOLLAR}`]).toBe(9n);
  });

  test('posting takes the escrow from the balance, ending gives back what was not paid', async () => {
    const world = new World();
    await world.emit('Deposited', { currency: DOLLAR, account: REQUESTER, from: REQUESTER, amount: 2_000n });
    await world.post();
    expect(balances(world)).toEqual({ [`${REQUESTER} ${DOLLAR}`]: 800n });
    await world.emit('JobClosed', { id: JOB, refunded: 1_200n });
    expect(balances(world)).toEqual({ [`${REQUESTER} ${DOLLAR}`]: 2_000n });
    expect(world.memory.rows(currency)).toMatchObject([{ escrow: 0n }]);
  });

  test('a zero amount is no payment', async () => {
    const world = new World();
    await world.post();
    await world.emit('JobCompleted', { id: JOB, refunded: 0n });
    expect(world.memory.rows(payment).map((row) => row.kind)).toEqual(['escrow']);
  });
});

describe('slashes and bonuses, in DPU', () => {
  test('a slash leaves the stake: burnt in part, to the treasury in part, the rest waits', async () => {
    const world = new World();
    await world.treasury();
    await world.node();
    const event = await world.emit('NodeSlashed', { node: 1, amount: 400n, burnt: 200n, treasury: 40n, stake: 8_600n });
    expect(balances(world)).toEqual({ [`${TREASURY} ${TOKEN}`]: 40n });
    expect(world.memory.rows(payment)).toMatchObject([
      { event, kind: 'slash', account: OWNER, amount: 400n, node: 1 },
      { event, kind: 'burn', account: null, amount: 200n },
      { event, kind: 'treasury', account: TREASURY, amount: 40n },
    ]);
  });

  test('a bonus goes to the owner of who finished', async () => {
    const world = new World();
    await world.node();
    await world.post();
    await world.claim({ bonus: 160n });
    await world.settle();
    expect(balances(world)).toMatchObject({ [`${OWNER} ${TOKEN}`]: 160n * GWEI, [`${OWNER} ${DOLLAR}`]: 291n });
  });

  test('a swept bonus goes to the treasury of that moment', async () => {
    const world = new World();
    await world.treasury();
    await world.node();
    await world.post();
    await world.claim();
    await world.lapse();
    await world.emit('TreasurySet', { treasury: REQUESTER });
    await world.emit('BonusSwept', { id: JOB, first: 0, amount: 160n });
    expect(balances(world)[`${REQUESTER} ${TOKEN}`]).toBe(160n);
  });

  test('an index that began too late says so instead of losing money', async () => {
    const world = new World();
    await world.node();
    await expect(
      world.emit('NodeSlashed', { node: 1, amount: 400n, burnt: 200n, treasury: 40n, stake: 8_600n }),
    ).rejects.toThrow(
      "block 3 needs the treasury, which no event has named; set PONDER_START_BLOCK to the deployment's first block or earlier",
    );
  });
});
