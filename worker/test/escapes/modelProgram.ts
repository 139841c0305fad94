import { spawn, spawnSync, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { networkInterfaces, setPriority } from 'node:os';

/** Stands where the program that runs models stands, with the same library loaded, and tries to get out. Says what came of each try. */

// Where it has a graphics card, the place of the library is all of its environment beside the driver's.
const folder = process.argv[2] ?? process.env['DPU_ONNX'];
// Some of what is tried does harm where it works.
if (folder === undefined || !import.meta.dirname.startsWith('/dpu/'))
  throw new Error('this program runs in the sandbox only');
process.env['ORT_DISABLE_TELEMETRY'] = '1';
createRequire(`${folder}/`)(folder);

/** Says what came of a probe at once: a later one may end this process. */
const tell = (name: string, answer: 'done' | 'denied'): void =>
  void writeSync(1, `${JSON.stringify([name, answer])}\n`);
function attempt(name: string, action: () => unknown): void {
  let answer: 'done' | 'denied' = 'denied';
  try {
    if (action() !== false) answer = 'done';
  } catch {
    // What is expected.
  }
  tell(name, answer);
}
const event = (emitter: { once: (name: string, listener: () => void) => unknown }, good: string): Promise<boolean> =>
  new Promise((resolve) => {
    emitter.once(good, () => resolve(true));
    emitter.once('error', () => resolve(false));
  });
async function later(name: string, action: () => Promise<boolean>): Promise<void> {
  tell(
    name,
    (await Promise.resolve()
      .then(action)
      .catch(() => false))
      ? 'done'
      : 'denied',
  );
}

attempt('read a file of the machine', () => readFileSync('/etc/passwd'));
attempt('read a home folder', () => readdirSync('/home'));
attempt('list the temporary folder', () => readdirSync('/tmp'));
attempt('read its own state', () => readFileSync('/proc/self/status'));
attempt('read the environment of another process', () => readFileSync('/proc/1/environ'));
attempt('see devices', () => readdirSync('/dev'));
attempt('write to the temporary folder', () => writeFileSync('/tmp/x', ''));
attempt('write to the root', () => writeFileSync('/x', ''));
attempt('write beside its program', () => writeFileSync('/dpu/child/x', ''));
attempt('write to the library', () => writeFileSync(`${folder}/x`, ''));
attempt('delete a file of the library', () => unlinkSync(`${folder}/package.json`));
attempt('make a folder', () => mkdirSync('/dpu/y'));
attempt('make a link', () => symlinkSync('/etc', '/dpu/z'));
attempt('change rights', () => chmodSync(`${folder}/package.json`, 0o777));
attempt('see a network card', () => Object.keys(networkInterfaces()).length > 0);
attempt('become root', () => process.setuid?.(0));
attempt('signal the first process', () => process.kill(1, 0));
attempt('signal any process', () => process.kill(2, 0));
attempt('raise its priority', () => setPriority(0, -10));
attempt('start a program', () => spawnSync(process.execPath, ['--version']).status === 0);
/** What the sandbox gives. */
const GIVEN = ['PWD', 'ORT_DISABLE_TELEMETRY', 'DPU_ONNX', 'VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'LD_LIBRARY_PATH'];
attempt('see an environment', () => {
  return Object.keys(process.env).some((name) => !GIVEN.includes(name));
});
attempt('load code from outside', () => process.dlopen({ exports: {} }, '/usr/lib/x86_64-linux-gnu/libz.so.1'));

void (async () => {
  await later('connect to this machine', () => event(connect(22, '127.0.0.1'), 'connect'));
  await later('listen', () => event(createServer().listen(0, '127.0.0.1'), 'listening'));
  await later('listen on a path', () => event(createServer().listen('/dpu/socket'), 'listening'));
  await later('send a datagram', () => {
    const socket = createSocket('udp4');
    const bound = event(socket, 'listening');
    socket.bind(0);
    return bound;
  });
  await later('start a child', () => event(spawn('/bin/sh', ['-c', 'true']), 'spawn'));
  await later('fork', () => event(fork(`${folder}/dist/index.js`), 'spawn'));
  process.exit(0);
})();
