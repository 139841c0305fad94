import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from 'viem';
import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import { createMarket } from '@dpu/sdk/market';
import { downloadShard, verifyLease } from '@dpu/sdk/results';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { HttpBackend } from '@dpu/sdk/storage/httpBackend';
import { COPIES, signedReceiptSchema } from '@dpu/sdk/storage/receipt';
import type { Terms } from '@dpu/sdk/terms';

import { walletOf } from '../network/equip.ts';
import { followJob } from '../network/followJob.ts';
import type { LocalNode } from '../network/network.ts';
import { people } from '../network/people.ts';
import { postTemplate } from '../network/postJob.ts';
import { table } from '../network/report.ts';
import { historyOf, tried, until } from './liar.ts';
import { describe, download, labelOf, reportOf } from './plain.ts';
import type { Outcome, Scenario, Stage } from './scenario.ts';
import { hurryTo, must, now, StoryDiffers } from './story.ts';

/** One for each copy, and one that makes a new copy when a holder is gone. */
const NODES = COPIES + 1;
/** A small image: the story is about what happens to it afterwards. */
const IMAGE = { width: 320, height: 180, tileWidth: 160, tileHeight: 90, samples: 8 };
/** A lease is part of the job, so that the dead node leaves others to go on; seconds for doubts about a result. */
const TIMES = { window: 10, maxLease: 2 };

/** A node shows its result and dies with its disk, before anybody has downloaded anything. */
export const outage: Scenario = {
  name: 'outage',
  description:
    'A node is killed right after it has shown its result, and its disk is lost: the result is downloaded all the same.',
  nodes: NODES,
  settings: () => ({ WORKER_AUDIT_SECONDS: '1' }),

  async play(stage: Stage): Promise<Outcome> {
    const { network, print, signal } = stage;
    const posted = await postTemplate(network, network.storage, {
      ...{ template: stage.template, options: { ...IMAGE, ...stage.settings }, requester: people.requester },
      ...TIMES,
    });
    const [first] = posted.ids as [Hex, ...Hex[]];
    print(`posted ${posted.ids.length} jobs in one transaction (${posted.gasUsed} gas)`);
    if (network.appUrl) print(`watch it in the dApp: ${network.appUrl}/jobs/${first}`);

    const shown = await until(signal, async () => {
      const { leases } = await historyOf(network, first);
      return leases.find(({ state, result }) => state === 'revealed' && result);
    });
    const killed = performance.now();
    const victim = await kill(stage, shown);
    const readers = network.nodes.filter((node) => node !== victim);
    const reader = new HttpBackend({
      getHolders: () => readers.map(({ gatewayUrl }) => gatewayUrl),
      writeTo: network.deployment.gatewayUrl,
      patience: { retryMs: 50 },
    });
    const bytes = await readAtOnce(reader, first, shown, signal);
    print(
      `the requester has downloaded and checked its ${bytes} bytes from the copies, ${seconds(killed)} s after the node died`,
    );

    await repaired(stage, victim, shown);
    print(`the copy that died with it was made again after ${seconds(killed)} s, without anybody being asked to`);

    const histories: JobHistory[] = [];
    for (const [index, id] of posted.ids.entries()) {
      const carrying = new AbortController();
      const helping = carryOn(stage, victim, id, posted.terms[index] as Terms, carrying.signal);
      const label = labelOf(index, posted.ids.length);
      histories.push(await followJob(network, id, { onProgress: (at) => print(describe(label, at)), signal }));
      carrying.abort();
      await helping;
    }
    const paid = histories[0]?.leases.find(({ lease }) => lease.first === shown.lease.first);
    must("what became of the dead node's work", paid?.state, 'settled');
    print(`node ${victim.id} was paid for what it had shown: its owner has the money, whether it comes back or not`);
    const files = await download(histories, posted, { ...stage, network: { ...network, storage: reader } });
    return { job: first, files, report: reportOf(histories) };
  },
};

