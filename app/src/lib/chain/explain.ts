import { ApiError } from '@dpu/sdk/api';
import { explainGovernance } from '@dpu/sdk/governanceErrors';

import { plainText } from '../plain.ts';
import { RpcError } from './rpc.ts';
import type { Explanation } from './tx.svelte.ts';

/** Errors of these pages that bring their own advice. */
const OWN = new Set(['TransactionReplaced', 'TransactionPending', 'KeyDiffers']);

/** Any error as a sentence and what to do next. */
export function explain(error: unknown): Explanation {
  if (error instanceof ApiError || error instanceof RpcError)
    return { sentence: `${plainText(error.message)}.`.replace('..', '.') };
  if (error instanceof Error && error.name === 'JobNotFound') {
    return { sentence: 'No job with this id was posted here.', action: 'Check the id and the network.' };
  }
  if (error instanceof Error && error.name === 'NoGovernance') {
    return { sentence: 'This network has no governor.', action: 'Its numbers cannot be changed by a vote.' };
  }
  if (error instanceof Error && OWN.has(error.name)) {
    return { sentence: error.message, action: (error as Error & { action: string }).action };
  }
  if (error instanceof Error && error.name === 'TransactionFailed') {
    return { sentence: error.message, action: 'Somebody may have been faster. Look at the page again, then decide.' };
  }
  // The governor's refusals first; it leaves everything else to the Market's.
  const { sentence, action } = explainGovernance(error);
  return { sentence, action };
}
