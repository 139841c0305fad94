import { expect, test } from 'vitest';

import { silentLog } from '../log.ts';
import { ShardError, type Runtime, type ShardFailureReason } from '../runtimes/runtime.ts';
import { sampleResources } from '../testing/machine.ts';
import { sampleSpec } from '../testing/courtSamples.ts';
import { JOB, sampleTerms } from '../testing/samples.ts';
import { sha256, type PreparedJob } from '../work/workspace.ts';
import { TrialRun } from './trialRun.ts';

const OUTPUT = Uint8Array.of(1, 2, 3);
const failing = (reason: ShardFailureReason, fault: 'job' | 'machine'): ShardError =>
  new ShardError(reason, fault, `it failed by ${reason}`);

/** Runs a shard whose runs end like this, one after the other; the last repeats. */
async function run(...outcomes: (ShardError | 'right')[]) {
  let runs = 0;
  const runtime = {
    run: async () => {
      const outcome = outcomes[Math.min(runs, outcomes.length - 1)]!;
      runs += 1;
      if (outcome !== 'right') throw outcome;
      return { output: OUTPUT, units: 5, log: '', wallMs: 1 };
    },
  } as unknown as Runtime;
  const prepared = { spec: sampleSpec(), module: OUTPUT, inputs: [], seed: OUTPUT } satisfies PreparedJob;
  const resources = sampleResources(1);
  const trial = new TrialRun(
    { triesPerShard: 2, retryPauseMs: 0 },
    { runtimes: new Map([['wasm', runtime]]), workspace: { prepare: async () => prepared }, resources, log: silentLog },
  );
  const found = await trial.run(JOB, sampleTerms(), 1, new AbortController().signal).catch((error: unknown) => error);
  expect([resources.free.slots, resources.running], 'slots are given back').toEqual([1, 0]);
  return { found, runs: () => runs };
}

test('a shard that runs is its output, hash and units', async () => {
  const { found, runs } = await run('right');
  expect(found).toMatchObject({ kind: 'output', output: OUTPUT, hash: sha256(OUTPUT), units: 5n });
  expect(runs()).toBe(1);
});

test.each<ShardFailureReason>(['module-rejected', 'trap', 'exit-code', 'out-of-units', 'output-limit'])(
  'a module that fails twice by %s is at fault',
  async (reason) => {
    const { found, runs } = await run(failing(reason, 'job'));
    expect(found).toMatchObject({ kind: 'fault', reason });
    expect(runs()).toBe(2);
  },
);

test('one failure could be this machine’s: what runs the second time counts', async () => {
  expect((await run(failing('trap', 'job'), 'right')).found).toMatchObject({ kind: 'output', units: 5n });
});

test.each<[string, ShardError[]]>([
  ['fails in two ways', [failing('trap', 'job'), failing('out-of-units', 'job')]],
  ['runs out of time', [failing('timeout', 'job')]],
  ['does not run on this machine', [failing('killed', 'machine')]],
])('a shard that %s says nothing about the job', async (_what, outcomes) => {
  expect((await run(...outcomes)).found).toBeInstanceOf(ShardError);
});

test('a machine that is short of something now is tried again', async () => {
  const { found, runs } = await run(failing('sandbox', 'machine'), 'right');
  expect(found).toMatchObject({ kind: 'output' });
  expect(runs()).toBe(2);
});
