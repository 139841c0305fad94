import { expect, test } from 'vitest';

import { plainName, plainText } from './plain.ts';

test('characters that turn or hide text are taken out, everything else stays as it is', () => {
  expect(plainText('a\u202Egnp.exe\u2066b\u200Bc\u0000d\u061Ce')).toBe('agnp.exebcde');
  expect(plainText('<script>alert(1)</script> [x](javascript:1)')).toBe('<script>alert(1)</script> [x](javascript:1)');
  expect(plainText('  one\r\ntwo\n\n\n\nthree\t4 ')).toBe('one\ntwo\n\nthree\t4');
  expect(plainText('Grüße, 数, 👍')).toBe('Grüße, 数, 👍');
});

test('a name is one line, and says so where nothing is left of it', () => {
  expect(plainName(' one\n\ntwo ', 'none')).toBe('one two');
  expect(plainName('\u202E\u0000', 'none')).toBe('none');
});
