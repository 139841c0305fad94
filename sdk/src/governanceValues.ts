/** Every number that a vote may turn, as it is in force: now, or as it was at the end of an earlier block. */
import { isAddressEqual, zeroAddress, type Address, type PublicClient } from 'viem';

import { dpuGovernorAbi, dpuTimelockAbi, marketAbi } from './abi/generated.ts';
import type { Deployment } from './deployment.ts';
import { governanceOf, type Params } from './governance.ts';
import { readGovernanceSettings, type GovernanceSettings } from './governanceReads.ts';
import { readRules } from './rules.ts';

type Reader = Pick<PublicClient, 'readContract'>;
type Contracts = Pick<Deployment, 'governor' | 'timelock' | 'token' | 'market'>;

/** What is in force. Times are seconds, amounts DPU wei. */
export interface InForce {
  /** The newest version of the parameters, which every new job takes, and its numbers. */
  version: number;
  params: Params;
  /** Least stake of a claiming node. */
  minStake: bigint;
  /** Of exits queued from now on. */
  unbonding: number;
  treasury: Address;
  /** Guardian of the Market; undefined when nobody was appointed. */
  guardian: Address | undefined;
  guardianUntil: number;
  settings: GovernanceSettings;
  /** The windows of governance as they were at deployment: the measure of their lower bounds. */
  first: Pick<GovernanceSettings, 'votingDelay' | 'votingPeriod' | 'lateQuorumExtension' | 'timelockDelay'>;
}

/**
 * Reads what is in force at the newest block, or at the end of `blockNumber`, for which the endpoint must keep old states.
 * @throws NoGovernance, or viem's error
 */
export async function readInForce(reader: Reader, deployment: Contracts, blockNumber?: bigint): Promise<InForce> {
  const client =
    blockNumber === undefined
      ? reader
      : ({ readContract: (request: object) => reader.readContract({ ...request, blockNumber } as never) } as Reader);
  const { governor, timelock } = governanceOf(deployment);
  const market = { address: deployment.market, abi: marketAbi } as const;
  const rule = { address: governor, abi: dpuGovernorAbi } as const;
  const params = async () => {
    const [rules, , minStake, unbonding] = await client.readContract({ ...market, functionName: 'config' });
    const { version } = readRules(rules);
    return {
      version,
      minStake,
      unbonding,
      params: await client.readContract({ ...market, functionName: 'params', args: [version] }),
    };
  };
  const [config, treasury, [guardian, guardianUntil], settings, votingDelay, votingPeriod, extension, delay] =
    await Promise.all([
      params(),
      client.readContract({ ...market, functionName: 'treasury' }),
      client.readContract({ ...market, functionName: 'guardian' }),
      readGovernanceSettings(client, deployment),
      client.readContract({ ...rule, functionName: 'FIRST_VOTING_DELAY' }),
      client.readContract({ ...rule, functionName: 'FIRST_VOTING_PERIOD' }),
      client.readContract({ ...rule, functionName: 'FIRST_LATE_QUORUM_EXTENSION' }),
      client.readContract({ address: timelock, abi: dpuTimelockAbi, functionName: 'FIRST_DELAY' }),
    ]);
  return {
    ...config,
    treasury,
    guardian: isAddressEqual(guardian, zeroAddress) ? undefined : guardian,
    guardianUntil,
    settings,
    first: { votingDelay, votingPeriod, lateQuorumExtension: extension, timelockDelay: Number(delay) },
  };
}
