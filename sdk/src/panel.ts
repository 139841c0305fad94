/**
 * A range that several nodes compute: the first of the two words that the contract keeps of it, and the rules that say who may do what
 * when. Mirrors `src-contracts/types/Panel.sol` and `src-contracts/core/Assurance.sol`; the second word is in `bench.ts`, and
 * `docs/assurance.md` explains it.
 */
import { PHASES } from './lease.ts';
import { readRules } from './rules.ts';
import type { Terms } from './terms.ts';
import { packWord, unpackWord, type Layout } from './words.ts';

/** A panel as its range's storage word tells it. Times are block time, unix seconds. */
export interface Panel {
  /** `SOLO` when the range is the whole job. */
  flags: number;
  /** When the first seat was claimed; of an audit, when the first seat had committed. */
  openedAt: number;
  /** Block and second of the post (of an audit, of the commit): those who join are drawn by the block after it. */
  postBlock: number;
  postedAt: number;
  /** Where the price ramp began. */
  rampFrom: number;
  /** The last commit or lapse. */
  movedAt: number;
  /** Shards of the range. */
  count: number;
  /** Nodes that sit, and how many of them have committed. */
  sitting: number;
  committed: number;
  /** Seats: 3 or 5 as the terms ask, `AUDIT_SEATS` in an audit, 1 when its auditor has failed. */
  asked: number;
  /** Seats that a jury found wrong. They count as committed, never for a quorum. */
  convicted: number;
  /** `BONUS`, `SPOKEN`, `POOL`. */
  marks: number;
}

/** Mark: a bonus of lapsed seats waits for the next who joins. */
export const BONUS = 1;
/** Mark: some seat was revealed by itself. */
export const SPOKEN = 2;
/** Mark: the auditor is paid by the protocol, not from the job's escrow. */
export const POOL = 4;
/** Seats of an audit: who holds the lease, and who checks. */
export const AUDIT_SEATS = 2;

/** How a panel ended, in the order of the contract's enum. */
export const OUTCOMES = ['agreed', 'unresolved', 'silent'] as const;

/** agreed: a quorum showed the same root. unresolved: no root had one. silent: nobody showed anything, and the range is free again. */
export type Outcome = (typeof OUTCOMES)[number];

const WORD = [
  ['top', 8],
  ['openedAt', 40],
  ['postBlock', 40],
  ['postedAt', 40],
  ['rampFrom', 40],
  ['movedAt', 40],
  ['count', 16],
  ['sitting', 4],
  ['committed', 4],
  ['asked', 4],
  ['convicted', 4],
  ['marks', 16],
] as const satisfies Layout<string>;
const SEATED = PHASES.indexOf('seated');

/** The panel in a range's storage word, as `leaseWord` gives it; undefined when no panel stands there. */
export function readPanel(word: bigint): Panel | undefined {
  const { top, ...fields } = unpackWord(WORD, word);
  if ((Number(top) & 0x0f) !== SEATED) return undefined;
  return {
    flags: Number(top) & 0xf0,
    openedAt: Number(fields.openedAt),
    postBlock: Number(fields.postBlock),
    postedAt: Number(fields.postedAt),
    rampFrom: Number(fields.rampFrom),
    movedAt: Number(fields.movedAt),
    count: Number(fields.count),
    sitting: Number(fields.sitting),
    committed: Number(fields.committed),
    asked: Number(fields.asked),
    convicted: Number(fields.convicted),
    marks: Number(fields.marks),
  };
}

/** The storage word of a range with a panel. @throws RangeError that names the field that does not fit */
export function panelWord({ flags, ...fields }: Panel): bigint {
  return packWord('panel', WORD, { top: flags | SEATED, ...fields });
}

/** Last second at which a node may join a panel of several seats. */
export function joinUntil(terms: Pick<Terms, 'exec'>, { openedAt }: Pick<Panel, 'openedAt'>): number {
  return openedAt + 2 * terms.exec;
}

/**
 * First second at which seats may be revealed, as it stands at second `time`: when all have committed; or when joining is over and whoever
 * sits has committed. Undefined while somebody may still commit. Nobody joins an audit after its auditor.
 */
export function panelOpens(
  terms: Pick<Terms, 'exec'>,
  panel: Pick<Panel, 'openedAt' | 'movedAt' | 'sitting' | 'committed' | 'asked'>,
  time: number,
): number | undefined {
  if (panel.committed === panel.asked) return panel.movedAt;
  if (panel.asked === AUDIT_SEATS) return undefined;
  const over = joinUntil(terms, panel) + 1;
  if (time < over || panel.committed !== panel.sitting) return undefined;
  return Math.max(panel.movedAt, over);
}

/** Last second at which seats of a panel that opened at `opens` may be revealed. */
export function panelCloses(terms: Pick<Terms, 'rules'>, opens: number): number {
  return opens + readRules(terms.rules).revealWindow;
}
