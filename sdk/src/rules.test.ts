import { encodePacked } from 'viem';
import { expect, test } from 'vitest';
import { baseAuditBps, packRules, readRules } from './rules.ts';
import { RULES } from './testing.ts';

test('rules are one word, the version lowest', () => {
  const types = ['uint24', 'uint16', 'uint24', 'uint24', 'uint16', 'uint16', 'uint16', 'uint16'] as const;
  const packed = encodePacked(types, [1_800, 30, 1_800, 600, 0, 40, 300, 1]);
  expect(packRules(RULES)).toBe(BigInt(packed));
  expect(readRules(BigInt(packed))).toEqual(RULES);
});

test('rules come back from their word at their highest values', () => {
  const most = {
    version: 65_535,
    feeBps: 65_535,
    bondTenths: 65_535,
    auditRates: 65_535,
    revealWindow: 16_777_215,
    auditWindow: 16_777_215,
    drawStep: 65_535,
    drawOpenAfter: 16_777_215,
  };
  expect(packRules(most)).toBe((1n << 152n) - 1n);
  expect(readRules(packRules(most))).toEqual(most);
});

test('two bits for each runtime say how often the protocol audits it', () => {
  const auditRates = 0b11_10_01_00_11_00_10_01;
  const rates = Array.from({ length: 9 }, (_, runtime) => baseAuditBps({ auditRates }, runtime));
  expect(rates).toEqual([100, 200, 0, 500, 0, 100, 200, 500, 0]);
  expect(baseAuditBps({ auditRates: 0xaaa8 }, 0)).toBe(0);
});

test('rules that do not fit are refused by the name of the field', () => {
  expect(() => packRules({ ...RULES, drawStep: 65_536 })).toThrow(
    new RangeError('rules.drawStep is 65536, but it must be a whole number from 0 to 65535.'),
  );
});
