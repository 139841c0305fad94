import type { CID } from 'multiformats/cid';
import { concat, sleep, TaskWindow } from './bytes.ts';
import type { Block } from './car.ts';
import { carHeader, carSectionHead } from './car.ts';
import { GatewayError, reasonOf, StorageError } from './errors.ts';
import { gatewayUrl } from './gatewayRequest.ts';
import { errorFromResponse } from './wire.ts';
import type { WriteRequest } from './writeAuth.ts';

/** How an upload is cut and how patient it is. */
export interface UploadOptions {
  /** Most bytes of one request's CAR. Browsers cannot stream request bodies over HTTP/1, so a file goes up in shards. */
  readonly shardBytes: number;
  /** Shards under way at once; memory is about twice `shardBytes` times one more than this. */
  readonly parallel: number;
  /** Longest time for one request, in milliseconds. */
  readonly requestMs: number;
  /** Tries of one request when the gateway fails (not when it refuses). */
  readonly tries: number;
  /** Pause before the second try, in milliseconds; doubles with every further one. */
  readonly retryMs: number;
}

/** Values that suit a home connection: 16 MiB in two minutes is 1.1 Mbit/s. */
export const DEFAULT_UPLOAD: UploadOptions = {
  shardBytes: 16 * 1024 * 1024,
  parallel: 2,
  requestMs: 120_000,
  tries: 3,
  retryMs: 250,
};

/** What writing to a gateway needs from outside. */
export interface WriterDeps {
  readonly fetch: typeof fetch;
  /** Headers of a write, for gateways that ask who writes: see `signedWriteHeaders` and `grantHeaders`. Asked again for every try. */
  readonly headers?: ((request: WriteRequest) => Promise<Record<string, string>> | Record<string, string>) | undefined;
}

/** Sends writes to one gateway: retries what failed, turns refusals into typed errors. */
export class GatewayWriter {
  readonly #gateway: string;
  readonly #options: UploadOptions;
  readonly #deps: WriterDeps;

  constructor(gateway: string, options: UploadOptions, deps: WriterDeps) {
    this.#gateway = gateway;
    this.#options = options;
    this.#deps = deps;
  }

  /** POSTs `body` and returns the answer's JSON. */
  async post(path: string, type: string, body: BodyInit, signal?: AbortSignal, requestMs?: number): Promise<unknown> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#once(path, type, body, requestMs ?? this.#options.requestMs, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof GatewayError) || tried >= this.#options.tries) throw error;
        await sleep(this.#options.retryMs * 2 ** (tried - 1), signal);
      }
    }
  }

  async #once(path: string, type: string, body: BodyInit, requestMs: number, signal?: AbortSignal): Promise<unknown> {
    const timeout = AbortSignal.timeout(requestMs);
    try {
      const response = await this.#deps.fetch(gatewayUrl(this.#gateway, path), {
        method: 'POST',
        headers: {
          ...(await this.#deps.headers?.({ gateway: this.#gateway, method: 'POST', path, body })),
          'content-type': type,
        },
        body,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        redirect: 'error',
      });
      if (!response.ok) throw await errorFromResponse(this.#gateway, response);
      return (await response.json()) as unknown;
    } catch (error) {
      if (error instanceof StorageError) throw error;
      throw new GatewayError(this.#gateway, timeout.aborted ? `no answer in ${requestMs} ms` : reasonOf(error), error);
    }
  }
}

/** Shards smaller than this are sent without asking what of them is there: the question would take as long. */
const WORTH_ASKING_BYTES = 2 * 1024 * 1024;

/**
 * Collects blocks into CAR shards and sends them while more are collected. An upload that broke off is resumed: the gateway is asked what it has of a
 * shard, and gets only the rest; since uploads begin at the beginning, it is asked no more after a shard of which it had nothing.
 */
export class ShardSender {
  readonly #writer: GatewayWriter;
  readonly #options: UploadOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #sending: TaskWindow;
  #blocks: Block[] = [];
  #size = 0;
  #resuming = true;

  constructor(writer: GatewayWriter, options: UploadOptions, signal?: AbortSignal) {
    this.#writer = writer;
    this.#options = options;
    this.#signal = signal;
    this.#sending = new TaskWindow(options.parallel);
  }

  /** Adds a block, sending the shard before it when the block no longer fits. Waits while enough is under way. */
  async add(block: Block): Promise<void> {
    const size = sectionBytes(block);
    // checked again after every wait: other blocks are added meanwhile
    while (this.#blocks.length > 0 && this.#size + size > this.#options.shardBytes) await this.#send();
    if (this.#blocks.length === 0) this.#size = carHeader([block.cid as CID]).byteLength;
    this.#blocks.push(block);
    this.#size += size;
  }

  /** Sends what is left and waits for everything. */
  async finish(): Promise<void> {
    await this.#send();
    await this.#sending.idle();
  }

  /** Waits for what is under way after a failure, so that nothing is still sending when the caller reads the error. */
  async settled(): Promise<void> {
    await this.#sending.settled();
  }

  async #send(): Promise<void> {
    if (this.#blocks.length === 0) return;
    const blocks = this.#blocks;
    const worthAsking = this.#size >= WORTH_ASKING_BYTES;
    this.#blocks = [];
    this.#size = 0;
    await this.#sending.add(async () => {
      const missing = this.#resuming && worthAsking ? await this.#missing(blocks) : blocks;
      const [first] = missing;
      if (!first) return;
      const parts = missing.flatMap((block) => [carSectionHead(block), block.bytes]);
      const shard = concat([carHeader([first.cid as CID]), ...parts]);
      await this.#writer.post('/v1/blocks', 'application/vnd.ipld.car; version=1', shard, this.#signal);
    });
  }

  async #missing(blocks: readonly Block[]): Promise<readonly Block[]> {
    const body = JSON.stringify({ cids: blocks.map(({ cid }) => cid.toString()) });
    const answer = await this.#writer.post('/v1/missing', 'application/json', body, this.#signal);
    const { missing } = answer as { missing?: unknown };
    // a gateway that does not say gets everything, which is never wrong
    const absent = new Set(Array.isArray(missing) ? missing.map(String) : blocks.map(({ cid }) => cid.toString()));
    const rest = blocks.filter(({ cid }) => absent.has(cid.toString()));
    if (rest.length === blocks.length) this.#resuming = false;
    return rest;
  }
}

const sectionBytes = (block: Block): number => carSectionHead(block).byteLength + block.bytes.byteLength;
