import { keccak256, toHex } from 'viem';
import { describe, expect, test } from 'vitest';
import { activity, job, lease, leaseHistory, node, stats } from '../ponder.schema.ts';
import { JOB, OWNER, OWNER_2, RESULT, START, World, eventId } from './lib/world.ts';

const COMMITMENT = keccak256(toHex('commitment'));

/** A node, a job, and its first lease. */
async function claimed(over: Parameters<World['claim']>[0] = {}): Promise<World> {
  const world = new World();
  await world.treasury();
  await world.node();
  await world.node(2, OWNER_2);
  await world.post();
  await world.claim(over);
  return world;
}

const theLease = (world: World) => world.memory.rows(lease)[0];
const theNode = (world: World, id = 1) => world.memory.rows(node).find((row) => row.id === id);

describe('leases', () => {
  test('a claim locks the bond and says until when', async () => {
    const world = await claimed();
    expect(theLease(world)).toEqual({
      job: JOB,
      first: 0,
      count: 2,
      node: 1,
      price: 150n,
      bond: 2_000n,
      bonus: 0n,
      deadline: START + 500,
      phase: 'claimed',
      event: eventId(world.block),
      claimedAt: START + world.block,
      committedAt: null,
      committedBlock: null,
      commitment: null,
      revealedAt: null,
      windowEnd: null,
      root: null,
      units: null,
      manifest: null,
      settledAt: null,
      lapsedAt: null,
      paid: 0n,
      fee: 0n,
      accepted: false,
      lapses: 0,
      claimTransaction: world.transaction(),
      commitTransaction: null,
      revealTransaction: null,
      settleTransaction: null,
      lapseTransaction: null,
      ...world.changed,
    });
    expect(theNode(world)).toMatchObject({ locked: 2_000n, leasesLiving: 1 });
  });

  test('a commit keeps its block, which seeds the audit', async () => {
    const world = await claimed();
    await world.emit('LeaseCommitted', { id: JOB, first: 0, node: 1, commitment: COMMITMENT });
    expect(theLease(world)).toMatchObject({
      phase: 'committed',
      commitment: COMMITMENT,
      committedAt: START + world.block,
      committedBlock: world.block,
      commitTransaction: world.transaction(),
    });
  });

  test("a reveal shows the result and the end of the terms' window", async () => {
    const world = await claimed();
    await world.reveal();
    expect(theLease(world)).toMatchObject({
      phase: 'revealed',
      ...RESULT,
      revealedAt: START + world.block,
      windowEnd: START + world.block + 10,
      revealTransaction: world.transaction(),
    });
  });

  test('a payment frees the bond and counts the work', async () => {
    const world = await claimed();
    await world.reveal();
    await world.settle();
    expect(theLease(world)).toMatchObject({
      phase: 'settled',
      ...RESULT,
      paid: 291n,
      fee: 9n,
      settledAt: START + world.block,
      settleTransaction: world.transaction(),
    });
    expect(theNode(world)).toMatchObject({
      locked: 0n,
      record: 5_078,
      leasesLiving: 0,
      leasesSettled: 1,
      shardsSettled: 2,
      unitsSettled: 12n,
    });
    expect(world.memory.rows(job)).toMatchObject([{ state: 'running', settled: 2, claimed: 2, paid: 291n, fee: 9n }]);
    expect(world.memory.rows(stats)).toMatchObject([{ shardsSettled: 2, unitsSettled: 12n }]);
  });

  test('an acceptance may come straight after the claim', async () => {
    const world = await claimed();
    await world.accept();
    expect(theLease(world)).toMatchObject({ phase: 'settled', accepted: true, ...RESULT });
    expect(theNode(world)).toMatchObject({ record: 5_000, leasesSettled: 1, unitsSettled: 12n });
    expect(theLease(world)).toMatchObject({ committedAt: null, revealedAt: null, windowEnd: null });
  });

  test('an order settled in one transaction gets a lease of the whole job', async () => {
    const world = new World();
    await world.node();
    await world.post();
    await world.together(async () => {
      await world.emit('JobCompleted', { id: JOB, refunded: 800n });
      await world.accept({ paid: 388n, fee: 12n });
    });
    expect(world.memory.rows(lease)).toMatchObject([
      {
        first: 0,
        count: 4,
        node: 1,
        price: 100n,
        bond: 0n,
        phase: 'settled',
        accepted: true,
        claimedAt: START + world.block,
        deadline: START + world.block,
        claimTransaction: null,
        settleTransaction: world.transaction(3),
      },
    ]);
    expect(world.memory.rows(job)).toMatchObject([{ state: 'complete', signed: true, claimed: 4, settled: 4 }]);
    expect(theNode(world)).toMatchObject({ locked: 0n, leasesLiving: 0, leasesSettled: 1, shardsSettled: 4 });
  });
});

