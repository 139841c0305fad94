import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { WasmRuntime } from '../../src/runtimes/wasm/wasmRuntime.ts';
import { detectIsolation } from '../../src/sandbox/detect.ts';
import { failure, request } from '../wasm/shardRequest.ts';
import {
  CALL_PROBES,
  CLASSES,
  KERNEL_PROBES,
  MODEL_PROBES,
  MODULE_PROBES,
  PROGRAM_PROBES,
  type SandboxClass,
} from './registry.ts';
import {
  isKept,
  kernelDriver,
  softwareDriver,
  tryCalls,
  tryCardProgram,
  tryKernelProgram,
  tryModelProgram,
  tryProgram,
} from './run.ts';

const EPERM = -1;
const ENOSYS = -38;

const here = new Map<SandboxClass, boolean>();
for (const kind of CLASSES) {
  const only = kind === 'bubblewrap without a list' ? 'bubblewrap' : kind;
  const found = await detectIsolation({ only }).catch(() => undefined);
  here.set(kind, found !== undefined && (kind !== 'bubblewrap' || found.seccomp));
}

test('the registry has at least sixty probes', () => {
  const names = [PROGRAM_PROBES, CALL_PROBES, MODULE_PROBES].map((probes) => Object.keys(probes).length);
  expect(names).toEqual([66, 64, 14]);
  expect([MODEL_PROBES.length, KERNEL_PROBES.length]).toEqual([28, 14]);
});

test('every probe is denied by the strongest class', () => {
  for (const [name, open] of Object.entries(PROGRAM_PROBES)) expect(open, name).not.toContain('bubblewrap');
});

describe.each(CLASSES)('a program that was taken over, in %s, cannot', (kind) => {
  const inClass = test.skipIf(!here.get(kind));
  let answers = new Map<string, string>();
  beforeAll(async () => {
    if (here.get(kind)) answers = await tryProgram(kind);
  });

  inClass('leave out a probe', () => {
    const tried = [...answers.keys()];
    // The last one ends the process where memory is limited.
    expect(Object.keys(PROGRAM_PROBES).slice(0, tried.length)).toEqual(tried);
    expect(tried.length).toBeGreaterThanOrEqual(Object.keys(PROGRAM_PROBES).length - 1);
  });

  for (const [name, open] of Object.entries(PROGRAM_PROBES)) {
    if (!open.includes(kind)) inClass(name, () => expect(answers.get(name) ?? 'ended').not.toBe('done'));
  }
});

describe.skipIf(!here.get('bubblewrap') || process.arch !== 'x64')('a native program in bubblewrap cannot', () => {
  let answers = new Map<string, number>();
  beforeAll(async () => {
    answers = await tryCalls({ 'ask for its number': 39, ...CALL_PROBES });
  });
  test('fool the suite: a call that is allowed answers', () => {
    expect(answers.get('ask for its number')).toBeGreaterThan(0);
  });
  test.each(Object.keys(CALL_PROBES))('%s', (name) => {
    expect([EPERM, ENOSYS]).toContain(answers.get(name));
  });
});

describe.skipIf(!here.get('bubblewrap'))('native code in the place of a model cannot', () => {
  let answers = new Map<string, string>();
  beforeAll(async () => {
    answers = await tryModelProgram();
  });
  test('leave out a probe', () => expect([...answers.keys()]).toEqual(MODEL_PROBES));
  test.each(MODEL_PROBES)('%s', (name) => expect(answers.get(name)).toBe('denied'));
});

const driver = kernelDriver();
const card = softwareDriver();
describe.skipIf(!here.get('bubblewrap') || card === undefined)(
  'native code in the place of a model on a graphics card cannot',
  () => {
    let answers = new Map<string, string>();
    beforeAll(async () => {
      answers = await tryCardProgram(card!.manifest);
    });
    test('leave out a probe', () => expect([...answers.keys()]).toEqual(MODEL_PROBES));
    test.each(MODEL_PROBES)('%s', (name) => expect(answers.get(name)).toBe('denied'));
  },
);

if (driver === undefined) console.warn('No script of kernels is tried: this machine has no Vulkan driver');
describe.skipIf(driver === undefined).each(CLASSES)(
  'a script in the place of the one of kernels, in %s, cannot',
  (kind) => {
    const inClass = test.skipIf(!here.get(kind));
    let answers = new Map<string, string>();
    beforeAll(async () => {
      if (here.get(kind)) answers = await tryKernelProgram(kind, driver!);
    });
    inClass('leave out a probe', () => expect([...answers.keys()]).toEqual(KERNEL_PROBES));
    for (const name of KERNEL_PROBES)
      inClass(name, () => expect(answers.get(name)).toSatisfy((said) => isKept(name, said as string)));
  },
);

describe('a module cannot', () => {
  const runtime = new WasmRuntime();
  afterAll(() => runtime.close());
  test.each(Object.entries(MODULE_PROBES))('%s', async (_name, [module, expected]) => {
    expect(await failure(runtime.run(request(module())))).toMatch(expected);
  });
});
