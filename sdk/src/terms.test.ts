import { describe, expect, test } from 'vitest';
import {
  acceptanceTypedData,
  acceptanceTypes,
  jobId,
  marketDomain,
  orderTypedData,
  priceAt,
  rampStart,
  runtimeBits,
  RUNTIMES,
  runtimeName,
  termsToJson,
  termsTypes,
  worstCase,
} from './terms.ts';
import type { Terms } from './terms.ts';
import { TERMS } from './testing.ts';

const domain = marketDomain(31337, '0x5FbDB2315678afecb367f032d93F642f64180aa3');

describe('terms', () => {
  test('are signed with the type string that the contract hashes', () => {
    expect(typeString('Terms', termsTypes.Terms)).toBe(
      'Terms(address requester,address currency,uint96 minPrice,uint96 maxPrice,uint96 bond,uint32 shards,' +
        'uint16 maxLease,uint8 runtime,uint8 tier,uint8 seats,bool direct,bool tolerant,uint16 auditBps,uint152 rules,uint32 node,' +
        'uint40 start,uint40 expiry,uint32 ramp,uint32 exec,uint32 window,bytes32 spec,bytes32 afterJob,uint64 salt)',
    );
    expect(typeString('Acceptance', acceptanceTypes.Acceptance)).toBe(
      'Acceptance(bytes32 job,uint32 first,uint32 node,bytes32 root,uint64 units,bytes32 manifest)',
    );
  });

  test('have an id that depends on every field, the chain and the Market', () => {
    const ids = new Set([
      jobId(TERMS, domain),
      jobId(TERMS, { ...domain, chainId: 1 }),
      jobId(TERMS, marketDomain(31337, TERMS.requester)),
      ...Object.keys(TERMS).map((field) => jobId(changed(field as keyof Terms), domain)),
    ]);
    expect(ids.size).toBe(3 + 23);
  });

  test('have this id on the first local deployment', () => {
    expect(jobId(TERMS, domain)).toBe('0x24ca22f20b40ecf94c6dfcf9777286a795a923ad3f62490c0c4b801e94a0840a');
  });

  test('make an order and an acceptance for a wallet to sign', () => {
    expect(orderTypedData(TERMS, domain)).toEqual({ domain, types: termsTypes, primaryType: 'Terms', message: TERMS });
    const acceptance = { job: TERMS.spec, first: 0, node: 1, root: TERMS.spec, units: 5n, manifest: TERMS.spec };
    expect(acceptanceTypedData(acceptance, domain).primaryType).toBe('Acceptance');
  });

  test('travel as JSON with what is wider than a number as decimal strings', () => {
    expect(JSON.parse(JSON.stringify(termsToJson(TERMS)))).toEqual({
      ...TERMS,
      minPrice: '1000000000000000000',
      maxPrice: '3000000000000000000',
      bond: '12000000000000000000',
      rules: TERMS.rules.toString(),
      salt: '7',
    });
  });
});

describe('price', () => {
  const ramp = { minPrice: 10n, maxPrice: 21n, ramp: 4 };

  test.each([
    ['before the ramp', 99, 10n],
    ['in its first second', 100, 10n],
    ['one second later, rounded down', 101, 12n],
    ['in the middle, rounded down', 102, 15n],
    ['in its last second but one, rounded down', 103, 18n],
    ['at its end', 104, 21n],
    ['long after', 9999, 21n],
  ])('%s', (_when, time, price) => {
    expect(priceAt(ramp, 100, time)).toBe(price);
  });

  test('of a job without a ramp is the lowest until it opens and the highest from then on', () => {
    expect([priceAt({ ...ramp, ramp: 0 }, 100, 100), priceAt({ ...ramp, ramp: 0 }, 100, 101)]).toEqual([10n, 21n]);
  });

  test('escrowed at the post is the highest for every shard', () => {
    expect(worstCase(TERMS)).toBe(24n * 10n ** 18n);
  });
});

describe('ramp', () => {
  test.each([
    ['begins at the post', 0, { postedAt: 100 }, 100],
    ['begins at the start when there is one', 150, { postedAt: 100 }, 150],
    ['may have begun before the post', 50, { postedAt: 100 }, 50],
    ['waits for the earlier job', 0, { postedAt: 100, afterCompletedAt: 130 }, 130],
    ['does not wait for an earlier job that is long complete', 0, { postedAt: 100, afterCompletedAt: 90 }, 100],
    ['begins again where a lease lapsed', 150, { postedAt: 100, afterCompletedAt: 130, lapsedAt: 400 }, 400],
  ])('%s', (_how, start, facts, from) => {
    expect(rampStart({ start }, facts)).toBe(from);
  });
});

test('runtimes have names', () => {
  expect(runtimeName(RUNTIMES.wasm)).toBe('wasm');
  expect(runtimeBits(['wasm', 'onnx'])).toBe(0b1010);
  expect(runtimeName(7)).toBe('container');
  expect(runtimeName(8)).toBeUndefined();
});

/** The terms with one field made different. */
function changed(field: keyof Terms): Terms {
  const value = TERMS[field];
  if (typeof value === 'bigint') return { ...TERMS, [field]: value + 1n };
  if (typeof value === 'number') return { ...TERMS, [field]: value + 1 };
  if (typeof value === 'boolean') return { ...TERMS, [field]: !value };
  return { ...TERMS, [field]: `${value.slice(0, -1).toLowerCase()}${value.endsWith('1') ? '2' : '1'}` };
}

/** The text whose hash EIP-712 calls the type hash. */
function typeString(name: string, fields: readonly { name: string; type: string }[]): string {
  return `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`;
}
