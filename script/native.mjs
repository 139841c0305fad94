// Where the native Foundry binaries are. Plain JavaScript, because it runs before anything is built.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root folder. */
export const root = join(import.meta.dirname, '..');

/**
 * Path of a Foundry tool's platform binary (`forge`, `anvil`, `cast`).
 * @throws when npm did not install one for this platform.
 */
export function nativeBinary(tool) {
  const os = { linux: 'linux', darwin: 'darwin', win32: 'win32' }[process.platform] ?? process.platform;
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch;
  const exe = process.platform === 'win32' ? `${tool}.exe` : tool;
  const path = join(root, 'node_modules', '@foundry-rs', `${tool}-${os}-${arch}`, 'bin', exe);
  if (!existsSync(path)) throw new Error(`no ${tool} for ${os}-${arch}: ${path} is missing; run npm install`);
  return path;
}
