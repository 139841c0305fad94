import { isIP, isIPv6 } from 'node:net';
import { join } from 'node:path';

import type { Gossip, Sayable } from '@dpu/sdk/gossip/gossip';
import { marketDomain } from '@dpu/sdk/terms';
import type { Hono } from 'hono';
import { createPublicClient, hexToBytes, http, type LocalAccount } from 'viem';

import type { NodeConfig } from '../config.ts';
import type { ShownDecline } from '../planning/declines.ts';
import type { Log } from '../log.ts';
import manifest from '../../package.json' with { type: 'json' };
import { repeat } from '../repeat.ts';
import { heartbeatOf, hottest, type HeartbeatFacts } from './heartbeat.ts';
import { HeldContent } from './heldContent.ts';
import { ProgressFeed } from './progressFeed.ts';

/** What a node's place in the network is made of. */
export interface NodeGossipOptions {
  config: Pick<
    NodeConfig,
    'dataDir' | 'gossip' | 'gatewayHost' | 'gateways' | 'network' | 'rpcUrl' | 'rpcTimeoutMs' | 'asks'
  >;
  node: number;
  account: LocalAccount;
}

/** What it works with. */
export interface NodeGossipDeps {
  log: Log;
  /** Milliseconds of a steady clock. */
  clockMs: () => number;
}

/** What it says about the node, once there is a node to speak of. */
export interface NodeFacts {
  status: () => HeartbeatFacts;
  declines: { all(): ShownDecline[] };
  /** Whether the node's store has a root, for its list of held content. */
  has: (cid: string) => Promise<boolean>;
}

const HEARTBEAT_MS = 15_000;
const PROGRESS_MS = 1_000;
const DECLINES_MS = 2_000;
/** How often the list of held content is looked at, and after which time it is told even when it is as it was. */
const HOLDINGS_MS = 60_000;
const HOLDINGS_ROUNDS = 10;
const DECLINES_AT_ONCE = 4;
const FACTS = 8;

/** Version of this program, as heartbeats name it. */
const SOFTWARE = manifest.version;

/** A node's place in the network: what it says, and what it hears. Without gossip it only keeps logs and the list of held content. */
export class NodeGossip {
  readonly progress: ProgressFeed;
  readonly held: HeldContent;
  /** Routes for the node's gateway; undefined without gossip. */
  readonly routes: Hono | undefined;
  readonly #options: NodeGossipOptions;
  readonly #deps: NodeGossipDeps;
  readonly #stop = new AbortController();
  #place: Gossip | undefined;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(options: NodeGossipOptions, deps: NodeGossipDeps, routes?: Hono) {
    const { config } = options;
    this.#options = options;
    this.#deps = deps;
    this.routes = routes;
    this.held = new HeldContent(join(config.dataDir, 'gossip', 'held'));
    this.progress = new ProgressFeed(
      { messagesPerFlush: 3, mostWaiting: 1_024 },
      { say: config.gossip.enabled ? (said) => this.#say('progress', said) : undefined, clockMs: deps.clockMs },
    );
  }

  /** Makes it; nothing is said or heard before {@link start}. libp2p is loaded only by nodes that gossip: it takes memory. */
  static async open(options: NodeGossipOptions, deps: NodeGossipDeps): Promise<NodeGossip> {
    if (!options.config.gossip.enabled) return new NodeGossip(options, deps);
    const { liveRoutes } = await import('@dpu/sdk/gossip/liveRoutes');
    const gossip: NodeGossip = new NodeGossip(
      options,
      deps,
      liveRoutes(() => gossip.place),
    );
    return gossip;
  }

  /** The place in the network, once the node has joined it. */
  get place(): Gossip | undefined {
    return this.#place;
  }

