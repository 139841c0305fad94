import { benchmarkPageSchema, tierProofPageSchema } from '@dpu/sdk/apiTables';
import { eq } from 'ponder';
import { z } from 'zod';
import { benchmark, tierProof } from '../../ponder.schema.ts';
import type { Database } from './app.ts';
import { readTip } from './finality.ts';
import * as input from './input.ts';
import { byEvent, byNumber, readPage, rowJson } from './pages.ts';
import { route, type Route } from './route.ts';

/** How nodes prove their tier: what is asked, and what was shown. */
export function proofRoutes(db: Database): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/tiers',
        tag: 'Nodes',
        summary: 'What proves each tier of capability',
        query: z.strictObject(input.paging),
        answer: benchmarkPageSchema,
      },
      async ({ query: { limit, cursor } }) => {
        const tip = await readTip(db);
        const asked = { list: 'tiers', limit, cursor, where: [] };
        return readPage(db, benchmark, byNumber(benchmark.tier), asked, (row) => rowJson(row, tip));
      },
    ),
    route(
      {
        method: 'get',
        path: '/proofs',
        tag: 'Nodes',
        summary: 'Proofs of capability that nodes began, newest first',
        query: z.strictObject({ ...input.paging, node: input.by.node }),
        answer: tierProofPageSchema,
      },
      async ({ query: { limit, cursor, node } }) => {
        const tip = await readTip(db);
        const where = [node === undefined ? undefined : eq(tierProof.node, node)];
        const asked = { list: 'proofs', limit, cursor, where };
        return readPage(db, tierProof, byEvent(tierProof.event), asked, (row) => rowJson(row, tip));
      },
    ),
  ];
}
