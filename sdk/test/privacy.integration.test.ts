/** A private job's data from the requester to a node and back, through a block store on disk that may not learn any of it. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { decodeCanonical, encodeCanonical } from '../src/canonical.ts';
import { FileBlockstore } from '../src/gateway/fileBlockstore.ts';
import { LocalBackend } from '../src/gateway/localBackend.ts';
import { PinSet } from '../src/gateway/pinSet.ts';
import { encodeManifest, rootOf, type Manifest } from '../src/manifest.ts';
import { newJobKey } from '../src/privacy/envelope.ts';
import { lockIdentity, newIdentity, type Identity } from '../src/privacy/identity.ts';
import { downloadPrivateShard, sealOutput } from '../src/privacy/outputs.ts';
import { saltOf } from '../src/privacy/salt.ts';
import { privateSpecSchema, type PrivateSpec } from '../src/privacy/schema.ts';
import { openSpec, sealSpec } from '../src/privacy/sealedSpec.ts';
import { collect, openStream, sealStream } from '../src/privacy/stream.ts';
import { decodeSpec, encodeSpec, type JobSpec } from '../src/spec.ts';
import { iterate } from '../src/storage/bytes.ts';
import { digestToCid } from '../src/storage/cid.ts';

const JOB = `0x${'4a'.repeat(32)}` as const;
const MARK = 'patient seventeen';
/** Over one leaf of a file, so that the sealed input is a tree of blocks. */
const INPUT = Buffer.from(`${MARK} `.repeat(150_000));

let dir: string;
let backend: LocalBackend;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'privacy-'));
  const store = await FileBlockstore.open({ dir: join(dir, 'blocks') });
  backend = new LocalBackend({ store, pins: await PinSet.open(join(dir, 'pins.json')) });
});
afterAll(() => rm(dir, { recursive: true }));

/** Everything that is on the disk. */
async function disk(): Promise<Buffer[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return Promise.all(entries.filter((e) => e.isFile()).map((e) => readFile(join(e.parentPath, e.name))));
}

/** What a node does with the job; its answer depends on the input, and equals every other honest node's. */
async function work(node: number, key: Identity, specBlock: string): Promise<Manifest> {
  const block = decodeBlock(await backend.getBlock(specBlock));
  const { spec, jobKey, readers } = await openSpec(block.spec, block.section, key);
  const [input] = spec.inputs;
  const plain = await collect(await openStream(backend.readFile(input!.cid), jobKey));
  expect(plain).toHaveLength(input!.size);
  const answer = Buffer.from(`${MARK} said ${spec.args[0]} ${plain.length} times`);
  const { hash, sealed } = await sealOutput(answer, { shard: 0, salt: await saltOf(jobKey, JOB), readers });
  const { cid } = await backend.addFile(sealed);
  return { version: 1, job: JOB, first: 0, node, shards: [{ shard: 0, hash, cid, size: sealed.length, units: 9n }] };
}

/** A spec with its section, as it will stand in one block. */
function decodeBlock(bytes: Uint8Array): { spec: JobSpec; section: PrivateSpec } {
  const { private: section, ...open } = decodeCanonical(bytes) as Record<string, unknown>;
  return { spec: decodeSpec(encodeCanonical(open).bytes), section: privateSpecSchema.parse(section) };
}

test('two nodes agree, the requester reads the answer, and the disk knows nothing', async () => {
  const [requester, one, two, jobKey] = await Promise.all([newIdentity(), newIdentity(), newIdentity(), newJobKey()]);
  const input = await backend.addFile(iterate(await sealStream(INPUT, [jobKey.recipient])));
  const module = digestToCid(`0x${'01'.repeat(32)}`, 'raw');
  const sealed = await sealSpec(
    {
      version: 1,
      name: MARK,
      runtime: 'wasm',
      module,
      args: ['nothing'],
      inputs: [{ name: 'words', cid: input.cid, size: INPUT.length }],
      shards: 1,
      output: { name: 'answer', mediaType: 'text/plain' },
      limits: { memoryBytes: 65_536, units: 10, outputBytes: 1_000, seconds: 60 },
      comparator: { kind: 'exact' },
    },
    { jobKey, requester: requester.recipient, nodes: [one.recipient, two.recipient] },
  );
  const block = encodeCanonical({ ...decodeSpec(encodeSpec(sealed.spec).bytes), private: sealed.private });
  await backend.putBlock(block.cid, block.bytes);

  const manifests = [
    await work(1, await lockIdentity(one), block.cid.toString()),
    await work(2, await lockIdentity(two), block.cid.toString()),
  ];
  expect(rootOf(manifests[0]!)).toBe(rootOf(manifests[1]!));
  for (const manifest of manifests) {
    const { cid, bytes } = encodeManifest(manifest);
    await backend.putBlock(cid, bytes);
    // all that the requester kept is a key: the rest comes back from the spec
    const kept = decodeBlock(await backend.getBlock(block.cid));
    const { jobKey: again } = await openSpec(kept.spec, kept.section, requester);
    const options = { identity: requester, salt: await saltOf(again, JOB) };
    const output = await downloadPrivateShard({ manifest }, 0, backend, options);
    expect(Buffer.from(output.bytes).toString()).toBe(`${MARK} said nothing ${INPUT.length} times`);
  }

  const files = await disk();
  expect(files.length).toBeGreaterThanOrEqual(9); // input 4 and its root, spec, two outputs, two manifests, pins
  const secrets = [MARK, 'AGE-SECRET-KEY-1', requester.recipient, one.recipient, two.recipient];
  for (const file of files) for (const secret of secrets) expect(file.includes(secret), secret).toBe(false);
});
