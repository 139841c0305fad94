import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { FILTER_ITEMS } from '@dpu/sdk/gossip/filter';
import { parseCid, type CidLike } from '@dpu/sdk/storage/cid';

/** Modules, models and inputs that this node has used and still holds, newest last: what it is warm for. */
export class HeldContent {
  readonly #file: string;
  readonly #held = new Set<string>();
  #changed = false;

  /** @param file Where the list is kept over restarts. A file that cannot be read is an empty list: the node is only colder than it was. */
  constructor(file: string) {
    this.#file = file;
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      try {
        if (line !== '') this.#held.add(parseCid(line).toString());
      } catch {
        continue;
      }
    }
  }

  /** Whether the node has used `cid` lately and holds it. For the plan: such a job needs no download. */
  has(cid: CidLike): boolean {
    return this.#held.has(parseCid(cid).toString());
  }

  /** Remembers that a file was fetched or used. */
  use(cid: CidLike): void {
    const name = parseCid(cid).toString();
    this.#changed ||= !this.#held.has(name);
    this.#held.delete(name);
    this.#held.add(name);
    for (const oldest of this.#held) {
      if (this.#held.size <= FILTER_ITEMS) break;
      this.#held.delete(oldest);
    }
  }

  /** Forgets what `stillHeld` denies, writes the list, and answers with it. */
  async review(stillHeld: (cid: string) => Promise<boolean>): Promise<readonly string[]> {
    for (const cid of [...this.#held]) {
      if (await stillHeld(cid)) continue;
      this.#held.delete(cid);
      this.#changed = true;
    }
    if (this.#changed) this.#write();
    this.#changed = false;
    return [...this.#held];
  }

  #write(): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.draft`, `${[...this.#held].join('\n')}\n`);
    renameSync(`${this.#file}.draft`, this.#file);
  }
}
