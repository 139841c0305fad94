import { claimedWord, SEAT, SOLO, SPEC_FAULT } from '@dpu/sdk/lease';
import { keccak256, parseEther, parseGwei, toHex, zeroHash } from 'viem';
import { describe, expect, test } from 'vitest';
import { activity, balance, job, lease, leaseHistory, node, panel, payment, seat, stats } from '../ponder.schema.ts';
import { JOB, OWNER, OWNER_2, PARAMS, RESULT, START, TERMS, TOKEN, TREASURY, World, eventId } from './lib/world.ts';

const OTHER = { root: keccak256(toHex('another root')), units: 12n, manifest: keccak256(toHex('another manifest')) };
const NO_RESULT = { root: zeroHash, units: 0n, manifest: zeroHash };
const COMMITMENT = keccak256(toHex('commitment'));
const BOND = parseEther('1');
const OUTCOME = { agreed: 0, unresolved: 1, silent: 2 };
/** 40 % of the bond of two shards. */
const RETRY = (2n * BOND * 4n) / 10n;

/** Five nodes, and a job of four shards with three seats on each range. */
async function posted(): Promise<World> {
  const world = new World();
  await world.treasury();
  await world.emit('ParamsAdded', { version: 1, params: PARAMS });
  for (const id of [1, 2, 3, 4, 5]) await world.node(id, id === 1 ? OWNER : OWNER_2);
  await world.post(JOB, { seats: 3, bond: BOND });
  return world;
}

const claim = (world: World, node: number, bonus = 0n) => world.claim({ node, bonus, flags: SEAT });
const commit = (world: World, node: number) =>
  world.emit('LeaseCommitted', { id: JOB, first: 0, node, commitment: COMMITMENT });
const end = (world: World, outcome: keyof typeof OUTCOME, result = RESULT) =>
  world.emit('PanelEnded', { id: JOB, first: 0, outcome: OUTCOME[outcome], result });
const fault = (world: World, node: number, withheld = false) =>
  world.emit('SeatFaulted', { id: JOB, first: 0, node, slashed: 2n * BOND, record: 2_500, withheld });

/** Three who sit and have committed. */
async function committed(): Promise<World> {
  const world = await posted();
  for (const id of [1, 2, 3]) await claim(world, id);
  for (const id of [1, 2, 3]) await commit(world, id);
  return world;
}

const thePanel = (world: World) => world.memory.rows(panel)[0];
const theJob = (world: World) => world.memory.rows(job)[0];
const theSeat = (world: World, id: number) => world.memory.rows(seat).find((row) => row.node === id);
const theNode = (world: World, id: number) => world.memory.rows(node).find((row) => row.id === id);
const ofTreasury = (world: World) =>
  world.memory.rows(balance).find((row) => row.account === TREASURY && row.currency === TOKEN)?.amount ?? 0n;

