import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';

import { freePort, NoFreePort } from '../network/ports.ts';

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill()));

/** A port that is free and has free ones after it. */
async function somewhere(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return Math.min(port, 65_000);
}

/** Asks another process for a port, which it holds until it ends. */
async function asOther(wanted: number): Promise<{ port: number; child: ChildProcess }> {
  const child = fork(new URL('askPort.ts', import.meta.url), [String(wanted)]);
  children.push(child);
  const [port] = (await once(child, 'message')) as [number];
  return { port, child };
}

test('two processes that ask for the same port before either uses it get two', async () => {
  const wanted = await somewhere();
  const mine = await freePort(wanted);
  const { port } = await asOther(wanted);
  expect(port).toBeGreaterThan(mine);
  expect(await freePort(wanted), 'asked again, a process gets what it holds').toBe(mine);
});

test('a port that a process asked for is free again when the process was killed', async () => {
  const wanted = await somewhere();
  const { port, child } = await asOther(wanted);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await freePort(port)).toBe(port);
});

test('a port in use is passed over', async () => {
  const wanted = await somewhere();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  expect(await freePort(wanted)).toBeGreaterThan(wanted);
  await new Promise((resolve) => server.close(resolve));
});

test('says what to do when no port is left', () => {
  expect(new NoFreePort(8_545).message).toBe(
    'No free port between 8545 and 8585: end the programs that use them, or free one of them.',
  );
});
