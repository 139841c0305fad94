import { marketAbi } from '@dpu/sdk/abi';
import { createApi, type ApiPanel } from '@dpu/sdk/api';
import { parseEther } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChain, type Chain } from './lib/chain.ts';
import {
  AUDITING,
  commit,
  postSeats,
  sit,
  tellAudits,
  tellPanels,
  type AuditStory,
  type PanelStory,
} from './lib/panels.ts';
import { startIndexer, type Indexer } from './lib/ponder.ts';
import { idOf, resultOf } from './lib/story.ts';
import { expectBalances, expectCurrencies, expectNodes, expectStates, graphql } from './lib/truth.ts';

describe('panels on chain and in the index', () => {
  let chain: Chain;
  let indexer: Indexer;
  let api: ReturnType<typeof createApi>;
  let story: PanelStory;
  let audits: AuditStory;

  beforeAll(async () => {
    chain = await startChain();
    story = await tellPanels(chain);
    // Before anyone indexes: it tries blocks until one draws what it needs.
    audits = await tellAudits(chain);
    indexer = await startIndexer({ ...chain.env, PONDER_PGLITE_DIR: 'memory://' });
    api = createApi(indexer.url);
    await indexer.reach(await chain.client.getBlockNumber());
  });

  afterAll(async () => {
    await indexer?.stop();
    await chain?.stop();
  });

  const panelsOf = async (id: string): Promise<ApiPanel[]> => (await api.job(id))!.panels;
  const phases = ({ seats }: ApiPanel) => seats.map(({ node, phase }) => `${node} ${phase}`);

  test('balances equal the contract, and are the sum of the payments', () => expectBalances(chain, api, indexer.url));

  test('fees equal the contract, and ended jobs leave nothing in escrow', () => expectCurrencies(chain, indexer.url));

  test('nodes equal the contract', () => expectNodes(chain, api, [1, 2, 3, 4]));

  test('states equal the contract', () =>
    expectStates(chain, api, [...Object.values(story), ...Object.values(audits)]));

  test('all of the escrow is paid, taken as fee, or given back', async () => {
    for (const id of Object.values(story)) {
      const job = (await api.job(id))!;
      const escrow = BigInt(job.shards) * 3n * job.maxPrice;
      expect(job.paid + job.fee + job.refunded, job.id).toBe(escrow);
      expect(job.leases).toEqual([]);
    }
  });

  test('agreed: the range is settled once, each of three is paid', async () => {
    expect(await api.job(story.agreed)).toMatchObject({ state: 'complete', claimed: 2, settled: 2 });
    const [panel, ...others] = await panelsOf(story.agreed);
    expect(others).toEqual([]);
    expect(panel).toMatchObject({ first: 0, count: 2, asked: 3, sitting: 0, outcome: 'agreed', ...resultOf(50n) });
    expect(phases(panel!)).toEqual(['1 settled', '2 settled', '3 settled']);
  });

  test('one dissenter: slashed, the others are paid; a range that lapsed whole stays open', async () => {
    expect(await api.job(story.dissenter)).toMatchObject({ state: 'closed', claimed: 2, settled: 2 });
    const [first, second] = await panelsOf(story.dissenter);
    expect(phases(first!)).toEqual(['1 settled', '2 settled', '3 faulted']);
    expect(first!.seats[2]).toMatchObject({ ...resultOf(51n), slashed: parseEther('20'), withheld: false, paid: 0n });
    expect(second).toMatchObject({ first: 2, outcome: 'lapsed', lapses: 1, bonus: 0n, root: null });
  });

  test('unresolved: half for who spoke, nothing is settled, a carried bonus goes to the treasury', async () => {
    expect(await api.job(story.unresolved)).toMatchObject({ state: 'closed', claimed: 0, settled: 0 });
    const [panel] = await panelsOf(story.unresolved);
    expect(panel).toMatchObject({ outcome: 'unresolved', root: null, lapses: 1, bonus: 0n });
    expect(phases(panel!)).toEqual(['1 faulted', '2 unresolved', '4 lapsed', '3 unresolved']);
    expect(panel!.seats[0]).toMatchObject({ withheld: true, slashed: parseEther('20') });
    const { price, paid, fee, bonus } = panel!.seats[3]!;
    expect([paid + fee, bonus], 'half of two shards').toEqual([price, parseEther('1.6')]);
  });

  test('replaced: who joined carries what the failed left', async () => {
    expect(await api.job(story.replaced)).toMatchObject({ state: 'complete', settled: 2 });
    const [panel] = await panelsOf(story.replaced);
    expect(panel).toMatchObject({ outcome: 'agreed', lapses: 1, bonus: 0n });
    expect(phases(panel!)).toEqual(['1 settled', '2 lapsed', '3 settled', '4 settled']);
    // 20 % of a bond of 20 DPU is lost, 40 % of that funds the retry.
    expect(panel!.seats[3]!.bonus).toBe(parseEther('1.6'));
  });

  test('silent: opened again with the bonds of the failed, and two of three were enough', async () => {
    expect(await api.job(story.silent)).toMatchObject({ state: 'complete', settled: 2 });
    const [panel] = await panelsOf(story.silent);
    expect(panel).toMatchObject({ outcome: 'agreed', asked: 3 });
    expect(phases(panel!)).toEqual(['1 faulted', '3 faulted', '4 settled', '2 settled']);
    expect(panel!.seats[2]!.bonus).toBe(parseEther('24'));
  });

  test('what an audited job sets aside is paid, taken as fee, or given back; what the protocol pays is not counted', async () => {
    for (const id of Object.values(audits)) {
      const job = (await api.job(id))!;
      expect(job.paid + job.fee + job.refunded, id).toBe(4n * parseEther('1'));
    }
  });

  test('an audit that was bought: both are paid from the job, which is settled once', async () => {
    const job = (await api.job(audits.bought))!;
    expect(job).toMatchObject({ state: 'complete', claimed: 2, settled: 2, leases: [], refunded: 0n });
    const [panel] = job.panels;
    expect(panel).toMatchObject({
      kind: 'audit',
      auditor: 2,
      pooled: false,
      asked: 2,
      outcome: 'agreed',
      ...resultOf(50n),
    });
    expect(phases(panel!)).toEqual(['1 settled', '2 settled']);
    expect(panel!.seats.map(({ root }) => root)).toEqual([resultOf(50n).root, resultOf(50n).root]);
  });

  test('an audit on which nobody agrees: half for each, the rest goes back to who paid', async () => {
    const job = (await api.job(audits.pooled))!;
    expect(job).toMatchObject({ state: 'closed', claimed: 0, settled: 0, paid: parseEther('0.97') });
    const [panel] = job.panels;
    expect(panel).toMatchObject({ kind: 'audit', auditor: 2, pooled: true, outcome: 'unresolved', root: null });
    expect(phases(panel!)).toEqual(['1 unresolved', '2 unresolved']);
    expect(panel!.seats.map(({ root }) => root)).toEqual([resultOf(50n).root, resultOf(53n).root]);
  });

  test('an auditor that fails leaves the holder alone, and costs the protocol nothing', async () => {
    expect(await api.job(audits.left)).toMatchObject({ state: 'complete', settled: 2, paid: parseEther('1.94') });
    const [panel] = await panelsOf(audits.left);
    expect(panel).toMatchObject({ kind: 'audit', auditor: 2, asked: 1, lapses: 1, outcome: 'agreed', bonus: 0n });
    expect(phases(panel!)).toEqual(['1 settled', '2 lapsed']);
    const [silent] = await panelsOf(audits.withheld);
    expect(phases(silent!)).toEqual(['1 settled', '2 faulted']);
  });

  test('an audit that nobody answers frees the range for one node, with the bonds of both', async () => {
    const job = (await api.job(audits.silent))!;
    expect(job).toMatchObject({ state: 'closed', settled: 0, paid: 0n });
    expect(job.leases).toMatchObject([{ node: 3, phase: 'lapsed', lapses: 1, bonus: 0n }]);
    expect(job.panels).toMatchObject([{ outcome: 'silent', bonus: 0n }]);
    expect(phases(job.panels[0]!)).toEqual(['1 faulted', '2 faulted']);
  });

  test('the network says that it lets jobs ask for seats, and GraphQL knows them', async () => {
    expect((await api.stats()).seatsAllowed).toBe(true);
    const query = `{ job(id: "${story.agreed}") { panels { items { outcome places { items { holder { id } } } } } } }`;
    const places = [1, 2, 3].map((id) => ({ holder: { id } }));
    expect(await graphql(indexer.url, query)).toEqual({
      job: { panels: { items: [{ outcome: 'agreed', places: { items: places } }] } },
    });
  });

  test('a panel that lives equals the contract', async () => {
    const terms = await postSeats(chain, { rules: AUDITING });
    const id = idOf(chain, terms);
    await commit(chain, terms, await sit(chain, terms, 1));
    await sit(chain, terms, 2);
    await indexer.reach(await chain.client.getBlockNumber());
    const truth = await chain.read({ address: chain.market, abi: marketAbi, functionName: 'panel', args: [id, 0] });
    const [panel] = await panelsOf(id);
    expect(panel).toMatchObject({
      sitting: truth.sitting,
      committed: truth.committed,
      count: truth.count,
      openedAt: truth.openedAt,
      joinUntil: truth.openedAt + 240,
      outcome: null,
    });
    expect([truth.sitting, truth.committed]).toEqual([2, 1]);
    expect(phases(panel!)).toEqual(['1 committed', '2 claimed']);
    await expectNodes(chain, api, [1, 2, 3, 4]);
    await expectStates(chain, api, [id]);
  });
});
