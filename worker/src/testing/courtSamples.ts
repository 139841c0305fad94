import { claimedWord } from '@dpu/sdk/lease';
import { encodeSpec, decodeSpec, type JobSpec } from '@dpu/sdk/spec';

import type { CourtEvent } from '../court/courtEvents.ts';
import { bytes32, JOB, NODE, sampleLease } from './samples.ts';

/** The key of the sample dispute. */
export const DISPUTE = bytes32(0xd1);
/** Who holds the sample dispute's lease, and which node challenged it. */
export const HOLDER = 3;
export const CHALLENGER = 4;

/** A spec whose output is floats: compared byte by byte, or with a tolerance. */
export function sampleSpec(tolerant = false): JobSpec {
  return decodeSpec(
    encodeSpec({
      ...{ version: 1, name: 'A sample', runtime: 'wasm', args: [], inputs: [], shards: 10 },
      module: 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
      output: { name: 'out.bin', mediaType: 'application/octet-stream' },
      limits: { memoryBytes: 65_536, units: 10, outputBytes: 64, seconds: 5 },
      comparator: tolerant
        ? { kind: 'numeric', type: 'f32', absolutePpb: 10_000, relativePpb: 0, outliersPpm: 0 }
        : { kind: 'exact' },
    }).bytes,
  );
}

const lease = sampleLease({ lease: { node: HOLDER } }).lease;

/** Events of the sample dispute about shard 1, one a block from block 30 on. */
export const courtEvents = {
  challenged: (block = 30, byNode = CHALLENGER): CourtEvent => ({
    ...{ name: 'Challenged', block, logIndex: 0, dispute: DISPUTE, job: JOB, node: HOLDER, first: 0, index: 1 },
    ...{ claimed: claimedWord(lease), hash: bytes32(0xa), units: 5n, byNode },
    challenger: '0x0000000000000000000000000000000000000000',
  }),
  served: (node: number, block: number, round = 1): CourtEvent => ({
    ...{ name: 'JurorServed', block, logIndex: node, dispute: DISPUTE, node, round, commitment: bytes32(node) },
  }),
  spoke: (node: number, block: number, verdict: 'valid' | 'invalid', round = 1): CourtEvent => ({
    ...{ name: 'JurorSpoke', block, logIndex: node, dispute: DISPUTE, node, round, verdict },
    ...{ hash: bytes32(0xb), units: 5n, evidence: bytes32(0xe) },
  }),
  judged: (block: number, found: 'valid' | 'invalid' | 'none', paid: number, round = 1): CourtEvent => ({
    ...{ name: 'Judged', block, logIndex: 0, dispute: DISPUTE, round, found, stands: found, paid },
  }),
  appealed: (block: number, byNode = HOLDER): CourtEvent => ({
    ...{ name: 'Appealed', block, logIndex: 0, dispute: DISPUTE, byNode },
    appellant: '0x0000000000000000000000000000000000000000',
  }),
  ended: (block: number, verdict: 'valid' | 'withheld' | 'invalid', rewarded = 0n): CourtEvent => ({
    ...{ name: 'DisputeEnded', block, logIndex: 1, dispute: DISPUTE, verdict, rewarded, repaid: 0n },
  }),
};

/** Jurors of the sample dispute; our node is among them. */
export const JURORS = [NODE, 11, 12, 13, 14];
