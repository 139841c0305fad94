/** Runs a program of the system's packages in the sandbox, to its end or to its limits. */
import type { ProgramSpec } from '../../sandbox/isolation.ts';
import type { Sandbox, SandboxChild } from '../../sandbox/sandbox.ts';
import { aborted, outOfGroupMemory } from '../converse.ts';
import { ShardError } from '../runtime.ts';

/** The most that is kept of what a program says to people. */
export const SAID_BYTES = 64 * 1024;
/** How shells, and bubblewrap, report that a program was ended by a signal. */
const BY_SIGNAL = 128;
const SIGNALS: Readonly<Record<number, NodeJS.Signals>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

/** How a program ended, and what it said. */
export interface ToolEnding {
  /** Its exit code, if it ended by itself. */
  readonly code?: number;
  /** What ended it, if it did not. */
  readonly signal?: NodeJS.Signals;
  /** The end of what it wrote to stderr. */
  readonly said: string;
}

export interface ToolOptions {
  /** Wall clock seconds. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  /** Takes its stdout as it arrives; may throw, which ends the program. Without it stdout is thrown away. */
  readonly onStdout?: ((piece: Buffer) => void) | undefined;
}

/** Starts a program. @throws ShardError of reason `sandbox` */
export function startTool(sandbox: Sandbox, spec: ProgramSpec): SandboxChild {
  try {
    return sandbox.start(spec);
  } catch (error) {
    const problem = `The shard's program could not be started: ${String(error)}`;
    throw new ShardError('sandbox', 'machine', problem, {}, error);
  }
}

/**
 * Runs a program that gets nothing on its stdin. Whatever happens, it is gone when this returns.
 * @throws ShardError of reason `timeout`, `killed` or `sandbox`, and whatever `onStdout` throws.
 */
export async function runTool(
  sandbox: Sandbox,
  spec: ProgramSpec,
  { seconds, signal, onStdout }: ToolOptions,
): Promise<ToolEnding> {
  if (signal?.aborted) throw aborted();
  const child = startTool(sandbox, spec);
  let failure: unknown;
  let said = '';
  const fail = (error: unknown): void => {
    failure ??= error;
    child.kill();
  };
  const onAbort = (): void => fail(aborted());
  const late = `The shard was not done after the ${seconds} seconds its spec allows.`;
  const timer = setTimeout(() => fail(new ShardError('timeout', 'machine', late)), seconds * 1000);
  signal?.addEventListener('abort', onAbort, { once: true });
  child.stdout.on('data', (piece: Buffer) => {
    if (failure !== undefined) return;
    try {
      onStdout?.(piece);
    } catch (error) {
      fail(error);
    }
  });
  child.stderr.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-SAID_BYTES)));
  child.stdin.end();
  const { code, signal: by, error, outOfMemory } = await child.ended;
  clearTimeout(timer);
  signal?.removeEventListener('abort', onAbort);
  if (failure !== undefined) throw failure;
  if (error !== undefined) {
    const problem = `The shard's program could not be started: ${error.message}.`;
    throw new ShardError('sandbox', 'machine', problem, {}, error);
  }
  if (outOfMemory) throw outOfGroupMemory({ log: said });
  const inside = by ?? SIGNALS[(code ?? 0) - BY_SIGNAL];
  return inside === undefined ? { code: code ?? 0, said } : { signal: inside, said };
}

/**
 * What a program's ending means for its shard; nothing when it is well. A failure of its own is the job's; a crash is this machine's,
 * because another version of the program may not crash.
 * @throws ShardError
 */
export function checkEnding(
  { code, signal, said }: ToolEnding,
  limits: { readonly memoryBytes: number; readonly outputBytes: number; readonly seconds: number },
  describe: (said: string) => string,
): void {
  if (code === 0) return;
  const log = { log: said };
  if (signal === 'SIGXFSZ' || /File too large/.test(said)) {
    const problem = `The shard wrote more than the ${limits.outputBytes} bytes its spec allows.`;
    throw new ShardError('output-limit', 'job', problem, log);
  }
  if (/Cannot allocate memory|bad_alloc|[Oo]ut of memory|malloc of size|Malloc returns null/.test(said)) {
    const problem = `The shard needs more memory than the ${limits.memoryBytes} bytes its spec allows.`;
    throw new ShardError('out-of-memory', 'job', problem, log);
  }
  if (signal === 'SIGXCPU') {
    const problem = `The shard was not done after the processor time of its ${limits.seconds} seconds.`;
    throw new ShardError('timeout', 'machine', problem, log);
  }
  if (signal !== undefined)
    throw new ShardError('killed', 'machine', `The shard's program was ended by ${signal}, not by us.`, log);
  throw new ShardError('trap', 'job', `The shard failed: ${describe(said)}.`, log);
}
