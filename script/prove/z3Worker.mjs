// Answers one SMT-LIB query after another. The solver is asynchronous and solc wants its answers at once, so it runs in this thread while solc's waits.
import { parentPort, workerData } from 'node:worker_threads';
import { init } from 'z3-solver';

const { state, answer } = workerData; // state: 0 waiting, 1 answered; then the answer's length in bytes
const { Z3 } = await init();

// What solc's authors set for its Horn clauses.
for (const [name, value] of [
  ['rewriter.pull_cheap_ite', 'true'],
  ['fp.spacer.q3.use_qgen', 'true'],
  ['fp.spacer.mbqi', 'false'],
  ['fp.spacer.ground_pobs', 'false'],
]) {
  Z3.global_param_set(name, value);
}

async function solve(query) {
  const config = Z3.mk_config();
  const context = Z3.mk_context(config);
  Z3.del_config(config);
  try {
    return await Z3.eval_smtlib2_string(context, query);
  } finally {
    Z3.del_context(context);
  }
}

/** Casts of large integers are easy for the older of the two arithmetic solvers and too much for the other; it goes first, and the other has a try as well. */
async function decide(query) {
  if (query.includes('(set-logic HORN)') || query.includes('(set-logic QF_BV)')) return solve(query);
  const first = await solve(`(set-option :smt.arith.solver 2)\n${query}`);
  return first.startsWith('unknown') ? solve(`(set-option :smt.arith.solver 6)\n${query}`) : first;
}

parentPort.on('message', async (query) => {
  let said;
  try {
    said = await decide(query);
  } catch (error) {
    said = `(error "${error}")`;
  }
  const bytes = Buffer.from(said).subarray(0, answer.length);
  answer.set(bytes);
  state[1] = bytes.length;
  Atomics.store(state, 0, 1);
  Atomics.notify(state, 0);
});
parentPort.postMessage('ready');
