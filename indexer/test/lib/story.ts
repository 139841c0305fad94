import { printOf, rangeKey } from '@dpu/sdk/bench';
import { commitmentOf, leaseOfWord, type Lease, type Result } from '@dpu/sdk/lease';
import { acceptanceTypedData, jobId, marketDomain, orderTypedData, type Terms } from '@dpu/sdk/terms';
import { marketAbi } from '@dpu/sdk/abi';
import { keccak256, parseEther, parseEventLogs, toHex, zeroHash, type Hex, type TransactionReceipt } from 'viem';
import { packRules } from '@dpu/sdk/rules';
import { PARAMS, people, type Chain, type Person } from './chain.ts';

const STAKE = parseEther('5000');
const FUNDS = parseEther('1000');

/** The ids of the story's jobs, by what happens to them. */
export interface Story {
  takenOver: Hex;
  direct: Hex;
  oneTransaction: Hex;
  cancelledWhileBusy: Hex;
  expired: Hex;
  withheld: Hex;
  neverBrought: Hex;
}

/** Everything that can happen in the Market, once, with real transactions. */
export async function tell(chain: Chain): Promise<Story> {
  await prepare(chain);
  return {
    takenOver: await takenOver(chain),
    direct: await direct(chain),
    oneTransaction: await oneTransaction(chain),
    cancelledWhileBusy: await cancelledWhileBusy(chain),
    expired: await expired(chain),
    withheld: await withheld(chain),
    neverBrought: await neverBrought(chain),
    ...(await leave(chain)),
  };
}

/** Nodes 1 and 2, money, and governance that lets everything happen. */
export async function prepare(chain: Chain): Promise<void> {
  const { act, token, dollar, market, token_ } = chain;
  await act('deployer', 'allowCurrency', [dollar, true]);
  await act('deployer', 'setMinStake', [parseEther('100')]);
  await act('deployer', 'setUnbonding', [7 * 86_400]);
  await act('deployer', 'allowRuntime', [2, true]);
  await act('deployer', 'setGuardian', [people.guardian.address, (await chain.now()) + 86_400]);
  for (const [index, owner] of (['owner1', 'owner2'] as const).entries()) {
    await token_(token)('deployer', 'transfer', [people[owner].address, STAKE]);
    await token_(token)(owner, 'approve', [market, STAKE]);
    const operator = people[`operator${index + 1}` as Person].address;
    await act(owner, 'register', [operator, 0b110, zeroHash, `http://127.0.0.1:${24_101 + index}`]);
    await act(owner, 'stake', [index + 1, STAKE]);
  }
  await act('operator1', 'setEndpoint', [1, 'http://127.0.0.1:24111']);
  await act('owner1', 'delegateStake', [people.guardian.address]);
  await act('deployer', 'setTier', [1, 3, (await chain.now()) + 86_400]);
  for (const currency of [token, dollar]) {
    await token_(currency)('deployer', 'approve', [market, FUNDS]);
    await act('deployer', 'deposit', [currency, people.requester.address, FUNDS]);
  }
  await act('requester', 'withdraw', [dollar, people.stranger.address, parseEther('1')]);
}

let salt = 0n;
const NODES = [1, 2, 3, 4];

async function termsOf(chain: Chain, over: Partial<Terms> = {}): Promise<Terms> {
  const terms: Terms = {
    requester: people.requester.address,
    currency: chain.dollar,
    minPrice: parseEther('1'),
    maxPrice: parseEther('3'),
    bond: parseEther('10'),
    shards: 4,
    maxLease: 2,
    runtime: 1,
    tier: 0,
    seats: 1,
    direct: false,
    tolerant: false,
    auditBps: 0,
    rules: packRules({ ...PARAMS, version: 1 }),
    node: 0,
    start: 0,
    expiry: (await chain.now()) + 3_600,
    ramp: 600,
    exec: 30,
    window: 10,
    spec: keccak256(toHex('spec')),
    afterJob: zeroHash,
    salt: ++salt,
    ...over,
  };
  // Two nodes in 255 cannot sit beside each other; no story here is about that.
  while (over.salt === undefined && !canSitTogether(idOf(chain, terms), terms.shards)) terms.salt = ++salt;
  return terms;
}

/** Whether the nodes of these stories can share every range of the job. */
function canSitTogether(id: Hex, shards: number): boolean {
  const keys = [id, ...Array.from({ length: shards }, (_, first) => rangeKey(id, first, false))];
  return keys.every((key) => new Set(NODES.map((node) => printOf(key, node))).size === NODES.length);
}

/** The id of `terms` on this chain. */
export const idOf = (chain: Chain, terms: Terms) => jobId(terms, marketDomain(31_337, chain.market));

/** Posts, and waits until the draw is open to everyone. */
export async function post(chain: Chain, over: Partial<Terms> = {}): Promise<Terms> {
  const terms = await termsOf(chain, over);
  await chain.act('requester', 'post', [terms]);
  await chain.pass(2);
  await chain.pass(1);
  return terms;
}

const signOrder = (chain: Chain, terms: Terms) =>
  people.requester.signTypedData(orderTypedData(terms, marketDomain(31_337, chain.market)));

const signAcceptance = (chain: Chain, job: Hex, first: number, node: number, result: Result) =>
  people.requester.signTypedData(
    acceptanceTypedData({ job, first, node, ...result }, marketDomain(31_337, chain.market)),
  );

/** A result that differs from those of other units. */
export const resultOf = (units: bigint): Result => ({
  root: keccak256(toHex(`root ${units}`)),
  units,
  manifest: keccak256(toHex(`manifest ${units}`)),
});

