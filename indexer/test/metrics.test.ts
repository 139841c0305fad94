import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createApp } from '../src/api/app.ts';
import { createMeter, NAMES } from '../src/metrics.ts';
import { UNKNOWN, type Condition } from '../src/verify/condition.ts';

const read = (path: string) => readFileSync(new URL(`../deploy/${path}`, import.meta.url), 'utf8');
/** Names that a histogram has beside its own, as Prometheus sees them. */
const served = new Set([...NAMES, 'dpu_indexer_request_seconds_bucket']);

test('dashboard and alerts ask only for what is measured', () => {
  const asked = ['grafana-dashboard.json', 'alerts.yaml'].flatMap((file) => read(file).match(/dpu_indexer_\w+/g) ?? []);
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((name) => !served.has(name))).toEqual([]);
  const shown = new Set(asked.map((name) => name.replace(/_bucket$/, '')));
  const hidden = NAMES.filter((name) => !shown.has(name));
  expect(hidden, 'measured, but on no panel').toEqual([
    'dpu_indexer_block_timestamp_seconds',
    'dpu_indexer_verify_pass_rows',
    'dpu_indexer_verify_passes',
  ]);
});

test('numbers are read from the condition, and absent while they are not known', async () => {
  const registry = new Registry();
  let now: Condition = UNKNOWN;
  createMeter(registry, () => now);
  const before = await registry.metrics();
  expect(before).toContain('dpu_indexer_mark{mark="unverified"} 1');
  expect(before).not.toMatch(/^dpu_indexer_lag_blocks /m);
  now = {
    ...{ ...UNKNOWN, trusted: false, wrongRows: 2, block: 90, timestamp: 900, alarms: 1 },
    ...{ head: { number: 100, timestamp: 1_020 }, seen: { job: 800, node: 700 } },
    passed: { at: 850, block: 80, tables: 44, rows: 9, seconds: 1.5 },
  };
  const text = await registry.metrics();
  for (const line of [
    ...['mark{mark="untrusted"} 1', 'mark{mark="unverified"} 0', 'lag_blocks 10', 'lag_seconds 120', 'wrong_rows 2'],
    ...[
      'verify_alarms 1',
      'verify_seen_timestamp_seconds 700',
      'verify_passed_timestamp_seconds 850',
      'verify_pass_seconds 1.5',
    ],
  ])
    expect(text).toContain(`dpu_indexer_${line}\n`);
  createMeter(registry, () => now);
});

test('requests are counted by route and status, whatever callers make up', async () => {
  const registry = new Registry();
  const meter = createMeter(registry, () => UNKNOWN);
  const app = new Hono().route('/', createApp(undefined as never, { meter, limits: { perSecond: 1, burst: 2 } }));
  const ask = (path: string, method = 'GET') => app.request(`http://indexer${path}`, { method });
  await ask('/v1/jobs/0x12');
  await ask('/v1/made/up');
  await ask('/v1/jobs', 'MADEUP');
  const text = await registry.metrics();
  expect(text).toContain('dpu_indexer_requests_total{method="GET",route="/v1/jobs/:id",status="400"} 1');
  expect(text).toContain('dpu_indexer_requests_total{method="GET",route="other",status="404"} 1');
  expect(text).toContain('dpu_indexer_requests_total{method="other",route="/v1/jobs",status="429"} 1');
  expect(text).toContain('dpu_indexer_refused_total{status="429"} 1');
  expect(text).toContain('dpu_indexer_working 0');
});

test('an index that is stale gives no rows, and says so', async () => {
  const condition = (): Condition => ({ ...UNKNOWN, trusted: true, staleSince: 5, indexing: false });
  const app = createApp(undefined as never, { condition });
  const refused = await app.request('http://indexer/v1/jobs');
  expect([refused.status, refused.headers.get('dpu-trust'), refused.headers.get('retry-after')]).toEqual([
    503,
    'stale',
    '60',
  ]);
  expect(await refused.json()).toMatchObject({ type: 'urn:dpu:problem:stale', status: 503 });
  const status = await app.request('http://indexer/v1/status');
  expect(await status.json()).toMatchObject({ mark: 'stale', stale: true, staleSince: 5, trusted: true });
});
