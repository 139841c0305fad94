/** A listener for services: hears the nodes, keeps the newest in memory, shows it over HTTP and as events. Speaks for nobody. Node only. */
import type { Hono } from 'hono';
import { createPublicClient, http } from 'viem';

import { chainNodes } from './chainNodes.ts';
import { startGossip, type Gossip, type GossipLog, type GossipOptions, type Listener } from './gossip.ts';
import { liveRoutes, type LiveRoutesOptions } from './liveRoutes.ts';
import type { Spoken } from './liveStore.ts';
import type { Deployment } from '../deployment.ts';
import { marketDomain } from '../terms.ts';

/** How a bridge runs. */
export interface BridgeOptions extends Pick<
  GossipOptions,
  'dir' | 'listen' | 'announce' | 'neighbours' | 'maxConnections' | 'observers'
> {
  deployment: Pick<Deployment, 'chainId' | 'market' | 'startBlock' | 'rpcUrl'>;
  log?: GossipLog;
  routes?: LiveRoutesOptions;
}

/** What the network says now. */
export interface Latest {
  heartbeats: Spoken<'heartbeat'>[];
  declines: Spoken<'decline'>[];
}

/** A running bridge. */
export interface Bridge {
  readonly gossip: Gossip;
  /** Mount at the root: `app.route('/', bridge.routes)`. `/v1/peer` must be reachable, or no node lets the bridge in. */
  readonly routes: Hono;
  latest(): Latest;
  /** Hears what is new. @returns what ends it. */
  subscribe(listener: Listener): () => void;
  close(): Promise<void>;
}

const SILENT: GossipLog = { debug: () => {}, warn: () => {} };

/**
 * Opens a bridge. Nodes let it in when their `gossip.observers` name the URL at which {@link Bridge.routes} are served; the deployment's gateway and indexer
 * are named by default.
 */
export async function openBridge({ deployment, log = SILENT, routes, ...options }: BridgeOptions): Promise<Bridge> {
  const client = createPublicClient({ transport: http(deployment.rpcUrl) });
  const gossip = await startGossip(
    { ...options, domain: marketDomain(deployment.chainId, deployment.market) },
    { source: chainNodes(client, deployment), now: Date.now, log },
  );
  return {
    gossip,
    routes: liveRoutes(() => gossip, routes),
    latest: () => ({ heartbeats: gossip.live.heartbeats(), declines: gossip.live.declines() }),
    subscribe: (listener) => gossip.subscribe(listener),
    close: () => gossip.close(),
  };
}
