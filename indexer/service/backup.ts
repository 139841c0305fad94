import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/** A program of PostgreSQL failed, or is not there. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

const INSTALLED = '/usr/lib/postgresql';

/** A program of PostgreSQL: of the newest version that Debian has installed, else from the `PATH`. */
function program(name: string): string {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(INSTALLED, version, 'bin', name)).find((file) => existsSync(file)) ?? name;
}

function run(name: string, args: readonly string[], stdin: 'ignore' | 'pipe') {
  const child = spawn(program(name), args, { stdio: [stdin, 'pipe', 'pipe'] });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
  const over = once(child, 'close').then(
    ([code]) => {
      if (code !== 0) throw new BackupError(`${name} ended with ${String(code)}: ${said.trim().slice(-500)}`);
    },
    (cause: unknown) => {
      throw new BackupError(`${name} cannot be run: install the client programs of PostgreSQL`, { cause });
    },
  );
  // Whoever waits for the pipe sees this first; the process must not die of it.
  over.catch(() => undefined);
  return { child, over };
}

/**
 * Writes everything in the database at `url` to `file`: schemas of the index, what Ponder keeps of the chain, and what belongs to neither. One snapshot, taken
 * while the indexer runs. The file appears under its name when it is whole.
 * @throws BackupError
 */
export async function backUp(url: string, file: string): Promise<void> {
  const { child, over } = run('pg_dump', ['--no-owner', '--no-privileges', '--dbname', url], 'ignore');
  await pipeline(child.stdout!, createGzip(), createWriteStream(`${file}.part`));
  await over;
  await rename(`${file}.part`, file);
}

/**
 * Fills the empty database at `url` from such a file, in one transaction: all of it or nothing.
 * @throws BackupError
 */
export async function restore(url: string, file: string): Promise<void> {
  const args = ['--quiet', '--no-psqlrc', '--single-transaction', '--set', 'ON_ERROR_STOP=1', '--dbname', url];
  const { child, over } = run('psql', args, 'pipe');
  child.stdout!.resume();
  await pipeline(createReadStream(file), createGunzip(), child.stdin!).catch((error: unknown) => {
    // psql ends early at its first error, and says which.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  });
  await over;
}
