import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { heardDeclines } from '@dpu/sdk/heardDeclines';
import { KeyHolder, handOut } from '@dpu/sdk/privacy/handOut';
import { newIdentity, type SecretIdentity } from '@dpu/sdk/privacy/identity';
import { keyToRecipient } from '@dpu/sdk/privacy/recipient';
import { envelope, newJobKey } from '@dpu/sdk/privacy/envelope';
import { downloadShard, verifyLease } from '@dpu/sdk/results';
import { decodeSpec, encodeSpec } from '@dpu/sdk/spec';
import { sealSpec } from '@dpu/sdk/privacy/sealedSpec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { marketDomain } from '@dpu/sdk/terms';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { followJob } from '../../script/network/followJob.ts';
import { root } from '../../script/native.mjs';
import { people, privateKeyOf } from '../../script/network/people.ts';
import { startNetwork, type Network } from '../../script/network/network.ts';
import { openPosted } from '../../script/network/postPrivate.ts';
import { honestModule } from '../lib/badModules.ts';
import { fundRequester, readMarket } from '../lib/books.ts';
import { declineOf } from '../lib/nodeRun.ts';
import { until } from '../lib/until.ts';
import { DPU, postTerms, testTerms, type TestJob } from '../lib/wasmJob.ts';

let network: Network;
let me: SecretIdentity;
let agent: SecretIdentity;
let job: TestJob;

beforeAll(async () => {
  network = await startNetwork({
    ...{ name: 'test-envelope', runtimes: ['wasm'], nodes: 2, without: ['app', 'indexer'] },
  });
  [me, agent] = await Promise.all([newIdentity(), newIdentity()]);
  await fundRequester(network, 100n * DPU);
}, 600_000);
afterAll(() => network?.stop());

/** A private job that no node can open yet. */
async function postClosed(): Promise<TestJob> {
  const { cid: module } = await network.storage.addFile(honestModule());
  const sealed = await sealSpec(
    {
      ...{ version: 1, name: 'Ward round', runtime: 'wasm', module, args: ['--bed', '17'], shards: 1, inputs: [] },
      output: { name: 'out.bin', mediaType: 'application/octet-stream' },
      limits: { memoryBytes: 16 * 1024 * 1024, units: 20_000, outputBytes: 65_536, seconds: 10 },
      comparator: { kind: 'exact' },
    },
    { jobKey: await newJobKey(), requester: me.recipient, agents: [agent.recipient] },
  );
  const { cid, digest, bytes } = encodeSpec({ ...sealed.spec, private: sealed.private });
  await network.storage.putBlock(cid, bytes);
  const { timestamp } = await network.local.publicClient.getBlock();
  return postTerms(network, await testTerms(network, digest, { expiry: Number(timestamp) + 3_600 }));
}

const specOf = async ({ terms }: TestJob) => {
  return decodeSpec(await network.storage.getBlock(digestToCid(terms.spec, 'dag-cbor'))).private!;
};
const nodeOf = async (id: number) => ({ id, ...(await readMarket(network).node(id)) });
const gateways = (): string[] => [network.deployment.gatewayUrl];

test('without an envelope nobody takes the job, and every node asks for one under its signature', async () => {
  job = await postClosed();
  for (const node of network.nodes) {
    const decline = await until(network, `the decline of node ${node.id}`, () => declineOf(node, job.id));
    expect(decline.code).toBe('notRecipient');
  }
  const asked = await until(network, 'both signed declines at the gateway', async () => {
    const heard = await heardDeclines(job.id, gateways());
    return heard.length === 2 && heard;
  });
  expect(new Set(asked.map(({ node }) => node))).toEqual(new Set(network.nodes.map(({ id }) => id)));
});

test('a node refuses an envelope of another job, and stays without the key', async () => {
  const [node] = network.nodes as [Network['nodes'][number]];
  const { key, ...rest } = await nodeOf(node.id);
  const section = await specOf(job);
  const other = { ...section, envelope: await envelope(await newJobKey(), [me.recipient]) };
  await expect(handOut(job.id, other, me, { key, ...rest })).rejects.toMatchObject({ code: 'wrong-job-key' });
  const wrong = await envelope(await newJobKey(), [keyToRecipient(key)]);
  const put = { method: 'PUT', body: wrong };
  const answer = await fetch(`${node.gatewayUrl}/v1/envelopes/${job.id}`, put);
  expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([422, 'wrong-job-key']);
});

