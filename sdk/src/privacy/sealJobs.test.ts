import { keccak256, toHex, type Hex } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { explain } from '../errors.ts';
import { decodeSpec, encodeSpec, type EncodedSpec, type JobSpecInput } from '../spec.ts';
import { NotARecipientError, SealedSpecError } from './errors.ts';
import { newJobKey } from './envelope.ts';
import { identityOfBytes, newIdentity, type SecretIdentity } from './identity.ts';
import { openJob, resultKeyOf } from './openJob.ts';
import { saltOf } from './salt.ts';
import { HeldFiles, sealJobs } from './sealJobs.ts';
import { sealSpec } from './sealedSpec.ts';
import { openBytes } from './stream.ts';

const SCAN = new TextEncoder().encode('lungs of patient 17');
const CODE = new TextEncoder().encode('public code');
const IDS = [keccak256(toHex('map')), keccak256(toHex('reduce'))] as const;

let me: SecretIdentity;
let node: SecretIdentity;
let stranger: SecretIdentity;
/** What was stored in the network, by CID. */
let stored: Map<string, Uint8Array>;
let sealed: EncodedSpec[];

/** A spec of one shard whose files are held. */
async function specOf(files: HeldFiles, over: Partial<JobSpecInput> = {}): Promise<JobSpecInput> {
  return {
    version: 1,
    name: 'Lungs',
    runtime: 'wasm',
    module: (await files.addFile(CODE)).cid,
    args: ['--patient', '17'],
    inputs: [{ name: 'scan', cid: (await files.addFile(SCAN)).cid, size: SCAN.length }],
    shards: 1,
    output: { name: 'out', mediaType: 'application/octet-stream' },
    limits: { memoryBytes: 65_536, units: 5, outputBytes: 400, seconds: 60 },
    comparator: { kind: 'exact' },
    ...over,
  };
}

beforeAll(async () => {
  [me, node, stranger] = await Promise.all([newIdentity(), newIdentity(), newIdentity()]);
  stored = new Map();
  const [files, network] = [new HeldFiles(), new HeldFiles()];
  const specs = [await specOf(files), await specOf(files, { inputs: [], after: { name: 'parts' } })];
  sealed = await sealJobs(specs, {
    ...{ requester: me.recipient, nodes: [node.recipient], files },
    async addFile(bytes) {
      const { cid } = await network.addFile(bytes);
      stored.set(cid.toString(), bytes);
      return { cid };
    },
    idOf: (index) => IDS[index as 0 | 1],
  });
});

const specAt = (index: number) => decodeSpec((sealed[index] as EncodedSpec).bytes);

describe('private jobs of a template', () => {
  test('name their public code, and a sealed file in the place of each input', async () => {
    const { spec, jobKey } = await openJob(specAt(0), IDS[0], node);
    expect(spec).toMatchObject({ name: 'Lungs', args: ['--patient', '17'], inputs: [{ name: 'scan', size: 19 }] });
    const input = stored.get(spec.inputs[0]!.cid.toString())!;
    expect(Buffer.from(input).includes(Buffer.from(SCAN))).toBe(false);
    expect(await openBytes(input, jobKey)).toEqual(SCAN);
    expect(stored.get(spec.module!.toString())).toEqual(CODE);
    expect(stored.size).toBe(2);
  });

  test('hand the later job a key for the earlier results and the salt of their hashes', async () => {
    const [map, reduce] = [await openJob(specAt(0), IDS[0], me), await openJob(specAt(1), IDS[1], node)];
    expect(map.readers).toEqual([me.recipient, reduce.jobKey.recipient]);
    expect(map.judgeable).toBe(false);
    expect(reduce.readers).toEqual([me.recipient]);
    expect(reduce.afterSalt).toBe(await saltOf(map.jobKey, IDS[0]));
    expect(map.salt).toBe(reduce.afterSalt);
    expect(resultKeyOf(map, me)).toEqual({ identity: [me, map.jobKey], salt: map.salt });
  });

  test('have results that judges can read where two of them may differ', async () => {
    const files = new HeldFiles();
    const comparator = { kind: 'numeric', type: 'f32', absolutePpb: 1, relativePpb: 0, outliersPpm: 0 } as const;
    const spec = await specOf(files, { comparator });
    const options = { requester: me.recipient, nodes: [], files, idOf: (): Hex => IDS[0] };
    const [tolerant] = await sealJobs([spec], { ...options, addFile: (bytes) => new HeldFiles().addFile(bytes) });
    const opened = await openJob(decodeSpec(tolerant!.bytes), IDS[0], me);
    expect(opened.judgeable).toBe(true);

    const jobKey = await newJobKey();
    const secretive = await sealSpec(spec, { jobKey, requester: me.recipient });
    const read = decodeSpec(encodeSpec({ ...secretive.spec, private: secretive.private }).bytes);
    await expect(openJob(read, IDS[0], me)).rejects.toThrow(SealedSpecError);
  });

  test('open for nobody else, and an open job is no private one', async () => {
    const error = await openJob(specAt(0), IDS[0], stranger).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NotARecipientError);
    expect(explain(error).action).toBe('Use the key that it was made for: import its recovery file.');
    const open = decodeSpec(encodeSpec(await specOf(new HeldFiles())).bytes);
    await expect(openJob(open, IDS[0], me)).rejects.toThrow(RangeError);
  });

  test('cannot be made of files that are not held', async () => {
    const spec = await specOf(new HeldFiles());
    const options = { requester: me.recipient, nodes: [], files: new HeldFiles(), idOf: (): Hex => IDS[0] };
    await expect(sealJobs([spec], { ...options, addFile: () => Promise.reject(new Error('sent')) })).rejects.toThrow(
      RangeError,
    );
  });
});

test('a private spec says nothing in the open that is in its sealed part', () => {
  const spec = specAt(0);
  const spoilt = { ...spec, name: 'Lungs', args: ['17'], inputs: [{ name: 'scan', cid: spec.module!, size: 1 }] };
  expect(() => encodeSpec(spoilt)).toThrow(/name: must be "Private job".*args: must be empty.*inputs: must be empty/s);
  const open: JobSpecInput = { ...spoilt };
  delete (open as Partial<JobSpecInput>).private;
  expect(decodeSpec(encodeSpec(open).bytes).args).toEqual(['17']);
});

test('a key that is kept as bytes is the same key', async () => {
  expect((await identityOfBytes(me.bytes())).secret()).toBe(me.secret());
  await expect(identityOfBytes(new Uint8Array(31))).rejects.toThrow('it has 31 bytes instead of 32');
});
