// What `npm start` and `npm test` run first, on whatever Node is there: installs, then hands over to the pinned Node.
// Plain JavaScript without dependencies, because nothing is installed yet.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const [command, ...args] = process.argv.slice(2);
const entries = { start: 'script/start.ts', test: 'script/test.ts', setup: undefined };

if (!(command in entries)) {
  console.error(`usage: node script/bootstrap.mjs ${Object.keys(entries).join('|')} [options]`);
  process.exit(1);
}

/** Installs when the lockfile is not the one that was installed last. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules/.dpu-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.log('Installing dependencies (a minute or two the first time) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // Not `npm ci`: it refuses a lockfile without Foundry's binaries for the platforms that the registry lacks.
  const result = spawnSync(npm, ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    // The GPU provider of onnxruntime is fetched from elsewhere by its install script; nothing here needs it.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error('npm install failed: see its message above; check the network connection and try again.');
    process.exit(result.status ?? 1);
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stamp, lock);
}

install();
const entry = entries[command];
if (entry) {
  const bin = join(root, 'node_modules/.bin');
  const child = spawn(join(bin, 'node'), [join(root, entry), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  });
  // The terminal sends Ctrl-C to both; the child stops its tree and decides the exit code.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT') child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
  child.on('error', (error) => {
    console.error(`the pinned Node could not be started: ${error.message}`);
    process.exit(1);
  });
}