describe('seats', () => {
  test('a seat that is taken with its commitment is the same as one that commits later', async () => {
    const apart = await posted();
    await claim(apart, 1);
    await commit(apart, 1);
    const word = { ...apart.memory.rows(seat)[0]!, claimedAt: START + apart.block, event: '' };

    const world = await posted();
    const lease = { first: 0, count: 2, node: 1, price: word.price, bonus: 0n, deadline: word.deadline, flags: SEAT };
    await world.emit('SeatCommitted', {
      ...{ id: JOB, first: 0, node: 1, commitment: COMMITMENT },
      claimed: claimedWord({ ...lease, commitment: zeroHash, committedBlock: 0 }),
    });
    const at = START + world.block;
    expect(theSeat(world, 1)).toMatchObject({
      ...{ phase: 'committed', commitment: COMMITMENT, claimedAt: at, committedAt: at },
      ...{ price: word.price, deadline: word.deadline, bond: 2n * BOND, count: 2 },
    });
    expect(thePanel(world)).toMatchObject({ sitting: 1, committed: 1 });
    expect(theNode(world, 1)).toMatchObject({ locked: 2n * BOND, leasesLiving: 1 });
    expect(world.memory.rows(activity).at(-1)).toMatchObject({
      ...{ type: 'seatCommitted', job: JOB, first: 0, node: 1, account: OWNER, amount: 2n * BOND },
    });
  });

  test('escrow is for every seat', async () => {
    const world = await posted();
    expect(theJob(world)).toMatchObject({ escrow: 4n * 3n * TERMS.maxPrice });
  });

  test('the first claim opens a panel, those who join do not claim its shards again', async () => {
    const world = await posted();
    await claim(world, 1);
    const openedAt = START + world.block;
    await claim(world, 2);
    expect(world.memory.rows(lease), 'a panel is no lease').toEqual([]);
    expect(world.memory.rows(panel)).toEqual([
      {
        job: JOB,
        first: 0,
        count: 2,
        kind: 'seats',
        auditor: null,
        pooled: false,
        seats: 3,
        sitting: 2,
        committed: 0,
        event: eventId(world.block - 1),
        openedAt,
        joinUntil: openedAt + 60,
        outcome: null,
        root: null,
        units: null,
        manifest: null,
        endedAt: null,
        lapses: 0,
        bonus: 0n,
        openTransaction: world.transaction(world.block - 1),
        endTransaction: null,
        ...world.changed,
      },
    ]);
    expect(theJob(world)).toMatchObject({ state: 'running', claimed: 2, settled: 0 });
    for (const id of [1, 2]) {
      expect(theSeat(world, id)).toMatchObject({ phase: 'claimed', count: 2, price: 150n, bond: 2n * BOND });
      expect(theNode(world, id)).toMatchObject({ locked: 2n * BOND, leasesLiving: 1 });
    }
  });

  test('each commits and reveals for itself', async () => {
    const world = await committed();
    expect(thePanel(world)).toMatchObject({ sitting: 3, committed: 3 });
    await world.reveal({ node: 2 });
    expect(world.memory.rows(seat)).toMatchObject([
      { node: 1, phase: 'committed', commitment: COMMITMENT, root: null },
      { node: 2, phase: 'revealed', ...RESULT, revealedAt: START + world.block, windowEnd: START + world.block + 10 },
      { node: 3, phase: 'committed', root: null },
    ]);
  });

  test('two ranges of a job are two panels', async () => {
    const world = await posted();
    await claim(world, 1);
    await world.claim({ node: 1, first: 2, flags: SEAT });
    expect(world.memory.rows(panel)).toMatchObject([
      { first: 0, sitting: 1 },
      { first: 2, sitting: 1 },
    ]);
    expect(theJob(world)).toMatchObject({ claimed: 4 });
  });
});

describe('a panel that agrees', () => {
  test('settles its shards once and pays each seat', async () => {
    const world = await committed();
    for (const id of [1, 2, 3]) await world.reveal({ node: id });
    await end(world, 'agreed');
    for (const id of [1, 2, 3]) await world.settle({ node: id, paid: 291n, fee: 9n });
    expect(thePanel(world)).toMatchObject({ outcome: 'agreed', ...RESULT, sitting: 0, committed: 0 });
    expect(theJob(world)).toMatchObject({ claimed: 2, settled: 2, paid: 873n, fee: 27n });
    expect(world.memory.rows(stats)).toMatchObject([{ shardsSettled: 2, unitsSettled: 12n }]);
    for (const id of [1, 2, 3]) {
      expect(theSeat(world, id)).toMatchObject({ phase: 'settled', paid: 291n, fee: 9n, slashed: 0n });
      expect(theNode(world, id)).toMatchObject({
        ...{ locked: 0n, record: 5_078, leasesLiving: 0, leasesSettled: 1, shardsSettled: 2, unitsSettled: 12n },
      });
    }
  });

  test('takes the bond of who differs, and nothing is left to fund a retry', async () => {
    const world = await committed();
    for (const id of [1, 2]) await world.reveal({ node: id });
    await world.reveal({ node: 3, result: OTHER });
    await end(world, 'agreed');
    for (const id of [1, 2]) await world.settle({ node: id });
    await fault(world, 3);
    expect(theSeat(world, 3)).toMatchObject({ phase: 'faulted', slashed: 2n * BOND, withheld: false, paid: 0n });
    expect(theNode(world, 3)).toMatchObject({
      locked: 2_000_000_000_000_000_000n,
      record: 2_500,
      leasesLiving: 0,
      leasesLapsed: 1,
    });
    expect(ofTreasury(world)).toBe(RETRY);
    expect(world.memory.rows(activity).at(-1)).toMatchObject({
      ...{ type: 'seatFaulted', job: JOB, first: 0, node: 3, account: OWNER_2, amount: 2n * BOND, currency: TOKEN },
    });
  });

  test('pays the bonus that its winners carry', async () => {
    const world = await posted();
    await claim(world, 1);
    await claim(world, 2);
    await world.lapse({ node: 2, bonus: parseGwei('160') });
    await claim(world, 3, 160n);
    for (const id of [1, 3]) await world.reveal({ node: id });
    await end(world, 'agreed');
    for (const id of [1, 3]) await world.settle({ node: id });
    expect(world.memory.rows(payment).filter(({ kind }) => kind === 'bonus')).toMatchObject([
      { node: 3, amount: parseGwei('160'), currency: TOKEN },
    ]);
    expect(ofTreasury(world)).toBe(0n);
  });

  test('gives a bonus that nobody came for to the treasury', async () => {
    const world = await posted();
    for (const id of [1, 2, 3]) await claim(world, id);
    await world.lapse({ node: 2, bonus: parseGwei('160') });
    expect(thePanel(world)).toMatchObject({ bonus: parseGwei('160') });
    await end(world, 'agreed');
    expect(thePanel(world)).toMatchObject({ bonus: 0n });
    expect(ofTreasury(world)).toBe(parseGwei('160'));
  });
});

