import { fileURLToPath } from 'node:url';
import type { ControlGroups } from './groups.ts';
import type { ChildSpec, Isolation, IsolationReport } from './isolation.ts';
import { Sandbox } from './sandbox.ts';
import { stageProgram } from './stage.ts';

/** What child/probe.ts found out. */
export interface ProbeFacts {
  readonly pid: number;
  readonly uid: number;
  readonly environment: number;
  readonly network: boolean;
  readonly sockets: boolean;
  readonly readsHost: boolean;
  readonly writesFiles: boolean;
  readonly startsProcesses: boolean;
}

const PROBE = fileURLToPath(new URL('./child/probe.ts', import.meta.url));
const PROBE_MS = 10_000;
const PROBE_BYTES = 64 * 1024;
const MIB = 1024 * 1024;
const NOBODY = 65534;

interface Candidate {
  readonly isolation: Isolation;
  readonly seccomp: boolean;
  readonly detail: string;
}

const CANDIDATES: readonly Candidate[] = [
  { isolation: 'bubblewrap', seccomp: true, detail: 'bubblewrap namespaces, kernel limits and a system call list' },
  { isolation: 'bubblewrap', seccomp: false, detail: 'bubblewrap namespaces and kernel limits, no system call list' },
  { isolation: 'prlimit', seccomp: false, detail: 'kernel limits and Node permissions; the network is not cut off' },
  {
    isolation: 'process',
    seccomp: false,
    detail: 'Node permissions only: a flaw in V8 would reach this user; install bubblewrap',
  },
];

/** What is wrong with a class on this machine, judged by the facts from inside; `undefined` when it holds. */
export function weakness(
  { isolation, seccomp }: Pick<Candidate, 'isolation' | 'seccomp'>,
  facts: ProbeFacts,
): string | undefined {
  const promises: readonly [holds: boolean, otherwise: string][] =
    isolation === 'bubblewrap'
      ? [
          [facts.uid === NOBODY, 'the child is not nobody'],
          [facts.pid < 10, 'the child sees the pids of the machine'],
          [!facts.network, 'the child sees a network'],
          [!facts.readsHost, 'the child can read the files of the machine'],
          [!facts.writesFiles, 'the child can write files'],
          [facts.environment === 0, 'the child sees an environment'],
          [!seccomp || !facts.sockets, 'the system call list is not in force'],
          [!seccomp || !facts.startsProcesses, 'the child can start processes'],
        ]
      : [
          [!facts.readsHost, 'the child can read the files of the machine'],
          [!facts.writesFiles, 'the child can write files'],
          [!facts.startsProcesses, 'the child can start processes'],
        ];
  return promises.find(([holds]) => !holds)?.[1];
}

async function probe(sandbox: Sandbox, spec: ChildSpec, signal: AbortSignal): Promise<ProbeFacts> {
  const child = sandbox.start(spec);
  const stop = (): void => child.kill();
  signal.addEventListener('abort', stop, { once: true });
  child.stdin.end();
  const said = { out: '', err: '' };
  child.stdout.on('data', (piece: Buffer) => (said.out = (said.out + piece.toString()).slice(-PROBE_BYTES)));
  child.stderr.on('data', (piece: Buffer) => (said.err = (said.err + piece.toString()).slice(-PROBE_BYTES)));
  const { code, signal: by, error } = await child.ended;
  signal.removeEventListener('abort', stop);
  if (code !== 0) {
    const last = said.err.trim().split('\n').at(-1) ?? '';
    throw new Error(error?.message ?? `the probe ended with ${by ?? `exit code ${code}`}${last && `: ${last}`}`);
  }
  return JSON.parse(said.out) as ProbeFacts;
}

/**
 * Finds the strongest class that really holds here, by running a child in each that tries what it must not be able to
 * do. Never throws for a weak machine: `process` works wherever Node does, or the last failure is thrown.
 */
export async function detectIsolation(
  options: {
    readonly node?: string;
    readonly only?: Isolation;
    readonly signal?: AbortSignal;
    /** Where the probe is staged, a folder of this node alone; the system's folder for temporary files when absent. */
    readonly folder?: string;
    /** Where children get a control group from; none when absent. */
    readonly groups?: ControlGroups;
  } = {},
): Promise<IsolationReport> {
  const { node, only, signal, groups } = options;
  const grouped = groups === undefined ? {} : { groups };
  const stage = await stageProgram(PROBE, options.folder);
  const refused: { isolation: string; why: string }[] = [];
  try {
    for (const candidate of CANDIDATES) {
      const { isolation, seccomp, detail } = candidate;
      if (only !== undefined && only !== isolation) continue;
      signal?.throwIfAborted();
      const sandbox = new Sandbox({ isolation, seccomp, ...grouped, ...(node === undefined ? {} : { node }) });
      const limit = AbortSignal.timeout(PROBE_MS);
      try {
        // In namespaces Node's permissions are left off: the question is what the system alone keeps away.
        const facts = await probe(
          sandbox,
          {
            folder: stage.folder,
            entry: stage.entry,
            nodeFlags: ['--no-warnings'],
            limits: { dataBytes: 1024 * MIB, stackBytes: 8 * MIB, cpuSeconds: 10 },
            permission: isolation !== 'bubblewrap',
          },
          signal === undefined ? limit : AbortSignal.any([signal, limit]),
        );
        const weak = weakness(candidate, facts);
        if (weak === undefined) {
          const said = groups ? `${detail}; control groups hold all of a shard together` : detail;
          return { isolation, seccomp, detail: said, refused, ...grouped };
        }
        refused.push({ isolation: seccomp ? `${isolation} with seccomp` : isolation, why: weak });
      } catch (error) {
        const slow = limit.aborted ? `the probe was not done after ${PROBE_MS / 1000} seconds` : undefined;
        const why = slow ?? (error instanceof Error ? error.message : String(error));
        refused.push({ isolation: seccomp ? `${isolation} with seccomp` : isolation, why });
      } finally {
        await sandbox.close();
      }
    }
  } finally {
    await stage.remove();
  }
  const why = refused.map((entry) => `${entry.isolation}: ${entry.why}`).join('; ');
  throw new Error(`no way to isolate a child works on this machine (${why})`);
}
