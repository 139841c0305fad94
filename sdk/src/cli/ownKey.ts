/** A requester's own key as a file, in the form of age's key files: `age -d -i` opens with it too. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { parseIdentity, type SecretIdentity } from '../privacy/identity.ts';
import { CliError, messageOf } from './cliError.ts';

/**
 * Writes a key to a new file that only its owner can read.
 * @throws CliError when there is a file already: a key is never overwritten.
 */
export function writeOwnKey(file: string, identity: SecretIdentity): void {
  writeNew(file, `# public key: ${identity.recipient}\n${identity.secret()}\n`);
}

/** Writes a text to a new file that only its owner can read. @throws CliError when it cannot be, or there is one. */
export function writeNew(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    chmodSync(file, 0o600);
  } catch (error) {
    const there = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new CliError(
      there ? `${file} is there already, and keys are never overwritten. Choose another name.` : messageOf(error),
      error,
    );
  }
}

/**
 * Reads a key.
 * @throws CliError when there is no such file or others can read it; BadIdentityError when it holds no key.
 */
export async function readOwnKey(file: string): Promise<SecretIdentity> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`There is no key at ${file}. Make one: dpu key new. Or bring one back: dpu key recover.`, error);
  }
  if ((statSync(file).mode & 0o077) !== 0) throw new CliError(`Others can read ${file}. Run: chmod 600 ${file}`);
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (lines.length !== 1) throw new CliError(`${file} holds ${lines.length} keys instead of one.`);
  return parseIdentity(lines[0]!);
}
