import type { Terms } from '@dpu/sdk/terms';
import { worstCase } from '@dpu/sdk/terms';

import type { Currency } from '../currency.ts';
import { formatMoney } from '../currency.ts';
import { formatBps, formatDuration, formatTime } from '../format.ts';
import { say } from '../i18n/say.ts';

/** What a signature over these terms says, in sentences. Everything comes from the terms as they are on chain. */
export function signedWords(terms: Terms, currency: Currency, dpu: Currency): string[] {
  const { shards, seats, minPrice, maxPrice, bond, ramp, exec, window, expiry, direct, auditBps, node, maxLease } =
    terms;
  const [count, each] = [shards, formatMoney(maxPrice, currency)];
  const price =
    minPrice === maxPrice
      ? say('{amount} for each', { amount: each })
      : say('{from} for each at first, rising to at most {to} within {time}', {
          from: formatMoney(minPrice, currency),
          to: each,
          time: formatDuration(ramp),
        });
  const free = { most: maxLease, bond: formatMoney(bond, dpu) };
  return [
    seats > 1
      ? say('You pay for {count} shards, each {seats} times by different nodes: {price}.', { count, seats, price })
      : shards === 1
        ? say('You pay for {count} shard: {price}.', { count, price })
        : say('You pay for {count} shards: {price}.', { count, price }),
    say('You set aside {amount}. You can never lose more; what is not spent comes back.', {
      amount: formatMoney(worstCase(terms), currency),
    }),
    node > 0
      ? say('Only node {node} may do the work.', { node: String(node) })
      : maxLease === 1
        ? say(
            'Any node that offers the runtime may take up to {most} shard at a time and locks {bond} of its own for each.',
            free,
          )
        : say(
            'Any node that offers the runtime may take up to {most} shards at a time and locks {bond} of its own for each.',
            free,
          ),
    say('A node has {time} for a lease. If it is late, it loses part of what it locked and another may take over.', {
      time: formatDuration(exec),
    }),
    assuranceWords({ direct, seats, auditBps }),
    window > 0
      ? say(
          'For {time} after a result is shown anybody may challenge it before a jury; it is paid after that, or when you accept it.',
          { time: formatDuration(window) },
        )
      : say('Nobody can challenge a result: it is paid as soon as it is shown.'),
    say('Nobody can take new shards after {time}; then what is left comes back.', { time: formatTime(expiry) }),
  ];
}

function assuranceWords({ direct, seats, auditBps }: Pick<Terms, 'direct' | 'seats' | 'auditBps'>): string {
  if (direct) return say('Nodes deliver in one step and nothing is audited: you check the results yourself.');
  if (seats > 1)
    return say('A result counts when {quorum} of {seats} nodes have the same; who differs loses what it locked.', {
      quorum: (seats + 1) / 2,
      seats,
    });
  return auditBps > 0
    ? say('Nodes are bound to a result before anybody sees it and you pay for auditing {share} of the leases more.', {
        share: formatBps(auditBps),
      })
    : say('Nodes are bound to a result before anybody sees it.');
}
