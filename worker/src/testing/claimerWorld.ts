import { marketAbi } from '@dpu/sdk/abi';
import { isSeat } from '@dpu/sdk/lease';
import { panelWord, type Panel } from '@dpu/sdk/panel';
import { marketDomain, type Terms } from '@dpu/sdk/terms';
import { decodeFunctionData, type Address, type Hex } from 'viem';
import type { Chain, DryRun, JobView, NodeView } from '../chain/chain.ts';
import type { ChainBook, KnownLease } from '../chain/chainBook.ts';
import { ChainFacts } from '../chain/facts.ts';
import { PromiseBook } from '../leases/promiseBook.ts';
import type { Settler } from '../leases/settler.ts';
import { silentLog } from '../log.ts';
import { Claimer } from '../planning/claimer.ts';
import { DeclineBook } from '../planning/declines.ts';
import { Experience } from '../planning/experience.ts';
import { Preparer } from '../planning/preparer.ts';
import type { Governor } from '../resources/governor.ts';
import { needsOf } from '../resources/needs.ts';
import { Journal } from '../sending/journal.ts';
import { Outbox } from '../sending/outbox.ts';
import { Proposer } from '../sending/proposer.ts';
import type { Sender } from '../sending/sender.ts';
import { Timings } from '../timings.ts';
import type { PreparedJob, Workspace } from '../work/workspace.ts';
import { sampleResources } from './machine.ts';
import { bytes32, CURRENCY, JOB, NODE, sampleHead, sampleNode, sampleTerms } from './samples.ts';

const never = new AbortController().signal;
/** Lets what was begun without waiting get on. */
export const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A panel that node 9 opened at second 1,012, in a job that was posted at second 1,000 in block 10. */
const PANEL: Panel = {
  ...{ flags: 0, openedAt: 1_012, postBlock: 10, postedAt: 1_000, rampFrom: 1_000, movedAt: 1_012 },
  ...{ count: 2, sitting: 1, committed: 0, asked: 3, convicted: 0, marks: 0 },
};

export const TREASURY = '0x0000000000000000000000000000000000000401';
export const HOLDERS_OWNER = '0x0000000000000000000000000000000000000402';

/** What a claimer finds on the chain and on its machine. */
export interface World {
  terms: Partial<Terms>;
  view: Partial<JobView>;
  /** The job that it comes after. */
  parent: Partial<JobView>;
  node: Partial<NodeView>;
  leases: KnownLease[];
  panel: Partial<Panel>;
  bench: bigint;
  /** Who holds what others compute. */
  holder: Partial<NodeView>;
  /** What the treasury has in the Market. */
  pool: bigint;
  /** The DPU token. */
  token: Address;
  /** Least price of a shard. */
  asks: bigint;
  prepare: () => Promise<PreparedJob>;
  dryRun: () => DryRun;
  governor: Pick<Governor, 'halt' | 'secondsLeft' | 'reading'>;
}

