/** What the indexer would answer, folded from the same events. */
import type { QuoteRequest } from '@dpu/sdk/apiQuote';
import { disputeCost, jurySeats } from '@dpu/sdk/court';
import { jobHistory, type JobHistory } from '@dpu/sdk/history';
import { createPublicClient, custom, type Hex } from 'viem';

import { block, deployment, DPU, hex, ME, nodeFacts, NODES, now, START, USD, wei } from './network.ts';
import { quoteAnswer, whyAnswer } from './quote.ts';
import type { Rpc } from './rpc.ts';
import { uptimeAnswer } from './uptime.ts';
import type { WorldEvent } from './world.ts';

type Query = URLSearchParams;

/** Answers the indexer's routes. */
export class Api {
  #rpc: Rpc;
  #events: readonly WorldEvent[];
  #jobs: readonly Hex[];
  #client;

  /** `jobs`: ids, newest first. */
  constructor(rpc: Rpc, events: readonly WorldEvent[], jobs: readonly Hex[]) {
    this.#rpc = rpc;
    this.#events = events;
    this.#jobs = jobs;
    this.#client = createPublicClient({
      transport: custom({ request: async ({ method, params }) => this.#rpc.answer(method, params as never) }),
    });
  }

  /** `body`: of a POST. */
  async answer(path: string, query: Query, body?: unknown): Promise<unknown> {
    if (path === '/v1/quote') return quoteAnswer(body as QuoteRequest);
    const why = /^\/v1\/nodes\/(\d+)\/why$/.exec(path);
    if (why) return whyAnswer(Number(why[1]), await Promise.all(this.#jobs.map((job) => this.#history(job))));
    const uptime = /^\/v1\/nodes\/(\d+)\/uptime$/.exec(path);
    if (uptime) return uptimeAnswer(Number(uptime[1]), now());
    if (path === '/status')
      return { pretended: { id: deployment.chainId, block: { number: block(), timestamp: now() } } };
    if (path === '/v1/stats') return this.#stats();
    if (path === '/v1/jobs') return this.#list(query);
    if (path.startsWith('/v1/jobs/')) {
      const id = this.#jobs.find((one) => path.endsWith(one));
      return id && this.#job(id);
    }
    if (path === '/v1/nodes')
      return { items: Array.from({ length: NODES }, (_, index) => nodeSummary(index + 1)), next: null };
    if (path.startsWith('/v1/nodes/')) return this.#node(Number(path.split('/').at(-1)));
    if (path === '/v1/activity') return { items: this.#activity(Number(query.get('limit') ?? 20)), next: null };
    if (path.startsWith('/v1/accounts/')) return this.#account(path.split('/').at(-1) as Hex);
    return undefined;
  }

  #history(id: Hex): Promise<JobHistory> {
    return jobHistory(this.#client, deployment, id, { gas: false });
  }

  async #stats() {
    const jobs = { open: 0, running: 0, complete: 0, cancelled: 0, closed: 0 };
    for (const { state } of await this.#summaries()) jobs[state as keyof typeof jobs] += 1;
    const done = this.#events.filter(({ name, at }) => name === 'LeaseSettled' && at <= now()).length;
    return {
      ...{ block: block(), timestamp: now(), jobs, nodes: NODES, stake: String(wei(34_050)), seatsAllowed: true },
      paid: [
        { currency: DPU, amount: String(wei(1_843.2)) },
        { currency: USD, amount: '418250000' },
      ],
      ...{ shardsSettled: 18_432 + done, unitsSettled: '77414400' },
    };
  }

  #summaries() {
    return Promise.all(this.#jobs.map(async (id) => summary(await this.#history(id))));
  }

  async #list(query: Query) {
    const [state, requester] = [query.get('state'), query.get('requester')];
    const items = (await this.#summaries()).filter(
      (one) => (!state || one.state === state) && (!requester || one.requester === requester),
    );
    return { items: items.slice(0, Number(query.get('limit') ?? 50)), next: null };
  }

  async #job(id: Hex) {
    const history = await this.#history(id);
    const { terms, leases } = history;
    return {
      ...summary(history),
      terms: plain(terms),
      ...{ leases: leases.map((held) => lease(history, held)), panels: [], disputes: disputes(history), activity: [] },
    };
  }

  async #node(id: number) {
    if (!(id >= 1 && id <= NODES)) return undefined;
    const histories = await Promise.all(this.#jobs.map((job) => this.#history(job)));
    const recent = histories.flatMap((history) =>
      history.leases.filter((held) => held.lease.node === id).map((held) => lease(history, held)),
    );
    return { ...nodeSummary(id), recent: recent.slice(0, 40), seats: [] };
  }

  async #account(address: Hex) {
    const jobs = (await this.#summaries()).filter(({ requester }) => requester === address);
    return {
      ...{ address, balances: [{ currency: DPU, amount: String(wei(420)) }], jobs },
      nodes: address === ME ? [nodeSummary(2)] : [],
    };
  }

  #activity(limit: number) {
    return this.#events
      .filter(({ at }) => at <= now())
      .toSorted((a, b) => b.at - a.at)
      .slice(0, limit)
      .map(({ at, name, args, tx }, index) => ({
        id: `${String(at).padStart(16, '0')}${String(9_999 - index).padStart(4, '0')}`,
        type: name.charAt(0).toLowerCase() + name.slice(1),
        job: args['id'] ?? null,
        first: args['first'] ?? null,
        node: args['node'] ?? null,
        account: args['requester'] === undefined ? null : String(args['requester']).toLowerCase(),
        amount: 'paid' in args ? String(args['paid']) : null,
        currency: 'paid' in args ? DPU : null,
        block: at - START,
        timestamp: at,
        transaction: tx,
      }));
  }
}

