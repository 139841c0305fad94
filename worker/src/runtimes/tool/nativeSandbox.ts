/** The sandbox of programs from the system's packages: native code, so namespaces and a system call list or nothing. */
import { detectIsolation } from '../../sandbox/detect.ts';
import type { ChildProgram, IsolationReport, SandboxWish } from '../../sandbox/isolation.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { RuntimeProbe } from '../runtime.ts';
import { Setup } from '../setup.ts';

/** Without a forced class only namespaces with a system call list will do: nothing else holds native code. */
export type NativeOptions = SandboxWish;

/** A program that was found on this machine. */
export type FoundProgram = Pick<ChildProgram, 'binary' | 'files' | 'environment'> & Partial<ChildProgram>;

interface Ready {
  readonly sandbox: Sandbox;
  readonly report: IsolationReport;
  readonly program: ChildProgram;
}

/** A program and the sandbox that it runs in. */
export class NativeSandbox {
  readonly #options: NativeOptions;
  readonly #find: () => Promise<FoundProgram>;
  readonly #setup: Setup<Ready>;

  /** `what` is the plural that the operator reads: "Videos cannot be made here". `find` throws where the program is not installed. */
  constructor(what: string, options: NativeOptions, find: () => Promise<FoundProgram>) {
    this.#options = options;
    this.#find = find;
    this.#setup = new Setup(`${what} cannot be made here`, {
      make: () => this.#detect(),
      dispose: ({ sandbox }) => sandbox.close(),
    });
  }

  get folder(): string | undefined {
    return this.#options.folder;
  }

  async sandbox(): Promise<Sandbox> {
    return (await this.#setup.get()).sandbox;
  }

  /** The program without words. */
  async program(): Promise<ChildProgram> {
    return (await this.#setup.get()).program;
  }

  /** Runs a self-test that answers with what is wrong, and says what the runtime can do here. Never throws. */
  async probe(selfTest: () => Promise<string | undefined>): Promise<RuntimeProbe> {
    try {
      const { report } = await this.#setup.get();
      const problem = await selfTest();
      if (problem !== undefined) return { available: false, isolation: 'none', detail: problem };
      const weak = report.isolation === 'bubblewrap' ? '' : '. Native code is not held by Node: install bubblewrap';
      return { available: true, isolation: report.isolation, detail: `${report.detail}${weak}` };
    } catch (error) {
      return { available: false, isolation: 'none', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  close(): Promise<void> {
    return this.#setup.close();
  }

  async #detect(): Promise<Ready> {
    const { isolation, folder, groups } = this.#options;
    const program = { args: [], devices: [], proc: false, calls: [], ...(await this.#find()) };
    const report = await detectIsolation({
      only: isolation ?? 'bubblewrap',
      ...(folder === undefined ? {} : { folder }),
      ...(groups === undefined ? {} : { groups }),
    });
    if (isolation === undefined && !report.seccomp)
      throw new Error('native code is not run without a system call list, and there is none for this kernel');
    return { sandbox: new Sandbox(report), report, program };
  }
}
