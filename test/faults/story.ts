import { drawsOf, FAULTS, planFaults, type Fault } from '../lib/faultPlan.ts';
import { startFaultProxy, type FaultProxy } from '../lib/faultProxy.ts';
import { CRASH_KINDS, CRASH_POINTS, type CrashPlan, type CrashPoint } from './points.ts';
import { SteppedNode } from './steppedNode.ts';
import { violations, type Posted, type World } from './world.ts';

/** What happens to a node while it does a job. */
export interface Story {
  seed: number;
  shards: number;
  /** Its deaths, one after the other. */
  crashes: CrashPlan[];
  /** Blocks that pass while it is dead. */
  downtime: number;
  /** The pool forgets its transactions when it dies. */
  poolLost: boolean;
  /** Depths of reorganisations, each at this block of the story. */
  reorgs: { at: number; depth: number }[];
  /** Factor of the base fee, at this block of the story. */
  spike: { at: number; factor: bigint } | undefined;
  /** Weather of its endpoints; two of them. */
  faults: readonly Fault[];
}

/** How a story ended. */
export interface Outcome {
  seed: number;
  /** What an honest node could be ashamed of. */
  violations: string[];
  blocks: number;
  deaths: number;
  reorgs: number;
  hits: Record<string, number>;
  /** What replays it. */
  telling: string;
}

/** Blocks after which a story that has not ended has failed: far below the deadline of its leases. */
const MOST_BLOCKS = 400;
/** Blocks before a story, so that no reorganisation reaches the one before. */
const APART = 70;
export const DEEPEST_REORG = 64;
/** Faults of single methods. */
const RARE: ReadonlySet<Fault> = new Set<Fault>(['drop', 'duplicate', 'hide', 'forge']);

/** Kills at `point`, and by the seed more: another death, lost pools, reorganisations, a gas spike. */
export function crashStory(seed: number, point: CrashPoint): Story {
  const draw = drawsOf(seed * 8 + CRASH_POINTS.indexOf(point));
  const whole = (most: number): number => Math.floor(draw() * most);
  const kind = () => CRASH_KINDS[whole(CRASH_KINDS.length)] ?? 'commit';
  const crashes: CrashPlan[] = [{ point, kind: kind() }];
  if (draw() < 0.4) crashes.push({ point: CRASH_POINTS[whole(8)] ?? point, kind: kind() });
  return {
    ...{ seed, crashes, shards: 1 + whole(4), downtime: whole(6), poolLost: draw() < 0.3 },
    reorgs: draw() < 0.3 ? [{ at: 2 + whole(10), depth: 1 + whole(8) }] : [],
    spike: draw() < 0.2 ? { at: 2 + whole(8), factor: 50n } : undefined,
    faults: [],
  };
}

/** A reorganisation of exactly `depth` blocks somewhere in the life of a job. */
export function reorgStory(seed: number, depth: number): Story {
  const draw = drawsOf(seed * 64 + depth);
  const at = 2 + Math.floor(draw() * 12);
  return {
    ...{ seed, crashes: [], shards: 1 + Math.floor(draw() * 3), downtime: 0, poolLost: false, faults: [] },
    ...{ reorgs: [{ at, depth }], spike: undefined },
  };
}

/** Bad weather, of one kind or of all, and by the seed a death, a reorganisation, a gas spike. */
export function weatherStory(seed: number, fault?: Fault): Story {
  const draw = drawsOf(seed * 16 + (fault ? FAULTS.indexOf(fault) : 15));
  const whole = (most: number): number => Math.floor(draw() * most);
  return {
    ...{ seed, shards: 1 + whole(3), downtime: whole(4), poolLost: draw() < 0.2, faults: fault ? [fault] : FAULTS },
    crashes: draw() < 0.3 ? [{ point: CRASH_POINTS[whole(8)] ?? 'signed, not sent', kind: 'commit' }] : [],
    reorgs: draw() < 0.3 ? [{ at: 3 + whole(10), depth: 1 + whole(3) }] : [],
    spike: draw() < 0.3 ? { at: 2 + whole(8), factor: 50n } : undefined,
  };
}

