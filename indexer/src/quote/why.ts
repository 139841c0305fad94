import { EXCLUSION_SENTENCES, type explainedPaymentSchema, type whySchema } from '@dpu/sdk/apiQuote';
import { DECLINES } from '@dpu/sdk/declines';
import { readRules } from '@dpu/sdk/rules';
import { and, desc, eq, inArray, isNotNull, lt } from 'drizzle-orm';
import type { Hex } from 'viem';
import type { z } from 'zod';
import { job, lease, node, seat } from '../../ponder.schema.ts';
import type { Database } from '../api/app.ts';
import { sourceOf, type Tip } from '../api/finality.ts';
import { unknownJob } from '../api/jobs.ts';
import { unknownNode } from '../api/nodes.ts';
import { exclusionsOf } from './eligibility.ts';
import { readNetwork } from './facts.ts';
import type { LiveView } from './view.ts';
import { freeShards, obstaclesOf, wantedOf } from './whyNot.ts';

/** Jobs and payments that one answer explains. */
const EXPLAINED = 50;
const BPS = 10_000n;

type JobRow = typeof job.$inferSelect;
type NodeRow = typeof node.$inferSelect;

/** Why the node has none of the jobs that wait for nodes, or not the one that is asked for, and why its newest payments are what they are. */
export async function whyOf(
  { id, only }: { id: number; only: Hex | undefined },
  { db, live, tip }: { db: Database; live: LiveView | undefined; tip: Tip },
): Promise<z.input<typeof whySchema>> {
  const [[row], jobs, network, payments] = await Promise.all([
    db.select().from(node).where(eq(node.id, id)).limit(1),
    waitingJobs(db, only),
    readNetwork(db),
    explainedPayments(db, id, tip),
  ]);
  if (!row) throw unknownNode(id);
  if (only !== undefined && jobs.length === 0) throw unknownJob(only);
  const befores = jobs.map(({ afterJob }) => afterJob);
  const known = befores.length
    ? await db
        .select({ id: job.id, state: job.state, closedAt: job.closedAt })
        .from(job)
        .where(inArray(job.id, befores))
    : [];
  const moment = { now: network.now, minStake: network.minStake, live };
  return {
    node: id,
    jobs: jobs.map((one) => {
      const reasons = exclusionsOf(row, wantedOf(one), moment);
      const before = known.find((other) => other.id === one.afterJob);
      const sentences = [
        ...obstaclesOf(one, network, before),
        ...reasons.map((reason) => EXCLUSION_SENTENCES[reason]),
        ...(live?.declinesOf(one.id) ?? [])
          .filter((decline) => decline.node === id)
          .map(({ code }) => `It said itself: ${DECLINES[code].sentence}`),
      ];
      return {
        ...{ job: one.id, free: freeShards(one), eligible: sentences.length === 0 },
        sentences: sentences.length === 0 ? [chanceOf(row, one)] : sentences,
      };
    }),
    payments,
  };
}

/** Nothing stands in its way: then it was the draw, or others were faster. */
function chanceOf(row: NodeRow, of: JobRow): string {
  const { drawStep, drawOpenAfter } = readRules(of.rules);
  return (
    `It can take the job once it is drawn: its chance grows with its stake and its record (${row.record} of 10000), by one more share every ` +
    `${drawStep} s, and ${drawOpenAfter} s after the job opened everyone may come. Whoever comes first has the shards.`
  );
}

function waitingJobs(db: Database, only: Hex | undefined): Promise<JobRow[]> {
  const waits = and(inArray(job.state, ['open', 'running']), lt(job.claimed, job.shards));
  return db
    .select()
    .from(job)
    .where(only === undefined ? waits : eq(job.id, only))
    .orderBy(desc(job.event))
    .limit(EXPLAINED);
}

type Explained = z.input<typeof explainedPaymentSchema>;

async function explainedPayments(db: Database, id: number, tip: Tip): Promise<Explained[]> {
  const of = (table: typeof lease | typeof seat) =>
    db
      .select({ held: table, rules: job.rules, currency: job.currency })
      .from(table)
      .innerJoin(job, eq(job.id, table.job))
      .where(and(eq(table.node, id), isNotNull(table.settledAt)))
      .orderBy(desc(table.event))
      .limit(EXPLAINED);
  const [leases, seats] = await Promise.all([of(lease), of(seat)]);
  return [...leases, ...seats]
    .sort((a, b) => (b.held.settledAt ?? 0) - (a.held.settledAt ?? 0))
    .slice(0, EXPLAINED)
    .map(({ held, rules, currency }) => ({
      ...explain(held, readRules(rules).feeBps),
      ...{ currency, timestamp: held.settledAt ?? 0, source: sourceOf(held, tip) },
    }));
}

const REASONS: Readonly<Record<string, string>> = {
  settled: 'The result was settled.',
  unresolved: 'No quorum agreed, so each seat that showed its result got half.',
  excused: 'A jury could not judge it, or found that the job cannot be done.',
};

/** The part of a full price that is paid before the fee, and how it is said. */
const PARTS = [
  { part: 1n, says: 'gross = price · count' },
  { part: 2n, says: 'gross = ⌊price · count / 2⌋' },
] as const;

/** A payment of a lease or a seat by the formula that it follows: fee = ⌊gross · feeBps / 10000⌋, paid = gross − fee. */
export function explain(
  held: Pick<typeof lease.$inferSelect, 'job' | 'first' | 'count' | 'price' | 'paid' | 'fee'> & {
    phase: string;
    accepted?: boolean;
  },
  feeBps: number,
): Omit<Explained, 'currency' | 'timestamp' | 'source'> {
  const full = held.price * BigInt(held.count);
  const gross = held.paid + held.fee;
  const found = PARTS.find(({ part }) => full / part === gross);
  const fee = (gross * BigInt(feeBps)) / BPS;
  const reason = held.accepted ? 'The requester accepted the result.' : (REASONS[held.phase] ?? 'It was paid.');
  return {
    ...{ job: held.job, first: held.first, paid: String(held.paid), fee: String(held.fee), reason },
    formula: `${found?.says ?? 'gross = what the jury left of price · count'}; fee = ⌊gross · feeBps / 10000⌋; paid = gross − fee`,
    numbers: {
      ...{ price: String(held.price), count: held.count, feeBps },
      ...{ full: String(full), gross: String(gross) },
    },
    exact: found !== undefined && fee === held.fee,
  };
}
