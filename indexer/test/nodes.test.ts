import { zeroHash } from 'viem';
import { describe, expect, test } from 'vitest';
import { activity, node, stakeEvent, stats } from '../ponder.schema.ts';
import { OPERATOR, OWNER, START, TOKEN, TREASURY, World } from './lib/world.ts';

const theNode = (world: World) => world.memory.rows(node)[0];

async function staked(): Promise<World> {
  const world = new World();
  await world.treasury();
  await world.node();
  return world;
}

describe('nodes', () => {
  test('a new node begins with half a record and nothing at stake', async () => {
    const world = new World();
    const set = { node: 1, owner: OWNER, operator: OPERATOR, runtimes: 0b110, key: zeroHash, endpoint: 'http://node' };
    await world.emit('NodeSet', { ...set, since: START });
    expect(theNode(world)).toEqual({
      id: 1,
      owner: OWNER,
      operator: OPERATOR,
      runtimes: 0b110,
      key: zeroHash,
      endpoint: 'http://node',
      since: START,
      tier: 0,
      tierUntil: 0,
      record: 5_000,
      stake: 0n,
      locked: 0n,
      queued: 0n,
      unstakeAt: null,
      slashed: 0n,
      leasesLiving: 0,
      leasesSettled: 0,
      leasesLapsed: 0,
      shardsSettled: 0,
      unitsSettled: 0n,
      registeredAt: START + 1,
      ...world.changed,
    });
    expect(world.memory.rows(stats)).toMatchObject([{ nodes: 1 }]);
  });

  test('a change keeps stake, record and registration', async () => {
    const world = await staked();
    const set = { node: 1, owner: OWNER, operator: OWNER, runtimes: 0b10, key: zeroHash, endpoint: 'http://moved' };
    await world.emit('NodeSet', { ...set, since: START + 5 });
    expect(theNode(world)).toMatchObject({
      operator: OWNER,
      endpoint: 'http://moved',
      since: START + 5,
      stake: 9_000n,
      registeredAt: START + 2,
    });
    expect(world.memory.rows(stats)).toMatchObject([{ nodes: 1 }]);
  });

  test('a proven tier has an end', async () => {
    const world = await staked();
    await world.emit('NodeTierSet', { node: 1, tier: 3, until: START + 900 });
    expect(theNode(world)).toMatchObject({ tier: 3, tierUntil: START + 900 });
  });
});

describe('stake', () => {
  test('more stake restarts the waiting time of a newcomer', async () => {
    const world = await staked();
    await world.emit('Staked', { node: 1, owner: OWNER, amount: 500n, stake: 9_500n, since: START + 77 });
    expect(theNode(world)).toMatchObject({ stake: 9_500n, since: START + 77 });
    expect(world.memory.rows(stats)).toMatchObject([{ stake: 9_500n }]);
  });

  test('leaving is queued, cancelled, queued again and done', async () => {
    const world = await staked();
    await world.emit('UnstakeQueued', { node: 1, amount: 300n, queued: 300n, unstakeAt: START + 700 });
    expect(theNode(world)).toMatchObject({ stake: 9_000n, queued: 300n, unstakeAt: START + 700 });
    await world.emit('UnstakeCancelled', { node: 1, amount: 300n });
    expect(theNode(world)).toMatchObject({ stake: 9_000n, queued: 0n, unstakeAt: null });
    await world.emit('UnstakeQueued', { node: 1, amount: 400n, queued: 400n, unstakeAt: START + 800 });
    await world.emit('Unstaked', { node: 1, to: TREASURY, amount: 400n, stake: 8_600n });
    expect(theNode(world)).toMatchObject({ stake: 8_600n, queued: 0n, unstakeAt: null });
    expect(world.memory.rows(stats)).toMatchObject([{ stake: 8_600n }]);
    expect(
      world.memory.rows(stakeEvent).map(({ kind, amount, stake, queued }) => [kind, amount, stake, queued]),
    ).toEqual([
      ['staked', 9_000n, 9_000n, 0n],
      ['queued', 300n, 9_000n, 300n],
      ['cancelled', 300n, 9_000n, 0n],
      ['queued', 400n, 9_000n, 400n],
      ['unstaked', 400n, 8_600n, 0n],
    ]);
  });

  test('a slash takes stake and is remembered', async () => {
    const world = await staked();
    await world.emit('NodeSlashed', { node: 1, amount: 400n, burnt: 200n, treasury: 40n, stake: 8_600n });
    await world.emit('NodeSlashed', { node: 1, amount: 100n, burnt: 50n, treasury: 10n, stake: 8_500n });
    expect(theNode(world)).toMatchObject({ stake: 8_500n, slashed: 500n });
    expect(world.memory.rows(stats)).toMatchObject([{ stake: 8_500n }]);
    expect(world.memory.rows(activity).at(-1)).toMatchObject({
      type: 'nodeSlashed',
      node: 1,
      account: OWNER,
      amount: 100n,
      currency: TOKEN,
    });
  });

  test('a delegation is an activity of the staker', async () => {
    const world = await staked();
    await world.emit('StakeDelegated', { owner: OWNER, surrogate: TREASURY, delegatee: OPERATOR });
    expect(world.memory.rows(activity).at(-1)).toMatchObject({ type: 'stakeDelegated', account: OWNER });
  });
});
