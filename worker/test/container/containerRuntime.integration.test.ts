import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { buildImage, digestOf, tarOf, type BuiltImage } from '@dpu/sdk/machine/imageTar';
import { drawFractal, showFiles } from '@dpu/sdk/machine/programs';
import type { ContainerSettings } from '@dpu/sdk/runtimes/container';
import { afterAll, describe, expect, test } from 'vitest';
import { ContainerRuntime } from '../../src/runtimes/container/containerRuntime.ts';
import type { ShardRequest } from '../../src/runtimes/runtime.ts';
import { failure } from '../wasm/shardRequest.ts';
import { testEngine } from './engine.ts';

const MIB = 1024 * 1024;
const BUSYBOX = '/bin/busybox';

const engine = await testEngine();
const made = new ContainerRuntime({ socket: engine.socket });
const probed = await made.probe();
if (!probed.available) console.warn(`No container is tested on this machine. ${probed.detail}`);
afterAll(async () => {
  await made.close();
  engine.close();
});
const onEngine = describe.skipIf(!probed.available);

const shown = buildImage([{ name: 'show', bytes: showFiles(), mode: 0o755 }]);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function request(
  { tar, id }: BuiltImage,
  command: string[],
  over: Partial<ShardRequest> = {},
  settings: Partial<ContainerSettings> = {},
  limits: Partial<ShardRequest['limits']> = {},
): ShardRequest {
  return {
    module: tar,
    settings: { image: id, command, units: 7, ...settings },
    args: [],
    shard: 0,
    shards: 1,
    inputs: [],
    seed: new Uint8Array(32).fill(0xab),
    ...over,
    limits: { memoryBytes: 64 * MIB, units: 10, outputBytes: MIB, seconds: 60, ...limits },
  };
}

test('a machine without an engine says so', async () => {
  const none = new ContainerRuntime({ socket: '/nowhere/engine.sock' });
  expect(await none.probe()).toMatchObject({
    available: false,
    isolation: 'none',
    detail: expect.stringMatching(/^Containers cannot be run here: \/nowhere\/engine\.sock: /),
  });
});

onEngine('a container', () => {
  test('is offered only when a canary saw that it is held', () => {
    expect(probed).toMatchObject({ available: true, isolation: 'container' });
    expect(probed.detail).toMatch(/^an engine .*, (no|a) graphics card in containers$/);
  });

  test('draws what plain JavaScript computes, and counts as its settings say', async () => {
    const [width, rows, step, turns] = [32, 8, 25_165_824, 100];
    const [left, top] = [-(2 ** 29), 12 * step];
    const image = buildImage([
      { name: 'draw', bytes: drawFractal({ width, height: 24, rows, left, top, step, turns }), mode: 0o755 },
    ]);
    const found = await made.run(request(image, ['/draw', '{shard}'], { shard: 1, shards: 3 }));
    expect(found.units).toBe(7);
    const expected = Array.from({ length: width * rows }, (_, i) =>
      turnsLeft(left + (i % width) * step, top - (rows + Math.floor(i / width)) * step, turns),
    );
    expect([...found.output]).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(5);
  });

  test('finds its inputs, also those in folders, and its numbers in its words', async () => {
    const inputs = [
      { name: 'a', bytes: new TextEncoder().encode('one ') },
      { name: 'parts/3', bytes: new TextEncoder().encode('two') },
    ];
    const asked = request(shown, ['/show', '/in/a'], { inputs, args: ['/in/parts/{shard}'], shard: 3, shards: 4 });
    expect(text((await made.run(asked)).output)).toBe('one two');
  });

  test('that fails, is too slow or writes too much is a failure by name', async () => {
    expect(await failure(made.run(request(shown, ['/show', '/nothing'])))).toBe(
      'exit-code (job): The shard ended with code 1.',
    );
    expect(await failure(made.run(request(shown, ['/nothing'])))).toMatch(/^exit-code \(job\)/);
    expect(await failure(made.run(request(shown, ['/show', '/dev/zero'], {}, {}, { seconds: 60 })))).toBe(
      `output-limit (job): The shard wrote more than the ${MIB} bytes its spec allows.`,
    );
    expect(await failure(made.run(request(shown, ['/show'], {}, {}, { units: 6 })))).toBe(
      'out-of-units (job): The shard counts as 7 units, its spec allows 6.',
    );
    expect(await failure(made.run(request(shown, ['/show', '/proc/kmsg'], {}, { gpu: true })))).toMatch(
      probed.detail.endsWith('no graphics card in containers') ? /^device-lost \(machine\)/ : /^exit-code/,
    );
  });

  test('is ended when the node asks for it', async () => {
    const draw = drawFractal({ width: 8192, height: 8192, rows: 8192, left: 0, top: 0, step: 0, turns: 255 });
    const image = buildImage([{ name: 'draw', bytes: draw, mode: 0o755 }]);
    const slow = request(image, ['/draw', '0'], {}, {}, { outputBytes: 128 * MIB });
    expect(await failure(made.run(slow, { signal: AbortSignal.timeout(2_000) }))).toBe(
      'killed (machine): The shard was ended because the node asked for it.',
    );
    expect(await failure(made.run({ ...slow, limits: { ...slow.limits, seconds: 1 } }))).toBe(
      'timeout (machine): The shard was not done after the 1 seconds its spec allows.',
    );
  });
});

