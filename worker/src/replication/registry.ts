import { rankNodes } from '@dpu/sdk/storage/rendezvous';
import type { CidLike } from '@dpu/sdk/storage/cid';
import type { Address } from 'viem';

import type { Chain } from '../chain/chain.ts';

/** A registered node that may keep copies. */
export interface Peer {
  node: number;
  operator: Address;
  /** Base URL of its gateway, without a slash at the end. */
  endpoint: string;
}

/** What is asked of the chain about nodes. */
export type RegistryChain = Pick<Chain, 'node' | 'nodeCount' | 'nodeOf'>;

/** How fresh its answers are. */
export interface RegistryOptions {
  /** This node. */
  node: number;
  /** How long an answer of the chain is used again, milliseconds. */
  freshMs: number;
}

/** The nodes on chain as holders of copies: their records name the operator who signs and the gateway that serves. */
export class NodeRegistry {
  readonly #options: RegistryOptions;
  readonly #chain: RegistryChain;
  readonly #clockMs: () => number;
  readonly #peers = new Map<number, { peer: Peer | undefined; atMs: number }>();
  #count: { nodes: number; atMs: number } | undefined;

  constructor(options: RegistryOptions, { chain, clockMs }: { chain: RegistryChain; clockMs: () => number }) {
    this.#options = options;
    this.#chain = chain;
    this.#clockMs = clockMs;
  }

  /** A node with stake and a gateway that others can ask; undefined when it is none. */
  async peer(node: number): Promise<Peer | undefined> {
    const nowMs = this.#clockMs();
    const known = this.#peers.get(node);
    if (known && nowMs - known.atMs < this.#options.freshMs) return known.peer;
    const { stake, operator, endpoint } = await this.#chain.node(node);
    const usable = stake > 0n && isGateway(endpoint);
    const peer = usable ? { node, operator, endpoint: endpoint.replace(/\/+$/, '') } : undefined;
    this.#peers.set(node, { peer, atMs: nowMs });
    return peer;
  }

  /** The node that an operator works for, as far as it is a peer. */
  async peerOf(operator: Address): Promise<Peer | undefined> {
    const node = await this.#chain.nodeOf(operator);
    return node === 0 ? undefined : this.peer(node);
  }

  /**
   * Who should keep `root`, best first: all nodes but this one and those in `without`, one for each endpoint. Node records are read only as far as
   * they are asked for, so that a market of ten thousand nodes costs a few reads.
   */
  async *candidates(root: CidLike, without: ReadonlySet<number> = new Set()): AsyncGenerator<Peer, void, undefined> {
    const own = this.#options.node;
    const ids = Array.from({ length: await this.#nodes() }, (_, index) => ({ id: index + 1 }));
    const endpoints = new Set<string>();
    for (const { id } of rankNodes(root, ids)) {
      if (id === own || without.has(id)) continue;
      const peer = await this.peer(id);
      // Two records of one gateway are one copy.
      if (!peer || endpoints.has(peer.endpoint)) continue;
      endpoints.add(peer.endpoint);
      yield peer;
    }
  }

  /** Gateways that should have copies of `root`, best first. */
  async holdersOf(root: CidLike, most: number): Promise<string[]> {
    const urls: string[] = [];
    for await (const { endpoint } of this.candidates(root)) {
      urls.push(endpoint);
      if (urls.length >= most) break;
    }
    return urls;
  }

  async #nodes(): Promise<number> {
    const nowMs = this.#clockMs();
    if (!this.#count || nowMs - this.#count.atMs >= this.#options.freshMs) {
      this.#count = { nodes: await this.#chain.nodeCount(), atMs: nowMs };
    }
    return this.#count.nodes;
  }
}

const isGateway = (endpoint: string): boolean => /^https?:\/\//.test(endpoint) && URL.canParse(endpoint);
