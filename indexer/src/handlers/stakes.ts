import { node, stakeEvent, surrogate } from '../../ponder.schema.ts';
import { move } from '../money.ts';
import { record, treasuryOf } from '../network.ts';
import type { AnyContext, AnyEvent, Handlers } from '../types.ts';

type Node = typeof node.$inferSelect;
type StakeKind = (typeof stakeEvent.$inferSelect)['kind'];

/** Changes a node's stake or queue, and keeps the change. Returns the node as it is now. */
async function change(
  { db }: AnyContext,
  event: AnyEvent,
  id: number,
  kind: StakeKind,
  amount: bigint,
  set: Partial<Node> | ((row: Node) => Partial<Node>),
): Promise<Node> {
  const now = await db.update(node, { id }).set(set);
  await db.insert(stakeEvent).values({
    event: event.id,
    node: id,
    kind,
    amount,
    stake: now.stake,
    queued: now.queued,
    block: Number(event.block.number),
    timestamp: Number(event.block.timestamp),
    transaction: event.transaction.hash,
  });
  return now;
}

/** Stake, the exit queue and slashing. Stake is no balance: it is held by the owner's surrogate. */
export const stakeHandlers = {
  async Staked({ event, context }) {
    const { node: id, owner, amount, stake, since } = event.args;
    await change(context, event, id, 'staked', amount, { stake, since });
    const currency = context.contracts.Token.address;
    await record(context, event, { type: 'staked', node: id, account: owner, amount, currency }, { stake: amount });
  },

  async UnstakeQueued({ event, context }) {
    const { node: id, amount, queued, unstakeAt } = event.args;
    const { owner } = await change(context, event, id, 'queued', amount, { queued, unstakeAt });
    const currency = context.contracts.Token.address;
    await record(context, event, { type: 'unstakeQueued', node: id, account: owner, amount, currency });
  },

  async UnstakeCancelled({ event, context }) {
    const { node: id, amount } = event.args;
    const { owner } = await change(context, event, id, 'cancelled', amount, { queued: 0n, unstakeAt: null });
    const currency = context.contracts.Token.address;
    await record(context, event, { type: 'unstakeCancelled', node: id, account: owner, amount, currency });
  },

  async Unstaked({ event, context }) {
    const { node: id, amount, stake } = event.args;
    const { owner } = await change(context, event, id, 'unstaked', amount, { stake, queued: 0n, unstakeAt: null });
    const currency = context.contracts.Token.address;
    await record(context, event, { type: 'unstaked', node: id, account: owner, amount, currency }, { stake: -amount });
  },

  async NodeSlashed({ event, context }) {
    const { node: id, amount, burnt, treasury, stake } = event.args;
    const { owner } = await change(context, event, id, 'slashed', amount, (row) => ({
      stake,
      slashed: row.slashed + amount,
      // What is taken was locked; handlers of what ended free the rest.
      locked: row.locked - amount,
    }));
    const currency = context.contracts.Token.address;
    await move(context, event, { kind: 'slash', currency, account: owner, amount, node: id });
    await move(context, event, { kind: 'burn', currency, account: null, amount: burnt, node: id });
    if (treasury !== 0n) {
      const account = await treasuryOf(context, event);
      await move(context, event, { kind: 'treasury', currency, account, amount: treasury, node: id });
    }
    await record(
      context,
      event,
      { type: 'nodeSlashed', node: id, account: owner, amount, currency },
      { stake: -amount },
    );
  },

  async StakeDelegated({ event, context }) {
    const { owner, surrogate: address, delegatee } = event.args;
    const now = { surrogate: address, delegatee };
    await context.db
      .insert(surrogate)
      .values({ owner, ...now })
      .onConflictDoUpdate(now);
    await record(context, event, { type: 'stakeDelegated', account: owner });
  },
} satisfies Partial<Handlers>;
