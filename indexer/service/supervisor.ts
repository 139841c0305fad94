import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Status } from '@dpu/sdk/api';
import type { Log } from '../src/log.ts';
import type { Schemas } from './schemas.ts';
import { Standstill } from './standstill.ts';

/** What it runs. */
export interface SupervisorOptions {
  /** The environment of the indexer. */
  env: Readonly<Record<string, string | undefined>>;
  /** Name of the views; schemas are this and a number. */
  name: string;
  /** Begin a new schema even if there is one: for a new version of the program. */
  isNew: boolean;
  port: number;
  host?: string;
}

/** What it works with. */
export interface SupervisorDeps {
  log: Log;
  /** Undefined where PGlite keeps the rows. */
  schemas: Schemas | undefined;
  /** What a child prints goes there; to this process's own output by default. */
  onLine?: (line: string) => void;
}

const LOOK_MS = 500;
/** Pause before a child that failed is started again: twice as long each time. */
const RESTART_MS = { first: 500, most: 30_000 };
/** What Ponder means by its exit codes; 75 is EX_TEMPFAIL. */
const [CLEAN, AGAIN] = [0, 75];
/** What a child has to give its schema free; one that hangs does not. */
const END_MS = 15_000;

const indexer = fileURLToPath(new URL('..', import.meta.url));
const ponder = fileURLToPath(new URL('./bin/ponder.js', import.meta.resolve('ponder')));

/**
 * Keeps one index running. On PostgreSQL it is built in a schema of its own, and the views that API processes read are moved to it when it is complete:
 * so a new version, or an index that had to be rebuilt, takes over between two requests. When the index says that it is stale, what is known of the chain
 * is forgotten and a new one is built; until then nobody gets a row of the old one.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #deps: SupervisorDeps;
  readonly #stop = new AbortController();
  #child: ChildProcess | undefined;
  #url = '';

  constructor(options: SupervisorOptions, deps: SupervisorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Where the API of the process that indexes is; empty before it listens. */
  get url(): string {
    return this.#url;
  }

  /** Runs until `stop`. @returns the exit code that fits: 0, or that of a child which must not be started again. */
  async run(): Promise<number> {
    const { log, schemas } = this.#deps;
    const built = (await schemas?.all()) ?? [];
    let number = built.at(-1)?.number ?? 0;
    if (this.#options.isNew || number === 0) number += 1;
    for (let waitMs = RESTART_MS.first; !this.#stop.signal.aborted;) {
      const schema = schemas ? `${this.#options.name}_${number}` : this.#options.name;
      const began = Date.now();
      const end = await this.#live(schema);
      if (end === 'stale') {
        log.warn('Rebuilding the index from the chain', { schema });
        await this.#forget();
        number += 1;
        continue;
      }
      if (end === CLEAN || end !== AGAIN || this.#stop.signal.aborted) return this.#stop.signal.aborted ? CLEAN : end;
      if (Date.now() - began > 2 * RESTART_MS.most) waitMs = RESTART_MS.first;
      log.warn('The indexer ended and is started again', { schema, code: end });
      await this.#pause(waitMs);
      waitMs = Math.min(RESTART_MS.most, 2 * waitMs);
    }
    return CLEAN;
  }

  /** Ends the child with SIGINT, on which it gives its schema free. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#end();
  }

  async #forget(): Promise<void> {
    const { schemas } = this.#deps;
    if (schemas) return schemas.forgetChain();
    const folder = this.#options.env['PONDER_PGLITE_DIR'] ?? '.ponder/pglite';
    if (!folder.includes('://'))
      rmSync(new URL(folder, new URL('..', import.meta.url)), { recursive: true, force: true });
  }

  /** One life of a child: its exit code, or `stale` when it had to be ended. */
  async #live(schema: string): Promise<number | 'stale'> {
    const { log, schemas } = this.#deps;
    const child = this.#start(schema);
    const ended = once(child, 'exit').then(([code]) => (code as number | null) ?? AGAIN);
    let isOver = false;
    void ended.then(() => (isOver = true));
    let isTidy = false;
    const standstill = new Standstill({ now: () => performance.now() });
    while (!isOver) {
      await Promise.race([ended, this.#pause(LOOK_MS)]);
      const now = await this.#status();
      if (now?.stale) {
        await this.#end();
        return 'stale';
      }
      if (now && standstill.look(now)) {
        log.warn('The indexer stands still while the chain goes on', { schema, block: now.block });
        await this.#end();
        return AGAIN;
      }
      // Ponder moves the views before it says that it is ready.
      if (isTidy || !now || now.indexing || !schemas || (await schemas.shown()) !== schema) continue;
      for (const old of await schemas.all()) {
        if (old.schema === schema) continue;
        log.info('Dropping the schema of an earlier index', { schema: old.schema });
        await schemas.drop(old.schema).catch((error: unknown) => log.warn('It could not be dropped', { error }));
      }
      isTidy = true;
    }
    return ended;
  }

  #start(schema: string): ChildProcess {
    const { env, port, host = '127.0.0.1', name } = this.#options;
    const { schemas, onLine = (line: string) => void process.stdout.write(`${line}\n`) } = this.#deps;
    const views = schemas ? ['--views-schema', name] : [];
    const args = [ponder, 'start', '--schema', schema, ...views, '--log-format', 'json', '-H', host];
    const child = spawn(process.execPath, args, {
      cwd: indexer,
      env: { ...env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#deps.log.info('Started the indexer', { schema, port });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          // A port that is taken becomes the next one.
          const [, bound] = /"msg":"Created HTTP server","port":(\d+)/.exec(line) ?? [];
          if (bound) this.#url = `http://${host}:${bound}`;
          onLine(line);
        }
      });
    }
    return child;
  }

  async #status(): Promise<Status | undefined> {
    if (this.#url === '') return undefined;
    const answer = await fetch(`${this.#url}/v1/status`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as Status) : undefined;
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, 'exit');
    child.kill('SIGINT');
    const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await over;
    clearTimeout(late);
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
