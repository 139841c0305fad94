import { operation, operationCall, role } from '../../ponder.schema.ts';
import { touch } from '../network.ts';
import { keepSetting } from '../settings.ts';
import type { AnyContext, AnyEvent, HandlersOf } from '../types.ts';

/** What waits before it happens, and who may make it wait. */
export const timelockHandlers: HandlersOf<'Timelock'> = {
  async CallScheduled({ event, context }) {
    const { id, index, target, value, data, predecessor, delay } = event.args;
    const scheduledAt = Number(event.block.timestamp);
    const readyAt = scheduledAt + Number(delay);
    // A batch that was cancelled can be scheduled again, under the same id.
    const fresh = {
      ...{ state: 'scheduled' as const, predecessor, readyAt, event: event.id, scheduledAt, endedAt: null },
      transaction: event.transaction.hash,
    };
    await context.db
      .insert(operation)
      .values({ id, ...fresh, salt: null, calls: 1 })
      .onConflictDoUpdate((row) => (index === 0n ? { ...fresh, calls: 1 } : { calls: row.calls + 1 }));
    const call = { target, value, data, executedAt: null };
    await context.db
      .insert(operationCall)
      .values({ batch: id, place: Number(index), ...call })
      .onConflictDoUpdate(call);
    await touch(context, event);
  },

  async CallSalt({ event, context }) {
    await context.db.update(operation, { id: event.args.id }).set({ salt: event.args.salt });
    await touch(context, event);
  },

  async CallExecuted({ event, context }) {
    const { id, index } = event.args;
    const now = Number(event.block.timestamp);
    await context.db.update(operation, { id }).set({ state: 'executed', endedAt: now });
    await context.db.update(operationCall, { batch: id, place: Number(index) }).set({ executedAt: now });
    await touch(context, event);
  },

  async Cancelled({ event, context }) {
    const endedAt = Number(event.block.timestamp);
    await context.db.update(operation, { id: event.args.id }).set({ state: 'cancelled', endedAt });
    await touch(context, event);
  },

  async MinDelayChange({ event, context }) {
    await keepSetting(context, event, { contract: 'timelock', name: 'delay' }, event.args.newDuration);
    await touch(context, event);
  },

  async RoleAdminChanged({ event, context }) {
    const key = { contract: 'timelock', name: 'roleAdmin', subject: event.args.role } as const;
    await keepSetting(context, event, key, event.args.newAdminRole);
    await touch(context, event);
  },

  RoleGranted: ({ event, context }) => appoint(context, event, event.args, true),
  RoleRevoked: ({ event, context }) => appoint(context, event, event.args, false),
};

async function appoint(
  context: AnyContext,
  event: AnyEvent,
  { role: which, account, sender }: Record<'role' | 'account' | 'sender', `0x${string}`>,
  member: boolean,
): Promise<void> {
  await context.db.insert(role).values({ role: which, account, member, sender }).onConflictDoUpdate({ member, sender });
  await touch(context, event);
}
