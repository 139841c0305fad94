import { testimonyOf } from '@dpu/sdk/court';
import { marketAbi } from '@dpu/sdk/abi';
import { decodeFunctionData, type Hex } from 'viem';
import { expect, test } from 'vitest';

import type { Chain } from '../chain/chain.ts';
import { ChainBook } from '../chain/chainBook.ts';
import type { ChainFacts } from '../chain/facts.ts';
import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import type { Proposal, Proposer } from '../sending/proposer.ts';
import { sampleResources } from '../testing/machine.ts';
import { CHALLENGER, courtEvents as say, DISPUTE, HOLDER, JURORS, sampleSpec } from '../testing/courtSamples.ts';
import { MemoryBackend } from '../testing/memoryBackend.ts';
import { bytes32, JOB, NODE, sampleHead, sampleNode, sampleTerms } from '../testing/samples.ts';
import { sha256 } from '../work/workspace.ts';
import { CourtBook } from './courtBook.ts';
import type { CourtEvent } from './courtEvents.ts';
import { Juror } from './juror.ts';
import type { Shown } from './shown.ts';
import type { OwnShard, TrialRun } from './trialRun.ts';

const terms = sampleTerms({ bond: 40n });
const OUTPUT = Uint8Array.of(9);
const owner = (node: number): Hex => `0x${node.toString(16).padStart(40, '0')}`;
const head = sampleHead(60, 1_060);

/** A juror that has seen these events, and what it did. `journal` stands for the disk. */
function setup(
  events: CourtEvent[],
  journal = new Journal({ file: ':memory:' }),
  over: { ownerOf?: typeof owner } = {},
) {
  const book = new ChainBook(journal);
  const court = new CourtBook(journal, book);
  book.advance(
    [{ name: 'JobPosted', block: 10, logIndex: 0, job: JOB, terms }],
    { number: 10, hash: bytes32(10) },
    NODE,
  );
  for (const event of events) book.advance([], { number: event.block, hash: bytes32(event.block) }, NODE, [event]);
  const done: string[] = [];
  const sent: Hex[] = [];
  const own: OwnShard = { kind: 'output', spec: sampleSpec(), output: OUTPUT, hash: sha256(OUTPUT), units: 1n };
  const ownerOf = over.ownerOf ?? owner;
  const juror = new Juror(
    { node: NODE, runtimes: new Set([1]), saltSecret: new Uint8Array(32) },
    {
      book,
      court,
      chain: {
        node: async (node: number) => sampleNode({ owner: ownerOf(node), stake: 10_000n }),
        runtimeStake: async () => 10_000n,
      } as unknown as Chain,
      facts: {
        block: async (number: number) => sampleHead(number, 1_000 + number - 30),
        seed: async () => bytes32(0x5eed),
      } as unknown as ChainFacts,
      proposer: {
        propose: async ({ kind, name, data, deadline }: Proposal) => {
          const kept = court.testimony(DISPUTE, 1) ? 'kept' : 'not kept';
          done.push(`${kind} ${name.split(':').at(-1)} until ${deadline}, ${kept}`);
          sent.push(data);
          return { outcome: 'sent' };
        },
      } as unknown as Proposer,
      trial: { run: async () => (done.push('run'), own) } as unknown as TrialRun,
      shown: {} as Shown,
      resources: sampleResources(1),
      local: new MemoryBackend(),
      nextTime: () => 1_100 + 1_800,
      draining: () => false,
      log: silentLog,
    },
  );
  const tick = async (): Promise<void> => {
    await juror.tick(head);
    while (juror.running > 0) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { juror, court, done, sent, tick, journal };
}

/** Long enough to serve, so that the draw is open to everybody. */
const patient = { ...terms, exec: 3_000 };
const withTime = (made: ReturnType<typeof setup>): ReturnType<typeof setup> => {
  made.journal.run("UPDATE jobs SET terms = json_set(terms, '$.exec', ?)", patient.exec);
  return made;
};

test('computes when it is drawn, is bound on disk, and only then sits down', async () => {
  const { tick, done, sent, court } = withTime(setup([say.challenged()]));
  await tick();
  expect(done).toEqual(['run']);
  const said = court.testimony(DISPUTE, 1)!;
  expect(said).toMatchObject({ node: NODE, verdict: 'invalid', hash: sha256(OUTPUT), units: 1n });
  await tick();
  expect(done).toEqual(['run', 'serve 1 until 4600, kept']);
  const call = decodeFunctionData({ abi: marketAbi, data: sent[0]! });
  expect(call.args?.slice(2)).toEqual([1, NODE, testimonyOf(DISPUTE, 1, said)]);
});

test('a restart neither computes nor votes again', async () => {
  const first = withTime(setup([say.challenged()]));
  await first.tick();
  const second = withTime(setup([say.challenged()], first.journal));
  await second.tick();
  expect(second.done).toEqual(['serve 1 until 4600, kept']);
});

test('speaks once it sits, and is silent afterwards', async () => {
  const before = withTime(setup([say.challenged()]));
  await before.tick();
  const said = before.court.testimony(DISPUTE, 1)!;
  const served = { ...say.served(NODE, 31), commitment: testimonyOf(DISPUTE, 1, said) } as CourtEvent;
  const seated = withTime(setup([say.challenged(), served], before.journal));
  await seated.tick();
  expect(seated.done).toEqual(['testify 1 until 5200, kept']);
  const spoken = withTime(setup([say.challenged(), served, say.spoke(NODE, 40, 'invalid')], before.journal));
  await spoken.tick();
  expect(spoken.done).toEqual([]);
});

test('never says what it is not bound to', async () => {
  const before = withTime(setup([say.challenged()]));
  await before.tick();
  const { tick, done } = withTime(setup([say.challenged(), say.served(NODE, 31)], before.journal));
  await tick();
  expect(done).toEqual([]);
});

test.each<[string, CourtEvent[], typeof owner]>([
  ['of one owner with the holder', [say.challenged()], (node) => owner(node === HOLDER ? NODE : node)],
  ['of one owner with the challenger', [say.challenged()], (node) => owner(node === CHALLENGER ? NODE : node)],
  [
    'that finds the jury full',
    [say.challenged(), ...[11, 12, 13, 14, 15].map((node) => say.served(node, 31 + node))],
    owner,
  ],
])('a node %s does not serve', async (_what, events, ownerOf) => {
  const { tick, done } = withTime(setup(events, undefined, { ownerOf }));
  await tick();
  expect(done).toEqual([]);
});

test('a jury that has judged needs nobody', async () => {
  const served = JURORS.map((node, at) => say.served(node, 31 + at));
  const { tick, done } = withTime(setup([say.challenged(), ...served, say.judged(50, 'valid', 5)]));
  await tick();
  expect(done).toEqual([]);
});
