import { dpuGovernorAbi, dpuTimelockAbi, marketAbi } from '@dpu/sdk/abi';
import { marketCalls } from '@dpu/sdk/calls';
import type { Deployment } from '@dpu/sdk/deployment';
import { governanceOf, type Params } from '@dpu/sdk/governance';
import type { ProposedCall } from '@dpu/sdk/governanceCalls';
import type { InForce } from '@dpu/sdk/governanceValues';
import { withAuditRate } from '@dpu/sdk/rules';
import { encodeFunctionData, getAddress, type Hex } from 'viem';

import type { Value } from './values.ts';

/** A setting and what it should become. */
export interface Wanted {
  id: string;
  value: Value;
}

/**
 * The calls that bring the settings about, in their order. All numbers of a parameter version travel in one call, with the ones
 * in force for what is not named. @throws RangeError for a setting that no call changes, viem's error for a broken address
 */
export function callsOf(
  wanted: readonly Wanted[],
  force: Pick<InForce, 'params'>,
  deployment: Pick<Deployment, 'market' | 'governor' | 'timelock'>,
): ProposedCall[] {
  const { governor, timelock } = governanceOf(deployment);
  const targets = { market: deployment.market, governor, timelock };
  const params = wanted.filter(({ id }) => id.startsWith('params.'));
  const audits = wanted.filter(({ id }) => id.startsWith('audits.'));
  const calls: ProposedCall[] = [];
  if (params.length + audits.length) {
    const changed = Object.fromEntries(params.map(({ id, value }) => [id.slice('params.'.length), Number(value)]));
    const auditRates = audits.reduce(
      (rates, { id, value }) => withAuditRate(rates, Number(id.slice('audits.'.length)), Number(value)),
      force.params.auditRates,
    );
    const next: Params = { ...force.params, auditRates, ...changed };
    calls.push({ target: targets.market, value: 0n, calldata: marketCalls.addParams(next) });
  }
  for (const { id, value } of wanted) {
    if (id.startsWith('params.') || id.startsWith('audits.')) continue;
    const [to, calldata] = callOf(id, value);
    calls.push({ target: targets[to], value: 0n, calldata });
  }
  return calls;
}

function callOf(id: string, value: Value): ['market' | 'governor' | 'timelock', Hex] {
  const [kind, key = ''] = id.split('.');
  switch (kind) {
    case 'runtime':
      return [
        'market',
        encodeFunctionData({ abi: marketAbi, functionName: 'allowRuntime', args: [Number(key), value === true] }),
      ];
    case 'currency':
      return ['market', marketCalls.allowCurrency(getAddress(key), value === true)];
    case 'seats':
      return ['market', marketCalls.allowSeats(value === true)];
    case 'minStake':
      return ['market', marketCalls.setMinStake(value as bigint)];
    case 'unbonding':
      return ['market', marketCalls.setUnbonding(Number(value))];
    case 'treasury':
      return ['market', marketCalls.setTreasury(getAddress(String(value)))];
    case 'timelockDelay':
      return [
        'timelock',
        encodeFunctionData({ abi: dpuTimelockAbi, functionName: 'updateDelay', args: [value as bigint] }),
      ];
    default:
      return ['governor', governorCall(id, value as bigint)];
  }
}

function governorCall(id: string, value: bigint): Hex {
  const abi = dpuGovernorAbi;
  switch (id) {
    case 'votingDelay':
      return encodeFunctionData({ abi, functionName: 'setVotingDelay', args: [Number(value)] });
    case 'votingPeriod':
      return encodeFunctionData({ abi, functionName: 'setVotingPeriod', args: [Number(value)] });
    case 'lateQuorumExtension':
      return encodeFunctionData({ abi, functionName: 'setLateQuorumVoteExtension', args: [Number(value)] });
    case 'proposalThreshold':
      return encodeFunctionData({ abi, functionName: 'setProposalThreshold', args: [value] });
    case 'quorumPercent':
      return encodeFunctionData({ abi, functionName: 'updateQuorumNumerator', args: [value] });
    default:
      throw new RangeError(`no call changes ${id}`);
  }
}
