/** What each error of the contracts means, in words. The compiler demands an entry for every error of the ABI. */
import { zeroAddress, type ContractErrorArgs, type ContractErrorName } from 'viem';

import { DISPUTE_STATES } from './court.ts';
import type { Say } from './format.ts';
import { JOB_STATES, PHASES } from './lease.ts';
import type { knownErrorsAbi } from './revert.ts';

/** What happened, and what to do next. */
export interface Sentence {
  sentence: string;
  action: string;
  /** The same call may work later without anyone changing anything. */
  retryable?: boolean;
  /** Unix second from which it may, when it is known. */
  retryAt?: number;
}

type KnownErrors = typeof knownErrorsAbi;
/** Names of the contracts' errors. */
export type KnownErrorName = ContractErrorName<KnownErrors>;
type Args<Name extends KnownErrorName> = Extract<ContractErrorArgs<KnownErrors, Name>, readonly unknown[]>;

const JOB_WORDS = {
  none: 'was never posted',
  open: 'is open',
  cancelled: 'was cancelled',
  complete: 'is complete',
  closed: 'has ended',
  leased: 'is held by one node as a whole',
};
const PHASE_WORDS = {
  none: 'not held by anyone, or already paid',
  claimed: 'claimed',
  committed: 'committed',
  revealed: 'revealed',
  lapsed: 'lapsed',
  seated: 'shared by several nodes',
  disputed: 'before a jury',
  convicted: 'found wrong by a jury',
  settled: 'paid',
  excused: 'ended by a jury that could not judge it',
};
const DISPUTE_WORDS = {
  none: 'not there',
  serving: 'before its jury',
  judged: 'judged and waiting to be carried out',
  ended: 'over',
};
/** What must hold for each field that `TermsInvalid` can name. */
const TERMS_RULES: Record<string, string> = {
  runtime: 'its runtime is not open for new jobs',
  shards: 'the number of shards must be between 1 and 16,777,215',
  maxLease: 'a lease must be allowed at least one shard',
  maxPrice: 'the highest price must be above zero, not below the lowest, and the whole cost must fit in 96 bits',
  bond: 'the bond is too small for the price, or too large to fit in 96 bits',
  seats: 'this number of seats is not offered',
  auditBps: 'the audit rate must be at most 10,000 basis points, and zero for a direct job or one with several seats',
  exec: 'the time to execute must be between 1 second and 24 hours',
  window: 'the challenge window must be at most 24 hours',
  tolerant:
    'results that may differ need a challenge window or several seats, or whatever its node shows would be paid',
  expiry: 'the expiry must lie in the future, after the start, and at most 30 days away',
  node: 'it names a node that does not exist',
  spec: 'the digest of its spec is missing',
  afterJob: 'the job that it waits for was never posted',
};
/** `type(uint40).max`: the contract's word for "nobody can know yet". */
const NEVER = 2 ** 40 - 1;

const ours = 'This is a mistake of the program that made the call; please report it.';
const later = (seconds: number, say: Say): Pick<Sentence, 'action' | 'retryable' | 'retryAt'> =>
  seconds === 0 || seconds === NEVER
    ? { action: 'Try again after the next block or two.', retryable: true }
    : { action: `Try again from ${say.time(seconds)}.`, retryable: true, retryAt: seconds };
const job = (id: `0x${string}`, say: Say): string => `job ${say.short(id)}`;
const lease = (id: `0x${string}`, first: number, say: Say): string => `The lease at shard ${first} of ${job(id, say)}`;

