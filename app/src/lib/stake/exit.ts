import { formatMoney, type Currency } from '../currency.ts';
import { say } from '../i18n/say.ts';

/** The stake of one node, as the chain says. DPU wei; times are unix seconds. */
export interface StakedNode {
  id: number;
  /** Everything at stake: locked, queued and free. */
  stake: bigint;
  /** Bonds of leases that run. */
  locked: bigint;
  /** Waiting to leave. */
  queued: bigint;
  /** Second at which `queued` may leave; 0 when nothing is queued. */
  unstakeAt: number;
  /** Basis points. */
  record: number;
  /** Proven tier, 0 for none, and the last second at which it counts. */
  tier: number;
  tierUntil: number;
}

/** What a node has in the exit queue. */
export interface Exit {
  amount: bigint;
  /** First second at which it may leave. */
  at: number;
  /** Seconds until then; 0 from that second on. */
  left: number;
  ready: boolean;
}

/** What may be locked as bonds, or queued. */
export function freeOf({ stake, locked, queued }: Pick<StakedNode, 'stake' | 'locked' | 'queued'>): bigint {
  return stake - locked - queued;
}

/** The exit of a node at second `now`; undefined when nothing is queued. */
export function exitOf({ queued, unstakeAt }: Pick<StakedNode, 'queued' | 'unstakeAt'>, now: number): Exit | undefined {
  if (queued === 0n) return undefined;
  const left = Math.max(0, unstakeAt - now);
  return { amount: queued, at: unstakeAt, left, ready: left === 0 };
}

/** Whether the node gets work: what does not leave must be at least the least stake. */
export function works({ stake, queued }: Pick<StakedNode, 'stake' | 'queued'>, minStake: bigint): boolean {
  return stake - queued >= minStake;
}

/** A change of stake that is being written. */
export interface Draft {
  kind: 'stake' | 'exit';
  /** Undefined when what stands in the field is no amount. */
  amount: bigint | undefined;
  /** Nothing was typed. */
  empty: boolean;
  /** DPU in the wallet. */
  wallet: bigint;
}

/** Most that can be moved. */
export function mostOf(node: StakedNode, { kind, wallet }: Pick<Draft, 'kind' | 'wallet'>): bigint {
  return kind === 'stake' ? wallet : freeOf(node);
}

/** What is wrong with the amount, in a sentence. */
export function amountProblem(
  node: StakedNode,
  draft: Draft,
  dpu: Pick<Currency, 'decimals' | 'symbol'>,
): string | undefined {
  const { amount, empty, kind } = draft;
  if (empty) return undefined;
  if (amount === undefined || amount === 0n)
    return say('An amount of {currency}, above zero.', { currency: dpu.symbol });
  const most = mostOf(node, draft);
  if (amount <= most) return undefined;
  return kind === 'stake'
    ? say('The wallet holds {amount}.', { amount: formatMoney(most, dpu) })
    : say('{amount} are free. Locked bonds must come back first, and what is queued is on its way.', {
        amount: formatMoney(most, dpu),
      });
}

/** What a person should know before signing, beyond the sentence that every such step has. */
export function warningOf(
  node: StakedNode,
  { kind, amount }: Pick<Draft, 'kind' | 'amount'>,
  minStake: bigint,
  dpu: Pick<Currency, 'decimals' | 'symbol'>,
): string | undefined {
  if (!amount) return undefined;
  if (kind === 'stake') {
    const after = { stake: node.stake + amount, queued: node.queued };
    return works(after, minStake)
      ? undefined
      : say('The node would still get no work: it needs {amount} that do not leave.', {
          amount: formatMoney(minStake, dpu),
        });
  }
  if (node.queued > 0n)
    return say('{amount} already wait. The clock starts again for all of it, from the beginning.', {
      amount: formatMoney(node.queued, dpu),
    });
  return works(node, minStake) && !works({ stake: node.stake, queued: amount }, minStake)
    ? say('Less than the least stake of {amount} stays: the node gets no new work from then on.', {
        amount: formatMoney(minStake, dpu),
      })
    : undefined;
}
