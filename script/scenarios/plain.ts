import type { Hex } from 'viem';
import type { JobHistory } from '@dpu/sdk/history';
import { downloadJob } from '@dpu/sdk/results';
import { outputOf, type JobSpecInput } from '@dpu/sdk/spec';

import { followJob, type Progress } from '../network/followJob.ts';
import { people } from '../network/people.ts';
import { postTemplate, type PostedJobs } from '../network/postJob.ts';
import { gasBySteps, phases, table, type PhaseRow } from '../network/report.ts';
import type { Outcome, ResultFile, Scenario, Stage } from './scenario.ts';

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
    const { length } = posted.ids;
    const what = length === 1 ? 'a job' : length === 2 ? 'a map job and its reduce job' : `a chain of ${length} jobs`;
    print(`posted ${what} in one transaction (${posted.gasUsed} gas)`);
    if (network.appUrl) print(`watch it in the dApp: ${network.appUrl}/jobs/${posted.ids[0]}`);

    const histories: JobHistory[] = [];
    for (const [index, id] of posted.ids.entries()) {
      const onProgress = (progress: Progress): void => print(describe(labelOf(index, length), progress));
      histories.push(await followJob(network, id, { onProgress, signal }));
    }
    const files = await download(histories, posted, stage);
    return { job: posted.ids[0] as Hex, files, report: [...reportOf(histories), ...files.flatMap(tableOfCsv)] };
  },
};

/** What a job is called in lines about a chain of `count` jobs. */
export function labelOf(index: number, count: number): string {
  if (count > 2) return `part ${index + 1}/${count}`;
  return index === 0 ? 'shards' : 'reduce';
}

/** The files that the last job of a chain made, every shard checked against the chain: one for each shard, where its spec says so, else one. */
export async function download(
  histories: readonly JobHistory[],
  { specs }: Pick<PostedJobs, 'specs'>,
  { network, signal }: Stage,
): Promise<ResultFile[]> {
  const [history, spec] = [histories.at(-1) as JobHistory, specs.at(-1) as JobSpecInput];
  const parts: ResultFile[] = [];
  for await (const { shard, bytes } of downloadJob(history, network.storage, { signal })) {
    parts.push({ ...outputOf(spec, shard), bytes });
  }
  if (spec.view?.kind === 'files') return parts;
  return [{ ...spec.output, bytes: Buffer.concat(parts.map(({ bytes }) => bytes)) }];
}

/** Longest file of comma-separated values that is worth reading in a terminal, in lines. */
const MOST_LINES = 40;

/** A short file of comma-separated values as a table; nothing for any other file. */
function tableOfCsv({ name, mediaType, bytes }: ResultFile): string[] {
  if (mediaType !== 'text/csv') return [];
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n');
  return lines.length > MOST_LINES ? [] : [name, ...table(lines.map((line) => line.split(','))), ''];
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
  const phaseRows = histories.length > 2 ? partsOf(histories, origin) : phasesOf(histories, origin);
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

function phasesOf(histories: readonly JobHistory[], origin: number): PhaseRow[] {
  const labels = histories.length > 1 ? ['map', 'reduce'] : ['job'];
  return histories.flatMap((history, index) => phases(history, labels[index] ?? `job ${index}`, origin));
}

/** One row for each job of a long chain: a job begins when the one before it is complete. */
function partsOf(histories: readonly JobHistory[], origin: number): PhaseRow[] {
  return histories.map(({ postedAt, closedAt }, index) => {
    const from = (histories[index - 1]?.closedAt ?? postedAt) - origin;
    return { phase: labelOf(index, histories.length), from, to: (closedAt ?? postedAt) - origin };
  });
}
