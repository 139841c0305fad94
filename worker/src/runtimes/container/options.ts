/** How a container is made: everything that an engine would give it and a shard does not need is taken away. */
import type { ContainerSettings } from '@dpu/sdk/runtimes/container';
import type { ShardRequest } from '../runtime.ts';

const MIB = 1024 * 1024;
const NOBODY = '65534:65534';
const OPEN_FILES = 1_024;
const BILLION = 1_000_000_000;
/** What a container has whose settings do not say. */
export const DEFAULTS = { cpus: 1, processes: 64, scratchBytes: 16 * MIB } as const;
/** Labels by which a node finds what it left behind. */
export const LABEL = { owner: 'dpu.owner', pid: 'dpu.pid' } as const;

/** Where a graphics card comes from, by the words of the engine that was found to give one. */
export type GpuRequest = { readonly Driver: string } & Record<string, unknown>;

/** What a container is made of. */
export interface ContainerWish {
  readonly settings: ContainerSettings;
  readonly request: Pick<ShardRequest, 'args' | 'shard' | 'shards' | 'limits'> & { readonly seed: Uint8Array };
  /** Folder of this machine that it finds at `/in`. */
  readonly folder: string;
  readonly owner: string;
  readonly gpu?: GpuRequest | undefined;
}

/** The words of the program: numbers take the place of `{shard}` and `{shards}`. */
export function commandOf({ settings, request }: Pick<ContainerWish, 'settings' | 'request'>): string[] {
  const { args, shard, shards } = request;
  return [...settings.command, ...args].map((word) =>
    word.replaceAll('{shard}', String(shard)).replaceAll('{shards}', String(shards)),
  );
}

/** The body of the engine's request to create the container. */
export function containerOptions(wish: ContainerWish): object {
  const { settings, request, folder, owner, gpu } = wish;
  const { cpus, processes, scratchBytes } = { ...DEFAULTS, ...settings };
  const [program, ...words] = commandOf(wish);
  return {
    Image: settings.image,
    Entrypoint: [program],
    Cmd: words,
    Env: [
      ...(settings.environment ?? []),
      `DPU_SHARD=${request.shard}`,
      `DPU_SHARDS=${request.shards}`,
      `DPU_SEED=${Buffer.from(request.seed).toString('hex')}`,
    ],
    User: NOBODY,
    WorkingDir: '/',
    Hostname: 'dpu',
    NetworkDisabled: true,
    Labels: { [LABEL.owner]: owner, [LABEL.pid]: String(process.pid) },
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: false,
    Tty: false,
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      IpcMode: 'private',
      CgroupnsMode: 'private',
      PidsLimit: processes,
      Memory: request.limits.memoryBytes,
      // The same: no swap on top.
      MemorySwap: request.limits.memoryBytes,
      NanoCpus: cpus * BILLION,
      ShmSize: 65_536,
      Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,size=${Math.min(scratchBytes, request.limits.memoryBytes)}` },
      Binds: [`${folder}:/in:ro`],
      Ulimits: [
        { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
        { Name: 'nproc', Soft: processes, Hard: processes },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      // A log on the machine's disk would be room that nobody counts.
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      ...(gpu === undefined ? {} : { DeviceRequests: [gpu] }),
    },
  };
}
