import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { root } from '../native.mjs';

/** A row of a table: its first cell, and the tests that its last cell names. */
interface Row {
  readonly id: string;
  readonly tests: { readonly file: string; readonly name: string }[];
  readonly words: string;
}

/** Contract tests are named below their folder, all others below the repository. */
function pathOf(file: string): string {
  return file.endsWith('.sol') ? join(root, 'test/contracts', file) : join(root, file);
}

/** The rows of all tables of a page whose first cell is a number or a number after `T`. In the last cell each name in backticks belongs to the file before it. */
function rowsOf(page: string): Row[] {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  return text.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const id = /^(T?\d+)\b/u.exec(cells[1] ?? '')?.[1];
    if (id === undefined || cells.length < 5) return [];
    const words = cells.at(-2) ?? '';
    const tests: { file: string; name: string }[] = [];
    let file = '';
    for (const [, token = ''] of words.matchAll(/`([^`]+)`/gu)) {
      if (/\.(?:sol|ts)$/u.test(token)) file = token;
      else tests.push({ file, name: token });
    }
    return [{ id, tests, words }];
  });
}

/** Whether a file holds a test of that name, as a function of Solidity or as the first argument of a test. */
function holds(text: string, name: string): boolean {
  return text.includes(`function ${name}(`) || [`'${name}'`, `"${name}"`, `\`${name}\``].some((n) => text.includes(n));
}

test('a row is its number and the tests behind their files', () => {
  expect(holds('function test_A() external {', 'test_A')).toBe(true);
  expect(holds('function test_AB() external {', 'test_A')).toBe(false);
  expect(holds("test('does it', () => {})", 'does it')).toBe(true);
  expect(holds('it does it', 'does it')).toBe(false);
});

describe.each([
  ['findings.md', Array.from({ length: 59 }, (_, i) => String(i + 1))],
  ['threats.md', Array.from({ length: 23 }, (_, i) => `T${i + 1}`)],
])('%s', (page, ids) => {
  const rows = rowsOf(page);

  test('has every row once, in order', () => {
    expect(rows.map(({ id }) => id)).toEqual(ids);
  });

  test('answers every row by a test, or says why it cannot apply', () => {
    const without = rows.filter(({ tests, words }) => tests.length === 0 && !words.startsWith('cannot apply:'));
    expect(without.map(({ id }) => id)).toEqual([]);
  });

  test('names tests that there are', () => {
    const missing = rows.flatMap(({ id, tests }) =>
      tests
        .filter(({ file, name }) => !existsSync(pathOf(file)) || !holds(readFileSync(pathOf(file), 'utf8'), name))
        .map(({ file, name }) => `${id}: ${file} ${name}`),
    );
    expect(missing).toEqual([]);
  });
});
