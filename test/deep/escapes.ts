import { WasmRuntime } from '../../worker/src/runtimes/wasm/wasmRuntime.ts';
import { detectIsolation } from '../../worker/src/sandbox/detect.ts';
import {
  CALL_PROBES,
  CLASSES,
  KERNEL_PROBES,
  MODEL_PROBES,
  MODULE_PROBES,
  PROGRAM_PROBES,
  type SandboxClass,
} from '../../worker/test/escapes/registry.ts';
import {
  isKept,
  kernelDriver,
  tryCalls,
  tryKernelProgram,
  tryModelProgram,
  tryProgram,
} from '../../worker/test/escapes/run.ts';
import { failure, request } from '../../worker/test/wasm/shardRequest.ts';
import { count, type Campaign, type Report } from './stories.ts';

const isHere = async (kind: SandboxClass): Promise<boolean> => {
  const only = kind === 'bubblewrap without a list' ? 'bubblewrap' : kind;
  const found = await detectIsolation({ only }).catch(() => undefined);
  return found !== undefined && (kind !== 'bubblewrap' || found.seccomp);
};

/** The whole registry in every class that works here; runs are probes. */
export const escapes: Campaign = async () => {
  const report: Report = { done: 0, violations: [], actions: new Map() };
  const tell = (kind: string, name: string, denied: boolean, said: unknown): void => {
    report.done += 1;
    count(report.actions, kind, denied);
    if (!denied) report.violations.push(`${kind}: "${name}" worked (${String(said)})`);
  };
  for (const kind of CLASSES) {
    if (!(await isHere(kind))) {
      console.error(`${kind} does not work on this machine: not tried`);
      continue;
    }
    const answers = await tryProgram(kind);
    for (const [name, open] of Object.entries(PROGRAM_PROBES)) {
      if (!open.includes(kind)) tell(kind, name, answers.get(name) !== 'done', answers.get(name));
    }
  }
  if (process.arch === 'x64' && (await isHere('bubblewrap'))) {
    const answers = await tryCalls(CALL_PROBES);
    for (const name of Object.keys(CALL_PROBES)) {
      const answer = answers.get(name);
      tell('system calls', name, answer === -1 || answer === -38, answer);
    }
  }
  if (await isHere('bubblewrap')) {
    const answers = await tryModelProgram();
    for (const name of MODEL_PROBES) tell('models', name, answers.get(name) === 'denied', answers.get(name));
  }
  const driver = kernelDriver();
  if (driver === undefined) console.error('this machine has no Vulkan driver: no script of kernels is tried');
  for (const kind of driver === undefined ? [] : CLASSES) {
    if (!(await isHere(kind))) continue;
    const answers = await tryKernelProgram(kind, driver!);
    for (const name of KERNEL_PROBES)
      tell(`kernels, ${kind}`, name, isKept(name, answers.get(name)), answers.get(name));
  }
  const runtime = new WasmRuntime();
  for (const [name, [module, expected]] of Object.entries(MODULE_PROBES)) {
    const said = await failure(runtime.run(request(module())));
    tell('modules', name, expected.test(said), said);
  }
  await runtime.close();
  return report;
};
