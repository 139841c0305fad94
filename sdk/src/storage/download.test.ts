import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CID } from 'multiformats/cid';
import { dataOf } from './backend.ts';
import { carHeader, carSectionHead } from './car.ts';
import type { Block } from './car.ts';
import { cidOfBlock } from './cid.ts';
import { downloadBlock, downloadFile } from './download.ts';
import type { DownloadDeps } from './download.ts';
import { AllHoldersFailedError, FileTooBigError, NotAFileError } from './errors.ts';
import { MIB, randomBytes } from './fixtures.ts';
import { DEFAULT_PATIENCE } from './gatewayRequest.ts';
import { cutFile } from './unixfs.ts';

/** What a scripted gateway does after sending `chunks`. */
type Ending = 'end' | 'hang' | 'drip' | 'slow end';

/** Answers of a gateway that exists only here; time is the test's. */
function answer(chunks: Uint8Array[], ending: Ending, signal: AbortSignal): Response {
  const left = [...chunks];
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      signal.addEventListener('abort', () => controller.error(signal.reason));
    },
    async pull(controller) {
      if (ending === 'slow end') await new Promise((resolve) => setTimeout(resolve, 9_000));
      const next = left.shift();
      if (next) return controller.enqueue(next as Uint8Array<ArrayBuffer>);
      if (ending !== 'hang' && ending !== 'drip') return controller.close();
      if (ending === 'hang') return new Promise(() => {});
      await new Promise((resolve) => setTimeout(resolve, 1000));
      // a section of 100 bytes that comes byte by byte
      controller.enqueue(Uint8Array.of(100));
    },
  });
  return new Response(body, { headers: { 'content-type': 'application/vnd.ipld.car' } });
}

