/**
 * Everything that a vote has turned, from the logs, and what was in force at the end of an earlier block. Logs are kept by every
 * endpoint; old states are not.
 */
import { getAbiItem, type Address, type PublicClient } from 'viem';

import { dpuGovernorAbi, dpuTimelockAbi, marketAbi } from './abi/generated.ts';
import type { Deployment } from './deployment.ts';
import { governanceOf, type Params } from './governance.ts';
import type { InForce } from './governanceValues.ts';
import { LOG_RANGE } from './logs.ts';

type LogReader = Pick<PublicClient, 'getLogs' | 'getBlockNumber'>;
type Window = keyof InForce['first'];

/** One turn of a number. `before` is what it was, where the log says so. */
export type Turn = { block: bigint } & (
  | { name: 'params'; version: number; params: Params }
  | { name: 'treasury'; value: Address }
  | { name: 'minStake' | 'unbonding'; value: bigint }
  | { name: Window | 'proposalThreshold' | 'quorumPercent'; value: bigint; before: bigint }
);

const EVENTS = [
  getAbiItem({ abi: marketAbi, name: 'ParamsAdded' }),
  getAbiItem({ abi: marketAbi, name: 'MinStakeSet' }),
  getAbiItem({ abi: marketAbi, name: 'UnbondingSet' }),
  getAbiItem({ abi: marketAbi, name: 'TreasurySet' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'VotingDelaySet' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'VotingPeriodSet' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'LateQuorumVoteExtensionSet' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'ProposalThresholdSet' }),
  getAbiItem({ abi: dpuGovernorAbi, name: 'QuorumNumeratorUpdated' }),
  getAbiItem({ abi: dpuTimelockAbi, name: 'MinDelayChange' }),
] as const;

/** Reads every turn since `startBlock`, oldest first; the first ones are those of the deployment. @throws NoGovernance */
export async function readTurns(
  client: LogReader,
  deployment: Pick<Deployment, 'governor' | 'timelock' | 'market' | 'startBlock'>,
): Promise<Turn[]> {
  const { governor, timelock } = governanceOf(deployment);
  const address = [deployment.market, governor, timelock];
  const last = await client.getBlockNumber({ cacheTime: 0 });
  const turns: Turn[] = [];
  for (let from = BigInt(deployment.startBlock); from <= last; from += BigInt(LOG_RANGE)) {
    const end = from + BigInt(LOG_RANGE) - 1n;
    const range = { fromBlock: from, toBlock: end < last ? end : last };
    for (const log of await client.getLogs({ address, events: EVENTS, strict: true, ...range })) {
      const block = log.blockNumber;
      switch (log.eventName) {
        case 'ParamsAdded':
          turns.push({ name: 'params', version: log.args.version, params: log.args.params, block });
          break;
        case 'TreasurySet':
          turns.push({ name: 'treasury', value: log.args.treasury, block });
          break;
        case 'MinStakeSet':
          turns.push({ name: 'minStake', value: log.args.minStake, block });
          break;
        case 'UnbondingSet':
          turns.push({ name: 'unbonding', value: BigInt(log.args.unbonding), block });
          break;
        case 'VotingDelaySet':
          turns.push(turn('votingDelay', log.args.oldVotingDelay, log.args.newVotingDelay, block));
          break;
        case 'VotingPeriodSet':
          turns.push(turn('votingPeriod', log.args.oldVotingPeriod, log.args.newVotingPeriod, block));
          break;
        case 'LateQuorumVoteExtensionSet':
          turns.push(turn('lateQuorumExtension', log.args.oldVoteExtension, log.args.newVoteExtension, block));
          break;
        case 'ProposalThresholdSet':
          turns.push(turn('proposalThreshold', log.args.oldProposalThreshold, log.args.newProposalThreshold, block));
          break;
        case 'QuorumNumeratorUpdated':
          turns.push(turn('quorumPercent', log.args.oldQuorumNumerator, log.args.newQuorumNumerator, block));
          break;
        case 'MinDelayChange':
          turns.push(turn('timelockDelay', log.args.oldDuration, log.args.newDuration, block));
          break;
      }
    }
  }
  return turns;
}

/**
 * What was in force at the end of `block`: the present with every later turn taken back. Guardians are left as they are now.
 * Undefined when the logs do not say what a number was before a later turn.
 */
export function inForceAt(now: InForce, turns: readonly Turn[], block: bigint): InForce | undefined {
  let then = now;
  const undone = new Set<Turn['name']>();
  for (const [index, later] of turns.entries()) {
    // Only the first turn after the block says what was before it.
    if (later.block <= block || undone.has(later.name)) continue;
    undone.add(later.name);
    const earlier = turns.slice(0, index).findLast(({ name }) => name === later.name);
    if ('before' in later) then = withValue(then, later.name, later.before);
    else if (!earlier) return undefined;
    else if (earlier.name === 'params') then = { ...then, version: earlier.version, params: earlier.params };
    else if (earlier.name === 'treasury') then = { ...then, treasury: earlier.value };
    else then = withValue(then, earlier.name, earlier.value);
  }
  return then;
}

function turn(
  name: Window | 'proposalThreshold' | 'quorumPercent',
  before: bigint,
  value: bigint,
  block: bigint,
): Turn {
  return { name, before, value, block };
}

function withValue(then: InForce, name: Exclude<Turn['name'], 'params' | 'treasury'>, value: bigint): InForce {
  if (name === 'minStake') return { ...then, minStake: value };
  if (name === 'unbonding') return { ...then, unbonding: Number(value) };
  const shown = name === 'proposalThreshold' ? value : Number(value);
  return { ...then, settings: { ...then.settings, [name]: shown } };
}
