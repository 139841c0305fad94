import type { Chain, Head } from './chain.ts';
import type { ChainBook } from './chainBook.ts';
import { readCourtLog } from '../court/courtEvents.ts';
import { TransientError } from '../errors.ts';
import type { Log } from '../log.ts';
import { readMarketLog, type MarketEvent } from './marketEvents.ts';

/** How logs are read. Numbers are in blocks. */
export interface ScanOptions {
  /** Our node's id. */
  node: number;
  /** The Market's first block. */
  startBlock: number;
  /** Most blocks that one question covers. */
  rangeBlocks: number;
}

/** What the scanner works with. */
export interface ScanDeps {
  chain: Chain;
  book: ChainBook;
  log: Log;
}

/** Reads the Market's events into the book, block after block, exactly once, whatever the chain does meanwhile. */
export class Scan {
  readonly #options: ScanOptions;
  readonly #deps: ScanDeps;

  constructor(options: ScanOptions, deps: ScanDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Brings the book up to `head` and answers with the events that are new. */
  async advance(head: Head): Promise<MarketEvent[]> {
    const { chain, book } = this.#deps;
    await this.#rewindToAncestor(head);
    const found: MarketEvent[] = [];
    let from = (book.cursor()?.number ?? this.#options.startBlock - 1) + 1;
    while (from <= head.number) {
      const to = Math.min(from + this.#options.rangeBlocks - 1, head.number);
      // Asked before the logs, even for the head: an endpoint that does not have the block yet answers with no logs of it, which look like none.
      const last = await chain.block(to);
      const logs = await chain.logs(from, to);
      // A block that changed between the two questions would mix two forks.
      const moved = logs.find((log) => log.blockNumber === to && log.blockHash !== last?.hash);
      const other = to === head.number && last?.hash !== head.hash;
      if (!last || moved || other) throw new TransientError('The chain moved while its logs were read.', { from, to });
      const events = await this.#dated(
        logs.flatMap((log) => readMarketLog(log) ?? []),
        last,
      );
      const court = logs.flatMap((log) => readCourtLog(log) ?? []);
      book.advance(events, last, this.#options.node, court);
      found.push(...events);
      from = to + 1;
    }
    return found;
  }

  /** Reads everything from block `number` on again, with the next `advance`. */
  rescan(number: number): void {
    this.#deps.book.rewind(Math.max(number - 1, this.#options.startBlock - 1));
  }

  /** Puts the block's time on the events of our own leases: their next deadline counts from it. */
  async #dated(events: MarketEvent[], last: Head): Promise<MarketEvent[]> {
    const times = new Map([[last.number, last.timestamp]]);
    const dated: MarketEvent[] = [];
    for (const event of events) {
      if (!('node' in event) || event.node !== this.#options.node) {
        dated.push(event);
        continue;
      }
      const time = times.get(event.block) ?? (await this.#deps.chain.block(event.block))?.timestamp;
      if (time === undefined)
        throw new TransientError('The chain moved while its logs were read.', { block: event.block });
      times.set(event.block, time);
      dated.push({ ...event, time });
    }
    return dated;
  }

  async #rewindToAncestor(head: Head): Promise<void> {
    const { chain, book, log } = this.#deps;
    const cursor = book.cursor();
    if (!cursor || (cursor.number === head.number ? cursor.hash === head.hash : await this.#isOnChain(cursor, head)))
      return;
    for (const block of book.scanned()) {
      if (block.number > head.number || (await chain.block(block.number))?.hash !== block.hash) continue;
      log.warn('Reading events again after a reorganisation', { ancestor: block.number, scanned: cursor.number });
      return book.rewind(block.number);
    }
    log.warn('No scanned block is on the chain any more, reading everything again', { scanned: cursor.number });
    book.rewind(this.#options.startBlock - 1);
  }

  async #isOnChain(cursor: { number: number; hash: string }, head: Head): Promise<boolean> {
    if (cursor.number > head.number) return false;
    if (cursor.number === head.number - 1) return cursor.hash === head.parentHash;
    return (await this.#deps.chain.block(cursor.number))?.hash === cursor.hash;
  }
}
