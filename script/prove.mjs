// `npm run test:proof`: proves that the accounting core loses no money and promises no stake twice. `--proofs` or `--planted` runs one half only.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import solc from 'solc';
import { root } from './native.mjs';
import { startSolver } from './prove/solver.mjs';
import { LEMMAS, PLANTED, THEOREMS } from './prove/theorems.mjs';

/** For one question to the solver, in ms. On a quiet machine each takes under two seconds. */
const PATIENCE = { proof: 30_000, planted: 5_000 };

const read = (name) => readFileSync(join(root, name.startsWith('@') ? 'node_modules' : '.', name), 'utf8');

/** Asks solc's model checker about one harness, with `change` made to its sources. Answers which assertions were proven and what was said of the others. */
function check(solver, { contract, file, engine }, patience, change) {
  const text = (name) => (change?.file === name ? planted(read(name), change) : read(name));
  const input = {
    language: 'Solidity',
    sources: { [file]: { content: text(file) } },
    settings: {
      modelChecker: {
        engine,
        targets: ['assert'],
        solvers: ['smtlib2'],
        contracts: { [file]: [contract] },
        showProvedSafe: true,
        showUnproved: true,
        timeout: patience,
      },
    },
  };
  const { errors = [] } = JSON.parse(
    solc.compile(JSON.stringify(input), {
      import: (name) => ({ contents: text(name) }),
      smtSolver: (query) => ({ contents: solver.ask(query) }),
    }),
  );
  const broken = errors.filter(({ severity }) => severity === 'error');
  if (broken.length > 0) throw new Error(broken.map(({ formattedMessage }) => formattedMessage).join('\n'));
  const about = errors.filter(({ message }) => /Assertion violation/u.test(message));
  const at = (found) => new Set(found.map(({ sourceLocation }) => sourceLocation.start));
  const open = about.filter(({ message }) => !/check is safe/u.test(message));
  const proven = at(about.filter(({ message }) => /check is safe/u.test(message)));
  const wanted = [...text(file).matchAll(/\bassert\(/gu)].length;
  return { open, proven: [...proven].filter((start) => !at(open).has(start)).length, wanted };
}

function planted(text, { from, to, says }) {
  if (text.split(from).length !== 2) throw new Error(`no place to plant "${says}": ${from}`);
  return text.replace(from, to);
}

/** The text of a function, without comments and the arguments of errors, in one line. */
function functionText(text, name) {
  const [found] = new RegExp(`^    function ${name}\\([\\s\\S]*?^    \\}`, 'mu').exec(text) ?? [];
  if (!found) throw new Error(`there is no function ${name} any more`);
  return found
    .replaceAll(/\/\/.*$/gmu, '')
    .replaceAll(/, StakeTooLow\([^)]*\)/gu, '')
    .replaceAll(/\s+/gu, ' ');
}

/** OneNodeProof repeats three functions of StakesCore with the node's members as variables; they must say the same. */
function sameAsStakesCore() {
  const real = read('src-contracts/core/StakesCore.sol');
  const copy = read('test/contracts/proof/OneNodeProof.sol');
  return ['_free', '_queued', '_lock'].filter((name) => {
    const withoutNode = functionText(real, name)
      .replaceAll(/uint32 id, |Node storage n(?:, )?/gu, '')
      .replaceAll('_queued(n)', '_queued()')
      .replaceAll(/\bn\./gu, '');
    return withoutNode !== functionText(copy, name);
  });
}

/** Calls of `_creditPaid` whose two parts are not, as they stand there, `gross - fee` and `fee`. */
function partsThatDoNotSumUp() {
  const files = readdirSync(join(root, 'src-contracts'), { recursive: true }).filter((name) => name.endsWith('.sol'));
  return files.flatMap((name) =>
    [...read(join('src-contracts', name)).matchAll(/^\s+_creditPaid\((.*)\);/gmu)]
      .filter(([, call]) => !/, (?<gross>\w+) - (?<fee>\w+), \k<fee>$/u.test(call))
      .map(([call]) => `${name}: ${call.trim()}`),
  );
}

const [mode] = process.argv.slice(2);
if (mode !== undefined && mode !== '--planted' && mode !== '--proofs') {
  console.error(`unknown option ${mode}; there are --proofs and --planted`);
  process.exit(1);
}
const started = performance.now();
const solver = await startSolver();
let failed = 0;
function report(good, word, says, from, details = []) {
  if (!good) failed += 1;
  const seconds = ((performance.now() - from) / 1_000).toFixed(1).padStart(5);
  console.log(`${good ? 'ok    ' : 'FAILED'} ${seconds} s  ${word}: ${says}`);
  if (!good) for (const line of details) console.error(line);
}

if (mode !== '--planted') {
  const from = performance.now();
  const other = sameAsStakesCore();
  report(other.length === 0, 'same', 'the functions that OneNodeProof repeats are those of StakesCore', from, other);
  const loose = partsThatDoNotSumUp();
  report(loose.length === 0, 'same', 'every payment is split as gross - fee and fee', from, loose);
  for (const { says, query } of LEMMAS) {
    const before = performance.now();
    const answer = solver.ask(`(set-option :timeout ${PATIENCE.proof})\n${query}`).trim();
    report(answer === 'unsat', 'lemma', says, before, [answer]);
  }
  for (const theorem of THEOREMS) {
    const before = performance.now();
    const { open, proven, wanted } = check(solver, theorem, PATIENCE.proof);
    const good = open.length === 0 && proven === wanted;
    const details = open.map(({ formattedMessage }) => formattedMessage);
    report(good, `proof ${theorem.contract}`, `${theorem.says} (${proven} of ${wanted} assertions)`, before, details);
  }
}
if (mode !== '--proofs') {
  for (const change of PLANTED) {
    const before = performance.now();
    const theorem = THEOREMS.find(({ contract }) => contract === change.contract);
    const { open } = check(solver, theorem, PATIENCE.planted, change);
    report(open.length > 0, `planted ${change.contract}`, `not proven once ${change.says}`, before);
  }
}
await solver.stop();
console.log(
  `${((performance.now() - started) / 1_000).toFixed(1)} s, ${failed === 0 ? 'all proven' : `${failed} failed`}`,
);
process.exit(failed === 0 ? 0 : 1);
