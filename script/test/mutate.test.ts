import { describe, expect, test } from 'vitest';

import { type AstNode, importsOf } from '../mutate/ast.ts';
import { parse } from '../mutate/compile.ts';
import { aroundOf, type Constant, constantsOf, isSwitchable } from '../mutate/constants.ts';
import { failuresOf } from '../mutate/lane.ts';
import { type Mutant, mutantsOf } from '../mutate/operators.ts';
import { Results, scoreOf, tableOf } from '../mutate/results.ts';
import { idOf, mutatedText, type Schema, schemasOf } from '../mutate/schema.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const wrap = (body: string): string =>
  `// SPDX-License-Identifier: MIT\npragma solidity 0.8.34;\n\n// ≤ takes three bytes\ncontract C {\n    uint256 internal _sum;\n\n${body}\n}\n`;

interface Found {
  text: string;
  found: Mutant[];
  constants: Constant[];
}

/** The mutants of a contract's body, and its constants, by the real compiler. */
async function mutants(body: string): Promise<Found> {
  const base = mkdtempSync(join(tmpdir(), 'mutate-'));
  try {
    const text = wrap(body);
    const sources = new Map([['C.sol', text]]);
    const trees = await parse(base, sources);
    const found = mutantsOf('C.sol', text, trees.get('C.sol') as AstNode);
    return { text, found, constants: constantsOf(trees, sources) };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
/** The source with all mutants behind switches, and the switch of each. */
function schema({ text, found, constants }: Found): Schema & { switches: string[] } {
  const numbered = found.map((mutant, i) => ({ mutant, id: idOf(i) }));
  const made = schemasOf(new Map([['C.sol', text]]), numbered, constants).get('C.sol') as Schema;
  return { ...made, switches: numbered.map(({ id }) => `_mutant(${id})`) };
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
  const { text, spans, switches } = schema(await mutants('function f(uint256 a) external { require(a < 2); }'));
  const [none, boundary, negation, up, down] = switches;
  expect(text).toContain(
    `{ if (${none}) {  } else { require((${boundary} ? (a <= 2) : ${negation} ? (a >= 2) : (a < (${up} ? (3) : ${down} ? (1) : (2))))); } }`,
  );
  const [, span] = spans;
  expect(Buffer.from(text).subarray(span?.start, span?.end).toString()).toBe('a <= 2');
});

test('a number that is shifted stays as wide behind its switch as it was', async () => {
  const { text } = schema(await mutants('function f(uint256 a) external { _sum = 1 << a; }'));
  expect(text).toMatch(/\(uint256\(_mutant\(\d+\) \? \(2\) : _mutant\(\d+\) \? \(0\) : \(1\)\) << a\)/);
});

describe('constants', () => {
  const body = (more: string): string =>
    `uint256 private constant A = 4; uint256 private constant B = A * A; ${more} function f() external { _sum = B; }`;

  test('are read by functions, and so are those that are made of them', async () => {
    const of = await mutants(body(''));
    const [a, b] = of.constants as [Constant, Constant];
    const { text, switches } = schema(of);
    const [up, down, divide] = of.found.slice(0, 3).map((_, i) => switches[i]);
    expect(changes(of).slice(0, 3)).toEqual(['constant: 4 => 5', 'constant: 4 => 3', 'arithmetic: A * A => A / A']);
    expect(text).toContain(
      `constant A = 4; function ${a.reader}() internal pure returns (uint256) { return (${up} ? (5) : ${down} ? (3) : (4)); }`,
    );
    expect(text).toContain(`{ return (${divide} ? (A / A) : (${a.reader}() * ${a.reader}())); }`);
    expect(text).toContain(`_sum = ${b.reader}();`);
    expect(isSwitchable(aroundOf(of.found[0] as Mutant, of.constants) as Constant)).toBe(true);
  });

  test('that say how long an array is, or stand in assembly, need a build', async () => {
    for (const [more, fixed] of [
      ['uint256[B] private _list;', 'B'],
      ['function g() external pure { assembly { pop(A) } }', 'A'],
    ] as const) {
      const { constants } = await mutants(body(more));
      expect(constants.filter(({ isFixed }) => isFixed).map(({ name }) => name)).toEqual([fixed]);
      expect(isSwitchable(constants[0] as Constant)).toBe(false);
    }
  });
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

test('verdicts outlive the run, until their function has another text', async () => {
  const base = mkdtempSync(join(tmpdir(), 'mutate-'));
  try {
    const path = join(base, 'results.json');
    const { found } = await mutants('function f() external { ++_sum; ++_sum; }');
    const [one, two] = found as [Mutant, Mutant];
    const first = new Results(path);
    first.add(two, { status: 'survived', seconds: 1 });
    first.add(one, { status: 'killed', by: 'CTest.test_F', seconds: 1 });
    const next = new Results(path);
    expect(next.find(one)).toEqual({ ...one, status: 'killed', by: 'CTest.test_F' });
    expect(next.find(two)).toEqual({ ...two, status: 'survived' });
    expect(next.find({ ...one, digest: 'another' })).toBeUndefined();
    next.retry(found);
    expect(next.find(two)).toBeUndefined();
    next.prune([]);
    expect(next.find(one)).toBeUndefined();
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test('the score leaves out what is explained and what does not compile', () => {
  const entry = (key: string, status: 'killed' | 'survived' | 'compile-error') => ({
    ...{ key, status, file: 'src-contracts/A.sol', scope: 'A.f' },
  });
  const entries = [entry('a', 'killed'), entry('b', 'survived'), entry('c', 'survived'), entry('d', 'compile-error')];
  const [row, total] = tableOf(entries, new Map([['c', 'for a reason']]));
  expect(row).toEqual({ name: 'A.sol A', mutants: 4, killed: 1, explained: 1, survived: 1, 'compile-error': 1 });
  expect(total && scoreOf(total)).toBe(50);
});
