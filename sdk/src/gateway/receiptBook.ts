import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseCid } from '../storage/cid.ts';
import { signedReceiptSchema } from '../storage/receipt.ts';
import type { SignedReceipt } from '../storage/receipt.ts';
import { syncFolder } from './fileBlockstore.ts';

/** Receipts kept of one root; more than three copies exist only while somebody is replaced. */
export const MOST_RECEIPTS = 16;

const FILE = z.object({ version: z.literal(1), receipts: z.array(signedReceiptSchema) });

/**
 * The receipts of the roots that a gateway keeps, one small file a root, replaced as a whole and synced: whoever holds a copy can say who
 * else does, after the node that made it is gone.
 */
export class ReceiptBook {
  readonly #dir: string;
  readonly #receipts: Map<string, readonly SignedReceipt[]>;
  #saving: Promise<unknown> = Promise.resolve();

  private constructor(dir: string, receipts: Map<string, readonly SignedReceipt[]>) {
    this.#dir = dir;
    this.#receipts = receipts;
  }

  /** Reads the folder. A file that a crash left half-written is passed over: receipts can be asked for again. */
  static async open(dir: string): Promise<ReceiptBook> {
    await mkdir(dir, { recursive: true });
    const receipts = new Map<string, readonly SignedReceipt[]>();
    for (const name of await readdir(dir)) {
      const file = join(dir, name);
      if (!name.endsWith('.json')) await rm(file, { force: true });
      const parsed = FILE.safeParse(jsonOf(await readFile(file, 'utf8').catch(() => '')));
      if (parsed.success) receipts.set(name.slice(0, -'.json'.length), parsed.data.receipts as SignedReceipt[]);
    }
    return new ReceiptBook(dir, receipts);
  }

  /** The receipts of a root, in the order in which they came. */
  get(cid: string): readonly SignedReceipt[] {
    return this.#receipts.get(cid) ?? [];
  }

  /** Roots with receipts. */
  roots(): string[] {
    return [...this.#receipts.keys()];
  }

  /** Adds receipts, on disk when this returns. A node's newest one replaces those before it, also one that is longer: it said so last. */
  async add(cid: string, added: readonly SignedReceipt[]): Promise<void> {
    const nodes = new Set(added.map(({ node }) => node));
    const kept = this.get(cid).filter(({ node }) => !nodes.has(node));
    await this.#set(cid, [...kept, ...added].slice(-MOST_RECEIPTS));
  }

  /** Forgets the receipt of a node that does not hold the root any more, on disk when this returns. */
  async drop(cid: string, node: number): Promise<void> {
    await this.#set(
      cid,
      this.get(cid).filter((receipt) => receipt.node !== node),
    );
  }

  /** Forgets the roots that are not kept here any more. */
  async prune(isKept: (cid: string) => boolean): Promise<void> {
    for (const cid of this.roots()) if (!isKept(cid)) await this.#set(cid, []);
  }

  #set(cid: string, receipts: readonly SignedReceipt[]): Promise<void> {
    const name = parseCid(cid).toString();
    if (receipts.length > 0) this.#receipts.set(name, receipts);
    else this.#receipts.delete(name);
    const saved = this.#saving.then(() => this.#save(name));
    // Whoever asked for this save hears of its failure; the next one must not wait for ever, nor fail with it.
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async #save(cid: string): Promise<void> {
    const file = join(this.#dir, `${cid}.json`);
    const receipts = this.get(cid);
    if (receipts.length === 0) await rm(file, { force: true });
    else {
      const handle = await open(`${file}.tmp`, 'w');
      try {
        await handle.writeFile(JSON.stringify({ version: 1, receipts }));
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(`${file}.tmp`, file);
    }
    await syncFolder(this.#dir);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
