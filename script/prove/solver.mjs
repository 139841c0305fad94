// An SMT solver that answers at once.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const MAX_ANSWER_BYTES = 4 << 20;
/** Beyond what any query may take by itself: a solver that ignores its own limit must not hang the build. */
const GIVE_UP_MS = 120_000;

/** Starts the solver. `ask(query)` blocks until it has answered; `stop()` ends it. */
export async function startSolver() {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const answer = new Uint8Array(new SharedArrayBuffer(MAX_ANSWER_BYTES));
  const worker = new Worker(new URL('z3Worker.mjs', import.meta.url), { workerData: { state, answer } });
  await once(worker, 'message');
  return {
    ask(query) {
      Atomics.store(state, 0, 0);
      worker.postMessage(query);
      if (Atomics.wait(state, 0, 0, GIVE_UP_MS) === 'timed-out') throw new Error('the solver does not answer');
      return Buffer.from(answer.slice(0, state[1])).toString();
    },
    stop: () => worker.terminate(),
  };
}
