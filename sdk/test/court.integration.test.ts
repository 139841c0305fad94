import { keccak256, toHex, zeroHash, type Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chainOf } from '../src/bench.ts';
import {
  appealUntil,
  disputeCost,
  disputeKey,
  juryChain,
  packTestimony,
  provenShard,
  readDispute,
  serveUntil,
  silenceOf,
  speakUntil,
  testimonyOf,
  type Dispute,
  type Juror,
  type Testimony,
  type Vote,
} from '../src/court.ts';
import type { Deployment } from '../src/deployment.ts';
import { juryBench, juryDrawnAt } from '../src/juryDraw.ts';
import { commitmentOf, leaseOfWord, standsFor, type Lease, type Result } from '../src/lease.ts';
import { createMarket, type Market } from '../src/market.ts';
import { merkleRoot, type ShardLeaf } from '../src/merkle.ts';
import { isRevert } from '../src/revert.ts';
import { jobId, marketDomain, type Terms } from '../src/terms.ts';
import { TERMS } from '../src/testing.ts';
import { startAnvil, type TestChain } from './anvil.ts';
import { addNode, approve, deploy, done, give } from './localMarket.ts';

const DPU = 10n ** 18n;
const REQUESTER = 1;
/** Node n is owned by one of anvil's accounts, which is its operator too: 1 holds the lease, 2 challenges, 3 … 8 may be jurors. */
const NODES = [1, 2, 3, 4, 5, 6, 7, 8];
const accountOf = (node: number): number => node + 1;
const HOLDER = 1;
const CHALLENGER = 2;
const SALT = keccak256(toHex('salt'));

const leaves: ShardLeaf[] = [0, 1, 2].map((shard) => ({
  shard,
  hash: keccak256(toHex(`output ${shard}`)),
  units: BigInt(shard + 1),
}));
const result: Result = { root: merkleRoot(leaves), units: 6n, manifest: keccak256(toHex('manifest')) };

let chain: TestChain;
let deployment: Deployment;
const markets = new Map<number, Market>();
const as = (account: number): Market => markets.get(account)!;

beforeAll(async () => {
  chain = await startAnvil();
  deployment = await deploy(chain);
  for (const account of [REQUESTER, ...NODES.map(accountOf)]) {
    const walletClient = chain.wallet(account);
    markets.set(account, createMarket({ publicClient: chain.publicClient, walletClient, deployment }));
    await give(chain, deployment.token, account, 20_000n * DPU);
    await approve(chain, deployment, account, 20_000n * DPU);
  }
  for (const node of NODES) {
    const account = accountOf(node);
    await addNode(chain, as(account), chain.person(account).address, node, BigInt(node) * 1_000n * DPU);
  }
  const requester = chain.person(REQUESTER).address;
  await done(chain, as(REQUESTER).deposit(deployment.token, requester, 1_000n * DPU));
}, 120_000);

afterAll(() => chain?.stop());

const time = async (): Promise<number> => Number((await chain.publicClient.getBlock()).timestamp);
const warp = async (to: number): Promise<void> => {
  await chain.testClient.setNextBlockTimestamp({ timestamp: BigInt(to) });
  await chain.testClient.mine({ blocks: 1 });
};

/** A lease of three shards that node 1 has revealed, and node 2 has challenged at `index`. */
async function disputed(salt: bigint, index: number): Promise<{ terms: Terms; id: Hex; lease: Lease; key: Hex }> {
  const { rules } = await as(REQUESTER).config();
  const requester = chain.person(REQUESTER).address;
  const shape = { shards: 3, maxLease: 3, node: HOLDER, ramp: 0, window: 3_600 };
  const terms: Terms = {
    ...{ ...TERMS, ...shape, requester, currency: deployment.token, rules, salt },
    expiry: (await time()) + 86_400,
  };
  const id = jobId(terms, marketDomain(deployment.chainId, deployment.market));
  await done(chain, as(REQUESTER).post(terms));
  const holder = as(accountOf(HOLDER));
  const claim = await done(chain, holder.claim(terms, HOLDER, 3));
  const [event] = holder.eventsOf(claim);
  if (event?.eventName !== 'LeaseClaimed') throw new Error('no claim');
  const claimed = leaseOfWord(0, event.args.claimed);
  const commitment = commitmentOf({ id, first: 0, node: HOLDER, result, salt: SALT });
  const { blockNumber } = await done(chain, holder.commit(id, claimed, commitment));
  const lease = { ...claimed, commitment, committedBlock: Number(blockNumber) };
  await done(chain, holder.reveal(terms, lease, result, SALT));
  const shard = { ...provenShard(leaves, index), proof: [...provenShard(leaves, index).proof] };
  await done(chain, as(accountOf(CHALLENGER)).challenge(terms, lease, result, shard, CHALLENGER));
  return { terms, id, lease, key: disputeKey(id, lease, index) };
}

