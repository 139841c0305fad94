/** A network in one process, for tests and benchmarks: real hosts on the loopback interface, no chain and no gateways. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { keccak256, toBytes } from 'viem';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';

import type { ChainNode } from './chainNodes.ts';
import { startGossip, type Gossip, type GossipOptions, type Sayable } from './gossip.ts';
import { peerAnswer } from './peerRecord.ts';
import { marketDomain } from '../terms.ts';

/** Domain of the tests' Market. */
export const DOMAIN = marketDomain(31_337, '0x00000000000000000000000000000000000000aa');

/** The operator of node `id`. */
export function operatorOf(id: number): PrivateKeyAccount {
  return privateKeyToAccount(keccak256(toBytes(`operator ${id}`)));
}

/** A heartbeat as an idle node says it. */
export function idleHeartbeat(head = 1): Sayable<'heartbeat'> {
  return {
    head,
    slots: { capacity: 4, running: 0, free: 4 },
    healthy: true,
    problems: [],
    celsius: 41,
    software: '0.1.0',
    runtimes: ['wasm', 'train'],
    asks: [{ currency: new Uint8Array(20).fill(7), amount: '1000000' }],
    draining: false,
  };
}

/** Hosts that find each other by what a fake chain and fake gateways say. */
export class TestNetwork {
  readonly places = new Map<string, Gossip>();
  readonly chain: ChainNode[] = [];
  readonly dir = mkdtempSync(join(tmpdir(), 'dpu-gossip-'));
  readonly #options: Partial<GossipOptions>;
  now: () => number = Date.now;

  constructor(options: Partial<GossipOptions> = {}) {
    this.#options = options;
  }

  /** Registers node `id` on the fake chain. */
  register(id: number, stake = 1n): void {
    this.chain.push({ id, operator: operatorOf(id).address, endpoint: `http://node-${id}.test`, stake });
  }

  /** Starts a place; with a node's id it speaks for it. `name` is its folder and its gateway's host name. */
  async start(name: string, node?: number, options: Partial<GossipOptions> = {}): Promise<Gossip> {
    const place = await startGossip(
      {
        domain: DOMAIN,
        dir: join(this.dir, name),
        listen: ['/ip4/127.0.0.1/tcp/0'],
        inboundPerSecond: 1_000,
        tendMs: 50,
        repairMs: 500,
        directory: { leastPauseMs: 50, everyMs: 1_000 },
        ...(node === undefined ? {} : { speaker: { node, signer: operatorOf(node) } }),
        ...this.#options,
        ...options,
      },
      {
        source: async () => [...this.chain],
        now: () => this.now(),
        log: { debug: () => {}, warn: () => {} },
        fetch: (async (url: string | URL | Request) => {
          const { hostname } = new URL(String(url));
          const asked = this.places.get(hostname.replace(/\.test$/, ''));
          return asked ? Response.json(peerAnswer(asked.answer())) : new Response(null, { status: 404 });
        }) as typeof fetch,
      },
    );
    this.places.set(name, place);
    return place;
  }

  /** Registers and starts nodes 1 … `count`. */
  async startNodes(count: number): Promise<Gossip[]> {
    for (let id = 1; id <= count; id += 1) this.register(id);
    const nodes: Gossip[] = [];
    for (let id = 1; id <= count; id += 1) nodes.push(await this.start(`node-${id}`, id));
    return nodes;
  }

  /** Ends one place. */
  async stop(name: string): Promise<void> {
    const place = this.places.get(name);
    this.places.delete(name);
    await place?.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.places.keys()].map((name) => this.stop(name)));
  }
}

/** Resolves when `done` holds, which is asked whenever one of `places` hears something and every 20 ms. @throws after `seconds`. */
export async function until(done: () => boolean, seconds = 20): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  while (!done()) {
    if (performance.now() > end) throw new Error(`it did not happen within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