describe('a panel that does not agree', () => {
  test('unresolved: half for each, its shards are neither claimed nor settled', async () => {
    const world = await committed();
    await world.reveal({ node: 1 });
    await world.reveal({ node: 2, result: OTHER });
    await end(world, 'unresolved');
    await world.settle({ node: 1, paid: 146n, fee: 4n, record: 5_000 });
    await world.settle({ node: 2, paid: 146n, fee: 4n, record: 5_000 });
    await fault(world, 3, true);
    expect(thePanel(world)).toMatchObject({ outcome: 'unresolved', ...RESULT });
    expect(theJob(world)).toMatchObject({ claimed: 0, settled: 0, paid: 292n, fee: 8n });
    expect(world.memory.rows(stats)).toMatchObject([{ shardsSettled: 0, unitsSettled: 0n }]);
    expect(world.memory.rows(seat)).toMatchObject([
      { node: 1, phase: 'unresolved', paid: 146n },
      { node: 2, phase: 'unresolved', paid: 146n },
      { node: 3, phase: 'faulted', withheld: true },
    ]);
    expect(theNode(world, 1)).toMatchObject({ locked: 0n, leasesLiving: 0, leasesSettled: 0, shardsSettled: 0 });
    expect(ofTreasury(world)).toBe(RETRY);
  });

  test('what its seats carried from failed ones goes to the treasury', async () => {
    const world = await posted();
    await claim(world, 1, 100n);
    await claim(world, 2, 20n);
    await claim(world, 3, 3n);
    await world.reveal({ node: 1 });
    await world.reveal({ node: 2, result: OTHER });
    await end(world, 'unresolved');
    await world.settle({ node: 1 });
    await world.settle({ node: 2 });
    expect(ofTreasury(world)).toBe(parseGwei('120'));
    await fault(world, 3, true);
    expect(ofTreasury(world)).toBe(parseGwei('123') + RETRY);
    expect(world.memory.rows(payment).filter(({ kind }) => kind === 'bonus')).toEqual([]);
  });

  test('silent: its bonds wait for who opens it again, and a node may sit there again', async () => {
    const world = await committed();
    for (const id of [1, 2, 3]) await fault(world, id, true);
    await end(world, 'silent', NO_RESULT);
    expect(thePanel(world)).toMatchObject({ outcome: 'silent', root: null, bonus: 3n * RETRY });
    expect(theJob(world)).toMatchObject({ state: 'running', claimed: 0, settled: 0 });
    expect(ofTreasury(world)).toBe(0n);

    await claim(world, 2, (3n * RETRY) / 10n ** 9n);
    expect(thePanel(world)).toMatchObject({ outcome: null, sitting: 1, committed: 0, bonus: 0n, endedAt: null });
    expect(theSeat(world, 2)).toMatchObject({ phase: 'claimed', bonus: 3n * RETRY, withheld: false, slashed: 0n });
    expect(theSeat(world, 1), 'who failed stays to be seen').toMatchObject({ phase: 'faulted', withheld: true });
    expect(theJob(world)).toMatchObject({ claimed: 2 });
  });
});

