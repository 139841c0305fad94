/**
 * A range that several nodes compute: the word that the contract keeps of it, and the rules that say who may do what when. Mirrors
 * `src-contracts/types/Panel.sol` and `src-contracts/core/Assurance.sol`; `docs/assurance.md` explains it.
 */
import { PHASES } from './lease.ts';
import { readRules } from './rules.ts';
import type { Terms } from './terms.ts';
import { packWord, unpackWord, type Layout } from './words.ts';

/** A panel as its range's storage word tells it. Times are block time, unix seconds. */
export interface Panel {
  /** `SOLO` when the range is the whole job. */
  flags: number;
  /** When the first seat was claimed. */
  openedAt: number;
  /** Block and second of the post: they seed the draw of those who join. */
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
  /** Not zero when a bonus of lapsed seats waits for the next who joins. */
  lapses: number;
}

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
  ['sitting', 8],
  ['committed', 8],
  ['lapses', 8],
] as const satisfies Layout<string>;
/** Bits below the layout that the contract leaves empty. */
const SPARE = 8n;
const SEATED = PHASES.indexOf('seated');

/** The panel in a range's storage word, as `leaseWord` gives it; undefined when no panel stands there. */
export function readPanel(word: bigint): Panel | undefined {
  const { top, ...fields } = unpackWord(WORD, word >> SPARE);
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
    lapses: Number(fields.lapses),
  };
}

/** The storage word of a range with a panel. @throws RangeError that names the field that does not fit */
export function panelWord({ flags, ...fields }: Panel): bigint {
  return packWord('panel', WORD, { top: flags | SEATED, ...fields }) << SPARE;
}

/** Last second at which a node may join. */
export function joinUntil(terms: Pick<Terms, 'exec'>, { openedAt }: Pick<Panel, 'openedAt'>): number {
  return openedAt + 2 * terms.exec;
}

/**
 * First second at which seats may be revealed, as it stands at second `time`: when all have committed; or when joining is over and whoever
 * sits has committed. Undefined while somebody may still commit.
 */
export function panelOpens(
  terms: Pick<Terms, 'exec' | 'seats'>,
  panel: Pick<Panel, 'openedAt' | 'movedAt' | 'sitting' | 'committed'>,
  time: number,
): number | undefined {
  if (panel.committed === terms.seats) return panel.movedAt;
  const over = joinUntil(terms, panel) + 1;
  if (time < over || panel.committed !== panel.sitting) return undefined;
  return Math.max(panel.movedAt, over);
}

/** Last second at which seats of a panel that opened at `opens` may be revealed. */
export function panelCloses(terms: Pick<Terms, 'rules'>, opens: number): number {
  return opens + readRules(terms.rules).revealWindow;
}
