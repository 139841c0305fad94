import { existsSync } from 'node:fs';

import type { RuntimeName } from '@dpu/sdk/terms';

import { hasTool } from '../tools.ts';

/** Where container engines listen: the node looks in the same places. */
const ENGINES = [
  '/var/run/docker.sock',
  '/run/podman/podman.sock',
  `/run/user/${process.getuid?.()}/docker.sock`,
  `/run/user/${process.getuid?.()}/podman/podman.sock`,
];

/** What this machine must have for a runtime, and what its user can do about it. */
const NEEDS: Readonly<Partial<Record<RuntimeName, { readonly isThere: () => boolean; readonly advice: string }>>> = {
  wgsl: {
    isThere: () => hasTool('vulkan'),
    advice: 'Install the driver of your GPU, or chromium for one in software.',
  },
  video: { isThere: () => hasTool('ffmpeg'), advice: 'Install the package ffmpeg.' },
  render: { isThere: () => hasTool('blender'), advice: 'Install the package blender.' },
  container: {
    isThere: () => ENGINES.some((path) => existsSync(path)),
    advice: 'Start Docker, or Podman by: podman system service --time=0 unix:///run/podman/podman.sock',
  },
};

/** Runtimes that the nodes of a local network are registered for: those that work on every machine, and what this one has. */
export function localRuntimes(): readonly RuntimeName[] {
  const found = (Object.keys(NEEDS) as RuntimeName[]).filter((name) => NEEDS[name]?.isThere());
  return ['wasm', 'train', 'onnx', ...(process.platform === 'linux' ? found : [])];
}

/** What to do so that local nodes have a runtime. */
export const adviceFor = (runtime: RuntimeName): string => NEEDS[runtime]?.advice ?? '';
