/**
 * A pretended network for working on the pages' looks: an indexer's API and a chain that only counts blocks, with data that
 * moves. Nothing here is part of the dApp. Run: `node dev/mock.ts`, then `APP_DEPLOYMENT=../.dpu/mock.json vite dev`.
 */
import { packRules } from '@dpu/sdk/rules';
import { RULES } from '@dpu/sdk/testing';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';

const PORT = Number(process.argv[2] ?? 24_900);
const START = Math.floor(Date.now() / 1_000) - 86_400;
const hex = (seed: string, bytes = 32): string =>
  `0x${createHash('sha256')
    .update(seed)
    .digest('hex')
    .slice(0, bytes * 2)}`;
const now = (): number => Math.floor(Date.now() / 1_000);
const block = (): number => now() - START;

const DPU = hex('dpu', 20);
const USD = hex('usd', 20);
const ME = '0xa0ee7a142d267c1f36714e4a8f75612f20a79720';
const deployment = {
  chainId: 31_337,
  rpcUrl: `http://127.0.0.1:${PORT}/rpc`,
  market: hex('market', 20),
  token: DPU,
  currencies: [
    { address: DPU, symbol: 'DPU', decimals: 18 },
    { address: USD, symbol: 'USDL', decimals: 6 },
  ],
  startBlock: 0,
  indexerUrl: `http://127.0.0.1:${PORT}`,
  gatewayUrl: `http://127.0.0.1:${PORT}/gateway`,
};
mkdirSync(new URL('../../.dpu/', import.meta.url), { recursive: true });
writeFileSync(new URL('../../.dpu/mock.json', import.meta.url), JSON.stringify(deployment));

const PHASES = ['claimed', 'committed', 'revealed', 'settled', 'lapsed'] as const;
type State = 'open' | 'running' | 'complete' | 'cancelled' | 'closed';

function lease(job: string, first: number, count: number, phase: (typeof PHASES)[number], at: number) {
  const step = PHASES.indexOf(phase);
  const done = phase === 'settled';
  const when = (needed: number): number | null => (phase !== 'lapsed' && step >= needed ? at + needed * 20 : null);
  return {
    job,
    first,
    count,
    node: 1 + ((first / 4) % 5),
    price: '250000000000000000',
    bond: '4000000000000000000',
    bonus: '0',
    deadline: at + 600,
    phase,
    claimedAt: at,
    committedAt: when(1),
    committedBlock: when(1) && 7,
    commitment: when(1) && hex(`c${first}`),
    revealedAt: when(2),
    windowEnd: when(2) && at + 400,
    root: when(2) && hex(`r${first}`),
    units: when(2) && '4200',
    manifest: when(2) && hex(`m${first}`),
    settledAt: when(3),
    lapsedAt: phase === 'lapsed' ? at + 600 : null,
    paid: done ? '970000000000000000' : '0',
    fee: done ? '30000000000000000' : '0',
    accepted: false,
    lapses: phase === 'lapsed' ? 1 : 0,
    transactions: { claim: hex(`t${first}`), commit: null, reveal: null, settle: null, lapse: null },
  };
}

function job(index: number) {
  const shards = [64, 96, 144, 1, 48, 240, 36, 12, 512, 64, 20, 88][index % 12]!;
  const id = hex(`job${index}`);
  const postedAt = now() - 40 - index * 340;
  const age = index === 0 ? (now() % 90) / 90 : index === 1 ? 0.55 : index === 5 ? 0.8 : 1;
  const state: State =
    age < 1 ? 'running' : index === 7 ? 'closed' : index === 9 ? 'cancelled' : index === 3 ? 'open' : 'complete';
  const leases =
    state === 'open'
      ? []
      : Array.from(
          { length: Math.ceil((shards * (state === 'cancelled' ? 0.4 : age)) / 4) },
          (_, at, size = shards) => {
            const left = Math.ceil((size * age) / 4) - at;
            const moving = left < 2 ? 'claimed' : left < 4 ? 'committed' : left < 7 ? 'revealed' : 'settled';
            const phase = state === 'running' ? (at % 17 === 11 ? 'lapsed' : moving) : 'settled';
            return lease(id, at * 4, Math.min(4, size - at * 4), phase, postedAt + at * 3);
          },
        );
  const settled = leases.filter(({ phase }) => phase === 'settled').reduce((sum, { count }) => sum + count, 0);
  const summary = {
    id,
    requester: index % 3 ? hex(`who${index}`, 20) : ME,
    currency: index % 4 === 2 ? USD : DPU,
    state,
    name: null,
    shards,
    claimed: leases.filter(({ phase }) => phase !== 'lapsed').reduce((sum, { count }) => sum + count, 0),
    settled,
    minPrice: index % 4 === 2 ? '150000' : '200000000000000000',
    maxPrice: index % 4 === 2 ? '600000' : '800000000000000000',
    bond: '1000000000000000000',
    runtime: 1,
    spec: hex(`spec${index}`),
    afterJob: null,
    postedAt,
    postedBlock: postedAt - START,
    transaction: hex(`post${index}`),
    closedAt: state === 'running' || state === 'open' ? null : postedAt + 300,
    paid: String(BigInt(settled) * (index % 4 === 2 ? 242_500n : 242_500_000_000_000_000n)),
    fee: String(BigInt(settled) * (index % 4 === 2 ? 7_500n : 7_500_000_000_000_000n)),
    refunded: '0',
  };
  return { summary, leases };
}

