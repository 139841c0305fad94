import { EXCLUSIONS, type eligibilitySchema, type Exclusion } from '@dpu/sdk/apiQuote';
import type { Hex } from 'viem';
import type { z } from 'zod';
import type { node } from '../../ponder.schema.ts';
import { SILENT_AFTER, type LiveView } from './view.ts';

type NodeRow = typeof node.$inferSelect;

/** What of a job decides who may take it. */
export interface Wanted {
  runtime: number;
  tier: number;
  bond: bigint;
  currency: Hex;
  maxPrice: bigint;
  /** 0 for any. */
  node: number;
  allow?: readonly number[] | undefined;
  private: boolean;
}

/** The network at the moment of the question. */
export interface Moment {
  /** Unix seconds, of the newest block. */
  now: number;
  minStake: bigint;
  live: LiveView | undefined;
}

/** Every reason for which a node cannot or will not take the job: the contract's conditions first, then what the node says of itself. */
export function exclusionsOf(row: NodeRow, wanted: Wanted, { now, minStake, live }: Moment): Exclusion[] {
  const staying = row.stake - row.queued;
  const heard = live?.heartbeatOf(row.id);
  const fresh = heard && heard.at + SILENT_AFTER >= now ? heard : undefined;
  const asks = fresh?.asks.get(wanted.currency);
  const reasons: Record<Exclusion, boolean> = {
    allowlist: (wanted.node !== 0 && wanted.node !== row.id) || wanted.allow?.includes(row.id) === false,
    runtime: ((row.runtimes >>> wanted.runtime) & 1) === 0,
    tier: wanted.tier !== 0 && !(row.tier >= wanted.tier && now <= row.tierUntil),
    minStake: staying < minStake,
    freeStake: staying - row.locked < wanted.bond,
    key: wanted.private && /^0x0+$/.test(row.key),
    offline: live !== undefined && (!fresh || !fresh.healthy || fresh.draining),
    busy: fresh !== undefined && fresh.free === 0,
    price: asks !== undefined && asks > wanted.maxPrice,
  };
  return EXCLUSIONS.filter((name) => reasons[name]);
}

/** Most nodes that an answer lists; the counts are of all. */
const LISTED = 100;

/** Who can take the job now, who cannot, and why. */
export function eligibilityOf(
  nodes: readonly NodeRow[],
  wanted: Wanted,
  moment: Moment,
): z.input<typeof eligibilitySchema> {
  const judged = nodes.map((row) => ({ row, reasons: exclusionsOf(row, wanted, moment) }));
  const eligible = judged.filter(({ reasons }) => reasons.length === 0);
  const excluded = judged.filter(({ reasons }) => reasons.length > 0);
  const countOf = (name: Exclusion) => excluded.filter(({ reasons }) => reasons.includes(name)).length;
  return {
    eligible: eligible.length,
    live: moment.live !== undefined,
    nodes: eligible.slice(0, LISTED).map(({ row }) => {
      const heard = moment.live?.heartbeatOf(row.id);
      const asks = heard?.asks.get(wanted.currency);
      return {
        ...{ node: row.id, tier: row.tier, record: row.record, freeStake: String(row.stake - row.queued - row.locked) },
        asks: asks === undefined ? null : String(asks),
        heardAt: heard?.at ?? null,
      };
    }),
    excluded: excluded.slice(0, LISTED).map(({ row, reasons }) => ({ node: row.id, reasons })),
    excludedBy: Object.fromEntries(EXCLUSIONS.map((name) => [name, countOf(name)])) as Record<Exclusion, number>,
  };
}
