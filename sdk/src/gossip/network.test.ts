import { hexToBytes, type Hex } from 'viem';
import { afterEach, expect, test } from 'vitest';

import type { Gossip, Sayable } from './gossip.ts';
import { isShunned } from './host.ts';
import { idleHeartbeat, operatorOf, TestNetwork, until } from './testing.ts';

const JOB: Hex = `0x${'ab'.repeat(32)}`;

let network: TestNetwork;
afterEach(() => network.close());

const full = (places: readonly Gossip[]): boolean => places.every((place) => place.neighbours() === places.length - 1);
const heads = ({ live }: Gossip): [number, number][] =>
  live
    .heartbeats()
    .map(({ node, head }): [number, number] => [node, head])
    .sort(([a], [b]) => a - b);
const progress = (from: number, text: string): Sayable<'progress'> => ({
  job: hexToBytes(JOB),
  shards: [
    {
      shard: 3,
      state: 'running',
      permille: null,
      ms: 10,
      entries: from + 1,
      head: new Uint8Array(32),
      from,
      lines: [[10, 'out', text]],
    },
  ],
});

test('what one node says, every node hears, exactly once, over TCP and WebSocket', async () => {
  network = new TestNetwork();
  for (const id of [1, 2, 3, 4]) network.register(id);
  const listen = (id: number): string[] => [`/ip4/127.0.0.1/tcp/0${id % 2 === 0 ? '/ws' : ''}`];
  const nodes: Gossip[] = [];
  for (const id of [1, 2, 3, 4]) nodes.push(await network.start(`node-${id}`, id, { listen: listen(id) }));
  const heard = nodes.map(() => 0);
  nodes.forEach((node, index) => node.subscribe(() => (heard[index] = heard[index]! + 1)));
  await until(() => full(nodes));
  await nodes[0]!.say('heartbeat', idleHeartbeat(7));
  await until(() => nodes.every((node) => heads(node).length === 1));
  expect(nodes.map(heads)).toEqual(nodes.map(() => [[1, 7]]));
  expect(heard).toEqual([1, 1, 1, 1]);
});

test('whoever dies, a late joiner learns from the others all that was said', async () => {
  network = new TestNetwork();
  const nodes = await network.startNodes(3);
  await until(() => full(nodes));
  for (const [index, node] of nodes.entries()) await node.say('heartbeat', idleHeartbeat(10 + index));
  await nodes[0]!.say('progress', progress(0, 'first'));
  await nodes[0]!.say('progress', progress(1, 'second'));
  await nodes[1]!.say('decline', { job: hexToBytes(JOB), code: 'price', at: 7, detail: { ask: '5' } });
  const complete = (place: Gossip): boolean =>
    heads(place).length === 3 && place.live.progress(JOB)[0]?.lines.length === 2 && place.live.declines().length === 1;
  await until(() => nodes.every(complete));
  network.register(4);

  // Each node in turn is gone when the newcomer joins, and is started again afterwards with an empty memory.
  for (const gone of [1, 2, 3]) {
    await network.stop(`node-${gone}`);
    const newcomer = await network.start(`node-4`, 4);
    await until(() => complete(newcomer));
    expect(heads(newcomer)).toEqual([
      [1, 10],
      [2, 11],
      [3, 12],
    ]);
    expect(newcomer.live.progress(JOB)).toMatchObject([
      {
        node: 1,
        shard: 3,
        lines: [
          { number: 0, line: [10, 'out', 'first'] },
          { number: 1, line: [10, 'out', 'second'] },
        ],
      },
    ]);
    expect(newcomer.live.declines(JOB)).toMatchObject([{ node: 2, code: 'price', detail: { ask: '5' } }]);
    const again = await network.start(`node-${gone}`, gone);
    await until(() => complete(again));
    await network.stop('node-4');
  }
}, 120_000);

test('a stranger is turned away, and let in once it is registered with stake', async () => {
  network = new TestNetwork();
  const [node] = await network.startNodes(1);
  const stranger = await network.start('node-2', 2);
  await until(() => stranger.directory.peers().length === 1);
  await stranger.say('heartbeat', idleHeartbeat());
  expect(node!.directory.isKnown(stranger.peer)).toBe(false);
  expect(node!.neighbours()).toBe(0);
  network.register(2, 0n);
  await until(() => node!.directory.nodes === 1 && network.chain.length === 2);
  expect(node!.directory.isKnown(stranger.peer)).toBe(false);
  network.chain[1]!.stake = 1n;
  await until(() => node!.neighbours() === 1 && stranger.neighbours() === 1);
  await stranger.say('heartbeat', idleHeartbeat(3));
  await until(() => heads(node!).length === 1);
  // Without stake it is disconnected again.
  network.chain[1]!.stake = 0n;
  await until(() => node!.neighbours() === 0);
});

test('an observer hears everything and can say nothing', async () => {
  network = new TestNetwork({ observers: ['http://bridge.test'] });
  const nodes = await network.startNodes(2);
  const bridge = await network.start('bridge');
  await until(() => bridge.neighbours() === 2);
  await nodes[1]!.say('heartbeat', idleHeartbeat(9));
  await until(() => heads(bridge).length === 1);
  expect(heads(bridge)).toEqual([[2, 9]]);
  await expect(bridge.say('heartbeat', idleHeartbeat())).rejects.toThrow('only listens');
  expect(nodes[0]!.directory.nodeOf(bridge.peer)).toBeUndefined();
});

test('a neighbour that sends rubbish is not listened to any more', async () => {
  network = new TestNetwork({ tendMs: 100, repairMs: 3_600_000 });
  const [node, rude] = await network.startNodes(2);
  await until(() => full([node!, rude!]));
  const publish = (index: number): Promise<unknown> =>
    rude!.host.services.gossip.publish(rude!.wire('heartbeat'), Uint8Array.of(index, 1, 2, 3));
  let sent = 0;
  await until(() => {
    void publish((sent += 1));
    return (node!.counts.refused.form ?? 0) >= 6;
  });
  await until(() => isShunned(node!.host.services.gossip, rude!.peer));
  // Gossipsub looks at a score once a second; the door is shut when rubbish is not even counted any more.
  let [counted, unheard] = [0, 0];
  await until(() => {
    void publish((sent += 1));
    const { form = 0 } = node!.counts.refused;
    unheard = form === counted ? unheard + 1 : 0;
    counted = form;
    return unheard > 40;
  });
  const { heard } = node!.counts;
  await rude!.say('heartbeat', idleHeartbeat(2));
  await node!.say('heartbeat', idleHeartbeat(3));
  await until(() => heads(rude!).length === 2);
  expect(heads(node!)).toEqual([[1, 3]]);
  expect(node!.counts.heard).toBe(heard);
});

test('a node that is started again goes on above its old sequence numbers and is heard', async () => {
  network = new TestNetwork();
  const [node, other] = await network.startNodes(2);
  await until(() => full([node!, other!]));
  await other!.say('heartbeat', idleHeartbeat(1));
  await until(() => heads(node!).length === 1);
  await network.stop('node-2');
  const again = await network.start('node-2', 2);
  expect(again.peer).toBe(other!.peer);
  await until(() => full([node!, again]));
  await again.say('heartbeat', idleHeartbeat(2));
  await until(() => heads(node!)[0]?.[1] === 2);
  expect(operatorOf(2).address).toBe(network.chain[1]!.operator);
});