onEngine('an image', () => {
  const SETTINGS =
    'module-rejected (job): The shard cannot be run: its settings are not those of the container runtime. The spec has to be corrected.';

  test.each(['busybox', 'busybox:latest', 'docker.io/library/busybox', 'busybox@sha256:00', shown.id.slice(7)])(
    'called %s is refused: only a digest says which it is',
    async (image) => {
      expect(await failure(made.run(request(shown, ['/show'], {}, { image })))).toBe(SETTINGS);
    },
  );

  test('that the engine does not have and the job does not bring is this machine’s problem, and nothing is pulled', async () => {
    const image = `sha256:${'0'.repeat(64)}`;
    expect(
      await failure(made.run(request({ tar: new Uint8Array(), id: image }, ['/show'], {}, {}, { units: 1 }))),
    ).toBe(`device-lost (machine): This machine does not have the image ${image}, and the job does not bring it.`);
  });

  test('that the engine has already need not be brought', async () => {
    await made.run(request(shown, ['/show', '/proc/self/status']));
    const { output } = await made.run(request({ tar: new Uint8Array(), id: shown.id }, ['/show', '/proc/self/status']));
    expect(text(output)).toMatch(/^Name:\tshow/);
  });

  const layer = tarOf([{ name: 'show', bytes: showFiles(), mode: 0o755 }]);
  function image(over: {
    config?: object;
    layers?: Uint8Array[];
    diffs?: string[];
    manifest?: unknown;
    id?: string;
  }): BuiltImage {
    const layers = over.layers ?? [layer];
    const config = Buffer.from(
      JSON.stringify({
        ...{ architecture: 'amd64', os: 'linux', config: over.config ?? {} },
        rootfs: { type: 'layers', diff_ids: over.diffs ?? [digestOf(layer)] },
      }),
    );
    const names = layers.map((_, i) => `l${i}`);
    const manifest = over.manifest ?? [{ Config: 'c.json', RepoTags: ['debian:latest'], Layers: names }];
    const tar = tarOf([
      ...layers.map((bytes, i) => ({ name: `l${i}`, bytes })),
      { name: 'c.json', bytes: config },
      { name: 'manifest.json', bytes: Buffer.from(JSON.stringify(manifest)) },
    ]);
    return { tar, id: over.id ?? digestOf(config) };
  }
  const other = tarOf([{ name: 'show', bytes: new Uint8Array(8), mode: 0o755 }]);

  test.each<[string, BuiltImage, RegExp]>([
    [
      'that is no archive',
      { tar: new TextEncoder().encode('x'.repeat(2_000)), id: digestOf(layer) },
      /its module is no/,
    ],
    [
      'with another configuration than its id says',
      image({ id: digestOf(other) }),
      /its image is sha256:\w+, not the sha256/,
    ],
    [
      'with another layer than its configuration says',
      image({ layers: [other] }),
      /layer 0 of its image is not what its configuration says/,
    ],
    ['with a layer too many', image({ layers: [layer, other] }), /its image has 2 layers, its configuration says 1/],
    [
      'with a layer that is missing',
      image({ manifest: [{ Config: 'c.json', Layers: ['gone'] }] }),
      /a layer of its image is missing/,
    ],
    ['with two images', image({ manifest: [{}, {}] }), /its manifest.json does not describe one image/],
    ['whose layer is damaged', image({ layers: [gzipSync(layer).subarray(0, 40)] }), /its image is damaged/],
    ['with volumes', image({ config: { Volumes: { '/data': {} } } }), /its image declares volumes/],
  ])('%s is refused', async (_what, built, expected) => {
    const found = await failure(made.run(request(built, ['/show'])));
    expect(found).toMatch(/^module-rejected \(job\): /);
    expect(found).toMatch(expected);
  });

  test('with packed layers is taken, and its tags are not', async () => {
    const packed = image({ layers: [gzipSync(layer)], config: { Env: ['KEPT=1'] } });
    expect(text((await made.run(request(packed, ['/show', '/proc/self/environ']))).output)).toMatch(/KEPT=1/);
    const { RepoTags } = await imageFacts(packed.id);
    expect(RepoTags ?? []).toEqual([]);
  });
});

