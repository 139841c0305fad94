/** The sandbox of programs from the system's packages: native code, so namespaces and a system call list or nothing. */
import { detectIsolation } from '../../sandbox/detect.ts';
import type { ChildProgram, Isolation, IsolationReport } from '../../sandbox/isolation.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { ShardError, type RuntimeProbe } from '../runtime.ts';

export interface NativeOptions {
  /** Forces a class. Without it only namespaces with a system call list will do: nothing else holds native code. */
  readonly isolation?: Isolation;
  /** Folder of this node alone for what is staged; the system's folder for temporary files when absent. */
  readonly folder?: string;
}

/** A program that was found on this machine. */
export type FoundProgram = Pick<ChildProgram, 'binary' | 'files' | 'environment'> & Partial<ChildProgram>;

interface Ready {
  readonly sandbox: Sandbox;
  readonly report: IsolationReport;
  readonly program: ChildProgram;
}

/** A program and the sandbox that it runs in, found out once. A failure is not kept: the operator may install what was missing. */
export class NativeSandbox {
  readonly #what: string;
  readonly #options: NativeOptions;
  readonly #find: () => Promise<FoundProgram>;
  #ready: Promise<Ready> | undefined;

  /** `what` is the plural that the operator reads: "Videos cannot be made here". `find` throws where the program is not installed. */
  constructor(what: string, options: NativeOptions, find: () => Promise<FoundProgram>) {
    this.#what = what;
    this.#options = options;
    this.#find = find;
  }

  get folder(): string | undefined {
    return this.#options.folder;
  }

  async sandbox(): Promise<Sandbox> {
    return (await this.#prepare()).sandbox;
  }

  /** The program without words. */
  async program(): Promise<ChildProgram> {
    return (await this.#prepare()).program;
  }

  /** Runs a self-test that answers with what is wrong, and says what the runtime can do here. Never throws. */
  async probe(selfTest: () => Promise<string | undefined>): Promise<RuntimeProbe> {
    try {
      const { report } = await this.#prepare();
      const problem = await selfTest();
      if (problem !== undefined) return { available: false, isolation: 'none', detail: problem };
      const weak = report.isolation === 'bubblewrap' ? '' : '. Native code is not held by Node: install bubblewrap';
      return { available: true, isolation: report.isolation, detail: `${report.detail}${weak}` };
    } catch (error) {
      return { available: false, isolation: 'none', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  async close(): Promise<void> {
    const ready = await this.#ready?.catch(() => undefined);
    this.#ready = undefined;
    await ready?.sandbox.close();
  }

  #prepare(): Promise<Ready> {
    this.#ready ??= this.#detect().catch((error: unknown) => {
      this.#ready = undefined;
      const why = error instanceof Error ? error.message : String(error);
      throw new ShardError('sandbox', 'machine', `${this.#what} cannot be made here: ${why}`, {}, error);
    });
    return this.#ready;
  }

  async #detect(): Promise<Ready> {
    const { isolation, folder } = this.#options;
    const program = { args: [], devices: [], proc: false, calls: [], ...(await this.#find()) };
    const report = await detectIsolation({
      only: isolation ?? 'bubblewrap',
      ...(folder === undefined ? {} : { folder }),
    });
    if (isolation === undefined && !report.seccomp)
      throw new Error('native code is not run without a system call list, and there is none for this kernel');
    return { sandbox: new Sandbox(report), report, program };
  }
}
