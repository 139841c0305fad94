/**
 * What late joiners are told, and what was missed: one stream on which somebody says which statements it has, and a peer sends the others, as they were
 * signed, with the records of their hosts.
 */
import { createHash } from 'node:crypto';

import type { Host, HostStream } from './host.ts';
import { MAX_MESSAGE_BYTES } from './topics.ts';
import type { MarketDomain } from '../terms.ts';

/** Most bytes of one telling. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Most statements that a question may name; who has more asks about the newest. */
const MOST_NAMES = 65_536;
/** Longest time for all of it, milliseconds. */
const TIMEOUT_MS = 30_000;
/** Bytes that are put together before they are sent. */
const PIECE_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;
/** Bytes of a statement's name: enough that two never share one by chance. */
const NAME_BYTES = 8;

/** Name of the protocol: networks do not tell each other. */
export function latestProtocol({ chainId, verifyingContract }: MarketDomain): string {
  return `/dpu/${chainId}/${verifyingContract.toLowerCase()}/latest/1`;
}

/** A statement's short name: the first eight bytes of its sha2-256, as hex. */
export function nameOf(statement: Uint8Array): string {
  return createHash('sha256')
    .update(statement)
    .digest('hex')
    .slice(0, 2 * NAME_BYTES);
}

/** Thrown when what a peer says on the stream is no question, or no list of statements. */
export class BadTelling extends Error {
  constructor(problem: string) {
    super(`The exchange with the peer is of no use: ${problem}. Another peer will be asked.`);
    this.name = 'BadTelling';
  }
}

/** A question: how many names follow, and the names of what is known already. */
export function question(known: Iterable<Uint8Array>): Uint8Array {
  const names = Array.from(known, nameOf).slice(-MOST_NAMES);
  return framed(Buffer.from(names.join(''), 'hex'));
}

/** Reads a question. @throws BadTelling */
export async function readQuestion(pieces: AsyncIterator<Uint8Array>): Promise<Set<string>> {
  let all: Uint8Array = new Uint8Array();
  for (;;) {
    if (all.length >= LENGTH_BYTES) {
      const length = lengthAt(all, 0);
      if (length % NAME_BYTES !== 0 || length > MOST_NAMES * NAME_BYTES) {
        throw new BadTelling(`a question has ${length} bytes`);
      }
      if (all.length >= LENGTH_BYTES + length) {
        const hex = Buffer.from(all.subarray(LENGTH_BYTES, LENGTH_BYTES + length)).toString('hex');
        return new Set(hex.match(/.{16}/g));
      }
    }
    const { done, value } = await pieces.next();
    if (done) throw new BadTelling('it ends within the question');
    all = Buffer.concat([all, value]);
  }
}

/** Puts statements into frames: four bytes of length, big endian, and the statement. */
export function* frames(statements: Iterable<Uint8Array>): Generator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for (const statement of statements) {
    parts.push(framed(statement));
    size += LENGTH_BYTES + statement.length;
    if (size < PIECE_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts);
}

/**
 * Takes frames apart as they arrive, never holding more than one statement and one piece.
 * @throws BadTelling for a frame or a sum that is too long, and for a cut end.
 */
export async function* unframe(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    if (total > MOST_BYTES) throw new BadTelling(`it is longer than ${MOST_BYTES} bytes`);
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let at = 0;
    while (rest.length - at >= LENGTH_BYTES) {
      const length = lengthAt(rest, at);
      if (length === 0 || length > MAX_MESSAGE_BYTES) throw new BadTelling(`a statement has ${length} bytes`);
      if (rest.length - at < LENGTH_BYTES + length) break;
      // A copy: what is kept must not keep the whole piece.
      yield Uint8Array.from(rest.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
      at += LENGTH_BYTES + length;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new BadTelling('it ends within a statement');
}

/** Answers a peer's question with every statement that it does not have. Does not throw. */
export async function tell(stream: HostStream, statements: () => Iterable<Uint8Array>): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const onAbort = (): void => stream.abort(new BadTelling('nobody asks'));
  signal.addEventListener('abort', onAbort, { once: true });
  let size = 0;
  try {
    const known = await readQuestion(bytesOf(stream));
    for (const piece of frames(missing(statements(), known))) {
      size += piece.length;
      if (size > MOST_BYTES) break;
      if (!stream.send(piece)) await stream.onDrain({ signal });
    }
    await stream.close({ signal });
  } catch (error) {
    stream.abort(error as Error);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Asks a peer over an open connection, and hands each statement to `take`. @throws BadTelling, or what the stream throws. */
export async function ask(
  protocol: string,
  connection: ReturnType<Host['getConnections']>[number],
  known: Iterable<Uint8Array>,
  take: (statement: Uint8Array) => Promise<void>,
  ended: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(TIMEOUT_MS)]);
  const stream = await connection.newStream(protocol, { signal });
  const onAbort = (): void => stream.abort(new BadTelling('it takes too long'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const pieces = bytesOf(stream, question(known));
    for await (const statement of unframe(pieces)) await take(statement);
    await stream.close({ signal });
  } catch (error) {
    stream.abort(error as Error);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function framed(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, LENGTH_BYTES).getUint32(0);
}

function* missing(statements: Iterable<Uint8Array>, known: ReadonlySet<string>): Generator<Uint8Array> {
  for (const statement of statements) if (!known.has(nameOf(statement))) yield statement;
}

/** What arrives; `first` is sent once somebody listens: an end that comes earlier would be missed. */
async function* bytesOf(stream: HostStream, first?: Uint8Array): AsyncGenerator<Uint8Array> {
  const pieces = stream[Symbol.asyncIterator]();
  let next = pieces.next();
  if (first) stream.send(first);
  for (let { done, value } = await next; !done; { done, value } = await next) {
    next = pieces.next();
    // A failure that comes while the piece is worked on is seen in the next round, where `next` is awaited.
    next.catch(() => {});
    yield value instanceof Uint8Array ? value : value!.subarray();
  }
}
