/** The graphics card of models: ONNX Runtime's WebGPU provider with one Vulkan driver, in a process that sees the driver and nothing else of the machine. */
import { availableParallelism } from 'node:os';
import type { ChildProgram, ChildSpec, IsolationReport } from '../../sandbox/isolation.ts';
import { loadedLibraries, Sandbox } from '../../sandbox/sandbox.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { FOLDER } from '../../sandbox/isolation.ts';
import { deviceFiles, deviceFolders, findDrivers, withTargets, type Driver } from '../gpu/drivers.ts';
import type { ShardLimits } from '../runtime.ts';
import type { OnnxLibrary } from './library.ts';

const MIB = 1024 * 1024;
/** What Node, ONNX Runtime, its WebGPU and a driver map beside the shard's own memory; drivers of hardware map far more than they use. */
const BASE_DATA_BYTES = { software: 3_072 * MIB, hardware: 65_536 * MIB } as const;
const STACK_BYTES = 16 * MIB;
/** Machine code of kernels, which SwiftShader keeps in a file without a name where it may. */
const CODE_BYTES = 256 * MIB;

/** Where models are run on a card. */
export interface Graphics {
  readonly sandbox: Sandbox;
  readonly driver: Driver;
  readonly program: ChildProgram;
}

/** What it is looked for with. */
export interface GraphicsWish {
  readonly report: IsolationReport;
  readonly library: OnnxLibrary;
  /** The Node binary of children; the running one when absent. */
  readonly node?: string | undefined;
  /** The manifest of the only driver that may be used, or `none`; all that are installed when absent. */
  readonly driver?: string | undefined;
  /** Whether a model that is known comes out right. Throws what is wrong. */
  readonly test: (graphics: Graphics) => Promise<void>;
}

/**
 * The first driver on which the self-test comes out right.
 * @throws Error that says of each driver what is wrong with it.
 */
export async function findGraphics({ report, library, node, driver: only, test }: GraphicsWish): Promise<Graphics> {
  const { drivers, refused } = only === 'none' ? { drivers: [], refused: [] } : findDrivers(only);
  if (drivers.length === 0 && refused.length === 0) throw new Error('no Vulkan driver is installed or allowed');
  for (const driver of drivers) {
    const sandbox = new Sandbox(report);
    const graphics = { sandbox, driver, program: programOf(driver, library, node ?? process.execPath) };
    try {
      await test(graphics);
      return graphics;
    } catch (error) {
      refused.push(`${driver.manifest}: ${error instanceof Error ? error.message : String(error)}`);
      await sandbox.close();
    }
  }
  throw new Error(refused.join(' '));
}

/** Node with the packages of ONNX Runtime and one driver. */
function programOf(driver: Driver, { mounts, libraries }: OnnxLibrary, node: string): ChildProgram {
  const { manifest, software } = driver;
  const [onnx] = mounts;
  if (!onnx) throw new Error('the packages of ONNX Runtime are not named');
  const packages = mounts.map(({ from }) => from);
  return {
    binary: node,
    args: [
      ...['--no-warnings', '--disallow-code-generation-from-strings'],
      ...['--permission', '--no-experimental-sqlite', '--allow-addons'],
      ...[FOLDER, ...packages].map((path) => `--allow-fs-read=${path}`),
    ],
    environment: {
      DPU_ONNX: onnx.from,
      VK_DRIVER_FILES: manifest,
      // The same by its older name.
      VK_ICD_FILENAMES: manifest,
      LD_LIBRARY_PATH: driver.folders.join(':'),
    },
    files: [
      ...withTargets([manifest, ...driver.libraries, ...libraries, ...loadedLibraries()]),
      ...packages,
      ...(software ? [] : deviceFolders()),
    ],
    devices: software ? [] : deviceFiles(),
    proc: !software,
    calls: ['socketpair', 'sendto', 'recvfrom', 'sched_getparam', 'sched_getscheduler', 'sched_setaffinity'],
  };
}

/** How a process is started that runs a model on a card. */
export function graphicsChild(
  { folder, entry }: Pick<Stage, 'folder' | 'entry'>,
  { driver, program }: Graphics,
  { memoryBytes, seconds }: Pick<ShardLimits, 'memoryBytes' | 'seconds'>,
): ChildSpec {
  return {
    folder,
    entry,
    program,
    limits: {
      // Twice: what goes to the card is held once more until the card has it.
      dataBytes: (driver.software ? BASE_DATA_BYTES.software : BASE_DATA_BYTES.hardware) + 2 * memoryBytes,
      stackBytes: STACK_BYTES,
      cpuSeconds: Math.ceil(seconds * availableParallelism()) + 5,
      fileBytes: CODE_BYTES,
    },
  };
}
