/** Jobs of the pretended network: real terms, specs, manifests and results, and the Market's events at their seconds. */
import { disputeKey } from '@dpu/sdk/court';
import { claimedWord, flagsOf, type Lease } from '@dpu/sdk/lease';
import { encodeManifest, rootOf, unitsOf, type ManifestShard } from '@dpu/sdk/manifest';
import { packTerms } from '@dpu/sdk/packedTerms';
import { proposeTerms, type PostingChoices } from '@dpu/sdk/posting';
import { encodeSpec, type JobSpecInput } from '@dpu/sdk/spec';
import type { StorageBackend } from '@dpu/sdk/storage/backend';
import { jobId, type RuntimeName, type Terms } from '@dpu/sdk/terms';
import { sha256, zeroAddress, zeroHash, type Hex } from 'viem';

import { domain, DPU, hex, ME, nodeFacts, NODES, packedRules, rules, wei } from './network.ts';

/** An event of the Market in its second. Those with the same `tx` are in one transaction. */
export interface WorldEvent {
  at: number;
  name: string;
  args: Record<string, unknown>;
  tx: Hex;
}

/** How far a job's leases come. */
export type Fate = 'open' | 'running' | 'complete' | 'cancelled' | 'revealed';

/** What a job is made of. */
export interface Plan {
  name: string;
  runtime?: RuntimeName;
  shards: number;
  per?: number;
  fate: Fate;
  postedAt: number;
  /** Seconds between two claims. */
  pace?: number;
  output: { name: string; mediaType: string };
  view?: JobSpecInput['view'];
  comparator?: JobSpecInput['comparator'];
  /** The bytes of a shard. */
  make: (shard: number) => Uint8Array;
  terms?: Partial<PostingChoices>;
  afterJob?: Hex;
  /** The transaction of the post, for jobs that are posted together. */
  tx?: Hex;
  /** A range that lapses before another node takes it over. */
  lapses?: number;
}

/** A job that was made. */
export interface Made {
  id: Hex;
  terms: Terms;
  leases: { lease: Lease; shards: ManifestShard[]; root: Hex; revealedAt: number }[];
}

export class World {
  readonly events: WorldEvent[] = [];
  #backend: StorageBackend;
  /** What was stored, by the bytes themselves: many shards may have one result. */
  #stored = new Map<Uint8Array, Pick<ManifestShard, 'cid' | 'hash'>>();

  constructor(backend: StorageBackend) {
    this.#backend = backend;
  }

  async add(plan: Plan): Promise<Made> {
    const { shards, per = Math.max(1, Math.ceil(shards / 12)), postedAt, fate, pace = 4 } = plan;
    const comparator = plan.comparator ?? { kind: 'exact' };
    const spec = encodeSpec({
      version: 1,
      name: plan.name,
      runtime: 'wasm',
      module: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
      args: [],
      inputs: [],
      shards,
      output: plan.output,
      limits: { memoryBytes: 67_108_864, units: 1_000_000, outputBytes: 10_000_000, seconds: 600 },
      comparator,
      ...(plan.view && { view: plan.view }),
    });
    await this.#backend.putBlock(spec.cid, spec.bytes);
    const choices: PostingChoices = {
      requester: ME,
      currency: DPU,
      spec: spec.digest,
      shards,
      minPrice: wei(0.2),
      maxPrice: wei(0.8),
      maxLease: per,
      ramp: 600,
      exec: 900,
      window: 1_800,
      tolerant: comparator.kind !== 'exact',
      salt: BigInt(postedAt),
      ...(plan.runtime && { runtime: plan.runtime }),
      ...(plan.afterJob && { afterJob: plan.afterJob }),
      ...plan.terms,
    };
    const terms = proposeTerms(choices, { rules: packedRules, token: DPU, now: postedAt });
    const id = jobId(terms, domain);
    const post = plan.tx ?? hex(`post${id}`);
    this.#tell(postedAt, 'JobPosted', { id, requester: terms.requester, terms: packTerms(terms) }, post);
    const made: Made = { id, terms, leases: [] };
    if (fate === 'open') return made;

    let done = 0n;
    const most = fate === 'cancelled' ? Math.ceil(shards / 2) : shards;
    for (let first = 0; first < most; first += per) {
      const count = Math.min(per, most - first);
      const begin = postedAt + 3 + Math.floor(first / per) * pace;
      const node = 1 + ((first / per) % (NODES - 1));
      if (first / per === plan.lapses) this.#lapse(id, terms, first, count, node + 1, begin - 2);
      const held = await this.#lease({ id, terms }, { first, count, node, begin }, plan.make);
      made.leases.push(held);
      if (fate === 'revealed' && first + per >= most) continue;
      const settled = held.revealedAt + (fate === 'complete' ? 12 : 20);
      const gross = held.lease.price * BigInt(count);
      done += gross;
      const fee = (gross * BigInt(rules.feeBps)) / 10_000n;
      const paid = { id, node, first, paid: gross - fee, fee, record: nodeFacts(node).record };
      this.#tell(settled, 'LeaseSettled', paid);
    }
    const end = Math.max(...this.events.filter(({ args }) => args['id'] === id).map(({ at }) => at)) + 1;
    const escrow = terms.maxPrice * BigInt(shards * terms.seats);
    if (fate === 'complete') this.#tell(end, 'JobCompleted', { id, refunded: escrow - done });
    if (fate === 'cancelled') this.#tell(end, 'JobCancelled', { id, refunded: escrow - done });
    return made;
  }

