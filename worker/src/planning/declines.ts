import { DECLINES, type DeclineCode, type DeclineSigner, signDecline, type SignedDecline } from '@dpu/sdk/declines';
import type { MarketDomain } from '@dpu/sdk/terms';
import type { Hex } from 'viem';

import type { Journal } from '../sending/journal.ts';

export type { DeclineCode } from '@dpu/sdk/declines';

/** One decision not to take a job. */
export interface Decline {
  job: Hex;
  code: DeclineCode;
  /** Facts of the decision, for the operator; not signed and not shown to others. */
  detail: Record<string, string | number>;
}

/** Thrown while a job is prepared, when it is not for this node. */
export class DeclineError extends Error {
  readonly code: DeclineCode;
  readonly detail: Record<string, string | number>;

  constructor(code: DeclineCode, detail: Record<string, string | number> = {}, cause?: unknown) {
    super(DECLINES[code].sentence, { cause });
    this.name = 'DeclineError';
    this.code = code;
    this.detail = detail;
  }
}

/** A decline as it is shown. */
export interface ShownDecline extends Decline {
  sentence: string;
  /** Block time, unix seconds. */
  at: number;
  /** The operator's signature of it, once there is one. */
  signature?: Hex;
}

/** How declines are kept. */
export interface DeclineBookOptions {
  node: number;
  domain: MarketDomain;
  /** Declines, and signed declines, that are kept. */
  kept: number;
  /** Most signatures for one block: they take a millisecond each, and posts can be many. */
  signedPerBlock: number;
}

/** What the book works with. */
export interface DeclineBookDeps {
  journal: Journal;
  /** The operator's key; without it nothing is signed. */
  signer: DeclineSigner | undefined;
}

/** Told of every decline that was signed. */
export type DeclineListener = (declines: readonly SignedDecline[]) => void;

const SCHEMA = `CREATE TABLE IF NOT EXISTS declines (
  job TEXT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL, signature TEXT, seq INTEGER NOT NULL,
  PRIMARY KEY (job, code)
) STRICT`;

interface Row {
  job: Hex;
  code: DeclineCode;
  detail: string;
  at: number;
  signature: Hex | null;
}

/** Why jobs were not taken: the last of them, one per job and reason, on disk. What is new is signed and told to who listens. */
export class DeclineBook {
  readonly #options: DeclineBookOptions;
  readonly #deps: DeclineBookDeps;
  /** Names of what is kept: the same is said of a job with every block. */
  readonly #known: Set<string>;
  readonly #listeners = new Set<DeclineListener>();
  #seq: number;

  constructor(options: DeclineBookOptions, deps: DeclineBookDeps) {
    this.#options = options;
    this.#deps = deps;
    deps.journal.extend(SCHEMA);
    this.#known = new Set(this.#rows().map(nameOf));
    this.#seq = deps.journal.get<{ seq: number | null }>('SELECT MAX(seq) AS seq FROM declines')?.seq ?? 0;
  }

  /** Takes in the declines of a block at block time `at`; answers those that are new. */
  add(declines: readonly Decline[], at: number): Decline[] {
    const fresh = declines.filter((decline) => !this.#known.has(nameOf(decline)));
    if (fresh.length === 0) return [];
    const { journal } = this.#deps;
    journal.transaction(() => {
      for (const decline of fresh) {
        const { job, code, detail } = decline;
        this.#known.add(nameOf(decline));
        this.#seq += 1;
        const sql = 'INSERT OR REPLACE INTO declines VALUES (?, ?, ?, ?, NULL, ?)';
        journal.run(sql, job, code, JSON.stringify(detail), at, this.#seq);
      }
      journal.run('DELETE FROM declines WHERE seq <= ?', this.#seq - this.#options.kept);
    });
    if (this.#known.size > this.#options.kept) {
      this.#known.clear();
      for (const row of this.#rows()) this.#known.add(nameOf(row));
    }
    return fresh;
  }

  /** Signs what is new, up to the most of one block, keeps it, and tells who listens. The rest stays unsigned. */
  async sign(fresh: readonly Decline[], at: number): Promise<void> {
    const { journal, signer } = this.#deps;
    const { node, domain, signedPerBlock } = this.#options;
    if (!signer) return;
    const signed: SignedDecline[] = [];
    for (const { job, code } of fresh.slice(0, signedPerBlock)) {
      const one = await signDecline({ node, job, code, at }, domain, signer);
      journal.run('UPDATE declines SET signature = ? WHERE job = ? AND code = ?', one.signature, job, code);
      signed.push(one);
    }
    if (signed.length > 0) for (const listener of this.#listeners) listener(signed);
  }

  /** Calls `listener` with every decline that is signed from now on. Answers how to stop that. */
  subscribe(listener: DeclineListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The last signed declines, newest first, at most `limit`. */
  signed(limit: number): SignedDecline[] {
    return this.#deps.journal
      .all<Row & { signature: Hex }>(
        'SELECT job, code, detail, at, signature FROM declines WHERE signature IS NOT NULL ORDER BY seq DESC LIMIT ?',
        limit,
      )
      .map(({ job, code, at, signature }) => ({ node: this.#options.node, job, code, at, signature }));
  }

  /** The last declines, newest first. */
  all(): ShownDecline[] {
    return this.#rows().map(({ job, code, detail, at, signature }) => ({
      job,
      code,
      detail: JSON.parse(detail) as Decline['detail'],
      // A newer program may have left a reason that this one does not know.
      sentence: DECLINES[code]?.sentence ?? code,
      at,
      ...(signature ? { signature } : {}),
    }));
  }

  #rows(): Row[] {
    return this.#deps.journal.all<Row>('SELECT job, code, detail, at, signature FROM declines ORDER BY seq DESC');
  }
}

const nameOf = ({ job, code }: Pick<Decline, 'job' | 'code'>): string => `${job}:${code}`;
