import type { Hex } from 'viem';

/** Why the node does not take a job, or does not take it yet. */
export const DECLINES = {
  currency: 'This node names no price in the job’s currency.',
  price: 'The job pays less than this node asks.',
  runtime: 'This node does not offer the job’s runtime.',
  reserved: 'The job is reserved for another node.',
  tier: 'The job asks for a capability that this node has not proven.',
  stake: 'The node’s free stake does not cover the bond.',
  minStake: 'The node’s stake is below the network’s least.',
  deadline: 'The job’s deadline is too short for this machine.',
  slots: 'All slots are taken.',
  specUnavailable: 'The job’s spec cannot be had from any gateway.',
  specInvalid: 'The job’s spec breaks the rules.',
  inputsUnavailable: 'The job’s inputs cannot be had from any gateway.',
  inputsTooBig: 'The job’s inputs are larger than this node takes.',
  noKey: 'The job is private, and this node has no key for private jobs.',
  notRecipient: 'The job is private, and its envelope is not for this node.',
  privateUnsound: 'The sealed part of the private job is not sound.',
  memory: 'The job asks for more memory than this node gives.',
  fails: 'The job fails as soon as it is started.',
  failedBefore: 'The job failed on this node before.',
  wallet: 'The operator’s wallet cannot pay for gas.',
  paused: 'The network has stopped new claims for now.',
  draining: 'The node is leaving and takes no new work.',
} as const;

/** Name of a reason. */
export type DeclineCode = keyof typeof DECLINES;

/** One decision not to take a job. */
export interface Decline {
  job: Hex;
  code: DeclineCode;
  /** Facts of the decision, for people. */
  detail: Record<string, string | number>;
}

/** Thrown while a job is prepared, when it is not for this node. */
export class DeclineError extends Error {
  readonly code: DeclineCode;
  readonly detail: Record<string, string | number>;

  constructor(code: DeclineCode, detail: Record<string, string | number> = {}, cause?: unknown) {
    super(DECLINES[code], { cause });
    this.name = 'DeclineError';
    this.code = code;
    this.detail = detail;
  }
}

/** A decline as it is shown. */
export interface ShownDecline extends Decline {
  sentence: string;
  /** Block time, unix seconds. */
  at: number;
}

/** The last declines, one per job and code, newest first. */
export class DeclineRing {
  readonly #kept: number;
  readonly #declines = new Map<string, ShownDecline>();

  constructor({ kept }: { kept: number }) {
    this.#kept = kept;
  }

  /** Takes in a decline; answers whether it is new. */
  add(decline: Decline, at: number): boolean {
    const key = `${decline.job}:${decline.code}`;
    const known = this.#declines.delete(key);
    this.#declines.set(key, { ...decline, sentence: DECLINES[decline.code], at });
    for (const oldest of this.#declines.keys()) {
      if (this.#declines.size <= this.#kept) break;
      this.#declines.delete(oldest);
    }
    return !known;
  }

  all(): ShownDecline[] {
    return [...this.#declines.values()].reverse();
  }
}
