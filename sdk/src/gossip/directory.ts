/** Who is in the network: nodes from the chain, their hosts from signed records, and the observers that the operator named. */
import type { Address } from 'viem';

import type { ChainNode, NodeSource } from './chainNodes.ts';
import type { Guard, Operators } from './guard.ts';
import { fetchPeer, type FetchOptions } from './peerRecord.ts';

/** A host that may be connected to. */
export interface KnownPeer {
  peer: string;
  addresses: readonly string[];
  /** Id of its node; undefined for an observer. */
  node: number | undefined;
}

/** How the directory asks. */
export interface DirectoryOptions {
  /** Own node's id, which is not asked. */
  self: number | undefined;
  /** Base URLs of gateways and bridges that may listen, and their peer ids where they are known. */
  observers: readonly string[];
  /** Least time between two questions to the chain, milliseconds. */
  leastPauseMs: number;
  /** Longest time after which the chain is asked again, milliseconds. */
  everyMs: number;
  /** Gateways that are asked at once for their records. */
  parallel: number;
  /** Gateways that are asked in one round. */
  perRound: number;
  /** Longest time for one gateway's answer, milliseconds. */
  timeoutMs: number;
}

/** What the directory works with. */
export interface DirectoryDeps {
  source: NodeSource;
  now: () => number;
  signal: AbortSignal;
  fetch?: typeof fetch;
  onError: (error: unknown) => void;
  /** Called after each round. */
  onChange?: () => void;
}

/** Usual options of a node. */
export const DIRECTORY_DEFAULTS: Omit<DirectoryOptions, 'self' | 'observers'> = {
  leastPauseMs: 2_000,
  everyMs: 60_000,
  parallel: 8,
  perRound: 64,
  timeoutMs: 5_000,
};

interface Registered extends ChainNode {
  readAt: number;
}
interface RecordKept {
  known: KnownPeer;
  sequence: number;
  bytes: Uint8Array;
}

/** The hosts of a network. What a gateway or a peer says counts only with the signature of the operator that stands on chain. */
export class Directory implements Operators {
  readonly #options: DirectoryOptions;
  readonly #deps: DirectoryDeps;
  readonly #nodes = new Map<number, Registered>();
  readonly #records = new Map<number, RecordKept>();
  readonly #observers = new Map<string, KnownPeer>();
  /** When a gateway was last asked, so that each has its turn. */
  readonly #askedAt = new Map<string, number>();
  #guard: Pick<Guard, 'check'> | undefined;
  #running: Promise<void> | undefined;
  #wanted = false;
  #lastAt = 0;

  constructor(options: DirectoryOptions, deps: DirectoryDeps) {
    this.#options = options;
    this.#deps = deps;
    for (const observer of options.observers) {
      if (!isUrl(observer)) this.#observers.set(observer, { peer: observer, addresses: [], node: undefined });
    }
  }

  /** Says who checks records. Needed once, before the first refresh: that guard in turn asks this directory who is who. */
  use(guard: Pick<Guard, 'check'>): void {
    this.#guard = guard;
  }

  operatorOf(node: number): { operator: Address; readAt: number } | undefined {
    const known = this.#nodes.get(node);
    return known && known.stake > 0n ? { operator: known.operator, readAt: known.readAt } : undefined;
  }

  /** Whether a host may be connected with: that of a node with stake, or an observer. */
  isKnown(peer: string): boolean {
    return this.#observers.has(peer) || this.nodeOf(peer) !== undefined;
  }

  /** Id of the node whose host `peer` is; undefined for strangers and observers. */
  nodeOf(peer: string): number | undefined {
    for (const [node, { known }] of this.#records) {
      if (known.peer === peer && this.operatorOf(node) !== undefined) return node;
    }
    return undefined;
  }

  /** Everybody that could be connected to, without this node itself. */
  peers(): KnownPeer[] {
    const nodes = [...this.#records.values()].map(({ known }) => known);
    return [...nodes.filter(({ node }) => this.operatorOf(node!) !== undefined), ...this.#observers.values()];
  }

  /** Registered nodes with stake. */
  get nodes(): number {
    return [...this.#nodes.values()].filter(({ stake }) => stake > 0n).length;
  }

  /** Signed records, to be handed on. */
  records(): Uint8Array[] {
    return [...this.#records.values()].map(({ bytes }) => bytes);
  }

  /** Takes in a signed record, from wherever. @returns whether it is good. */
  async learn(bytes: Uint8Array): Promise<boolean> {
    const outcome = await this.#guard?.check('peer', bytes, { late: true });
    if (outcome?.verdict !== 'accept') return false;
    const { node, sequence, said } = outcome.statement;
    if (node === this.#options.self) return true;
    const known = this.#records.get(node);
    if (known && known.sequence >= sequence) return true;
    this.#records.set(node, { known: { ...said, node }, sequence, bytes });
    return true;
  }

  /** Asks again soon; many calls make one question. */
  refresh(): void {
    this.#wanted = true;
  }

  /** Asks when it is time. Called every second or so. Does not throw. */
  async tick(): Promise<void> {
    const passed = this.#deps.now() - this.#lastAt;
    const due = passed >= this.#options.everyMs || (this.#wanted && passed >= this.#options.leastPauseMs);
    if (!due || this.#running) return this.#running;
    this.#wanted = false;
    this.#lastAt = this.#deps.now();
    this.#running = this.#round()
      .catch((error: unknown) => {
        this.#wanted = true;
        if (!this.#deps.signal.aborted) this.#deps.onError(error);
      })
      .finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #round(): Promise<void> {
    const { source, now, signal } = this.#deps;
    const readAt = now();
    for (const node of await source(signal)) {
      const known = this.#nodes.get(node.id);
      // A record that another operator signed is worth nothing any more.
      if (known && known.operator !== node.operator) this.#records.delete(node.id);
      this.#nodes.set(node.id, { ...node, readAt });
    }
    const { self, observers, perRound, parallel } = this.#options;
    const missing = [...this.#nodes.values()].filter(
      ({ id, stake, endpoint }) => stake > 0n && id !== self && !this.#records.has(id) && isUrl(endpoint),
    );
    const urls = [...observers.filter(isUrl), ...missing.map(({ endpoint }) => endpoint)];
    const turn = urls.sort((a, b) => (this.#askedAt.get(a) ?? 0) - (this.#askedAt.get(b) ?? 0)).slice(0, perRound);
    const asking = turn.values();
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        for (const url of asking) await this.#ask(url);
      }),
    );
    this.#deps.onChange?.();
  }

  /** Asks one gateway anew, such as when its host is not where it was. */
  async askNode(node: number): Promise<void> {
    const endpoint = this.#nodes.get(node)?.endpoint;
    if (endpoint !== undefined && isUrl(endpoint)) await this.#ask(endpoint);
  }

  async #ask(url: string): Promise<void> {
    const { now, signal } = this.#deps;
    this.#askedAt.set(url, now());
    const options: FetchOptions = { timeoutMs: this.#options.timeoutMs, signal };
    const answer = await fetchPeer(url, { ...options, ...(this.#deps.fetch ? { fetch: this.#deps.fetch } : {}) });
    if (!answer) return;
    if (answer.statement && (await this.learn(answer.statement))) return;
    // Only who the operator named may be there without a signature.
    if (!this.#options.observers.includes(url)) return;
    for (const [peer, known] of this.#observers)
      if (known.addresses[0] === answer.addresses[0]) this.#observers.delete(peer);
    this.#observers.set(answer.peer, { peer: answer.peer, addresses: answer.addresses, node: undefined });
  }
}

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}
