import { marketAbi } from '@dpu/sdk/abi';
import { disputeCost } from '@dpu/sdk/court';
import type { Manifest } from '@dpu/sdk/manifest';
import { SPEC_FAULT } from '@dpu/sdk/lease';
import { merkleRoot, verifyProof, type ShardLeaf } from '@dpu/sdk/merkle';
import type { JobSpec } from '@dpu/sdk/spec';
import { decodeFunctionData, zeroHash, type Hex } from 'viem';
import { expect, test } from 'vitest';

import type { Chain } from '../chain/chain.ts';
import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import type { ChainFacts } from '../chain/facts.ts';
import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import type { Proposal, Proposer } from '../sending/proposer.ts';
import { anyWork, sampleResources } from '../testing/machine.ts';
import { HOLDER, sampleSpec } from '../testing/courtSamples.ts';
import { MemoryBackend } from '../testing/memoryBackend.ts';
import { bytes32, JOB, NODE, RESULT, sampleHead, sampleLease, sampleNode, sampleTerms } from '../testing/samples.ts';
import { sha256 } from '../work/workspace.ts';
import { Checker } from './checker.ts';
import { CourtBook } from './courtBook.ts';
import type { Shown } from './shown.ts';
import type { OwnShard, TrialRun } from './trialRun.ts';

const terms = sampleTerms({ bond: 40n, window: 600 });
const { challenging } = disputeCost(terms);
const head = sampleHead(40, 1_060);
const RIGHT = Uint8Array.of(1);
const WRONG = Uint8Array.of(2);

interface Wish {
  rate?: number;
  /** What this node computes, run after run; the last repeats. */
  computes?: Uint8Array[];
  lease?: Partial<KnownLease>;
  free?: bigint;
  owner?: (node: number) => Hex;
  nextTime?: number;
  busy?: boolean;
  challengeHidden?: boolean;
  /** The contract of the proofs of tiers. */
  proofs?: Hex;
  /** What the job's spec says. */
  spec?: JobSpec;
  /** What others can be fetched: manifests, outputs. Default both. */
  reach?: () => { manifest: boolean; output: boolean };
  journal?: Journal;
}

/** A checker beside a lease of two shards, all shown as `RIGHT`. */
function setup(wish: Wish = {}) {
  const journal = wish.journal ?? new Journal({ file: ':memory:' });
  const court = new CourtBook(journal, { terms: () => terms });
  const known = sampleLease({
    ...{ terms, phase: 'revealed', revealedBlock: 35, result: RESULT, lease: { node: HOLDER } },
    ...wish.lease,
  });
  court.revealedSince = () => [{ job: JOB, first: 0, node: HOLDER }];
  const book = {
    cursor: () => ({ number: 40, hash: bytes32(40) }),
    lease: () => known,
    ownLiving: () => [],
  } as unknown as ChainBook;
  const shards = [0, 1].map((shard) => ({ shard, hash: sha256(RIGHT), size: 1, units: 1n, cid: undefined }));
  const manifest = { shards } as unknown as Manifest;
  const reach = wish.reach ?? (() => ({ manifest: true, output: true }));
  const computes = wish.computes ?? [RIGHT];
  const sent: { name: string; args: readonly unknown[] }[] = [];
  let runs = 0;
  const resources = sampleResources(1);
  if (wish.busy) resources.hold(1, anyWork);
  const clock = { time: wish.nextTime ?? 1_061 };
  const checker = new Checker(
    {
      ...{ node: NODE, runtimes: new Set([1]), rate: wish.rate ?? 1, saltSecret: new Uint8Array(32) },
      ...{ lookBackBlocks: 10, challengeHidden: wish.challengeHidden ?? true, proofs: wish.proofs },
    },
    {
      ...{ book, court, resources, local: new MemoryBackend(), log: silentLog, draining: () => false },
      nextTime: () => clock.time,
      chain: {
        node: async (node: number) =>
          sampleNode({
            stake: wish.free ?? challenging,
            owner: wish.owner?.(node) ?? `0x${String(node).padStart(40, '0')}`,
          }),
      } as unknown as Chain,
      facts: { block: async () => sampleHead(35, 1_000) } as unknown as ChainFacts,
      proposer: {
        propose: async ({ name, data }: Proposal) => {
          sent.push({ name, args: decodeFunctionData({ abi: marketAbi, data }).args ?? [] });
          return { outcome: 'sent' };
        },
      } as unknown as Proposer,
      workspace: { spec: async () => wish.spec ?? sampleSpec() },
      trial: {
        run: async (): Promise<OwnShard> => {
          const output = computes[Math.min(runs, computes.length - 1)]!;
          runs += 1;
          return { kind: 'output', spec: sampleSpec(), output, hash: sha256(output), units: 1n };
        },
      } as unknown as TrialRun,
      shown: {
        manifest: async () => (reach().manifest ? manifest : undefined),
        output: async () => (reach().output ? RIGHT : undefined),
      } as unknown as Shown,
    },
  );
  const tick = async (): Promise<void> => {
    await checker.tick(head);
    while (checker.running) await new Promise((resolve) => setImmediate(resolve));
  };
  return { tick, sent, court, journal, clock, runs: () => runs };
}

test('what is right is computed once and left alone', async () => {
  const { tick, sent, runs } = setup();
  await tick();
  await tick();
  expect([runs(), sent]).toEqual([1, []]);
});

