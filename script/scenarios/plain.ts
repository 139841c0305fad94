import type { Hex } from 'viem';
import type { JobHistory } from '@dpu/sdk/history';
import { downloadJob } from '@dpu/sdk/results';

import { followJob, type Progress } from '../network/followJob.ts';
import { people } from '../network/people.ts';
import { postTemplate } from '../network/postJob.ts';
import { gasBySteps, phases, table } from '../network/report.ts';
import type { Outcome, Scenario, Stage } from './scenario.ts';

/** Honest nodes, one requester: post, claim, run, verify, pay. */
export const plain: Scenario = {
  name: 'plain',
  description: 'Honest nodes run the job to the end.',

  async play(stage: Stage): Promise<Outcome> {
    const { network, print, signal } = stage;
    const posted = await postTemplate(network, network.storage, {
      template: stage.template,
      options: stage.settings,
      requester: people.requester,
    });
    print(
      `posted ${posted.ids.length === 1 ? 'a job' : 'a map job and its reduce job'} in one transaction (${posted.gasUsed} gas)`,
    );
    if (network.appUrl) print(`watch it in the dApp: ${network.appUrl}/jobs/${posted.ids[0]}`);

    const histories: JobHistory[] = [];
    for (const [index, id] of posted.ids.entries()) {
      const label = index === 0 ? 'shards' : 'reduce';
      histories.push(
        await followJob(network, id, { onProgress: (progress) => print(describe(label, progress)), signal }),
      );
    }
    const last = histories.at(-1) as JobHistory;
    const bytes = await download(last, stage);
    return { job: posted.ids[0] as Hex, fileName: 'image.png', bytes, report: reportOf(histories) };
  },
};

/** The output of the last job, every shard checked against the chain, one after the other. */
export async function download(history: JobHistory, { network, signal }: Stage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const shard of downloadJob(history, network.storage, { signal })) parts.push(shard.bytes);
  return Buffer.concat(parts);
}

/** One line about how far a job is. */
export function describe(label: string, { shards, claimed, committed, revealed, settled }: Progress): string {
  const width = 32;
  const filled = Math.round((width * committed) / shards);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
  return `${label.padEnd(7)} ${bar} ${claimed} claimed, ${committed} computed, ${revealed} revealed, ${settled} settled of ${shards}`;
}

/** Time by phase and gas by step, as tables. */
export function reportOf(histories: readonly JobHistory[]): string[] {
  const origin = histories[0]?.postedAt ?? 0;
  const labels = histories.length > 1 ? ['map', 'reduce'] : ['job'];
  const phaseRows = histories.flatMap((history, index) => phases(history, labels[index] ?? `job ${index}`, origin));
  const total = Math.max(...histories.map((history) => history.closedAt ?? origin)) - origin;
  const gasRows = gasBySteps(histories);
  return [
    '',
    'Time from post to settled, in seconds of chain time (leases overlap)',
    ...table([
      ['phase', 'from', 'to', 'took'],
      ...phaseRows.map(({ phase, from, to }) => [phase, String(from), String(to), String(to - from)]),
      ['everything', '0', String(total), String(total)],
    ]),
    '',
    'Gas of each step',
    ...table([
      ['step', 'times', 'gas of one transaction'],
      ...gasRows.map(({ step, times, gas }) => [step, String(times), String(gas)]),
    ]),
    '',
  ];
}
