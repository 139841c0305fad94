import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, start, until, type Child } from './process.ts';

const indexer = fileURLToPath(new URL('../..', import.meta.url));
const root = join(indexer, '..');

/** An indexer that runs as a process of its own, as in production. */
export interface Indexer {
  url: string;
  child: Child;
  /** Waits until the block is indexed. */
  reach(block: bigint): Promise<void>;
  /** Stops it with SIGINT; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts an indexer with its API. */
export const startIndexer = (env: Record<string, string>): Promise<Indexer> => startPonder('start', 'dpu', env);

/** Starts a process that only serves what another one indexes into `schema`. */
export const startServe = (env: Record<string, string>, schema: string): Promise<Indexer> =>
  startPonder('serve', schema, env);

async function startPonder(command: string, schema: string, env: Record<string, string>): Promise<Indexer> {
  const port = await freePort();
  const ponder = fileURLToPath(new URL('./bin/ponder.js', import.meta.resolve('ponder')));
  const args = [ponder, command, '--schema', schema, '--log-format', 'json', '-H', '127.0.0.1'];
  const child = start(process.execPath, args, {
    cwd: indexer,
    env: {
      PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
      HOME: process.env['HOME'],
      PORT: String(port),
      PONDER_POLL_MS: '100',
      ...env,
    },
  });
  // A port that is taken becomes the next one, silently; the log says which.
  const created = await child.line((line) => line.includes('Created HTTP server'));
  const { port: actual } = JSON.parse(created) as { port: number };
  const url = `http://127.0.0.1:${actual}`;
  const reach = async (block: bigint) => {
    await until(`block ${block} in the index`, async () => {
      if (child.process.exitCode !== null) throw new Error(child.lines.slice(-20).join('\n'));
      const status = (await (await fetch(`${url}/status`)).json()) as Record<string, { block: { number: number } }>;
      return (status['dpu']?.block.number ?? -1) >= Number(block);
    });
  };
  return { url, child, reach, stop: () => child.stop() };
}
