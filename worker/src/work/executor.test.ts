import { readPng } from '@dpu/sdk/compare/png';
import type { Sayable } from '@dpu/sdk/gossip/gossip';
import { decodeManifest, rootOf } from '@dpu/sdk/manifest';
import { newIdentity } from '@dpu/sdk/privacy/identity';
import { saltedHashOf } from '@dpu/sdk/privacy/salt';
import { openBytes } from '@dpu/sdk/privacy/stream';
import { parseLog } from '@dpu/sdk/shardLog';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { expect, test } from 'vitest';

import type { KnownLease } from '../chain/chainBook.ts';
import { Executor, leaseKeyOf } from './executor.ts';
import { ProgressFeed } from '../gossip/progressFeed.ts';
import { Journal } from '../sending/journal.ts';
import { silentLog } from '../log.ts';
import type { JobSecret } from './privateJob.ts';
import { PromiseBook } from '../leases/promiseBook.ts';
import { encodePicture } from '../runtimes/wgsl/child/picture.ts';
import { ShardError, type Runtime, type ShardOutput, type ShardRequest } from '../runtimes/runtime.ts';
import { leaseSalt, saltSecret } from '../leases/salt.ts';
import { Experience } from '../planning/experience.ts';
import { sampleResources } from '../testing/machine.ts';
import { MemoryBackend } from '../testing/memoryBackend.ts';
import { bytes32, JOB, sampleLease } from '../testing/samples.ts';
import type { Workspace } from './workspace.ts';

const MODULE_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';

function setup(
  run: (
    request: ShardRequest,
    signal: AbortSignal,
    onProgress: (share: number) => void,
  ) => Promise<Partial<ShardOutput>> = async () => ({}),
  secret?: JobSecret,
) {
  const order: string[] = [];
  const local = new MemoryBackend();
  const journal = new Journal({ file: ':memory:' });
  const promises = new PromiseBook(journal);
  const experience = new Experience(journal);
  const resources = sampleResources(2);
  const said: Sayable<'progress'>[] = [];
  const progress = new ProgressFeed(
    { messagesPerFlush: 1, mostWaiting: 8 },
    { say: async (message) => void said.push(message), clockMs: () => 5 },
  );
  const runtime = {
    name: 'wasm',
    run: async (request: ShardRequest, options: { signal: AbortSignal; onProgress: (share: number) => void }) => {
      order.push(`run ${request.shard}`);
      const output = new TextEncoder().encode(`output ${request.shard}`);
      return {
        output,
        units: request.shard + 1,
        log: '',
        wallMs: 2_000,
        ...(await run(request, options.signal, options.onProgress)),
      };
    },
  } as unknown as Runtime;
  const spec = {
    runtime: 'wasm',
    module: MODULE_CID,
    args: ['x'],
    shards: 10,
    output: { name: 'picture.png', mediaType: 'image/png' },
    limits: { seconds: 1, memoryBytes: 500 },
  };
  const workspace = {
    prepare: async () => ({ spec, module: new Uint8Array(), inputs: [], seed: new Uint8Array(32), secret }),
  } as unknown as Workspace;
  const addShard = promises.addShard.bind(promises);
  promises.addShard = (job, shard) => {
    order.push(`journal ${shard.shard}`);
    addShard(job, shard);
  };
  const promise = promises.promise.bind(promises);
  promises.promise = (key, made) => {
    order.push('promise');
    promise(key, made);
  };
  let finish = (_lease: KnownLease): void => {};
  const finished = new Promise<KnownLease>((resolve) => (finish = resolve));
  const executor = new Executor(
    {
      triesPerShard: 3,
      retryPauseMs: 0,
      reservePercent: 20,
      reserveSeconds: 3,
      memoryBytes: 1_000,
      saltSecret: saltSecret(bytes32(1)),
    },
    {
      runtimes: new Map([['wasm', runtime]]),
      workspace,
      resources,
      workOf: () => undefined,
      experience,
      promises,
      local,
      log: silentLog,
      progress,
      onResult: (lease) => {
        order.push('result');
        finish(lease);
      },
    },
  );
  return { executor, promises, local, resources, experience, order, finished, progress, said };
}
const lease = sampleLease();
const key = leaseKeyOf(lease);
const settledDown = async (executor: Executor): Promise<void> => {
  while (executor.running > 0) await new Promise((resolve) => setImmediate(resolve));
};

