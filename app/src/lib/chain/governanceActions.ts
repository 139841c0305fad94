import {
  encodeCancel,
  encodeExecute,
  encodePropose,
  encodeQueue,
  encodeVote,
  governanceOf,
  proposalId,
  type Choice,
  type Proposal,
} from '@dpu/sdk/governance';
import type { Hash, Hex } from 'viem';

import type { App } from '../app.ts';
import { send } from './send.ts';
import type { TxSteps } from './tx.svelte.ts';

/** What can be done with a proposal besides voting. */
export type ProposalAction = 'queue' | 'execute' | 'cancel';

const CALLS: Readonly<Record<ProposalAction, { encode: (proposal: Proposal) => Hex; ask: string; wait: string }>> = {
  queue: { encode: encodeQueue, ask: 'Queue the decision', wait: 'Queueing' },
  execute: { encode: encodeExecute, ask: 'Execute the decision', wait: 'Executing' },
  cancel: { encode: encodeCancel, ask: 'Cancel the proposal', wait: 'Cancelling' },
};

/** Queues, executes or cancels. */
export function actOn(app: App, action: ProposalAction, proposal: Proposal, steps: TxSteps): Promise<Hash> {
  const { encode, ask, wait } = CALLS[action];
  return send(app, { to: governanceOf(app.deployment).governor, data: encode(proposal), ask, wait }, steps);
}

/** Votes with everything that the account had at the snapshot. An empty reason is none. */
export function vote(app: App, id: bigint, choice: Choice, reason: string, steps: TxSteps): Promise<Hash> {
  const said = reason.trim();
  const data = encodeVote(id, choice, said === '' ? undefined : said);
  const ask = choice === 'abstain' ? 'Abstain' : `Vote ${choice}`;
  return send(app, { to: governanceOf(app.deployment).governor, data, ask, wait: 'Voting' }, steps);
}

/** Thrown when the same calls were proposed in the same words before. */
export class ProposedAlready extends Error {
  override readonly name = 'ProposedAlready';
  readonly retryable = false;
  readonly action = 'Look for it in the list of proposals, or say it in other words.';

  constructor() {
    super('Exactly this was proposed by you already.');
  }
}

/** Proposes. Returns the proposal's id. @throws ProposedAlready */
export async function propose(app: App, proposal: Proposal, steps: TxSteps): Promise<bigint> {
  const to = governanceOf(app.deployment).governor;
  const id = proposalId(proposal);
  if (await (await app.governance()).has(id)) throw new ProposedAlready();
  await send(app, { to, data: encodePropose(proposal), ask: 'Propose', wait: 'Proposing' }, steps);
  return id;
}
