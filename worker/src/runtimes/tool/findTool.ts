/** Programs that come from the system's packages: where they are, and what they need to run in an empty root. */
import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { neededBy } from '../gpu/drivers.ts';

const FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin'];

/** The program called `name`, its links followed; undefined where it is not installed. */
export function findTool(name: string): string | undefined {
  const found = FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
  return found === undefined ? undefined : realpathSync(found);
}

/**
 * What has to be in an empty root for a program to find its shared objects: the system's folders of libraries as a whole, because a mount for each
 * of two hundred files would cost a second at every start, and the links outside of them that lead back into them.
 */
export function librariesOf(binary: string): string[] {
  const libraries = neededBy(binary);
  const folders = [...new Set(libraries.flatMap((path) => [dirname(path), realpathSync(dirname(path))]))];
  const outside = (path: string): boolean => !folders.some((folder) => path.startsWith(`${folder}/`));
  return [...folders.filter(outside), ...new Set(libraries.flatMap(linksOf).filter(outside))];
}

/** Every path on the way from a file's name to the file. */
function linksOf(path: string): string[] {
  try {
    const next = resolve(dirname(path), readlinkSync(path));
    return [path, ...linksOf(next)];
  } catch {
    return [path];
  }
}