/** A claimer in a world of one open job, with what it sent and asked. */
export function claimerIn(over: Partial<World> = {}) {
  const spec = { runtime: 'wasm', module: 'module', limits: { units: 1, seconds: 10, memoryBytes: 100 } };
  const world: World = {
    terms: {},
    view: {},
    parent: {},
    // The whole draw, so that it is in from the start.
    node: { record: 10_000 },
    leases: [],
    panel: {},
    bench: 0n,
    holder: {},
    pool: 0n,
    token: CURRENCY,
    asks: 0n,
    prepare: async () => ({ spec }) as unknown as PreparedJob,
    dryRun: () => ({ ok: true, gas: 1n }),
    governor: { halt: undefined, secondsLeft: Infinity, reading: undefined },
    ...over,
  };
  const asked: string[] = [];
  const sent: { functionName: string; args: readonly unknown[] }[] = [];
  const journal = new Journal({ file: ':memory:' });
  const outbox = new Outbox(journal);
  const promises = new PromiseBook(journal);
  const chain = {
    node: async (id: number) => sampleNode(id === NODE ? world.node : { owner: HOLDERS_OWNER, ...world.holder }),
    config: async () => ({ pausedUntil: 0, minStake: 1n }),
    runtimeStake: async () => 1_000n,
    block: async (number: number) => sampleHead(number, number),
    lease: async () => ({ phase: 'lapsed', at: 1_040 }),
    leaseWord: async () => panelWord({ ...PANEL, ...world.panel }),
    bench: async () => world.bench,
    treasury: async () => TREASURY,
    marketBalance: async () => world.pool,
    job: async (id: Hex) => {
      asked.push(`job ${Number(BigInt(id))}`);
      return {
        state: 'open',
        at: 1_000,
        atBlock: 10,
        cursor: 0,
        busy: 0,
        done: 0,
        left: 0n,
        ...(id === JOB ? world.view : world.parent),
      };
    },
    dryRun: async () => world.dryRun(),
  } as unknown as Chain;
  const sender = {
    submit: async (intent: Parameters<Sender['submit']>[0]) => {
      const { functionName, args } = decodeFunctionData({ abi: marketAbi, data: intent.data });
      if (outbox.add(intent)) sent.push({ functionName, args: (args ?? []).slice(1) });
      return true;
    },
  } as unknown as Sender;
  const book = {
    openJobs: () => [{ id: JOB, terms: sampleTerms(world.terms), postedBlock: 10 }],
    rangesOf: () =>
      [...Map.groupBy(world.leases, ({ lease }) => lease.first).values()].map((leases) => ({
        standing: leases.every(({ phase }) => phase === 'lapsed') ? 'lapsed' : 'held',
        leases: leases.map((lease) => ({ ...lease, terms: sampleTerms(world.terms) })),
      })),
    lease: (_job: Hex, _first: number, node: number) => world.leases.find(({ lease }) => lease.node === node),
    cursor: () => ({ number: 11, hash: bytes32(11) }),
  } as unknown as ChainBook;
  const workspace = {
    isWarm: () => false,
    prepare: () => {
      asked.push('prepare');
      return world.prepare();
    },
  } as unknown as Workspace;
  const settler = {
    lapse: async ({ lease }: KnownLease) =>
      asked.push(`lapse ${lease.first}${isSeat(lease) ? ` of ${lease.node}` : ''}`),
  } as unknown as Settler;
  let nextTime = 1_012;
  const facts = new ChainFacts(chain);
  const proposer = new Proposer(
    { market: CURRENCY, operator: CURRENCY },
    { chain, outbox, sender, nextTime: () => nextTime },
  );
  const resources = sampleResources(2);
  const experience = new Experience(journal);
  const domain = marketDomain(31_337, CURRENCY);
  const declines = new DeclineBook({ node: NODE, domain, kept: 9, signedPerBlock: 9 }, { journal, signer: undefined });
  const claimer = new Claimer(
    {
      node: NODE,
      runtimes: new Set([1]),
      asks: { [CURRENCY]: world.asks },
      unitAsks: {},
      coinPrices: {},
      tip: 1n,
      maxLeaseShards: 64,
      leaseSeconds: 20,
      reservePercent: 20,
      reserveSeconds: 3,
      memoryBytes: 1_000,
      token: world.token,
      lapseGraceSeconds: 5,
    },
    {
      chain,
      book,
      facts,
      outbox,
      promises,
      preparer: new Preparer(
        { memoryBytes: 1_000, preparing: 4 },
        { promises, experience, workspace, needsOf: () => needsOf(100), tryOut: async () => {} },
      ),
      resources,
      governor: world.governor,
      experience,
      proposer,
      settler,
      declines,
      nextTime: () => nextTime,
      walletEmpty: () => false,
      log: silentLog,
      timings: new Timings(),
      clockMs: () => 0,
    },
  );
  const tick = async (block: number, time = 1_000 + block): Promise<void> => {
    nextTime = time + 1;
    await claimer.tick(sampleHead(block, time), 0, never);
    await soon();
  };
  return { claimer, tick, sent, asked, world, outbox, promises, resources, declines };
}
