import { execa } from 'execa';

import { root } from '../native.mjs';

/** Thrown when a command of the build failed; carries the end of what it printed. */
export class CommandFailed extends Error {
  constructor(what: string, output: string) {
    super(`${what} failed:\n${output.split('\n').slice(-40).join('\n')}`);
    this.name = 'CommandFailed';
  }
}

/** Runs a command to its end in the repository's root and returns what it printed. @throws CommandFailed */
export async function run(
  what: string,
  file: string,
  args: string[],
  options: { env?: Record<string, string>; inherit?: boolean } = {},
): Promise<string> {
  const result = await execa(file, args, {
    cwd: root,
    env: options.env ?? {},
    reject: false,
    all: true,
    stdin: 'ignore',
    ...(options.inherit ? { stdout: 'inherit', stderr: 'inherit' } : {}),
  });
  if (result.exitCode !== 0) throw new CommandFailed(what, String(result.all ?? result.message ?? ''));
  return String(result.all ?? '');
}
