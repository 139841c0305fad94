import { assuranceOf, type Assurance } from '@dpu/sdk/assurance';
import type { Terms } from '@dpu/sdk/terms';
import type { Address } from 'viem';

import { formatNumber } from '../format.ts';
import { say } from '../i18n/say.ts';

/** How sure a requester wants to be, from the cheapest to the surest. */
export interface AssuranceLevel {
  /** Shown beside the slider. */
  title: string;
  /** What happens, in a sentence. */
  text: string;
  seats: 1 | 3 | 5;
  direct: boolean;
  /** Audits that are bought beside the base rate, basis points of the leases. */
  auditBps: number;
}

/** The stops of the slider. */
export const ASSURANCE_LEVELS: readonly AssuranceLevel[] = [
  {
    title: 'Direct',
    text: 'One node delivers in one step and nobody checks it. Cheapest; for results that you check yourself.',
    ...{ seats: 1, direct: true, auditBps: 0 },
  },
  {
    title: 'Committed',
    text: 'One node binds itself to its result before it shows it; a few leases are drawn and computed again.',
    ...{ seats: 1, direct: false, auditBps: 0 },
  },
  {
    title: 'Audited',
    text: 'One node computes, and every tenth lease more is computed again by a stranger.',
    ...{ seats: 1, direct: false, auditBps: 1_000 },
  },
  {
    title: 'Half audited',
    text: 'One node computes, and about half of the leases are computed again by a stranger.',
    ...{ seats: 1, direct: false, auditBps: 5_000 },
  },
  {
    title: 'Always audited',
    text: 'Every lease is computed by one node and again by another; both must have the same result.',
    ...{ seats: 1, direct: false, auditBps: 10_000 },
  },
  {
    title: 'Three nodes',
    text: 'Three nodes compute each range by themselves, and two must agree.',
    ...{ seats: 3, direct: false, auditBps: 0 },
  },
  {
    title: 'Five nodes',
    text: 'Five nodes compute each range by themselves, and three must agree.',
    ...{ seats: 5, direct: false, auditBps: 0 },
  },
];

/** Where the slider begins: committed. */
export const DEFAULT_LEVEL = 1;

/** The share of the other nodes that would join in a lie, for which the slider shows its numbers. */
export const COLLUDING = [0, 0.1, 0.33] as const;

/** What a level costs and how likely it stops a lie, under these terms. `token`: the DPU token. */
export function assess(
  terms: Omit<Parameters<typeof assuranceOf>[0], 'seats' | 'direct' | 'auditBps'> & Partial<Terms>,
  { seats, direct, auditBps }: AssuranceLevel,
  colluding: number,
  token: Address,
): Assurance {
  return assuranceOf({ ...terms, seats, direct, auditBps }, colluding, token);
}

/** A probability for people: never 0 or 100 % unless it is. `0.9999` → `over 99.9 %`. */
export function formatChance(probability: number): string {
  if (probability <= 0) return '0 %';
  if (probability >= 1) return '100 %';
  const percent = probability * 100;
  if (percent > 99.9) return say('over {share} %', { share: formatNumber(99.9, 1) });
  if (percent < 0.1) return say('under {share} %', { share: formatNumber(0.1, 1) });
  return `${formatNumber(percent, percent < 10 || percent > 99 ? 1 : 0, percent < 10 || percent > 99 ? 1 : 0)} %`;
}