describe('patience with a gateway', () => {
  const bytes = randomBytes(3 * MIB);
  let blocks: Block[];
  let root: CID;
  let failures: string[];

  beforeEach(async () => {
    blocks = [];
    root = (await cutFile(bytes, async (block) => void blocks.push(block))).cid;
    blocks.unshift(blocks.pop()!);
    failures = [];
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  const chunksOf = (some: Block[]): Uint8Array[] => [
    carHeader([root]),
    ...some.flatMap((block) => [carSectionHead(block), block.bytes]),
  ];

  /** Gateways by name; each answers every request as scripted. */
  function deps(
    gateways: Record<string, (path: string, signal: AbortSignal) => Response | Promise<Response>>,
  ): DownloadDeps {
    return {
      getHolders: () => Object.keys(gateways),
      fetch: async (input, init) => {
        const url = new URL(String(input));
        return gateways[url.origin]!(url.pathname + url.search, init!.signal!);
      },
      onFailure: ({ holder, error, offset }) => failures.push(`${holder} ${offset}: ${error.message}`),
    };
  }

  async function read(from: DownloadDeps, offset = 0): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const { data } of downloadFile(root, { from: offset }, DEFAULT_PATIENCE, from)) parts.push(data);
    return Buffer.concat(parts);
  }

  const rest = (path: string, signal: AbortSignal): Response => {
    const from = Number(/entity-bytes=(\d+):/.exec(path)?.[1] ?? 0);
    return answer(chunksOf([blocks[0]!, ...blocks.slice(1 + Math.floor(from / MIB))]), 'end', signal);
  };

  /** Lets everything happen that needs no time. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 100; i++) await vi.advanceTimersByTimeAsync(0);
  }

  test('ten seconds of silence are a stall, one less is not', async () => {
    const reading = read(
      deps({
        'http://a': (_path, signal) => answer(chunksOf(blocks.slice(0, 2)), 'hang', signal),
        'http://b': rest,
      }),
    );
    await settle();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(failures).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(Buffer.compare(await reading, bytes)).toBe(0);
    expect(failures).toEqual([`http://a ${MIB}: http://a failed: it was silent for 10000 ms`]);
  });

  test('bytes that drip are no silence, but half a minute for one block is too long', async () => {
    const reading = read(
      deps({
        'http://a': (_path, signal) => answer(chunksOf(blocks.slice(0, 3)), 'drip', signal),
        'http://b': rest,
      }),
    );
    await settle();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(failures).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(Buffer.compare(await reading, bytes)).toBe(0);
    expect(failures).toEqual([`http://a ${2 * MIB}: http://a failed: one block took over 30000 ms`]);
  });

  test('a slow gateway that keeps sending is waited for, block by block', async () => {
    const reading = read(deps({ 'http://a': (_path, signal) => answer(chunksOf(blocks), 'slow end', signal) }));
    await vi.advanceTimersByTimeAsync(100_000);
    expect(Buffer.compare(await reading, bytes)).toBe(0);
    expect(failures).toEqual([]);
  });

  test('a gateway that never answers is left', async () => {
    const reading = read(
      deps({
        'http://a': (_path, signal) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        'http://b': rest,
      }),
    );
    await vi.advanceTimersByTimeAsync(10_000);
    expect(Buffer.compare(await reading, bytes)).toBe(0);
  });

  test('a consumer may take its time', async () => {
    const stream = downloadFile(root, {}, DEFAULT_PATIENCE, deps({ 'http://a': rest }));
    let size = 0;
    for await (const { data } of stream) {
      size += data.length;
      await vi.advanceTimersByTimeAsync(100_000);
    }
    expect({ size, failures }).toEqual({ size: bytes.length, failures: [] });
  });

  test('one that keeps failing after some progress may serve to the end', async () => {
    const oneBlock = (path: string, signal: AbortSignal): Response => {
      const from = Number(/entity-bytes=(\d+):/.exec(path)?.[1] ?? 0);
      return answer(chunksOf([blocks[0]!, blocks[1 + from / MIB]!]), 'end', signal);
    };
    const reading = read(deps({ 'http://a': oneBlock }));
    await vi.runAllTimersAsync();
    expect(Buffer.compare(await reading, bytes)).toBe(0);
    expect(failures).toHaveLength(2);
  });

  test('one that fails twice without progress is given up', async () => {
    const reading = read(deps({ 'http://a': () => Promise.reject(new TypeError('fetch failed')) }));
    const verdict = expect(reading).rejects.toThrow(
      `${root} could not be read past byte 0: http://a failed: fetch failed`,
    );
    await vi.runAllTimersAsync();
    await verdict;
    expect(failures).toHaveLength(2);
  });

  test('content that is bad in itself is not asked for again', async () => {
    const file = await cidOfBlock(Uint8Array.of(0xa0), 'dag-cbor');
    const block = { cid: file, bytes: Uint8Array.of(0xa0) };
    const holder = deps({ 'http://a': (_path, signal) => answer(chunksOf([block]), 'end', signal), 'http://b': rest });
    await expect(downloadFile(file, {}, DEFAULT_PATIENCE, holder).next()).rejects.toBeInstanceOf(NotAFileError);
    expect(failures).toEqual([]);
  });

  test('a gateway cannot talk a reader out of asking others', async () => {
    const claims = ['malformed-block', 'file-too-big', 'not-a-file', 'missing-block', 'internal'];
    for (const error of claims) {
      const body = JSON.stringify({ error, message: 'give up', why: 'because' });
      const reading = read(deps({ 'http://a': () => new Response(body, { status: 400 }), 'http://b': rest }));
      await vi.runAllTimersAsync();
      expect(Buffer.compare(await reading, bytes)).toBe(0);
    }
    expect(failures).toHaveLength(claims.length);
  });

  test('a size limit ends the read before data, and costs no other holder a request', async () => {
    const blocksRead = downloadFile(root, {}, DEFAULT_PATIENCE, deps({ 'http://a': rest }));
    await expect(dataOf(root, blocksRead, { maxBytes: 100 }).next()).rejects.toEqual(
      new FileTooBigError(root.toString(), 3 * MIB, 100),
    );
    expect(failures).toEqual([]);
  });

  test('a block that does not end is cut off at its limit', async () => {
    const endless = (): Response => {
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: (c) => c.enqueue(new Uint8Array(MIB)) });
      return new Response(body, { headers: { 'content-type': 'application/vnd.ipld.raw' } });
    };
    const reading = downloadBlock(root, { ...DEFAULT_PATIENCE, triesPerHolder: 1 }, deps({ 'http://a': endless }));
    await expect(reading).rejects.toBeInstanceOf(AllHoldersFailedError);
    expect(failures[0]).toMatch(/a block of 3145728 bytes is over the limit/);
  });
});
