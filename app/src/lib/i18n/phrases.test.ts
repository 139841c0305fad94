import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { phrases } from './de/phrases.ts';

const SRC = join(import.meta.dirname, '../..');
/** Its words are of another hand. */
const ELSEWHERE = /account/;

/** Every sentence that a page says, as it stands in the sources. */
function said(): Set<string> {
  const found = new Set<string>();
  for (const name of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.svelte') || ELSEWHERE.test(name)) continue;
    const source = readFileSync(join(SRC, name), 'utf8');
    for (const [, single, double] of source.matchAll(/\bsay\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g)) {
      found.add((single ?? double ?? '').replace(/\\(.)/g, '$1'));
    }
  }
  return found;
}

test('every sentence of every page has its German', () => {
  const all = said();
  expect(all.size).toBeGreaterThan(700);
  expect([...all].filter((sentence) => !Object.hasOwn(phrases, sentence))).toEqual([]);
});

test('no German sentence is empty, or ends otherwise than the English one', () => {
  const wrong = Object.entries(phrases).filter(([english, german]) => {
    const end = (text: string): string => /[.?:!;,(]$/.exec(text)?.[0] ?? '';
    return german.trim() === '' || (end(english) === '.') !== (end(german) === '.');
  });
  expect(wrong).toEqual([]);
});
