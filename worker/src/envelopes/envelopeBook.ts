import type { Hex } from 'viem';

import type { Journal } from '../sending/journal.ts';

/** An envelope is ciphertext for this node's key: it may be on the disk, and is lost with the journal. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS envelopes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL UNIQUE, envelope BLOB NOT NULL
) STRICT`;
/** Envelopes that are kept. A node that needs an older one asks for it again by declining. */
const KEPT = 1_024;

/** Envelopes that came after their jobs were posted, on disk: a restart in the middle of a lease must open the job again. */
export class EnvelopeBook {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
    journal.extend(SCHEMA);
  }

  /** Remembers the job's envelope in the place of an earlier one. */
  keep(job: Hex, envelope: Uint8Array): void {
    this.#journal.transaction(() => {
      this.#journal.run('INSERT OR REPLACE INTO envelopes (job, envelope) VALUES (?, ?)', job, envelope);
      this.#journal.run('DELETE FROM envelopes WHERE seq <= (SELECT MAX(seq) FROM envelopes) - ?', KEPT);
    });
  }

  /** The envelope that came later for a job; undefined when none did. */
  of(job: Hex): Uint8Array | undefined {
    return this.#journal.get<{ envelope: Uint8Array }>('SELECT envelope FROM envelopes WHERE job = ?', job)?.envelope;
  }
}
