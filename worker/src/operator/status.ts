import type { Address, Hex } from 'viem';

import type { ChainBook, Earnings } from '../chain/chainBook.ts';
import type { TierStanding } from '../capability/renewer.ts';
import type { Claimer } from '../planning/claimer.ts';
import type { DeclineBook, ShownDecline } from '../planning/declines.ts';
import type { Witness } from '../endpoints/witness.ts';
import type { Keeper } from '../leases/keeper.ts';
import type { Sender } from '../sending/sender.ts';
import type { Governor, Halt } from '../resources/governor.ts';
import type { Needs } from '../resources/needs.ts';
import type { Resources } from '../resources/resources.ts';
import type { Experience } from '../planning/experience.ts';
import type { Step } from '../leases/steps.ts';
import type { Timings } from '../timings.ts';
import type { Watch } from '../chain/watch.ts';

/** A living lease as it is shown. Times are block time, unix seconds. */
export interface ShownLease {
  job: Hex;
  first: number;
  count: number;
  phase: string;
  /** What it needs now. */
  step: Step;
  deadline: number;
  /** DPU wei. */
  bond: bigint;
  /** Per shard, smallest units of the currency. */
  price: bigint;
  currency: Address;
}

/** The node as it stands: the answer of `/status`. Amounts are smallest units, as decimal strings in JSON. */
export interface NodeStatus {
  node: number;
  operator: Address;
  chainId: number;
  market: Address;
  /** Where results are served. */
  gatewayUrl: string;
  healthy: boolean;
  /** Sentences about what somebody must do. */
  problems: string[];
  draining: boolean;
  /** It is to end once nothing is left to do. */
  leaving: boolean;
  connected: boolean;
  head: { number: number; timestamp: number } | undefined;
  slots: { capacity: number; running: number; free: number };
  /** What the machine has, what shards take of it now, and what nobody was promised. */
  machine: { capacity: Needs; used: Needs; free: Needs };
  /** Why no new work is taken now, beside draining. */
  halt: Halt | undefined;
  /** Seconds that a unit takes here, per runtime, by experience. */
  paces: Record<string, number>;
  runtimes: { name: string; isolation: string; detail: string; available: boolean }[];
  /** The tier that was proven; undefined for none, and until it was looked for. */
  tier?: TierStanding | undefined;
  leases: ShownLease[];
  totals: { settled: number; lapsed: number };
  earnings: Earnings[];
  declines: ShownDecline[];
  pendingTransactions: number;
  gas: GasSpent;
  /** Milliseconds per step, oldest first: `claim`, `commit`, `submit`, `reveal`, `settle`. */
  timings: Record<string, number[]>;
}

/** Gas since the start. */
export interface GasSpent {
  spentWei: bigint;
  transactions: number;
}

/** Where the status is read from. */
export interface StatusSources {
  node: number;
  operator: Address;
  chainId: number;
  market: Address;
  gatewayUrl: string;
  runtimes: NodeStatus['runtimes'];
  gas: GasSpent;
  watch: Pick<Watch, 'head' | 'connected'>;
  sender: Pick<Sender, 'problem' | 'pending'>;
  witness?: Pick<Witness, 'problem'> | undefined;
  keeper: Pick<Keeper, 'steps'>;
  claimer: Pick<Claimer, 'draining' | 'leaving'>;
  resources: Resources;
  governor: Pick<Governor, 'halt'>;
  experience: Pick<Experience, 'paces'>;
  book: ChainBook;
  declines: Pick<DeclineBook, 'all'>;
  timings: Timings;
  tier: () => TierStanding | undefined;
}

/** The node as it stands, gathered from its parts. */
export function describe(sources: StatusSources): NodeStatus {
  const { watch, sender, keeper, claimer, resources, book, declines, timings } = sources;
  const tier = sources.tier();
  const problems = [
    ...(watch.connected ? [] : ['The RPC does not answer.']),
    ...(sender.problem ? [sender.problem.message] : []),
    ...(sources.witness?.problem ? [sources.witness.problem.message] : []),
    ...keeper.steps
      .filter(({ step }) => step === 'lost')
      .map(({ lease }) => `The lease of shard ${lease.lease.first} of job ${lease.job} is lost.`),
    ...(tier?.renewal === 'stopped'
      ? [
          `Tier ${tier.tier} was not proven again in time, which cost the bond. Find out what kept the machine busy, then run dpu-node prove ${tier.tier}.`,
        ]
      : []),
  ];
  const ended = book.ownEnded(sources.node, Number.MAX_SAFE_INTEGER);
  return {
    node: sources.node,
    operator: sources.operator,
    chainId: sources.chainId,
    market: sources.market,
    gatewayUrl: sources.gatewayUrl,
    healthy: problems.length === 0,
    problems,
    draining: claimer.draining,
    leaving: claimer.leaving,
    connected: watch.connected,
    head: watch.head && { number: watch.head.number, timestamp: watch.head.timestamp },
    slots: { capacity: resources.capacity.slots, running: resources.running, free: resources.free.slots },
    machine: { capacity: resources.capacity, used: resources.used, free: resources.free },
    halt: sources.governor.halt,
    paces: sources.experience.paces(),
    runtimes: sources.runtimes,
    tier,
    leases: keeper.steps.map(({ lease, step }) => ({
      job: lease.job,
      first: lease.lease.first,
      count: lease.lease.count,
      phase: lease.phase,
      step,
      deadline: lease.lease.deadline,
      bond: lease.bond,
      price: lease.lease.price,
      currency: lease.terms.currency,
    })),
    totals: {
      settled: ended.filter(({ phase }) => phase === 'settled').length,
      lapsed: ended.filter(({ phase }) => phase === 'lapsed').length,
    },
    earnings: book.earnings(sources.node),
    declines: declines.all(),
    pendingTransactions: sender.pending,
    gas: sources.gas,
    timings: timings.all(),
  };
}