describe('lapses', () => {
  test('a lapse frees the shards and keeps what happened', async () => {
    const world = await claimed();
    const claimTransaction = world.transaction();
    await world.lapse();
    expect(theLease(world)).toMatchObject({
      phase: 'lapsed',
      bonus: 160n,
      lapses: 1,
      lapsedAt: START + world.block,
      lapseTransaction: world.transaction(),
    });
    expect(world.memory.rows(job)).toMatchObject([{ state: 'running', claimed: 0, lapses: 1 }]);
    expect(theNode(world)).toMatchObject({ locked: 400n, record: 4_375, leasesLiving: 0, leasesLapsed: 1 });
    expect(world.memory.rows(leaseHistory)).toEqual([
      {
        job: JOB,
        first: 0,
        lapse: 1,
        count: 2,
        node: 1,
        price: 150n,
        bond: 2_000n,
        slashed: 400n,
        bonus: 160n,
        withheld: false,
        commitment: null,
        claimedAt: START + world.block - 1,
        deadline: START + 500,
        lapsedAt: START + world.block,
        claimTransaction,
        commitTransaction: null,
        lapseTransaction: world.transaction(),
        takenOverBy: null,
        takenOverAt: null,
        sweptAt: null,
      },
    ]);
  });

  test('a take-over replaces the lapsed row and forgets what the failed holder did', async () => {
    const world = await claimed();
    await world.emit('LeaseCommitted', { id: JOB, first: 0, node: 1, commitment: COMMITMENT });
    await world.lapse({ withheld: true, slashed: 2_000n, bonus: 800n });
    await world.claim({ node: 2, price: 200n, bonus: 800n });
    expect(world.memory.rows(lease)).toHaveLength(1);
    expect(theLease(world)).toMatchObject({
      node: 2,
      price: 200n,
      bonus: 800n * 10n ** 9n,
      phase: 'claimed',
      lapses: 1,
      commitment: null,
      commitTransaction: null,
      lapsedAt: null,
      lapseTransaction: null,
    });
    expect(world.memory.rows(leaseHistory)).toMatchObject([
      { node: 1, withheld: true, commitment: COMMITMENT, takenOverBy: 2, takenOverAt: START + world.block },
    ]);
    expect(theNode(world, 2)).toMatchObject({ locked: 2_000n, leasesLiving: 1 });
    expect(world.memory.rows(job)).toMatchObject([{ claimed: 2 }]);
  });

  test('a range that lapses twice has two entries', async () => {
    const world = await claimed();
    await world.lapse();
    await world.claim({ node: 2, bonus: 160n });
    await world.lapse({ node: 2, bonus: 320n });
    expect(world.memory.rows(leaseHistory)).toMatchObject([
      { lapse: 1, node: 1, takenOverBy: 2 },
      { lapse: 2, node: 2, bonus: 320n, takenOverBy: null },
    ]);
    expect(world.memory.rows(job)).toMatchObject([{ claimed: 0, lapses: 2 }]);
  });

  test('a sweep empties the bonus', async () => {
    const world = await claimed();
    await world.lapse();
    await world.emit('BonusSwept', { id: JOB, first: 0, amount: 160n });
    expect(theLease(world)).toMatchObject({ phase: 'lapsed', bonus: 0n });
    expect(world.memory.rows(leaseHistory)).toMatchObject([{ bonus: 160n, sweptAt: START + world.block }]);
  });

  test("each step is an activity of the node's owner", async () => {
    const world = await claimed();
    await world.lapse();
    expect(world.memory.rows(activity).slice(-2)).toMatchObject([
      { type: 'leaseClaimed', job: JOB, first: 0, node: 1, account: OWNER, amount: 2_000n },
      { type: 'leaseLapsed', job: JOB, first: 0, node: 1, account: OWNER, amount: 400n },
    ]);
  });
});
