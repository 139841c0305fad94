import { expect, test } from 'vitest';

import { idText, proposalIdOf } from './id.ts';
import { descriptionOf, headline } from './text.ts';

test('the first line is the headline', () => {
  expect(headline('# Lower the fee\n\nBecause.')).toEqual({ title: 'Lower the fee', body: 'Because.' });
  expect(headline('Lower the fee')).toEqual({ title: 'Lower the fee', body: '' });
  expect(headline(' \u202E\n ')).toEqual({ title: 'A proposal without words', body: '' });
});

test('a headline that is too long is cut, and then the text follows whole', () => {
  const fits = 'x'.repeat(120);
  expect(headline(`${fits}\nmore`)).toEqual({ title: fits, body: 'more' });
  const long = `${'x'.repeat(121)}\nmore`;
  expect(headline(long)).toEqual({ title: `${'x'.repeat(119)}…`, body: long });
});

test('headline and reasons make a description that is read back', () => {
  const text = descriptionOf(' Lower the fee ', 'Because.\n\nReally. ');
  expect(text).toBe('Lower the fee\n\nBecause.\n\nReally.');
  expect(headline(text)).toEqual({ title: 'Lower the fee', body: 'Because.\n\nReally.' });
  expect(descriptionOf('Only this', ' ')).toBe('Only this');
});

test('ids are read from hexadecimal and decimal numbers of at most 32 bytes', () => {
  expect(proposalIdOf(idText(255n))).toBe(255n);
  expect(idText(255n)).toBe(`0x${'0'.repeat(62)}ff`);
  expect(proposalIdOf('255')).toBe(255n);
  expect(proposalIdOf(String(2n ** 256n - 1n))).toBe(2n ** 256n - 1n);
  for (const text of [String(2n ** 256n), '', '0x', 'abc', '-1', '1.5', `0x${'f'.repeat(65)}`])
    expect(proposalIdOf(text), text).toBeUndefined();
});