/** The lease that a receipt's LeaseClaimed tells of. */
export function leaseOf(receipt: TransactionReceipt): Lease {
  const [event] = parseEventLogs({ abi: marketAbi, eventName: 'LeaseClaimed', logs: receipt.logs });
  return leaseOfWord(event!.args.first, event!.args.claimed);
}

/** What every commitment is salted with. */
export const SALT = keccak256(toHex('salt'));

async function commit(chain: Chain, id: Hex, lease: Lease, result: Result): Promise<Lease> {
  const { first, node } = lease;
  const commitment = commitmentOf({ id, first, node, result, salt: SALT });
  const receipt = await chain.act(`operator${node}` as Person, 'commit', [id, lease, commitment]);
  return { ...lease, commitment, committedBlock: Number(receipt.blockNumber) };
}

/** Two leases: one committed, revealed and settled; the other lapsed, taken over, and accepted straight from its claim. */
async function takenOver(chain: Chain): Promise<Hex> {
  const { act } = chain;
  const terms = await post(chain);
  const id = idOf(chain, terms);
  const one = leaseOf(await act('operator1', 'claim', [terms, 1, 2]));
  const two = leaseOf(await act('operator2', 'claim', [terms, 2, 2]));

  const committed = await commit(chain, id, one, resultOf(10n));
  await act('stranger', 'reveal', [terms, committed, resultOf(10n), SALT]);
  await chain.pass(11);
  await act('stranger', 'settle', [terms, [committed], [resultOf(10n)]]);

  await chain.pass(31);
  await act('stranger', 'lapse', [terms, two]);
  await chain.pass(2);
  const again = leaseOf(await act('operator1', 'takeOver', [terms, 2, 1]));
  const signature = await signAcceptance(chain, id, 2, 1, resultOf(11n));
  await act('operator1', 'accept', [terms, again, resultOf(11n), signature]);
  return id;
}

/** One lease that is the whole job, submitted instead of committed, paid in DPU. */
async function direct(chain: Chain): Promise<Hex> {
  const { act } = chain;
  const terms = await post(chain, { currency: chain.token, shards: 1, direct: true, node: 2 });
  const id = idOf(chain, terms);
  const lease = leaseOf(await act('operator2', 'claim', [terms, 2, 1]));
  await act('operator2', 'submit', [id, lease, resultOf(20n)]);
  await chain.pass(11);
  await act('stranger', 'settle', [terms, [lease], [resultOf(20n)]]);
  return id;
}

/** Posted, accepted and paid in one transaction. */
async function oneTransaction(chain: Chain): Promise<Hex> {
  const terms = await termsOf(chain, { shards: 3 });
  const id = idOf(chain, terms);
  const result = resultOf(30n);
  const acceptance = await signAcceptance(chain, id, 0, 2, result);
  await chain.act('operator2', 'settleOrder', [terms, await signOrder(chain, terms), 2, result, acceptance]);
  return id;
}

/** A signed order: one shard claimed, cancelled meanwhile, then the lease lapses, which closes the job; the bonus is swept. */
async function cancelledWhileBusy(chain: Chain): Promise<Hex> {
  const { act } = chain;
  const terms = await termsOf(chain, { shards: 5 });
  const id = idOf(chain, terms);
  const lease = leaseOf(await act('operator1', 'claimOrder', [terms, await signOrder(chain, terms), 1, 1]));
  await act('requester', 'cancel', [terms]);
  await chain.pass(31);
  await act('stranger', 'lapse', [terms, lease]);
  await act('stranger', 'sweep', [id, 0]);
  return id;
}

async function expired(chain: Chain): Promise<Hex> {
  const terms = await post(chain, { expiry: (await chain.now()) + 30 });
  await chain.pass(31);
  await chain.act('stranger', 'close', [terms]);
  return idOf(chain, terms);
}

/** A whole job committed and never revealed: the bond is gone, the requester cancels what nobody took over. */
async function withheld(chain: Chain): Promise<Hex> {
  const { act } = chain;
  const terms = await post(chain, { shards: 1, maxLease: 1 });
  const id = idOf(chain, terms);
  const lease = await commit(chain, id, leaseOf(await act('operator2', 'claim', [terms, 2, 1])), resultOf(40n));
  await chain.pass(61);
  await act('stranger', 'lapse', [terms, lease]);
  await act('requester', 'cancel', [terms]);
  return id;
}

/** An order that its requester voids before any node brought it. */
async function neverBrought(chain: Chain): Promise<Hex> {
  const terms = await termsOf(chain);
  await chain.act('requester', 'cancel', [terms]);
  return idOf(chain, terms);
}

/** Stake leaves, fees are collected, balances are taken out, and the numbers of governance turn. */
async function leave(chain: Chain): Promise<Record<never, never>> {
  const { act, token, dollar } = chain;
  await act('owner1', 'queueUnstake', [1, parseEther('50')]);
  await act('owner1', 'cancelUnstake', [1]);
  await act('owner1', 'queueUnstake', [1, parseEther('70')]);
  await act('owner2', 'queueUnstake', [2, parseEther('80')]);
  await chain.pass(7 * 86_400 + 1);
  await act('owner2', 'unstake', [2, people.owner2.address]);
  for (const currency of [token, dollar])
    await act('stranger', 'collectFees', [currency, [people.owner1.address, people.owner2.address]]);
  await act('owner1', 'withdraw', [dollar, people.owner1.address, 1_000n]);
  await act('treasury', 'withdraw', [token, people.treasury.address, 1_000n]);
  const params = await chain.read({ address: chain.market, abi: marketAbi, functionName: 'params', args: [1] });
  await act('deployer', 'addParams', [{ ...params, feeBps: 200 }]);
  await act('deployer', 'setGuardian', [people.guardian.address, (await chain.now()) + 86_400]);
  await act('guardian', 'pause', [60]);
  await act('deployer', 'setTreasury', [people.stranger.address]);
  return {};
}
