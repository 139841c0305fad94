import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';

import { plainRunes } from '../testing.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import type * as Module from './i18n.svelte.ts';

let chosenLanguage: typeof Module.chosenLanguage;
beforeAll(async () => {
  plainRunes();
  ({ chosenLanguage } = await import('./i18n.svelte.ts'));
});

test.each([
  ['de', 'de'],
  [null, 'en'],
  ['klingon', 'en'],
  ['toString', 'en'],
])('what was chosen before, %s, is %s', (stored, language) => {
  expect(chosenLanguage(stored)).toBe(language);
});

test('the words that stand there before the first page are those of the page', () => {
  const html = readFileSync(new URL('../../app.html', import.meta.url), 'utf8').replace(/\s+/g, ' ');
  expect(html).toContain(`<b>${en.home.title}</b>`);
  expect(html).toContain(`>${en.home.text}</span`);
});

test('nothing is left untranslated or empty', () => {
  for (const [part, words] of Object.entries(en)) {
    for (const [key, text] of Object.entries(words)) {
      const other = (de[part as keyof typeof de] as Record<string, string>)[key];
      expect(other, `${part}.${key}`).toBeTruthy();
      if (text.length > 12) expect(other, `${part}.${key}`).not.toBe(text);
    }
  }
});