const TYPES = [
  'leaseSettled',
  'leaseClaimed',
  'leaseRevealed',
  'leaseCommitted',
  'seatCommitted',
  'leaseClaimed',
  'jobPosted',
  'staked',
  'leaseLapsed',
];
const activity = (limit: number) =>
  Array.from({ length: limit }, (_, back) => {
    const at = now() - (now() % 2) - back * 4;
    const type = TYPES[Math.floor(at / 2) % TYPES.length]!;
    return {
      id: String(at).padStart(20, '0'),
      type,
      job: type === 'staked' ? null : hex(`job${Math.floor(at / 2) % 5}`),
      first: 4,
      node: type === 'jobPosted' ? null : 1 + (Math.floor(at / 2) % 5),
      account: ME,
      amount: type === 'leaseSettled' ? '970000000000000000' : type === 'staked' ? '5000000000000000000000' : null,
      currency: DPU,
      block: at - START,
      timestamp: at,
      transaction: hex(`tx${at}`),
    };
  });

const node = (id: number) => ({
  id,
  owner: hex(`owner${id}`, 20),
  operator: hex(`operator${id}`, 20),
  stake: `${12_000 - id * 1_730}000000000000000000`,
  locked: `${id * 310}000000000000000000`,
  queued: '0',
  unstakeAt: null,
  record: 5_000 + id * 870,
  runtimes: [1],
  tier: 0,
  tierUntil: 0,
  key: null,
  endpoint: `http://127.0.0.1:${24_100 + id}`,
  since: START + 60,
  registeredAt: START + 60,
  leases: { living: id % 3, settled: 212 - id * 31, lapsed: id === 4 ? 3 : 0 },
  shardsSettled: 848 - id * 124,
  unitsSettled: String(890_000 - id * 91_000),
  slashed: id === 4 ? '12000000000000000000' : '0',
});

function answer(path: string, query: URLSearchParams): unknown {
  if (path === '/v1/stats') {
    return {
      block: block(),
      timestamp: now(),
      jobs: { open: 1, running: 3, complete: 128, cancelled: 2, closed: 4 },
      nodes: 5,
      stake: '34050000000000000000000',
      paid: [
        { currency: DPU, amount: String(1_843_200_000_000_000_000_000n + BigInt(now() % 1_000) * 10n ** 16n) },
        { currency: USD, amount: '418250000' },
      ],
      shardsSettled: 18_432 + (now() % 1_000),
      unitsSettled: '77414400',
      seatsAllowed: true,
    };
  }
  if (path === '/v1/jobs') {
    const state = query.get('state');
    const items = Array.from({ length: 12 }, (_, index) => job(index).summary).filter(
      (summary) =>
        (!state || summary.state === state) &&
        (!query.get('requester') || summary.requester === query.get('requester')),
    );
    return { items: items.slice(0, Number(query.get('limit') ?? 50)), next: null };
  }
  if (path.startsWith('/v1/jobs/')) {
    const found = Array.from({ length: 12 }, (_, index) => job(index)).find(({ summary }) => path.endsWith(summary.id));
    if (!found) return undefined;
    const { minPrice, maxPrice, bond, shards, requester, currency, runtime, spec } = found.summary;
    const terms = {
      requester,
      currency,
      minPrice,
      maxPrice,
      bond,
      shards,
      runtime,
      spec,
      maxLease: 4,
      tier: 0,
      seats: 1,
      direct: false,
    };
    const rest = {
      auditBps: 0,
      rules: String(packRules(RULES)),
      node: 0,
      start: 0,
      expiry: now(),
      ramp: 600,
      exec: 600,
      window: 60,
      afterJob: hex('', 32),
      salt: '1',
    };
    return { ...found.summary, terms: { ...terms, ...rest }, leases: found.leases, panels: [], activity: activity(8) };
  }
  if (path === '/v1/nodes') return { items: [1, 2, 3, 4, 5].map(node), next: null };
  if (path.startsWith('/v1/nodes/')) {
    const id = Number(path.split('/').at(-1));
    return id > 5
      ? undefined
      : {
          ...node(id),
          recent: job(1)
            .leases.map((item) => ({ ...item, node: id }))
            .slice(0, 12),
          seats: [],
        };
  }
  if (path === '/v1/activity') return { items: activity(Number(query.get('limit') ?? 20)), next: null };
  if (path.startsWith('/v1/accounts/')) {
    return {
      address: path.split('/').at(-1),
      balances: [{ currency: DPU, amount: '420000000000000000000' }],
      nodes: [node(2)],
      jobs: [0, 3, 6, 9].map((index) => job(index).summary),
    };
  }
  return undefined;
}

function live(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'access-control-allow-origin': '*' });
  const timer = setInterval(() => {
    response.write(`event: block\ndata: ${JSON.stringify({ number: block(), timestamp: now() })}\n\n`);
  }, 2_000);
  response.on('close', () => clearInterval(timer));
}

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', deployment.indexerUrl);
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-headers', '*');
  if (request.method === 'OPTIONS') return void response.end();
  if (pathname === '/v1/live') return live(response);
  const body =
    pathname === '/rpc'
      ? { jsonrpc: '2.0', id: 1, result: { number: `0x${block().toString(16)}`, timestamp: `0x${now().toString(16)}` } }
      : answer(pathname, searchParams);
  response.statusCode = body === undefined ? 404 : 200;
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify(body ?? { type: 'about:blank', title: 'Not Found', status: 404, detail: 'no such thing' }),
  );
}).listen(PORT, '127.0.0.1', () => console.log(`pretended network at ${deployment.indexerUrl}`));
