import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A child process with its output, stopped by SIGINT. */
export interface Child {
  process: ChildProcess;
  /** Everything it printed so far, by line. */
  lines: string[];
  /** Resolves with the first line, past or future, that `match` accepts; rejects when the process ends before. */
  line(match: (line: string) => boolean): Promise<string>;
  /** Asks it to stop and waits for its exit code. */
  stop(): Promise<number | null>;
}

export function start(file: string, args: string[], options: SpawnOptions = {}): Child {
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream! }).on('line', (line) => {
      lines.push(line);
      for (const check of waiting) check();
    });
  }
  const ended = once(child, 'exit').then(() => {
    for (const check of waiting) check();
  });

  return {
    process: child,
    lines,
    line: (match) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = lines.find(match);
          if (found === undefined && child.exitCode === null) return;
          waiting.delete(check);
          if (found !== undefined) resolve(found);
          else
            reject(
              new Error(`${file} ended with ${child.exitCode} before it was ready:\n${lines.slice(-20).join('\n')}`),
            );
        };
        waiting.add(check);
        check();
      }),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await ended;
      return child.exitCode;
    },
  };
}

/** A free loopback port below Linux' ephemeral range, so that no outgoing connection takes it meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Asks `read` again and again until it returns something, or fails with the last error after `withinMs`. */
export async function until<Value>(
  what: string,
  read: () => Promise<Value | undefined | false | null>,
  withinMs = 60_000,
): Promise<Value> {
  const deadline = AbortSignal.timeout(withinMs);
  let last: unknown;
  while (!deadline.aborted) {
    try {
      const value = await read();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${what} did not happen within ${withinMs} ms`, { cause: last });
}
