import { createApi, type LiveBlock } from '@dpu/sdk/api';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { people, startChain, type Chain } from './lib/chain.ts';
import { startIndexer, type Indexer } from './lib/ponder.ts';
import { postgresBin, startPostgres, type Postgres } from './lib/postgres.ts';
import { until } from './lib/process.ts';
import { tell, type Story } from './lib/story.ts';
import { everything, expectBalances, expectCurrencies, expectNodes, expectStates, graphql } from './lib/truth.ts';

const bin = postgresBin();
if (!bin) console.log('No PostgreSQL in /usr/lib/postgresql: the indexer is tested on PGlite only.');

describe.each(bin ? ['PGlite', 'PostgreSQL'] : ['PGlite'])('indexer on %s', (kind) => {
  let chain: Chain;
  let postgres: Postgres | undefined;
  let indexer: Indexer;
  let api: ReturnType<typeof createApi>;
  let story: Story;

  beforeAll(async () => {
    [chain, postgres] = await Promise.all([startChain(), kind === 'PostgreSQL' ? startPostgres(bin!) : undefined]);
    indexer = await startIndexer({
      ...chain.env,
      ...(postgres ? { DATABASE_URL: postgres.url } : { PONDER_PGLITE_DIR: 'memory://' }),
    });
    api = createApi(indexer.url);
    story = await tell(chain);
    await indexer.reach(await chain.client.getBlockNumber());
  });

  afterAll(async () => {
    await indexer?.stop();
    await Promise.all([chain?.stop(), postgres?.stop()]);
  });

  test('balances equal the contract, and are the sum of the payments', () => expectBalances(chain, api, indexer.url));

  test('fees equal the contract, and ended jobs leave nothing in escrow', () => expectCurrencies(chain, indexer.url));

  test('nodes equal the contract', () => expectNodes(chain, api));

  test('states equal the contract, and the counters are their count', async () => {
    const { neverBrought, ...known } = story;
    await expectStates(chain, api, Object.values(known));
    expect(await api.job(neverBrought), 'its terms were never on chain').toBeNull();
    const { jobs, nodes, shardsSettled, unitsSettled } = await api.stats();
    expect({ jobs, nodes, shardsSettled, unitsSettled }).toEqual({
      jobs: { open: 0, running: 0, complete: 3, cancelled: 0, closed: 3 },
      nodes: 2,
      shardsSettled: 8,
      unitsSettled: 71n,
    });
  });

  test('a lease that was taken over shows the one who finished, with its bonus', async () => {
    const job = await api.job(story.takenOver);
    expect(job).toMatchObject({ state: 'complete', shards: 4, claimed: 4, settled: 4 });
    expect(job!.paid + job!.fee + job!.refunded, 'all of the escrow').toBe(12n * 10n ** 18n);
    const [one, two] = job!.leases;
    expect(one).toMatchObject({ first: 0, count: 2, node: 1, phase: 'settled', accepted: false, lapses: 0, bonus: 0n });
    expect(one!.windowEnd, 'the window that the terms ask for').toBe(one!.revealedAt! + 10);
    // 20 % of the bond of 20 DPU is lost, 40 % of that funds the retry.
    expect(two).toMatchObject({ first: 2, count: 2, node: 1, phase: 'settled', accepted: true, lapses: 1 });
    expect(two!.bonus).toBe(16n * 10n ** 17n);
    expect(two!.transactions, 'accepted straight from its claim').toMatchObject({ commit: null, reveal: null });
  });

  test('an order settled in one transaction has a lease that nobody claimed', async () => {
    const job = await api.job(story.oneTransaction);
    expect(job).toMatchObject({ state: 'complete', settled: 3, claimed: 3 });
    expect(job!.leases).toMatchObject([{ first: 0, count: 3, node: 2, bond: 0n, accepted: true, price: 10n ** 18n }]);
    expect(job!.leases[0]!.transactions.claim).toBeNull();
  });

  test('Ponder serves the API with CORS, GraphQL with relations, and SQL', async () => {
    const refusal = await fetch(`${indexer.url}/v1/jobs/0x12`, { headers: { origin: 'http://app' } });
    expect([
      refusal.status,
      refusal.headers.get('content-type'),
      refusal.headers.get('access-control-allow-origin'),
    ]).toEqual([400, 'application/problem+json', '*']);

    const query = `{ job(id: "${story.takenOver}") { leases { items { first holder { id } } } lapses { items { lapse } } } }`;
    expect(await graphql(indexer.url, query)).toEqual({
      job: {
        leases: {
          items: [
            { first: 0, holder: { id: 1 } },
            { first: 2, holder: { id: 1 } },
          ],
        },
        lapses: { items: [{ lapse: 1 }] },
      },
    });

    const sql = encodeURIComponent(
      JSON.stringify({ json: { sql: 'select state from job order by event', params: [] } }),
    );
    const answer = (await (await fetch(`${indexer.url}/sql/db?sql=${sql}`)).json()) as { rows: unknown };
    expect(answer.rows).toEqual(
      ['complete', 'complete', 'complete', 'closed', 'closed', 'closed'].map((state) => ({ state })),
    );
  });

  test('an indexer that starts late says the same', async () => {
    const late = await startIndexer({ ...chain.env, PONDER_PGLITE_DIR: 'memory://' });
    try {
      await late.reach(await chain.client.getBlockNumber());
      expect(await everything(createApi(late.url))).toEqual(await everything(api));
    } finally {
      expect(await late.stop()).toBe(0);
    }
  });

  test('a reorg of three blocks takes their rows back, and what replaces them is indexed', async () => {
    const before = await everything(api);
    const { act, dollar } = chain;
    await chain.token_(dollar)('deployer', 'approve', [chain.market, 1_000n]);
    await indexer.reach(await chain.client.getBlockNumber());
    for (const amount of [1n, 2n, 3n]) await act('deployer', 'deposit', [dollar, people.stranger.address, amount]);
    await until('the deposits in the index', async () => (await balance()) === 6n);

    await chain.control.request({ method: 'anvil_reorg', params: [3, []] } as never);
    await until('the deposits out of the index', async () => (await balance()) === 0n);
    expect(await everything(api)).toEqual(before);

    await act('deployer', 'deposit', [dollar, people.stranger.address, 4n]);
    await until('the new deposit in the index', async () => (await balance()) === 4n);
    await expectBalances(chain, api, indexer.url);
  });

  const balance = async () => {
    const { balances } = await api.account(people.stranger.address);
    return balances.find(({ currency }) => currency === chain.dollar.toLowerCase())?.amount ?? 0n;
  };

  test('a row is there soon after its receipt, and the live stream says so', async () => {
    const seen: LiveBlock[] = [];
    const stop = follow(indexer.url, (block) => seen.push(block));
    await until('the first live event', async () => seen.length > 0);
    const latencies: number[] = [];
    for (let round = 0; round < 20; round++) {
      const target = (await balance()) + 1n;
      await chain.act('deployer', 'deposit', [chain.dollar, people.stranger.address, 1n]);
      const mined = performance.now();
      await until('the row', async () => (await balance()) === target);
      latencies.push(performance.now() - mined);
    }
    const head = Number(await chain.client.getBlockNumber());
    await until('the live event', async () => seen.at(-1)?.number === head);
    stop();
    latencies.sort((a, b) => a - b);
    console.log(
      `receipt to row on ${kind}: median ${latencies[10]!.toFixed(0)} ms, worst ${latencies[19]!.toFixed(0)} ms`,
    );
    expect(latencies[10], 'median ms at a poll of 100 ms').toBeLessThan(2_000);
  });

  test('stops at once on SIGINT, and the same database goes on where it was', async () => {
    if (!postgres) return; // memory:// ends with the process
    const before = await everything(api);
    const { block } = await api.stats();
    expect(await indexer.stop()).toBe(0);

    indexer = await startIndexer({ ...chain.env, DATABASE_URL: postgres.url });
    api = createApi(indexer.url);
    // It goes back to the finalized block first, while /status still shows the newest from before: only rows tell.
    await until('the newest event in the index', async () => (await api.stats()).block === block);
    expect(await everything(api)).toEqual(before);
  });
});

/** Reads the live stream; Node has no EventSource without a flag. */
function follow(url: string, onBlock: (block: LiveBlock) => void): () => void {
  const stop = new AbortController();
  void (async () => {
    const response = await fetch(`${url}/v1/live`, { signal: stop.signal });
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        const data = /^event: block\n(?:.*\n)*?data: (.*)$|^data: (.*)\n(?:.*\n)*?event: block/m.exec(event);
        if (data) onBlock(JSON.parse((data[1] ?? data[2])!) as LiveBlock);
      }
    }
  })().catch(() => {});
  return () => stop.abort();
}
