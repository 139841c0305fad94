import {
  packTestimony,
  provenShard,
  silenceOf,
  disputeKey,
  testimonyOf,
  type Juror,
  type Testimony,
  type Vote,
} from '@dpu/sdk/court';
import { commitmentOf, type Lease, type Result } from '@dpu/sdk/lease';
import { merkleRoot, type ShardLeaf } from '@dpu/sdk/merkle';
import type { Terms } from '@dpu/sdk/terms';
import { keccak256, parseEther, toHex, zeroHash, type Hex } from 'viem';
import { people, type Chain, type Person } from './chain.ts';
import { idOf, leaseOf, post, prepare, SALT } from './story.ts';

/** The ids of the story's jobs, by what juries find. */
export interface CourtStory {
  invalid: Hex;
  valid: Hex;
  specFault: Hex;
  withheld: Hex;
  twice: Hex;
}

const LEAVES: ShardLeaf[] = [0, 1].map((shard) => ({ shard, hash: keccak256(toHex(`output ${shard}`)), units: 5n }));
/** What every holder of the story shows of two shards. */
export const SHOWN: Result = { root: merkleRoot(LEAVES), units: 10n, manifest: keccak256(toHex('manifest')) };
const WINDOW = 600;
const STAKE = parseEther('2000');
/** Operators of the nodes that may be jurors, all of one owner who has no side. Two nodes may share a print, so there are more than seats. */
const JURORS: Record<number, Person> = {
  2: 'operator2',
  3: 'operator3',
  4: 'guardian',
  5: 'treasury',
  6: 'deployer',
  7: 'owner2',
};
/** The node that challenges, and who owns and runs it; the same person challenges by its balance. */
export const CHALLENGER = 8;
const CHALLENGING: Person = 'stranger';

/** What happens before juries, once, with real transactions. Node 1 holds every lease. */
export async function tellCourt(chain: Chain): Promise<CourtStory> {
  await prepare(chain);
  const enlist = async (node: number, owner: Person, operator: Person): Promise<void> => {
    await chain.token_(chain.token)('deployer', 'transfer', [people[owner].address, STAKE]);
    await chain.token_(chain.token)(owner, 'approve', [chain.market, STAKE]);
    await chain.act(owner, 'register', [people[operator].address, 0b110, zeroHash, `http://127.0.0.1:${node}`]);
    await chain.act(owner, 'stake', [node, STAKE]);
  };
  for (const node of [3, 4, 5, 6, 7]) await enlist(node, 'owner2', JURORS[node]!);
  await enlist(CHALLENGER, CHALLENGING, CHALLENGING);
  await chain.token_(chain.token)('deployer', 'approve', [chain.market, STAKE]);
  await chain.act('deployer', 'deposit', [chain.token, people[CHALLENGING].address, STAKE]);
  return {
    invalid: await invalid(chain),
    valid: await valid(chain),
    specFault: await specFault(chain),
    withheld: await withheld(chain),
    twice: await twice(chain),
  };
}

/** A revealed lease, and the disputes about it. */
interface Case {
  terms: Terms;
  id: Hex;
  lease: Lease;
}

async function revealed(chain: Chain): Promise<Case> {
  const terms = await post(chain, { shards: 2, window: WINDOW, currency: chain.token, bond: parseEther('16') });
  const id = idOf(chain, terms);
  const claimed = leaseOf(await chain.act('operator1', 'claim', [terms, 1, 2]));
  const commitment = commitmentOf({ id, first: 0, node: 1, result: SHOWN, salt: SALT });
  const { blockNumber } = await chain.act('operator1', 'commit', [id, claimed, commitment]);
  const lease = { ...claimed, commitment, committedBlock: Number(blockNumber) };
  await chain.act('stranger', 'reveal', [terms, lease, SHOWN, SALT]);
  return { terms, id, lease };
}

async function challenge(chain: Chain, { terms, lease }: Case, index: number, node: number): Promise<void> {
  await chain.act(CHALLENGING, 'challenge', [terms, lease, SHOWN, provenShard(LEAVES, index), node]);
  await chain.pass(2);
  await chain.pass(1);
}

