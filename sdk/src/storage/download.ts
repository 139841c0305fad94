import type { CID } from 'multiformats/cid';
import { sleep } from './bytes.ts';
import { verifyBlock } from './cid.ts';
import { AllHoldersFailedError, GatewayError, NotFoundError, reasonOf, StorageError } from './errors.ts';
import type { HolderFailure, StorageErrorCode } from './errors.ts';
import { GatewayRequest } from './gatewayRequest.ts';
import type { Patience } from './gatewayRequest.ts';
import { FileCursor } from './unixfs.ts';
import type { FileBlock } from './unixfs.ts';

/** The gateways that hold a CID, as base URLs, best first. Asked again after every failure, as holders come and go. */
export type GetHolders = (cid: string) => Promise<readonly string[]> | readonly string[];

/** Answers after which a gateway need not be asked for the same content again. */
const HOPELESS: ReadonlySet<StorageErrorCode> = new Set(['hash-mismatch', 'not-found', 'gone']);

/** What a download needs from outside. */
export interface DownloadDeps {
  readonly getHolders: GetHolders;
  readonly fetch: typeof fetch;
  /** Told of every failure of a gateway, before the next is tried. */
  readonly onFailure?: ((failure: HolderFailure & { cid: string; offset: number }) => void) | undefined;
}

/**
 * Keeps the score of who failed how often while one CID is read. A gateway that sent wrong bytes is out for good; one
 * that has nothing is out for this read; one that stalled or died may be asked again after the others.
 */
export class HolderRound {
  readonly #cid: CID;
  readonly #patience: Patience;
  readonly #deps: DownloadDeps;
  readonly #strikes = new Map<string, number>();
  readonly #failures: HolderFailure[] = [];

  constructor(cid: CID, patience: Patience, deps: DownloadDeps) {
    this.#cid = cid;
    this.#patience = patience;
    this.#deps = deps;
  }

  /** The gateway to ask next; waits if it has failed before. Throws when nobody is left; `offset` is for the message. */
  async next(offset: number, signal?: AbortSignal): Promise<string> {
    const cid = this.#cid.toString();
    const holders = [...new Set(await this.#deps.getHolders(cid))];
    const strikes = (holder: string): number => this.#strikes.get(holder) ?? 0;
    const [best] = holders
      .filter((holder) => strikes(holder) < this.#patience.triesPerHolder)
      .sort((a, b) => strikes(a) - strikes(b));
    if (best === undefined) throw this.#verdict(offset);
    if (strikes(best) > 0) await sleep(this.#patience.retryMs * strikes(best), signal);
    return best;
  }

  /** `holder` gave verified bytes: earlier failures of it are forgiven, so a flapping gateway can serve to the end. */
  progressed(holder: string): void {
    this.#strikes.delete(holder);
  }

  /** Notes a failure, so that another holder is asked next. */
  failed(holder: string, error: unknown, offset: number): void {
    const failure = {
      holder,
      error: error instanceof StorageError ? error : new GatewayError(holder, reasonOf(error), error),
    };
    const hopeless = HOPELESS.has(failure.error.code);
    const strikes = (this.#strikes.get(holder) ?? 0) + 1;
    this.#strikes.set(holder, hopeless ? Number.POSITIVE_INFINITY : strikes);
    this.#failures.push(failure);
    this.#deps.onFailure?.({ ...failure, cid: this.#cid.toString(), offset });
  }

  #verdict(offset: number): StorageError {
    const cid = this.#cid.toString();
    const absent = this.#failures.every(({ error }) => error instanceof NotFoundError);
    if (absent) return new NotFoundError(cid, [...new Set(this.#failures.map(({ holder }) => holder))]);
    return new AllHoldersFailedError(cid, offset, this.#failures);
  }
}

/**
 * Streams the blocks of the file bytes [from, to), every one hashed before it is yielded, from whichever holder serves.
 * On a stall, a wrong hash, a truncated stream or a dead gateway it goes on at the next holder from the first byte that
 * is still missing (`entity-bytes`). Holds one block and one path of nodes.
 */
export async function* downloadFile(
  root: CID,
  { from = 0, to = Number.POSITIVE_INFINITY }: { from?: number; to?: number },
  patience: Patience,
  deps: DownloadDeps,
  signal?: AbortSignal,
): AsyncGenerator<FileBlock, void, undefined> {
  const round = new HolderRound(root, patience, deps);
  let offset = from;
  for (;;) {
    const holder = await round.next(offset, signal);
    const cursor = new FileCursor(root, offset, to);
    const request = new GatewayRequest(holder, carPath(root, offset, to), patience, deps.fetch, signal);
    let badContent: unknown;
    try {
      for await (const block of request.blocks()) {
        const cid = cursor.next!;
        if (!cid.equals(block.cid)) throw new GatewayError(holder, `it sent ${block.cid} where ${cid} was due`);
        await verifyBlock(cid, block.bytes);
        let data: Uint8Array;
        try {
          data = cursor.take(block.bytes);
        } catch (error) {
          // the bytes are the right ones, so the content itself is at fault and no other holder has better
          badContent = error;
          throw error;
        }
        if (data.byteLength > 0) {
          offset += data.byteLength;
          round.progressed(holder);
        }
        yield { cid, bytes: block.bytes, data, fileSize: cursor.size! };
        if (!cursor.next) return;
      }
      throw new GatewayError(holder, `its stream ended early, at byte ${offset}`);
    } catch (error) {
      if (badContent !== undefined) throw error;
      signal?.throwIfAborted();
      round.failed(holder, request.failure ?? error, offset);
    } finally {
      request.close();
    }
  }
}

/** Reads one block of any codec, verified, from whichever holder has it. */
export async function downloadBlock(
  cid: CID,
  patience: Patience,
  deps: DownloadDeps,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const round = new HolderRound(cid, patience, deps);
  for (;;) {
    const holder = await round.next(0, signal);
    const request = new GatewayRequest(holder, `/ipfs/${cid}?format=raw`, patience, deps.fetch, signal);
    try {
      const bytes = await request.block();
      await verifyBlock(cid, bytes);
      return bytes;
    } catch (error) {
      signal?.throwIfAborted();
      round.failed(holder, request.failure ?? error, 0);
    } finally {
      request.close();
    }
  }
}

const carPath = (root: CID, from: number, to: number): string => {
  const last = to === Number.POSITIVE_INFINITY ? '*' : String(Math.max(from, to - 1));
  const range = from > 0 || last !== '*' ? `&entity-bytes=${from}:${last}` : '';
  return `/ipfs/${root}?format=car&dag-scope=entity${range}`;
};
