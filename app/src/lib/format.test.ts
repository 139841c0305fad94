import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  formatAmount,
  formatBps,
  formatBytes,
  formatCompact,
  formatCountdown,
  formatDuration,
  formatExactDuration,
  formatNumber,
  formatRelative,
  formatTime,
  parseAmount,
  parseDuration,
  plainAmount,
  shortHex,
} from './format.ts';
import { speak } from './i18n/locale.ts';

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

  test.each([[''], ['.'], ['-1'], ['1e3'], ['0x10'], ['1.2345678'], ['one'], ['12,5'], ['1,2500']])(
    'refuses %j',
    (text) => {
      expect(parseAmount(text, 6)).toBeUndefined();
    },
  );

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

describe('in German', () => {
  beforeAll(() => speak('de', {}));
  afterAll(() => speak('en', {}));

  test('numbers, sizes and times are written as Germans write them', () => {
    expect(formatAmount(1_234_567_890_000n, 6)).toBe('1.234.567,89');
    expect(formatAmount(1n, 18)).toBe('<0,0001');
    expect(formatCompact(9_999)).toBe('9.999');
    expect(formatNumber(0.5, 2, 2)).toBe('0,50');
    expect(formatBps(250)).toBe('2,5 %');
    expect(formatBytes(1_536_000)).toBe('1,5 MB');
    expect(formatDuration(3_725)).toBe('1 Std. 2 Min.');
    expect(formatCountdown(183_845)).toBe('2 Tg. 03:04:05');
    expect(formatRelative(1_000, 1_030)).toBe('vor 30 Sek.');
    expect(formatRelative(1_300, 1_000)).toBe('in 5 Min.');
    expect(formatTime(1_700_000_000)).toMatch(/^1[45]\.11\.2023, /);
  });

  test.each([
    ['12,5', 12_500_000n],
    ['12.5', 12_500_000n],
    ['0.125', 125_000n],
    ['1500', 1_500_000_000n],
    ['1500,25', 1_500_250_000n],
  ])('%s is an amount', (text, value) => {
    expect(parseAmount(text, 6)).toBe(value);
  });

  test.each(['1.500', '1.500.000', '1.500,25', '1,500.25', '1,2,3'])('%s could be two amounts, or is none', (text) => {
    expect(parseAmount(text, 6)).toBeUndefined();
  });

  test('what is written is read back', () => {
    expect(parseAmount(plainAmount(1_500_250_000n, 6), 6)).toBe(1_500_250_000n);
    expect(formatExactDuration(90_061)).toBe('1 Tg. 1 Std. 1 Min. 1 Sek.');
    expect(parseDuration(formatExactDuration(90_061))).toBe(90_061n);
  });
});
