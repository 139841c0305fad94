/** What a holder of a copy signs: that it has these bytes on its disk and keeps them until a time. */
import { recoverTypedDataAddress, type Address, type Hex } from 'viem';
import { z } from 'zod';
import { cidToDigest, parseCid } from './cid.ts';
import { StorageError } from './errors.ts';

/** Copies of every result, the owner's own among them. */
export const COPIES = 3;

/** EIP-712 domain of everything that is signed about storage: the network's chain and Market, under a name of its own. */
export interface StorageDomain {
  readonly name: 'DPU Storage';
  readonly version: '1';
  readonly chainId: number;
  readonly verifyingContract: Address;
}

/** The domain of the network with this Market. */
export function storageDomain(chainId: number, market: Address): StorageDomain {
  return { name: 'DPU Storage', version: '1', chainId, verifyingContract: market };
}

/** A holder's word about one root and everything that is kept with it. */
export interface Receipt {
  /** The root: of a result, its manifest. */
  readonly cid: string;
  /** Bytes of blocks under the root, the root's own included. */
  readonly bytes: number;
  /** The registered node that holds it. */
  readonly node: number;
  /** Last Unix second at which it is kept. */
  readonly until: number;
  /** 32 bytes that the asker chose, so that an old receipt does not pass for a new one. */
  readonly nonce: Hex;
}

/** A receipt with its holder's signature. */
export interface SignedReceipt extends Receipt {
  /** By the operator key of `node`. */
  readonly signature: Hex;
}

const hex = (bytes: number) =>
  z.custom<Hex>((text) => typeof text === 'string' && new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`).test(text));

/** A signed receipt as JSON. */
export const signedReceiptSchema = z.strictObject({
  cid: z.string().max(200),
  bytes: z.int().min(0),
  node: z
    .int()
    .min(1)
    .max(2 ** 32 - 1),
  until: z
    .int()
    .min(0)
    .max(2 ** 40),
  nonce: hex(32),
  signature: hex(65),
});

const TYPES = {
  StorageReceipt: [
    { name: 'root', type: 'bytes32' },
    { name: 'codec', type: 'uint8' },
    { name: 'bytes', type: 'uint64' },
    { name: 'node', type: 'uint32' },
    { name: 'until', type: 'uint64' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const;

/** What a holder signs: pass it to `signTypedData`. */
export function receiptTypedData({ cid, bytes, node, until, nonce }: Receipt, domain: StorageDomain) {
  const root = parseCid(cid);
  const message = {
    root: cidToDigest(root),
    codec: root.code,
    bytes: BigInt(bytes),
    node,
    until: BigInt(until),
    nonce,
  };
  return { domain, types: TYPES, primaryType: 'StorageReceipt', message } as const;
}

/** A receipt that proves nothing; `why` says what is wrong with it. Ask another holder. */
export class ReceiptInvalid extends StorageError {
  constructor(why: string) {
    super('receipt-invalid', `the receipt proves nothing: ${why}; ask another holder`, { why });
  }
}

/** What a receipt must say to be believed. Absent fields are not compared. */
export interface ReceiptDemand {
  readonly domain: StorageDomain;
  readonly cid: string;
  /** The operator that is registered for a node now; undefined when there is no such node. */
  readonly operatorOf: (node: number) => Promise<Address | undefined>;
  readonly node?: number | undefined;
  /** Least bytes. */
  readonly bytes?: number | undefined;
  /** Unix second until which it must be kept at least: now, to see whether it still holds. */
  readonly until: number;
  readonly nonce?: Hex | undefined;
}

/** Checks a receipt against what was asked and its signature against the node's operator. @throws ReceiptInvalid */
export async function verifyReceipt(receipt: SignedReceipt, demand: ReceiptDemand): Promise<void> {
  const { cid, bytes, node, until, nonce, signature } = receipt;
  if (cid !== demand.cid) throw new ReceiptInvalid(`it is for ${cid}, not ${demand.cid}`);
  if (demand.node !== undefined && node !== demand.node) {
    throw new ReceiptInvalid(`it is of node ${node}, not ${demand.node}`);
  }
  if (demand.nonce !== undefined && nonce !== demand.nonce) {
    throw new ReceiptInvalid('it answers another request: its nonce differs');
  }
  if (demand.bytes !== undefined && bytes < demand.bytes) {
    throw new ReceiptInvalid(`it is for ${bytes} bytes of ${demand.bytes}`);
  }
  if (until < demand.until) throw new ReceiptInvalid(`it ends at ${until}, before ${demand.until}`);
  const operator = await demand.operatorOf(node);
  if (operator === undefined) throw new ReceiptInvalid(`there is no node ${node}`);
  const signer = await recoverTypedDataAddress({ ...receiptTypedData(receipt, demand.domain), signature }).catch(
    () => undefined,
  );
  if (signer?.toLowerCase() !== operator.toLowerCase()) {
    throw new ReceiptInvalid(`it is signed by ${signer ?? 'nobody'}, the operator of node ${node} is ${operator}`);
  }
}
