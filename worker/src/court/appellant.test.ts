import { marketAbi } from '@dpu/sdk/abi';
import { disputeCost } from '@dpu/sdk/court';
import { readRules } from '@dpu/sdk/rules';
import { decodeFunctionData } from 'viem';
import { expect, test } from 'vitest';

import type { Chain } from '../chain/chain.ts';
import type { ChainBook } from '../chain/chainBook.ts';
import type { ChainFacts } from '../chain/facts.ts';
import { silentLog } from '../log.ts';
import type { Proposal, Proposer } from '../sending/proposer.ts';
import { courtEvents as say, DISPUTE, HOLDER, sampleSpec } from '../testing/courtSamples.ts';
import { bytes32, RESULT, sampleHead, sampleLease, sampleNode, sampleTerms } from '../testing/samples.ts';
import { sha256 } from '../work/workspace.ts';
import { Appellant, isWorthAppealing, loserOf } from './appellant.ts';
import type { CourtBook, KnownDispute } from './courtBook.ts';
import type { CourtEvent } from './courtEvents.ts';
import { foldDispute } from './disputeFold.ts';
import type { Shown } from './shown.ts';
import type { OwnShard, TrialRun } from './trialRun.ts';

const terms = sampleTerms({ bond: 40n });
const { appealing } = disputeCost(terms);
const CHALLENGER = 4;
const SHOWN = Uint8Array.of(1);
const OTHER = Uint8Array.of(2);
/** Judged at second 1,000; the last second to appeal. */
const LAST = 1_000 + readRules(terms.rules).revealWindow - 1;
const head = sampleHead(60, 1_010);
const judged = (found: 'valid' | 'invalid' | 'none', paid = 5): CourtEvent => say.judged(50, found, paid);

function disputeOf(...events: CourtEvent[]): KnownDispute {
  return { ...foldDispute([say.challenged(), ...events])!, terms, hash: sha256(SHOWN), units: 1n };
}

interface Wish {
  node?: number;
  disputes?: KnownDispute[];
  /** What is computed, run after run; the last repeats. */
  computes?: Uint8Array[];
  share?: number;
  free?: bigint;
  nextTime?: number;
  runtimes?: number[];
}

function setup(wish: Wish = {}) {
  const sent: (Pick<Proposal, 'name' | 'deadline'> & { args: readonly unknown[] })[] = [];
  const computes = wish.computes ?? [SHOWN];
  let runs = 0;
  const manifest = { shards: [{ shard: 1, hash: sha256(SHOWN) }] };
  const appellant = new Appellant(
    { node: wish.node ?? HOLDER, runtimes: new Set(wish.runtimes ?? [1]), share: wish.share ?? 0.1 },
    {
      chain: {
        node: async () => sampleNode({ stake: 10n * appealing, locked: 10n * appealing - (wish.free ?? appealing) }),
      } as unknown as Chain,
      book: {
        lease: () => sampleLease({ phase: 'revealed', result: RESULT, lease: { node: HOLDER } }),
        cursor: () => ({ number: 60, hash: bytes32(60) }),
      } as unknown as ChainBook,
      court: { open: () => wish.disputes ?? [disputeOf(judged('invalid'))] } as unknown as CourtBook,
      facts: { block: async () => sampleHead(50, 1_000) } as unknown as ChainFacts,
      proposer: {
        propose: async ({ name, deadline, data }: Proposal) => {
          sent.push({ name, deadline: deadline!, args: decodeFunctionData({ abi: marketAbi, data }).args ?? [] });
          return { outcome: 'sent' };
        },
      } as unknown as Proposer,
      trial: {
        run: async (): Promise<OwnShard> => {
          const output = computes[Math.min(runs, computes.length - 1)]!;
          runs += 1;
          return { kind: 'output', spec: sampleSpec(), output, hash: sha256(output), units: 1n };
        },
      } as unknown as TrialRun,
      shown: { manifest: async () => manifest, output: async () => SHOWN } as unknown as Shown,
      nextTime: () => wish.nextTime ?? 1_011,
      log: silentLog,
    },
  );
  const tick = async (): Promise<void> => {
    await appellant.tick(head);
    while (appellant.running > 0) await new Promise((resolve) => setImmediate(resolve));
  };
  return { tick, sent, runs: () => runs };
}

