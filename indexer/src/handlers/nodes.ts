import { node } from '../../ponder.schema.ts';
import { record } from '../network.ts';
import type { Handlers } from '../types.ts';

/** `Parameters.RECORD_START`: registering tells everything but this constant. */
const RECORD_START = 5_000;

/** Who may work. */
export const nodeHandlers = {
  async NodeSet({ event, context }) {
    const { node: id, owner, operator, runtimes, key, endpoint, since } = event.args;
    const given = { owner, operator, runtimes, key, endpoint, since };
    const isNew = (await context.db.find(node, { id })) === null;
    if (isNew) {
      await context.db.insert(node).values({
        id,
        ...given,
        tier: 0,
        tierUntil: 0,
        record: RECORD_START,
        stake: 0n,
        locked: 0n,
        queued: 0n,
        slashed: 0n,
        leasesLiving: 0,
        leasesSettled: 0,
        leasesLapsed: 0,
        shardsSettled: 0,
        unitsSettled: 0n,
        registeredAt: Number(event.block.timestamp),
      });
    } else {
      await context.db.update(node, { id }).set(given);
    }
    await record(context, event, { type: 'nodeSet', node: id, account: owner }, { nodes: isNew ? 1 : 0 });
  },

  async NodeTierSet({ event, context }) {
    const { node: id, tier, until } = event.args;
    await context.db.update(node, { id }).set({ tier, tierUntil: until });
    await record(context, event, { type: 'nodeTierSet', node: id });
  },
} satisfies Partial<Handlers>;
