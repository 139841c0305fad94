import { encodeManifest, rootOf, unitsOf, type Manifest } from '@dpu/sdk/manifest';
import { encodeSpec, type JobSpecInput } from '@dpu/sdk/spec';
import { parseCid } from '@dpu/sdk/storage/cid';
import type { Terms } from '@dpu/sdk/terms';
import { expect, test } from 'vitest';

import type { DeclineError } from '../planning/declines.ts';
import { TransientError } from '../errors.ts';
import { silentLog } from '../log.ts';
import { MemoryBackend } from '../testing/memoryBackend.ts';
import { bytes32, JOB, NODE, sampleTerms } from '../testing/samples.ts';
import { sha256, Workspace, type ParentResults, moduleName } from './workspace.ts';

const never = new AbortController().signal;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const MODULE = bytes('module');
const DATA = bytes('data');
const PARENT = bytes32(0xaa);

async function setup({ maxInputBytes = 100, parent }: { maxInputBytes?: number; parent?: ParentResults } = {}) {
  const local = new MemoryBackend();
  const remote = new MemoryBackend();
  const workspace = new Workspace(
    { maxInputBytes, fetchMs: 60_000, keptJobs: 2 },
    { local, remote, parentResults: async () => parent ?? { shards: 0, leases: [] }, log: silentLog },
  );
  const module = (await remote.addFile(MODULE)).cid;
  const data = (await remote.addFile(DATA)).cid;
  const post = async (spec: Partial<JobSpecInput> = {}, terms: Partial<Terms> = {}): Promise<Terms> => {
    const encoded = encodeSpec({
      version: 1,
      name: 'A job',
      runtime: 'wasm',
      module,
      args: [],
      inputs: [{ name: 'data', cid: data, size: 4 }],
      shards: 10,
      output: { name: 'out', mediaType: 'text/plain' },
      limits: { memoryBytes: 65_536, units: 1, outputBytes: 1, seconds: 1 },
      comparator: { kind: 'exact' },
      ...spec,
    });
    await remote.putBlock(encoded.cid, encoded.bytes);
    return sampleTerms({ spec: encoded.digest, ...terms });
  };
  return { local, remote, workspace, post, module, data };
}

const declined = (code: string, detail: Record<string, unknown>) =>
  expect.objectContaining({ name: 'DeclineError', code, detail }) as DeclineError;

test('gives spec, module and inputs, and keeps them on this node’s disk', async () => {
  const { workspace, post, local, remote, module, data } = await setup();
  const terms = await post();
  const job = await workspace.prepare(JOB, terms, never);
  expect(job.inputs).toEqual([{ name: 'data', bytes: DATA }]);
  expect(job.module).toEqual(MODULE);
  expect(job.spec.name).toBe('A job');
  expect(`0x${Buffer.from(job.seed).toString('hex')}`).toBe(terms.spec);
  expect(await local.has(module)).toBe(true);
  expect(await local.has(data)).toBe(true);
  const asked = remote.calls.length;
  workspace.drop(JOB);
  await workspace.prepare(JOB, terms, never);
  expect(remote.calls.length).toBe(asked);
});

test('fetches a job once for all who ask at the same time', async () => {
  const { workspace, post, remote, module } = await setup();
  const terms = await post();
  await Promise.all([workspace.prepare(JOB, terms, never), workspace.prepare(JOB, terms, never)]);
  expect(remote.calls.filter((call) => call === `read ${module}`)).toHaveLength(1);
});

test('a spec that nobody has can be asked for again later', async () => {
  const { workspace, remote, post } = await setup();
  const terms = await post();
  const [cid, block] = [...remote.blocks].at(-1)!;
  remote.blocks.delete(cid);
  await expect(workspace.prepare(JOB, terms, never)).rejects.toMatchObject({ code: 'specUnavailable' });
  remote.blocks.set(cid, block);
  expect((await workspace.prepare(JOB, terms, never)).module).toEqual(MODULE);
});

