import { benchmark, tierProof } from '../../ponder.schema.ts';
import { touch } from '../network.ts';
import { keepSetting } from '../settings.ts';
import type { AnyContext, AnyEvent, HandlersOf } from '../types.ts';

/** Proofs of capability: `docs/capability.md`. The tier itself is told by the Market's `NodeTierSet`. */
export const proofsHandlers: HandlersOf<'Proofs'> = {
  async BenchmarkSet({ event, context }) {
    const { tier, ...given } = event.args;
    await context.db
      .insert(benchmark)
      .values({ tier, ...given })
      .onConflictDoUpdate(given);
    await touch(context, event);
  },

  async ProofBegun({ event, context }) {
    const { job, node, tier, nonce } = event.args;
    await context.db.insert(tierProof).values({
      ...{ job, event: event.id, node, tier, nonce, begunAt: Number(event.block.timestamp) },
      finishedAt: null,
      until: null,
    });
    await touch(context, event);
  },

  async ProofFinished({ event, context }) {
    const { job, until } = event.args;
    await context.db.update(tierProof, { job }).set({ finishedAt: Number(event.block.timestamp), until });
    await touch(context, event);
  },

  OwnershipTransferStarted: ({ event, context }) => set(context, event, 'pendingOwner', event.args.newOwner),
  OwnershipTransferred: ({ event, context }) => set(context, event, 'owner', event.args.newOwner),
};

async function set(context: AnyContext, event: AnyEvent, name: string, value: string): Promise<void> {
  await keepSetting(context, event, { contract: 'proofs', name }, value);
  await touch(context, event);
}
