import type { JobSpec } from '@dpu/sdk/spec';
import { expect, test } from 'vitest';

import { ShardError, type Runtime, type ShardRequest } from '../runtimes/runtime.ts';
import { tryOut } from './trial.ts';
import type { PreparedJob } from '../work/workspace.ts';

const SIGNAL = new AbortController().signal;

function jobOf(units: number): PreparedJob {
  const limits = { memoryBytes: 65_536, units, outputBytes: 10, seconds: 60 };
  return {
    spec: { runtime: 'wasm', args: ['a'], shards: 9, limits } as unknown as JobSpec,
    module: Uint8Array.of(1),
    inputs: [],
    seed: new Uint8Array(32),
  };
}

function runtimesOf(failure?: Error): { runtimes: Map<string, Pick<Runtime, 'run'>>; requests: ShardRequest[] } {
  const requests: ShardRequest[] = [];
  const run: Runtime['run'] = async (request) => {
    requests.push(request);
    if (failure) throw failure;
    return { output: new Uint8Array(), units: 1, log: '', wallMs: 1 };
  };
  return { runtimes: new Map([['wasm', { run }]]), requests };
}

test('runs the first shard for a short while, inside the caps of the spec', async () => {
  const { runtimes, requests } = runtimesOf();
  await tryOut(runtimes, jobOf(5_000), SIGNAL);
  await tryOut(runtimes, jobOf(7), SIGNAL);
  expect(requests.map(({ shard, shards, limits }) => ({ shard, shards, ...limits }))).toEqual([
    { shard: 0, shards: 9, memoryBytes: 65_536, units: 100, outputBytes: 10, seconds: 5 },
    { shard: 0, shards: 9, memoryBytes: 65_536, units: 7, outputBytes: 10, seconds: 5 },
  ]);
});

test.each<[string, number, ShardError]>([
  ['a module that is refused', 5_000, new ShardError('module-rejected', 'job', 'It imports a socket.')],
  ['a trap', 5_000, new ShardError('trap', 'job', 'It divided by zero.')],
  ['a cap of the spec that is below the trial’s', 100, new ShardError('out-of-units', 'job', 'It used 100 units.')],
])('declines %s', async (_what, units, failure) => {
  await expect(tryOut(runtimesOf(failure).runtimes, jobOf(units), SIGNAL)).rejects.toMatchObject({
    name: 'DeclineError',
    code: 'fails',
    detail: { reason: failure.reason, problem: failure.message },
  });
});

test('declines what needs a device or an image that this machine does not have', async () => {
  const failure = new ShardError('device-lost', 'machine', 'It needs a graphics card.');
  await expect(tryOut(runtimesOf(failure).runtimes, jobOf(5_000), SIGNAL)).rejects.toMatchObject({ code: 'fails' });
});

test.each<[string, Error]>([
  ['a shard that simply takes longer than the trial', new ShardError('out-of-units', 'job', 'It used 100 units.')],
  ['trouble of this machine', new ShardError('timeout', 'machine', 'Too slow.')],
  ['an error that nobody thought of', new Error('?')],
])('lets %s pass', async (_what, failure) => {
  await expect(tryOut(runtimesOf(failure).runtimes, jobOf(101), SIGNAL)).resolves.toBeUndefined();
});
