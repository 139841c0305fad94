import type { ProposalStep } from '@dpu/sdk/governanceHistory';
import type { GovernanceSettings, ProposalStatus } from '@dpu/sdk/governanceReads';
import { say } from '../i18n/say.ts';

/** A point on a proposal's way. */
export interface Moment {
  label: string;
  /** Unix seconds; undefined when nobody can know yet. */
  at?: number;
  /** past: it happened. next: it is what comes. later: it may come. */
  when: 'past' | 'next' | 'later';
  note?: string;
  transaction?: `0x${string}`;
}

/** The buttons that fit a proposal's state and who looks at it. */
export interface Offers {
  vote: boolean;
  queue: boolean;
  execute: boolean;
  cancel: boolean;
}

/** Who looks at a proposal. */
export interface Viewer {
  account: string | undefined;
  voted: boolean;
  /** Votes at the snapshot; undefined until that is past. DPU wei. */
  weight: bigint | undefined;
}

type Status = Pick<ProposalStatus, 'state' | 'proposer' | 'snapshot' | 'deadline' | 'eta'>;

const alike = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();

/**
 * Which steps time, state and the viewer allow at second `now`. The contract decides; this only knows what is worth offering.
 * The guardian may cancel until execution; the proposer before the vote, or, when there is no guardian, until execution.
 */
export function offersOf(
  { state, proposer, eta }: Status,
  { account, voted, weight }: Viewer,
  { guardian }: Pick<GovernanceSettings, 'guardian'>,
  now: number,
): Offers {
  const someone = account !== undefined;
  const unfinished = state === 'pending' || state === 'active' || state === 'succeeded' || state === 'queued';
  const own = alike(account, proposer);
  return {
    vote: someone && state === 'active' && !voted && (weight ?? 0n) > 0n,
    queue: someone && state === 'succeeded',
    execute: someone && state === 'queued' && eta !== undefined && now >= eta,
    cancel: unfinished && (alike(account, guardian) || (own && (state === 'pending' || guardian === undefined))),
  };
}

/** What comes next: its name, when it can be, and both as a sentence with a place for the time. */
export interface Next {
  label: string;
  comes: '{time}' | 'Voting opens in {time}' | 'Voting closes in {time}' | 'Can be executed in {time}';
  /** Unix seconds; undefined when it waits for somebody. */
  at?: number;
}

/** What comes next by itself or by anyone, and from when; undefined when it is over. */
export function nextOf({ state, snapshot, deadline, eta }: Status, now: number): Next | undefined {
  switch (state) {
    case 'pending':
      return { label: 'Voting opens', comes: 'Voting opens in {time}', at: snapshot + 1 };
    case 'active':
      return { label: 'Voting closes', comes: 'Voting closes in {time}', at: deadline + 1 };
    case 'succeeded':
      return { label: 'Waits to be queued', comes: '{time}' };
    case 'queued':
      return eta !== undefined && now < eta
        ? { label: 'Can be executed', comes: 'Can be executed in {time}', at: eta }
        : { label: 'Waits to be executed', comes: '{time}' };
    default:
      return undefined;
  }
}

/** The way of a proposal, from its creation to its end, at second `now`. */
export function momentsOf(
  status: Status,
  steps: readonly ProposalStep[],
  { timelockDelay }: Pick<GovernanceSettings, 'timelockDelay'>,
  now: number,
): Moment[] {
  const { state, snapshot, deadline, eta } = status;
  const step = (wanted: ProposalStep['step']) => steps.find(({ step }) => step === wanted);
  const happened = (label: string, found: ProposalStep): Moment => ({
    label,
    at: found.timestamp,
    when: 'past',
    transaction: found.transaction,
  });
  const created = step('created');
  const canceled = step('canceled');
  const before = (at: number): boolean => !canceled || at <= canceled.timestamp;
  const clock = (soon: string, past: string, at: number): Moment =>
    now >= at ? { label: past, at, when: 'past' } : { label: soon, at, when: 'later' };

  const moments: Moment[] = [];
  if (created) moments.push(happened('Proposed', created));
  if (before(snapshot + 1)) moments.push(clock('Voting opens', 'Voting opened', snapshot + 1));
  const extended = steps.findLast(({ step }) => step === 'extended');
  if (before(deadline + 1))
    moments.push({
      ...clock('Voting closes', state === 'defeated' ? 'Defeated' : 'Voting closed', deadline + 1),
      ...(extended && { note: 'Extended, because quorum was reached late.' }),
    });
  if (state !== 'defeated') moments.push(...afterVote());
  if (canceled) moments.push(happened('Cancelled', canceled));
  const next = moments.findIndex(({ when }) => when !== 'past');
  return moments.map((moment, index) => (index === next ? { ...moment, when: 'next' } : moment));

  function afterVote(): Moment[] {
    const queued = step('queued');
    const executed = step('executed');
    if (canceled && !queued) return [];
    const from = eta ?? queued?.until;
    const soonest = Math.max(deadline + 1, now) + timelockDelay;
    const list: Moment[] = [
      queued ? happened('Queued', queued) : { label: 'Queued', when: 'later', note: 'By anyone, once it has passed.' },
    ];
    if (canceled) return list;
    list.push(
      from !== undefined
        ? clock('Can be executed', 'Could be executed', from)
        : { label: 'Can be executed', at: soonest, when: 'later', note: 'At the earliest.' },
    );
    list.push(executed ? happened('Executed', executed) : { label: 'Executed', when: 'later', note: 'By anyone.' });
    return list;
  }
}

/** Shares of a tally for a bar, in per cent of the larger of what was cast and what quorum asks for. */
export interface Tally {
  for: number;
  abstain: number;
  against: number;
  /** Where the quorum lies; undefined until it is known. */
  quorum: number | undefined;
  /** Votes that count for it, and what is missing. DPU wei. */
  counted: bigint;
  missing: bigint;
  /** One sentence: how it would end, or ended. */
  verdict: string;
}

/** The tally of a proposal. Votes for and abstentions count for the quorum; more for than against decides. */
export function tallyOf({ votes, quorum, state }: Pick<ProposalStatus, 'votes' | 'quorum' | 'state'>): Tally {
  const counted = votes.for + votes.abstain;
  const cast = counted + votes.against;
  const scale = quorum !== undefined && quorum > cast ? quorum : cast;
  const share = (part: bigint): number => (scale > 0n ? Number((part * 10_000n) / scale) / 100 : 0);
  const missing = quorum !== undefined && quorum > counted ? quorum - counted : 0n;
  return {
    for: share(votes.for),
    abstain: share(votes.abstain),
    against: share(votes.against),
    quorum: quorum === undefined ? undefined : share(quorum),
    counted,
    missing,
    verdict: verdict(votes, quorum, missing, state),
  };
}

function verdict(
  votes: ProposalStatus['votes'],
  quorum: bigint | undefined,
  missing: bigint,
  state: ProposalStatus['state'],
): string {
  if (state === 'canceled') return say('Cancelled: the votes do not count.');
  if (quorum === undefined) return say('Voting has not begun.');
  const open = state === 'active';
  const amount = (missing + 10n ** 18n - 1n) / 10n ** 18n;
  if (missing > 0n)
    return open
      ? say('{amount} DPU more must vote for or abstain to reach the quorum.', { amount })
      : say('The quorum was missed by {amount} DPU.', { amount });
  if (votes.for > votes.against)
    return open
      ? say('Quorum is reached and more are for than against: it would pass.')
      : say('Quorum was reached, and more were for than against.');
  return open
    ? say('Quorum is reached, but not more are for than against: it would fail.')
    : say('Quorum was reached, but not more were for than against.');
}