test('every shard is stored and journalled before the result is promised, and only then told', async () => {
  const { executor, order, finished } = setup();
  executor.start(lease);
  await finished;
  expect(order.slice().sort()).toEqual(['journal 0', 'journal 1', 'promise', 'result', 'run 0', 'run 1']);
  expect(order.slice(-2)).toEqual(['promise', 'result']);
});

test('the promise is the root, the units and the manifest of what is stored, with its salt', async () => {
  const { executor, promises, local, finished } = setup(async ({ shard }) => ({ log: shard === 1 ? 'hm' : '' }));
  executor.start(lease);
  await finished;
  const { result, salt } = promises.promised(key)!;
  const manifest = decodeManifest(await local.getBlock(digestToCid(result.manifest, 'dag-cbor')));
  expect(manifest).toMatchObject({
    job: JOB,
    first: 0,
    node: 7,
    shards: [
      { shard: 0, units: 1n },
      { shard: 1, units: 2n },
    ],
  });
  expect(rootOf(manifest)).toBe(result.root);
  expect(result.units).toBe(3n);
  expect(promises.shards(JOB, 0, 9)).toEqual([]);
  expect(salt).toBe(leaseSalt(saltSecret(bytes32(1)), key, result));
  expect(await local.text(manifest.shards[1]!.cid)).toBe('output 1');
  expect([...parseLog(await local.text(manifest.log!), { job: JOB, node: 7 }).values()]).toMatchObject([
    { shard: 1, complete: true, entries: [{ text: 'hm' }, { level: 'end', text: 'done' }] },
  ]);
});

test('shards that were finished before a crash are not computed again', async () => {
  const { executor, promises, order, finished } = setup();
  promises.addShard(JOB, { shard: 0, hash: bytes32(1), cid: MODULE_CID, size: 1, units: 1, log: '' });
  order.length = 0;
  executor.start(lease);
  await finished;
  expect(order).toEqual(['run 1', 'journal 1', 'promise', 'result']);
});

test('a lease that runs is not started twice', async () => {
  const { executor, order, finished } = setup();
  executor.start(lease);
  executor.start(lease);
  expect(executor.isRunning(key)).toBe(true);
  await finished;
  expect(order.filter((step) => step.startsWith('run'))).toEqual(['run 0', 'run 1']);
});

test('what fails by the machine’s fault is tried again, three times', async () => {
  let failures = 2;
  const flaky = setup(async ({ shard }) => {
    if (shard === 0 && failures-- > 0) throw new ShardError('killed', 'machine', 'killed');
    return {};
  });
  flaky.executor.start(lease);
  await flaky.finished;
  expect(flaky.order.filter((step) => step === 'run 0')).toHaveLength(3);

  const broken = setup(async () => {
    throw new ShardError('sandbox', 'machine', 'no sandbox');
  });
  broken.executor.start(lease);
  await settledDown(broken.executor);
  expect(broken.executor.hasFailed(key)).toBe(true);
  expect(broken.promises.failure(JOB, 0)).toBeUndefined();
});

test('what fails by the job’s fault is tried once, stops the rest, and the job is remembered', async () => {
  const { executor, promises, resources, order } = setup(async ({ shard }, signal) => {
    if (shard === 0) throw new ShardError('trap', 'job', 'unreachable');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw new ShardError('killed', 'machine', 'stopped');
  });
  executor.start(lease);
  await settledDown(executor);
  expect(order).toEqual(['run 0', 'run 1']);
  expect(executor.hasFailed(key)).toBe(true);
  expect(promises.failure(JOB, 5_000 - 1)).toBe('trap: unreachable');
  expect(promises.failure(JOB, 5_000)).toBeUndefined();
  expect(promises.promised(key)).toBeUndefined();
  expect([resources.running, resources.free.slots]).toEqual([0, 2]);
});

