/**
 * What heartbeats cost each node of a network of 10, 100 and 1,000: `npm run bench:gossip [-- --json]`.
 *
 * 10 nodes are real hosts on the loopback interface in this process: bytes are those of their TCP connections, processor time is the process's, both
 * divided by the nodes. 100 and 1,000 nodes are simulated: everybody picks three neighbours by `rank`, which comes to the mesh that gossipsub keeps;
 * each heartbeat is a really signed statement of an idle node, and one node puts every statement through the real guard and store; what is counted are the
 * copies that arrive. Handshakes, keep-alives and gossipsub's own control messages are not simulated; the real ten show what they add.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

import { fitBody, Guard } from '@dpu/sdk/gossip/guard';
import { nameOf } from '@dpu/sdk/gossip/latest';
import { LiveStore } from '@dpu/sdk/gossip/liveStore';
import { rank } from '@dpu/sdk/gossip/rank';
import { ReplayWindows } from '@dpu/sdk/gossip/replay';
import { encodeStatement, StatementDomain } from '@dpu/sdk/gossip/statement';
import { DOMAIN, idleHeartbeat, operatorOf, TestNetwork, until } from '@dpu/sdk/gossip/testing';

import { judge, report, type BenchResult } from './lib/report.ts';

/** How often a node says how it is, seconds. */
const EVERY_SECONDS = 15;
const NEIGHBOURS = 8;
/** Neighbours that each node picks for its mesh, which makes four to five for each, and what surrounds a message, bytes: topic, lengths, noise, yamux, TCP. */
const MESH = 3;
const FRAME_BYTES = 96;
const ROUNDS = 5;
/** A node shall hear a thousand others with at most a quarter of a core and a megabit a second. */
const TARGETS = { bytesPerSecond: 125_000, corePercent: 25 };

async function real(count: number): Promise<BenchResult[]> {
  const sockets: Socket[] = [];
  subscribe('net.client.socket', (message) => sockets.push((message as { socket: Socket }).socket));
  const network = new TestNetwork({ neighbours: NEIGHBOURS, tendMs: 500, repairMs: 3_600_000 });
  try {
    const nodes = await network.startNodes(count);
    await until(() => nodes.every((node) => node.neighbours() >= Math.min(NEIGHBOURS, count - 1)), 120);
    // The meshes form within a few of gossipsub's own heartbeats.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const traffic = (): number =>
      sockets.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0);
    const [bytes, cpu] = [traffic(), process.cpuUsage()];
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const node of nodes) await node.say('heartbeat', idleHeartbeat(round));
      await until(
        () => nodes.every(({ live }) => live.heartbeats().filter(({ head }) => head === round).length === count),
        60,
      );
    }
    const { user, system } = process.cpuUsage(cpu);
    // Every byte is counted once, at the end that dialled.
    const perNode = count * ROUNDS;
    return results(count, 'real hosts', (traffic() - bytes) / perNode, (user + system) / 1_000 / perNode);
  } finally {
    await network.close();
  }
}

/** Copies of one message that a node gets, on average, when everybody forwards to its mesh. */
function copies(count: number): number {
  const peers = Array.from({ length: count }, (_, index) => ({ peer: `peer-${index}` }));
  const links = peers.map(() => new Set<number>());
  for (const [index, { peer }] of peers.entries()) {
    const others = rank(
      peer,
      peers.filter((other) => other.peer !== peer),
    ).slice(0, MESH);
    for (const other of others) {
      const at = Number(other.peer.slice(5));
      links[index]!.add(at);
      links[at]!.add(index);
    }
  }
  const mesh = links.map((set) => [...set]);
  const seen = new Set([0]);
  let sent = 0;
  let front: [number, number][] = [[0, -1]];
  while (front.length > 0) {
    const next: [number, number][] = [];
    for (const [at, from] of front) {
      for (const to of mesh[at]!) {
        if (to === from) continue;
        sent += 1;
        if (seen.has(to)) continue;
        seen.add(to);
        next.push([to, at]);
      }
    }
    front = next;
  }
  if (seen.size !== count) throw new Error(`${count - seen.size} of ${count} simulated nodes hear nothing`);
  return sent / count;
}

async function simulated(count: number): Promise<BenchResult[]> {
  const domain = new StatementDomain(DOMAIN);
  const now = Date.now();
  const said: Uint8Array[] = [];
  const operators = new Map<number, ReturnType<typeof operatorOf>>();
  for (let node = 1; node <= count; node += 1) {
    const signer = operatorOf(node);
    operators.set(node, signer);
    const body = fitBody('heartbeat', idleHeartbeat(1));
    said.push(encodeStatement(await domain.sign({ node, topic: 'heartbeat', sequence: now, time: now, body }, signer)));
  }
  const windows = new ReplayWindows();
  const guard = new Guard({
    domain,
    operators: {
      operatorOf: (node) => ({ operator: operators.get(node)!.address, readAt: now }),
      refresh: () => {},
    },
    heard: { windows, mark: (place) => windows.mark(place) },
    now: () => now,
  });
  const store = new LiveStore();
  const times = copies(count);
  const cpu = process.cpuUsage();
  for (const bytes of said) {
    // Every copy is hashed, as its name says whether it is new; the first is checked.
    for (let copy = 0; copy < times; copy += 1) nameOf(bytes);
    const outcome = await guard.check('heartbeat', bytes);
    if (outcome.verdict !== 'accept') throw new Error(`a good heartbeat was refused: ${outcome.reason}`);
    store.add({ ...outcome.statement });
  }
  const { user, system } = process.cpuUsage(cpu);
  const size = said.reduce((sum, { length }) => sum + length, 0);
  return results(count, 'simulated', times * (size + count * FRAME_BYTES), (user + system) / 1_000);
}

/** @param bytes Bytes that one node receives, which is what it sends on average for one heartbeat of everybody. @param cpuMs Its processor time for that. */
function results(count: number, how: string, bytes: number, cpuMs: number): BenchResult[] {
  const name = `heartbeats of ${count} nodes (${how})`;
  const once = count * (300 / EVERY_SECONDS);
  return [
    judge({
      name: `${name}: received by a node`,
      value: bytes / EVERY_SECONDS,
      unit: 'B/s',
      baseline: once,
      target: TARGETS.bytesPerSecond,
      better: 'lower',
    }),
    judge({
      name: `${name}: processor of a node`,
      value: cpuMs / EVERY_SECONDS / 10,
      unit: '% of a core',
      target: TARGETS.corePercent,
      better: 'lower',
    }),
  ];
}

report('Heartbeats every 15 s; baseline: 300 bytes of each node, once', [
  ...(await real(10)),
  ...(await simulated(100)),
  ...(await simulated(1_000)),
]);
