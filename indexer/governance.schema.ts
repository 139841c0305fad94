/** The tables of governance (`docs/governance.md`): proposals, votes, voting power, the timelock, and every number that a vote may turn. */
import { OPERATION_STATES, PROPOSAL_STATES, SETTING_CONTRACTS, VOTE_SUPPORTS } from '@dpu/sdk/apiEnums';
import { index, onchainEnum, onchainTable, primaryKey } from 'ponder';
import { changed, happened } from './changed.schema.ts';

export const proposalState = onchainEnum('proposal_state', [...PROPOSAL_STATES]);
export const voteSupport = onchainEnum('vote_support', [...VOTE_SUPPORTS]);
export const operationState = onchainEnum('operation_state', [...OPERATION_STATES]);
export const settingContract = onchainEnum('setting_contract', [...SETTING_CONTRACTS]);

/** A proposal. Votes are DPU wei. */
export const proposal = onchainTable(
  'proposal',
  (t) => ({
    id: t.bigint().primaryKey(),
    proposer: t.hex().notNull(),
    description: t.text().notNull(),
    state: proposalState().notNull(),
    /** Seconds in which voting begins and ends; a late quorum moves the end. */
    voteStart: t.int8({ mode: 'number' }).notNull(),
    voteEnd: t.int8({ mode: 'number' }).notNull(),
    extended: t.boolean().notNull(),
    /** When the timelock lets it be executed; null until it is queued. */
    eta: t.int8({ mode: 'number' }),
    votesFor: t.bigint().notNull(),
    votesAgainst: t.bigint().notNull(),
    votesAbstain: t.bigint().notNull(),
    voters: t.integer().notNull(),
    event: t.text().notNull(),
    proposedAt: t.int8({ mode: 'number' }).notNull(),
    queuedAt: t.int8({ mode: 'number' }),
    /** When it was executed or cancelled. */
    endedAt: t.int8({ mode: 'number' }),
    transaction: t.hex().notNull(),
    ...changed(t),
  }),
  (t) => ({ eventIdx: index().on(t.event), proposerIdx: index().on(t.proposer, t.event) }),
);

/** One call of a proposal. */
export const proposalCall = onchainTable(
  'proposal_call',
  (t) => ({
    proposal: t.bigint().notNull(),
    place: t.integer().notNull(),
    target: t.hex().notNull(),
    value: t.bigint().notNull(),
    data: t.hex().notNull(),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.proposal, t.place] }) }),
);

/** Who voted how, with how much; nobody votes twice. */
export const vote = onchainTable(
  'vote',
  (t) => ({
    proposal: t.bigint().notNull(),
    voter: t.hex().notNull(),
    support: voteSupport().notNull(),
    weight: t.bigint().notNull(),
    reason: t.text().notNull(),
    /** Empty where the vote had no parameters. */
    params: t.hex().notNull(),
    event: t.text().notNull(),
    ...happened(t),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.proposal, t.voter] }), voterIdx: index().on(t.voter, t.event) }),
);

/** To whom an account has given its votes; of staked DPU too, whose delegator is the owner's surrogate. */
export const delegation = onchainTable(
  'delegation',
  (t) => ({ delegator: t.hex().primaryKey(), delegatee: t.hex().notNull(), ...changed(t) }),
  (t) => ({ delegateeIdx: index().on(t.delegatee) }),
);

/** Every delegation, newest last. */
export const delegationChange = onchainTable(
  'delegation_change',
  (t) => ({
    event: t.text().primaryKey(),
    delegator: t.hex().notNull(),
    from: t.hex().notNull(),
    to: t.hex().notNull(),
    ...happened(t),
  }),
  (t) => ({ delegatorIdx: index().on(t.delegator, t.event), toIdx: index().on(t.to, t.event) }),
);

/** The contract that holds an owner's stake, and who votes with it. */
export const surrogate = onchainTable(
  'surrogate',
  (t) => ({ owner: t.hex().primaryKey(), surrogate: t.hex().notNull(), delegatee: t.hex().notNull(), ...changed(t) }),
  (t) => ({ surrogateIdx: index().on(t.surrogate) }),
);

/** What a delegatee votes with now, DPU wei. */
export const votingPower = onchainTable('voting_power', (t) => ({
  account: t.hex().primaryKey(),
  votes: t.bigint().notNull(),
  ...changed(t),
}));

/** Every change of what a delegatee votes with. */
export const votesChange = onchainTable(
  'votes_change',
  (t) => ({
    event: t.text().primaryKey(),
    account: t.hex().notNull(),
    previous: t.bigint().notNull(),
    votes: t.bigint().notNull(),
    ...happened(t),
  }),
  (t) => ({ accountIdx: index().on(t.account, t.event) }),
);

/** A batch of calls that waits in the timelock, or waited. */
export const operation = onchainTable(
  'operation',
  (t) => ({
    id: t.hex().primaryKey(),
    state: operationState().notNull(),
    predecessor: t.hex().notNull(),
    salt: t.hex(),
    readyAt: t.int8({ mode: 'number' }).notNull(),
    calls: t.integer().notNull(),
    event: t.text().notNull(),
    scheduledAt: t.int8({ mode: 'number' }).notNull(),
    endedAt: t.int8({ mode: 'number' }),
    transaction: t.hex().notNull(),
    ...changed(t),
  }),
  (t) => ({ eventIdx: index().on(t.event) }),
);

/** One call of such a batch. */
export const operationCall = onchainTable(
  'operation_call',
  (t) => ({
    batch: t.hex().notNull(),
    place: t.integer().notNull(),
    target: t.hex().notNull(),
    value: t.bigint().notNull(),
    data: t.hex().notNull(),
    executedAt: t.int8({ mode: 'number' }),
    ...changed(t),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.batch, t.place] }) }),
);

/** Who has a role in the timelock, or had it. */
export const role = onchainTable(
  'role',
  (t) => ({
    role: t.hex().notNull(),
    account: t.hex().notNull(),
    member: t.boolean().notNull(),
    /** Who gave or took it last. */
    sender: t.hex().notNull(),
    ...changed(t),
  }),
  (t) => ({ pk: primaryKey({ columns: [t.role, t.account] }), accountIdx: index().on(t.account) }),
);

/** A number, flag or address that governs a contract, as it is in force; `value` is decimal, `true`/`false`, or an address. */
export const setting = onchainTable(
  'setting',
  (t) => ({
    /** Contract, name and subject. */
    sortKey: t.text().primaryKey(),
    contract: settingContract().notNull(),
    name: t.text().notNull(),
    /** What it is set for, e.g. a currency or a runtime; empty where there is one of it. */
    subject: t.text().notNull(),
    value: t.text().notNull(),
    ...changed(t),
  }),
  (t) => ({ contractIdx: index().on(t.contract, t.sortKey) }),
);

/** Every change of a setting. */
export const settingChange = onchainTable(
  'setting_change',
  (t) => ({
    /** Event and name: unique, and ordered as on chain. */
    sortKey: t.text().primaryKey(),
    event: t.text().notNull(),
    contract: settingContract().notNull(),
    name: t.text().notNull(),
    subject: t.text().notNull(),
    /** Null for the first value. */
    previous: t.text(),
    value: t.text().notNull(),
    ...happened(t),
  }),
  (t) => ({
    nameIdx: index().on(t.contract, t.name, t.subject, t.sortKey),
  }),
);
