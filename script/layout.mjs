// The Market and its two further parts share one storage by delegatecall: their layouts must be equal, as committed, and both must fit 24 KiB.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './native.mjs';

const MAX_CODE_BYTES = 24_576; // EIP-170
const snapshot = join(root, 'test/snapshots/layout.json');

/** What forge built last; `extra_output` in foundry.toml puts the layout into it. */
const artifact = (contract) => JSON.parse(readFileSync(join(root, `out/${contract}.sol/${contract}.json`), 'utf8'));

/** A type's name without the compiler's node number, which changes with every unrelated edit. */
const stable = (type) => type.replaceAll(/\)\d+(_storage)?/gu, ')');

/** Everything that decides where a value lies: variables and the members of their structs. */
function layoutOf(contract) {
  const { storage, types } = artifact(contract).storageLayout;
  const place = ({ label, slot, offset, type }) => `${slot}:${offset} ${label} ${stable(type)}`;
  const structs = Object.entries(types)
    .filter(([, type]) => type.members)
    .map(([name, type]) => [stable(name), type.members.map(place)]);
  return { variables: storage.map(place), structs: Object.fromEntries(structs.sort()) };
}

const problems = [];
const market = JSON.stringify(layoutOf('Market'), null, 2);
for (const part of ['MarketExtension', 'MarketPanels', 'MarketExits', 'MarketCourt']) {
  if (market !== JSON.stringify(layoutOf(part), null, 2)) {
    problems.push(`Market and ${part} lay out storage differently: declare storage in core/ only`);
  }
}

if (process.argv.includes('--write')) writeFileSync(snapshot, `${market}\n`);
else if (readFileSync(snapshot, 'utf8') !== `${market}\n`) {
  problems.push(
    'test/snapshots/layout.json differs from the contracts: if that is meant, run node script/layout.mjs --write',
  );
}

const CONTRACTS = [
  'Market',
  'MarketExtension',
  'MarketPanels',
  'MarketCourt',
  'MarketExits',
  'DpuToken',
  'StakeSurrogate',
  'DpuGovernor',
  'DpuTimelock',
];
for (const contract of CONTRACTS) {
  const bytes = (artifact(contract).deployedBytecode.object.length - 2) / 2;
  console.log(`${contract.padEnd(16)} ${String(bytes).padStart(6)} of ${MAX_CODE_BYTES} bytes`);
  if (bytes > MAX_CODE_BYTES) problems.push(`${contract} is ${bytes - MAX_CODE_BYTES} bytes too large to be deployed`);
}

for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
