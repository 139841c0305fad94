/**
 * A signed statement: something that a node says to the whole network, with the operator's EIP-712 signature over it. The envelope is the same
 * whatever is said; `topics.ts` says what may be inside.
 */
import * as dagCbor from '@ipld/dag-cbor';
import {
  bytesToHex,
  concatBytes,
  domainSeparator,
  encodeAbiParameters,
  hexToBytes,
  keccak256,
  recoverAddress,
  stringToBytes,
  type Address,
  type Hex,
} from 'viem';
import * as z from 'zod';

import { decodeCanonical } from '../canonical.ts';
import type { MarketDomain } from '../terms.ts';

/** Version of the envelope. */
export const STATEMENT_VERSION = 1;
/** Most bytes of an envelope around its body: version, node, topic, two 64-bit numbers, lengths and the signature. */
export const ENVELOPE_BYTES = 160;

/** The EIP-712 type that the operator signs. */
export const statementTypes = {
  Statement: [
    { name: 'node', type: 'uint32' },
    { name: 'topic', type: 'string' },
    { name: 'sequence', type: 'uint64' },
    { name: 'time', type: 'uint64' },
    { name: 'body', type: 'bytes' },
  ],
} as const;

/** What is signed. */
export interface Said {
  /** Id of the node whose operator speaks. */
  node: number;
  /** Name of the topic, at most 32 characters. */
  topic: string;
  /** Rises with each statement of the node on the topic. */
  sequence: number;
  /** When it was said, unix milliseconds of the speaker's clock. */
  time: number;
  /** What is said: canonical dag-cbor, by the topic's schema. */
  body: Uint8Array;
}

/** A statement with its signature. */
export interface Statement extends Said {
  signature: Hex;
}

/** Signs a digest with the operator's key. viem's local accounts fit. */
export interface Signer {
  readonly address: Address;
  sign(parameters: { hash: Hex }): Promise<Hex>;
}

const TYPEHASH = keccak256(stringToBytes('Statement(uint32 node,string topic,uint64 sequence,uint64 time,bytes body)'));
const FIELDS = ['bytes32', 'uint32', 'bytes32', 'uint64', 'uint64', 'bytes32'].map((type) => ({ type }));
const PREFIX = Uint8Array.of(0x19, 0x01);

const whole = (most: number) => z.int().min(0).max(most);
const envelope = z.tuple([
  z.literal(STATEMENT_VERSION),
  z.int().min(1).max(0xffff_ffff),
  z.string().regex(/^[a-z][a-z-]{0,31}$/),
  whole(Number.MAX_SAFE_INTEGER),
  whole(Number.MAX_SAFE_INTEGER),
  z.instanceof(Uint8Array),
  z.instanceof(Uint8Array).refine((signature) => signature.length === 65),
]);

/** Hashes statements of one network: the domain's part is computed once. */
export class StatementDomain {
  readonly domain: MarketDomain;
  readonly #separator: Uint8Array;

  constructor(domain: MarketDomain) {
    this.domain = domain;
    this.#separator = hexToBytes(domainSeparator({ domain }));
  }

  /** The EIP-712 digest of a statement: that of `hashTypedData` with {@link statementTypes}. */
  digest({ node, topic, sequence, time, body }: Said): Hex {
    const values = [TYPEHASH, node, keccak256(stringToBytes(topic)), BigInt(sequence), BigInt(time), keccak256(body)];
    const struct = keccak256(encodeAbiParameters(FIELDS, values));
    return keccak256(concatBytes([PREFIX, this.#separator, hexToBytes(struct)]));
  }

  /** Signs what a node says. */
  async sign(said: Said, signer: Signer): Promise<Statement> {
    return { ...said, signature: await signer.sign({ hash: this.digest(said) }) };
  }

  /** Who signed a statement; undefined when the signature is no signature. */
  async signerOf(statement: Statement): Promise<Address | undefined> {
    return recoverAddress({ hash: this.digest(statement), signature: statement.signature }).catch(() => undefined);
  }
}

/** The statement as it travels: one canonical dag-cbor list. */
export function encodeStatement({ node, topic, sequence, time, body, signature }: Statement): Uint8Array {
  return dagCbor.encode([STATEMENT_VERSION, node, topic, sequence, time, body, hexToBytes(signature)]);
}

/** Reads a statement; undefined when the bytes are none. The signature is not checked. */
export function decodeStatement(bytes: Uint8Array): Statement | undefined {
  const parsed = envelope.safeParse(decodeCanonical(bytes));
  if (!parsed.success) return undefined;
  const [, node, topic, sequence, time, body, packed] = parsed.data;
  // One form of a signature: with the other one the same statement would have two hashes.
  if (packed[64] !== 27 && packed[64] !== 28) return undefined;
  return { node, topic, sequence, time, body, signature: bytesToHex(packed) };
}

/** A body's bytes. */
export function encodeBody(value: unknown): Uint8Array {
  return dagCbor.encode(value);
}
