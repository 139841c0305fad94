import { expect, test } from 'vitest';

import { hoursAt, parseWindow } from './schedule.ts';

const at = (iso: string): number => Date.parse(iso) / 1000;
const window = (text: string, timezone = 'UTC') => [parseWindow(text, timezone)];

test.each([
  ['the second before it opens', '2026-06-01T21:59:59Z', false],
  ['the second in which it opens', '2026-06-01T22:00:00Z', true],
  ['after midnight', '2026-06-02T03:00:00Z', true],
  ['the last second', '2026-06-02T06:59:59Z', true],
  ['the second in which it closes', '2026-06-02T07:00:00Z', false],
  ['Saturday morning, which belongs to Friday', '2026-06-06T06:00:00Z', true],
  ['Saturday night', '2026-06-06T23:00:00Z', false],
  ['Monday morning, which would belong to Sunday', '2026-06-01T06:00:00Z', false],
])('22:00-07:00 weekdays: %s', (_name, time, open) => {
  expect(hoursAt(window('22:00-07:00 weekdays'), at(time)).open).toBe(open);
});

test('says when it opens and when it closes', () => {
  const night = window('22:00-07:00 weekdays');
  expect(hoursAt(night, at('2026-06-05T23:00:00Z'))).toEqual({ open: true, changesAt: at('2026-06-06T07:00:00Z') });
  expect(hoursAt(night, at('2026-06-06T07:00:00Z'))).toEqual({ open: false, changesAt: at('2026-06-08T22:00:00Z') });
});

test('windows that meet are one, and whole days of the whole week never close', () => {
  const two = [...window('08:00-12:00 mon'), ...window('12:00-18:00 mon')];
  expect(hoursAt(two, at('2026-06-01T09:00:00Z'))).toEqual({ open: true, changesAt: at('2026-06-01T18:00:00Z') });
  expect(hoursAt(window('00:00-24:00'), at('2026-06-01T09:00:00Z'))).toEqual({ open: true, changesAt: undefined });
  expect(hoursAt(window('00:00-24:00 sat,sun'), at('2026-06-06T09:00:00Z'))).toEqual({
    open: true,
    changesAt: at('2026-06-08T00:00:00Z'),
  });
  expect(hoursAt([], 0)).toEqual({ open: true, changesAt: undefined });
});

test('hours are local, on both sides of the change to summer time', () => {
  const berlin = window('22:00-07:00', 'Europe/Berlin');
  expect(hoursAt(berlin, at('2026-03-28T21:00:00Z'))).toEqual({ open: true, changesAt: at('2026-03-29T05:00:00Z') });
  expect(hoursAt(berlin, at('2026-03-28T20:59:59Z')).open).toBe(false);
});

test('names of days go around the week', () => {
  const odd = window('10:00-11:00 fri-mon');
  const open = ['2026-06-04', '2026-06-05', '2026-06-06', '2026-06-07', '2026-06-08', '2026-06-09'].map(
    (day) => hoursAt(odd, at(`${day}T10:30:00Z`)).open,
  );
  expect(open).toEqual([false, true, true, true, true, false]);
});

test.each([
  ['nights', 'it cannot be read'],
  ['25:00-07:00', 'it cannot be read'],
  ['22:00-24:30', 'a day has 24 hours'],
  ['08:00-08:00', 'it opens and closes at once; a whole day is 00:00-24:00'],
  ['08:00-09:00 someday', 'it names a day that there is not'],
])('refuses %s', (text, why) => {
  expect(() => parseWindow(text)).toThrow(
    `"${text}" is no time window: ${why}. Write HH:MM-HH:MM and days: daily, weekdays, weekends, or names such as mon,wed,fri or mon-thu.`,
  );
});
