/* eslint-disable svelte/prefer-svelte-reactivity -- its books are not shown; what is shown is in SvelteMaps */
import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import type { ResultKey } from '@dpu/sdk/privacy/outputs';
import type { VerifiedLease } from '@dpu/sdk/results';
import { SvelteMap } from 'svelte/reactivity';

import type { Storage } from '../storage/storage.ts';

/** What is known about a lease's result. `missing`: nobody has the data now, which says nothing about its truth. */
export type Seal =
  | { status: 'checking' }
  | { status: 'verified' }
  | { status: 'missing'; reason: string }
  | { status: 'mismatch'; reason: string };

/** One shard's output after it was checked. */
export interface Output {
  status: 'loading' | 'verified' | 'missing' | 'mismatch';
  /** Address of the checked bytes in this page, once verified. */
  url?: string;
  /** The checked bytes. */
  blob?: Blob;
  size?: number;
  /** sha2-256 of the bytes; of a private job salted. */
  hash?: string;
  units?: bigint;
  reason?: string;
}

export interface VerifierOptions {
  storage: () => Promise<Storage>;
  /** Whether the output of a shard is fetched without being asked for: pictures are, archives are not. */
  preview: (shard: number) => boolean;
  /** Opens the results of a private job. */
  key?: ResultKey | undefined;
  /** The results are sealed and there is no key here: manifests are checked, outputs are not fetched. */
  sealed?: boolean;
  /** How often data that nobody has is asked for again. */
  retryMs?: number;
}

const PNG = [0x89, 0x50, 0x4e, 0x47];
/** Outputs fetched at the same time; a gateway answers a few in parallel better than hundreds. */
const PARALLEL = 6;
/** Largest output that is shown without being asked for, bytes. */
const PREVIEW_BYTES = 32_000_000;

/**
 * Checks a job's results against the chain as they arrive: each manifest against the digest and the Merkle root that the
 * Market recorded, each output against its manifest. Nothing is shown or offered for download before that.
 */
export class Verifier {
  #options: VerifierOptions & { retryMs: number };
  #id: JobHistory['id'];
  #seals = new SvelteMap<number, Seal & { manifest: string }>();
  #outputs = new SvelteMap<number, Output>();
  #verified = new Map<number, VerifiedLease>();
  #queue: { verified: VerifiedLease; shard: number }[] = [];
  #running = 0;
  #stop = new AbortController();
  #retries = new Map<number, ReturnType<typeof setTimeout>>();

  constructor(id: JobHistory['id'], options: VerifierOptions) {
    this.#id = id;
    this.#options = { retryMs: 4_000, ...options };
  }

  /** Opens the results of a private job. */
  get key(): ResultKey | undefined {
    return this.#options.key;
  }

  /** Whether outputs cannot be read here. */
  get sealed(): boolean {
    return this.#options.sealed === true;
  }

  /** What is known about the lease that begins at shard `first`. */
  seal(first: number): Seal | undefined {
    return this.#seals.get(first);
  }

  output(shard: number): Output | undefined {
    return this.#outputs.get(shard);
  }

