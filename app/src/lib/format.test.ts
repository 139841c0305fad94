import { describe, expect, test } from 'vitest';

import {
  formatAmount,
  formatBps,
  formatBytes,
  formatCompact,
  formatCountdown,
  formatDuration,
  formatExactDuration,
  formatRelative,
  parseAmount,
  parseDuration,
  plainAmount,
  plural,
  shortHex,
} from './format.ts';

describe('formatAmount', () => {
  test.each([
    [0n, 18, '0'],
    [1_500_000_000_000_000_000n, 18, '1.5'],
    [1_234_567_890_000n, 6, '1,234,567.89'],
    [999_999_999_999_999_999n, 18, '0.9999'],
    [1n, 18, '<0.0001'],
    [-2_500_000n, 6, '−2.5'],
    [42n, 0, '42'],
  ])('shows %s with %s decimals as %s', (value, decimals, text) => {
    expect(formatAmount(value, decimals)).toBe(text);
  });

  test('never shows more than there is', () => {
    expect(formatAmount(1_999_999n, 6, 2)).toBe('1.99');
  });

  test('says that something is there even without digits', () => {
    expect(formatAmount(1n, 6, 0)).toBe('<1');
  });
});

describe('parseAmount', () => {
  test.each([
    ['1', 18, 1_000_000_000_000_000_000n],
    ['0.5', 6, 500_000n],
    ['.5', 6, 500_000n],
    ['1,250.25', 6, 1_250_250_000n],
    [' 3. ', 6, 3_000_000n],
    ['1.5000000', 6, 1_500_000n],
  ])('reads %j', (text, decimals, value) => {
    expect(parseAmount(text, decimals)).toBe(value);
  });

  test.each([[''], ['.'], ['-1'], ['1e3'], ['0x10'], ['1.2345678'], ['one']])('refuses %j', (text) => {
    expect(parseAmount(text, 6)).toBeUndefined();
  });

  test('reads back what plainAmount wrote', () => {
    for (const value of [0n, 1n, 10n, 1_000_000n, 123_456_789_012_345n]) {
      expect(parseAmount(plainAmount(value, 6), 6)).toBe(value);
    }
  });
});

test.each([
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [3_725, '1 h 2 min'],
  [90_061, '1 d 1 h'],
  [86_405, '1 d'],
])('formatDuration(%s) is %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test.each([
  [1_000, 1_001, 'now'],
  [1_000, 1_030, '30 s ago'],
  [1_000, 8_300, '2 h ago'],
  [1_300, 1_000, 'in 5 min'],
])('formatRelative(%s, %s) is %s', (time, now, text) => {
  expect(formatRelative(time, now)).toBe(text);
});

test('shortHex keeps both ends and leaves short values alone', () => {
  expect(shortHex('0x5fbdb2315678afecb367f032d93f642f64180aa3')).toBe('0x5fbd…0aa3');
  expect(shortHex('0x1234')).toBe('0x1234');
});

test('counts, shares and sizes', () => {
  expect(formatCompact(9_999)).toBe('9,999');
  expect(formatCompact(1_250_000)).toBe('1.3M');
  expect(formatBps(250)).toBe('2.5 %');
  expect(formatBytes(999)).toBe('999 B');
  expect(formatBytes(1_536_000)).toBe('1.5 MB');
  expect(formatBytes(48_000_000)).toBe('48 MB');
  expect(plural(1, 'shard')).toBe('1 shard');
  expect(plural(64, 'shard')).toBe('64 shards');
});

describe('exact durations', () => {
  test.each([
    [0, '0 s'],
    [59, '59 s'],
    [86_400, '1 d'],
    [90_061, '1 d 1 h 1 min 1 s'],
    [604_800n, '7 d'],
  ])('%s seconds are %s, and are read back', (seconds, text) => {
    expect(formatExactDuration(seconds)).toBe(text);
    expect(parseDuration(text)).toBe(BigInt(seconds));
  });

  test.each([
    ['36h', 129_600n],
    ['2 Days', 172_800n],
    ['1h30min', 5_400n],
    ['5 m', 300n],
    ['1 hour 1 second', 3_601n],
  ])('%s is understood', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  test.each(['', '5', 'd', '-1 d', '1.5 h', '3 weeks', '1 d x', '2 constructor'])('%s is no length of time', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

test.each([
  [0, '00:00:00'],
  [-5, '00:00:00'],
  [59, '00:00:59'],
  [3_600, '01:00:00'],
  [86_399, '23:59:59'],
  [86_400, '1 d 00:00:00'],
  [183_845, '2 d 03:04:05'],
])('%s seconds count down as %s', (seconds, text) => {
  expect(formatCountdown(seconds)).toBe(text);
});