/** One entry per error: from its arguments to words. */
export const SENTENCES: { [Name in KnownErrorName]: (args: Args<Name>, say: Say) => Sentence } = {
  /* JOBS */
  TermsInvalid: ([id, field], say) => ({
    sentence: `The terms of ${job(id, say)} cannot be posted: ${TERMS_RULES[say.label(field)] ?? `its field ${say.label(field)} is not allowed`}.`,
    action: 'Change the terms and post again.',
  }),
  JobInState: ([id, actual, needed], say) => ({
    sentence: `This ${job(id, say)} ${JOB_WORDS[JOB_STATES[actual] ?? 'none']}, so the call does not apply: it needs a job that ${JOB_WORDS[JOB_STATES[needed] ?? 'none']}.`,
    action: 'Refresh to see where the job stands now.',
  }),
  LeaseInPhase: ([id, first, actual, needed], say) => ({
    sentence: `${lease(id, first, say)} is ${PHASE_WORDS[PHASES[actual] ?? 'none']}, but the call needs it to be ${PHASE_WORDS[PHASES[needed] ?? 'none']}.`,
    action: 'Refresh to see where the lease stands now.',
  }),
  LeaseMismatch: ([id, first], say) => ({
    sentence: `${lease(id, first, say)} is not what the call says it is: its holder, price, deadline, commitment or result differs.`,
    action: 'Read the job again from the chain and repeat the call with what it says.',
  }),
  NotRequester: ([id, caller], say) => ({
    sentence: `Only the requester of ${job(id, say)} may do this, and ${say.short(caller)} is not.`,
    action: 'Switch to the account that the terms name as requester.',
  }),
  SignatureInvalid: ([id, requester], say) => ({
    sentence: `The signature for ${job(id, say)} is not one of its requester ${say.short(requester)}.`,
    action: 'Ask the requester to sign again, on this network and for exactly these terms.',
  }),
  NothingToClaim: ([id], say) => ({
    sentence: `Every shard of ${job(id, say)} is already taken.`,
    action: 'Look for another job, or take over a lease that lapsed.',
  }),
  CountInvalid: ([id, count, most], say) => ({
    sentence: `A lease of ${count} shards of ${job(id, say)} is not possible: one may hold between 1 and ${most}.`,
    action: `Claim between 1 and ${most} shards.`,
  }),
  ShareInvalid: ([bps]) => ({
    sentence: `${bps} basis points of the stake are more than all of it.`,
    action: 'Ask with a share between 0 and 10000 basis points.',
  }),
  NotOpenYet: ([id, opens], say) => ({
    sentence:
      opens === 0
        ? `Nobody can claim of ${job(id, say)} yet.`
        : `Nobody can claim of ${job(id, say)} before ${say.time(opens)}.`,
    ...later(opens, say),
  }),
  AfterNotComplete: ([id, afterJob], say) => ({
    sentence: `The ${job(id, say)} waits for ${job(afterJob, say)}, which is not complete.`,
    action: 'Wait until every shard of the earlier job is paid.',
    retryable: true,
  }),
  NotDrawn: ([id, node, retryAt], say) => ({
    sentence: `Node ${node} was not drawn for this lease of ${job(id, say)} yet.`,
    ...later(retryAt, say),
  }),
  NodeNotEligible: ([id, node], say) => ({
    sentence: `Node ${node} does not meet what ${job(id, say)} asks for: its terms name another node, a runtime that the node does not offer, or a tier that it has not proven.`,
    action: 'Leave the job to other nodes, or change what the node offers.',
  }),
  TakeOverByFailed: ([id, first, node], say) => ({
    sentence: `${lease(id, first, say)} was lost by node ${node}, which therefore may not take it over.`,
    action: 'Leave the lease to another node.',
  }),
  DeadlinePassed: ([id, first, deadline], say) => ({
    sentence: `The last second for this step of shard ${first} of ${job(id, say)} was ${say.time(deadline)}.`,
    action: 'Nothing can be done in time any more; refresh to see what is possible now.',
  }),
  TooEarly: ([id, first, from], say) => ({
    sentence:
      from === 0
        ? `It is too early for this step of shard ${first} of ${job(id, say)}.`
        : `It is too early for this step of shard ${first} of ${job(id, say)}: it opens at ${say.time(from)}.`,
    ...later(from, say),
  }),
  DirectMismatch: ([id, direct], say) => ({
    sentence: direct
      ? `The ${job(id, say)} is direct: its results are submitted in one step, without a commit.`
      : `The ${job(id, say)} is not direct: its results are committed first and revealed later.`,
    action: direct ? 'Use submit.' : 'Use commit, then reveal.',
  }),
  CommitmentZero: ([id, first], say) => ({
    sentence: `The commitment for shard ${first} of ${job(id, say)} is empty.`,
    action: ours,
  }),
  LengthMismatch: ([leases, results]) => ({
    sentence: `The call names ${leases} leases but ${results} results.`,
    action: ours,
  }),
  NoSeatFree: ([id, first], say) => ({
    sentence: `Every seat on shard ${first} of ${job(id, say)} is taken.`,
    action: 'Look for another range or job.',
  }),
  SeatedAlready: ([id, first, node], say) => ({
    sentence: `Node ${node} sits on shard ${first} of ${job(id, say)} already, or has failed there.`,
    action: 'Leave the seat to another node.',
  }),
  SeatsAgree: ([id, first], say) => ({
    sentence: `Several nodes compute shard ${first} of ${job(id, say)}, so none is paid or ended by itself.`,
    action: 'Use agree, which ends all of their seats together.',
  }),
  SeatsMissing: ([id, first, given, committed], say) => ({
    sentence: `The call names ${given} seats on shard ${first} of ${job(id, say)}, but ${committed} have committed.`,
    action: 'Read the job again from the chain and name every seat that has committed, in the order of the commits.',
    retryable: true,
  }),
  SeveralSeats: ([id], say) => ({
    sentence: `Several nodes compute every shard of ${job(id, say)}, so none of them claims it alone.`,
    action: 'Use sit to take one of its seats.',
  }),
  OneSeat: ([id], say) => ({
    sentence: `One node computes each shard of ${job(id, say)}, or this lease is no seat among several.`,
    action: 'Use claim, takeOver and commit.',
  }),
  NotAudited: ([id, first], say) => ({
    sentence: `${lease(id, first, say)} was not drawn for an audit, or the block that decides it is not there yet.`,
    action: 'Wait for the block after the commit; if the lease is not drawn then, leave it to its holder.',
  }),
  NotCredits: ([caller], say) => ({
    sentence: `Only the contract that mints credits may redeem receipts, and ${say.short(caller)} is not.`,
    action: 'Use the credits contract instead.',
  }),
  ReceiptUnknown: ([id, first], say) => ({
    sentence: `No receipt is left of shard ${first} of ${job(id, say)}: it was redeemed, or its work was paid in a way that leaves none.`,
    action: 'Redeem only drawn work that was paid after its challenge window, and each receipt once.',
  }),
  JobBusy: ([id], say) => ({
    sentence: `Nodes still work on ${job(id, say)}, so it cannot be closed.`,
    action: 'Wait until every lease is paid or has lapsed.',
    retryable: true,
  }),

  /* COURT */
  DisputeInState: ([, actual, needed]) => ({
    sentence: `This dispute is ${DISPUTE_WORDS[DISPUTE_STATES[actual] ?? 'none']}, but the call needs one that is ${DISPUTE_WORDS[DISPUTE_STATES[needed] ?? 'none']}.`,
    action: 'Refresh to see where the dispute stands now.',
  }),
  ShardUnknown: ([id, first, index], say) => ({
    sentence: `Shard ${index} of ${job(id, say)} is not part of the lease at shard ${first}, or not what its holder showed.`,
    action: 'Take hash, units and proof of the shard from the manifest that the holder published.',
  }),
  BondTooSmall: ([id, bond], say) => ({
    sentence: `The bond of a shard of ${job(id, say)} is ${say.dpu(bond)}, which is too small to pay a juror.`,
    action: 'Nothing of this job can be challenged.',
  }),
  JurorIsParty: ([dispute, node], say) => ({
    sentence: `Node ${node} has a side in the dispute ${say.short(dispute)}, or sits beside the seat that is judged.`,
    action: 'Leave the seat on the jury to another node.',
  }),
  JurorServedAlready: ([dispute, node], say) => ({
    sentence: `Node ${node} has served in the dispute ${say.short(dispute)} before.`,
    action: 'Leave the seat on the jury to another node.',
  }),
  JuryFull: ([dispute, seats], say) => ({
    sentence: `All ${seats} seats on the jury of the dispute ${say.short(dispute)} are taken.`,
    action: 'Wait for the verdict.',
  }),
  JurorsMismatch: ([dispute], say) => ({
    sentence: `The jurors that the call names are not all who serve in the dispute ${say.short(dispute)}, or not in the order in which they sat down.`,
    action: 'Read the dispute again from the chain and name every juror in that order.',
    retryable: true,
  }),
  TestimonyInvalid: ([dispute, node], say) => ({
    sentence: `What node ${node} says in the dispute ${say.short(dispute)} is not what it is bound to, or is no vote.`,
    action: 'Give the vote, hash, units, evidence and salt of its commitment.',
  }),
  JurorSpokeAlready: ([dispute, node], say) => ({
    sentence: `Node ${node} has spoken in the dispute ${say.short(dispute)} before.`,
    action: 'Nothing is left to do for this juror.',
  }),
  RoundFinal: ([dispute], say) => ({
    sentence: `The second jury of the dispute ${say.short(dispute)} has judged, and there is no third.`,
    action: 'Carry the verdict out with enforce.',
  }),

  /* NODES AND STAKE */
  NodeUnknown: ([node]) => ({
    sentence: `Node ${node} does not exist.`,
    action: 'Check the number and the network, or register a node.',
  }),
  NotNodeOwner: ([node, caller], say) => ({
    sentence: `Only the owner of node ${node} may do this, and ${say.short(caller)} is not.`,
    action: "Switch to the node's owner account.",
  }),
  NotNodeOperator: ([node, caller], say) => ({
    sentence: `Only the operator key of node ${node} may do this, and ${say.short(caller)} is not.`,
    action: "Use the node's operator key, or let its owner change it.",
  }),
  OperatorTaken: ([operator, node], say) => ({
    sentence: `The operator key ${say.short(operator)} already works for node ${node}.`,
    action: 'Use another operator key for this node.',
  }),
  RuntimesInvalid: ([runtimes]) => ({
    sentence: `The set of runtimes 0x${runtimes.toString(16)} is empty or names one that does not exist.`,
    action: 'Choose at least one runtime out of those that exist.',
  }),
  EndpointTooLong: ([length]) => ({
    sentence: `The node's address is ${length} bytes long; the most is 256.`,
    action: 'Use a shorter address.',
  }),
  StakeTooLow: ([node, free, needed], say) => ({
    sentence: `Node ${node} has ${say.dpu(free)} of free stake, but ${say.dpu(needed)} is needed. Bonds of running leases and queued exits are not free.`,
    action: 'Add stake, or wait until running leases are paid.',
  }),
  UnstakeTooEarly: ([node, unstakeAt], say) => ({
    sentence: `The queued stake of node ${node} may leave from ${say.time(unstakeAt)}.`,
    ...later(unstakeAt, say),
  }),
  NothingQueued: ([node]) => ({
    sentence: `No stake of node ${node} is queued to leave.`,
    action: 'Queue the amount first, then wait for the unbonding time.',
  }),

  /* MONEY AND GOVERNANCE */
  CurrencyNotAllowed: ([currency], say) => ({
    sentence: `The currency ${say.short(currency)} is not accepted for new jobs.`,
    action: 'Choose another currency.',
  }),
  BalanceTooLow: ([currency, account, balance, needed], say) => ({
    sentence: `The balance of ${say.short(account)} in the Market is ${say.amount(currency, balance)}, but ${say.amount(currency, needed)} is needed.`,
    action: `Deposit at least ${say.amount(currency, needed - balance)} more.`,
  }),
  AmountTooLarge: ([amount]) => ({
    sentence: `A payment of ${amount} smallest units is more than the Market counts at once, which is 2^96 − 1.`,
    action: 'Pay in a smaller amount.',
  }),
  AmountZero: () => ({ sentence: 'The amount is zero.', action: 'Enter an amount above zero.' }),
  AddressZero: () => ({ sentence: 'An address is missing.', action: 'Enter the address.' }),
  PausedUntil: ([until], say) => ({
    sentence: `The guardian has stopped new jobs and claims until ${say.time(until)}. Payments and withdrawals go on.`,
    ...later(until + 1, say),
  }),
  NotGuardian: ([caller], say) => ({
    sentence: `Only the guardian may do this during its term, and ${say.short(caller)} is not.`,
    action: "Switch to the guardian's account, if its term has not ended.",
  }),
  PauseNotAllowed: ([seconds, earliest], say) => ({
    sentence: `A pause of ${say.duration(seconds)} is not allowed now: it may last at most 3 days and not follow the last one before ${say.time(earliest)}.`,
    action: 'Choose a shorter pause, or wait.',
  }),
  ParamsVersion: ([given, newest]) => ({
    sentence:
      given === newest
        ? `The terms name version ${given} of the parameters, but carry other numbers than it has.`
        : `The terms use version ${given} of the parameters, but new jobs must use version ${newest}.`,
    action: 'Refresh, check the new conditions, and post again.',
  }),
  ParameterOutOfBounds: ([name, value, least, most], say) => ({
    sentence: `The parameter ${say.label(name)} cannot be ${value}: it must be between ${least} and ${most}.`,
    action: 'Choose a value within the bounds.',
  }),

  /* LIBRARIES */
  ERC20InsufficientBalance: ([sender, balance, needed], say) => ({
    sentence: `The account ${say.short(sender)} holds ${balance} smallest units of the token, but ${needed} are needed.`,
    action: 'Get more of the token, or use a smaller amount.',
  }),
  ERC20InsufficientAllowance: ([spender, allowance, needed], say) => ({
    sentence: `${say.short(spender)} may take ${allowance} smallest units of the token, but ${needed} are needed.`,
    action: 'Approve the amount, or sign a new permit, then try again.',
  }),
  ERC20InvalidSender: ([sender], say) => invalidParty('sender', say.short(sender)),
  ERC20InvalidReceiver: ([receiver], say) => ({
    ...invalidParty('receiver', say.short(receiver)),
    action: receiver === zeroAddress ? 'Enter an address to send to.' : 'Send to another address.',
  }),
  ERC20InvalidApprover: ([approver], say) => invalidParty('approver', say.short(approver)),
  ERC20InvalidSpender: ([spender], say) => invalidParty('spender', say.short(spender)),
  ERC20ExceededSafeSupply: () => ({ sentence: 'The token cannot have that many units.', action: ours }),
  ERC2612ExpiredSignature: ([deadline], say) => ({
    sentence: `The permit was good until ${say.time(deadline)}.`,
    action: 'Sign a new permit.',
  }),
  ERC2612InvalidSigner: ([signer, owner], say) => ({
    sentence: `The permit was signed by ${say.short(signer)} instead of ${say.short(owner)}, or for another amount, nonce or network.`,
    action: 'Sign a new permit with the right account.',
  }),
  ERC5805FutureLookup: () => ({ sentence: 'Votes at a moment that has not passed cannot be read.', action: ours }),
  ERC721NonexistentToken: ([tokenId]) => ({
    sentence: `The token ${tokenId} does not exist.`,
    action: 'Check the number and the network.',
  }),
  ERC721InsufficientApproval: ([operator, tokenId], say) => ({
    sentence: `${say.short(operator)} may not move the token ${tokenId}.`,
    action: 'Approve it first, or switch to the owner.',
  }),
  ERC721IncorrectOwner: ([sender, tokenId], say) => ({
    sentence: `The token ${tokenId} does not belong to ${say.short(sender)}.`,
    action: 'Switch to its owner.',
  }),
  ERC721InvalidReceiver: ([receiver], say) => ({
    sentence: `${say.short(receiver)} cannot receive this token.`,
    action: 'Send to another address.',
  }),
  SafeERC20FailedOperation: ([token], say) => ({
    sentence: `The token ${say.short(token)} refused the transfer.`,
    action: 'Check your balance and the allowance of the Market, then try again.',
  }),
  InvalidAccountNonce: ([account, currentNonce], say) => ({
    sentence: `A signature of ${say.short(account)} was already used: its nonce is now ${currentNonce}.`,
    action: 'Sign again.',
  }),
  OwnableUnauthorizedAccount: ([account], say) => ({
    sentence: `Only governance may do this, and ${say.short(account)} is not.`,
    action: 'Make a proposal instead.',
  }),
  OwnableInvalidOwner: () => ({ sentence: 'The new owner is not valid.', action: 'Enter another address.' }),
  ReentrancyGuardReentrantCall: () => ({ sentence: 'The call came back into a call that is running.', action: ours }),
  ECDSAInvalidSignature: () => ({ sentence: 'The signature is not valid.', action: 'Sign again.' }),
  ECDSAInvalidSignatureLength: ([length]) => ({
    sentence: `The signature is ${length} bytes long instead of 65.`,
    action: 'Sign again, with another wallet if it repeats.',
  }),
  ECDSAInvalidSignatureS: () => ({
    sentence: 'The signature has a form that is not accepted.',
    action: 'Sign again, with another wallet if it repeats.',
  }),
  VotesExpiredSignature: ([expiry], say) => ({
    sentence: `The signed delegation was good until ${say.time(expiry)}.`,
    action: 'Sign a new one.',
  }),
  CheckpointUnorderedInsertion: () => ({ sentence: 'Votes were recorded out of order.', action: ours }),
  SafeCastOverflowedUintDowncast: ([bits, value]) => ({
    sentence: `The number ${value} is too large: it must fit in ${bits} bits.`,
    action: 'Use a smaller number.',
  }),
  StringTooLong: () => ({ sentence: 'A text is too long.', action: 'Use a shorter text.' }),
  InvalidShortString: () => ({ sentence: 'A text is not in the expected form.', action: ours }),
  AddressEmptyCode: ([target], say) => ({
    sentence: `There is no contract at ${say.short(target)}.`,
    action: 'Check the address and the network.',
  }),
  FailedCall: () => ({ sentence: 'An inner call failed without saying why.', action: ours }),
  FailedDeployment: () => ({ sentence: 'A contract could not be deployed.', action: ours }),
  InsufficientBalance: ([balance, needed]) => ({
    sentence: `A contract holds ${balance} wei, but ${needed} are needed.`,
    action: ours,
  }),
  InvalidInitialization: () => ({ sentence: 'The contract was already set up.', action: ours }),
  NotInitializing: () => ({ sentence: 'The contract can only be set up once, at its start.', action: ours }),
  NotMarket: ([caller], say) => ({
    sentence: `Only the Market may do this, and ${say.short(caller)} is not.`,
    action: 'Use the Market instead.',
  }),
  PartMismatch: ([part], say) => ({
    sentence: `The Market was deployed with a part at ${say.short(part)} that was made for another token.`,
    action: 'Deploy all of its contracts from the same build.',
  }),
};

/** The words for an error by its name, or undefined when it is none of the contracts'. */
export function sentenceOf(name: string, args: readonly unknown[], say: Say): Sentence | undefined {
  if (!Object.hasOwn(SENTENCES, name)) return undefined;
  const entry = SENTENCES[name as KnownErrorName] as (args: readonly unknown[], say: Say) => Sentence;
  return entry(args, say);
}

function invalidParty(role: string, address: string): Sentence {
  return { sentence: `The token does not accept ${address} as ${role}.`, action: ours };
}
