/** The libp2p host: TCP and WebSocket, noise, yamux, gossipsub. No mDNS, no public bootstrap, no relays, no port mapping. Node only. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import { gossipsub, StrictNoSign, type GossipSub, type TopicValidatorResult } from '@libp2p/gossipsub';
import { identify, type Identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { peerIdFromString } from '@libp2p/peer-id';
import { tcp } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { sha256 } from 'viem';

import { GOSSIP_TOPICS, MAX_MESSAGE_BYTES, wireTopic, type GossipTopic } from './topics.ts';
import type { MarketDomain } from '../terms.ts';

/** A host with gossip. */
export type Host = Libp2p<{ gossip: GossipSub; identify: Identify }>;
/** A host's own key: its peer id. */
export type HostKey = Awaited<ReturnType<typeof generateKeyPair>>;
/** A stream between two hosts. */
export type HostStream = Awaited<ReturnType<Libp2p['dialProtocol']>>;

/** How a host runs. */
export interface HostOptions {
  key: HostKey;
  domain: MarketDomain;
  /** Multiaddrs at which it listens, such as `/ip4/0.0.0.0/tcp/24301` and `/ip4/0.0.0.0/tcp/24302/ws`. */
  listen: readonly string[];
  /** Multiaddrs under which others reach it; what it listens at when empty. */
  announce?: readonly string[];
  /** Most connections at once. */
  maxConnections: number;
  /** Connections per second from one address. */
  inboundPerSecond: number;
}

/** What a host asks. */
export interface HostDeps {
  /** Whether a peer may be connected with. Peers that it does not know are turned away once their key is proven. */
  isKnown: (peer: string) => boolean;
  /** Told when a stranger came: it may be a node that was registered just now. */
  onStranger: (peer: string) => void;
  /** Decides about a message. */
  validate: (topic: GossipTopic, data: Uint8Array, source: string) => Promise<TopicValidatorResult>;
}

/** Streams that one connection may have open at once. */
const STREAMS = 32;
/** Score of a neighbour: five invalid messages within a few minutes and nothing of it is heard any more. */
const TOPIC_SCORES = {
  topicWeight: 1,
  invalidMessageDeliveriesWeight: -20,
  invalidMessageDeliveriesDecay: 0.99,
  // Nothing else counts: topics are quiet at times, and silence is no fault.
  timeInMeshWeight: 0,
  timeInMeshQuantum: 1,
  timeInMeshCap: 1,
  firstMessageDeliveriesWeight: 0,
  firstMessageDeliveriesDecay: 0.5,
  firstMessageDeliveriesCap: 1,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 1,
  meshMessageDeliveriesActivation: 1,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
};
/** Whether gossip has stopped listening to a peer for what it sent: then it is asked nothing either. */
export function isShunned(gossip: unknown, peer: string): boolean {
  // In the program, not in its type.
  return (gossip as { getScore(peer: string): number }).getScore(peer) < SCORES.graylistThreshold;
}

const SCORES = { gossipThreshold: -100, publishThreshold: -200, graylistThreshold: -400 };

/** A host's key from its file; made when there is none. The file is readable by its owner only. */
export async function hostKey(file: string): Promise<HostKey> {
  if (existsSync(file)) return privateKeyFromProtobuf(readFileSync(file)) as HostKey;
  const key = await generateKeyPair('Ed25519');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, privateKeyToProtobuf(key), { mode: 0o600 });
  return key;
}

/** Starts a host and subscribes to every topic. */
export async function startHost(options: HostOptions, deps: HostDeps): Promise<Host> {
  const { key, domain, listen, announce = [], maxConnections, inboundPerSecond } = options;
  const names = new Map(GOSSIP_TOPICS.map((topic) => [wireTopic(topic, domain), topic]));
  const stranger = (peer: string): boolean => {
    if (deps.isKnown(peer)) return false;
    deps.onStranger(peer);
    return true;
  };
  const host: Host = await createLibp2p({
    privateKey: key,
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS })],
    connectionGater: {
      denyDialPeer: (peer) => !deps.isKnown(peer.toString()),
      denyInboundEncryptedConnection: (peer) => stranger(peer.toString()),
      denyOutboundEncryptedConnection: (peer) => !deps.isKnown(peer.toString()),
      // Private addresses are where local networks live; who is known is decided by key, not by address.
      denyDialMultiaddr: () => false,
    },
    connectionManager: {
      maxConnections,
      inboundConnectionThreshold: inboundPerSecond,
      maxIncomingPendingConnections: 16,
      maxParallelDials: 8,
      dialTimeout: 5_000,
      reconnectRetries: 0,
    },
    services: {
      identify: identify({ maxInboundStreams: 2, maxOutboundStreams: 2, runOnConnectionOpen: true }),
      gossip: gossipsub({
        globalSignaturePolicy: StrictNoSign,
        // The statement inside is signed; its hash is its name.
        msgIdFn: ({ data }) => sha256(data, 'bytes'),
        allowPublishToZeroTopicPeers: true,
        ignoreDuplicatePublishError: true,
        fallbackToFloodsub: false,
        floodPublish: false,
        emitSelf: false,
        doPX: false,
        // A small mesh: what gets lost is asked for, and a thousand heartbeats in four copies are a megabit a second.
        D: 4,
        Dlo: 3,
        Dhi: 6,
        Dscore: 2,
        Dout: 1,
        allowedTopics: [...names.keys()],
        maxInboundDataLength: 2 * MAX_MESSAGE_BYTES,
        maxTopicBytesPerPeer: 16 * 1_024,
        decodeRpcLimits: {
          maxSubscriptions: 16,
          maxMessages: 256,
          maxIhaveMessageIDs: 2_000,
          maxIwantMessageIDs: 2_000,
          maxIdontwantMessageIDs: 2_000,
          maxControlMessages: 256,
          maxPeerInfos: 0,
        },
        maxInboundStreams: 2,
        maxOutboundStreams: 2,
        scoreParams: {
          // Several nodes may stand behind one address; it is stake that keeps identities scarce.
          IPColocationFactorWeight: 0,
          topics: Object.fromEntries([...names.keys()].map((name) => [name, TOPIC_SCORES])),
        },
        scoreThresholds: SCORES,
      }),
    },
  });
  const { gossip } = host.services;
  for (const [name, topic] of names) {
    gossip.topicValidators.set(name, (peer, { data }) => deps.validate(topic, data, peer.toString()));
    gossip.subscribe(name);
  }
  return host;
}

/** Connects to a peer at the addresses that its record names. @throws when none answers. */
export async function connect(
  host: Host,
  { peer, addresses }: { peer: string; addresses: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const suffix = `/p2p/${peer}`;
  const full = addresses.map((address) => multiaddr(address.endsWith(suffix) ? address : `${address}${suffix}`));
  if (full.length === 0) throw new Error('its record names no address');
  await host.dial(full, { signal });
}

/** Whether a host is connected with a peer. */
export function isConnected(host: Host, peer: string): boolean {
  return host.getConnections(peerIdFromString(peer)).length > 0;
}
