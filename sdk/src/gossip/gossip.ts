/** A place in the network: hears every node, may speak for one, tells late joiners what it heard. Node only. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { TopicValidatorResult } from '@libp2p/gossipsub';

import { Buckets } from './bucket.ts';
import type { NodeSource } from './chainNodes.ts';
import { Directory, DIRECTORY_DEFAULTS, type KnownPeer } from './directory.ts';
import { fitBody, Guard, type Checked, type Refusal } from './guard.ts';
import { connect, hostKey, isConnected, isShunned, startHost, type Host } from './host.ts';
import { ask, latestProtocol, tell } from './latest.ts';
import { LiveStore, type LiveStoreOptions } from './liveStore.ts';
import type { PeerAnswer } from './peerRecord.ts';
import { rank } from './rank.ts';
import { HeardFile, OwnSequences } from './sequenceFile.ts';
import { decodeStatement, encodeStatement, StatementDomain, type Signer } from './statement.ts';
import { GOSSIP_TOPICS, TOPICS, wireTopic, type GossipTopic, type Sayings, type TopicName } from './topics.ts';
import type { MarketDomain } from '../terms.ts';

/** How one takes part. */
export interface GossipOptions {
  /** Of the Market whose nodes are heard. */
  domain: MarketDomain;
  /** Folder of the host's key and of what must survive a restart. */
  dir: string;
  /** Multiaddrs to listen at. */
  listen: readonly string[];
  /** Multiaddrs under which others reach this host; what it listens at when empty. */
  announce?: readonly string[];
  /** The node that speaks here, and its operator's key. Without it this place only listens. */
  speaker?: { node: number; signer: Signer };
  /** URLs of gateways and bridges that may listen beside the nodes, or their peer ids. */
  observers?: readonly string[];
  /** Neighbours that are looked for; what others look for comes on top. */
  neighbours?: number;
  /** Most connections at once. */
  maxConnections?: number;
  /** Connections per second from one address. */
  inboundPerSecond?: number;
  /** How often the neighbourhood is looked after, milliseconds. */
  tendMs?: number;
  /** How often a neighbour is asked for what was missed, milliseconds. */
  repairMs?: number;
  store?: LiveStoreOptions;
  /** Directory's pace, for tests. */
  directory?: Partial<typeof DIRECTORY_DEFAULTS>;
}

/** What it works with. */
export interface GossipDeps {
  /** The network's nodes. */
  source: NodeSource;
  /** Unix milliseconds; the machine's clock must be right to half a minute. */
  now: () => number;
  log: GossipLog;
  fetch?: typeof fetch;
}

