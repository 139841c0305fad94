import type { Chain } from './chain/chain.ts';
import type { ChainBook } from './chain/chainBook.ts';
import { marketCalls } from '@dpu/sdk/calls';
import type { Claimer } from './planning/claimer.ts';
import type { Court } from './court/court.ts';
import { TransientError } from './errors.ts';
import type { Witness } from './endpoints/witness.ts';
import type { Executor } from './work/executor.ts';
import type { Keeper } from './leases/keeper.ts';
import type { Log } from './log.ts';
import type { Outbox } from './sending/outbox.ts';
import type { Proposer } from './sending/proposer.ts';
import type { Reconciler } from './chain/reconciler.ts';
import type { GatewayCopies } from './replication/gatewayCopies.ts';
import type { Renewer } from './capability/renewer.ts';
import type { Scan } from './chain/scan.ts';
import type { Sender } from './sending/sender.ts';
import type { Settler } from './leases/settler.ts';
import type { HeadChange, Watch } from './chain/watch.ts';

/** What happens how often. */
export interface LoopOptions {
  node: number;
  /** The URL that the chain should name for this node. */
  endpoint: string;
  reconcileEveryBlocks: number;
  /** Closing and forgetting of expired jobs. */
  tidyEveryBlocks: number;
  /** How long after their expiry jobs of others are forgotten. */
  forgetAfterSeconds: number;
}

/** What the loop drives. */
export interface LoopDeps {
  chain: Chain;
  watch: Pick<Watch, 'poll'>;
  scan: Pick<Scan, 'advance' | 'rescan'>;
  /** Confirms what is read; nobody does when absent. */
  witness?: Pick<Witness, 'takeDoubt' | 'check'>;
  book: ChainBook;
  sender: Pick<Sender, 'tick' | 'pending'>;
  reconciler: Pick<Reconciler, 'reconcile'>;
  keeper: Pick<Keeper, 'tick'>;
  claimer: Pick<Claimer, 'forget' | 'tick' | 'leaving'>;
  settler: Pick<Settler, 'close'>;
  /** Looks after the node's tier; absent where the network has no proofs. */
  renewer?: Pick<Renewer, 'tick'>;
  copies: Pick<GatewayCopies, 'tick'> | undefined;
  proposer: Pick<Proposer, 'propose'>;
  executor: Pick<Executor, 'running'>;
  court: Pick<Court, 'tick' | 'busy'>;
  outbox: Outbox;
  log: Log;
  clockMs: () => number;
}

/**
 * What happens with every new head, in this order: read what the chain says, look after our transactions, compare journal and chain,
 * look after our leases and our duties to the court, and only then take new work.
 */
export class Loop {
  readonly #options: LoopOptions;
  readonly #deps: LoopDeps;
  /** A head that was not worked off because something did not answer. */
  #owed: HeadChange | undefined;
  #reconciledAt = -1;
  #tidiedAt = -1;
  #endpointChecked = false;

  constructor(options: LoopOptions, deps: LoopDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** To leave, drained, and nothing of ours is on the chain or on its way. */
  isDone(): boolean {
    const { claimer, book, sender, executor, court } = this.#deps;
    if (!claimer.leaving || this.#owed || court.busy) return false;
    return book.ownLiving(this.#options.node).length === 0 && sender.pending === 0 && executor.running === 0;
  }

  /** Asks for a new head and works it off. A head that could not be worked off is taken up again. */
  async tick(signal: AbortSignal): Promise<void> {
    const seenMs = this.#deps.clockMs();
    const change = await this.#deps.watch.poll();
    const owed = this.#owed;
    if (change) this.#owed = { head: change.head, reorged: change.reorged || (owed?.reorged ?? false) };
    if (!this.#owed) return;
    const work = this.#owed;
    try {
      await this.#work(work, seenMs, signal);
      this.#owed = undefined;
    } catch (error) {
      if (error instanceof TransientError && !owed) this.#deps.log.warn('Block is worked off later', { error });
      throw error;
    }
  }

  async #work({ head, reorged }: HeadChange, seenMs: number, signal: AbortSignal): Promise<void> {
    const { scan, sender, reconciler, keeper, court, claimer, settler, copies, witness, renewer } = this.#deps;
    const doubt = witness?.takeDoubt();
    if (doubt !== undefined) scan.rescan(doubt);
    const events = await scan.advance(head);
    claimer.forget(events, reorged);
    await sender.tick(head, reorged);
    const due =
      this.#reconciledAt < 0 || reorged || head.number - this.#reconciledAt >= this.#options.reconcileEveryBlocks;
    if (due) {
      const differing = await reconciler.reconcile(head);
      // A difference is looked at again with the next head.
      this.#reconciledAt = differing === 0 ? head.number : -1;
    }
    await keeper.tick(head, seenMs);
    await court.tick(head);
    // Before work is looked for: the spec of a proof lies nowhere else.
    await renewer?.tick(head, events);
    await claimer.tick(head, seenMs, signal);
    if (head.number - this.#tidiedAt >= this.#options.tidyEveryBlocks) {
      await settler.close(head);
      await this.#publishEndpoint();
      this.#deps.book.forget(head.timestamp - this.#options.forgetAfterSeconds);
      // What nobody has confirmed yet does not pile up while there is nothing to do.
      void witness?.check(head);
      this.#tidiedAt = head.number;
    }
    copies?.tick(signal);
  }

  /** Machines move: the chain should say where this one serves. */
  async #publishEndpoint(): Promise<void> {
    if (this.#endpointChecked) return;
    const { node, endpoint } = this.#options;
    const { chain, proposer, book, log } = this.#deps;
    const view = await chain.node(node);
    this.#endpointChecked = true;
    if (view.endpoint === endpoint) return;
    await proposer.propose(
      { name: `endpoint:${endpoint}`, kind: 'endpoint', data: marketCalls.setEndpoint(node, endpoint) },
      book.cursor()?.number ?? 0,
    );
    log.info('Endpoint published', { endpoint, before: view.endpoint });
  }
}