test.each([
  ['has other shards than the terms', { shards: 9 }, {}, 'it has 9 shards, the terms 10'],
  ['waits for no job where the terms do', {}, { afterJob: PARENT }, 'spec and terms disagree about an earlier job'],
  [
    'waits for a job where the terms do not',
    { after: { name: 'parts' } },
    {},
    'spec and terms disagree about an earlier job',
  ],
])('a spec that %s is declined', async (_sentence, spec, terms, problem) => {
  const { workspace, post } = await setup();
  await expect(workspace.prepare(JOB, await post(spec, terms), never)).rejects.toEqual(
    declined('specInvalid', { problem }),
  );
});

test('a spec that breaks the rules is declined with the reason', async () => {
  const { workspace, remote, post } = await setup();
  const terms = await post();
  const [cid] = [...remote.blocks].at(-1)!;
  remote.blocks.set(cid, bytes('nonsense'));
  await expect(workspace.prepare(JOB, terms, never)).rejects.toEqual(
    declined('specInvalid', { problem: expect.stringMatching(/not canonical dag-cbor/) as string }),
  );
});

test('an input of another size than stated is declined', async () => {
  const { workspace, post, data } = await setup();
  const terms = await post({ inputs: [{ name: 'data', cid: data, size: 5 }] });
  await expect(workspace.prepare(JOB, terms, never)).rejects.toEqual(
    declined('specInvalid', { problem: 'input data has 4 bytes, not 5' }),
  );
});

test('more than this node takes is declined before it is fetched, by its stated or its true size', async () => {
  const { workspace, post, data, remote } = await setup({ maxInputBytes: 9 });
  const stated = await post({ inputs: [{ name: 'data', cid: data, size: 10 }] });
  const asked = remote.calls.length;
  await expect(workspace.prepare(JOB, stated, never)).rejects.toEqual(declined('inputsTooBig', { bytes: 10, most: 9 }));
  expect(remote.calls.slice(asked).filter((call) => call.startsWith('read'))).toEqual([]);
  await expect(workspace.prepare(bytes32(2), await post(), never)).rejects.toMatchObject({ code: 'inputsTooBig' });
});

test('an outage is no decline', async () => {
  const { workspace, post, remote } = await setup();
  const terms = await post();
  remote.getBlock = () => Promise.reject(new Error('socket hang up'));
  await expect(workspace.prepare(JOB, terms, never)).rejects.toThrow(
    new TransientError("A job's files cannot be fetched now: socket hang up"),
  );
});

test('a file that is half on the disk is fetched again', async () => {
  const { workspace, post, local, module } = await setup();
  local.blocks.set(module.toString(), MODULE);
  expect((await workspace.prepare(JOB, await post(), never)).module).toEqual(MODULE);
});

/** A parent job of two shards whose results are on `remote`. */
async function parentOf(
  remote: MemoryBackend,
  over: Partial<Manifest> = {},
  wrongHash = false,
): Promise<ParentResults> {
  const shards = [];
  for (const [shard, text] of ['one', 'two'].entries()) {
    const { cid } = await remote.addFile(bytes(text));
    shards.push({ shard, cid: parseCid(cid), size: 3, hash: sha256(bytes(wrongHash ? 'no' : text)), units: 1n });
  }
  const manifest: Manifest = { version: 1, job: PARENT, first: 0, node: NODE, shards, ...over };
  const encoded = encodeManifest(manifest);
  await remote.putBlock(encoded.cid, encoded.bytes);
  const result = { root: rootOf(manifest), units: unitsOf(manifest), manifest: encoded.digest };
  return { shards: 2, leases: [{ first: 0, node: NODE, result }] };
}
const child = (post: Awaited<ReturnType<typeof setup>>['post']): Promise<Terms> =>
  post({ after: { name: 'parts' } }, { afterJob: PARENT });

