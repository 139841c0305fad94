/** How the node talks to the process of one shard, and ends it in time. */
import type { Ending, SandboxChild } from '../sandbox/sandbox.ts';
import { ShardError } from './runtime.ts';

const STDERR_CHARS = 4_096;

/** What takes an answer apart as it arrives; `push` throws a {@link ShardError} for what is none. */
export interface ShardAnswer {
  /** What the child said last; `undefined` until then. */
  readonly outcome: unknown;
  push(piece: Buffer): void;
}

/** What a shard throws that the node itself wanted to end. */
export const aborted = (): ShardError =>
  new ShardError('killed', 'machine', 'The shard was ended because the node asked for it.');

/** A clause as a sentence. */
export const sentence = (message: string): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;

/** What a shard throws that the kernel ended because its control group had no memory left. */
export const outOfGroupMemory = (details: Record<string, unknown>): ShardError =>
  new ShardError(
    'out-of-memory',
    'machine',
    'The shard, with all that it started, took more memory than its control group has.',
    details,
  );

function unexpected({ code, signal, error, outOfMemory }: Ending, stderr: string): ShardError {
  if (error !== undefined) {
    return new ShardError(
      'sandbox',
      'machine',
      `The shard's process could not be started: ${error.message}.`,
      {},
      error,
    );
  }
  if (outOfMemory) return outOfGroupMemory({ stderr });
  if (signal !== null) {
    return new ShardError('killed', 'machine', `The shard's process was ended by ${signal}, not by us.`, { stderr });
  }
  return new ShardError('sandbox', 'machine', `The shard's process ended with code ${code} and without an answer.`, {
    stderr,
  });
}

/** Hands the request over and listens until the outcome. Whatever happens, the process is gone when this returns. */
export async function converse(
  child: SandboxChild,
  request: readonly Uint8Array[],
  answer: ShardAnswer,
  { seconds, signal }: { readonly seconds: number; readonly signal?: AbortSignal },
): Promise<void> {
  let failure: ShardError | undefined;
  let stderr = '';
  const fail = (error: ShardError): void => {
    failure ??= error;
    child.kill();
  };
  const onAbort = (): void => fail(aborted());
  const timer = setTimeout(
    () =>
      fail(
        new ShardError('timeout', 'machine', `The shard was not done after the ${seconds} seconds its spec allows.`),
      ),
    seconds * 1000,
  );
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  child.stdout.on('data', (piece: Buffer) => {
    if (failure !== undefined) return;
    try {
      answer.push(piece);
      // Nothing may follow the outcome, so there is nothing to wait for either.
      if (answer.outcome !== undefined) child.kill();
    } catch (error) {
      fail(error as ShardError);
    }
  });
  child.stderr.on('data', (piece: Buffer) => (stderr = (stderr + piece.toString()).slice(-STDERR_CHARS)));
  for (const part of request) child.stdin.write(part);
  child.stdin.end();
  const ending = await child.ended;
  clearTimeout(timer);
  signal?.removeEventListener('abort', onAbort);
  if (failure !== undefined) throw failure;
  if (answer.outcome === undefined) throw unexpected(ending, stderr);
}
