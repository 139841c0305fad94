import type { statsSchema } from '@dpu/sdk/api';
import { Hono } from 'hono';
import type { z } from 'zod';
import * as schema from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { moneyJson } from './json.ts';

/** `GET /stats`: two rows and the currencies; nothing is counted here. */
export function statsRoutes(db: Database): Hono {
  return new Hono().get('/stats', async (c) => {
    const [[row], [protocol], currencies] = await Promise.all([
      db.select().from(schema.stats).limit(1),
      db.select().from(schema.protocol).limit(1),
      db.select().from(schema.currency).orderBy(schema.currency.address),
    ]);
    const body: z.input<typeof statsSchema> = {
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
    return c.json(body);
  });
}