const reader = (): Market => as(REQUESTER);
const disputeOf = async (key: Hex): Promise<Dispute> => readDispute(await reader().dispute(key));
const ownerOf = (node: number) => chain.person(accountOf(node)).address;

/** What the mirror says of each node, beside what the contract says. */
async function draws({ terms, lease, key }: Awaited<ReturnType<typeof disputed>>, index: number, jurors: number[]) {
  const dispute = await disputeOf(key);
  const seed = (await chain.publicClient.getBlock({ blockNumber: BigInt(dispute.atBlock + 1) })).hash;
  const { stake: runtimeStake } = await reader().runtime(terms.runtime);
  const now = await time();
  return Promise.all(
    NODES.map(async (node) => {
      const view = await reader().node(node);
      const parties = [ownerOf(HOLDER), ownerOf(CHALLENGER)];
      const bench = juryBench(key, jurors);
      const facts = { key, dispute, node, view, parties, neighbours: [], bench, firstBench: 0n, runtimeStake, seed };
      const from = juryDrawnAt(terms, facts, now);
      const theirs = await reader().drawnToJury(terms, lease, index, node);
      return { mine: [from !== undefined && now >= from, from ?? 0], theirs: [theirs.now, theirs.from] };
    }),
  );
}

test('keys, costs, times, draws, benches and words equal the contract through a dispute', async () => {
  const facts = await disputed(1n, 1);
  const { terms, id, lease, key } = facts;
  const market = reader();
  expect(key).toBe(await market.disputeKey(id, lease, 1));
  expect(disputeCost(terms)).toEqual(await market.disputeCost(terms));
  const began = await disputeOf(key);
  expect(began).toMatchObject({
    state: 'serving',
    round: 1,
    verdict: 'none',
    challenger: undefined,
    byNode: CHALLENGER,
  });
  expect(await market.disputeTimes(terms, lease, 1)).toEqual({
    serveUntil: serveUntil(terms, began),
    speakUntil: speakUntil(terms, began),
  });
  expect(standsFor(await market.leaseWord(id, 0), lease, result)).toBe(true);
  expect(standsFor(await market.leaseWord(id, 0), lease, { ...result, units: 7n })).toBe(false);
  const { challenging, juror } = disputeCost(terms);
  expect((await market.node(CHALLENGER)).locked).toBe(challenging);

  await chain.testClient.mine({ blocks: 2 });
  for (const { mine, theirs } of await draws(facts, 1, [])) expect(mine).toEqual(theirs);

  await warp(began.at + 1_800 > serveUntil(terms, began) ? serveUntil(terms, began) - 30 : began.at + 1_800);
  const jurors: Juror[] = [];
  const said: Testimony[] = [];
  for (const node of NODES.slice(2)) {
    const [seat] = (
      await draws(
        facts,
        1,
        jurors.map((one) => one.node),
      )
    ).slice(node - 1);
    expect(seat!.mine).toEqual(seat!.theirs);
    if (!seat!.theirs[0] || jurors.length === 5) continue;
    const verdict: Vote = jurors.length === 4 ? 'valid' : 'invalid';
    const own = { node, verdict, hash: keccak256(toHex('right')), units: 2n, evidence: zeroHash, salt: SALT };
    const commitment = testimonyOf(key, 1, own);
    expect(commitment).toBe(await market.testimonyOf(key, 1, packTestimony(own)));
    await done(chain, as(accountOf(node)).serve(terms, lease, 1, node, commitment));
    jurors.push({ node, commitment });
    said.push(own);
  }
  expect(jurors.length).toBeGreaterThan(0);
  expect(chainOf(await market.jury(key, 1))).toBe(juryChain(jurors));
  expect((await market.node(jurors[0]!.node)).locked).toBe(juror);

  if (jurors.length < 5) await warp(serveUntil(terms, began) + 1);
  await done(chain, market.testify(terms, lease, 1, jurors, 0n, packTestimony(said[0]!)));
  const again = market.testify(terms, lease, 1, jurors, 0n, packTestimony(said[0]!));
  await expect(again.catch((error: unknown) => isRevert(error, 'JurorSpokeAlready'))).resolves.toBe(true);
  const rest = said.slice(1).map(packTestimony);
  await done(chain, market.judge(terms, lease, 1, [packTestimony(silenceOf(jurors[0]!)), ...rest]));
  const judged = await disputeOf(key);
  expect(judged.state).toBe('judged');
  expect(judged.verdict).toBe(jurors.length === 5 ? 'invalid' : jurors.length < 4 ? 'none' : 'invalid');
  expect((await market.disputeTimes(terms, lease, 1)).serveUntil).toBe(appealUntil(terms, judged));

  await warp(appealUntil(terms, judged) + 1);
  await done(chain, market.enforce(terms, lease, result, 1));
  expect((await disputeOf(key)).state).toBe('ended');
  expect((await market.node(CHALLENGER)).locked).toBe(0n);
}, 120_000);
