/* eslint-disable svelte/prefer-svelte-reactivity -- its books are not shown */
import type { Job } from '@dpu/sdk/api';
import type { HistoryLease, JobHistory } from '@dpu/sdk/history';
import { readRules } from '@dpu/sdk/rules';
import { outputOf, type JobSpec } from '@dpu/sdk/spec';
import { digestToCid } from '@dpu/sdk/storage/cid';
import { copyEndpoints } from '@dpu/sdk/storage/copies';
import type { Hex } from 'viem';

import type { App } from '../app.ts';
import { plainName } from '../plain.ts';
import { Resource } from '../state/resource.svelte.ts';
import type { Chain } from '../chain/chain.ts';
import type { Storage } from '../storage/storage.ts';
import { chainOf } from './chain.ts';
import { openWith, type Lock } from './lock.ts';
import { resultLeases } from './panels.ts';
import { Verifier, type VerifierOptions } from './verifier.svelte.ts';

/** How long the chain's answer waits for what the indexer knows, milliseconds, and for how long one that is slow is left alone. */
const HINT_MS = 1_500;
const LEFT_ALONE_MS = 30_000;
/** More pictures than this are not fetched by themselves. */
const MOST_PREVIEWS = 4_096;

/** What else the chain says about a job. */
export interface JobFacts {
  /** Seconds for which the job must be open before it may be cancelled. */
  openFor: number;
  /** Last second at which money of this job can still be bound; 0 when it has ended. */
  worstCaseExit: number;
  /** The jobs that were posted together and run one after the other, this one included, in order. */
  chain: readonly Hex[];
}

/**
 * One job as its page shows it. Everything about money and state is read from the chain's logs; the indexer only says when
 * to look again, and where the post is.
 */
export class JobView {
  readonly id: Hex;
  readonly history: Resource<JobHistory>;
  readonly facts: Resource<JobFacts>;
  #app: App;
  #spec = $state.raw<JobSpec>();
  #specProblem = $state<string>();
  #verifier = $state.raw<Verifier>();
  #lock = $state.raw<Lock>();
  #reading = false;
  #fromBlock: number | undefined;
  #told = $state.raw<Job>();
  #wrongPost = $state.raw<number>();
  #askAt = 0;
  #known = new Set<number>();
  #stopped = false;

