import { jobStateSchema, type JobState } from '@dpu/sdk/api';
import type { Context } from 'hono';
import { ProblemError } from './problem.ts';

type Hex = `0x${string}`;

const DEFAULT_LIMIT = 50;
/** Most items of a page, and of every list inside one answer. */
export const MOST = 100;
const UINT32_MAX = 2 ** 32 - 1;

function hex(name: string, value: string, bytes: number): Hex {
  if (!/^0x[0-9a-f]*$/i.test(value) || value.length !== 2 + 2 * bytes) {
    throw new ProblemError(400, `${name} must be 0x and ${2 * bytes} hexadecimal digits`);
  }
  return value.toLowerCase() as Hex;
}

function whole(name: string, value: string, least: number, most: number): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : NaN;
  if (!(number >= least && number <= most)) {
    throw new ProblemError(400, `${name} must be a whole number from ${least} to ${most}`);
  }
  return number;
}

export const jobId = (value: string): Hex => hex('the job id', value, 32);
export const address = (value: string): Hex => hex('the address', value, 20);
export const nodeId = (value: string): number => whole('the node id', value, 1, UINT32_MAX);

export function limit(c: Context): number {
  const value = c.req.query('limit');
  return value === undefined ? DEFAULT_LIMIT : whole('limit', value, 1, MOST);
}

/** The id of the last event on the page before; Ponder's event ids have 75 digits. */
export function eventCursor(c: Context): string | undefined {
  const value = c.req.query('cursor');
  if (value !== undefined && !/^\d{75}$/.test(value)) throw badCursor();
  return value;
}

/** The id of the last node on the page before. */
export function nodeCursor(c: Context): number {
  const value = c.req.query('cursor');
  if (value === undefined) return 0;
  if (!/^\d{1,10}$/.test(value) || Number(value) > UINT32_MAX) throw badCursor();
  return Number(value);
}

const badCursor = () => new ProblemError(400, 'cursor must be the `next` of an earlier page of the same list');

export function requester(c: Context): Hex | undefined {
  const value = c.req.query('requester');
  return value === undefined ? undefined : hex('requester', value, 20);
}

export function state(c: Context): JobState | undefined {
  const value = c.req.query('state');
  if (value === undefined) return undefined;
  const parsed = jobStateSchema.safeParse(value);
  if (!parsed.success) throw new ProblemError(400, `state must be one of ${jobStateSchema.options.join(', ')}`);
  return parsed.data;
}
