import { setting, settingChange } from '../ponder.schema.ts';
import type { AnyContext, AnyEvent } from './types.ts';

type Key = Pick<typeof setting.$inferSelect, 'contract' | 'name'> & { subject?: string | number };

/** Keeps what a vote or the guardian has set: the value in force, and that it changed. Hex is kept in lower case. */
export async function keepSetting(
  { db }: AnyContext,
  event: AnyEvent,
  { contract, name, subject = '' }: Key,
  given: bigint | number | boolean | string,
): Promise<void> {
  const value = String(given).toLowerCase();
  const key = { contract, name, subject: String(subject).toLowerCase() };
  const sortKey = `${key.contract}.${key.name}.${key.subject}`;
  const previous = (await db.find(setting, { sortKey }))?.value ?? null;
  await db
    .insert(setting)
    .values({ sortKey, ...key, value })
    .onConflictDoUpdate({ value });
  const at = { block: Number(event.block.number), timestamp: Number(event.block.timestamp) };
  await db.insert(settingChange).values({
    sortKey: `${event.id}.${name}`,
    event: event.id,
    ...key,
    previous,
    value,
    ...at,
    transaction: event.transaction.hash,
  });
}