/** How many turns are left when a point goes away; coordinates in units of 2⁻²⁸. */
function turnsLeft(cx: number, cy: number, turns: number): number {
  let [x, y] = [0n, 0n];
  for (let left = turns; left > 0; left -= 1) {
    const [xx, yy] = [(x * x) >> 28n, (y * y) >> 28n];
    if (xx + yy > 2n ** 30n) return left;
    y = ((x * y) >> 27n) + BigInt(cy);
    x = xx - yy + BigInt(cx);
  }
  return 0;
}

async function imageFacts(id: string): Promise<{ RepoTags?: string[] }> {
  const { default: Docker } = await import('dockerode');
  return (await new Docker({ socketPath: engine.socket! }).getImage(id).inspect()) as { RepoTags?: string[] };
}

const hasBusybox = existsSync(BUSYBOX) && readFileSync(BUSYBOX).length > MIB;
if (probed.available && !hasBusybox)
  console.warn('No attack from a shell is tested: install the package busybox-static.');

describe.skipIf(!probed.available || !hasBusybox)('a shell inside', () => {
  const shell = hasBusybox ? buildImage([{ name: 'bin/busybox', bytes: readFileSync(BUSYBOX), mode: 0o755 }]) : shown;
  const sh = (script: string, limits: Partial<ShardRequest['limits']> = {}): ShardRequest =>
    request(shell, ['/bin/busybox', 'sh', '-c', `b=/bin/busybox; ${script}`], {}, {}, limits);

  /** Each line tries one thing; its number is printed where that worked. */
  const ATTEMPTS: readonly [what: string, command: string][] = [
    ['write to its root', '$b touch /x'],
    ['write to its input', '$b touch /in/x'],
    ['write to /etc', 'echo x >> /etc/passwd'],
    ['write to /sys', 'echo 1 > /sys/kernel/mm/ksm/run'],
    ['write a setting of the kernel', 'echo 1 > /proc/sys/kernel/panic'],
    [
      'write its own limits',
      'echo -1 > /sys/fs/cgroup/memory/memory.limit_in_bytes || echo max > /sys/fs/cgroup/memory.max',
    ],
    ['make a device', '$b mknod /tmp/d b 8 0'],
    ['mount', '$b mount -t tmpfs none /tmp'],
    ['mount the machine’s disk', '$b mount /dev/vda /tmp'],
    ['read a disk', '$b head -c 1 /dev/vda || $b head -c 1 /dev/sda'],
    // Empty where an engine puts /dev/null in its place.
    ['read the kernel’s memory', '[ $($b head -c 1 /proc/kcore | $b wc -c) = 1 ]'],
    ['read the kernel’s messages', '$b dmesg'],
    ['change its root', '$b chroot / $b true'],
    ['become root', '$b su -c true'],
    ['change its user', '$b setuidgid 0 $b true'],
    ['take a name space of the machine', '$b unshare -n $b true'],
    ['enter another’s name space', '$b nsenter -t 1 -m $b touch /x'],
    ['set the clock', '$b date -s 2020-01-01; [ $($b date +%Y) = 2020 ]'],
    ['set the host’s name', '$b hostname other'],
    ['bring a network card up', '$b ifconfig lo 10.0.0.1'],
    ['reach the gateway', '$b wget -q -T 1 -O - http://172.17.0.1/'],
    ['ask for a name', '$b nslookup localhost 1.1.1.1'],
    ['send a packet', '$b ping -c 1 -W 1 127.0.0.2'],
    ['see a network card', '$b ls /sys/class/net | $b grep -v -e "^lo$" -e "^bonding_masters$"'],
    ['see a process of the machine', '$b ps | $b grep -v -e busybox -e PID -e sh | $b grep .'],
    ['find the engine’s socket', '$b ls /run/podman/podman.sock /var/run/docker.sock'],
    ['run a program from /tmp', '$b cp /bin/busybox /tmp/busybox && $b chmod 755 /tmp/busybox && /tmp/busybox true'],
    // Podman 4.3 without root sets none: there memory and processes are what is bounded.
    ['raise its own limits', '[ $(ulimit -Hn) = 1024 ] && ulimit -n 100000'],
    ['load a module', '$b insmod /tmp/x.ko'],
    ['restart the machine', '$b reboot -f'],
    ['swap', '$b swapoff -a'],
  ].map(([what, command]) => [what!, command!]);

  test('can do what it should: otherwise the probes below would say nothing', async () => {
    const { output } = await made.run(
      sh('echo x > /tmp/x && $b cat /tmp/x && $b id -u && echo $DPU_SHARD $DPU_SHARDS $DPU_SEED'),
    );
    expect(text(output)).toBe(`x\n65534\n0 1 ${'ab'.repeat(32)}\n`);
  });

  test(`cannot do any of ${ATTEMPTS.length} things`, async () => {
    const script = ATTEMPTS.map(([what, command]) => `if ( ${command} ) >/dev/null 2>&1; then echo "${what}"; fi`).join(
      '\n',
    );
    expect(text((await made.run(sh(script))).output)).toBe('');
  });

  test.each<[string, string, Partial<ShardRequest['limits']>, RegExp]>([
    ['forks for ever', 'f() { f | f & }; f; $b sleep 30', { seconds: 2 }, /^(timeout|exit-code|killed) /],
    [
      'takes all memory',
      'x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done',
      { seconds: 30, memoryBytes: 16 * MIB },
      /^(out-of-memory \(job\)|killed \(machine\)|exit-code \(job\))/,
    ],
    [
      'fills its /tmp',
      '$b dd if=/dev/zero of=/tmp/x bs=1M count=1000',
      {},
      /^exit-code \(job\): The shard ended with code 1/,
    ],
    ['fills /dev/shm', '$b dd if=/dev/zero of=/dev/shm/x bs=1M count=1000', {}, /^exit-code \(job\)/],
    ['writes for ever', '$b yes', {}, /^output-limit \(job\)/],
    ['turns for ever', 'while true; do :; done', { seconds: 2 }, /^timeout \(machine\)/],
    [
      'ignores being asked to end',
      "trap '' TERM INT HUP; while true; do $b sleep 1; done",
      { seconds: 2 },
      /^timeout \(machine\)/,
    ],
  ])('that %s is ended', async (_what, script, limits, expected) => {
    expect(await failure(made.run(sh(script, limits)))).toMatch(expected);
  });

  test('keeps nothing from one shard to the next, and a log is cut', async () => {
    await made.run(sh('echo secret > /tmp/x'));
    expect(text((await made.run(sh('$b ls -A /tmp'))).output)).toBe('');
    const { log, output } = await made.run(sh('$b head -c 200000 /dev/zero | $b tr "\\000" x >&2; echo done'));
    expect([log.length, text(output)]).toEqual([64 * 1024, 'done\n']);
  });

  test('leaves no container behind', async () => {
    const { default: Docker } = await import('dockerode');
    const filters = JSON.stringify({ label: [`dpu.pid=${process.pid}`] });
    expect(await new Docker({ socketPath: engine.socket! }).listContainers({ all: true, filters })).toEqual([]);
  });

  test('gives the same bytes for the same work', async () => {
    const hash = async (): Promise<string> =>
      createHash('sha256')
        .update((await made.run(sh('$b seq 1 1000 | $b sha256sum'))).output)
        .digest('hex');
    expect(await hash()).toBe(await hash());
  });
});