test('whom the requester named lets one node in, which keeps the envelope over a kill and finishes the job', async () => {
  const [closed, allowed] = network.nodes as [Network['nodes'][number], Network['nodes'][number]];
  const { chainId, market } = network.deployment;
  const options = { job: job.id, section: await specOf(job), holder: agent, domain: marketDomain(chainId, market) };
  const holder = new KeyHolder(
    { ...options, allow: ({ id }) => id === allowed.id },
    { declines: (id) => heardDeclines(id, gateways()), node: nodeOf },
  );
  expect(await holder.round()).toEqual([{ node: allowed.id }]);
  allowed.process.kill('SIGKILL');
  await allowed.process.exited;
  await network.restartNode(allowed);

  const history = await followJob(network, job.id, { timeoutMs: 120_000 });
  expect(history.leases.map(({ lease }) => lease.node)).toEqual([allowed.id]);
  const { opened, key } = await openPosted(network, job.id, job.terms, me);
  expect([opened.spec.name, opened.spec.args]).toEqual(['Ward round', ['--bed', '17']]);
  const verified = await verifyLease(history, history.leases[0]!, network.storage);
  expect((await downloadShard(verified, 0, network.storage, { key })).bytes).toEqual(new Uint8Array(64));
  expect((await declineOf(closed, job.id))?.code, 'the other node never got the key').toBe('notRecipient');
  await expect(downloadShard(verified, 0, network.storage)).rejects.toMatchObject({ name: 'ResultSealed' });
});

/** Runs the command line program in a process of its own; answers its lines. */
function dpu(args: string[], env: Record<string, string>): Promise<string[]> {
  const file = join(root, 'sdk/src/cli/dpu.ts');
  const child = spawn(process.execPath, [file, ...args], { env: { ...process.env, ...env } });
  let [out, problems] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => (out += String(piece)));
  child.stderr.on('data', (piece: Buffer) => (problems += String(piece)));
  return new Promise((resolve, reject) =>
    child.once('close', (code) =>
      code === 0
        ? resolve(out.trim().split('\n'))
        : reject(new Error(`dpu ${args[0]} ended with ${code}: ${problems}`)),
    ),
  );
}

test('from the command line: a private job is posted, its key held by somebody else, its result fetched and opened', async () => {
  const home = mkdtempSync(join(tmpdir(), 'dpu-cli-'));
  const [, allowed] = network.nodes as [Network['nodes'][number], Network['nodes'][number]];
  const wallet = join(home, 'wallet.key');
  writeFileSync(wallet, privateKeyOf(people.requester), { mode: 0o600 });
  const mine = { DPU_NETWORK_FILE: join(network.folder, 'deployment.json'), DPU_KEY_FILE: join(home, 'own.key') };
  const helpers = { ...mine, DPU_KEY_FILE: join(home, 'agent.key') };
  try {
    await dpu(['key', 'new'], mine);
    const [helper = ''] = await dpu(['key', 'new'], helpers);
    const small = { width: 16, height: 16, tileWidth: 16, tileHeight: 16, samples: 1, bounces: 1, seed: 1 };
    const options = Object.entries(small).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const price = ['--ramp', '0', '--window', '2', '--wallet-key-file', wallet];
    const ids = await dpu(['post', 'render', ...options, ...price, '--private', '--agent', helper], mine);
    expect(ids).toHaveLength(2);
    const out = join(home, 'out');
    const result = ['result', ids[1]!, '--out', out];
    await expect(dpu(result, mine), 'before there is one').rejects.toThrow('not public yet');

    const allow = ['--nodes', String(allowed.id), '--every', '1'];
    const held = await Promise.all(ids.map((id) => dpu(['hold', id, ...allow], helpers)));
    for (const lines of held) expect(lines).toEqual([`node ${allowed.id} has the job's key`, 'the job is complete']);

    const [opened, file] = await dpu(result, mine);
    expect(opened).toMatch(/^opened: /);
    expect(file).toMatch(new RegExp(`^${join(out, '0-')}.* \\d+$`));
    expect(readFileSync(file!.split(' ')[0]!).subarray(1, 4).toString()).toBe('PNG');
    await expect(dpu(result, helpers), 'an agent is no reader').rejects.toThrow();
  } finally {
    rmSync(home, { recursive: true });
  }
}, 300_000);