  /** Joins the network. A node works without: what fails here is said and left. */
  async start(facts: NodeFacts): Promise<void> {
    const { config, node, account } = this.#options;
    const { gossip, network } = config;
    const { log } = this.#deps;
    if (!gossip.enabled) return;
    try {
      const [{ startGossip }, { chainNodes }] = await Promise.all([
        import('@dpu/sdk/gossip/gossip'),
        import('@dpu/sdk/gossip/chainNodes'),
      ]);
      const client = createPublicClient({
        transport: http(config.rpcUrl, { timeout: config.rpcTimeoutMs, retryCount: 0 }),
      });
      this.#place = await startGossip(
        {
          domain: marketDomain(network.chainId, network.market),
          dir: join(config.dataDir, 'gossip'),
          listen: gossip.listen ?? listenAt(config.gatewayHost),
          announce: gossip.announce,
          speaker: { node, signer: { address: account.address, sign: (hash) => account.sign!(hash) } },
          observers: gossip.observers ?? [...config.gateways, network.indexerUrl],
          neighbours: gossip.neighbours,
        },
        { source: chainNodes(client, network), now: Date.now, log },
      );
    } catch (error) {
      log.warn('This node does not hear the others: its host could not be started', { error });
      return;
    }
    log.info('Joined the network', { peer: this.#place.peer, addresses: this.#place.answer().addresses });
    this.#running = Promise.all([
      this.#every(HEARTBEAT_MS, async () => {
        const said = { asks: config.asks, celsius: await hottest(), software: SOFTWARE };
        await this.#say('heartbeat', heartbeatOf(facts.status(), said));
      }),
      this.#every(PROGRESS_MS, () => this.progress.flush()),
      this.#every(
        DECLINES_MS,
        declineTeller(facts.declines, (said) => this.#say('decline', said)),
      ),
      this.#every(HOLDINGS_MS, this.#holdingsTeller(facts.has)),
    ]);
  }

  /** Leaves the network. What shards have said last is told first. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    // The last words may be lost: the stored log has them, and a node must end.
    await this.progress.flush().catch(() => {});
    await this.#place?.close();
  }

  #holdingsTeller(has: NodeFacts['has']): () => Promise<void> {
    let told: string | undefined;
    let silent = 0;
    return async () => {
      const held = await this.held.review(has);
      silent += 1;
      if (held.join() === told && silent < HOLDINGS_ROUNDS) return;
      const { filterOf } = await import('@dpu/sdk/gossip/filter');
      await this.#say('holdings', filterOf(held));
      told = held.join();
      silent = 0;
    };
  }

  async #every(everyMs: number, task: () => Promise<void>): Promise<void> {
    const { log } = this.#deps;
    const onError = (error: unknown): void => log.warn('The network could not be told', { error });
    await repeat(task, { everyMs, signal: this.#stop.signal, onError });
  }

  #say: Gossip['say'] = async (topic, value) => this.#place?.say(topic, value);
}

/** Tells declines that were not told yet, a few at a time, oldest first. */
export function declineTeller(
  declines: NodeFacts['declines'],
  say: (said: Sayable<'decline'>) => Promise<void>,
): () => Promise<void> {
  const told = new Map<string, number>();
  return async () => {
    const all = declines.all();
    const fresh = all.filter(({ job, code, at }) => told.get(`${job}:${code}`) !== at).reverse();
    for (const { job, code, detail, at, signature } of fresh.slice(0, DECLINES_AT_ONCE)) {
      told.set(`${job}:${code}`, at);
      const proof = signature ? { signature: hexToBytes(signature) } : {};
      await say({ job: hexToBytes(job), code, at, ...proof, detail: fitDetail(detail) });
    }
    const known = new Set(all.map(({ job, code }) => `${job}:${code}`));
    for (const key of told.keys()) if (!known.has(key)) told.delete(key);
  };
}

/** Facts as others take them: whole numbers and short texts. */
function fitDetail(detail: Readonly<Record<string, unknown>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(detail)
      .slice(0, FACTS)
      .map(([name, value]) => [
        name.slice(0, 32),
        Number.isSafeInteger(value) ? (value as number) : String(value).slice(0, 160),
      ]),
  );
}

/** Where a host listens when nobody says: beside the gateway, at free ports, for TCP and WebSocket. */
function listenAt(gatewayHost: string): string[] {
  const ip = gatewayHost === 'localhost' ? '127.0.0.1' : gatewayHost;
  const base = `/${isIPv6(ip) ? 'ip6' : 'ip4'}/${isIP(ip) === 0 ? '0.0.0.0' : ip}/tcp/0`;
  return [base, `${base}/ws`];
}
