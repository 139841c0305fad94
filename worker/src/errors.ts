/** Every error that the node throws on purpose. Whether a retry can help is decided where the cause is known. */
export abstract class WorkerError extends Error {
  /** Whether trying again, without anybody acting, may succeed. */
  abstract readonly retryable: boolean;
  /** Facts for the log; never keys or job inputs. */
  readonly context: Record<string, unknown>;

  constructor(message: string, context: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = new.target.name;
    this.context = context;
  }
}

/** The operator must act: bad configuration, empty wallet, wrong chain. The message says what to do. */
export class OperatorError extends WorkerError {
  readonly retryable = false;
}

/** Something outside is not there right now: an RPC, a gateway. The next tick may succeed. */
export class TransientError extends WorkerError {
  readonly retryable = true;
}

/** A journal file that cannot be trusted. Nothing is sent before a person has looked at it. */
export class JournalError extends OperatorError {}

/** What a supervisor may conclude from the exit status. 75 is EX_TEMPFAIL: start me again. */
export const EXIT = { clean: 0, operatorMustAct: 1, restart: 75 } as const;

/** The exit status that goes with `error`. */
export function exitCodeOf(error: unknown): number {
  return error instanceof WorkerError && !error.retryable ? EXIT.operatorMustAct : EXIT.restart;
}

/** The sentence of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
