import { parseEther, zeroHash, type Hex } from 'viem';
import { boundOf } from '@dpu/sdk/bench';
import { committedSeats, type HistoryLease, type JobHistory } from '@dpu/sdk/history';
import { commitmentOf, type Result } from '@dpu/sdk/lease';
import type { Terms } from '@dpu/sdk/terms';

import { followJob } from '../network/followJob.ts';
import { people } from '../network/people.ts';
import { postTemplate } from '../network/postJob.ts';
import { table } from '../network/report.ts';
import { enlist, heldBy, historyOf, mined, SALT, until, type Liar } from './liar.ts';
import { describe, download, reportOf } from './plain.ts';
import type { Outcome, Scenario, Stage } from './scenario.ts';
import { dpu, must } from './story.ts';

/** What the liar stakes: enough to be allowed to claim, and for a bond or two. */
const STAKE = parseEther('1100');
/** What it says it has computed. */
const LIE: Result = { root: `0x${'11'.repeat(32)}`, units: 1n, manifest: `0x${'22'.repeat(32)}` };

/** Three seats for every shard, and a fourth node that takes one and lies. */
export const outvote: Scenario = {
  name: 'outvote',
  description:
    'A node lies on a job with three seats: it is outvoted and slashed, and the image is right all the same.',

  async play(stage: Stage): Promise<Outcome> {
    const { network, print, signal } = stage;
    const liar = await enlist(network, STAKE);
    print(`node ${liar.node} has staked ${STAKE / 10n ** 18n} DPU and means to lie`);
    const posted = await postTemplate(network, network.storage, {
      template: stage.template,
      // Every shard is computed three times here, so a smaller image with a few light paths for each pixel must do.
      options: { width: 640, height: 360, samples: 4, ...stage.settings },
      requester: people.requester,
      exec: 120,
      seats: 3,
    });
    print('posted a job with three seats for every shard');
    if (network.appUrl) print(`watch it in the dApp: ${network.appUrl}/jobs/${posted.ids[0]}`);

    const [map] = posted.ids as [Hex, ...Hex[]];
    const story = new AbortController();
    const stop = AbortSignal.any([signal, story.signal]);
    const lying = lie(stage, liar, map, posted.terms[0] as Terms, stop);
    lying.catch(() => {}); // awaited below
    const histories: JobHistory[] = [];
    try {
      for (const [index, id] of posted.ids.entries()) {
        const onProgress = (progress: Parameters<typeof describe>[1]): void =>
          print(describe(index === 0 ? 'shards' : 'reduce', progress));
        histories.push(await followJob(network, id, { onProgress, signal }));
      }
    } finally {
      story.abort();
    }
    const first = await lying;
    const report = await judge(histories[0] as JobHistory, liar, first);
    const files = await download(histories, posted, stage);
    return { job: map, files, report: [...reportOf(histories), ...report] };
  },
};

/** Takes the first seat it can have, commits to a lie, and shows it when the others have committed too. Returns the range's first shard. */
async function lie({ network, print }: Stage, liar: Liar, id: Hex, terms: Terms, signal: AbortSignal): Promise<number> {
  const seat = await until(signal, () => takeSeat(network, liar, id, terms));
  const { first } = seat.lease;
  const commitment = commitmentOf({ id, first, node: liar.node, result: LIE, salt: SALT });
  await mined(network, await liar.market.commitSeat(id, seat.lease, commitment));
  print(`node ${liar.node} took a seat at shard ${first} and committed to a result that it made up`);
  const seats = await until(signal, async () => {
    const bound = committedSeats(await historyOf(network, id), first);
    return bound.length === terms.seats ? bound : undefined;
  });
  const bound = seats.map(({ lease }) => boundOf(lease));
  const index = BigInt(seats.findIndex(({ lease }) => lease.node === liar.node));
  await mined(network, await liar.market.revealSeat(terms, first, bound, index, LIE, SALT));
  print(`node ${liar.node} has shown its lie; two others have shown something else`);
  return first;
}

/** Joins a range that others work on, where the draw lets it; undefined when none is to be had now. */
async function takeSeat(
  network: Stage['network'],
  liar: Liar,
  id: Hex,
  terms: Terms,
): Promise<HistoryLease | undefined> {
  const { leases } = await historyOf(network, id);
  const firsts = new Set(leases.filter(({ state }) => state === 'claimed').map(({ lease }) => lease.first));
  for (const first of firsts) {
    const { now } = await liar.market.drawn(terms, first, liar.node);
    if (!now) continue;
    try {
      await mined(network, await liar.market.sit(terms, first, 1, liar.node, zeroHash));
    } catch {
      continue; // another was faster
    }
    return heldBy(network, liar, id, first);
  }
  return undefined;
}

/** Checks that the lie cost its bond and nothing else, and says so. */
async function judge(history: JobHistory, liar: Liar, first: number): Promise<string[]> {
  const seats = history.leases.filter(({ lease }) => lease.first === first);
  const panel = history.panels.find((one) => one.first === first);
  const lost = seats.find(({ lease }) => lease.node === liar.node);
  must("the outcome of the liar's panel", panel?.outcome, 'agreed');
  must('whether the lie won', panel?.result?.root === LIE.root, false);
  must('whether the liar was outvoted', lost?.loss?.outvoted, true);
  const { stake, locked, record } = await liar.market.node(liar.node);
  must('what the liar has lost', STAKE - stake, lost?.loss?.slashed);
  must("the liar's locked stake", locked, 0n);
  return [
    `Seats at shard ${first}`,
    ...table([
      ['node', 'result', 'paid', 'lost'],
      ...seats.map(({ lease, result, payment, loss }) => [
        String(lease.node),
        `${(loss ? LIE : (result ?? panel?.result))?.root.slice(0, 10)}…`,
        dpu(payment?.paid ?? 0n),
        dpu(loss?.slashed ?? 0n),
      ]),
    ]),
    `node ${liar.node} has ${dpu(stake)} of ${dpu(STAKE)} left and a record of ${record} of 10000`,
    '',
  ];
}
