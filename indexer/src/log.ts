import { pino } from 'pino';

/** What the indexer's own parts say: a constant sentence and its facts. error: someone must act. warn: may become one. */
export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

/** Facts become JSON: amounts as decimal strings, errors as their name and message. */
function plain(facts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => {
      if (typeof value === 'bigint') return [key, value.toString()];
      if (value instanceof Error) return [key, `${value.name}: ${value.message}`];
      return [key, value];
    }),
  );
}

/** One JSON line per message on standard output, beside Ponder's own; `part` says whose it is. */
export function createLog(part: string): Log {
  const logger = pino({ base: { part }, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'msg' });
  const at =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, facts: Record<string, unknown> = {}): void =>
      logger[level](plain(facts), message);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
