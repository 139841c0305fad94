import type { Table } from 'drizzle-orm';
import { getTableName } from 'drizzle-orm';
import { createPublicClient, http } from 'viem';
import { Worker } from 'node:worker_threads';
import { TABLES, type Difference } from './dump.ts';
import { ChainMoved, Shadow, type Moment, type ShadowOptions } from './shadow.ts';

type Row = Record<string, unknown>;

/** A `Shadow`, here or in a thread of its own. */
export interface ShadowPort {
  at(block: bigint): Promise<Moment>;
  differing(table: Table, hashes: ReadonlyMap<string, string>): Promise<string[]>;
  row(table: Table, key: string): Promise<Row | undefined>;
  contradictions(block: bigint): Promise<Difference[]>;
  close(): Promise<void>;
}

/** What the thread needs to make one. */
export interface ThreadOptions extends ShadowOptions {
  rpcUrl: string;
}

/** What goes over to the thread and comes back. */
export interface Call {
  id: number;
  name: 'at' | 'differing' | 'row' | 'contradictions';
  given: unknown[];
}
export interface Answer {
  id: number;
  value?: unknown;
  error?: { name: string; message: string; isDeep?: boolean };
}

const tableOf = (name: string): Table => TABLES.find((table) => getTableName(table) === name)!;

/** Answers calls in the thread. */
export async function answer(shadow: Shadow, { id, name, given }: Call): Promise<Answer> {
  try {
    const [first, second] = given as [never, never];
    if (name === 'at') return { id, value: await shadow.at(first) };
    if (name === 'contradictions') return { id, value: await shadow.contradictions(first) };
    const table = tableOf(first);
    return { id, value: name === 'row' ? shadow.row(table, second) : shadow.differing(table, second) };
  } catch (error) {
    const { name: kind, message } = error as Error;
    return { id, error: { name: kind, message, ...(error instanceof ChainMoved && { isDeep: error.isDeep }) } };
  }
}

/** A shadow that reads from `rpcUrl`. */
export function makeShadow({ rpcUrl, ...options }: ThreadOptions): Shadow {
  const transport = http(rpcUrl, { maxResponseBodySize: false, timeout: 60_000 });
  return new Shadow(options, { client: createPublicClient({ transport, cacheTime: 0 }) });
}

/** Starts a shadow in a thread of its own, so that a long replay holds up no answer of the API. */
export function threadedShadow(options: ThreadOptions): ShadowPort {
  // Beside `src/`, because Ponder runs every file under it.
  const thread = new Worker(new URL('../../verifyThread.ts', import.meta.url), { workerData: options });
  thread.unref();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let next = 0;
  const failAll = (error: Error): void => {
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
  };
  thread.on('message', ({ id, value, error }: Answer) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (!error) one?.resolve(value);
    else if (error.name === 'ChainMoved') one?.reject(new ChainMoved(error.message, error.isDeep === true));
    else one?.reject(new Error(`${error.name}: ${error.message}`));
  });
  thread.on('error', (error) => failAll(error as Error));
  thread.on('exit', () => failAll(new Error('the thread that replays the chain has ended')));
  const call = (name: Call['name'], ...given: unknown[]): Promise<unknown> => {
    const one = Promise.withResolvers<unknown>();
    waiting.set((next += 1), one);
    thread.postMessage({ id: next, name, given } satisfies Call);
    return one.promise;
  };
  return {
    at: (block) => call('at', block) as Promise<Moment>,
    differing: (table, hashes) => call('differing', getTableName(table), hashes) as Promise<string[]>,
    row: (table, key) => call('row', getTableName(table), key) as Promise<Row | undefined>,
    contradictions: (block) => call('contradictions', block) as Promise<Difference[]>,
    close: async () => void (await thread.terminate()),
  };
}
