import { createHash } from 'node:crypto';
import type { Hex } from 'viem';
import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import type { HistoryDispute } from '@dpu/sdk/historyDisputes';
import { commitmentOf, type Result } from '@dpu/sdk/lease';
import { encodeManifest, rootOf, unitsOf, type ManifestShard } from '@dpu/sdk/manifest';
import { readRules } from '@dpu/sdk/rules';
import { templateNamed } from '@dpu/sdk/templates/registry';
import { diskAsset } from '@dpu/sdk/templates/diskAssets';
import type { Terms } from '@dpu/sdk/terms';

import { STAKE } from '../network/equip.ts';
import { followJob, type Progress } from '../network/followJob.ts';
import { people } from '../network/people.ts';
import { postTemplate } from '../network/postJob.ts';
import { jobHere, resultHere, shardHere } from './computeHere.ts';
import { CourtTeller, moneyOf } from './courtReport.ts';
import { enlist, heldBy, historyOf, mined, SALT, tried, until, type Liar } from './liar.ts';
import { describe, download, reportOf } from './plain.ts';
import type { Outcome, Scenario, Stage } from './scenario.ts';
import { dpu, hurryTo, must, now, StoryDiffers } from './story.ts';

/** The challenger, five jurors, and one to spare: two nodes with the same print (once in 255 pairs) cannot sit together. */
const NODES = 7;
/** The node that computes again whatever others show; the rest check a fiftieth, as nodes do. */
const CHECKER = 1;
/** A small image, because this machine computes for everybody; three leases of three tiles. */
const IMAGE = { width: 480, height: 270, samples: 8 };
const TILES = 3;
/** Less light than the job asks for: it looks like an image, and saves nearly all of the work. */
const LAZY = { samples: 1, bounces: 0 };
/** Seconds in which a result may be challenged: enough for a checker that has work of its own. */
const WINDOW = 45;
/** What the liar asks to be counted for each tile, in the spec's units. */
const UNITS = 400n;

/** One node for every shard, and one of them lies: it is checked, challenged, tried and replaced. */
export const cheat: Scenario = {
  name: 'cheat',
  description:
    'A node lies: another one checks it by chance and challenges it, a jury of five convicts it, a third redoes its work.',
  nodes: NODES,
  settings: (node) => (node === CHECKER ? { WORKER_CHECK_RATE: '1' } : {}),

  async play(stage: Stage): Promise<Outcome> {
    const { network, print } = stage;
    const options = { ...IMAGE, ...stage.settings };
    // As much as all others together: the draw lets it in at once, and shows that stake does not make a lie true.
    const stake = STAKE * BigInt(network.nodes.length);
    const liar = await enlist(network, stake);
    print(
      `node ${liar.node} has staked ${dpu(stake)}, as much as the ${network.nodes.length} others, and means to lie`,
    );
    print(`node ${network.nodes[CHECKER - 1]?.id} computes a shard of every result again that others show`);
    const posted = await postTemplate(network, network.storage, {
      ...{ template: stage.template, options, requester: people.requester },
      ...{ window: WINDOW, maxLease: TILES },
    });
    const [map] = posted.ids as [Hex, ...Hex[]];
    const [terms] = posted.terms as [Terms, ...Terms[]];
    print(`posted a job; every result may be challenged for ${WINDOW} s (${posted.gasUsed} gas)`);
    if (network.appUrl) print(`watch it in the dApp: ${network.appUrl}/jobs/${map}`);

    const lease = await lie(stage, liar, map, terms, options);
    const dispute = await trial(stage, map, liar);
    await redone(stage, map, liar, stake, lease);

    const histories: JobHistory[] = [];
    for (const [index, id] of posted.ids.entries()) histories.push(await follow(stage, id, index));

    const files = await download(histories, posted, stage);
    const right = await resultHere(network.storage, posted.terms);
    must('the image', digestOf(Buffer.concat(files.map(({ bytes }) => bytes))), digestOf(right));
    print('rendered again on this machine, without the network: the image is the same, byte for byte');
    const money = await moneyOf(network, histories[0] as JobHistory, dispute);
    return { job: map, files, report: [...reportOf(histories), ...money] };
  },
};

