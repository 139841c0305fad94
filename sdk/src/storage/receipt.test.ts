import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { ReceiptInvalid, receiptTypedData, signedReceiptSchema, storageDomain, verifyReceipt } from './receipt.ts';
import type { Receipt, ReceiptDemand, SignedReceipt } from './receipt.ts';

const DOMAIN = storageDomain(31_337, '0x00000000000000000000000000000000000000d1');
const holder = privateKeyToAccount(`0x${'33'.repeat(32)}`);
const liar = privateKeyToAccount(`0x${'44'.repeat(32)}`);
const CID = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
const RECEIPT: Receipt = { cid: CID, bytes: 1_000, node: 3, until: 2_000, nonce: `0x${'ab'.repeat(32)}` };

const sign = async (receipt: Receipt, account = holder, domain = DOMAIN): Promise<SignedReceipt> => ({
  ...receipt,
  signature: await account.signTypedData(receiptTypedData(receipt, domain)),
});
const demand = (over: Partial<ReceiptDemand> = {}): ReceiptDemand => ({
  ...{ domain: DOMAIN, cid: CID, node: 3, bytes: 1_000, until: 2_000, nonce: RECEIPT.nonce },
  operatorOf: async (node) => (node === 3 ? holder.address : undefined),
  ...over,
});

describe('a receipt', () => {
  test('of the node’s operator, over exactly what was asked, is believed, also as JSON', async () => {
    const receipt = await sign(RECEIPT);
    await verifyReceipt(receipt, demand());
    await verifyReceipt(signedReceiptSchema.parse(JSON.parse(JSON.stringify(receipt))) as SignedReceipt, demand());
  });

  test('that promises more than was asked is believed', async () => {
    await verifyReceipt(await sign({ ...RECEIPT, bytes: 1_001, until: 2_001 }), demand());
  });

  test.each<[string, Partial<Receipt>, Partial<ReceiptDemand>, RegExp]>([
    [
      'for another root',
      { cid: 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e' },
      {},
      /it is for bafkrei/,
    ],
    ['of another node', { node: 4 }, {}, /it is of node 4, not 3/],
    ['to another request', { nonce: `0x${'cd'.repeat(32)}` }, {}, /its nonce differs/],
    ['for one byte less', { bytes: 999 }, {}, /for 999 bytes of 1000/],
    ['that ends a second too early', { until: 1_999 }, {}, /ends at 1999, before 2000/],
    ['of a node that is not registered', { node: 4 }, { node: undefined }, /there is no node 4/],
  ])('%s is not', async (_name, over, asked, why) => {
    await expect(verifyReceipt(await sign({ ...RECEIPT, ...over }), demand(asked))).rejects.toThrow(why);
  });

  test('that somebody else signed, for another network, or that was changed since, is not', async () => {
    const cases = [
      await sign(RECEIPT, liar),
      await sign(RECEIPT, holder, storageDomain(1, DOMAIN.verifyingContract)),
      { ...(await sign({ ...RECEIPT, until: 1_999 })), until: 2_000 },
      { ...(await sign(RECEIPT)), signature: `0x${'00'.repeat(65)}` as const },
    ];
    for (const receipt of cases) await expect(verifyReceipt(receipt, demand())).rejects.toBeInstanceOf(ReceiptInvalid);
  });

  test('of the same bytes under another codec is another receipt', () => {
    const raw = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
    expect(receiptTypedData({ ...RECEIPT, cid: raw }, DOMAIN).message).toMatchObject({ codec: 0x55 });
    expect(receiptTypedData(RECEIPT, DOMAIN).message).toMatchObject({ codec: 0x71 });
  });
});
