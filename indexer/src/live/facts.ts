import {
  declineSentence,
  type JobDeclines,
  type NodeHeartbeat,
  type ReportedDecline,
  type UptimeDay,
} from '@dpu/sdk/apiSaid';
import type { Spoken } from '@dpu/sdk/gossip/liveStore';

type Hex = `0x${string}`;

/** What nodes said themselves, for routes that put it beside the chain's rows. */
export interface LiveFacts {
  /** Whether this indexer listens to the nodes at all. */
  readonly listening: boolean;
  /** Why nodes left a job alone: counted by reason, and the newest word of each node. */
  declinesOf(job: Hex): JobDeclines;
  /** What a node said of itself last, at most a day ago. */
  heartbeatOf(node: number): NodeHeartbeat | undefined;
  /** On which days it was heard to be well, and how much of them. */
  uptimeOf(node: number): UptimeDay[];
}

/** Of an indexer that does not listen. */
export const NOT_LISTENING: LiveFacts = {
  listening: false,
  declinesOf: (job) => ({ job: lower(job), listening: false, codes: [], items: [] }),
  heartbeatOf: () => undefined,
  uptimeOf: () => [],
};

/** Most items of one list. */
const MOST = 100;
const MS = 1_000;
const lower = (job: Hex): Hex => job.toLowerCase() as Hex;

/** Counts what nodes said last about a job. @param spoken One of each node. */
export function countDeclines(job: Hex, spoken: readonly Spoken<'decline'>[]): JobDeclines {
  const items = spoken.map(declineJson).sort((a, b) => b.at - a.at || a.node - b.node);
  const codes = [...Map.groupBy(items, ({ code }) => code)]
    .map(([code, given]) => ({
      code,
      sentence: declineSentence(code),
      count: given.length,
      at: Math.max(...given.map(({ at }) => at)),
      nodes: given
        .map(({ node }) => node)
        .sort((a, b) => a - b)
        .slice(0, MOST),
    }))
    .sort((a, b) => b.count - a.count || b.at - a.at || (a.code < b.code ? -1 : 1));
  return { job: lower(job), listening: true, codes, items: items.slice(0, MOST) };
}

function declineJson({ node, code, at, saidAt, signature, detail }: Spoken<'decline'>): ReportedDecline {
  return { node, code, at, saidAt: Math.floor(saidAt / MS), signature: signature ?? null, detail };
}

/** A heartbeat as the API shows it. */
export function heartbeatJson({ saidAt, ...said }: Spoken<'heartbeat'>): NodeHeartbeat {
  return { ...said, saidAt: Math.floor(saidAt / MS) };
}
