import { marketAbi } from '@dpu/sdk/abi';
import type { Result } from '@dpu/sdk/lease';
import { unpackTerms } from '@dpu/sdk/packedTerms';
import { VERDICTS, type Verdict } from '@dpu/sdk/court';
import { OUTCOMES } from '@dpu/sdk/panel';
import type { Terms } from '@dpu/sdk/terms';
import { decodeEventLog, type Hex } from 'viem';

import type { RawLog } from './chain.ts';

/** Where an event stands on the chain. */
export interface EventPlace {
  block: number;
  logIndex: number;
  job: Hex;
  /** Block time, unix seconds; only on events of our own leases. */
  time?: number;
}

/** The events that decide about work. Seconds are block time, amounts smallest units, `bonus` DPU wei, `claimed` the lease's word. */
export type MarketEvent = EventPlace &
  (
    | { name: 'JobPosted'; terms: Terms }
    | { name: 'JobCancelled' }
    | { name: 'JobCompleted' }
    | { name: 'JobClosed' }
    | { name: 'LeaseClaimed'; first: number; node: number; claimed: bigint }
    | { name: 'LeaseCommitted'; first: number; node: number; commitment: Hex }
    | { name: 'SeatCommitted'; first: number; node: number; claimed: bigint; commitment: Hex }
    | { name: 'LeaseRevealed'; first: number; node: number; result: Result; transaction: Hex }
    | { name: 'LeaseSettled'; first: number; node: number; paid: bigint; fee: bigint }
    | { name: 'LeaseAccepted'; first: number; node: number; paid: bigint; fee: bigint; result: Result }
    | { name: 'LeaseLapsed'; first: number; node: number; slashed: bigint; bonus: bigint; withheld: boolean }
    | { name: 'SeatFaulted'; first: number; node: number; slashed: bigint; withheld: boolean }
    | { name: 'AuditOpened'; first: number; auditor: number; pooled: boolean }
    | { name: 'LeaseChallenged'; first: number; node: number }
    | { name: 'LeaseJudged'; first: number; node: number; verdict: Verdict; paid: bigint; fee: bigint }
    | { name: 'PanelEnded'; first: number; agreed: boolean; result: Result }
  );

/** The events about one lease, one of several seats, or their range. */
export type LeaseEvent = Extract<MarketEvent, { first: number }>;

/** The steps of a lease: a seat that was taken with its commitment was claimed, then committed. */
export type LeaseStep = Exclude<LeaseEvent, { name: 'SeatCommitted' }>;

/** The steps that an event stands for. */
export function stepsOf(event: LeaseEvent): LeaseStep[] {
  if (event.name !== 'SeatCommitted') return [event];
  const { claimed, commitment, ...who } = event;
  return [
    { ...who, name: 'LeaseClaimed', claimed },
    { ...who, name: 'LeaseCommitted', commitment },
  ];
}

/** Reads a log of the Market; undefined for events that say nothing about work, such as deposits. */
export function readMarketLog(log: RawLog): MarketEvent | undefined {
  let decoded;
  try {
    decoded = decodeEventLog({ abi: marketAbi, topics: log.topics, data: log.data });
  } catch {
    return undefined; // An event of a later version: what it means for work shows in the views.
  }
  const place = { block: log.blockNumber, logIndex: log.logIndex };
  switch (decoded.eventName) {
    case 'JobPosted': {
      const { id, terms } = decoded.args;
      return { ...place, job: id, name: 'JobPosted', terms: unpackTerms(terms) };
    }
    case 'JobCancelled':
      return { ...place, job: decoded.args.id, name: 'JobCancelled' };
    case 'JobCompleted':
      return { ...place, job: decoded.args.id, name: 'JobCompleted' };
    case 'JobClosed':
      return { ...place, job: decoded.args.id, name: 'JobClosed' };
    case 'LeaseClaimed': {
      const { id, first, node, claimed } = decoded.args;
      return { ...place, job: id, name: 'LeaseClaimed', first, node, claimed };
    }
    case 'LeaseCommitted': {
      const { id, first, node, commitment } = decoded.args;
      return { ...place, job: id, name: 'LeaseCommitted', first, node, commitment };
    }
    case 'SeatCommitted': {
      const { id, ...rest } = decoded.args;
      return { ...place, job: id, name: 'SeatCommitted', ...rest };
    }
    case 'LeaseRevealed': {
      const { id, first, node, result } = decoded.args;
      return { ...place, job: id, name: 'LeaseRevealed', first, node, result, transaction: log.transactionHash };
    }
    case 'LeaseSettled': {
      const { id, first, node, paid, fee } = decoded.args;
      return { ...place, job: id, name: 'LeaseSettled', first, node, paid, fee };
    }
    case 'LeaseAccepted': {
      const { id, first, node, paid, fee, result } = decoded.args;
      return { ...place, job: id, name: 'LeaseAccepted', first, node, paid, fee, result };
    }
    case 'LeaseLapsed': {
      const { id, first, node, slashed, bonus, withheld } = decoded.args;
      return { ...place, job: id, name: 'LeaseLapsed', first, node, slashed, bonus, withheld };
    }
    case 'SeatFaulted': {
      const { id, first, node, slashed, withheld } = decoded.args;
      return { ...place, job: id, name: 'SeatFaulted', first, node, slashed, withheld };
    }
    case 'AuditOpened': {
      const { id, first, auditor, pooled } = decoded.args;
      return { ...place, job: id, name: 'AuditOpened', first, auditor, pooled };
    }
    case 'Challenged': {
      const { id, first, node } = decoded.args;
      return { ...place, job: id, name: 'LeaseChallenged', first, node };
    }
    case 'LeaseJudged': {
      const { id, first, node, verdict, paid, fee } = decoded.args;
      return { ...place, job: id, name: 'LeaseJudged', first, node, verdict: VERDICTS[verdict] ?? 'none', paid, fee };
    }
    case 'PanelEnded': {
      const { id, first, outcome, result } = decoded.args;
      return { ...place, job: id, name: 'PanelEnded', first, agreed: OUTCOMES[outcome] === 'agreed', result };
    }
    default:
      return undefined;
  }
}

/** A value as JSON text; bigints survive. */
export function toText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? { $big: item.toString() } : item));
}

/** What `toText` was given. */
export function fromText<T>(text: string): T {
  return JSON.parse(text, (_key, item: unknown) => {
    const big = typeof item === 'object' && item !== null ? (item as { $big?: unknown }).$big : undefined;
    return typeof big === 'string' ? BigInt(big) : item;
  }) as T;
}
