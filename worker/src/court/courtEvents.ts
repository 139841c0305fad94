import { marketAbi } from '@dpu/sdk/abi';
import { VERDICTS, type Verdict, type Vote } from '@dpu/sdk/court';
import { decodeEventLog, type Address, type Hex } from 'viem';

import type { RawLog } from '../chain/chain.ts';

/** Where an event of a dispute stands on the chain. */
export interface CourtPlace {
  block: number;
  logIndex: number;
  /** The dispute's key. */
  dispute: Hex;
}

/** The events of one dispute. Amounts are DPU wei, `claimed` is the lease's word right after its claim. */
export type CourtEvent = CourtPlace &
  (
    | {
        name: 'Challenged';
        job: Hex;
        node: number;
        claimed: bigint;
        first: number;
        index: number;
        hash: Hex;
        units: bigint;
        challenger: Address;
        byNode: number;
      }
    | { name: 'JurorServed'; node: number; round: number; commitment: Hex }
    | { name: 'JurorSpoke'; node: number; round: number; verdict: Vote; hash: Hex; units: bigint; evidence: Hex }
    | { name: 'Judged'; round: number; found: Verdict; stands: Verdict; paid: number }
    | { name: 'Appealed'; appellant: Address; byNode: number }
    | { name: 'DisputeEnded'; verdict: Verdict; rewarded: bigint; repaid: bigint }
  );

/** Reads a log of the Market; undefined for events that belong to no dispute. */
export function readCourtLog(log: RawLog): CourtEvent | undefined {
  let decoded;
  try {
    decoded = decodeEventLog({ abi: marketAbi, topics: log.topics, data: log.data });
  } catch {
    return undefined; // An event of a later version.
  }
  const at = { block: log.blockNumber, logIndex: log.logIndex };
  switch (decoded.eventName) {
    case 'Challenged': {
      const { dispute, id, ...rest } = decoded.args;
      return { ...at, dispute, name: 'Challenged', job: id, ...rest };
    }
    case 'JurorServed':
      return { ...at, name: 'JurorServed', ...decoded.args };
    case 'JurorSpoke': {
      const { verdict, ...rest } = decoded.args;
      return { ...at, name: 'JurorSpoke', ...rest, verdict: verdictAt(verdict) as Vote };
    }
    case 'Judged': {
      const { dispute, round, found, stands, paid } = decoded.args;
      const verdicts = { found: verdictAt(found), stands: verdictAt(stands) };
      return { ...at, dispute, name: 'Judged', round, ...verdicts, paid: Number(paid) };
    }
    case 'Appealed':
      return { ...at, name: 'Appealed', ...decoded.args };
    case 'DisputeEnded': {
      const { dispute, verdict, rewarded, repaid } = decoded.args;
      return { ...at, dispute, name: 'DisputeEnded', verdict: verdictAt(verdict), rewarded, repaid };
    }
    default:
      return undefined;
  }
}

/** The verdict at a place of the contract's enum. */
export function verdictAt(index: number): Verdict {
  return VERDICTS[index] ?? 'none';
}
