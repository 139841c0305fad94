import { auditDraw } from '@dpu/sdk/assurance';
import { boundOf, saidOf, withheldOf } from '@dpu/sdk/bench';
import { commitmentOf, isSeat, type Lease, type Result } from '@dpu/sdk/lease';
import { packRules } from '@dpu/sdk/rules';
import type { Terms } from '@dpu/sdk/terms';
import { numberToHex, parseEther, zeroHash, type Hex } from 'viem';
import { PARAMS, people, type Chain, type Person } from './chain.ts';
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

/** The ids of the jobs that were audited. */
export interface AuditStory {
  /** Bought; both agree. */
  bought: Hex;
  /** Paid by the protocol; nobody agrees, so half of it comes back. */
  pooled: Hex;
  /** Paid by the protocol; the auditor never commits, and the holder ends it alone. */
  left: Hex;
  /** Paid by the protocol; the auditor shows nothing. */
  withheld: Hex;
  /** Nobody shows anything, and another node takes the range over alone. */
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

/** Takes a seat: beside others, or first on the next two shards. */
export const sit = async (chain: Chain, terms: Terms, node: number, first = 0): Promise<Lease> =>
  leaseOf(await chain.act(operatorOf(node), 'sit', [terms, first, 2, node, zeroHash]));

export async function commit(chain: Chain, terms: Terms, lease: Lease, result = RIGHT): Promise<Seat> {
  const { first, node } = lease;
  const id = idOf(chain, terms);
  const commitment = commitmentOf({ id, first, node, result, salt: SALT });
  const call = isSeat(lease) ? 'commitSeat' : 'commit';
  const receipt = await chain.act(operatorOf(node), call, [id, lease, commitment]);
  return { lease: { ...lease, commitment, committedBlock: Number(receipt.blockNumber) }, result };
}

/** Shows a seat by itself; `seats` are all that have committed. */
async function reveal(chain: Chain, terms: Terms, seats: Seat[], node: number): Promise<void> {
  const index = seats.findIndex(({ lease }) => lease.node === node);
  const { lease, result } = seats[index]!;
  const bound = seats.map((seat) => boundOf(seat.lease));
  await chain.act('stranger', 'revealSeat', [terms, lease.first, bound, BigInt(index), result, SALT]);
}

/** Ends a panel of `seats`, which stand in the order of their commits. Those whose node is in `withheld` show nothing. */
async function agree(chain: Chain, terms: Terms, seats: Seat[], withheld: number[] = []): Promise<void> {
  const said = seats.map(({ lease, result }) =>
    withheld.includes(lease.node) ? withheldOf(lease) : saidOf(lease, result, SALT),
  );
  await chain.act('stranger', 'agree', [terms, seats[0]!.lease.first, said]);
}

/** Nodes 1, 2 and 3 sit on the whole job and commit these results. */
async function seated(chain: Chain, terms: Terms, results: Result[] = [RIGHT, RIGHT, RIGHT]): Promise<Seat[]> {
  const leases = [await sit(chain, terms, 1), await sit(chain, terms, 2), await sit(chain, terms, 3)];
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
  const left = await sit(chain, terms, 4, 2);
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
  const [one, two] = [await sit(chain, terms, 1), await sit(chain, terms, 2)];
  const four = await sit(chain, terms, 4);
  const seats = [await commit(chain, terms, one), await commit(chain, terms, two)];
  await chain.pass(121);
  await chain.act('stranger', 'lapse', [terms, four]);
  seats.push(await commit(chain, terms, await sit(chain, terms, 3), resultOf(52n)));
  for (const node of [2, 3]) await reveal(chain, terms, seats, node);
  await chain.pass(61);
  await agree(chain, terms, seats, [1]);
  return idOf(chain, terms);
}

/** The second seat lapses and node 4 takes it, with what node 2 left. */
async function replaced(chain: Chain): Promise<Hex> {
  const terms = await postSeats(chain);
  const [one, two, three] = [
    await sit(chain, terms, 1),
    await sit(chain, terms, 2),
    await sit(chain, terms, 3),
  ] as const;
  const seats = [await commit(chain, terms, one), await commit(chain, terms, three)];
  await chain.pass(121);
  await chain.act('stranger', 'lapse', [terms, two]);
  seats.push(await commit(chain, terms, await sit(chain, terms, 4)));
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
  const four = await sit(chain, terms, 4);
  const again = [await commit(chain, terms, four), await commit(chain, terms, await sit(chain, terms, 2))];
  await chain.pass(241);
  await agree(chain, terms, again);
  return idOf(chain, terms);
}

/** From now on the protocol audits 2 % of the leases of runtime 1; what such terms carry. */
export const AUDITING = packRules({ ...PARAMS, auditRates: 0b1000, version: 2 });

/** Every way in which an audit ends, once, with real transactions. Node 1 holds, node 2 audits, without a challenge window. */
export async function tellAudits(chain: Chain): Promise<AuditStory> {
  await chain.act('deployer', 'addParams', [{ ...PARAMS, auditRates: 0b1000 }]);
  await chain.token_(chain.token)('deployer', 'transfer', [people.stranger.address, STAKE]);
  await chain.token_(chain.token)('stranger', 'approve', [chain.market, STAKE]);
  await chain.act('stranger', 'deposit', [chain.token, people.treasury.address, parseEther('100')]);
  return {
    bought: await bought(chain),
    pooled: await pooled(chain),
    left: await left(chain),
    withheld: await auditorWithholds(chain),
    silent: await nobodyAnswers(chain),
  };
}

/** A job of two shards that node 1 has committed to, drawn so that the protocol pays its auditor, or that the job does. */
async function drawn(chain: Chain, payer: 'protocol' | 'job'): Promise<{ terms: Terms; held: Seat }> {
  const money = { currency: chain.token, minPrice: parseEther('1'), maxPrice: parseEther('1'), bond: parseEther('4') };
  const terms = await post(chain, {
    ...money,
    ...{ shards: 2, maxLease: 2, window: 0, exec: 120, auditBps: 5_000, rules: AUDITING },
  });
  const held = await commit(chain, terms, leaseOf(await chain.act('operator1', 'claim', [terms, 1, 2])));
  // The block after the commit draws. Who its proposer is changes its hash, and so the roll.
  for (let coinbase = 1; ; coinbase += 1) {
    const before = await chain.control.snapshot();
    await chain.control.setCoinbase({ address: numberToHex(coinbase, { size: 20 }) });
    await chain.pass(1);
    const { hash } = await chain.client.getBlock({ blockNumber: BigInt(held.lease.committedBlock) + 1n });
    const draw = auditDraw(terms, idOf(chain, terms), 0, hash);
    if (draw.drawn && draw.pooled === (payer === 'protocol')) break;
    await chain.control.revert({ id: before });
  }
  await chain.pass(2);
  return { terms, held };
}

const sitBeside = async (chain: Chain, terms: Terms, { lease }: Seat): Promise<Lease> =>
  leaseOf(await chain.act('operator2', 'audit', [terms, lease, 2]));

async function bought(chain: Chain): Promise<Hex> {
  const { terms, held } = await drawn(chain, 'job');
  const seats = [held, await commit(chain, terms, await sitBeside(chain, terms, held))];
  await reveal(chain, terms, seats, 1);
  await agree(chain, terms, seats);
  return idOf(chain, terms);
}

async function pooled(chain: Chain): Promise<Hex> {
  const { terms, held } = await drawn(chain, 'protocol');
  await agree(chain, terms, [held, await commit(chain, terms, await sitBeside(chain, terms, held), resultOf(53n))]);
  return idOf(chain, terms);
}

async function left(chain: Chain): Promise<Hex> {
  const { terms, held } = await drawn(chain, 'protocol');
  const late = await sitBeside(chain, terms, held);
  await chain.pass(121);
  await chain.act('stranger', 'lapse', [terms, late]);
  await agree(chain, terms, [held]);
  return idOf(chain, terms);
}

async function auditorWithholds(chain: Chain): Promise<Hex> {
  const { terms, held } = await drawn(chain, 'protocol');
  const seats = [held, await commit(chain, terms, await sitBeside(chain, terms, held))];
  await reveal(chain, terms, seats, 1);
  await chain.pass(61);
  await agree(chain, terms, seats, [2]);
  return idOf(chain, terms);
}

async function nobodyAnswers(chain: Chain): Promise<Hex> {
  const { terms, held } = await drawn(chain, 'protocol');
  const seats = [held, await commit(chain, terms, await sitBeside(chain, terms, held))];
  await chain.pass(61);
  await agree(chain, terms, seats, [1, 2]);
  await chain.pass(2);
  await chain.pass(1);
  const again = leaseOf(await chain.act('operator3', 'takeOver', [terms, 0, 3]));
  await chain.pass(121);
  await chain.act('stranger', 'lapse', [terms, again]);
  await chain.pass(terms.expiry - (await chain.now()) + 1);
  await chain.act('stranger', 'close', [terms]);
  await chain.act('stranger', 'sweep', [idOf(chain, terms), 0]);
  return idOf(chain, terms);
}
