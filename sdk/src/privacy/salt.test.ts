import { createHmac, hkdfSync } from 'node:crypto';

import fc from 'fast-check';
import { bytesToHex, hexToBytes, keccak256, sha256, toHex, zeroHash, type Hex } from 'viem';
import { expect, test } from 'vitest';

import { merkleRoot } from '../merkle.ts';
import { newJobKey } from './envelope.ts';
import { parseIdentity } from './identity.ts';
import { saltedHash, saltedHashOf, saltOf } from './salt.ts';

const JOB = keccak256(toHex('job'));

test('the salt is HKDF-SHA256 of the job key with the job id, as node computes it', async () => {
  const jobKey = await newJobKey();
  const expected = Buffer.from(hkdfSync('sha256', jobKey.bytes(), hexToBytes(JOB), 'dpu/v1/result-salt', 32));
  expect(await saltOf(jobKey, JOB)).toBe(bytesToHex(expected));
});

test('the hash is HMAC-SHA256 of shard and plain hash, as node computes it', async () => {
  const output = Uint8Array.of(1);
  const salt = keccak256(toHex('salt'));
  const message = Buffer.concat([Buffer.from([0, 0, 1, 2]), hexToBytes(sha256(output))]);
  const expected = createHmac('sha256', hexToBytes(salt)).update(message).digest();
  expect(await saltedHashOf(salt, 258, output)).toBe(bytesToHex(expected));
  expect(await saltedHash(salt, 258, sha256(output))).toBe(bytesToHex(expected));
});

test('a known key, job and output have a known salt and hash for ever', async () => {
  const secret = 'AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZ9K4CN';
  const salt = await saltOf(await parseIdentity(secret), JOB);
  expect(salt).toBe('0x954dcd0408d7d405c4c444797fc0e2e808eb6b7bd658785e9ded014268e3c835');
  expect(await saltedHashOf(salt, 7, new TextEncoder().encode('yes'))).toBe(
    '0xe611ba14e31f372ce54151572c87f17df5ba6a2ae8951f7c658a6951d0bc566e',
  );
});

test('two honest nodes make the same root, and another answer, shard, job or key makes another', async () => {
  const [jobKey, otherKey] = [await newJobKey(), await newJobKey()];
  const opened = await parseIdentity(jobKey.secret());
  const root = async (key = jobKey, job: Hex = JOB, answer = 'yes', shard = 0): Promise<Hex> =>
    merkleRoot([{ shard, units: 3n, hash: await saltedHashOf(await saltOf(key, job), shard, Buffer.from(answer)) }]);
  const honest = await root();
  expect(await root(opened)).toBe(honest);
  expect(
    new Set([honest, await root(otherKey), await root(jobKey, zeroHash), await root(jobKey, JOB, 'no')]).size,
  ).toBe(4);
});

test('equal outputs of two shards do not look alike', async () => {
  const salt = keccak256(toHex('salt'));
  await fc.assert(
    fc.asyncProperty(fc.nat(0xffff_fffe), fc.uint8Array({ maxLength: 64 }), async (shard, output) => {
      expect(await saltedHashOf(salt, shard, output)).not.toBe(await saltedHashOf(salt, shard + 1, output));
    }),
    { numRuns: 50 },
  );
});

test('what is not 32 bytes or no shard is refused', async () => {
  await expect(saltOf(await newJobKey(), '0x12')).rejects.toThrow('The job id must be 32 bytes.');
  await expect(saltedHash('0x12', 0, zeroHash)).rejects.toThrow('The salt must be 32 bytes.');
  await expect(saltedHash(zeroHash, 0, '0x')).rejects.toThrow('The hash of the output must be 32 bytes.');
  await expect(saltedHash(zeroHash, 2 ** 32, zeroHash)).rejects.toThrow();
  await expect(saltedHash(zeroHash, -1, zeroHash)).rejects.toThrow();
});
