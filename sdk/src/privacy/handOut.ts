/**
 * Handing a private job's key to nodes after it was posted: by the requester, or by whoever else the spec's envelope was made for. A node asks by
 * declining the job with `notRecipient`, signed by its operator; the answer is a new envelope, put at the node's gateway.
 */
import { z } from 'zod';
import type { Address, Hex } from 'viem';

import { isDeclineOf, type SignedDecline } from '../declines.ts';
import { gatewayUrl } from '../storage/gatewayRequest.ts';
import type { MarketDomain } from '../terms.ts';
import { envelopeAgain } from './envelope.ts';
import type { Identity } from './identity.ts';
import { keyToRecipient } from './recipient.ts';
import type { PrivateSpec } from './schema.ts';

/** A node as the chain knows it. */
export interface EnvelopeNode {
  id: number;
  operator: Address;
  /** Its public key for private jobs. */
  key: Hex;
  /** Base URL of its gateway. */
  endpoint: string;
  /** DPU wei. */
  stake: bigint;
}

/** Thrown when a node does not take an envelope: its gateway is away, or says why not. */
export class EnvelopeNotTaken extends Error {
  override readonly name = 'EnvelopeNotTaken';
  readonly node: number;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Whether the same envelope may be taken later. */
  readonly retryable: boolean;

  constructor(node: number, status: number, problem: string, cause?: unknown) {
    super(
      `Node ${node} did not take the envelope: ${problem} Try again later, or allow another node.`,
      cause === undefined ? undefined : { cause },
    );
    this.node = node;
    this.status = status;
    this.retryable = status !== 409 && status !== 422 && status !== 400;
  }
}

/** What it works with. */
export interface HandOutDeps {
  fetch?: typeof fetch;
  signal?: AbortSignal;
}

const ANSWER_MS = 30_000;
const refusal = z.object({ message: z.string() });

/**
 * Makes an envelope of the job's key for one node and puts it at the node's gateway. The node has it on its disk when this returns.
 * @param holder The requester, or whoever else can open the spec's own envelope.
 * @throws BadRecipientError when the node has no key; NotARecipientError when `holder` cannot open the job; EnvelopeNotTaken.
 */
export async function handOut(
  job: Hex,
  section: Pick<PrivateSpec, 'envelope' | 'recipient'>,
  holder: Identity,
  node: EnvelopeNode,
  { fetch: ask = fetch, signal }: HandOutDeps = {},
): Promise<void> {
  const sealed = await envelopeAgain(section.envelope, holder, section.recipient, [keyToRecipient(node.key)]);
  const limit = AbortSignal.timeout(ANSWER_MS);
  if (!/^https?:\/\//.test(node.endpoint)) throw new EnvelopeNotTaken(node.id, 0, 'it names no gateway on chain.');
  let answer: Response;
  try {
    answer = await ask(gatewayUrl(node.endpoint, `/v1/envelopes/${job}`), {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: sealed,
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new EnvelopeNotTaken(node.id, 0, 'its gateway does not answer.', cause);
  }
  if (answer.ok) return;
  const said = refusal.safeParse(await answer.json().catch(() => undefined));
  throw new EnvelopeNotTaken(node.id, answer.status, said.data?.message ?? `its gateway answers ${answer.status}.`);
}

/** Whom a key holder lets in. */
export interface KeyHolderOptions {
  job: Hex;
  section: Pick<PrivateSpec, 'envelope' | 'recipient'>;
  holder: Identity;
  domain: MarketDomain;
  /** Whether a node may read the job. */
  allow: (node: EnvelopeNode) => boolean;
}

/** What a key holder works with. */
export interface KeyHolderDeps extends HandOutDeps {
  /** Signed declines of the job, from anywhere: each is checked. */
  declines: (job: Hex) => Promise<readonly SignedDecline[]>;
  /** A node as it stands on chain. */
  node: (id: number) => Promise<EnvelopeNode>;
}

/** What became of a node that asked. */
export interface Handed {
  node: number;
  /** Undefined when the node has the job's key now. */
  error?: Error;
}

/** Most nodes that are answered in one round. */
const MOST = 16;

/** Answers nodes that ask for a job's key, each of them once. Runs wherever somebody is awake who can open the job. */
export class KeyHolder {
  readonly #options: KeyHolderOptions;
  readonly #deps: KeyHolderDeps;
  /** Nodes that have the key, or never get it. */
  readonly #answered = new Set<number>();

  constructor(options: KeyHolderOptions, deps: KeyHolderDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Looks once who asks, and answers those who are allowed. A node whose gateway was away is answered in a later round. */
  async round(): Promise<Handed[]> {
    const { job, section, holder, domain, allow } = this.#options;
    const { declines, node: read } = this.#deps;
    const handed: Handed[] = [];
    for (const signed of await declines(job)) {
      if (handed.length >= MOST) break;
      const { node: id, code } = signed;
      if (code !== 'notRecipient' || signed.job !== job.toLowerCase() || this.#answered.has(id)) continue;
      const node = await read(id);
      // Unsigned, anybody could make this machine ask any gateway that stands on chain; a later decline of the node may be its own.
      if (!(await isDeclineOf(signed, node.operator, domain))) continue;
      if (!allow(node)) continue;
      try {
        await handOut(job, section, holder, node, this.#deps);
        this.#answered.add(id);
        handed.push({ node: id });
      } catch (error) {
        this.#deps.signal?.throwIfAborted();
        if (!(error instanceof EnvelopeNotTaken) || !error.retryable) this.#answered.add(id);
        handed.push({ node: id, error: error as Error });
      }
    }
    return handed;
  }
}
