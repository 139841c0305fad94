import { marketAbi } from '@dpu/sdk/abi';
import type { Deployment } from '@dpu/sdk/deployment';
import { applyToDisputes, type HistoryDispute } from '@dpu/sdk/historyDisputes';
import { LOG_RANGE, type JobLog } from '@dpu/sdk/logs';
import { unpackTerms } from '@dpu/sdk/packedTerms';
import type { Terms } from '@dpu/sdk/terms';
import { getAbiItem, type Hex, type PublicClient } from 'viem';

/** What a juror computed itself. */
export interface Evidence {
  node: number;
  round: number;
  hash: Hex;
  units: bigint;
  /** Digest of the manifest with that one shard; zero when it published nothing. */
  digest: Hex;
}

/** A challenged shard with everything that its page shows, from the chain's logs alone. */
export interface CourtCase {
  job: Hex;
  terms: Terms;
  /** Block of the job's post. */
  postedBlock: number;
  dispute: HistoryDispute;
  evidence: Evidence[];
}

/** Thrown when no dispute has this key. */
export class CaseNotFound extends Error {
  override readonly name = 'CaseNotFound';
  readonly retryable = false;
  readonly action = 'Check the address of this page and the network.';

  constructor() {
    super('Nothing was challenged here under this key.');
  }
}

const EVENTS = [
  getAbiItem({ abi: marketAbi, name: 'Challenged' }),
  getAbiItem({ abi: marketAbi, name: 'JurorServed' }),
  getAbiItem({ abi: marketAbi, name: 'JurorSpoke' }),
  getAbiItem({ abi: marketAbi, name: 'Judged' }),
  getAbiItem({ abi: marketAbi, name: 'Appealed' }),
  getAbiItem({ abi: marketAbi, name: 'DisputeEnded' }),
] as const;
const POSTED = getAbiItem({ abi: marketAbi, name: 'JobPosted' });

/** Every dispute of the network, newest first. */
export async function readCases(
  client: PublicClient,
  { market, startBlock }: Pick<Deployment, 'market' | 'startBlock'>,
): Promise<CourtCase[]> {
  const last = await client.getBlockNumber({ cacheTime: 0 });
  const ranges: { fromBlock: bigint; toBlock: bigint }[] = [];
  for (let from = BigInt(startBlock); from <= last; from += BigInt(LOG_RANGE)) {
    const end = from + BigInt(LOG_RANGE) - 1n;
    ranges.push({ fromBlock: from, toBlock: end < last ? end : last });
  }
  const logs = (
    await Promise.all(
      ranges.map((range) => client.getLogs({ address: market, events: EVENTS, strict: true, ...range })),
    )
  ).flat();
  const blocks = [...new Set(logs.map(({ blockNumber }) => blockNumber))];
  const times = new Map(
    await Promise.all(
      blocks.map(
        async (blockNumber) => [blockNumber, Number((await client.getBlock({ blockNumber })).timestamp)] as const,
      ),
    ),
  );
  const disputes: HistoryDispute[] = [];
  const jobs = new Map<Hex, Hex>();
  const evidence = new Map<Hex, Evidence[]>();
  for (const log of logs) {
    applyToDisputes(disputes, { ...log, timestamp: times.get(log.blockNumber) ?? 0, gasUsed: undefined } as JobLog);
    if (log.eventName === 'Challenged') jobs.set(log.args.dispute, log.args.id);
    if (log.eventName !== 'JurorSpoke') continue;
    const { dispute, node, round, hash, units, evidence: digest } = log.args;
    evidence.set(dispute, [...(evidence.get(dispute) ?? []), { node, round, hash, units, digest }]);
  }
  if (disputes.length === 0) return [];
  const ids = [...new Set(jobs.values())];
  const posts = (
    await Promise.all(
      ranges.map((range) =>
        client.getLogs({ address: market, event: POSTED, args: { id: ids }, strict: true, ...range }),
      ),
    )
  ).flat();
  const posted = new Map(
    posts.map(({ args, blockNumber }) => [args.id, { terms: unpackTerms(args.terms), blockNumber }]),
  );
  return disputes
    .flatMap((dispute): CourtCase[] => {
      const job = jobs.get(dispute.key);
      const post = job && posted.get(job);
      if (!job || !post) return [];
      const said = evidence.get(dispute.key) ?? [];
      return [{ job, terms: post.terms, postedBlock: Number(post.blockNumber), dispute, evidence: said }];
    })
    .reverse();
}
