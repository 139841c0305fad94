import { zeroHash } from 'viem';
import { expect, test } from 'vitest';

import { VERDICTS, type Verdict } from './court.ts';
import { buildHistory, committedSeats } from './history.ts';
import { claimedWord, SEAT, SOLO } from './lease.ts';
import type { JobLog } from './logs.ts';
import { packTerms } from './packedTerms.ts';
import { LEASE, RESULT, TERMS } from './testing.ts';

/** An event of the job in block `block`. */
function log(block: number, eventName: JobLog['eventName'], args: Record<string, unknown>): JobLog {
  const place = { blockNumber: BigInt(block), transactionHash: zeroHash, logIndex: 0, timestamp: 1_000 + block };
  return { eventName, args: { id: zeroHash, ...args }, ...place, gasUsed: undefined } as unknown as JobLog;
}

const posted = log(1, 'JobPosted', { requester: TERMS.requester, terms: packTerms(TERMS) });
const revealed = (node: number, flags: number): JobLog[] => {
  const claimed = claimedWord({ ...LEASE, first: 0, count: 8, node, flags });
  return [
    log(2, 'LeaseClaimed', { first: 0, node, claimed }),
    log(3, 'LeaseCommitted', { first: 0, node, commitment: zeroHash }),
    log(4, 'LeaseRevealed', { first: 0, node, result: RESULT }),
  ];
};
const judged = (verdict: Verdict, node = 4): JobLog =>
  log(5, 'LeaseJudged', { first: 0, node, verdict: VERDICTS.indexOf(verdict), paid: 7n, fee: 1n, compensation: 8n });

test.each<[Verdict, string]>([
  ['none', 'revealed'],
  ['valid', 'revealed'],
  ['withheld', 'revealed'],
  ['invalid', 'lapsed'],
  ['specFault', 'settled'],
  ['undecided', 'settled'],
])('a lease that juries found %s is %s', (verdict, state) => {
  const [lease] = buildHistory([posted, ...revealed(4, SOLO), judged(verdict)])!.leases;
  expect(lease).toMatchObject({ state, at: state === 'revealed' ? 1_004 : 1_005 });
  expect(lease!.judged).toBe(state === 'revealed' ? undefined : verdict);
  expect(lease!.payment).toEqual(state === 'settled' ? { paid: 7n, fee: 1n, bonus: 0n, accepted: false } : undefined);
});

test('a wrong lease lost its bond, and whoever takes over has the bonus that it had', () => {
  const history = buildHistory([posted, ...revealed(4, SOLO), judged('invalid'), ...revealed(5, SOLO)])!;
  expect(history.replaced[0]!.loss).toEqual({
    ...{ slashed: 8n * TERMS.bond, bonus: LEASE.bonus * 10n ** 9n, withheld: false, convicted: true },
  });
  expect(history.leases).toMatchObject([{ state: 'revealed', lease: { node: 5 }, takenOver: true }]);
});

test('a panel that ends names its judged seats too, in the order of their commits', () => {
  const seats = [4, 5, 6].flatMap((node) => revealed(node, SOLO | SEAT));
  const history = buildHistory([posted, ...seats, judged('invalid', 5), judged('undecided', 4)])!;
  expect(committedSeats(history, 0).map(({ lease, state }) => [lease.node, state])).toEqual([
    [4, 'settled'],
    [5, 'lapsed'],
    [6, 'revealed'],
  ]);
});