  /** All seals together: a single mismatch is what counts. */
  get counts(): Record<Seal['status'], number> {
    const counts = { checking: 0, verified: 0, missing: 0, mismatch: 0 };
    for (const { status } of this.#seals.values()) counts[status] += 1;
    return counts;
  }

  /** Takes up leases whose results have become public since the last call. */
  follow(leases: readonly HistoryLease[]): void {
    for (const lease of leases) {
      const manifest = lease.result?.manifest;
      const first = lease.lease.first;
      if (!manifest || this.#seals.get(first)?.manifest === manifest) continue;
      this.#seals.set(first, { status: 'checking', manifest });
      void this.#check(lease, manifest);
    }
  }

  /** Fetches the output of one shard of a verified lease, if that did not happen by itself. */
  want(shard: number): void {
    const status = this.#outputs.get(shard)?.status;
    if (this.sealed || status === 'loading' || status === 'verified') return;
    const verified = [...this.#verified.values()].find(
      ({ manifest }) => shard >= manifest.first && shard < manifest.first + manifest.shards.length,
    );
    if (verified) this.#enqueue(verified, shard);
  }

  /** The shards of a verified lease as its manifest has them: the leaves under its root. */
  leaves(first: number): VerifiedLease['manifest']['shards'] | undefined {
    return this.#verified.get(first)?.manifest.shards;
  }

  /** Ends everything and frees the pictures. */
  stop(): void {
    this.#stop.abort();
    for (const timer of this.#retries.values()) clearTimeout(timer);
    for (const { url } of this.#outputs.values()) if (url) URL.revokeObjectURL(url);
  }

  async #check(lease: HistoryLease, manifest: string): Promise<void> {
    const { first } = lease.lease;
    const signal = this.#stop.signal;
    try {
      const [{ verifyLease }, storage] = await Promise.all([import('@dpu/sdk/results'), this.#options.storage()]);
      const verified = await verifyLease({ id: this.#id }, lease, storage.backend, { signal });
      this.#seals.set(first, { status: 'verified', manifest });
      this.#verified.set(first, verified);
      if (this.sealed) return;
      for (const { shard, size } of verified.manifest.shards) {
        if (size <= PREVIEW_BYTES && this.#options.preview(shard)) this.#enqueue(verified, shard);
      }
    } catch (error) {
      if (signal.aborted) return;
      const { missing, reason } = await verdict(error);
      this.#seals.set(first, { status: missing ? 'missing' : 'mismatch', reason, manifest });
      if (missing) this.#later(first, () => void this.#check(lease, manifest));
    }
  }

  #enqueue(verified: VerifiedLease, shard: number): void {
    this.#outputs.set(shard, { status: 'loading' });
    this.#queue.push({ verified, shard });
    this.#work();
  }

  #work(): void {
    while (this.#running < PARALLEL && !this.#stop.signal.aborted) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#running += 1;
      void this.#fetch(next.verified, next.shard).finally(() => {
        this.#running -= 1;
        this.#work();
      });
    }
  }

  async #fetch(verified: VerifiedLease, shard: number): Promise<void> {
    const signal = this.#stop.signal;
    try {
      const [{ downloadShard }, storage] = await Promise.all([import('@dpu/sdk/results'), this.#options.storage()]);
      const { bytes, size, hash, units } = await downloadShard(verified, shard, storage.backend, {
        signal,
        ...(this.#options.key && { key: this.#options.key }),
      });
      if (signal.aborted) return;
      // Whatever a stranger made is at most a picture here, never a document that could run.
      const type = PNG.every((byte, index) => bytes[index] === byte) ? 'image/png' : 'application/octet-stream';
      const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type });
      const url = URL.createObjectURL(blob);
      this.#outputs.set(shard, { status: 'verified', url, blob, size, hash, units });
    } catch (error) {
      if (signal.aborted) return;
      const { missing, reason } = await verdict(error);
      this.#outputs.set(shard, { status: missing ? 'missing' : 'mismatch', reason });
      if (missing) this.#later(-1 - shard, () => this.#enqueue(verified, shard));
    }
  }

  /** `key` keeps one timer per lease (its first shard) and per shard (below zero). */
  #later(key: number, task: () => void): void {
    clearTimeout(this.#retries.get(key));
    this.#retries.set(key, setTimeout(task, this.#options.retryMs));
  }
}

/** Whether an error means absent data (may come later) or data that is wrong. */
async function verdict(error: unknown): Promise<{ missing: boolean; reason: string }> {
  const { ResultError } = await import('@dpu/sdk/results');
  const reason = error instanceof Error ? error.message : String(error);
  return { missing: !(error instanceof ResultError) || error.retryable, reason };
}
