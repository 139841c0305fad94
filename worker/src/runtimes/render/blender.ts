/** The Blender of this machine, as the system's packages install it. */
import { existsSync } from 'node:fs';

import type { FoundProgram } from '../tool/nativeSandbox.ts';
import { findTool, librariesOf } from '../tool/findTool.ts';

const SHARE = '/usr/share/blender';
/** Its Python and what Python reads. */
const PYTHON = ['/usr/lib/python3', '/usr/lib/python3.11', '/usr/lib/python3.12', '/usr/lib/python3.13'];
/** Colours, as OpenColorIO is told to see them. */
const OTHERS = ['/usr/share/color', '/etc/ld.so.cache'];

/** Blender and all that it reads. @throws Error where it is not installed */
export function findBlender(): FoundProgram {
  const binary = findTool('blender');
  if (binary === undefined || !existsSync(`${SHARE}/scripts`))
    throw new Error('Blender is not installed: install the package blender');
  return {
    binary,
    files: [...librariesOf(binary), SHARE, ...[...PYTHON, ...OTHERS].filter((path) => existsSync(path))],
    environment: {
      HOME: '/tmp',
      BLENDER_SYSTEM_DATAFILES: `${SHARE}/datafiles`,
      BLENDER_SYSTEM_SCRIPTS: `${SHARE}/scripts`,
      BLENDER_USER_CONFIG: '/tmp',
      BLENDER_USER_SCRIPTS: '/tmp',
      BLENDER_USER_DATAFILES: '/tmp',
      PYTHONNOUSERSITE: '1',
      PYTHONDONTWRITEBYTECODE: '1',
    },
    calls: ['sched_getparam', 'sched_getscheduler', 'sched_setaffinity'],
  };
}
