import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import { newIdentity, type SecretIdentity } from '@dpu/sdk/privacy/identity';
import { keyToRecipient } from '@dpu/sdk/privacy/recipient';
import { HeldFiles, sealJobs } from '@dpu/sdk/privacy/sealJobs';
import { downloadJob, downloadShard, verifyLease } from '@dpu/sdk/results';
import { decodeSpec, encodeSpec, type EncodedSpec, type JobSpecInput } from '@dpu/sdk/spec';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import type { Terms } from '@dpu/sdk/terms';
import { zeroHash, type Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { followJob } from '../../script/network/followJob.ts';
import { startNetwork, type LocalNode, type Network } from '../../script/network/network.ts';
import { people } from '../../script/network/people.ts';
import { postTemplate, type PostedJobs } from '../../script/network/postJob.ts';
import { openPosted } from '../../script/network/postPrivate.ts';
import { mustBeClosedTo, mustBeNowhere, mustHaveDeclined } from '../../script/scenarios/private.ts';
import type { Plaintext } from '../../script/scenarios/searchNetwork.ts';
import { secretScene } from '../../script/scenarios/secretScene.ts';
import { runModule } from '../../sdk/modules/wasiHost.ts';
import { honestModule } from '../lib/badModules.ts';
import { fundRequester, readMarket } from '../lib/books.ts';
import { declineOf } from '../lib/nodeRun.ts';
import { until } from '../lib/until.ts';
import { DPU, postTerms, testTerms, type TestJob } from '../lib/wasmJob.ts';

const GRID = { width: 64, height: 36, tileWidth: 32, tileHeight: 18 };
const OPTIONS = { ...GRID, samples: 1, bounces: 2, seed: 1 };
const TILES = 4;
const SEATS = 3;
/** 2 · price / seats, rounded up: the least that the contract takes. */
const SEAT_BOND = (2n * DPU) / 3n + 1n;
/** What the job for all three nodes reads, to be looked for on their disks. */
const NOTE = new TextEncoder().encode('the patient of bed 17 is doing well since yesterday');

let network: Network;
let me: SecretIdentity;
let render: PostedJobs;
let panel: TestJob;
let copied: TestJob;
const scene = secretScene();
/** What the nodes printed. */
const said: string[] = [];

/** A private job with an input for all three nodes; `change` may spoil the spec on its way. */
async function postSealed(
  over: Partial<Terms>,
  change = (sealed: EncodedSpec): EncodedSpec => sealed,
): Promise<TestJob> {
  const files = new HeldFiles();
  const module = (await files.addFile(honestModule())).cid;
  const input = (await files.addFile(NOTE)).cid;
  const market = readMarket(network);
  const keys = await Promise.all(network.nodes.map(async ({ id }) => (await market.node(id)).key));
  const spec: JobSpecInput = {
    version: 1,
    name: 'Ward round',
    runtime: 'wasm',
    module,
    args: ['--bed', '17'],
    shards: 1,
    inputs: [{ name: 'note', cid: input, size: NOTE.length }],
    output: { name: 'out.bin', mediaType: 'application/octet-stream' },
    limits: { memoryBytes: 16 * 1024 * 1024, units: 20_000, outputBytes: 65_536, seconds: 10 },
    comparator: { kind: 'exact' },
  };
  const [sealed] = await sealJobs([spec], {
    ...{ requester: me.recipient, nodes: keys.map(keyToRecipient), files },
    addFile: (bytes) => network.storage.addFile(bytes),
    idOf: () => zeroHash,
  });
  const { cid, digest, bytes } = change(sealed as EncodedSpec);
  await network.storage.putBlock(cid, bytes);
  return postTerms(network, await testTerms(network, digest, over));
}

beforeAll(async () => {
  network = await startNetwork({
    name: 'test-private',
    runtimes: ['wasm'],
    without: ['app', 'indexer'],
    onLine: (name, line) => void said.push(`${name} ${line}`),
  });
  me = await newIdentity();
  await fundRequester(network, 100n * DPU);
  const nodes = network.nodes.slice(0, 2).map(({ id }) => id);
  render = await postTemplate(network, network.storage, {
    ...{ template: 'render', options: OPTIONS, files: scene, requester: people.requester },
    ...{ ramp: 5, window: 2, private: { identity: me, nodes } },
  });
  panel = await postSealed({ seats: SEATS, bond: SEAT_BOND });
  copied = await postSealed({}, ({ bytes }) =>
    encodeSpec({ ...decodeSpec(bytes), output: { name: 'x', mediaType: 'a/b' } }),
  );
}, 600_000);
afterAll(() => network?.stop());

async function completed(id: Hex): Promise<JobHistory> {
  const done = followJob(network, id, { timeoutMs: 120_000 });
  return done.catch((cause: unknown) => Promise.reject(new Error(said.slice(-60).join('\n'), { cause })));
}

test('a private render comes back as the same modules give it here, and nobody else holds a byte of it', async () => {
  const secrets: Plaintext[] = [...scene].map(([name, bytes]) => ({ name, bytes }));
  let image: Uint8Array = new Uint8Array();
  for (const [index, id] of render.ids.entries()) {
    const history = await completed(id);
    await mustBeClosedTo(
      network,
      history,
      network.nodes.slice(0, 2).map((node) => node.id),
    );
    const { opened, key } = await openPosted(network, id, render.terms[index] as Terms, me);
    secrets.push({ name: opened.spec.name, bytes: new TextEncoder().encode(opened.spec.name) });
    for await (const { bytes } of downloadJob(history, network.storage, { key })) {
      secrets.push({ name: `output ${secrets.length}`, bytes });
      image = bytes;
    }
  }
  expect(secrets).toHaveLength(2 + 2 + TILES + 1);
  expect(Buffer.compare(image, await renderHere()), 'the two images').toBe(0);
  await mustHaveDeclined(network.nodes[2] as LocalNode, render.ids[0] as Hex);
  await mustBeNowhere(network, secrets, said);
});

test('three nodes that can open a job agree on salted hashes, each with a file of its own', async () => {
  const history = await completed(panel.id);
  expect(history.panels.map(({ outcome }) => outcome)).toEqual(['agreed']);
  expect(new Set(history.leases.map(({ result }) => result?.root)).size, 'roots').toBe(1);
  expect(new Set(history.leases.map(({ result }) => result?.manifest)).size, 'manifests').toBe(SEATS);
  const { key } = await openPosted(network, panel.id, panel.terms, me);
  for (const lease of history.leases as HistoryLease[]) {
    const verified = await verifyLease(history, lease, network.storage);
    expect(verified.manifest.private).toEqual({ version: 1 });
    const { bytes } = await downloadShard(verified, 0, network.storage, { key });
    expect(bytes).toEqual(new Uint8Array(64));
  }
  const note = { name: 'the note', bytes: NOTE };
  await mustBeNowhere(network, [note], said);
});

test('an envelope that was copied into another spec is refused by every node, before it claims', async () => {
  for (const node of network.nodes) {
    const decline = await until(network, `the decline of node ${node.id}`, () => declineOf(node, copied.id));
    expect(decline).toMatchObject({ code: 'privateUnsound' });
    expect(decline.detail['problem']).toContain('not made, or not for this job, by someone who has the job key');
  }
});

/** The render as one program, with the modules that the template ships. */
async function renderHere(): Promise<Uint8Array> {
  const compile = async (name: string): Promise<WebAssembly.Module> =>
    new WebAssembly.Module(Uint8Array.from(await diskAsset(name)));
  const grid = [GRID.width, GRID.height, GRID.tileWidth, GRID.tileHeight];
  const settings = [OPTIONS.samples, OPTIONS.bounces, OPTIONS.seed, 'ground'];
  const tracer = await compile('pathtracer.wasm');
  const tiles = new Map<string, Uint8Array>();
  for (let shard = 0; shard < TILES; shard += 1) {
    const args = [shard, TILES, ...grid, ...settings].map(String);
    tiles.set(`tiles/${shard}`, (await runModule(tracer, { args, files: scene })).stdout);
  }
  const args = ['0', '1', ...grid.map(String)];
  return (await runModule(await compile('assemble.wasm'), { args, files: tiles })).stdout;
}
