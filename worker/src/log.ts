import { pino } from 'pino';

import { adviceOf } from './operator/advice.ts';

/** What the node says: a constant sentence and its facts. error: someone must act. warn: may become one. info: a few an hour per job. */
export interface Log {
  debug(message: string, facts?: Record<string, unknown>): void;
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

/** Levels that a log can be set to. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Least important level that is written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

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

/** A log of one JSON line per message on standard output. */
export function createLog(level: LogLevel, base: Record<string, unknown> = {}): Log {
  const logger = pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime });
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, facts: Record<string, unknown> = {}): void =>
      logger[name](
        { ...plain(facts), ...(name === 'warn' || name === 'error' ? { action: adviceOf(message) } : {}) },
        message,
      );
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A log that says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
