import { placeFor, printOf, rangeKey } from '@dpu/sdk/bench';
import { SOLO } from '@dpu/sdk/lease';
import { AUDIT_SEATS, joinUntil, panelCloses, panelOpens, readPanel, type Panel } from '@dpu/sdk/panel';

import type { RevealTimes } from './audit.ts';
import type { Chain, Head } from '../chain/chain.ts';
import type { ChainBook, KnownLease, KnownRange } from '../chain/chainBook.ts';
import type { ChainFacts } from '../chain/facts.ts';
import { isLiving } from '../chain/leaseFold.ts';

/** Blocks between the nodes of a panel that could end it: one is enough, and each further one would pay for a refusal. */
const TURN_BLOCKS = 2;

/**
 * Seconds that node `node` gives another beyond its deadline before it says that it has lapsed: nodes speak up one after the other, or all
 * would pay for the same sentence.
 */
export function patienceOf(node: number, graceSeconds: number): number {
  return graceSeconds + (node % 5) * 2;
}

/**
 * Whether a seat that may show its result ends the panel in the same call: that saves a transaction. `now`: all others have shown theirs.
 * `wait`: it committed last and gives the others time for that. `no`: it shows its result by itself.
 */
export type LastWord = 'now' | 'wait' | 'no';

/** When the seats of a panel may act. Block time, unix seconds. */
export interface PanelTimes {
  /** Undefined while somebody may still commit. */
  reveal: RevealTimes | undefined;
  /** Block of the last commit. */
  boundBlock: number;
  /** First second at which it is this node's turn to end the panel; undefined while that cannot be said. */
  agreeAt: number | undefined;
  lastWord: LastWord;
}

/** Where `panelTimes` looks. */
export interface PanelSources {
  chain: Pick<Chain, 'leaseWord'>;
  book: Pick<ChainBook, 'range'>;
  facts: Pick<ChainFacts, 'block'>;
  head: Head;
  /** When the next block is expected, unix seconds. */
  nextTime: number;
}

/**
 * The seats on the range of `seat` that are bound to a result and not paid yet, or that a jury has dealt with, in the order of their
 * commits: those that the contract asks for when the panel ends.
 */
export function committedSeats(book: Pick<ChainBook, 'range'>, seat: KnownLease): KnownLease[] {
  const range = book.range(seat.job, seat.lease.first);
  return (range?.bench ?? []).flatMap((node) => {
    const one = range?.leases.find(({ lease }) => lease.node === node);
    return one?.phase === 'committed' || one?.phase === 'revealed' || one?.judged ? one : [];
  });
}

/** The other seats on the range of `seat` whose deadline lies before second `time` and that have not committed. */
export function overdueSeats(book: Pick<ChainBook, 'range'>, seat: KnownLease, time: number): KnownLease[] {
  const seats = book.range(seat.job, seat.lease.first)?.leases ?? [];
  return seats.filter(
    ({ phase, lease }) => phase === 'claimed' && lease.node !== seat.lease.node && lease.deadline < time,
  );
}

/** When the panel of `seat`, which has committed, may reveal, and when this node ends it: by the contract's own word and the reveals seen. */
export async function panelTimes(seat: KnownLease, sources: PanelSources): Promise<PanelTimes> {
  const { chain, book, facts, head, nextTime } = sources;
  const { job, terms } = seat;
  const seats = committedSeats(book, seat);
  const boundBlock = Math.max(...seats.map(({ lease }) => lease.committedBlock));
  const panel = readPanel(await chain.leaseWord(job, seat.lease.first));
  const opens = panel && panelOpens(terms, panel, nextTime);
  const unknown = { boundBlock, agreeAt: undefined, lastWord: 'no' } as const;
  if (opens === undefined) return { ...unknown, reveal: undefined };

  const closes = panelCloses(terms, opens);
  const shown: number[] = [];
  for (const { revealedBlock } of seats) {
    if (revealedBlock === undefined) continue;
    const block = await facts.block(revealedBlock, head);
    // An answer from another fork; the next head knows better.
    if (!block) return { ...unknown, reveal: { opens, closes } };
    shown.push(block.timestamp);
  }
  // A jury looks at one of them: the contract ends the panel after its verdict.
  if (seats.some(({ disputed }) => disputed)) return { ...unknown, reveal: { opens, closes } };
  const held = Math.max(0, ...shown.map((time) => time + terms.window));
  const due = (shown.length === seats.length ? held : Math.max(held, closes)) + 1;
  // Whoever has shown its result is here; a node that withholds may be gone. Where juries have dealt with all who did, those are left.
  const present = seats.filter(({ phase }) => phase === 'revealed');
  const turns = present.length > 0 ? present : seats.filter(({ judged }) => judged);
  const turn = turns.findIndex(({ lease }) => lease.node === seat.lease.node);
  const wait = turn < 0 ? turns.length : turn;
  const blockSeconds = Math.max(1, nextTime - head.timestamp);
  const patient = nextTime < opens + (closes - opens) / 2;
  return {
    reveal: { opens, closes },
    boundBlock,
    agreeAt: due + wait * TURN_BLOCKS * blockSeconds,
    lastWord: terms.window === 0 ? lastWordOf(seat, seats, patient) : 'no',
  };
}

/** Only without a challenge window: there, what is shown is paid at once. */
function lastWordOf(seat: KnownLease, seats: readonly KnownLease[], patient: boolean): LastWord {
  if (seats.every(({ phase, lease }) => phase === 'revealed' || lease.node === seat.lease.node)) return 'now';
  return patient && seats.at(-1)?.lease.node === seat.lease.node ? 'wait' : 'no';
}

/**
 * The panel on a range that `node` may join at second `time` if it is drawn; undefined when the range has none, no seat is free, the time is
 * over, or the node (or one that shares its print by chance) sits there or has failed there.
 */
export async function freePanel(
  chain: Pick<Chain, 'leaseWord' | 'bench'>,
  { leases }: KnownRange,
  node: number,
  time: number,
): Promise<Panel | undefined> {
  const [any] = leases;
  const living = leases.filter(isLiving).length;
  if (!any || living === 0 || living >= any.terms.seats) return undefined;
  if (leases.some(({ lease }) => lease.node === node)) return undefined;
  const { job, terms } = any;
  const { first } = any.lease;
  const panel = readPanel(await chain.leaseWord(job, first));
  if (!panel || panel.asked === AUDIT_SEATS || panel.sitting >= panel.asked) return undefined;
  if (time > joinUntil(terms, panel)) return undefined;
  const print = printOf(rangeKey(job, first, (panel.flags & SOLO) !== 0), node);
  return placeFor(await chain.bench(job, first), print) === undefined ? undefined : panel;
}
