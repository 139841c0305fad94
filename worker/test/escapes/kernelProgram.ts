/** Run by Deno in a child's sandbox: tries what it must not be able to do, and says what came of it. Bundled by the suite. */

interface Host {
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  readonly exit: (code: number) => void;
  readonly pid: number;
  readonly [name: string]: unknown;
}
const deno = (globalThis as unknown as { Deno: Host }).Deno;
const call = (name: string, ...args: unknown[]): unknown => (deno[name] as (...given: unknown[]) => unknown)(...args);

const attempts: Record<string, () => unknown> = {
  'read a file': () => call('readTextFileSync', '/etc/passwd'),
  'list a folder': () => call('readDirSync', '/'),
  'read its own code': () => call('readTextFileSync', '/dpu/child/kernelProgram.mjs'),
  'write a file': () => call('writeTextFileSync', '/tmp/dpu-escape', 'x'),
  'make a folder': () => call('mkdirSync', '/tmp/dpu-escape'),
  'read the environment': () => (deno['env'] as { toObject(): unknown }).toObject(),
  'start a process': () =>
    new (deno['Command'] as new (name: string) => { outputSync(): unknown })('/bin/sh').outputSync(),
  'kill its parent': () => call('kill', 1, 'SIGKILL'),
  'load a library': () => call('dlopen', '/lib/x86_64-linux-gnu/libc.so.6', {}),
  'ask for the host’s name': () => call('hostname'),
  listen: () => call('listen', { port: 0 }),
  connect: () => call('connect', { port: 80, hostname: '127.0.0.1' }),
  fetch: () => fetch('http://127.0.0.1/'),
  'ask for more': async () => {
    const { state } = await (deno['permissions'] as { request(what: unknown): Promise<{ state: string }> }).request({
      name: 'read',
    });
    if (state !== 'granted') throw new Error(state);
  },
};

async function main(): Promise<void> {
  const tell = (name: string, answer: string): void =>
    void deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify([name, answer])}\n`));
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      const value: unknown = await attempt();
      // Reading a folder is lazy.
      if (typeof value === 'object' && value !== null && Symbol.iterator in value)
        Array.from(value as Iterable<unknown>);
      tell(name, 'done');
    } catch (error) {
      tell(name, (error as Error).name === 'NotCapable' ? 'denied' : `failed: ${(error as Error).message}`);
    }
  }
  deno.exit(0);
}

void main();