/** Lets stories happen to a node, one after the other; it lives on between them. */
export class Stories {
  readonly #world: World;
  #node: SteppedNode | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** Lets one happen, and looks at what the chain says in the end. */
  async happen(story: Story): Promise<Outcome> {
    const world = this.#world;
    const proxies = await weatherOf(world, story);
    if (proxies.length > 0) await this.close();
    const settings = proxies.length > 0 ? { rpc: proxies.map(({ url }) => url) } : {};
    this.#node ??= new SteppedNode({ settings: { ...world.settings, ...settings }, operatorKey: world.operatorKey });
    const node = this.#node;
    const deaths = node.deaths;
    try {
      await world.mine(APART);
      if (!node.isAlive) await node.start();
      const { job, blocks, reorgs } = await live(world, node, story);
      const found = await violations(world, job, story.shards);
      if (node.doubleCommits > 0) found.push(`double commit: two commitments for ${node.doubleCommits} leases`);
      const hits: Record<string, number> = {};
      for (const proxy of proxies)
        for (const [name, count] of Object.entries(proxy.hits)) hits[name] = (hits[name] ?? 0) + count;
      const telling = [
        JSON.stringify(story, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
        ...(found.length > 0 ? [...proxies.map(({ plan }) => plan), node.said] : []),
      ].join('\n');
      return { seed: story.seed, violations: found, blocks, deaths: node.deaths - deaths, reorgs, hits, telling };
    } finally {
      if (proxies.length > 0) await this.close();
      for (const proxy of proxies) await proxy.close();
    }
  }

  /** Ends the node. */
  async close(): Promise<void> {
    await this.#node?.kill();
    this.#node = undefined;
  }
}

/** Two endpoints with a weather of their own each; none in fair weather. */
async function weatherOf({ network }: World, { seed, faults }: Story): Promise<FaultProxy[]> {
  if (faults.length === 0) return [];
  // Faults that only logs or transactions can meet need longer spells to meet any.
  const requests = faults.every((fault) => RARE.has(fault)) ? 200 : 60;
  return Promise.all(
    [2 * seed, 2 * seed + 1].map((own) =>
      startFaultProxy(network.rpcUrl, own, planFaults({ seed: own, spells: 6, requests, faults })),
    ),
  );
}

/** Posts the job of a story and mines, in step with the node, until it has ended. */
async function live(
  world: World,
  node: SteppedNode,
  story: Story,
): Promise<{ job: Posted; blocks: number; reorgs: number }> {
  const { network } = world;
  const plans = [...story.crashes];
  const last = Math.max(0, ...story.reorgs.map(({ at }) => at));
  node.plan(plans[0]);
  const job = await world.post(story.shards);
  let blocks = 0;
  let reorgs = 0;
  for (; blocks < MOST_BLOCKS; blocks += 1) {
    await node.workedOff(await world.head());
    if (!node.isAlive) {
      plans.shift();
      if (story.poolLost) await network.client.request({ method: 'anvil_dropAllTransactions' } as never);
      await world.mine(story.downtime);
      await node.start(plans[0]);
      continue;
    }
    const reorg = story.reorgs.find(({ at }) => at === blocks);
    if (reorg) {
      reorgs += 1;
      await world.reorg(reorg.depth);
      await world.repost(job);
    }
    if (story.spike?.at === blocks) {
      const { baseFeePerGas } = await network.client.getBlock();
      await network.test.setNextBlockBaseFeePerGas({ baseFeePerGas: (baseFeePerGas ?? 1n) * story.spike.factor });
    }
    if (blocks > last && (await network.requester.job(job.id)).state === 3) break;
    await world.mine();
  }
  // A death that was planned for what comes after the end must not be left over for the next story.
  if (node.isAlive) node.plan(undefined);
  return { job, blocks, reorgs };
}