/** As JSON tells it: amounts as text, hex in small letters. */
function plain(fields: object): unknown {
  return JSON.parse(
    JSON.stringify(fields, (_key, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      return typeof value === 'string' ? value.toLowerCase() : value;
    }),
  );
}

function summary(history: JobHistory) {
  const { id, terms, leases, state, postedAt, postedBlock, steps } = history;
  const counted = (...states: string[]): number =>
    leases.filter((held) => states.includes(held.state)).reduce((sum, { lease }) => sum + lease.count, 0);
  const sum = (part: 'paid' | 'fee'): bigint =>
    leases.reduce((total, { payment }) => total + (payment?.[part] ?? 0n), 0n);
  return {
    ...{ id, requester: terms.requester.toLowerCase(), currency: terms.currency.toLowerCase(), name: null },
    state: state === 'open' && leases.length > 0 ? 'running' : state,
    ...{
      shards: terms.shards,
      claimed: counted('claimed', 'committed', 'revealed', 'settled'),
      settled: counted('settled'),
    },
    ...{ minPrice: String(terms.minPrice), maxPrice: String(terms.maxPrice), bond: String(terms.bond) },
    ...{ runtime: terms.runtime, spec: terms.spec, postedAt, postedBlock, closedAt: history.closedAt ?? null },
    afterJob: /^0x0+$/.test(terms.afterJob) ? null : terms.afterJob,
    transaction: steps[0]!.transaction,
    ...{ paid: String(sum('paid')), fee: String(sum('fee')), refunded: String(history.refunded) },
  };
}

function lease(
  { id }: JobHistory,
  { lease: held, state, payment, result, transactions, ...rest }: JobHistory['leases'][number],
) {
  return {
    ...{ job: id, first: held.first, count: held.count, node: held.node, price: String(held.price) },
    ...{ bond: String(rest.bond), bonus: String(held.bonus), deadline: held.deadline, phase: state },
    ...{
      claimedAt: rest.claimedAt ?? 0,
      committedAt: rest.committedAt ?? null,
      committedBlock: null,
      commitment: null,
    },
    ...{ revealedAt: rest.revealedAt ?? null, windowEnd: rest.windowEnd ?? null },
    ...{ root: result?.root ?? null, units: result ? String(result.units) : null, manifest: result?.manifest ?? null },
    ...{ settledAt: rest.settledAt ?? null, lapsedAt: rest.lapsedAt ?? null },
    ...{ paid: String(payment?.paid ?? 0n), fee: String(payment?.fee ?? 0n), accepted: false, lapses: 0 },
    transactions: { claim: null, commit: null, reveal: null, settle: null, lapse: null, ...transactions },
  };
}

function disputes({ disputes: all, terms }: JobHistory) {
  return all.map(({ key, lease: held, index, hash, units, challenger, juries, verdict, ended, transactions }) => {
    const [jury] = juries;
    return {
      ...{
        key,
        first: held.first,
        node: held.node,
        shard: index,
        hash,
        units: String(units),
        verdict,
        appellant: null,
      },
      challenger: { account: null, node: challenger.node },
      state: ended ? 'ended' : jury?.judged ? 'judged' : 'serving',
      ...{ round: juries.length, fee: String(disputeCost(terms).juror) },
      ...{
        returned: String(ended?.returned ?? 0n),
        forfeited: '0',
        rewarded: String(ended?.rewarded ?? 0n),
        repaid: '0',
      },
      ...{ openedAt: jury!.calledAt, judgedAt: jury?.judged?.at ?? null, endedAt: ended?.at ?? null },
      jurors: jury!.jurors.slice(0, jurySeats(1).seats).map(({ node }) => ({
        ...{ round: 1, node, vote: jury!.votes.get(node) ?? 'none', hash: null, units: null, evidence: null },
        ...{ paid: null, servedAt: jury!.calledAt, spokenAt: null },
      })),
      transactions: { open: transactions.challenge, end: transactions.enforce ?? null },
    };
  });
}

function nodeSummary(id: number) {
  const { stake, locked, queued, unstakeAt, ...node } = nodeFacts(id);
  return {
    ...node,
    ...{ stake: String(stake), locked: String(locked), queued: String(queued), unstakeAt: unstakeAt || null },
    registeredAt: node.since,
    leases: { living: id % 3, settled: 212 - id * 31, lapsed: id === 4 ? 3 : 0 },
    ...{ shardsSettled: 848 - id * 124, unitsSettled: String(890_000 - id * 91_000) },
    slashed: id === 4 ? String(wei(12)) : '0',
    key: node.key ? hex(`key${id}`) : null,
  };
}
