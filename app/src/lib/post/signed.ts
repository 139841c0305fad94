import type { Terms } from '@dpu/sdk/terms';
import { worstCase } from '@dpu/sdk/terms';

import type { Currency } from '../currency.ts';
import { formatMoney } from '../currency.ts';
import { formatBps, formatDuration, formatTime, plural } from '../format.ts';

/** What a signature over these terms says, in sentences. Everything comes from the terms as they are on chain. */
export function signedWords(terms: Terms, currency: Currency, dpu: Currency): string[] {
  const { shards, seats, minPrice, maxPrice, bond, ramp, exec, window, expiry, direct, auditBps, node, maxLease } =
    terms;
  const price =
    minPrice === maxPrice
      ? `${formatMoney(maxPrice, currency)} for each`
      : `${formatMoney(minPrice, currency)} for each at first, rising to at most ${formatMoney(maxPrice, currency)} within ${formatDuration(ramp)}`;
  const times = seats > 1 ? `, each ${seats} times by different nodes` : '';
  return [
    `You pay for ${plural(shards, 'shard')}${times}: ${price}.`,
    `You set aside ${formatMoney(worstCase(terms), currency)}. You can never lose more; what is not spent comes back.`,
    node > 0
      ? `Only node ${node} may do the work.`
      : `Any node that offers the runtime may take up to ${plural(maxLease, 'shard')} at a time and locks ${formatMoney(bond, dpu)} of its own for each.`,
    `A node has ${formatDuration(exec)} for a lease. If it is late, it loses part of what it locked and another may take over.`,
    assuranceWords({ direct, seats, auditBps }),
    window > 0
      ? `For ${formatDuration(window)} after a result is shown anybody may challenge it before a jury; it is paid after that, or when you accept it.`
      : 'Nobody can challenge a result: it is paid as soon as it is shown.',
    `Nobody can take new shards after ${formatTime(expiry)}; then what is left comes back.`,
  ];
}

function assuranceWords({ direct, seats, auditBps }: Pick<Terms, 'direct' | 'seats' | 'auditBps'>): string {
  if (direct) return 'Nodes deliver in one step and nothing is audited: you check the results yourself.';
  if (seats > 1)
    return `A result counts when ${(seats + 1) / 2} of ${seats} nodes have the same; who differs loses what it locked.`;
  const bought = auditBps > 0 ? ` and you pay for auditing ${formatBps(auditBps)} of the leases more` : '';
  return `Nodes are bound to a result before anybody sees it${bought}.`;
}