/** Ends the node that holds a lease, without warning, and removes everything that it had stored. */
async function kill({ network, print }: Stage, { lease }: HistoryLease): Promise<LocalNode> {
  const victim = network.nodes.find(({ id }) => id === lease.node);
  if (!victim) throw new StoryDiffers('the holder', lease.node, 'one of our nodes');
  victim.process.kill('SIGKILL');
  await victim.process.exited;
  await rm(join(victim.folder, 'data'), { recursive: true, force: true });
  print(
    `node ${lease.node} has shown shards ${lease.first} to ${lease.first + lease.count - 1}, and is dead: killed, its disk wiped`,
  );
  return victim;
}

/** Reads every output of a lease from the copies, checked against the chain. */
async function readAtOnce(reader: HttpBackend, job: Hex, shown: HistoryLease, signal: AbortSignal): Promise<number> {
  const verified = await verifyLease({ id: job }, shown, reader, { signal });
  let bytes = 0;
  for (const { shard } of verified.manifest.shards) {
    bytes += (await downloadShard(verified, shard, reader, { signal })).bytes.length;
  }
  return bytes;
}

/** Waits until the living nodes hold as many copies as there should be. */
async function repaired({ network, print, signal }: Stage, victim: LocalNode, { result }: HistoryLease): Promise<void> {
  const cid = digestToCid((result as { manifest: Hex }).manifest, 'dag-cbor').toString();
  const rows = await until(signal, async () => {
    const found = await Promise.all(
      network.nodes.filter((node) => node !== victim).map((node) => receiptsAt(node, cid)),
    );
    const living = new Map(
      found
        .flat()
        .filter(({ node }) => node !== victim.id)
        .map((receipt) => [receipt.node, receipt]),
    );
    return living.size >= COPIES ? [...living.values()] : undefined;
  });
  print(`receipts for ${cid}`);
  for (const line of table([
    ['node', 'bytes', 'kept until'],
    ...rows.map(({ node, bytes, until: last }) => [String(node), String(bytes), new Date(last * 1000).toISOString()]),
  ])) {
    print(`  ${line}`);
  }
}

async function receiptsAt({ gatewayUrl }: LocalNode, cid: string) {
  const response = await fetch(`${gatewayUrl}/v1/receipts/${cid}`);
  if (!response.ok) return [];
  const { receipts } = (await response.json()) as { receipts: unknown[] };
  return receipts.map((receipt) => signedReceiptSchema.parse(receipt));
}

/**
 * Does for the dead node what anybody may do: has its lease paid, and lets time pass once nobody but the dead one holds anything, so that what it
 * had claimed is taken over.
 */
async function carryOn(
  { network }: Stage,
  { id: dead }: LocalNode,
  job: Hex,
  terms: Terms,
  signal: AbortSignal,
): Promise<void> {
  const walletClient = walletOf(network.local, people.requester);
  const market = createMarket({
    publicClient: network.local.publicClient,
    walletClient,
    deployment: network.deployment,
  });
  await until(signal, async () => {
    const { leases, state, cursor } = await historyOf(network, job);
    if (state === 'complete' || signal.aborted) return true;
    const time = await now(network);
    const due = leases.filter(
      (held) => held.lease.node === dead && held.state === 'revealed' && (held.windowEnd ?? time) < time,
    );
    for (const { lease, result } of due) {
      if (result) await tried(network, market.settle(terms, [lease], [result]));
    }
    const stuck = leases.find(
      (held) => held.lease.node === dead && (held.state === 'claimed' || held.state === 'committed'),
    );
    const working = leases.some(
      (held) => held.lease.node !== dead && held.state !== 'settled' && held.state !== 'lapsed',
    );
    if (stuck && !working && cursor === terms.shards) await hurryTo(network, stuck.lease.deadline + 10);
    return undefined;
  }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);
