/** The protocol's numbers that a job keeps for life, in the one word that its terms carry. Mirrors `src-contracts/types/Rules.sol`. */
import { packWord, unpackWord, type Layout } from './words.ts';

/** What a job's `rules` say. Shares are basis points, times are seconds. */
export interface Rules {
  /** Version of the parameters that the numbers come from. */
  version: number;
  /** Protocol fee, of the price. */
  feeBps: number;
  /** Least bond of a job paid in DPU, in tenths of its highest price. */
  bondTenths: number;
  /** Base rates of audits among single-seat leases, two bits for each of the runtimes 0 … 7; `baseAuditBps` reads them. */
  auditRates: number;
  /** From commit (or from the end of the audit's window) to the last second of the reveal. */
  revealWindow: number;
  /** In which a drawn audit must be answered. */
  auditWindow: number;
  /** The draw lets one more expected node in every `drawStep`, and everyone after `drawOpenAfter`. */
  drawStep: number;
  drawOpenAfter: number;
}

const LAYOUT = [
  ['drawOpenAfter', 24],
  ['drawStep', 16],
  ['auditWindow', 24],
  ['revealWindow', 24],
  ['auditRates', 16],
  ['bondTenths', 16],
  ['feeBps', 16],
  ['version', 16],
] as const satisfies Layout<keyof Rules>;

/** What the two bits of a runtime stand for, basis points. */
export const AUDIT_RATES = [0, 100, 200, 500] as const;
/** The last runtime that has a base rate. */
const LAST_AUDITED = 7;

/** Share of single-seat leases of `runtime` that the protocol has audited and pays for, basis points. */
export function baseAuditBps({ auditRates }: Pick<Rules, 'auditRates'>, runtime: number): number {
  if (runtime > LAST_AUDITED) return 0;
  return AUDIT_RATES[((auditRates >> (2 * runtime)) & 3) as 0 | 1 | 2 | 3];
}

/** The word that terms carry. @throws RangeError that names the field that does not fit */
export function packRules(rules: Rules): bigint {
  return packWord('rules', LAYOUT, rules);
}

/** The numbers in a word that terms carry. */
export function readRules(word: bigint): Rules {
  const fields = unpackWord<keyof Rules>(LAYOUT, word);
  return {
    version: Number(fields.version),
    feeBps: Number(fields.feeBps),
    bondTenths: Number(fields.bondTenths),
    auditRates: Number(fields.auditRates),
    revealWindow: Number(fields.revealWindow),
    auditWindow: Number(fields.auditWindow),
    drawStep: Number(fields.drawStep),
    drawOpenAfter: Number(fields.drawOpenAfter),
  };
}
