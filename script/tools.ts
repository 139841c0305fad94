/** System programs that come from the system's packages: found, installed where we may, or plainly missed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

interface Tool {
  /** What it is for, said when it is missing. */
  purpose: string;
  /** Debian package. */
  package: string;
  /** Files of which one must exist. */
  paths: string[];
  /** Only the tests need it. `never`: not even they; only who asks for it by name. */
  testing: boolean | 'never';
}

const TOOLS: Record<string, Tool> = {
  bubblewrap: {
    purpose: 'the strongest sandbox for jobs; without it nodes run in a visibly weaker one',
    package: 'bubblewrap',
    paths: ['/usr/bin/bwrap', '/usr/local/bin/bwrap'],
    testing: false,
  },
  chromium: {
    purpose: 'the browser tests',
    package: 'chromium',
    paths: [
      '/usr/bin/chromium',
      '/usr/bin/chromium-browser',
      '/usr/bin/google-chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
    testing: true,
  },
  vulkan: {
    purpose:
      'GPU kernels: without a Vulkan driver, if only the one in software that Chromium brings, nodes do not offer them',
    package: 'chromium',
    paths: [
      '/usr/lib/chromium/vk_swiftshader_icd.json',
      '/opt/google/chrome/vk_swiftshader_icd.json',
      '/usr/share/vulkan/icd.d/nvidia_icd.json',
      '/etc/vulkan/icd.d/nvidia_icd.json',
      '/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json',
      '/usr/share/vulkan/icd.d/radeon_icd.x86_64.json',
      '/usr/share/vulkan/icd.d/intel_icd.x86_64.json',
    ],
    testing: true,
  },
  ffmpeg: {
    purpose: 'the runtime video; without it nodes do not offer it',
    package: 'ffmpeg',
    paths: ['/usr/bin/ffmpeg', '/usr/local/bin/ffmpeg'],
    testing: true,
  },
  blender: {
    purpose: 'the runtime render; without it nodes do not offer it',
    package: 'blender',
    paths: ['/usr/bin/blender', '/usr/local/bin/blender'],
    // Half a gigabyte with what it needs: whoever wants it installs it, or posts its template.
    testing: 'never',
  },
  postgresql: {
    purpose: 'the indexer tests on a real PostgreSQL; the embedded database is tested without it',
    package: 'postgresql',
    paths: [
      '/usr/lib/postgresql/15/bin/postgres',
      '/usr/lib/postgresql/16/bin/postgres',
      '/usr/lib/postgresql/17/bin/postgres',
      '/opt/homebrew/bin/postgres',
    ],
    testing: true,
  },
};

/** Whether one of a tool's files exists. */
export function hasTool(name: keyof typeof TOOLS): boolean {
  return TOOLS[name]?.paths.some((path) => existsSync(path)) ?? false;
}

/** Installs missing tools when this is a Debian system and we are root; otherwise says what is missing and goes on. */
export function ensureTools(options: { testing: boolean; also?: readonly string[] }): void {
  const { testing, also = [] } = options;
  const isWanted = (name: string, tool: Tool): boolean =>
    also.includes(name) || (tool.testing === 'never' ? false : testing || !tool.testing);
  const missing = Object.entries(TOOLS).filter(([name, tool]) => isWanted(name, tool) && !hasTool(name));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, tool]) => tool.package))];
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log(`Installing ${packages.join(', ')} from the system's packages …`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'], env });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    });
  }
  for (const [name, tool] of missing) {
    if (!hasTool(name))
      console.warn(`${name} is missing: ${tool.purpose}. Install the package ${tool.package} to have it.`);
  }
}
