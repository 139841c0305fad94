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

/** Collects blocks into CAR shards and sends them while more are collected. */
export class ShardSender {
  readonly #writer: GatewayWriter;
  readonly #options: UploadOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #sending: TaskWindow;
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(writer: GatewayWriter, options: UploadOptions, signal?: AbortSignal) {
    this.#writer = writer;
    this.#options = options;
    this.#signal = signal;
    this.#sending = new TaskWindow(options.parallel);
  }

  /** Adds a block, sending the shard before it when the block no longer fits. Waits while enough is under way. */
  async add(block: Block): Promise<void> {
    const head = carSectionHead(block);
    const size = head.byteLength + block.bytes.byteLength;
    // checked again after every wait: other blocks are added meanwhile
    while (this.#parts.length > 0 && this.#size + size > this.#options.shardBytes) await this.#send();
    if (this.#parts.length === 0) this.#push(carHeader([block.cid as CID]));
    this.#push(head);
    this.#push(block.bytes);
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

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#size += part.byteLength;
  }

  async #send(): Promise<void> {
    if (this.#parts.length === 0) return;
    const shard = concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    await this.#sending.add(() =>
      this.#writer.post('/v1/blocks', 'application/vnd.ipld.car; version=1', shard, this.#signal),
    );
  }
}