/** Where it writes what happens. */
export interface GossipLog {
  debug(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
}

/** What can be said on each topic, before it is checked. */
export type Sayable<Name extends TopicName> = Sayings[Name];
/** Hears what is new. */
export type Listener = (statement: Checked<GossipTopic>) => void;

/** Counts since the start. */
export interface GossipCounts {
  heard: number;
  said: number;
  refused: Partial<Record<Refusal, number>>;
}

/** A running place in the network. */
export interface Gossip {
  readonly peer: string;
  /** The libp2p host, for tests and measurements. */
  readonly host: Host;
  /** What was said lately. */
  readonly live: LiveStore;
  readonly directory: Directory;
  readonly counts: GossipCounts;
  /** Connected peers. */
  neighbours(): number;
  /**
   * Says something for the node.
   * @throws UnfitStatement when others would refuse it; Error when this place only listens.
   */
  say<Name extends GossipTopic>(topic: Name, value: Sayable<Name>): Promise<void>;
  /** Hears everything that is new, this node's own words included. @returns what ends it. */
  subscribe(listener: Listener): () => void;
  /** Name of a topic on the wire. */
  wire(topic: GossipTopic): string;
  /** The answer for `GET /v1/peer`. */
  answer(): PeerAnswer;
  close(): Promise<void>;
}

const MINUTE = 60_000;
/** How often a neighbour is asked for what was missed; and how often, and for how long, after a neighbour has come. */
const REPAIR_MS = 30_000;
const JOINING = { everyMs: 1_000, forMs: 10_000 };
/** The record is signed anew this often: it is good for a day. */
const RECORD_MS = 60 * MINUTE;
/** How long a peer that could not be reached is left alone, milliseconds: twice as long each time. A peer may not know us yet, and turn us away. */
const RETRY_MS = { first: 500, most: 60_000 };

/** Starts a host, finds its neighbours and listens. */
export async function startGossip(options: GossipOptions, deps: GossipDeps): Promise<Gossip> {
  const { domain, dir, speaker, observers = [], neighbours = 8, maxConnections = 64 } = options;
  const { now, log } = deps;
  const closing = new AbortController();
  const { signal } = closing;
  const statements = new StatementDomain(domain);
  const directory = new Directory(
    { ...DIRECTORY_DEFAULTS, ...options.directory, self: speaker?.node, observers },
    {
      source: deps.source,
      now,
      signal,
      ...(deps.fetch ? { fetch: deps.fetch } : {}),
      onError: (error) => log.warn('Nodes cannot be read from the chain', { error }),
    },
  );
  const keptMs = Math.max(...GOSSIP_TOPICS.map((topic) => TOPICS[topic].freshMs));
  const heard = new HeardFile(join(dir, 'heard'), keptMs, now());
  const sequences = speaker && new OwnSequences(join(dir, 'sequence'), now());
  const counts: GossipCounts = { heard: 0, said: 0, refused: {} };
  const guard = new Guard({
    domain: statements,
    operators: directory,
    heard,
    now,
    onRefused: (reason) => (counts.refused[reason] = (counts.refused[reason] ?? 0) + 1),
  });
  directory.use(guard);

  const live = new LiveStore(options.store);
  const listeners = new Set<Listener>();
  const take = (statement: Checked<GossipTopic>): void => {
    if (!live.add(statement)) return;
    for (const listener of listeners) listener(statement);
  };

  const key = await hostKey(join(dir, 'host.key'));
  const host = await startHost(
    {
      key,
      domain,
      listen: options.listen,
      ...(options.announce ? { announce: options.announce } : {}),
      maxConnections,
      inboundPerSecond: options.inboundPerSecond ?? 16,
    },
    {
      isKnown: (peer) => directory.isKnown(peer),
      onStranger: () => directory.refresh(),
      validate: async (topic, data, source) => {
        const outcome = await guard.check(topic, data, { source });
        if (outcome.verdict !== 'accept') {
          return outcome.verdict === 'reject' ? TopicValidatorResult.Reject : TopicValidatorResult.Ignore;
        }
        counts.heard += 1;
        take(outcome.statement);
        return TopicValidatorResult.Accept;
      },
    },
  );

  const protocol = latestProtocol(domain);
  const repairMs = options.repairMs ?? REPAIR_MS;
  const askers = new Buckets({ burst: 16, perSecond: 4_000 / repairMs });
  const everything = (): Uint8Array[] => [...(record ? [record.bytes] : []), ...directory.records(), ...live.all()];
  await host.handle(
    protocol,
    async (stream, connection) => {
      if (askers.take(connection.remotePeer.toString(), now())) await tell(stream, everything);
      else stream.abort(new Error('asked too often'));
    },
    { maxInboundStreams: 4, maxOutboundStreams: 4 },
  );

  /** Takes in what a peer tells. What is refused is counted, nothing more: each statement stands for itself. */
  const hear = async (bytes: Uint8Array, source: string): Promise<void> => {
    const topic = decodeStatement(bytes)?.topic;
    if (topic === 'peer') return void (await directory.learn(bytes));
    const known = GOSSIP_TOPICS.find((name) => name === topic);
    if (!known) return;
    const outcome = await guard.check(known, bytes, { source, late: true });
    if (outcome.verdict === 'accept') take(outcome.statement);
  };
  /** Gossip is lost where a neighbour is not there yet, or any more; so somebody is asked on joining, and now and then. */
  let askedAt = -Infinity;
  let joinedAt = -Infinity;
  host.addEventListener('connection:open', () => (joinedAt = now()));
  const repair = async (): Promise<void> => {
    const connections = host
      .getConnections()
      .filter(({ remotePeer }) => !isShunned(host.services.gossip, remotePeer.toString()));
    const connection = connections[Math.floor(Math.random() * connections.length)];
    const pause = now() - joinedAt < JOINING.forMs ? Math.min(repairMs, JOINING.everyMs) : repairMs;
    if (!connection || now() - askedAt < pause) return;
    askedAt = now();
    const peer = connection.remotePeer.toString();
    await ask(protocol, connection, everything(), (bytes) => hear(bytes, peer), signal).catch((error: unknown) =>
      log.debug('A peer told nothing', { peer, error }),
    );
  };

  let record: { bytes: Uint8Array; at: number; addresses: string } | undefined;
  const addresses = (): string[] =>
    host
      .getMultiaddrs()
      .map((address) => address.toString())
      .slice(0, 8);
  const sign = async (topic: TopicName, body: Uint8Array): Promise<Uint8Array> => {
    if (!speaker || !sequences) throw new Error('This place in the network only listens: it has no operator key.');
    const said = { node: speaker.node, topic, sequence: sequences.next(topic), time: now(), body };
    return encodeStatement(await statements.sign(said, speaker.signer));
  };
  const renewRecord = async (): Promise<void> => {
    const listening = addresses();
    const changed = record?.addresses !== listening.join();
    if (!speaker || (!changed && record && record.at > now() - RECORD_MS)) return;
    const body = fitBody('peer', { peer: host.peerId.toString(), addresses: listening });
    record = { bytes: await sign('peer', body), at: now(), addresses: listening.join() };
  };
  await renewRecord();

  const tendMs = options.tendMs ?? 1_000;
  const tending = tend({ host, directory, live, heard, neighbours, renewRecord, repair, tendMs, now, log, signal });

  return {
    peer: host.peerId.toString(),
    host,
    wire: (topic) => wireTopic(topic, domain),
    live,
    directory,
    counts,
    neighbours: () => host.getPeers().length,
    async say(topic, value) {
      const body = fitBody(topic, value);
      const bytes = await sign(topic, body);
      // It goes through the same rules as everybody's, so that a listener here sees what others see.
      const statement = decodeStatement(bytes)!;
      const said = TOPICS[topic].schema.parse(value);
      take({ ...statement, topic, said, bytes });
      counts.said += 1;
      await host.services.gossip.publish(wireTopic(topic, domain), bytes);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    answer: () => ({ peer: host.peerId.toString(), addresses: addresses(), statement: record?.bytes ?? null }),
    async close() {
      closing.abort();
      listeners.clear();
      await tending;
      await host.stop();
      heard.close();
    },
  };
}

interface Tended {
  host: Host;
  directory: Directory;
  live: LiveStore;
  heard: HeardFile;
  neighbours: number;
  renewRecord: () => Promise<void>;
  repair: () => Promise<void>;
  tendMs: number;
  now: () => number;
  log: GossipLog;
  signal: AbortSignal;
}

/** Keeps enough neighbours, and forgets what is old, until it is ended. */
async function tend(parts: Tended): Promise<void> {
  const { host, directory, live, heard, neighbours, renewRecord, repair, tendMs, now, log, signal } = parts;
  const tries = new Map<string, { count: number; nextAt: number }>();
  const self = host.peerId.toString();
  let expiredAt = now();
  while (!signal.aborted) {
    try {
      await renewRecord();
      await directory.tick();
      // Who is known no more, such as a node without stake, loses its connections.
      for (const peer of host.getPeers()) if (!directory.isKnown(peer.toString())) await host.hangUp(peer);
      const known = rank(
        self,
        directory.peers().filter(({ peer }) => peer !== self),
      );
      const wanted = known.slice(0, Math.max(neighbours, 0));
      const connected = known.filter(({ peer }) => isConnected(host, peer)).length;
      for (const { peer } of known) if (isConnected(host, peer)) tries.delete(peer);
      const spare = connected < neighbours ? known.slice(neighbours) : [];
      const toDial = [...wanted, ...spare]
        .filter(({ peer, addresses }) => addresses.length > 0 && !isConnected(host, peer))
        .filter(({ peer }) => (tries.get(peer)?.nextAt ?? 0) <= now())
        .slice(0, Math.max(0, neighbours - connected));
      await Promise.all(toDial.map((peer) => dial(parts, peer, tries)));
      void repair();
      if (now() - expiredAt >= MINUTE) {
        expiredAt = now();
        live.expire(now());
        heard.forget(now());
      }
    } catch (error) {
      if (!signal.aborted) log.warn('The neighbourhood could not be looked after', { error });
    }
    // Only closing wakes it early, and that ends the loop.
    await sleep(tendMs, undefined, { signal }).catch(() => {});
  }
}

async function dial(
  { host, directory, now, log, signal }: Tended,
  known: KnownPeer,
  tries: Map<string, { count: number; nextAt: number }>,
): Promise<void> {
  const count = tries.get(known.peer)?.count ?? 0;
  // Whoever turns us away does so after the handshake: only a connection that is there the next time counts.
  tries.set(known.peer, { count: count + 1, nextAt: now() + Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** count) });
  try {
    await connect(host, known, AbortSignal.any([signal, AbortSignal.timeout(10_000)]));
  } catch (error) {
    if (signal.aborted) return;
    log.debug('A peer cannot be reached', { peer: known.peer, node: known.node, error });
    // It may have moved; its gateway knows.
    if (known.node !== undefined) await directory.askNode(known.node);
    else directory.refresh();
  }
}
