import type { ControlGroups } from './groups.ts';
import type { ExtraCall } from './seccomp.ts';

/**
 * How strongly a child is kept from the machine, strongest first.
 *
 * `bubblewrap`: own user, pid, mount, network, ipc and uts namespaces, an empty read-only root with nothing but the
 * runtime's files, no capability, and (where the kernel lets us) a list of allowed system calls; plus all of `prlimit`.
 * `prlimit`: resource limits of the kernel and Node's permission model; the network and other processes stay visible.
 * `process`: Node's permission model only. For development; a node should say so loudly.
 */
export type Isolation = 'bubblewrap' | 'prlimit' | 'process';

export const ISOLATIONS: readonly Isolation[] = ['bubblewrap', 'prlimit', 'process'];

/** What every runtime is told about the sandbox of its shards. */
export interface SandboxWish {
  /** Forces a class instead of the strongest that works. */
  readonly isolation?: Isolation;
  /** Folder of this node alone for what is staged; the system's folder for temporary files when absent. */
  readonly folder?: string;
  /** Where children get a control group from; without it they have the limits of single processes. */
  readonly groups?: ControlGroups;
}

/** A class as it works on this machine. */
export interface IsolationReport {
  readonly isolation: Isolation;
  /** Whether a list of allowed system calls is in force; only with `bubblewrap`. */
  readonly seccomp: boolean;
  /** One sentence for the operator. */
  readonly detail: string;
  /** Where its children get a control group from. */
  readonly groups?: ControlGroups;
  /** Stronger classes that failed here, and why. */
  readonly refused: readonly { readonly isolation: string; readonly why: string }[];
}

/** Kernel limits of one child. */
export interface ChildLimits {
  /** Private writable memory of the whole process, bytes. */
  readonly dataBytes: number;
  /** Main thread's stack, bytes. */
  readonly stackBytes: number;
  /** Processor seconds of all threads; only a backstop for a parent that died. */
  readonly cpuSeconds: number;
  /** Largest file, bytes, 0 when absent. Compilers may keep their code in memory that the kernel counts as a file. */
  readonly fileBytes?: number;
}

/** A folder that a program reads besides its own, such as a package with native code. */
export interface ChildMount {
  /** Where it is on this machine, absolute. */
  readonly from: string;
  /** Its path below the child's root, such as `node_modules/some-package`; only where the child has a root of its own. */
  readonly to: string;
}

/** What every child is: plain files in one folder, and limits. */
interface CommonSpec {
  /** Folder with everything the program imports; all that it can read. */
  readonly folder: string;
  readonly limits: ChildLimits;
}

/** A program for Node, the same as the running one. */
export interface NodeSpec extends CommonSpec {
  /** File name in the folder. */
  readonly entry: string;
  readonly nodeFlags: readonly string[];
  /** Whether Node's own permission model is on; off only to see what the system alone keeps away. */
  readonly permission: boolean;
  /** Other folders that it reads. The program gets their paths, as it sees them, as its arguments in this order. */
  readonly mounts?: readonly ChildMount[];
  /** Shared objects that native code in the mounts loads, absolute paths. */
  readonly libraries?: readonly string[];
  /** Whether it loads native code. That code is not bound by Node's permission model: only namespaces and the system call list hold it. */
  readonly addons?: boolean;
}

/** A program for another binary. What keeps it from the machine in the weaker classes is the binary's own business. */
export interface ProgramSpec extends CommonSpec {
  readonly program: ChildProgram;
  /** File name in the folder that is the program's last word; absent where its words say all. */
  readonly entry?: string;
  /** Files of the folder that it may write, each at most `limits.fileBytes` long. They must be there before it starts. */
  readonly writable?: readonly string[];
  /** Size of a `/tmp` of its own that is gone with it, bytes; none when absent. Only where the child has a root of its own. */
  readonly scratchBytes?: number;
}

/** A program to start. */
export type ChildSpec = NodeSpec | ProgramSpec;

/** Stands for the child's folder, as the child sees it, inside the words of a {@link ChildProgram}. */
export const FOLDER = '{folder}';

/** A binary that runs a child's entry, and what it needs of the machine. All paths are absolute. */
export interface ChildProgram {
  readonly binary: string;
  /** Words between the binary and the entry's path; {@link FOLDER} in one stands for the folder. */
  readonly args: readonly string[];
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files and folders that it reads, shared objects included; the same paths inside. */
  readonly files: readonly string[];
  /** Device files that it opens. */
  readonly devices: readonly string[];
  /** Whether it wants to see the processes of its own namespace under `/proc`. */
  readonly proc: boolean;
  /** System calls that it makes beside Node's. */
  readonly calls: readonly ExtraCall[];
}
