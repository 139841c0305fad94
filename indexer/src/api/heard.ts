/** What nodes said, as quotes and explanations read it. */
import { DECLINES, type DeclineCode } from '@dpu/sdk/declines';
import type { Hex } from 'viem';

import type { LiveFacts } from '../live/facts.ts';
import type { LiveView } from '../quote/view.ts';

/** Nothing when this indexer does not listen: answers then rest on the chain's history alone. */
export function heardFrom(facts: LiveFacts): LiveView | undefined {
  if (!facts.listening) return undefined;
  return {
    heartbeatOf(node) {
      const heard = facts.heartbeatOf(node);
      if (!heard) return undefined;
      const { saidAt, healthy, draining, slots } = heard;
      const asks = new Map(heard.asks.map(({ currency, amount }) => [currency.toLowerCase() as Hex, BigInt(amount)]));
      return { at: saidAt, healthy, draining, free: slots.free, asks };
    },
    declinesOf: (job) =>
      facts.declinesOf(job).items.flatMap(({ node, code, at }) => (isKnown(code) ? [{ node, code, at }] : [])),
  };
}

/** A newer node may have reasons that this program does not know. */
const isKnown = (code: string): code is DeclineCode => Object.hasOwn(DECLINES, code);