test('results of an earlier job are files, checked from the chain’s root down', async () => {
  const parent: ParentResults = { shards: 0, leases: [] };
  const { workspace, post, remote } = await setup({ parent });
  Object.assign(parent, await parentOf(remote));
  const { inputs } = await workspace.prepare(JOB, await child(post), never);
  expect(inputs.slice(1)).toEqual([
    { name: 'parts/0', bytes: bytes('one') },
    { name: 'parts/1', bytes: bytes('two') },
  ]);
});

test.each([
  ['a manifest of another job', { job: bytes32(9) }, false, 'the manifest of shard 0 is not what was settled'],
  ['a manifest of another node', { node: 9 }, false, 'the manifest of shard 0 is not what was settled'],
  ['an output that is not what was settled', {}, true, 'the output of shard 0 is not what was settled'],
])('%s is no input', async (_sentence, over, wrongHash, problem) => {
  const parent: ParentResults = { shards: 0, leases: [] };
  const { workspace, post, remote } = await setup({ parent });
  Object.assign(parent, await parentOf(remote, over, wrongHash));
  await expect(workspace.prepare(JOB, await child(post), never)).rejects.toEqual(
    declined('inputsUnavailable', { problem }),
  );
});

test('a manifest with another root than was settled is no input', async () => {
  const parent: ParentResults = { shards: 0, leases: [] };
  const { workspace, post, remote } = await setup({ parent });
  const { leases } = await parentOf(remote);
  const result = { ...leases[0]!.result, root: bytes32(9) };
  Object.assign(parent, { shards: 2, leases: [{ ...leases[0]!, result }] });
  await expect(workspace.prepare(JOB, await child(post), never)).rejects.toEqual(
    declined('inputsUnavailable', { problem: 'the manifest of shard 0 is not what was settled' }),
  );
});

test('an earlier job of which a part is unknown is no input', async () => {
  const parent: ParentResults = { shards: 0, leases: [] };
  const { workspace, post, remote } = await setup({ parent });
  Object.assign(parent, await parentOf(remote), { shards: 3 });
  await expect(workspace.prepare(JOB, await child(post), never)).rejects.toEqual(
    declined('inputsUnavailable', { problem: 'the earlier job has 3 shards, 2 are known' }),
  );
});

/** A later job whose model is shard `shard` of the parent. */
function modelJob(post: Awaited<ReturnType<typeof setup>>['post'], shard: number): Promise<Terms> {
  const settings = {
    ...{ model: `parts/${shard}`, optimization: 'all', items: 10, batch: 1 },
    inputs: [{ name: 'x', type: 'u8', shape: [4], file: 'data' }],
    outputs: [{ name: 'y', type: 'i32' }],
  };
  const spec = { runtime: 'onnx', settings, after: { name: 'parts' }, module: undefined };
  return post(spec as unknown as Partial<JobSpecInput>, { afterJob: PARENT });
}

test('the code may be a result of an earlier job, and its times go under the spec', async () => {
  const parent: ParentResults = { shards: 0, leases: [] };
  const { workspace, post, remote, module } = await setup({ parent });
  Object.assign(parent, await parentOf(remote));
  const terms = await modelJob(post, 1);
  const job = await workspace.prepare(JOB, terms, never);
  expect(job.module).toEqual(bytes('two'));
  expect(moduleName(job)).toBe(terms.spec);
  expect(moduleName(await workspace.prepare(bytes32(2), await post(), never))).toBe(module.toString());
});

test('code that the earlier job has not is declined', async () => {
  const parent: ParentResults = { shards: 0, leases: [] };
  const { workspace, post, remote } = await setup({ parent });
  Object.assign(parent, await parentOf(remote));
  await expect(workspace.prepare(JOB, await modelJob(post, 2), never)).rejects.toEqual(
    declined('specInvalid', { problem: 'the job before has no result parts/2' }),
  );
});