/** Takes the first range, renders it with hardly any light, and shows that as its result: published, proven, and wrong. */
async function lie(
  { network, print, signal, template }: Stage,
  liar: Liar,
  id: Hex,
  terms: Terms,
  options: Record<string, unknown>,
): Promise<HistoryLease> {
  const { node, market } = liar;
  const lease = await until(signal, async () => {
    const history = await historyOf(network, id);
    const mine = history.leases.find((held) => held.lease.node === node);
    if (mine) return mine;
    if (history.cursor === terms.shards) throw new StoryDiffers('the job', 'taken by honest nodes alone', 'open');
    const { now: drawn } = await market.drawn(terms, history.cursor, node);
    // Another may be faster: then the next range.
    if (drawn) await tried(network, market.claim(terms, node, TILES));
    return undefined;
  });
  const { first, count } = lease.lease;
  const {
    jobs: [{ args }],
  } = await templateNamed(template).prepare({ ...options, ...LAZY }, new Map(), {
    asset: diskAsset,
    addFile: (bytes) => network.storage.addFile(bytes),
  });
  const job = await jobHere(network.storage, terms);
  const shards: ManifestShard[] = [];
  for (let shard = first; shard < first + count; shard += 1) {
    const output = await shardHere(job, shard, args);
    const { cid } = await network.storage.addFile(output);
    shards.push({ shard, hash: `0x${digestOf(output)}`, cid, size: output.length, units: UNITS });
  }
  const manifest = encodeManifest({ version: 1, job: id, first, node, shards });
  await network.storage.putBlock(manifest.cid, manifest.bytes);
  const result: Result = { root: rootOf({ shards }), units: unitsOf({ shards }), manifest: manifest.digest };

  await mined(network, await market.commit(id, lease.lease, commitmentOf({ id, first, node, result, salt: SALT })));
  print(`node ${node} took shards ${first} to ${first + count - 1} and committed to tiles without light`);
  return until(signal, async () => {
    const held = await heldBy(network, liar, id, first);
    if (held?.state === 'revealed') return held;
    // A lease that was drawn for an audit may not show its result yet.
    if (held?.state === 'committed') await tried(network, market.reveal(terms, held.lease, result, SALT));
    return undefined;
  });
}

/** Tells what the nodes do about it, by themselves, until the verdict is carried out. */
async function trial({ network, print, signal }: Stage, id: Hex, liar: Liar): Promise<HistoryDispute> {
  print(`node ${liar.node} has shown its tiles and waits to be paid`);
  const teller = new CourtTeller(network, print);
  return until(signal, async () => {
    const history = await historyOf(network, id);
    const lies = history.disputes.find(({ lease }) => lease.node === liar.node);
    if (!lies) {
      if (history.leases.some(({ lease, state }) => lease.node === liar.node && state === 'settled'))
        throw new StoryDiffers('the liar', 'paid', 'challenged');
      return undefined;
    }
    await teller.tell(history, lies);
    if (lies.ended) return lies;
    const judged = lies.juries.at(-1)?.judged;
    // Honest work is over or waits for its window by then: nothing misses a deadline.
    const working = history.leases.some(({ state }) => state === 'claimed' || state === 'committed');
    const quiet = (judged?.at ?? 0) + readRules(history.terms.rules).revealWindow;
    if (judged && !working && (await now(network)) < quiet) {
      print(`the verdict may be appealed for ${quiet - judged.at} s; nobody does, and the chain hurries on`);
      await hurryTo(network, quiet);
    }
    return undefined;
  });
}

/** Checks that the lie cost its bond, and waits for the node that does the work again. */
async function redone(
  { network, print, signal }: Stage,
  id: Hex,
  liar: Liar,
  staked: bigint,
  { lease, bond }: HistoryLease,
): Promise<void> {
  const { stake, locked, record } = await liar.market.node(liar.node);
  must('what the liar has lost', staked - stake, bond);
  must("the liar's locked stake", locked, 0n);
  print(`node ${liar.node} has lost its bond of ${dpu(bond)} and half of its record (${record} of 10000 left)`);
  const heir = await until(signal, async () => {
    const { leases } = await historyOf(network, id);
    return leases.find((held) => held.lease.first === lease.first && held.takenOver);
  });
  print(`node ${heir.lease.node} has taken over shards ${lease.first} to ${lease.first + lease.count - 1}`);
}

/** Waits until the job is complete, and lets the chain hurry through challenge windows in which nothing else is left to happen. */
async function follow({ network, print, signal }: Stage, id: Hex, index: number): Promise<JobHistory> {
  let hurried = Promise.resolve();
  const onProgress = (progress: Progress): void => {
    print(describe(index === 0 ? 'shards' : 'reduce', progress));
    if (progress.revealed < progress.shards || progress.settled === progress.shards) return;
    hurried = hurried.then(async () => {
      const { leases } = await historyOf(network, id);
      await hurryTo(network, Math.max(...leases.map(({ windowEnd = 0 }) => windowEnd)));
    });
  };
  const history = await followJob(network, id, { onProgress, signal });
  await hurried;
  return history;
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
