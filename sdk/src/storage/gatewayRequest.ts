import { concat, iterate } from './bytes.ts';
import type { Block } from './car.ts';
import { readCar } from './car.ts';
import { MAX_BLOCK_BYTES } from './cid.ts';
import { BlockTooBigError, GatewayError } from './errors.ts';
import { errorFromResponse } from './wire.ts';

/** How patient a reader is with a gateway. */
export interface Patience {
  /** Longest silence of a gateway, in milliseconds, before the rest is taken from another. */
  readonly stallMs: number;
  /** Longest time for one block, in milliseconds: catches a gateway that drips. */
  readonly blockMs: number;
  /** Pause before a gateway that failed is asked again, in milliseconds, times its failures. */
  readonly retryMs: number;
  /** How often one gateway may fail in a row before it is given up. */
  readonly triesPerHolder: number;
}

/** Patience that suits the open internet. */
export const DEFAULT_PATIENCE: Patience = { stallMs: 10_000, blockMs: 30_000, retryMs: 250, triesPerHolder: 2 };

/** A gateway's URL for `path`, whether or not its base ends with a slash. */
export const gatewayUrl = (gateway: string, path: string): string => gateway.replace(/\/+$/, '') + path;

/** One GET at one gateway, under a watch that runs only while we wait for the gateway, never for our consumer. */
export class GatewayRequest {
  readonly #gateway: string;
  readonly #path: string;
  readonly #patience: Patience;
  readonly #fetch: typeof fetch;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Time this block has been waited for, in milliseconds. */
  #waited = 0;

  constructor(gateway: string, path: string, patience: Patience, fetcher: typeof fetch, signal?: AbortSignal) {
    this.#gateway = gateway;
    this.#path = path;
    this.#patience = patience;
    this.#fetch = fetcher;
    this.#signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
  }

  /** Why the watch stopped the stream, if it did. */
  get failure(): unknown {
    return this.#stop.signal.aborted ? this.#stop.signal.reason : undefined;
  }

  /** The blocks of a CAR as they come, not verified. */
  async *blocks(): AsyncGenerator<Block, void, undefined> {
    const body = await this.#open('application/vnd.ipld.car', '; version=1; order=dfs; dups=y');
    const { blocks } = await readCar(this.#bytes(body));
    for await (const block of blocks) {
      this.#waited = 0;
      yield block;
    }
  }

  /** The bytes of one raw block, not verified, at most as large as a block may be. */
  async block(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of this.#bytes(await this.#open('application/vnd.ipld.raw'))) {
      size += part.byteLength;
      if (size > MAX_BLOCK_BYTES) throw new BlockTooBigError(size, MAX_BLOCK_BYTES);
      parts.push(part);
    }
    return concat(parts);
  }

  /** Whether the gateway says that it has it. */
  async exists(): Promise<boolean> {
    const response = await this.#send('HEAD', 'application/vnd.ipld.raw');
    return response.ok;
  }

  /** Ends the request if it still runs. */
  close(): void {
    this.#stop.abort(new GatewayError(this.#gateway, 'no longer needed'));
  }

  async #open(type: string, parameters = ''): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#send('GET', type + parameters);
    if (!response.ok || !response.body) throw await this.#watch(errorFromResponse(this.#gateway, response));
    const sent = response.headers.get('content-type') ?? 'nothing';
    if (!sent.startsWith(type)) throw new GatewayError(this.#gateway, `it sent ${sent}, not ${type}`);
    return response.body;
  }

  #send(method: 'GET' | 'HEAD', accept: string): Promise<Response> {
    // a redirect could lead a node into its operator's own network
    const request = { method, headers: { accept }, signal: this.#signal, redirect: 'error' } as const;
    return this.#watch(this.#fetch(gatewayUrl(this.#gateway, this.#path), request));
  }

  async *#bytes(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const chunks = iterate(body);
    try {
      for (;;) {
        const { done, value } = await this.#watch(chunks.next());
        if (done) return;
        yield value;
      }
    } finally {
      await chunks.return();
    }
  }

  async #watch<T>(waiting: Promise<T>): Promise<T> {
    const { stallMs, blockMs } = this.#patience;
    const left = Math.max(0, blockMs - this.#waited);
    const why = stallMs <= left ? `it was silent for ${stallMs} ms` : `one block took over ${blockMs} ms`;
    const started = performance.now();
    const timer = setTimeout(() => this.#stop.abort(new GatewayError(this.#gateway, why)), Math.min(stallMs, left));
    try {
      return await waiting;
    } finally {
      clearTimeout(timer);
      this.#waited += performance.now() - started;
    }
  }
}
