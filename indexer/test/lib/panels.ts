import { commitmentOf, type Lease, type Result } from '@dpu/sdk/lease';
import type { Terms } from '@dpu/sdk/terms';
import { parseEther, zeroHash, type Hex } from 'viem';
import { people, type Chain, type Person } from './chain.ts';
import { idOf, leaseOf, post, prepare, resultOf, SALT } from './story.ts';

/** A seat as its holder remembers it. */
export interface Seat {
  lease: Lease;
  result: Result;
}

/** The ids of the story's jobs, by what happens to their panels. */
export interface PanelStory {
  agreed: Hex;
  dissenter: Hex;
  unresolved: Hex;
  replaced: Hex;
  silent: Hex;
}

const RIGHT = resultOf(50n);
const STAKE = parseEther('2000');

/** Every row of the table of outcomes in docs/assurance.md, once, with real transactions. */
export async function tellPanels(chain: Chain): Promise<PanelStory> {
  await prepare(chain);
  await chain.act('deployer', 'allowSeats', [true]);
  for (const node of [3, 4]) {
    const owner = `owner${node - 2}` as Person;
    await chain.token_(chain.token)('deployer', 'transfer', [people[owner].address, STAKE]);
    await chain.token_(chain.token)(owner, 'approve', [chain.market, STAKE]);
    await chain.act(owner, 'register', [people[operatorOf(node)].address, 0b110, zeroHash, `http://127.0.0.1:${node}`]);
    await chain.act(owner, 'stake', [node, STAKE]);
  }
  return {
    agreed: await agreed(chain),
    dissenter: await dissenter(chain),
    unresolved: await unresolved(chain),
    replaced: await replaced(chain),
    silent: await silent(chain),
  };
}

/** An operator runs one node. */
const OPERATORS = ['operator1', 'operator2', 'operator3', 'guardian'] as const;
const operatorOf = (node: number): Person => OPERATORS[node - 1]!;

/** A job with three seats on each range, open to everyone. */
export const postSeats = (chain: Chain, over: Partial<Terms> = {}): Promise<Terms> =>
  post(chain, { seats: 3, shards: 2, exec: 120, window: 0, ...over });

export const claim = async (chain: Chain, terms: Terms, node: number): Promise<Lease> =>
  leaseOf(await chain.act(operatorOf(node), 'claim', [terms, node, 2]));

export const join = async (chain: Chain, terms: Terms, node: number, first = 0): Promise<Lease> =>
  leaseOf(await chain.act(operatorOf(node), 'join', [terms, first, node]));

export async function commit(chain: Chain, terms: Terms, lease: Lease, result = RIGHT): Promise<Seat> {
  const { first, node } = lease;
  const id = idOf(chain, terms);
  const commitment = commitmentOf({ id, first, node, result, salt: SALT });
  const receipt = await chain.act(operatorOf(node), 'commit', [id, lease, commitment]);
  return { lease: { ...lease, commitment, committedBlock: Number(receipt.blockNumber) }, result };
}

/** Ends a panel. Seats whose node is in `shown` were revealed before or are withheld; the others are revealed now. */
async function agree(chain: Chain, terms: Terms, seats: Seat[], shown: number[] = []): Promise<void> {
  const ordered = seats.toSorted((a, b) => a.lease.node - b.lease.node);
  await chain.act('stranger', 'agree', [
    terms,
    ordered[0]!.lease.first,
    ordered.map(({ lease }) => lease),
    ordered.map(({ result }) => result),
    ordered.map(({ lease }) => (shown.includes(lease.node) ? zeroHash : SALT)),
  ]);
}

/** Nodes 1, 2 and 3 sit on the whole job and commit these results. */
async function seated(chain: Chain, terms: Terms, results: Result[] = [RIGHT, RIGHT, RIGHT]): Promise<Seat[]> {
  const leases = [await claim(chain, terms, 1), await join(chain, terms, 2), await join(chain, terms, 3)];
  const seats: Seat[] = [];
  for (const [index, lease] of leases.entries()) seats.push(await commit(chain, terms, lease, results[index]!));
  return seats;
}

async function agreed(chain: Chain): Promise<Hex> {
  const terms = await postSeats(chain);
  await agree(chain, terms, await seated(chain, terms));
  return idOf(chain, terms);
}

/** Paid in DPU. One of three differs on the first range; the second lapses whole, so that the job closes and a bonus is swept. */
async function dissenter(chain: Chain): Promise<Hex> {
  const terms = await postSeats(chain, { shards: 4, currency: chain.token });
  const id = idOf(chain, terms);
  await agree(chain, terms, await seated(chain, terms, [RIGHT, RIGHT, resultOf(51n)]));
  const left = await claim(chain, terms, 4);
  await chain.pass(121);
  await chain.act('stranger', 'lapse', [terms, left]);
  await chain.pass(terms.expiry - (await chain.now()) + 1);
  await chain.act('stranger', 'close', [terms]);
  await chain.act('stranger', 'sweep', [id, 2]);
  return id;
}

/** A challenge window. Node 3 sits where node 4 lapsed and shows another result than node 2; node 1 shows none. */
async function unresolved(chain: Chain): Promise<Hex> {
  const terms = await postSeats(chain, { window: 10 });
  const [one, two] = [await claim(chain, terms, 1), await join(chain, terms, 2)];
  const four = await join(chain, terms, 4);
  const seats = [await commit(chain, terms, one), await commit(chain, terms, two)];
  await chain.pass(121);
  await chain.act('stranger', 'lapse', [terms, four]);
  seats.push(await commit(chain, terms, await join(chain, terms, 3), resultOf(52n)));
  for (const { lease, result } of seats.slice(1)) {
    await chain.act('stranger', 'reveal', [terms, lease, result, SALT]);
  }
  await chain.pass(61);
  await agree(chain, terms, seats, [1, 2, 3]);
  return idOf(chain, terms);
}

/** The second seat lapses and node 4 takes it, with what node 2 left. */
async function replaced(chain: Chain): Promise<Hex> {
  const terms = await postSeats(chain);
  const [one, two, three] = [
    await claim(chain, terms, 1),
    await join(chain, terms, 2),
    await join(chain, terms, 3),
  ] as const;
  const seats = [await commit(chain, terms, one), await commit(chain, terms, three)];
  await chain.pass(121);
  await chain.act('stranger', 'lapse', [terms, two]);
  seats.push(await commit(chain, terms, await join(chain, terms, 4)));
  await agree(chain, terms, seats);
  return idOf(chain, terms);
}

/** Nobody shows anything; nodes 4 and 2 sit there again, and two of three are enough once nobody else may come. */
async function silent(chain: Chain): Promise<Hex> {
  const terms = await postSeats(chain);
  const seats = await seated(chain, terms);
  await chain.pass(61);
  await agree(chain, terms, seats, [1, 2, 3]);
  await chain.pass(2);
  await chain.pass(1);
  const four = leaseOf(await chain.act(operatorOf(4), 'takeOver', [terms, 0, 4]));
  const again = [await commit(chain, terms, four), await commit(chain, terms, await join(chain, terms, 2))];
  await chain.pass(241);
  await agree(chain, terms, again);
  return idOf(chain, terms);
}