test('a stop ends what runs and blames nobody', async () => {
  const { executor, resources } = setup(async (_request, signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw new ShardError('killed', 'machine', 'stopped');
  });
  executor.start(lease);
  await new Promise((resolve) => setImmediate(resolve));
  await executor.stop();
  expect(executor.hasFailed(key)).toBe(false);
  expect([resources.running, resources.free.slots]).toEqual([0, 2]);
});

test('learns how long a module takes', async () => {
  const { executor, promises, finished } = setup();
  executor.start(lease);
  await finished;
  expect(promises.seconds(MODULE_CID)).toBe(2);
});

test('of a private job only sealed bytes reach store and journal, and the hashes are salted', async () => {
  const [reader, jobKey] = [await newIdentity(), await newIdentity()];
  const secret = { jobKey, readers: [reader.recipient], salt: bytes32(0x5a), judgeable: false } as unknown as JobSecret;
  const { executor, promises, local, finished } = setup(async () => ({ log: 'a secret line' }), secret);
  const kept: string[] = [];
  const addShard = promises.addShard.bind(promises);
  promises.addShard = (job, shard) => {
    kept.push(shard.log);
    addShard(job, shard);
  };
  executor.start(lease);
  await finished;
  const { result } = promises.promised(key)!;
  const manifest = decodeManifest(await local.getBlock(digestToCid(result.manifest, 'dag-cbor')));
  expect(manifest.private).toEqual({ version: 1 });
  const output = new TextEncoder().encode('output 1');
  expect(manifest.shards[1]!.hash).toBe(await saltedHashOf(bytes32(0x5a), 1, output));
  const sealed = local.blocks.get(manifest.shards[1]!.cid.toString())!;
  expect(manifest.shards[1]!.size).toBe(sealed.length);
  expect(await openBytes(sealed, reader)).toEqual(output);
  const log = await openBytes(local.blocks.get(manifest.log!.toString())!, reader);
  const logs = [...parseLog(new TextDecoder().decode(log), { job: JOB, node: 7 }).values()];
  expect(logs.map(({ shard, entries }) => [shard, entries.map(({ text }) => text)])).toEqual([
    [0, ['a secret line', 'done']],
    [1, ['a secret line', 'done']],
  ]);
  const disk = [...local.blocks.values()].map((block) => Buffer.from(block).toString('latin1'));
  expect([...disk, ...kept].filter((text) => text.includes('output ') || text.includes('secret line'))).toEqual([]);
  expect(kept).toHaveLength(2);
});

test('others hear how far a shard is while it runs, and see a small picture of its output', async () => {
  const rgba = new Uint8Array(4 * 64 * 32).fill(80);
  const picture = Buffer.concat(encodePicture(rgba, 64, 32));
  const half = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const { executor, finished, progress, said } = setup(async ({ shard }, _signal, onProgress) => {
    if (shard > 0) return {};
    onProgress(0.5);
    half.resolve();
    await told.promise;
    return { output: Uint8Array.from(picture) };
  });
  executor.start(lease);
  await half.promise;
  await progress.flush();
  told.resolve();
  await finished;
  await progress.flush();
  const first = said.flatMap(({ shards }) => shards.filter(({ shard }) => shard === 0));
  expect(first.map(({ state, permille }) => [state, permille])).toEqual([
    ['running', 500],
    ['done', 1000],
  ]);
  const { preview } = first[1]!;
  expect(readPng(preview!.bytes)).toMatchObject({ width: 16, height: 8 });
  // An output that is no picture has none, whatever the spec calls it.
  expect(said.flatMap(({ shards }) => shards).filter((shard) => shard.preview !== undefined)).toHaveLength(1);
});
