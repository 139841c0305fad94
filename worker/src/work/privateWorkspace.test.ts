import { encodeManifest, rootOf, unitsOf, type Manifest } from '@dpu/sdk/manifest';
import { newJobKey, type JobKey } from '@dpu/sdk/privacy/envelope';
import { newIdentity, type SecretIdentity } from '@dpu/sdk/privacy/identity';
import { saltedHashOf } from '@dpu/sdk/privacy/salt';
import { sealSpec, type SealSpecOptions } from '@dpu/sdk/privacy/sealedSpec';
import { sealBytes } from '@dpu/sdk/privacy/stream';
import { encodeSpec, type JobSpecInput } from '@dpu/sdk/spec';
import { beforeAll, expect, test } from 'vitest';

import { silentLog } from '../log.ts';
import { MemoryBackend } from '../testing/memoryBackend.ts';
import { bytes32, JOB, NODE, sampleTerms } from '../testing/samples.ts';
import { Workspace, type ParentResults } from './workspace.ts';

const never = new AbortController().signal;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const SECRET = bytes('the secret data');
const PARENT = bytes32(0xaa);
const AFTER_SALT = bytes32(0x5a);

let me: SecretIdentity;
let node: SecretIdentity;
let jobKey: JobKey;
beforeAll(async () => {
  [me, node, jobKey] = await Promise.all([newIdentity(), newIdentity(), newJobKey()]);
});

interface Wish {
  /** Whose workspace it is; the allowed node's by default. */
  identity?: SecretIdentity | undefined;
  spec?: Partial<JobSpecInput>;
  seal?: Partial<SealSpecOptions>;
  /** What is stored as the input; sealed to the job's key by default. */
  input?: Uint8Array;
  /** Changes the encoded spec's fields before it is stored. */
  change?: (spec: JobSpecInput) => JobSpecInput;
  parent?: ParentResults;
}

/** A private job, prepared by a node, and that node's disk. */
async function prepared(wish: Wish = {}, remote = new MemoryBackend()) {
  const local = new MemoryBackend();
  const identity = 'identity' in wish ? wish.identity : node;
  const workspace = new Workspace(
    { maxInputBytes: 10_000, fetchMs: 60_000, keptJobs: 2 },
    { local, remote, identity, parentResults: async () => wish.parent ?? { shards: 0, leases: [] }, log: silentLog },
  );
  const input = wish.input ?? (await sealBytes(SECRET, [jobKey.recipient]));
  const spec: JobSpecInput = {
    version: 1,
    name: 'A job',
    runtime: 'wasm',
    module: (await remote.addFile(bytes('module'))).cid,
    args: ['a secret word'],
    inputs: [{ name: 'data', cid: (await remote.addFile(input)).cid, size: SECRET.length }],
    shards: 10,
    output: { name: 'out', mediaType: 'text/plain' },
    limits: { memoryBytes: 65_536, units: 1, outputBytes: 1, seconds: 1 },
    comparator: { kind: 'exact' },
    ...wish.spec,
  };
  const own = await sealSpec(spec, { jobKey, requester: me.recipient, nodes: [node.recipient], ...wish.seal });
  const posted = { ...own.spec, private: own.private };
  const encoded = encodeSpec(wish.change ? wish.change(posted) : posted);
  await remote.putBlock(encoded.cid, encoded.bytes);
  const afterJob = spec.after ? { afterJob: PARENT } : {};
  const terms = sampleTerms({ spec: encoded.digest, ...afterJob });
  return { local, job: workspace.prepare(JOB, terms, never) };
}

/** A settled lease of the earlier job: one shard, sealed for these readers. */
async function parentOf(remote: MemoryBackend, readers: string[], salt = AFTER_SALT): Promise<ParentResults> {
  const stored = await sealBytes(SECRET, readers);
  const { cid } = await remote.addFile(stored);
  const hash = await saltedHashOf(salt, 0, SECRET);
  const shard = { shard: 0, hash, cid, size: stored.length, units: 1n };
  const manifest: Manifest = {
    version: 1,
    job: PARENT,
    first: 0,
    node: NODE,
    shards: [shard],
    private: { version: 1 },
  };
  const block = encodeManifest(manifest);
  await remote.putBlock(block.cid, block.bytes);
  const result = { root: rootOf(manifest), units: unitsOf(manifest), manifest: block.digest };
  return { shards: 1, leases: [{ first: 0, node: NODE, result }] };
}

