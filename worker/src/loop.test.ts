import { expect, test } from 'vitest';

import type { Chain } from './chain/chain.ts';
import type { ChainBook } from './chain/chainBook.ts';
import { TransientError } from './errors.ts';
import { silentLog } from './log.ts';
import { Loop, type LoopDeps } from './loop.ts';
import type { Outbox } from './sending/outbox.ts';
import { bytes32, NODE, sampleHead, sampleNode } from './testing/samples.ts';
import type { HeadChange } from './chain/watch.ts';

const never = new AbortController().signal;

function setup(changes: (HeadChange | undefined | Error)[], { endpoint = 'http://here', differing = [0] } = {}) {
  const order: string[] = [];
  const faults: string[] = [];
  const doubts: number[] = [];
  const state = { leaving: false, living: 1, pending: 0, running: 0 };
  const step = (name: string): void => {
    if (faults[0] === name) {
      faults.shift();
      throw new TransientError(name);
    }
    order.push(name);
  };
  const deps = {
    chain: { node: async () => sampleNode({ endpoint }) } as unknown as Chain,
    watch: {
      poll: async () => {
        const change = changes.shift();
        if (change instanceof Error) throw change;
        return change;
      },
    },
    scan: {
      advance: async () => {
        step('scan');
        return [];
      },
      rescan: (block: number) => step(`scan from ${block}`),
    },
    witness: {
      takeDoubt: () => doubts.shift(),
      check: async () => ({ is: 'agreed' as const }),
    },
    book: {
      ownLiving: () => Array(state.living).fill(0),
      cursor: () => ({ number: 1, hash: bytes32(1) }),
      forget: () => {},
    } as unknown as ChainBook,
    sender: {
      tick: async (_head: unknown, reorged: boolean) => step(reorged ? 'sender, reorged' : 'sender'),
      get pending() {
        return state.pending;
      },
    },
    reconciler: {
      reconcile: async () => {
        step('reconcile');
        return differing.length > 1 ? differing.shift()! : differing[0]!;
      },
    },
    keeper: { tick: async () => step('leases') },
    claimer: {
      forget: () => {},
      tick: async () => step('claims'),
      get leaving() {
        return state.leaving;
      },
    },
    settler: { close: async () => step('close') },
    copies: { tick: () => step('copy') },
    proposer: { propose: async ({ name }: { name: string }) => (step(name), { outcome: 'sent' }) },
    executor: {
      get running() {
        return state.running;
      },
    },
    court: { tick: async () => step('court'), busy: false },
    outbox: {} as Outbox,
    log: silentLog,
    clockMs: () => 0,
  } as LoopDeps;
  const loop = new Loop(
    { node: NODE, endpoint: 'http://here', reconcileEveryBlocks: 3, tidyEveryBlocks: 2, forgetAfterSeconds: 1 },
    deps,
  );
  return { loop, order, faults, doubts, state, tick: () => loop.tick(never) };
}
const at = (number: number, reorged = false): HeadChange => ({ head: sampleHead(number, number), reorged });

test('works a head off from what the chain says to new work', async () => {
  const { tick, order } = setup([at(1), undefined, at(2)]);
  await tick();
  expect(order).toEqual(['scan', 'sender', 'reconcile', 'leases', 'court', 'claims', 'close', 'copy']);
  order.length = 0;
  await tick();
  expect(order).toEqual([]);
  await tick();
  expect(order).toEqual(['scan', 'sender', 'leases', 'court', 'claims', 'copy']);
});

test('compares journal and chain on start, every few blocks, after a reorg, and again after a difference', async () => {
  const { tick, order } = setup(
    [1, 2, 3, 4, 5].map((number) => at(number, number === 4)),
    { differing: [1, 0, 0] },
  );
  const compared: number[] = [];
  for (const number of [1, 2, 3, 4, 5]) {
    order.length = 0;
    await tick();
    if (order.includes('reconcile')) compared.push(number);
  }
  expect(compared).toEqual([1, 2, 4]);
});

test('takes up a head again that could not be worked off, with the reorg that it told of', async () => {
  const { tick, order, faults } = setup([at(1), at(2, true), undefined, at(3)]);
  await tick();
  order.length = 0;
  faults.push('leases', 'scan');
  await expect(tick()).rejects.toThrow('leases');
  await expect(tick()).rejects.toThrow('scan');
  order.length = 0;
  await tick();
  expect(order).toEqual(['scan', 'sender, reorged', 'reconcile', 'leases', 'court', 'claims', 'close', 'copy']);
});

test('reads again what only one endpoint has said, before anything else, once', async () => {
  const { tick, order, doubts } = setup([at(1), at(2)]);
  doubts.push(7);
  await tick();
  expect(order.slice(0, 2)).toEqual(['scan from 7', 'scan']);
  order.length = 0;
  await tick();
  expect(order[0]).toBe('scan');
});

test('publishes the endpoint once when the chain names another', async () => {
  const moved = setup([at(1), at(5)], { endpoint: 'http://there' });
  await moved.tick();
  await moved.tick();
  expect(moved.order.filter((step) => step.startsWith('endpoint'))).toEqual(['endpoint:http://here']);
  const settled = setup([at(1)]);
  await settled.tick();
  expect(settled.order.filter((step) => step.startsWith('endpoint'))).toEqual([]);
});

test('is done when it leaves and nothing of it is left anywhere', async () => {
  const { loop, state } = setup([]);
  state.living = 0;
  expect(loop.isDone()).toBe(false);
  state.leaving = true;
  expect(loop.isDone()).toBe(true);
  for (const rest of ['living', 'pending', 'running'] as const) {
    state[rest] = 1;
    expect(loop.isDone(), rest).toBe(false);
    state[rest] = 0;
  }
});
