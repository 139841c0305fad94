/** Which GPU drivers are installed: what the Vulkan loader would find, without loading anything. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** A Vulkan driver on this machine's disk. */
export interface Driver {
  /** Its manifest, which is what the loader is told of. */
  readonly manifest: string;
  /** Whether its name is that of a driver that computes on the processor. */
  readonly software: boolean;
  /** The loader, the driver's library and what they load. */
  readonly libraries: readonly string[];
  /** Folders of those, for the linker to look in. */
  readonly folders: readonly string[];
}

/** Where the system's packages put manifests, and browsers their software driver. */
const FOLDERS = [
  '/etc/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
  '/usr/share/vulkan/icd.d',
  '/usr/local/nvidia/share/vulkan/icd.d',
];
const SINGLE = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/opt/google/chrome/vk_swiftshader_icd.json'];
const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
  '/usr/local/nvidia/lib64',
];
const LOADER = 'libvulkan.so.1';
const SOFTWARE = /swiftshader|lvp|lavapipe|llvmpipe/i;
/** SwiftShader first: older versions of the other one end long loops early. */
const rank = (manifest: string): number => (/swiftshader/i.test(manifest) ? 1 : SOFTWARE.test(manifest) ? 2 : 0);

/** Manifests of installed drivers, hardware first. Reads names only. */
function findManifests(): readonly string[] {
  const inFolders = FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(folder, name)),
  );
  return [...inFolders, ...SINGLE.filter((file) => existsSync(file))].sort((a, b) => rank(a) - rank(b));
}

/** The installed drivers, hardware first, or the one of manifest `only`; and of those that cannot be used a sentence each. */
export function findDrivers(only?: string): { drivers: Driver[]; refused: string[] } {
  const read = (only === undefined ? findManifests() : [only]).map(readDriver);
  return {
    drivers: read.filter((driver) => typeof driver !== 'string'),
    refused: read.filter((driver) => typeof driver === 'string'),
  };
}

/** The driver of a manifest; a sentence when a part of it is missing. */
function readDriver(manifest: string): Driver | string {
  let named: unknown;
  try {
    const { ICD } = JSON.parse(readFileSync(manifest, 'utf8')) as { ICD?: { library_path?: unknown } };
    named = ICD?.library_path;
  } catch (error) {
    return `${manifest} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof named !== 'string') return `${manifest} names no library`;
  const folder = dirname(manifest);
  const library = named.includes('/')
    ? existing([isAbsolute(named) ? named : resolve(folder, named)])
    : existing(LIBRARY_FOLDERS.map((at) => join(at, named)));
  if (library === undefined) return `${manifest} names ${named}, which is not installed`;
  const loader = existing([...LIBRARY_FOLDERS, folder].map((at) => join(at, LOADER)));
  if (loader === undefined) return `the Vulkan loader ${LOADER} is not installed`;
  const libraries = [loader, library, ...familyOf(library)];
  const all = [...new Set([...libraries, ...libraries.flatMap(neededBy)])];
  return {
    manifest,
    software: SOFTWARE.test(manifest),
    libraries: all,
    folders: [...new Set(all.map((file) => dirname(file)))],
  };
}

const existing = (paths: readonly string[]): string | undefined => paths.find((path) => existsSync(path));

/** Libraries that NVIDIA's driver loads by name while it runs, which no header lists. */
function familyOf(library: string): string[] {
  if (!/nvidia/i.test(library)) return [];
  const folder = dirname(library);
  return readdirSync(folder)
    .filter((name) => /^lib(nvidia-|GLX_nvidia|EGL_nvidia)/.test(name))
    .map((name) => join(folder, name));
}

/** Shared objects that `file` is linked to, as the system's own linker finds them. */
export function neededBy(file: string): string[] {
  const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' }, timeout: 10_000 });
  return [...(stdout ?? '').matchAll(/(?:=>\s+)?(\/\S+)\s+\(0x/g)].map(([, path]) => path!);
}

/** Device files that a hardware driver opens. */
export function deviceFiles(): readonly string[] {
  const nvidia = existsSync('/dev') ? readdirSync('/dev').filter((name) => name.startsWith('nvidia')) : [];
  return [...['dri', 'kfd'].filter((name) => existsSync(`/dev/${name}`)), ...nvidia].map((name) => `/dev/${name}`);
}

/** Folders of the kernel in which hardware drivers look for their devices. */
export function deviceFolders(): readonly string[] {
  return ['/sys/dev/char', '/sys/devices', '/sys/bus/pci'].filter((folder) => existsSync(folder));
}

/** The manifest's library may be a link; both names have to be there inside. */
export const withTargets = (files: readonly string[]): string[] => [
  ...new Set(files.flatMap((file) => [file, realpathSync(file)])),
];