test('a holder that was convicted computes the shard twice again, and appeals with its stake', async () => {
  const { tick, sent, runs } = setup();
  await tick();
  expect([runs(), sent]).toEqual([2, []]);
  await tick();
  expect(runs()).toBe(2);
  expect(sent).toMatchObject([{ name: `appeal:${DISPUTE}`, deadline: LAST }]);
  expect(sent[0]!.args.slice(2)).toEqual([1, HOLDER]);
});

test('a challenger that was rejected appeals when it finds the shard wrong twice more', async () => {
  const rejected = { node: CHALLENGER, disputes: [disputeOf(judged('valid'))] };
  const sure = setup({ ...rejected, computes: [OTHER] });
  await sure.tick();
  await sure.tick();
  expect(sure.sent).toHaveLength(1);
  expect(sure.sent[0]!.args.slice(2)).toEqual([1, CHALLENGER]);
});

test.each<[string, Wish, number]>([
  ['a holder that was wrong', { computes: [OTHER] }, 1],
  ['a holder that is right only once', { computes: [SHOWN, OTHER] }, 2],
  ['a challenger that was wrong', { node: CHALLENGER, disputes: [disputeOf(judged('valid'))] }, 1],
  [
    'a challenger that is right only once',
    { node: CHALLENGER, disputes: [disputeOf(judged('valid'))], computes: [OTHER, SHOWN] },
    2,
  ],
])('%s accepts the finding, and computes no more', async (_who, wish, computed) => {
  const { tick, sent, runs } = setup(wish);
  for (let head = 0; head < 3; head += 1) await tick();
  expect([runs(), sent]).toEqual([computed, []]);
});

test.each<[string, Wish]>([
  ['appeals are switched off', { share: 0 }],
  ['its share of the stake is too small', { share: 0.09 }],
  ['its free stake is too small', { free: appealing - 1n }],
  [
    'another appeal holds its share',
    { disputes: [disputeOf(judged('invalid'), say.appealed(51)), disputeOf(judged('invalid'))] },
  ],
  ['it cannot run the module', { runtimes: [2] }],
  ['it is too late', { nextTime: LAST + 1 }],
  ['the jury found nothing', { disputes: [disputeOf(judged('none', 0))] }],
  ['the jury is not counted', { disputes: [disputeOf()] }],
  ['somebody has appealed', { disputes: [disputeOf(judged('invalid'), say.appealed(51, 9))] }],
  ['it won', { disputes: [disputeOf(judged('valid'))] }],
])('nothing is computed when %s', async (_what, wish) => {
  const { tick, sent, runs } = setup(wish);
  await tick();
  await tick();
  expect([runs(), sent]).toEqual([0, []]);
});

test('the last second is in time', async () => {
  const { tick, sent } = setup({ nextTime: LAST });
  await tick();
  await tick();
  expect(sent).toHaveLength(1);
});

test('one shard’s bond is not worth a jury of eleven, two are', () => {
  const lease = (found: 'valid' | 'invalid', count: number): KnownDispute => {
    const dispute = disputeOf(judged(found));
    return { ...dispute, lease: { ...dispute.lease, count } };
  };
  expect([1, 2].map((count) => isWorthAppealing(lease('invalid', count), 'holder'))).toEqual([false, true]);
  expect([1, 2].map((count) => isWorthAppealing(lease('valid', count), 'challenger'))).toEqual([false, true]);
});

test('only who lost may appeal: the holder of a convicted lease, the challenger of one that stands', () => {
  const loser = (...events: CourtEvent[]) => [HOLDER, CHALLENGER, 9].map((node) => loserOf(disputeOf(...events), node));
  expect(loser(judged('invalid'))).toEqual(['holder', undefined, undefined]);
  expect(loser(judged('valid'))).toEqual([undefined, 'challenger', undefined]);
  expect(loser()).toEqual([undefined, undefined, undefined]);
  expect(loser(judged('invalid'), say.appealed(51))).toEqual([undefined, undefined, undefined]);
});
