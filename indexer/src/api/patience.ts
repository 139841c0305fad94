import { setTimeout as pause } from 'node:timers/promises';
import { ProblemError } from './problem.ts';

/** How often a read is tried. One that waits for a lock waits half a second by itself; the others wait `PAUSE_MS`. */
const MOST_TRIES = 8;
const PAUSE_MS = 100;

/** PostgreSQL's code for a lock that did not come in time, and its sentence where only that is passed on. */
const LOCKED = '55P03';
const LOCKED_SAYS = 'canceling statement due to lock timeout';
/**
 * The same for what happens to a read that began before the views were moved to another schema and goes on after: it waits in a ring with the move, or the table
 * that it has looked up is gone. The next one finds the new tables.
 */
const MOVED = ['40P01', '42P01'];
const MOVED_SAYS =
  /^(deadlock detected|relation .* does not exist|could not open relation with OID \d+|cache lookup failed for \w+ \d+)/;

/** Whether an error passes by itself while the views are moved: after a wait of its own, or at once. */
function passing(error: unknown): 'waited' | 'at once' | undefined {
  const { code, cause, message } = error as { code?: unknown; cause?: { code?: unknown }; message?: unknown };
  const name = String(code ?? cause?.code);
  const text = String((cause as Error | undefined)?.message ?? message);
  if (name === LOCKED || text.startsWith(LOCKED_SAYS)) return 'waited';
  return MOVED.includes(name) || MOVED_SAYS.test(text) ? 'at once' : undefined;
}

/**
 * Reads again what failed only because the views are moved to another schema, so that nobody notices.
 * @throws ProblemError `not-ready` when that lasts; other errors as they are.
 */
export async function patiently<Answer>(read: () => Promise<Answer>, pauseMs = PAUSE_MS): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      const how = passing(error);
      if (how === undefined) throw error;
      if (tries < MOST_TRIES) {
        if (how === 'at once') await pause(pauseMs);
        continue;
      }
      const sentence = 'the index is being replaced by a newer one; come back in a second';
      throw new ProblemError('not-ready', sentence, { headers: { 'retry-after': '1' } });
    }
  }
}