describe('lapses of seats', () => {
  test('free the seat, and who joins takes what all of them left', async () => {
    const world = await posted();
    for (const id of [1, 2, 3]) await claim(world, id);
    await world.lapse({ node: 1, bonus: 160n });
    await world.lapse({ node: 2, bonus: 160n });
    expect(thePanel(world)).toMatchObject({ outcome: null, sitting: 1, lapses: 2, bonus: 320n });
    expect(theJob(world)).toMatchObject({ claimed: 2, lapses: 2 });
    expect(theSeat(world, 1)).toMatchObject({ phase: 'lapsed', slashed: 400n, lapsedAt: START + world.block - 1 });
    expect(theNode(world, 1)).toMatchObject({ locked: 400n, record: 4_375, leasesLiving: 0, leasesLapsed: 1 });

    await claim(world, 4);
    const taken = { takenOverBy: 4, takenOverAt: START + world.block };
    expect(world.memory.rows(leaseHistory)).toMatchObject([
      { lapse: 1, node: 1, ...taken },
      { lapse: 2, node: 2, ...taken },
    ]);
    await world.lapse({ node: 3 });
    expect(world.memory.rows(leaseHistory)).toMatchObject([taken, taken, { lapse: 3, takenOverBy: null }]);
    await claim(world, 5);
    expect(world.memory.rows(leaseHistory)).toMatchObject([taken, taken, { lapse: 3, takenOverBy: 5 }]);
  });

  test('the last one frees the range, whose bonus can be swept', async () => {
    const world = await posted();
    await claim(world, 1);
    await world.lapse({ node: 1, bonus: 160n });
    expect(thePanel(world)).toMatchObject({
      ...{ outcome: 'lapsed', sitting: 0, bonus: 160n, endedAt: START + world.block },
    });
    expect(theJob(world)).toMatchObject({ claimed: 0, lapses: 1 });
    await world.emit('BonusSwept', { id: JOB, first: 0, amount: 160n });
    expect(thePanel(world)).toMatchObject({ bonus: 0n });
    expect(ofTreasury(world)).toBe(160n);
    expect(world.memory.rows(leaseHistory)).toMatchObject([{ takenOverBy: null, sweptAt: START + world.block }]);
  });

  test('a range of the whole job is a panel too', async () => {
    const world = await posted();
    await world.claim({ node: 1, count: 4, flags: SOLO | SEAT });
    expect(thePanel(world)).toMatchObject({ count: 4, sitting: 1 });
    expect(theJob(world)).toMatchObject({ claimed: 4 });
  });
});

