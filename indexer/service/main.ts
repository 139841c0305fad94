/**
 * Runs the index for good: `npm run index`. With PostgreSQL each index is built in a schema of its own (`<DATABASE_SCHEMA>_1`, `_2` …) and shown under
 * `DATABASE_SCHEMA` by views, which `ponder serve` reads. `--new` begins the next one, for a new version of the program: start it beside the old process,
 * and stop that when the log says that the earlier schema is dropped. `docs/operation.md` has the steps.
 */
import { parseArgs } from 'node:util';
import { integer, text } from '../src/env.ts';
import { createLog } from '../src/log.ts';
import { schemasOf } from './schemas.ts';
import { Supervisor } from './supervisor.ts';

const { values } = parseArgs({ options: { new: { type: 'boolean', default: false }, host: { type: 'string' } } });
const url = text('DATABASE_URL', '');
const name = text('DATABASE_SCHEMA', 'dpu');
const schemas = url ? schemasOf(url, name) : undefined;
const supervisor = new Supervisor(
  {
    env: process.env,
    name,
    isNew: values.new,
    port: integer('PORT', 24_069),
    ...(values.host && { host: values.host }),
  },
  { log: createLog('supervisor'), schemas },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void supervisor.stop());
process.exitCode = await supervisor.run();
await schemas?.close();
