import { describe, expect, test } from 'vitest';

import { howMany, needsOf, type Needs } from '../resources/needs.ts';
import { Resources } from '../resources/resources.ts';
import { coresOfASlot } from './all.ts';
import { ContainerRuntime } from './container/containerRuntime.ts';
import { cardNeeds } from './gpu/needs.ts';
import { OnnxRuntime } from './onnx/onnxRuntime.ts';
import { RenderRuntime } from './render/renderRuntime.ts';
import type { Runtime, ShardRequest } from './runtime.ts';
import { VideoRuntime } from './video/videoRuntime.ts';
import { WgslRuntime } from './wgsl/wgslRuntime.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MACHINE: Needs = { slots: 8, cores: 8, memoryBytes: 16 * GIB, vramBytes: 24 * GIB };
const limits: ShardRequest['limits'] = { memoryBytes: GIB, units: 1, outputBytes: 1, seconds: 1 };
const IMAGE = { image: `sha256:${'0'.repeat(64)}`, command: ['/a'], units: 1 };

/** What the node books for a shard. */
function booked(runtime: Runtime, settings: unknown = {}, capacity = MACHINE): Needs {
  return needsOf(limits.memoryBytes, runtime.needs?.({ limits, settings }, capacity));
}

describe('a shard books what its program may really take', () => {
  test.each<[what: string, Runtime, settings: object, over: Partial<Needs>]>([
    ['a model: its process besides', new OnnxRuntime(), {}, { memoryBytes: GIB + 192 * MIB }],
    ['ffmpeg: what it takes without a clip', new VideoRuntime(), {}, { memoryBytes: GIB + 256 * MIB }],
    [
      'Blender: its threads, itself and its small files',
      new RenderRuntime({ threads: 4 }),
      {},
      { cores: 4, memoryBytes: 2 * GIB + 64 * MIB },
    ],
    [
      'Blender of 100 threads: as many as it is given',
      new RenderRuntime({ threads: 100 }),
      {},
      { cores: 64, memoryBytes: 2 * GIB + 64 * MIB },
    ],
    ['a container that does not say: one processor', new ContainerRuntime(), IMAGE, { cores: 1 }],
    ['a container: the processors of its settings', new ContainerRuntime(), { ...IMAGE, cpus: 3 }, { cores: 3 }],
    [
      'a container with a card: all of its memory',
      new ContainerRuntime(),
      { ...IMAGE, gpu: true },
      { vramBytes: 24 * GIB },
    ],
    ['a container whose settings are none: it is refused later', new ContainerRuntime(), { cpus: 3 }, {}],
    [
      'a model on a software adapter: every core',
      new OnnxRuntime(),
      { provider: 'webgpu' },
      { cores: 8, memoryBytes: 2 * GIB + 384 * MIB },
    ],
    [
      'a kernel on a software adapter: every core',
      new WgslRuntime(),
      {},
      { cores: 8, memoryBytes: 2 * GIB + 256 * MIB },
    ],
  ])('%s', (_what, runtime, settings, over) => {
    const usual = { slots: 1, cores: 1, memoryBytes: GIB + 64 * MIB, vramBytes: 0 };
    expect(booked(runtime, settings)).toEqual({ ...usual, ...over });
  });

  test('a kernel on a card: its buffers there and here, where the card’s memory is known', () => {
    const shard = { memoryBytes: GIB, besideBytes: 256 * MIB, software: false };
    const held = 2 * GIB + 256 * MIB;
    expect(cardNeeds(shard, MACHINE)).toEqual({ memoryBytes: held, vramBytes: GIB });
    expect(cardNeeds(shard, { ...MACHINE, vramBytes: 0 })).toEqual({ memoryBytes: held });
  });

  test('so fewer run side by side than there are slots', () => {
    expect(howMany(MACHINE, booked(new RenderRuntime({ threads: 3 })))).toBe(2);
    expect(howMany(MACHINE, booked(new RenderRuntime()))).toBe(7);
    expect(howMany(MACHINE, booked(new ContainerRuntime(), { ...IMAGE, gpu: true }))).toBe(1);
    expect(howMany({ ...MACHINE, cores: 64, slots: 64 }, booked(new VideoRuntime()))).toBe(12);
  });

  test('and one that would take more than is left waits', async () => {
    const resources = new Resources({ capacity: MACHINE }, { nowSeconds: () => 0 });
    const order: string[] = [];
    const ends = new Map<string, () => void>();
    const run = (name: string, needs: Needs): Promise<void> =>
      resources.hold(1, { needs, deadline: 100, seconds: 1 }).run(() => {
        order.push(name);
        return new Promise((resolve) => ends.set(name, resolve));
      }, new AbortController().signal);
    const first = run('a picture', booked(new RenderRuntime({ threads: 5 })));
    const second = run('another', booked(new RenderRuntime({ threads: 5 })));
    await Promise.resolve();
    expect(order).toEqual(['a picture']);
    ends.get('a picture')!();
    await first;
    await Promise.resolve();
    expect(order).toEqual(['a picture', 'another']);
    ends.get('another')!();
    await second;
  });
});

test.each([
  [{ slots: 8, cores: 8 }, 1],
  [{ slots: 1, cores: 8 }, 8],
  [{ slots: 3, cores: 8 }, 2],
  [{ slots: 8, cores: 2 }, 1],
])('of %o a slot has %i cores', (machine, cores) => {
  expect(coresOfASlot(machine)).toBe(cores);
});
