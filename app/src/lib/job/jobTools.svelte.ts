import type { JobHistory } from '@dpu/sdk/history';
import { outputOf } from '@dpu/sdk/spec';
import type { Hex } from 'viem';

import type { App } from '../app.ts';
import type { Tx } from '../chain/tx.svelte.ts';
import { shortHex } from '../format.ts';
import type { JobView } from './jobView.svelte.ts';

/** What can be done with a whole job: download all of it, and run it again. */
export class JobTools {
  #app: App;
  #packing = $state<{ done: number; of: number }>();
  #problem = $state<string>();
  /** Running it again. */
  readonly tx: Tx;

  constructor(app: App) {
    this.#app = app;
    this.tx = app.tx();
  }

  /** How many shards of the archive are here; undefined while none is made. */
  get packing(): { done: number; of: number } | undefined {
    return this.#packing;
  }

  /** Why the archive could not be made. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Fetches every output, checks it against the chain, and hands them out as one archive. */
  async download(history: JobHistory, { spec, verifier }: Pick<JobView, 'spec' | 'verifier'>): Promise<void> {
    if (this.#packing) return;
    const of = history.terms.shards;
    this.#problem = undefined;
    this.#packing = { done: 0, of };
    try {
      const [{ downloadJob }, { zip }, { backend }] = await Promise.all([
        import('@dpu/sdk/results'),
        import('./zip.ts'),
        this.#app.storage(),
      ]);
      const parts: { name: string; bytes: Uint8Array }[] = [];
      const key = verifier?.key;
      for await (const { shard, bytes } of downloadJob(history, backend, { ...(key && { key }) })) {
        parts.push({ name: `${shard}-${spec ? outputOf(spec, shard).name : 'output'}`, bytes });
        this.#packing = { done: parts.length, of };
      }
      const url = URL.createObjectURL(zip(parts));
      Object.assign(document.createElement('a'), { href: url, download: `${shortHex(history.id)}.zip` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.#packing = undefined;
  }

  /** Posts the job, and those that were posted with it, once more. The id of the first, when it worked. */
  async rerun(history: JobHistory): Promise<Hex | undefined> {
    let posted: Hex | undefined;
    const ok = await this.tx.run(async (steps) => {
      const [{ rerun }, chain] = await Promise.all([import('../post/rerun.ts'), this.#app.chain()]);
      const together = await chain.postedTogether(history.steps[0]?.transaction);
      const jobs = together.length > 0 ? together.map(({ terms }) => terms) : [history.terms];
      const { id, hash } = await rerun(this.#app, jobs, history.postedAt, steps);
      posted = id;
      return hash;
    });
    return ok ? posted : undefined;
  }
}
