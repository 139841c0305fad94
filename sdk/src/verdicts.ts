/** What juries find, apart from `court.ts` so that pages that only name verdicts load nothing else. */

/** What jurors say and juries find, in the order of the contract's enum. */
export const VERDICTS = ['none', 'valid', 'withheld', 'invalid', 'specFault', 'undecided'] as const;

/**
 * none: not spoken, or a jury did not come together. valid: what was shown is right. withheld: right, but its data was out of reach.
 * invalid: wrong. specFault: the job cannot be judged as it is described. undecided: a jury agrees on nothing.
 */
export type Verdict = (typeof VERDICTS)[number];