  constructor(app: App, id: Hex) {
    this.#app = app;
    this.id = id;
    this.history = new Resource({ load: (signal) => this.#load(signal), changes: app.changes });
    this.facts = new Resource({ load: () => this.#loadFacts(), changes: app.changes });
  }

  /** Whether a private job can be read here; undefined when everyone can. */
  get lock(): Lock | undefined {
    return this.#lock;
  }

  /** What the job is, once its spec was fetched, and opened if it could be. Text in it is a stranger's. */
  get spec(): JobSpec | undefined {
    const spec = this.#spec;
    return spec && { ...spec, name: plainName(spec.name, 'A job without a name') };
  }

  /** Why the spec cannot be shown. */
  get specProblem(): string | undefined {
    return this.#specProblem;
  }

  /** What the indexer told of the job before the chain was read last. */
  get told(): Job | undefined {
    return this.#told;
  }

  /** The block in which the indexer says that the job was posted, when it was posted earlier. */
  get wrongPost(): number | undefined {
    return this.#wrongPost;
  }

  get verifier(): Verifier | undefined {
    return this.#verifier;
  }

  stop(): void {
    this.#stopped = true;
    this.#verifier?.stop();
  }

  async #load(signal: AbortSignal): Promise<JobHistory> {
    // First the indexer, then the chain: what the chain says is then never older than what the indexer told.
    const [chain, told] = await Promise.all([this.#app.chain(), this.#ask(signal)]);
    const history = await this.#read(chain, told?.postedBlock, signal);
    if (told && told.postedBlock > history.postedBlock) this.#wrongPost = told.postedBlock;
    this.#told = told;
    this.#fromBlock = history.postedBlock;
    if (!this.#verifier && !this.#reading) void this.#begin(history);
    else void this.#follow(resultLeases(history));
    return history;
  }

  /** What the indexer tells of the job, if it says so quickly. */
  async #ask(signal: AbortSignal): Promise<Job | undefined> {
    if (Date.now() < this.#askAt) return undefined;
    const answer = this.#app.feed.api.job(this.id, { signal }).catch(() => null);
    const told = await Promise.race([answer, new Promise<undefined>((done) => setTimeout(done, HINT_MS))]);
    if (told === undefined) this.#askAt = Date.now() + LEFT_ALONE_MS;
    return told ?? undefined;
  }

  /** The job from logs. Where its post is saves reading every block before it; a wrong word on that costs time, nothing else. */
  async #read(chain: Chain, posted: number | undefined, signal: AbortSignal): Promise<JobHistory> {
    const fromBlock = this.#fromBlock ?? posted;
    if (fromBlock === undefined) return chain.history(this.id, { signal });
    try {
      return await chain.history(this.id, { signal, fromBlock });
    } catch (error) {
      if (this.#fromBlock !== undefined || !(error instanceof Error) || error.name !== 'JobNotFound') throw error;
      return chain.history(this.id, { signal });
    }
  }

  /** Reads the spec, which says what the outputs are, then begins to check results. */
  async #begin(history: JobHistory): Promise<void> {
    const { terms } = history;
    this.#reading = true;
    try {
      const storage = await this.#app.storage();
      this.#spec = await storage.spec(terms.spec);
      this.#specProblem = undefined;
    } catch (error) {
      this.#specProblem = error instanceof Error ? error.message : String(error);
    }
    this.#reading = false;
    if (this.#stopped) return;
    const spec = this.#spec;
    // Without a spec the results are asked for again with the next look; with one the checks begin.
    if (!spec) return;
    if (spec.private) await this.#open(spec, history);
    else await this.#verify(spec, history);
  }

  /** Tries the keys of this browser again, after another was brought. */
  async unlock(): Promise<void> {
    const [spec, history] = [this.#spec, this.history.latest];
    if (spec?.private && history) await this.#open(spec, history);
  }

  async #open(spec: JobSpec, history: JobHistory): Promise<void> {
    this.#lock = { status: 'opening' };
    const identities = await this.#app.keys.load().catch(() => []);
    const opened = await openWith(identities, spec, this.id);
    if (this.#stopped) return;
    this.#lock = opened.lock;
    if ('job' in opened) this.#spec = opened.job.spec;
    await this.#verify(this.#spec ?? spec, history, 'job' in opened ? { key: opened.key } : { sealed: true });
  }

  /** Begins to check results, from the start when a key has come. */
  async #verify(
    spec: JobSpec,
    history: JobHistory,
    secret: Pick<VerifierOptions, 'key' | 'sealed'> = {},
  ): Promise<void> {
    this.#verifier?.stop();
    const preview = (shard: number): boolean =>
      outputOf(spec, shard).mediaType === 'image/png' && spec.shards <= MOST_PREVIEWS;
    this.#verifier = new Verifier(this.id, { storage: () => this.#app.storage(), preview, ...secret });
    await this.#follow(resultLeases(this.history.latest ?? history));
  }

  /** Tells the storage where results are (their nodes' gateways), then has them checked. */
  async #follow(leases: readonly HistoryLease[]): Promise<void> {
    const open = leases.filter(({ result, lease }) => result && !this.#known.has(lease.node));
    if (open.length) {
      const [chain, storage] = await Promise.all([this.#app.chain(), this.#app.storage()]);
      await Promise.all(
        [...new Set(open.map(({ lease }) => lease.node))].map(async (node) => {
          this.#known.add(node);
          const { endpoint } = await chain.market().node(node);
          storage.addHolder(endpoint);
        }),
      ).catch(() => undefined);
      await this.#addCopies(chain, storage, open).catch(() => undefined);
    }
    if (!this.#stopped) this.#verifier?.follow(leases);
  }

  /** Who made a result may be gone; then its copies are where the order of all nodes says. */
  async #addCopies(chain: Chain, storage: Storage, leases: readonly HistoryLease[]): Promise<void> {
    const { nodeCount: count } = await chain.market().config();
    const endpointOf = async (node: number): Promise<string> => (await chain.market().node(node)).endpoint;
    for (const { result } of leases) {
      if (!result) continue;
      const manifest = digestToCid(result.manifest, 'dag-cbor');
      for (const url of await copyEndpoints(manifest, { count, endpointOf })) storage.addHolder(url);
    }
  }

  async #loadFacts(): Promise<JobFacts> {
    const chain = await this.#app.chain();
    const history = this.history.latest ?? (await chain.history(this.id));
    const market = chain.market();
    const [{ openFor }, worstCaseExit, siblings] = await Promise.all([
      market.params(readRules(history.terms.rules).version),
      market.worstCaseExit(history.terms),
      chain.postedTogether(history.steps[0]?.transaction),
    ]);
    return {
      openFor,
      worstCaseExit,
      chain: chainOf(siblings, this.id),
    };
  }
}
