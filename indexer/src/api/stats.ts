import { statsSchema } from '@dpu/sdk/api';
import { periodPageSchema } from '@dpu/sdk/apiTables';
import { and, desc, eq, gte, inArray, lt, lte } from 'ponder';
import { z } from 'zod';
import * as schema from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { moneyJson } from './json.ts';
import { rowJson } from './pages.ts';
import { route, type Route } from './route.ts';

/** `/stats` and `/stats/periods`: nothing is counted here, events did. */
export function statsRoutes(db: Database): Route[] {
  const { unit, from, to } = input.by;
  return [
    route(
      {
        method: 'get',
        path: '/stats',
        tag: 'Statistics',
        summary: 'The whole network in one answer',
        answer: statsSchema,
      },
      async () => {
        const [[row], [protocol], currencies] = await Promise.all([
          db.select().from(schema.stats).limit(1),
          db.select().from(schema.protocol).limit(1),
          db.select().from(schema.currency).orderBy(schema.currency.address),
        ]);
        return {
          block: row?.block ?? 0,
          timestamp: row?.timestamp ?? 0,
          jobs: {
            open: row?.open ?? 0,
            running: row?.running ?? 0,
            complete: row?.complete ?? 0,
            cancelled: row?.cancelled ?? 0,
            closed: row?.closed ?? 0,
          },
          nodes: row?.nodes ?? 0,
          stake: String(row?.stake ?? 0n),
          paid: currencies.map((currency) => moneyJson(currency.address, currency.paid)),
          shardsSettled: row?.shardsSettled ?? 0,
          unitsSettled: String(row?.unitsSettled ?? 0n),
          seatsAllowed: protocol?.seats ?? false,
        };
      },
    ),
    route(
      {
        method: 'get',
        path: '/stats/periods',
        tag: 'Statistics',
        summary: 'Statistics by the hour or by the day (UTC), newest first',
        description: '`from` and `to` bound the first second of a period. One without events is absent.',
        query: z.strictObject({ ...input.paging, unit, from, to }),
        answer: periodPageSchema,
      },
      async ({ query: { limit, cursor, unit, from, to } }) => {
        const { period, periodMoney } = schema;
        const list = `periods.${unit}`;
        const before = readCursor(list, cursor, /^\d{1,12}$/);
        const where = and(
          eq(period.unit, unit),
          from === undefined ? undefined : gte(period.start, from),
          to === undefined ? undefined : lte(period.start, to),
          before === undefined ? undefined : lt(period.start, Number(before)),
        );
        const [rows, tip] = await Promise.all([
          db
            .select()
            .from(period)
            .where(where)
            .orderBy(desc(period.start))
            .limit(limit + 1),
          readTip(db),
        ]);
        const shown = rows.slice(0, limit);
        const starts = shown.map(({ start }) => start);
        const money = starts.length
          ? await db
              .select()
              .from(periodMoney)
              .where(and(eq(periodMoney.unit, unit), inArray(periodMoney.start, starts)))
              .orderBy(periodMoney.currency)
          : [];
        const items = shown.map((row) => ({
          ...rowJson(row, tip),
          money: money
            .filter(({ start }) => start === row.start)
            .map(({ currency, deposited, withdrawn, escrowed, refunded, paid, fee, slashed, burnt }) => ({
              currency,
              ...texts({ deposited, withdrawn, escrowed, refunded, paid, fee, slashed, burnt }),
            })),
        }));
        return { items, next: rows.length > limit ? writeCursor(list, String(starts.at(-1))) : null };
      },
    ),
  ];
}

/** Amounts as they go over the wire. */
function texts<Name extends string>(amounts: Record<Name, bigint>): Record<Name, string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, String(value)])) as Record<
    Name,
    string
  >;
}