  /** Challenges `shard`; jurors sit down and vote as told. `right` is what they computed. */
  async dispute(
    { id, leases, terms }: Made,
    shard: number,
    right: Uint8Array,
    plan: { at: number; votes: readonly number[]; served: number; found?: number; end?: boolean },
  ): Promise<Hex> {
    const held = leases.find(({ lease }) => shard >= lease.first && shard < lease.first + lease.count);
    const leaf = held?.shards.find((one) => one.shard === shard);
    if (!held || !leaf) throw new Error(`Shard ${shard} was not computed.`);
    const { lease } = held;
    const key = disputeKey(id, lease, shard);
    this.#tell(plan.at, 'Challenged', {
      ...{ dispute: key, id, node: lease.node, claimed: claimedWord(lease), first: lease.first, index: shard },
      ...{ hash: leaf.hash, units: leaf.units, challenger: zeroAddress, byNode: NODES },
    });
    for (let at = 0; at < plan.served; at += 1) {
      const node = 20 + at;
      const { manifest, entry } = await this.#store(id, shard, node, [right]);
      this.#tell(plan.at + 20 + at * 9, 'JurorServed', {
        ...{ dispute: key, node, round: 1, commitment: hex(`juror${key}${node}`) },
      });
      const verdict = plan.votes[at];
      if (verdict === undefined) continue;
      this.#tell(plan.at + 90 + at * 6, 'JurorSpoke', {
        ...{ dispute: key, node, round: 1, verdict, hash: entry[0]!.hash, units: entry[0]!.units, evidence: manifest },
      });
    }
    if (plan.found === undefined) return key;
    const judged = { dispute: key, round: 1, found: plan.found, stands: plan.found, served: 5n, paid: 4n };
    this.#tell(plan.at + 130, 'Judged', judged);
    if (!plan.end) return key;
    const bond = (terms.bond / 8n) * 10n;
    const ended = { returned: bond, forfeited: 0n, rewarded: terms.bond, repaid: 0n, record: 2_735 };
    this.#tell(plan.at + 800, 'DisputeEnded', { dispute: key, verdict: plan.found, ...ended });
    if (plan.found !== 3) return key;
    const lost = { id, node: lease.node, first: lease.first, verdict: 3, paid: 0n, fee: 0n, compensation: 0n };
    this.#tell(plan.at + 800, 'LeaseJudged', lost);
    return key;
  }

  async #lease(
    { id, terms }: Pick<Made, 'id' | 'terms'>,
    { first, count, node, begin }: { first: number; count: number; node: number; begin: number },
    make: (shard: number) => Uint8Array,
  ): Promise<Made['leases'][number]> {
    const lease: Lease = {
      ...{ first, count, node, bonus: 0n, deadline: begin + terms.exec, flags: flagsOf(terms, count) },
      price: (terms.minPrice * 5n + terms.maxPrice) / 6n,
      ...{ commitment: zeroHash, committedBlock: 0 },
    };
    const bytes = Array.from({ length: count }, (_, at) => make(first + at));
    const { manifest, entry } = await this.#store(id, first, node, bytes);
    const result = { root: rootOf({ shards: entry }), units: unitsOf({ shards: entry }), manifest };
    this.#tell(begin, 'LeaseClaimed', { id, node, first, claimed: claimedWord(lease) });
    this.#tell(begin + 30, 'LeaseCommitted', { id, node, first, commitment: hex(`c${id}${first}`) });
    this.#tell(begin + 38, 'LeaseRevealed', { id, node, first, result });
    return { lease, shards: entry, root: result.root, revealedAt: begin + 38 };
  }

  async #store(job: Hex, first: number, node: number, files: readonly Uint8Array[]) {
    const entry: ManifestShard[] = [];
    for (const [at, bytes] of files.entries()) {
      const known = this.#stored.get(bytes);
      const { cid, hash } = known ?? { cid: (await this.#backend.addFile(bytes)).cid, hash: sha256(bytes) };
      if (!known) this.#stored.set(bytes, { cid, hash });
      const units = BigInt(900 + ((first + at) % 7) * 40);
      entry.push({ shard: first + at, hash, cid, size: bytes.length, units });
    }
    const block = encodeManifest({ version: 1, job, first, node, shards: entry });
    await this.#backend.putBlock(block.cid, block.bytes);
    return { manifest: block.digest, entry };
  }

  #lapse(id: Hex, terms: Terms, first: number, count: number, node: number, at: number): void {
    const lease: Lease = {
      ...{ first, count, node, bonus: 0n, deadline: at, flags: flagsOf(terms, count), price: terms.minPrice },
      ...{ commitment: zeroHash, committedBlock: 0 },
    };
    this.#tell(at - 60, 'LeaseClaimed', { id, node, first, claimed: claimedWord(lease) });
    const slashed = (terms.bond * BigInt(count)) / 5n;
    this.#tell(at, 'LeaseLapsed', { id, node, first, slashed, bonus: slashed / 2n, record: 4_100, withheld: false });
  }

  #tell(at: number, name: string, args: Record<string, unknown>, tx?: Hex): void {
    this.events.push({ at, name, args, tx: tx ?? hex(`tx${at}${name}${this.events.length}`) });
  }
}
