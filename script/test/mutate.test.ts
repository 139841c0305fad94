import { describe, expect, test } from 'vitest';

import { type AstNode, importsOf } from '../mutate/ast.ts';
import { parse } from '../mutate/compile.ts';
import { failuresOf } from '../mutate/lane.ts';
import { type Mutant, mutantsOf } from '../mutate/operators.ts';
import { scoreOf, tableOf } from '../mutate/results.ts';
import { idOf, mutatedText, schemaOf } from '../mutate/schema.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const wrap = (body: string): string =>
  `// SPDX-License-Identifier: MIT\npragma solidity 0.8.34;\n\n// ≤ takes three bytes\ncontract C {\n    uint256 internal _sum;\n\n${body}\n}\n`;

/** The mutants of a function body, by the real compiler. */
async function mutants(body: string): Promise<{ text: string; found: Mutant[] }> {
  const base = mkdtempSync(join(tmpdir(), 'mutate-'));
  try {
    const text = wrap(body);
    const tree = (await parse(base, new Map([['C.sol', text]]))).get('C.sol') as AstNode;
    return { text, found: mutantsOf('C.sol', text, tree) };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
const changes = ({ found }: { found: Mutant[] }): string[] =>
  found.map(({ operator, original, mutated }) => `${operator}: ${original} => ${mutated}`);

describe('mutants', () => {
  test('shift a boundary, turn a comparison, and leave out a guard', async () => {
    const of = await mutants('function f(uint256 a) external view { require(a <= _sum); }');
    expect(changes(of)).toEqual([
      'require: require(a <= _sum); => ',
      'boundary: a <= _sum => a < _sum',
      'negation: a <= _sum => a > _sum',
    ]);
  });

  test('swap arithmetic, leave out assignments and calls, but no events', async () => {
    const of = await mutants(
      'event E(); function f(uint256 a) external { _sum += a * a; g(); emit E(); }\n function g() internal {}',
    );
    expect(changes(of)).toEqual([
      'assignment: _sum += a * a; => ',
      'arithmetic: _sum += a * a => _sum -= a * a',
      'arithmetic: a * a => a / a',
      'call: g(); => ',
    ]);
  });

  test('move constants by one and swap connectives', async () => {
    const of = await mutants('function f(bool a, bool b) external pure returns (uint256) { return a && b ? 7 : 0; }');
    expect(changes(of)).toEqual([
      'logic: a && b => a || b',
      'constant: 7 => 8',
      'constant: 7 => 6',
      'constant: 0 => 1',
    ]);
  });

  test('keep their keys when lines move, and number equals in turn', async () => {
    const body = 'function f() external { ++_sum; ++_sum; }';
    const here = await mutants(body);
    const below = await mutants(`\n\n${body}`);
    expect(below.found.map(({ key }) => key)).toEqual(here.found.map(({ key }) => key));
    expect(below.found[0]?.line).toBe((here.found[0]?.line ?? 0) + 2);
    expect(here.found.map(({ key }) => key)).toContain('C.sol C.f: assignment ++_sum; => nothing (2)');
  });

  test('stand where the bytes say, beyond letters of several bytes', async () => {
    const { text, found } = await mutants('function f(uint256 a) external pure returns (bool) { return a == 1; }');
    expect(mutatedText(text, found[0] as Mutant)).toBe(text.replace('a == 1', 'a != 1'));
  });
});

test('a schema holds every mutant behind its number, inner ones inside the original only', async () => {
  const { text, found } = await mutants('function f(uint256 a) external { require(a < 2); }');
  const numbered = found.map((mutant, i) => ({ mutant, id: idOf(i) }));
  const [none, boundary, negation, up, down] = numbered.map(({ id }) => `_mutant(${id})`);
  const { text: schema, spans } = schemaOf(text, numbered);
  expect(schema).toContain(
    `{ if (${none}) {  } else { require((${boundary} ? (a <= 2) : ${negation} ? (a >= 2) : (a < (${up} ? (3) : ${down} ? (1) : (2))))); } }`,
  );
  const [, span] = spans;
  expect(Buffer.from(schema).subarray(span?.start, span?.end).toString()).toBe('a <= 2');
});

test('a number that is shifted stays as wide behind its switch as it was', async () => {
  const { text, found } = await mutants('function f(uint256 a) external { _sum = 1 << a; }');
  const numbered = found.map((mutant, i) => ({ mutant, id: idOf(i) }));
  expect(schemaOf(text, numbered).text).toMatch(
    /\(uint256\(_mutant\(\d+\) \? \(2\) : _mutant\(\d+\) \? \(0\) : \(1\)\) << a\)/,
  );
});

test('imports are found over several lines, and relative ones are resolved', () => {
  const text = 'import {A,\n B} from "./b/A.sol";\nimport "@x/C.sol";\nimport {D} from "../D.sol";\n';
  expect(importsOf('src/a/F.sol', text)).toEqual(['src/a/b/A.sol', '@x/C.sol', 'src/D.sol']);
});

test('failures are named by suite and test, campaigns by their suite', () => {
  const output =
    'Ran 2 tests for test/A.t.sol:ATest\n[PASS] test_One() (gas: 1)\n[FAIL: a != b] test_Two() (gas: 2)\n' +
    'Ran 1 test for test/B.t.sol:BTest\n[FAIL: books]\n\t[Sequence] (original: 3)\n invariant_X() (runs: 1)\n';
  expect(failuresOf(output)).toEqual(['ATest.test_Two', 'BTest']);
});

test('the score leaves out what is explained and what does not compile', () => {
  const entry = (key: string, status: 'killed' | 'survived' | 'compile-error') => ({
    key,
    status,
    seconds: 1,
    file: 'src-contracts/A.sol',
    scope: 'A.f',
    operator: 'logic',
    line: 1,
    original: '',
    mutated: '',
    digest: '',
  });
  const entries = [entry('a', 'killed'), entry('b', 'survived'), entry('c', 'survived'), entry('d', 'compile-error')];
  const [row, total] = tableOf(entries, new Map([['c', 'for a reason']]));
  expect(row).toEqual({ name: 'A.sol A', mutants: 4, killed: 1, explained: 1, survived: 1, 'compile-error': 1 });
  expect(total && scoreOf(total)).toBe(50);
});
