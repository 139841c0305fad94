/**
 * Many mutants in one contract. Compiling takes tens of seconds and a test run one or two, so a file is compiled once with all of its mutants inside,
 * each behind a switch, and the test run says which one is on: by the block's coinbase, at which nothing else in this project looks.
 */
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

interface Site {
  start: number;
  end: number;
  statement: boolean;
  wide: boolean;
  mutants: Numbered[];
  inner: Site[];
}

/** Groups mutants by place, and places by the place around them. */
function sitesOf(mutants: Numbered[]): Site[] {
  const sites = new Map<string, Site>();
  for (const numbered of mutants) {
    const { start, end, site, isWide: wide } = numbered.mutant;
    const key = `${start}:${end}`;
    const known = sites.get(key) ?? { start, end, statement: site === 'statement', wide, mutants: [], inner: [] };
    known.mutants.push(numbered);
    sites.set(key, known);
  }
  const top: Site[] = [];
  const around: Site[] = [];
  for (const site of [...sites.values()].sort((a, b) => a.start - b.start || b.end - a.end)) {
    while (around.length > 0 && (around.at(-1) as Site).end <= site.start) around.pop();
    (around.at(-1)?.inner ?? top).push(site);
    around.push(site);
  }
  return top;
}

/** The source `text` with every mutant of it behind its switch. */
export function schemaOf(text: string, mutants: Numbered[]): Schema {
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
  const putRange = (start: number, end: number, sites: Site[]): void => {
    let at = start;
    for (const site of sites) {
      put(bytes.subarray(at, site.start));
      putSite(site);
      at = site.end;
    }
    put(bytes.subarray(at, end));
  };
  const putSite = (site: Site): void => {
    const [open, then, otherwise, close] = site.statement
      ? ['{ ', ')) { ', ' } else ', ' }']
      : [site.wide ? 'uint256(' : '(', ') ? (', ') : ', ')'];
    put(open as string);
    for (const numbered of site.mutants) {
      put(`${site.statement ? 'if (' : ''}_mutant(${numbered.id}${then}`);
      putMutated(numbered);
      put(otherwise as string);
    }
    put(site.statement ? '{ ' : '(');
    putRange(site.start, site.end, site.inner);
    put(site.statement ? ' }' : ')');
    put(close as string);
  };
  putRange(0, bytes.length, sitesOf(mutants));
  put(`\nimport {_mutant} from "${SWITCH_NAME}";\n`);
  return { text: Buffer.concat(parts).toString(), spans };
}

/** The source `text` with one mutant and nothing else. */
export function mutatedText(text: string, { start, end, mutated }: Mutant): string {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(mutated), bytes.subarray(end)]).toString();
}
