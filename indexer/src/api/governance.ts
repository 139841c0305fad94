import {
  delegationPageSchema,
  operationPageSchema,
  proposalDetailSchema,
  proposalPageSchema,
  settingChangePageSchema,
  settingPageSchema,
  votePageSchema,
  votingPowerPageSchema,
} from '@dpu/sdk/apiTables';
import type { SQL } from 'drizzle-orm';
import { asc, desc, eq } from 'ponder';
import { z } from 'zod';
import * as schema from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { byEvent, byHex, bySortKey, readPage, rowJson } from './pages.ts';
import { ProblemError } from './problem.ts';
import { route, type Route } from './route.ts';

const equal = (column: Parameters<typeof eq>[0], value: unknown): SQL | undefined =>
  value === undefined ? undefined : eq(column, value);

/** Proposals, votes, who votes for whom, the timelock, and every number that a vote may turn. */
export function governanceRoutes(db: Database): Route[] {
  const { proposal, proposalCall, vote, delegation, votingPower, operation, setting, settingChange } = schema;
  const { proposer, voter, delegatee, contract, name } = input.by;
  return [
    route(
      {
        method: 'get',
        path: '/proposals',
        tag: 'Governance',
        summary: 'Proposals, newest first',
        query: z.strictObject({ ...input.paging, proposer }),
        answer: proposalPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const asked = { list: 'proposals', limit, cursor, where: [equal(proposal.proposer, by.proposer)] };
        return readPage(db, proposal, byEvent(proposal.event), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/proposals/{id}',
        tag: 'Governance',
        summary: 'One proposal with its calls and its newest votes',
        params: z.strictObject({ id: input.proposalId }),
        answer: proposalDetailSchema,
        problems: ['not-found'],
      },
      async ({ params: { id } }) => {
        const [[row], calls, votes, tip] = await Promise.all([
          db.select().from(proposal).where(eq(proposal.id, id)).limit(1),
          db.select().from(proposalCall).where(eq(proposalCall.proposal, id)).orderBy(asc(proposalCall.place)),
          db.select().from(vote).where(eq(vote.proposal, id)).orderBy(desc(vote.event)).limit(input.MOST),
          readTip(db),
        ]);
        if (!row) throw new ProblemError('not-found', `no proposal ${id} was made, or its block is not indexed yet`);
        return {
          ...rowJson(row, tip),
          calls: calls.map(({ place, target, value, data }) => ({ place, target, value: String(value), data })),
          votes: votes.map((one) => rowJson(one, tip)),
        };
      },
    ),
    route(
      {
        method: 'get',
        path: '/votes',
        tag: 'Governance',
        summary: 'Votes, newest first',
        query: z.strictObject({ ...input.paging, voter, proposal: input.proposalId.optional() }),
        answer: votePageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [equal(vote.voter, by.voter), equal(vote.proposal, by.proposal)];
        const asked = { list: 'votes', limit, cursor, where };
        return readPage(db, vote, byEvent(vote.event), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/delegations',
        tag: 'Governance',
        summary: 'To whom accounts have given their votes, in the order of the accounts',
        query: z.strictObject({ ...input.paging, delegatee }),
        answer: delegationPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const asked = { list: 'delegations', limit, cursor, where: [equal(delegation.delegatee, by.delegatee)] };
        return readPage(db, delegation, byHex(delegation.delegator), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/voters',
        tag: 'Governance',
        summary: 'What each account votes with, in the order of the accounts',
        query: z.strictObject(input.paging),
        answer: votingPowerPageSchema,
      },
      async ({ query: { limit, cursor } }) => {
        const tip = await readTip(db);
        const asked = { list: 'voters', limit, cursor, where: [] };
        return readPage(db, votingPower, byHex(votingPower.account), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/operations',
        tag: 'Governance',
        summary: 'Batches of calls in the timelock, newest first',
        query: z.strictObject(input.paging),
        answer: operationPageSchema,
      },
      async ({ query: { limit, cursor } }) => {
        const tip = await readTip(db);
        const asked = { list: 'operations', limit, cursor, where: [] };
        return readPage(db, operation, byEvent(operation.event), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/settings',
        tag: 'Governance',
        summary: 'Every setting of every contract, as it is in force',
        query: z.strictObject({ ...input.paging, contract, name }),
        answer: settingPageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [equal(setting.contract, by.contract), equal(setting.name, by.name)];
        const asked = { list: 'settings', limit, cursor, where };
        return readPage(db, setting, bySortKey(setting.sortKey, false), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/settings/changes',
        tag: 'Governance',
        summary: 'Every change of a setting, newest first',
        query: z.strictObject({ ...input.paging, contract, name }),
        answer: settingChangePageSchema,
      },
      async ({ query: { limit, cursor, ...by } }) => {
        const tip = await readTip(db);
        const where = [equal(settingChange.contract, by.contract), equal(settingChange.name, by.name)];
        const asked = { list: 'settings.changes', limit, cursor, where };
        return readPage(db, settingChange, bySortKey(settingChange.sortKey), asked, (row) => rowJson(row, tip));
      },
    ),
  ];
}
