/**
 * Many mutants in one contract. Compiling takes tens of seconds and a test run one or two, so a file is compiled once with all of its mutants inside,
 * each behind a switch, and the test run says which one is on: by the block's coinbase, at which nothing else in this project looks.
 */
import type { Sources } from './ast.ts';
import { aroundOf, type Constant, type Use, withReaders } from './constants.ts';
import type { Mutant } from './operators.ts';

/** The source that holds the switch, and the name under which mutated sources import it. */
export const SWITCH_NAME = 'mutation/Switch.sol';
export const SWITCH = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

function _coinbaseIs(uint256 id) view returns (bool) {
    return uint160(address(block.coinbase)) == id;
}

/// @dev Pure by a cast, so that it may stand in pure functions too.
function _mutant(uint256 id) pure returns (bool) {
    function(uint256) view returns (bool) from = _coinbaseIs;
    function(uint256) pure returns (bool) to;
    assembly {
        to := from
    }
    return to(id);
}
`;

/** Above every address that tests use, so that no coinbase means "no mutant" by accident. */
const FIRST_ID = 0xd9_00_00_00_00n;

/** The number by which the mutant at `index` of a run is switched on. */
export const idOf = (index: number): bigint => FIRST_ID + BigInt(index);

/** A mutant with its number in this run. */
export interface Numbered {
  readonly mutant: Mutant;
  readonly id: bigint;
}

/** A source with mutants behind switches. `spans`: the bytes of each mutant's own text, by which errors of the compiler find it. */
export interface Schema {
  readonly text: string;
  readonly spans: { id: bigint; start: number; end: number }[];
}

/** A place in a source. What stands there in a build with switches depends on what is known of it. */
interface Site {
  readonly start: number;
  readonly end: number;
  readonly mutants: Numbered[];
  use?: Use;
  declared?: Constant;
  readonly inner: Site[];
}

/** Groups what there is by place, and places by the place around them. */
function sitesOf(mutants: Numbered[], uses: Use[], declared: Constant[]): Site[] {
  const sites = new Map<string, Site>();
  const at = ({ start, end }: { start: number; end: number }): Site => {
    const known = sites.get(`${start}:${end}`) ?? { start, end, mutants: [], inner: [] };
    sites.set(`${start}:${end}`, known);
    return known;
  };
  for (const numbered of mutants) at(numbered.mutant).mutants.push(numbered);
  for (const use of uses) at(use).use = use;
  for (const constant of declared) at(constant).declared = constant;
  const top: Site[] = [];
  const around: Site[] = [];
  for (const site of [...sites.values()].sort((a, b) => a.start - b.start || b.end - a.end)) {
    while (around.length > 0 && (around.at(-1) as Site).end <= site.start) around.pop();
    (around.at(-1)?.inner ?? top).push(site);
    around.push(site);
  }
  return top;
}

/** The sources that `mutants` change, by name, with every mutant behind its switch. */
export function schemasOf(sources: Sources, mutants: Numbered[], constants: Constant[]): Map<string, Schema> {
  const changed = mutants
    .filter(({ mutant }) => mutant.site === 'constant')
    .flatMap(({ mutant }) => aroundOf(mutant, constants) ?? []);
  const live = [...withReaders(changed)];
  const places = [...mutants.map(({ mutant }) => mutant), ...live, ...live.flatMap(({ uses }) => uses)];
  const files = new Set(places.map(({ file }) => file));
  return new Map(
    [...files].map((file) => {
      const uses = live.flatMap((constant) => constant.uses.filter((use) => use.file === file));
      const declared = live.filter((constant) => constant.file === file);
      const here = mutants.filter(({ mutant }) => mutant.file === file);
      return [file, schemaOf(sources.get(file) as string, file, sitesOf(here, uses, declared), uses)];
    }),
  );
}

function schemaOf(text: string, file: string, sites: Site[], uses: Use[]): Schema {
  const bytes = Buffer.from(text);
  const spans: Schema['spans'] = [];
  const parts: Buffer[] = [];
  let length = 0;
  const put = (part: Buffer | string): void => {
    const buffer = typeof part === 'string' ? Buffer.from(part) : part;
    parts.push(buffer);
    length += buffer.length;
  };
  const putMutated = ({ mutant, id }: Numbered): void => {
    const start = length;
    put(mutant.mutated);
    spans.push({ id, start, end: length });
  };
  const putRange = (start: number, end: number, inside: Site[]): void => {
    let at = start;
    for (const site of inside) {
      put(bytes.subarray(at, site.start));
      if (site.declared) putDeclared(site, site.declared);
      else putSite(site);
      at = site.end;
    }
    put(bytes.subarray(at, end));
  };
  const putDeclared = (site: Site, { reader, type, value, isInContract }: Constant): void => {
    put(bytes.subarray(site.start, site.end));
    put(` function ${reader}() ${isInContract ? 'internal ' : ''}pure returns (${type}) { return `);
    putRange(value.start, value.end, site.inner);
    put('; }');
  };
  /** What stands there while no mutant is on. */
  const putOriginal = ({ start, end, use, inner }: Site): void => {
    if (use) put(`${use.qualifier}${use.constant.reader}()`);
    else putRange(start, end, inner);
  };
  /** `{ if (_mutant(1)) { … } else if (_mutant(2)) { … } else { original } }` */
  const putStatement = (site: Site): void => {
    put('{ ');
    for (const numbered of site.mutants) {
      put(`if (_mutant(${numbered.id})) { `);
      putMutated(numbered);
      put(' } else ');
    }
    put('{ ');
    putOriginal(site);
    put(' } }');
  };
  /** `(_mutant(1) ? (…) : _mutant(2) ? (…) : (original))` */
  const putExpression = (site: Site): void => {
    put(site.mutants[0]?.mutant.isWide ? 'uint256(' : '(');
    for (const numbered of site.mutants) {
      put(`_mutant(${numbered.id}) ? (`);
      putMutated(numbered);
      put(') : ');
    }
    put('(');
    putOriginal(site);
    put('))');
  };
  const putSite = (site: Site): void => {
    const [first] = site.mutants;
    if (!first) putOriginal(site);
    else if (first.mutant.site === 'statement') putStatement(site);
    else putExpression(site);
  };
  putRange(0, bytes.length, sites);
  put(`\nimport {_mutant} from "${SWITCH_NAME}";\n`);
  const read = new Set(uses.map(({ constant }) => constant));
  const elsewhere = [...read].filter((constant) => constant.file !== file && !constant.isInContract);
  for (const { reader, file: from } of elsewhere) put(`import {${reader}} from "${from}";\n`);
  return { text: Buffer.concat(parts).toString(), spans };
}

/** The source `text` with one mutant and nothing else. */
export function mutatedText(text: string, { start, end, mutated }: Mutant): string {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(mutated), bytes.subarray(end)]).toString();
}