/** Seats jurors with these votes (`none`: silent) and has them counted; the first speaks by itself where several do. */
async function tried(
  chain: Chain,
  { terms, id, lease }: Case,
  index: number,
  votes: readonly (Vote | 'none')[],
): Promise<void> {
  const key = disputeKey(id, lease, index);
  const jurors: Juror[] = [];
  const said: Testimony[] = [];
  for (const [node, operator] of Object.entries(JURORS)) {
    const vote = votes[jurors.length];
    if (vote === undefined) break;
    const own = { node: Number(node), verdict: vote === 'none' ? ('valid' as const) : vote };
    const testimony = { ...own, hash: keccak256(toHex('right')), units: 5n, evidence: zeroHash, salt: SALT };
    const commitment = testimonyOf(key, 1, testimony);
    const sat = chain.act(operator, 'serve', [terms, lease, index, own.node, commitment]).then(
      () => true,
      () => false, // Its print is another's.
    );
    if (!(await sat)) continue;
    jurors.push({ node: own.node, commitment });
    said.push(testimony);
  }
  if (jurors.length < 5) await chain.pass(91);
  await chain.act('stranger', 'testify', [terms, lease, index, jurors, 0n, packTestimony(said[0]!)]);
  const rest = said.map((one, place) => (place === 0 || votes[place] === 'none' ? undefined : one));
  for (const [place, one] of rest.entries()) {
    if (!one || !votes.includes('none')) continue;
    await chain.act('stranger', 'testify', [terms, lease, index, jurors, BigInt(place), packTestimony(one)]);
  }
  if (votes.includes('none')) await chain.pass(151);
  const words = rest.map((one, place) => (one && !votes.includes('none') ? one : silenceOf(jurors[place]!)));
  await chain.act('stranger', 'judge', [terms, lease, index, words.map(packTestimony)]);
}

async function enforce(chain: Chain, { terms, lease }: Case, index: number): Promise<void> {
  await chain.pass(60);
  await chain.act('stranger', 'enforce', [terms, lease, SHOWN, index]);
}

async function close(chain: Chain, { terms }: Case): Promise<void> {
  await chain.pass(Math.max(0, terms.expiry - (await chain.now())) + 1);
  await chain.act('stranger', 'close', [terms]);
}

/** An account challenges; four of five find it wrong, one is silent. The range is free, and nobody takes it over. */
async function invalid(chain: Chain): Promise<Hex> {
  const one = await revealed(chain);
  await challenge(chain, one, 1, 0);
  await tried(chain, one, 1, ['invalid', 'invalid', 'none', 'invalid', 'invalid']);
  await enforce(chain, one, 1);
  await close(chain, one);
  return one.id;
}

/** A node challenges what is right; one juror differs; the node appeals, and nobody comes. The lease is paid. */
async function valid(chain: Chain): Promise<Hex> {
  const one = await revealed(chain);
  await challenge(chain, one, 0, CHALLENGER);
  await tried(chain, one, 0, ['valid', 'valid', 'valid', 'valid', 'invalid']);
  await chain.act(CHALLENGING, 'appeal', [one.terms, one.lease, 0, CHALLENGER]);
  await chain.pass(91);
  await chain.act('stranger', 'judge', [one.terms, one.lease, 0, []]);
  await enforce(chain, one, 0);
  await settled(chain, one);
  return one.id;
}

/** The job cannot be done: part of the price for the holder, the rest for who found it, and so the job ends. */
async function specFault(chain: Chain): Promise<Hex> {
  const one = await revealed(chain);
  await challenge(chain, one, 0, 0);
  await tried(chain, one, 0, ['specFault', 'specFault', 'specFault', 'specFault']);
  await chain.pass(WINDOW);
  await enforce(chain, one, 0);
  return one.id;
}

/** Right, but out of reach: the holder pays the jury, and is paid itself with a smaller bond. An account appeals for nothing. */
async function withheld(chain: Chain): Promise<Hex> {
  const one = await revealed(chain);
  await challenge(chain, one, 0, CHALLENGER);
  await tried(chain, one, 0, ['withheld', 'withheld', 'withheld', 'valid', 'valid']);
  await chain.act(CHALLENGING, 'appeal', [one.terms, one.lease, 0, 0]);
  await chain.pass(91);
  await chain.act('stranger', 'judge', [one.terms, one.lease, 0, []]);
  await enforce(chain, one, 0);
  await settled(chain, one);
  return one.id;
}

/** Both shards are wrong, and both are challenged: the second takes the rest of the bond. */
async function twice(chain: Chain): Promise<Hex> {
  const one = await revealed(chain);
  await challenge(chain, one, 0, 0);
  await challenge(chain, one, 1, CHALLENGER);
  const votes = ['invalid', 'invalid', 'invalid', 'invalid', 'invalid'] as const;
  await tried(chain, one, 0, votes);
  await tried(chain, one, 1, votes);
  await enforce(chain, one, 0);
  await enforce(chain, one, 1);
  await close(chain, one);
  return one.id;
}

async function settled(chain: Chain, { terms, lease }: Case): Promise<void> {
  await chain.pass(WINDOW);
  await chain.act('stranger', 'settle', [terms, [lease], [SHOWN]]);
}
