/** Contract wallets at a gateway that takes signed writes: they have no key, so the chain is asked what they have signed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashTypedData, toHex, zeroHash, type Address, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { contractWallets } from '../src/gateway/contractWallets.ts';
import { startGateway, type Gateway } from '../src/gateway/server.ts';
import { SignedWrites } from '../src/gateway/writers.ts';
import { randomBytes } from '../src/storage/fixtures.ts';
import { HttpBackend } from '../src/storage/httpBackend.ts';
import { storageDomain } from '../src/storage/receipt.ts';
import { uploadGrant } from '../src/storage/uploadGrant.ts';
import { signedWriteHeaders, type VerifySigned, type WriteRequest } from '../src/storage/writeAuth.ts';
import { startAnvil, type TestChain } from './anvil.ts';

const DOMAIN = storageDomain(31_337, '0x00000000000000000000000000000000000000d1');
const WALLET: Address = '0x00000000000000000000000000000000000c0de1';
/**
 * A wallet whose owners approve hashes beforehand, as some do: `isValidSignature(hash, …)` answers ERC-1271's word when the storage slot of that number is
 * one, else zero. PUSH1 4 CALLDATALOAD SLOAD PUSH4 1626ba7e MUL PUSH1 224 SHL PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN.
 */
const CODE: Hex = '0x60043554631626ba7e0260e01b60005260206000f3';
/** This wallet looks at the hash alone. viem's universal check needs 32 bytes. */
const ANY_SIGNATURE: Hex = `0x${'c0ffee'.repeat(32)}`;
const NOW = 1_800_000_000;

let chain: TestChain;
let dir: string;
let gateway: Gateway;
let asked: number;
let clock: number;
let verify: VerifySigned | undefined;
beforeAll(async () => {
  chain = await startAnvil();
  await chain.testClient.setCode({ address: WALLET, bytecode: CODE });
});
afterAll(() => chain.stop());

beforeEach(async () => {
  [asked, clock] = [0, 0];
  dir = await mkdtemp(join(tmpdir(), 'dpu-wallets-'));
  const { publicClient } = chain;
  const client = {
    getBlockNumber: publicClient.getBlockNumber,
    verifyTypedData: ((parameters) => {
      asked += 1;
      return publicClient.verifyTypedData(parameters);
    }) as typeof publicClient.verifyTypedData,
  };
  verify = contractWallets({ perBlock: 3 }, { client, clockMs: () => clock });
  const writes = new SignedWrites({
    domain: DOMAIN,
    gateways: () => [gateway.url],
    verify: (...signed) => verify!(...signed),
    admit: async (account) => (account === WALLET ? { by: `wallet:${account}`, quotaBytes: 1e9 } : undefined),
    nowSeconds: () => NOW,
  });
  gateway = await startGateway({ dir, authorizeWrite: (attempt) => writes.judge(attempt), signedWrites: true });
});
afterEach(async () => {
  await gateway.close();
  await rm(dir, { recursive: true });
});

/** The wallet's owners approve a hash, or take it back. */
const approve = (hash: Hex, yes = true): Promise<void> =>
  chain.testClient.setStorageAt({ address: WALLET, index: hash, value: yes ? toHex(1, { size: 32 }) : zeroHash });

type HeadersOf = (request: WriteRequest) => Promise<Record<string, string>>;
const upload = (headers: HeadersOf): Promise<unknown> =>
  new HttpBackend({ getHolders: () => [gateway.url], writeTo: gateway.url, upload: { tries: 1 } }, { headers }).addFile(
    randomBytes(10),
  );

/** A grant of the wallet's, and the hash that its owners approve. */
function grant(account: Address | undefined = WALLET, approved = true) {
  const hashes: Hex[] = [];
  const headers = uploadGrant(
    { domain: DOMAIN, ...(account ? { account } : {}) },
    {
      async sign(data) {
        const hash = hashTypedData(data);
        hashes.push(hash);
        if (approved) await approve(hash);
        return ANY_SIGNATURE;
      },
      fetch,
      nowSeconds: () => NOW,
    },
  );
  return { headers, hashes };
}

test('uploads under a grant that the wallet approved, with one question to the chain for each block', async () => {
  const { headers, hashes } = grant();
  await upload(headers);
  await upload(headers);
  expect([hashes.length, asked]).toEqual([1, 1]);
  await chain.testClient.mine({ blocks: 1 });
  clock += 999;
  await upload(headers);
  expect(asked, 'the block’s number is believed for a second').toBe(1);
  clock += 1;
  await upload(headers);
  expect(asked).toBe(2);
});

test('a wallet that takes its word back is heard with the next block', async () => {
  const { headers, hashes } = grant();
  await upload(headers);
  await approve(hashes[0]!, false);
  await chain.testClient.mine({ blocks: 1 });
  clock += 1_000;
  await expect(upload(headers)).rejects.toThrow(`${WALLET} has not signed this, or not any more`);
});

test('signs single requests too, each good once', async () => {
  const account = { account: WALLET };
  const signing = signedWriteHeaders(
    {
      ...account,
      async signWrite(data) {
        await approve(hashTypedData(data));
        return ANY_SIGNATURE;
      },
    },
    DOMAIN,
    () => NOW,
  );
  const sent: Record<string, string>[] = [];
  await upload(async (request) => {
    const headers = await signing(request);
    sent.push(headers);
    return headers;
  });
  expect(sent.length).toBeGreaterThan(0);
  const [{ authorization = '' }] = sent as [Record<string, string>];
  expect(JSON.parse(atob(authorization.split(' ')[1]!.replaceAll('-', '+').replaceAll('_', '/')))).toMatchObject(
    account,
  );
});

test('what nobody approved, what names nobody, and a key that names the wallet are refused', async () => {
  await expect(upload(grant(WALLET, false).headers)).rejects.toThrow('has not signed this');
  const unnamed = uploadGrant({ domain: DOMAIN }, { sign: async () => ANY_SIGNATURE, fetch, nowSeconds: () => NOW });
  await expect(upload(unnamed)).rejects.toThrow('does not recover to an account');
  const key = chain.person(1);
  const forged = uploadGrant(
    { domain: DOMAIN, account: WALLET },
    { sign: (data) => key.signTypedData(data), fetch, nowSeconds: () => NOW },
  );
  await expect(upload(forged)).rejects.toThrow('has not signed this');
  expect(asked).toBe(2);
});

test('strangers make it ask a few times a block at most, and a chain that is away is asked again', async () => {
  for (let round = 0; round < 3; round += 1)
    await expect(upload(grant(WALLET, false).headers)).rejects.toThrow('not signed');
  await expect(upload(grant().headers)).rejects.toThrow('too many contract wallets');
  await chain.testClient.mine({ blocks: 1 });
  clock += 1_000;
  await upload(grant().headers);
  expect(asked).toBe(4);
});

test('a gateway without a chain says that it asks no contract wallets', async () => {
  verify = undefined;
  const writes = new SignedWrites({ domain: DOMAIN, gateways: () => [gateway.url], admit: async () => undefined });
  const headers = new Headers(await grant(WALLET, false).headers({ gateway: gateway.url }));
  await expect(writes.judge({ method: 'POST', path: '/', headers })).rejects.toThrow('asks no contract wallets');
});
