import { describe, expect, test } from 'vitest';
import { CANARY_FILES, canaryProblem, readSight, type Sight } from '../../src/runtimes/container/canary.ts';
import { containerOptions } from '../../src/runtimes/container/options.ts';
import { Demultiplexer } from '../../src/runtimes/container/streams.ts';

const HELD: Sight = {
  word: 'the canary sings\n',
  status: [
    'Uid:\t65534\t65534\t65534\t65534',
    ...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => `${name}:\t0000000000000000`),
    'NoNewPrivs:\t1',
    'Seccomp:\t2',
  ].join('\n'),
  mounts: [
    '76 51 0:40 / / ro,relatime - overlay overlay rw,lowerdir=/x',
    '80 76 254:0 /x /in ro,relatime - ext4 /dev/vda rw',
    '83 76 0:53 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw,size=1024k',
  ].join('\n'),
  network: 'Inter-|   Receive\n face |bytes\n    lo:       0       0\n',
  messages: '1\n',
  memory: '33554432\n',
  pids: '13\n',
};

describe('what the canary saw', () => {
  test('is what was asked for', () => {
    expect(canaryProblem(HELD)).toBeUndefined();
  });

  test.each<[Partial<Sight>, string]>([
    [{ word: '' }, 'it does not see its input'],
    [{ status: HELD.status.replaceAll('65534', '0') }, 'it is not nobody'],
    [{ status: HELD.status.replace('CapBnd:\t0000000000000000', 'CapBnd:\t00000000a80425fb') }, 'it has capabilities'],
    [{ status: HELD.status.replace('NoNewPrivs:\t1', 'NoNewPrivs:\t0') }, 'it could gain privileges'],
    [{ status: HELD.status.replace('Seccomp:\t2', 'Seccomp:\t0') }, 'no system call list is in force'],
    [{ status: '' }, 'it is not nobody'],
    [{ network: `${HELD.network}  eth0: 1 2\n` }, 'it sees a network: lo, eth0'],
    [{ messages: '0\n' }, 'every user may read the kernel’s messages here: set kernel.dmesg_restrict to 1'],
    [{ mounts: HELD.mounts.replace('/ / ro', '/ / rw') }, 'its root can be written'],
    [{ mounts: HELD.mounts.replace('/in ro', '/in rw') }, 'its input can be written'],
    [{ mounts: HELD.mounts.replace(',size=1024k', '') }, 'its /tmp has no size'],
    [{ memory: 'max\n' }, 'its memory has no limit'],
    [{ memory: '' }, 'its memory has no limit'],
    [{ pids: 'max\n' }, 'its processes have no limit'],
  ])('%j is refused', (over, problem) => {
    expect(canaryProblem({ ...HELD, ...over })).toBe(problem);
  });

  test('is taken apart by what was looked at', () => {
    expect(CANARY_FILES.filter((file) => file === '/in/cut')).toHaveLength(7);
    const cut = '\n-- cut --\n';
    expect(readSight(['w', 's', 'm', 'n', '1', '5', '6', ''].join(cut))).toEqual({
      ...{ word: 'w', status: 's', mounts: 'm', network: 'n', messages: '1', memory: '5', pids: '6' },
    });
  });
});

test('the streams of a container are told apart, however they are cut', () => {
  const frame = (stream: number, text: string): Buffer => {
    const head = Buffer.alloc(8);
    head[0] = stream;
    head.writeUInt32BE(text.length, 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const bytes = Buffer.concat([frame(1, 'out'), frame(2, 'log'), frame(1, ''), frame(1, 'put')]);
  for (let size = 1; size <= bytes.length; size += 1) {
    let [out, log] = ['', ''];
    const streams = new Demultiplexer(
      (piece) => (out += piece.toString()),
      (piece) => (log += piece.toString()),
    );
    for (let at = 0; at < bytes.length; at += size) streams.push(bytes.subarray(at, at + size));
    expect([out, log]).toEqual(['output', 'log']);
  }
});

test('a container is made without what an engine gives by itself', () => {
  const made = containerOptions({
    settings: { image: `sha256:${'a'.repeat(64)}`, command: ['/x', '{shard}'], units: 1, scratchBytes: 2 ** 40 },
    request: {
      ...{ args: ['of {shards}'], shard: 2, shards: 3, seed: new Uint8Array(2) },
      limits: { memoryBytes: 2 ** 25, units: 1, outputBytes: 1, seconds: 1 },
    },
    folder: '/inputs',
    owner: 'me',
  });
  expect(made).toMatchObject({
    Entrypoint: ['/x'],
    Cmd: ['2', 'of 3'],
    Env: ['DPU_SHARD=2', 'DPU_SHARDS=3', 'DPU_SEED=0000'],
    User: '65534:65534',
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      PidsLimit: 64,
      Memory: 33_554_432,
      MemorySwap: 33_554_432,
      NanoCpus: 1_000_000_000,
      // Never more than the memory that it counts as.
      Tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=33554432' },
      Binds: ['/inputs:/in:ro'],
      LogConfig: { Type: 'none', Config: {} },
    },
  });
  expect(made).not.toHaveProperty('HostConfig.DeviceRequests');
});
