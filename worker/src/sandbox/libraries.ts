/** Which shared objects native code needs: a sandbox with an empty root has none but those that are put there. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const SCRIPT = `
  process.dlopen({ exports: {} }, process.argv[1]);
  process.report.excludeNetwork = true;
  process.stdout.write(JSON.stringify(process.report.getReport().sharedObjects));
`;
const TIMEOUT_MS = 20_000;

/**
 * Shared objects that a process has loaded once it has loaded `addon`, a file of a Node package that is trusted. Looks in a
 * process of its own, without an environment.
 */
export async function addonLibraries(addon: string, node: string = process.execPath): Promise<string[]> {
  const options = { env: {}, cwd: '/', timeout: TIMEOUT_MS };
  const { stdout } = await promisify(execFile)(node, ['--no-warnings', '-e', SCRIPT, addon], options);
  const loaded = JSON.parse(stdout) as string[];
  return loaded.filter((path) => path.startsWith('/') && !path.endsWith('.node'));
}