test('what is wrong twice is challenged with this node’s stake', async () => {
  const { tick, sent, runs } = setup({ computes: [WRONG] });
  await tick();
  expect([runs(), sent]).toEqual([2, []]);
  await tick();
  expect(sent).toHaveLength(1);
  expect(sent[0]!.args.slice(2)).toMatchObject([RESULT, { hash: sha256(RIGHT), units: 1n }, NODE]);
  expect(runs()).toBe(2);
});

test('what is wrong only once is this machine’s mistake', async () => {
  const { tick, sent, runs } = setup({ computes: [WRONG, RIGHT] });
  await tick();
  await tick();
  expect([runs(), sent]).toEqual([2, []]);
});

test('what was found wrong before a restart is computed again and challenged', async () => {
  const before = setup({ computes: [WRONG] });
  await before.tick();
  const { tick, sent } = setup({ computes: [WRONG], journal: before.journal });
  await tick();
  await tick();
  expect(sent).toHaveLength(1);
});

test('a proof of a tier is checked whatever the rate, without its runtime and without computing it all', async () => {
  const PROOFS = '0x00000000000000000000000000000000000000f1';
  const proof = { ...terms, requester: PROOFS, runtime: 2 } as const;
  // What is shown has not even as many bytes as there are lanes.
  const wish: Wish = { rate: 1e-12, proofs: PROOFS, lease: { terms: proof }, spec: sampleSpec() };
  const { tick, sent, runs } = setup(wish);
  await tick();
  await tick();
  expect([runs(), sent.length]).toEqual([0, 1]);
  const other = setup({ ...wish, proofs: '0x00000000000000000000000000000000000000f2' });
  await other.tick();
  await other.tick();
  expect([other.runs(), other.sent.length]).toEqual([0, 0]);
});

test.each<[string, Wish]>([
  ['nobody is to be checked', { rate: 0 }],
  ['the machine is busy', { busy: true }],
  ['there is no window', { lease: { terms: { ...terms, window: 0 } } }],
  ['the window has passed', { nextTime: 1_601 }],
  ['it is settled', { lease: { phase: 'settled' } }],
  ['this machine lacks the runtime', { lease: { terms: { ...terms, runtime: 2 } } }],
  ['holder and checker have one owner', { owner: () => '0x0000000000000000000000000000000000000009' }],
])('nothing is computed when %s', async (_what, wish) => {
  const { tick, runs } = setup({ computes: [WRONG], ...wish });
  await tick();
  expect(runs()).toBe(0);
});

test('the last second of the window is in time', async () => {
  const { tick, sent } = setup({ computes: [WRONG], nextTime: 1_600 });
  await tick();
  await tick();
  expect(sent).toHaveLength(1);
});

test('a bond that the free stake does not cover is not staked', async () => {
  const { tick, sent, runs } = setup({ computes: [WRONG], free: challenging - 1n });
  await tick();
  await tick();
  expect([runs(), sent]).toEqual([2, []]);
});

/** The window is open until second 1,600. */
const HALF = 1_300;
const ROOT = merkleRoot([0, 1].map((shard) => ({ shard, hash: sha256(RIGHT), units: 1n })));
const rightRoot = { lease: { result: { ...RESULT, root: ROOT } } };

test.each<[string, { manifest: boolean; output: boolean }, number]>([
  ['an output', { manifest: true, output: false }, 1],
  ['a manifest', { manifest: false, output: false }, 2],
])('%s that is out of reach twice, half a window apart, is challenged with its proof', async (_what, gone, runs) => {
  const made = setup({ ...rightRoot, reach: () => gone });
  const { tick, sent, clock } = made;
  await tick();
  await tick();
  clock.time = HALF - 1;
  await tick();
  await tick();
  expect([made.runs(), sent]).toEqual([runs, []]);
  clock.time = HALF;
  await tick();
  await tick();
  expect(sent).toHaveLength(1);
  const shard = sent[0]!.args[3] as ShardLeaf & { index: number; proof: readonly Hex[] };
  expect(verifyProof(ROOT, { ...shard, shard: shard.index }, shard.proof)).toBe(true);
  expect(made.runs(), 'nothing is computed twice').toBe(runs);
});

test('data that is there at the second look is nobody’s fault', async () => {
  let output = false;
  const { tick, sent, clock, court } = setup({ ...rightRoot, reach: () => ({ manifest: true, output }) });
  await tick();
  output = true;
  clock.time = HALF;
  await tick();
  await tick();
  expect(sent).toEqual([]);
  const found = [0, 1].map((shard) =>
    court.checked({ job: JOB, lease: { first: 0, node: HOLDER, deadline: 1_100 }, shard }),
  );
  expect(found).toContain('same');
});

test.each<[string, Wish]>([
  ['the operator does not want it', { ...rightRoot, challengeHidden: false }],
  ['nobody can prove what was shown', {}],
])('hidden data is not challenged when %s', async (_what, wish) => {
  const { tick, sent, clock } = setup({ ...wish, reach: () => ({ manifest: false, output: false }) });
  for (const time of [1_061, HALF, 1_600]) {
    clock.time = time;
    await tick();
    await tick();
  }
  expect(sent).toEqual([]);
});

test('that a job cannot be done is challenged by who has done it twice, without a proof', async () => {
  const { tick, sent, runs } = setup({ lease: { result: { ...RESULT, root: SPEC_FAULT } } });
  await tick();
  await tick();
  expect(runs()).toBe(2);
  expect(sent).toHaveLength(1);
  expect(sent[0]!.args[3]).toMatchObject({ hash: zeroHash, units: 0n, proof: [] });
});
