import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** How to start one process of the network. */
export interface ProcessSpec {
  name: string;
  file: string;
  args: string[];
  cwd?: string;
  /** The whole environment besides PATH; nothing of the caller's leaks in. */
  env?: Record<string, string>;
}

/** A process that runs, or ran. */
export interface Running {
  readonly name: string;
  readonly pid: number | undefined;
  readonly done: boolean;
  /** Last lines it printed, for error messages. */
  readonly tail: readonly string[];
  kill(signal?: NodeJS.Signals): void;
  readonly exited: Promise<void>;
}

/** Thrown when a process ended, or did not get ready in time. */
export class ProcessFailed extends Error {
  constructor(name: string, why: string, tail: readonly string[]) {
    const said = tail.length > 0 ? ` It last said:\n  ${tail.join('\n  ')}` : ' It said nothing.';
    super(`${name} ${why}.${said}`);
    this.name = 'ProcessFailed';
  }
}

const TAIL_LINES = 20;
// Children die with us even when we are killed hard; without util-linux, only an orderly stop reaches them.
const GUARD =
  process.platform === 'linux' && existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'INT'] : [];

/**
 * Processes that live and die together: started one by one, stopped in reverse order by SIGINT (Ponder holds its lock after
 * SIGTERM). When one ends by itself, `onFailure` hears of it.
 */
export class ProcessTree {
  #running: Running[] = [];
  #stopping: Promise<void> | undefined;
  readonly #listeners = new Set<(name: string, line: string) => void>();
  readonly #onFailure: (error: ProcessFailed) => void;

  constructor(options: { onLine?: (name: string, line: string) => void; onFailure?: (error: ProcessFailed) => void }) {
    if (options.onLine) this.#listeners.add(options.onLine);
    this.#onFailure = options.onFailure ?? ((): void => {});
  }

  /** Has `listener` hear every line that a process prints from now on. */
  listen(listener: (name: string, line: string) => void): void {
    this.#listeners.add(listener);
  }

  start(spec: ProcessSpec): Running {
    const [file, ...before] = [...GUARD, spec.file];
    const child = execa(file as string, [...before, ...spec.args], {
      ...(spec.cwd ? { cwd: spec.cwd } : {}),
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...spec.env },
      extendEnv: false,
      stdin: 'ignore',
      buffer: false,
      reject: false,
      killSignal: 'SIGINT',
      forceKillAfterDelay: 8_000,
    });
    const tail: string[] = [];
    let done = false;
    let meant = false;
    const hear = (chunk: unknown): void => {
      for (const line of String(chunk).split('\n').filter(Boolean)) {
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
        for (const hear of this.#listeners) hear(spec.name, line);
      }
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    const exited = child.then((result) => {
      done = true;
      if (!meant && !this.#stopping) {
        this.#onFailure(
          new ProcessFailed(spec.name, `ended by itself (${result.exitCode ?? result.signal ?? 'no code'})`, tail),
        );
      }
    });
    const running: Running = {
      name: spec.name,
      pid: child.pid,
      get done() {
        return done;
      },
      tail,
      kill(signal = 'SIGINT') {
        meant = true;
        child.kill(signal);
      },
      exited,
    };
    this.#running.push(running);
    return running;
  }

  /** Waits until `check` answers true. @throws ProcessFailed when the process ends or time is up. */
  async ready(process_: Running, check: () => Promise<boolean>, timeoutMs = 240_000): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (!(await check().catch(() => false))) {
      if (process_.done) throw new ProcessFailed(process_.name, 'ended before it was ready', process_.tail);
      if (performance.now() > until)
        throw new ProcessFailed(process_.name, `was not ready after ${timeoutMs / 1_000} s`, process_.tail);
      await sleep(50);
    }
  }

  /** Stops everything, newest first. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= (async (): Promise<void> => {
      for (const running of this.#running.toReversed()) {
        if (!running.done) running.kill('SIGINT');
        await running.exited;
      }
    })();
    return this.#stopping;
  }
}