test('a node in the envelope has the whole job in memory and only sealed bytes on its disk', async () => {
  const { local, job } = await prepared();
  const { spec, inputs, secret, module } = await job;
  expect([spec.name, spec.args]).toEqual(['A job', ['a secret word']]);
  expect(inputs).toEqual([{ name: 'data', bytes: SECRET }]);
  expect(module).toEqual(bytes('module'));
  expect(secret?.readers).toEqual([me.recipient]);
  const disk = [...local.blocks.values()].map((block) => Buffer.from(block).toString('latin1'));
  expect(disk.length).toBeGreaterThan(2);
  expect(disk.filter((text) => text.includes('secret'))).toEqual([]);
});

test('code that is sealed is opened too', async () => {
  const remote = new MemoryBackend();
  const module = (await remote.addFile(await sealBytes(bytes('hidden code'), [jobKey.recipient]))).cid;
  const { job } = await prepared({ spec: { module }, seal: { moduleSealed: true } }, remote);
  expect((await job).module).toEqual(bytes('hidden code'));
});

test('whoever has no key, another key, or a spec that was tampered with declines with its reason', async () => {
  const without = await prepared({ identity: undefined });
  await expect(without.job).rejects.toMatchObject({ code: 'noKey' });
  const other = await prepared({ identity: await newIdentity() });
  await expect(other.job).rejects.toMatchObject({ code: 'notRecipient' });
  const copied = await prepared({ change: (spec) => ({ ...spec, shards: 10, output: { ...spec.output, name: 'x' } }) });
  await expect(copied.job).rejects.toMatchObject({ code: 'privateUnsound' });
});

test('an input that was not sealed to the job’s key, or has another size, is declined', async () => {
  const open = await prepared({ input: SECRET });
  await expect(open.job).rejects.toMatchObject({ code: 'privateUnsound' });
  const mine = await prepared({ input: await sealBytes(SECRET, [me.recipient]) });
  await expect(mine.job).rejects.toMatchObject({ code: 'privateUnsound' });
  const longer = await prepared({ input: await sealBytes(bytes('the secret data!'), [jobKey.recipient]) });
  await expect(longer.job).rejects.toMatchObject({ code: 'specInvalid' });
});

test('a later job reads sealed results with its own key and checks them with the earlier job’s salt', async () => {
  const remote = new MemoryBackend();
  const parent = await parentOf(remote, [me.recipient, jobKey.recipient]);
  const after = { spec: { after: { name: 'parts' }, inputs: [] }, parent };
  const { job, local } = await prepared({ ...after, seal: { afterSalt: AFTER_SALT } }, remote);
  expect((await job).inputs).toEqual([{ name: 'parts/0', bytes: SECRET }]);
  expect([...local.blocks.values()].filter((block) => Buffer.from(block).includes('secret'))).toEqual([]);

  const unsalted = await prepared(after, remote);
  await expect(unsalted.job).rejects.toMatchObject({ code: 'inputsUnavailable' });
  const wrong = await prepared({ ...after, seal: { afterSalt: bytes32(0x5b) } }, remote);
  await expect(wrong.job).rejects.toMatchObject({ code: 'inputsUnavailable' });
  const shut = { ...after, parent: await parentOf(remote, [me.recipient]) };
  const { job: closed } = await prepared({ ...shut, seal: { afterSalt: AFTER_SALT } }, remote);
  await expect(closed).rejects.toMatchObject({
    code: 'inputsUnavailable',
    detail: { problem: 'the output of shard 0 of the earlier job was not sealed for this one' },
  });
});
