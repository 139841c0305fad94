import type { ChainBook } from '../chain/chainBook.ts';
import type { IntentKind, Outbox } from '../sending/outbox.ts';
import type { Lot } from '../resources/edf.ts';
import type { Governor } from '../resources/governor.ts';
import { roomNow } from '../resources/machine.ts';
import { minus, needsOf, times } from '../resources/needs.ts';
import type { Resources } from '../resources/resources.ts';
import type { Room } from './plan.ts';

/** What the machine's room is read from. */
export interface PendingClaimsDeps {
  resources: Resources;
  governor: Pick<Governor, 'reading'>;
  outbox: Pick<Outbox, 'live'>;
  book: Pick<ChainBook, 'cursor'>;
}

const CLAIMING: readonly IntentKind[] = ['claim', 'takeOver', 'sit', 'audit'];

/** Claims that are on their way: nobody holds their shards yet, and what they will take is spoken for. */
export class PendingClaims {
  readonly #memoryBytes: number;
  readonly #deps: PendingClaimsDeps;
  /** What claims of this process take, by their name. */
  readonly #lots = new Map<string, Lot>();

  /** `memoryBytes`: the most that a shard may ask for; it is what a claim of an earlier process is taken to need. */
  constructor({ memoryBytes }: { memoryBytes: number }, deps: PendingClaimsDeps) {
    this.#memoryBytes = memoryBytes;
    this.#deps = deps;
  }

  /** Remembers what a claim takes that is about to be sent. */
  add(name: string, lot: Lot): void {
    this.#lots.set(name, lot);
  }

  /** What is left of the machine beside what is promised, and beside the claims that are on their way. */
  room(): Room {
    const { resources, governor } = this.#deps;
    let free = roomNow(resources, governor.reading);
    const lots = resources.lots;
    for (const [name, shards] of this.#shards()) {
      const lot = this.#lots.get(name);
      free = minus(free, times(lot?.needs ?? needsOf(this.#memoryBytes), shards));
      if (lot) lots.push(lot);
    }
    return { capacity: resources.capacity, free, lots };
  }

  /** Names of the claims that are on their way, and of how many shards. */
  #shards(): Map<string, number> {
    const { book, outbox } = this.#deps;
    const scanned = book.cursor()?.number ?? 0;
    const pending = outbox.live().filter(({ kind, status, block }) => {
      if (!CLAIMING.includes(kind)) return false;
      return status === 'queued' || status === 'sent' || (status === 'mined' && (block ?? 0) > scanned);
    });
    const named = new Map(pending.map(({ key, shards }) => [key.slice(0, key.lastIndexOf(':')), shards]));
    for (const name of this.#lots.keys()) if (!named.has(name)) this.#lots.delete(name);
    return named;
  }
}
