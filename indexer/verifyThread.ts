/** The thread that replays the chain for `src/verify/watch.ts`. It lies beside `src/` because Ponder runs every file under that. */
import { parentPort, workerData } from 'node:worker_threads';
import { answer, makeShadow, type Call, type ThreadOptions } from './src/verify/shadowPort.ts';

const shadow = makeShadow(workerData as ThreadOptions);
let busy = Promise.resolve();
parentPort!.on('message', (call: Call) => {
  // One after the other: a shadow is in one moment at a time.
  busy = busy.then(async () => parentPort!.postMessage(await answer(shadow, call)));
});
