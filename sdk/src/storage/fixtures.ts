import { createHash } from 'node:crypto';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';

export const MIB = 1024 * 1024;

/** The same pseudo-random bytes for the same seed, on every machine. */
export function randomBytes(size: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed * 2654435761 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** Everything an async iterable gives. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** A body for a request or an answer. */
export function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value as Uint8Array<ArrayBuffer>);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

/** The CID of a small file by the unixfs-v1-2025 profile, made by hand: a second opinion on the importer and its options. */
export function cidByHand(bytes: Uint8Array): string {
  if (bytes.length <= MIB) return cidOf(0x55, bytes);
  if (bytes.length > 1024 * MIB) throw new Error('more than one level of nodes');
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MIB) leaves.push(bytes.subarray(at, at + MIB));
  const links = leaves.map((leaf) => {
    const link = Buffer.concat([
      field(1, CID.parse(cidOf(0x55, leaf)).bytes),
      field(2, Buffer.alloc(0)),
      number(3, leaf.length),
    ]);
    return field(2, link);
  });
  const sizes = leaves.map((leaf) => number(4, leaf.length));
  const unixfs = Buffer.concat([number(1, 2), number(3, bytes.length), ...sizes]);
  return cidOf(0x70, Buffer.concat([...links, field(1, unixfs)]));
}

function cidOf(codec: number, bytes: Uint8Array): string {
  return CID.createV1(codec, Digest.create(0x12, createHash('sha256').update(bytes).digest())).toString();
}

const field = (tag: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([tag * 8 + 2]), varint(bytes.length), bytes]);
const number = (tag: number, value: number): Buffer => Buffer.concat([Buffer.from([tag * 8]), varint(value)]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}
