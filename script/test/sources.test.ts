import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = new URL('../../src-contracts/', import.meta.url).pathname;

/** Every contract's text without its comments and strings, by its path. */
const sources = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sol'))
    .map((path) => [path, withoutWords(readFileSync(join(folder, path), 'utf8'))]),
);

/** Keeps what the compiler reads: what stands in a comment or in quotes does nothing. */
function withoutWords(text: string): string {
  return text.replaceAll(/"[^"\n]*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//gu, '');
}

/** Files in which `pattern` stands, each as often as it does. */
function where(pattern: RegExp): string[] {
  return [...sources].flatMap(([path, text]) => [...text.matchAll(pattern)].map(() => path)).sort();
}

test('there is something to look at, and a comment is nothing', () => {
  expect(sources.size).toBeGreaterThan(40);
  expect(withoutWords('a /* b\n c */ d // e\n"f" g')).toBe('a  d \n g');
  expect(where(/\bcontract Market\b/gu)).toEqual(['Market.sol']);
});

test.each([
  ['who began the transaction', /\btx\.origin\b/gu],
  ['a number that the proposer of the block chooses', /\bprevrandao\b|\bdifficulty\b/gu],
  ['the hash of a block but through the history contract', /\bblockhash\s*\(/gu],
  ['a signature without its checks', /\becrecover\b/gu],
  ['the size of an account’s code', /\bextcodesize\b|\.code\.length\b/gu],
  ['its own end', /\bselfdestruct\b/gu],
])('no contract asks for %s', (_what, pattern) => {
  expect(where(pattern)).toEqual([]);
});

test('arithmetic is checked everywhere but where a comment says why it need not be', () => {
  const blocks = [...sources.keys()].flatMap((path) => {
    const lines = readFileSync(join(folder, path), 'utf8').split('\n');
    return lines.flatMap((line, at) =>
      /\bunchecked \{/u.test(line) ? [{ at: `${path}:${at + 1}`, text: lines.slice(at - 1, at + 2).join('\n') }] : [],
    );
  });
  expect(blocks.length).toBeGreaterThan(0);
  expect(blocks.filter(({ text }) => !text.includes('// '))).toEqual([]);
});

test('only the Market’s own parts are delegated to', () => {
  expect(where(/\bdelegatecall\s*\(/gu)).toEqual(['core/Delegation.sol']);
});

test('nothing is hashed without the lengths of its parts', () => {
  expect(where(/\bencodePacked\b/gu)).toEqual([]);
});

test('what a contract holds is only ever read as a difference', () => {
  expect(where(/balanceOf\(address\(this\)\)/gu)).toEqual(['extension/Ledger.sol', 'extension/Ledger.sol']);
});

test('the number of a block is a seed and never a time', () => {
  // A post, a commit and a dispute remember theirs; a draw waits for the next one.
  expect(where(/\bblock\.number\b/gu)).toEqual([
    'Jobs.sol',
    'capability/CapabilityProofs.sol',
    'core/Assurance.sol',
    'core/JobsCore.sol',
    'court/Disputes.sol',
    'types/Job.sol',
  ]);
});
