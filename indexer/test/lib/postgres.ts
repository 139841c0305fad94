import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, start } from './process.ts';

/** A private PostgreSQL server. */
export interface Postgres {
  url: string;
  stop(): Promise<void>;
}

const INSTALLED = '/usr/lib/postgresql';

/** Where `initdb` and `postgres` are, newest first; undefined when PostgreSQL is not installed. */
export function postgresBin(): string | undefined {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(INSTALLED, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** PostgreSQL refuses to run as root, so root lends it to the user that Debian made for it. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Starts a cluster of its own in a temporary folder, without any durability. */
export async function startPostgres(bin: string): Promise<Postgres> {
  const data = mkdtempSync(join(tmpdir(), 'dpu-postgres-'));
  const user = unprivileged();
  if (user) chownSync(data, user.uid, user.gid);
  const options = { cwd: data, ...user };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'dpu', '-A', 'trust', '-E', 'UTF8', '--no-sync'], options);

  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: data,
    fsync: 'off',
    max_connections: '200',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = start(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], options);
  await server.line((line) => line.includes('ready to accept connections'));
  return {
    url: `postgresql://dpu@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
