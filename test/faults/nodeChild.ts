/**
 * A whole node in a process of its own that kills itself, with SIGKILL, at a planned point: the program of `dpu-node start`, but for a runtime
 * whose shards are a hash. It waits for its orders, so that one can be kept warm, and tells its parent which block it has worked off.
 */
import { readConfig } from '../../worker/src/config.ts';
import { openEndpoints } from '../../worker/src/endpoints/open.ts';
import { runAgent } from '../../worker/src/agent.ts';
import { createLog } from '../../worker/src/log.ts';
import { Loop } from '../../worker/src/loop.ts';
import { Outbox } from '../../worker/src/sending/outbox.ts';
import { PromiseBook } from '../../worker/src/leases/promiseBook.ts';
import { Watch } from '../../worker/src/chain/watch.ts';
import { toyRuntime } from '../lib/toyNode.ts';
import type { CrashPlan } from './points.ts';

/** What the parent wants. */
export interface Orders {
  /** Settings by their names. */
  settings: Record<string, unknown>;
  operatorKey: `0x${string}`;
}

/** Orders at first, then a plan for its death, or none, before each story. */
export type Message = { orders: Orders; plan: CrashPlan | undefined } | { plan: CrashPlan | undefined };

/** What the child says: it is warm, it works, it has worked off `head`, or it could not; it is about to send `raw`. */
export type Saying =
  | { is: 'warm' }
  | { is: 'ready' }
  | { is: 'done'; head: number }
  | { is: 'failed' }
  | { is: 'sends'; raw: `0x${string}` };

const tell = (saying: Saying): void => void process.send?.(saying);

/** No handler runs, no file is closed, nothing is flushed. */
function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/** Puts `before` and `after` around a method of all instances of a class. */
function around<T extends object>(
  { prototype }: { prototype: T },
  name: keyof T,
  { before, after }: { before?: (self: T, args: unknown[]) => void; after?: (self: T, args: unknown[]) => void },
): void {
  const method = prototype[name] as (...args: unknown[]) => unknown;
  (prototype as Record<keyof T, unknown>)[name] = function (this: T, ...args: unknown[]): unknown {
    before?.(this, args);
    const answer = method.apply(this, args);
    if (!(answer instanceof Promise)) {
      after?.(this, args);
      return answer;
    }
    return answer.then((settled: unknown) => {
      after?.(this, args);
      return settled;
    });
  };
}

let head = 0;
around(Watch, 'poll', { after: (watch) => (head = watch.head?.number ?? 0) });
const tick = Loop.prototype.tick;
Loop.prototype.tick = async function (this: Loop, signal) {
  try {
    await tick.call(this, signal);
    tell({ is: 'done', head });
  } catch (error) {
    tell({ is: 'failed' });
    throw error;
  }
};

let plan: CrashPlan | undefined;

/** Sets the traps; answers what to do around a transaction that is sent. */
function setTraps(): { sent: () => void; acknowledged: () => void } {
  let sending = '';
  const at = (here: CrashPlan['point'], what = plan?.kind ?? ''): void => {
    if (plan?.point === here && what === plan.kind) die();
  };
  const kindOf = (outbox: Outbox, key: unknown): string => outbox.get(String(key))?.kind ?? '';
  around(Outbox, 'add', {
    before: (_, [intent]) => at('before the journal', (intent as { kind: string }).kind),
    after: (_, [intent]) => at('journalled, not signed', (intent as { kind: string }).kind),
  });
  around(Outbox, 'addAttempt', {
    after: (outbox, [key]) => {
      sending = kindOf(outbox, key);
      at('signed, not sent', sending);
    },
  });
  around(Outbox, 'markMined', { before: (outbox, [key]) => at('mined, not confirmed', kindOf(outbox, key)) });
  around(PromiseBook, 'promise', {
    before: () => at('stored, not promised'),
    after: () => at('promised, not committed'),
  });
  return {
    sent: () => at('sent, not acknowledged', sending),
    acknowledged: () => {
      if (plan?.point === 'acknowledged, not mined' && sending === plan.kind) setImmediate(die);
    },
  };
}

async function run({ settings, operatorKey }: Orders): Promise<void> {
  const config = readConfig({ env: {}, flags: settings });
  const log = createLog(config.logLevel);
  const { chain, witness } = openEndpoints(config, log);
  const traps = setTraps();
  const { sendRaw } = chain;
  chain.sendRaw = async (raw) => {
    tell({ is: 'sends', raw });
    const answer = await sendRaw(raw);
    traps.sent();
    traps.acknowledged();
    return answer;
  };
  await runAgent(
    { config, operatorKey, onReady: () => tell({ is: 'ready' }) },
    { chain, witness, runtimes: [toyRuntime()], log, clockMs: () => performance.now() },
    new AbortController().signal,
  );
}

process.on('message', (message: Message) => {
  plan = message.plan;
  if (!('orders' in message)) return;
  run(message.orders).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
process.once('disconnect', die);
tell({ is: 'warm' });
