import { describe, expect, test } from 'vitest';
import { activity, job, stats } from '../ponder.schema.ts';
import { DOLLAR, JOB, REQUESTER, START, TERMS, World, eventId } from './lib/world.ts';

const counters = (world: World) => {
  const { open, running, complete, cancelled, closed } = world.memory.rows(stats)[0]!;
  return { open, running, complete, cancelled, closed };
};
const NONE = { open: 0, running: 0, complete: 0, cancelled: 0, closed: 0 };

describe('jobs', () => {
  test('a posted job holds its terms and is open', async () => {
    const world = new World();
    await world.post();
    expect(world.memory.rows(job)).toEqual([
      {
        ...TERMS,
        id: JOB,
        state: 'open',
        params: 1,
        signed: false,
        claimed: 0,
        settled: 0,
        lapses: 0,
        escrow: 1_200n,
        paid: 0n,
        fee: 0n,
        refunded: 0n,
        event: eventId(1),
        postedAt: START + 1,
        postedBlock: 1,
        transaction: world.transaction(),
        cancelledAt: null,
        closedAt: null,
        ...world.changed,
      },
    ]);
    expect(counters(world)).toEqual({ ...NONE, open: 1 });
  });

  test('a job that is claimed in the transaction that posted it is a signed order', async () => {
    const world = new World();
    await world.node();
    await world.post();
    await world.together(() => world.claim());
    expect(world.memory.rows(job)).toMatchObject([{ signed: true, state: 'running' }]);
    await world.claim({ first: 2 });
    expect(world.memory.rows(job)).toMatchObject([{ signed: true }]);
  });

  test('a job that is claimed later is none', async () => {
    const world = new World();
    await world.node();
    await world.post();
    await world.claim();
    expect(world.memory.rows(job)).toMatchObject([{ signed: false }]);
  });

  test('the first claim makes it running, once', async () => {
    const world = new World();
    await world.node();
    await world.post();
    await world.claim();
    await world.claim({ first: 2 });
    expect(world.memory.rows(job)).toMatchObject([{ state: 'running', claimed: 4 }]);
    expect(counters(world)).toEqual({ ...NONE, running: 1 });
  });

  test('a cancelled job keeps its leases, and its refunds add up', async () => {
    const world = new World();
    await world.node();
    await world.post();
    await world.claim();
    await world.emit('JobCancelled', { id: JOB, refunded: 600n });
    expect(world.memory.rows(job)).toMatchObject([
      { state: 'cancelled', claimed: 2, refunded: 600n, cancelledAt: START + world.block, closedAt: null },
    ]);
    expect(counters(world)).toEqual({ ...NONE, cancelled: 1 });

    await world.emit('JobClosed', { id: JOB, refunded: 600n });
    expect(world.memory.rows(job)).toMatchObject([
      { state: 'closed', refunded: 1_200n, closedAt: START + world.block },
    ]);
    expect(counters(world)).toEqual({ ...NONE, closed: 1 });
  });

  test('a job is complete before its last lease is paid, and stays so', async () => {
    const world = new World();
    await world.node();
    await world.post(JOB, { shards: 2 });
    await world.claim();
    await world.emit('JobCompleted', { id: JOB, refunded: 300n });
    await world.settle();
    expect(world.memory.rows(job)).toMatchObject([
      { state: 'complete', claimed: 2, settled: 2, escrow: 600n, paid: 291n, fee: 9n, refunded: 300n },
    ]);
    expect(counters(world)).toEqual({ ...NONE, complete: 1 });
  });

  test('an order voided before anyone brought it is only an activity', async () => {
    const world = new World();
    const event = await world.emit('JobCancelled', { id: JOB, refunded: 0n });
    expect(world.memory.rows(job)).toEqual([]);
    expect(world.memory.rows(activity)).toEqual([
      {
        event,
        type: 'jobCancelled',
        job: JOB,
        first: null,
        node: null,
        account: null,
        amount: null,
        currency: null,
        block: 1,
        timestamp: START + 1,
        transaction: world.transaction(),
      },
    ]);
  });

  test('every event moves the newest block and hash', async () => {
    const world = new World();
    await world.post();
    const first = world.memory.rows(stats)[0]!;
    const event = await world.emit('JobClosed', { id: JOB, refunded: 1_200n });
    const second = world.memory.rows(stats)[0]!;
    expect(second).toMatchObject({ event, block: 2, timestamp: START + 2 });
    expect(second.blockHash).not.toBe(first.blockHash);
  });

  test('the activity says what was escrowed, by whom', async () => {
    const world = new World();
    await world.post();
    expect(world.memory.rows(activity)).toMatchObject([
      { type: 'jobPosted', job: JOB, account: REQUESTER, amount: 1_200n, currency: DOLLAR },
    ]);
  });
});