describe('audits', () => {
  const PRICE = 300n;

  /** Node 1 has committed to a whole range of two shards, and node 2 audits it. */
  async function audited(pooled: boolean): Promise<World> {
    const world = new World();
    await world.treasury();
    await world.emit('ParamsAdded', { version: 1, params: PARAMS });
    for (const id of [1, 2, 3]) await world.node(id, id === 1 ? OWNER : OWNER_2);
    await world.post(JOB, { bond: BOND, auditBps: 500, currency: TOKEN });
    await world.claim();
    await commit(world, 1);
    await world.emit('AuditOpened', { id: JOB, auditor: 2, first: 0, pooled });
    await claim(world, 2);
    return world;
  }

  test('escrow covers an auditor on every shard', async () => {
    expect(theJob(await audited(false))).toMatchObject({ escrow: 4n * 2n * TERMS.maxPrice });
  });

  test('make the lease a seat beside its auditor', async () => {
    const world = await audited(false);
    expect(world.memory.rows(lease)).toEqual([]);
    expect(thePanel(world)).toMatchObject({
      ...{ kind: 'audit', auditor: 2, pooled: false, seats: 2, sitting: 2, committed: 1, outcome: null, lapses: 0 },
      ...{ openedAt: START + world.block - 2, joinUntil: START + world.block - 1 + TERMS.exec },
    });
    expect(theSeat(world, 1)).toMatchObject({
      phase: 'committed',
      commitment: COMMITMENT,
      price: 150n,
      bond: 2n * BOND,
    });
    expect(theSeat(world, 2)).toMatchObject({ phase: 'claimed', bond: 2n * BOND });
    expect(theJob(world)).toMatchObject({ claimed: 2 });
    expect(ofTreasury(world)).toBe(0n);
    expect(world.memory.rows(activity).at(-2)).toMatchObject({ type: 'auditOpened', node: 2, amount: null });
  });

  test('are paid from the treasury where the protocol pays, and never count as the job’s cost', async () => {
    const world = await audited(true);
    expect(ofTreasury(world)).toBe(-PRICE);
    await commit(world, 2);
    await end(world, 'agreed');
    await world.settle({ node: 1 });
    await world.reveal({ node: 2, result: { ...RESULT, manifest: OTHER.manifest } });
    await world.settle({ node: 2 });
    expect(theJob(world)).toMatchObject({ settled: 2, paid: 291n, fee: 9n });
    expect(ofTreasury(world)).toBe(-PRICE);
    expect(theSeat(world, 1), 'told by the end alone').toMatchObject({
      ...{
        phase: 'settled',
        ...RESULT,
        revealedAt: START + world.block - 2,
        revealTransaction: theSeat(world, 1)?.settleTransaction,
      },
    });
    expect(theSeat(world, 2)).toMatchObject({ phase: 'settled', manifest: OTHER.manifest });
    expect(theNode(world, 2)).toMatchObject({ shardsSettled: 2, unitsSettled: 12n });
  });

  test('give back what an auditor does not earn: half where nobody agrees, all where it withholds or lapses', async () => {
    const half = await audited(true);
    await commit(half, 2);
    await end(half, 'unresolved', OTHER);
    for (const id of [1, 2]) await half.settle({ node: id, paid: 146n, fee: 4n });
    expect(ofTreasury(half)).toBe(-150n);
    expect(theJob(half)).toMatchObject({ claimed: 0, settled: 0, paid: 146n, fee: 4n });

    const withheld = await audited(true);
    await commit(withheld, 2);
    await end(withheld, 'agreed');
    await withheld.settle({ node: 1 });
    await fault(withheld, 2, true);
    expect(ofTreasury(withheld)).toBe(RETRY);

    const late = await audited(true);
    await late.lapse({ node: 2, bonus: 160n });
    expect(ofTreasury(late)).toBe(0n);
    expect(thePanel(late)).toMatchObject({
      seats: 1,
      sitting: 1,
      pooled: false,
      auditor: 2,
      bonus: 160n,
      outcome: null,
    });
    await end(late, 'agreed');
    await late.settle({ node: 1 });
    expect(ofTreasury(late), 'the bonus that no retry needs').toBe(160n);
  });

  test('that nobody answers leave a range which one node takes over, with what both left', async () => {
    const world = await audited(true);
    await commit(world, 2);
    for (const id of [1, 2]) await fault(world, id, true);
    await end(world, 'silent', NO_RESULT);
    expect(ofTreasury(world)).toBe(0n);
    expect(thePanel(world)).toMatchObject({ outcome: 'silent', bonus: 2n * RETRY });
    await world.claim({ node: 3, bonus: (2n * RETRY) / 10n ** 9n });
    expect(thePanel(world)).toMatchObject({ bonus: 0n });
    expect(world.memory.rows(lease)).toMatchObject([{ node: 3, phase: 'claimed', bonus: 2n * RETRY, lapses: 0 }]);
    await world.emit('LeaseCommitted', { id: JOB, first: 0, node: 3, commitment: COMMITMENT });
    await world.reveal({ node: 3 });
    await world.settle({ node: 3 });
    expect(world.memory.rows(lease)).toMatchObject([{ node: 3, phase: 'settled', ...RESULT }]);
    expect(theJob(world)).toMatchObject({ settled: 2 });
  });
});

describe('the finding that a job cannot be done', () => {
  const FAULT = { root: SPEC_FAULT, units: 0n, manifest: zeroHash };

  test('settles no shard, whoever finds it', async () => {
    const world = await committed();
    for (const id of [1, 2, 3]) await world.reveal({ node: id, result: FAULT });
    await end(world, 'agreed', FAULT);
    for (const id of [1, 2, 3]) await world.settle({ node: id });
    expect(theJob(world)).toMatchObject({ claimed: 0, settled: 0 });
    expect(theNode(world, 1)).toMatchObject({ shardsSettled: 0, leasesSettled: 1 });

    const alone = new World();
    await alone.node();
    await alone.post();
    await alone.claim();
    await alone.reveal({ result: FAULT });
    await alone.settle();
    expect(theJob(alone)).toMatchObject({ claimed: 0, settled: 0 });
    expect(alone.memory.rows(lease)).toMatchObject([{ phase: 'settled' }]);
  });
});
