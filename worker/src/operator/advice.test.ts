import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { adviceOf, isAdvised } from './advice.ts';

const root = new URL('../', import.meta.url);
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
);

/** Constant messages of warnings and errors, with the file that says them. */
const messages = sources.flatMap((name) => {
  const text = readFileSync(new URL(name, root), 'utf8');
  return [...text.matchAll(/log\.(?:warn|error)\(\s*(['"`])((?:(?!\1).)+)\1/g)].map(([, , message = '']) => ({
    name,
    message,
  }));
});

test('every warning and error says what to do next', () => {
  expect(messages.length).toBeGreaterThan(30);
  const bare = messages.filter(({ message }) => !isAdvised(message));
  expect(bare, 'add what to do about it to operator/advice.ts').toEqual([]);
});

test('advice is a sentence, and so is what is said of the rest', () => {
  for (const { message } of messages) expect(adviceOf(message)).toMatch(/^[A-Z].+\.$/);
  expect(adviceOf('Block could not be read')).toBe('Run dpu-node check, and look for this line in docs/node.md.');
});
