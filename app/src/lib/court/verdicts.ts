import type { Verdict } from '@dpu/sdk/verdicts';

/** What verdicts are called. */
export const VERDICT_LABELS: Readonly<Record<Verdict, string>> = {
  none: 'No finding',
  valid: 'Right',
  withheld: 'Right, but withheld',
  invalid: 'Wrong',
  specFault: 'Cannot be judged',
  undecided: 'Undecided',
};

/** What a verdict means for those who took part. */
export const VERDICT_HELP: Readonly<Record<Verdict, string>> = {
  none: 'Too few jurors came. Nothing was shown against the result, so it stands as it was.',
  valid: 'The result is right. The challenger loses its bond, the node is paid after its window.',
  withheld: 'The result is right, but its data was out of reach. The node pays for the jury and keeps its lease.',
  invalid: 'The result is wrong. The node loses its bond, the challenger gets its own back and part of the node’s.',
  specFault: 'The job cannot be judged as it is described. The lease ends undone, the node gets half of its price.',
  undecided: 'The jury agreed on nothing. The lease ends undone, half of the price stays with the requester.',
};
