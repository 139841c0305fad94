/**
 * A secret key in a file that a passphrase opens, for the day on which the browser's data or the machine is gone. It is an armored
 * age file around a key file, so the `age` command line tool opens it too.
 */
import { armor, Decrypter, Encrypter } from 'age-encryption';

import {
  BadIdentityError,
  NotAgeFileError,
  TooMuchWorkError,
  WeakPassphraseError,
  WrongPassphraseError,
} from './errors.ts';
import { scryptWorkOf } from './header.ts';
import { parseIdentity, type Identity, type SecretIdentity } from './identity.ts';
import { collect, openWith, sealWith } from './stream.ts';

/** Shortest passphrase, in characters. */
export const MIN_PASSPHRASE = 12;
/** Rounds of scrypt as a base-2 logarithm: 256 MiB and about a second. Also the most that a file may ask for. */
export const SCRYPT_WORK_LOG2 = 18;

/** Letters that are not mistaken for each other when they are copied by hand. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const PASSPHRASE_LETTERS = 20;

/** A random passphrase of five groups of four letters, 100 bits: nobody guesses it, and it can be written on paper. */
export function newPassphrase(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(PASSPHRASE_LETTERS));
  // 32 letters divide 256 bytes, so each is equally likely
  const letters = Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join('');
  return letters.match(/.{4}/g)!.join('-');
}

/**
 * The recovery file of `identity`, as text. Keep the passphrase elsewhere.
 * Blocks the thread for about a second: in a page, call it from a worker.
 * @param options.workLog2 Rounds of scrypt, `SCRYPT_WORK_LOG2` unless a test needs fewer.
 * @throws WeakPassphraseError or NotExportableError.
 */
export async function exportIdentity(
  identity: Identity,
  passphrase: string,
  { workLog2 = SCRYPT_WORK_LOG2 }: { workLog2?: number } = {},
): Promise<string> {
  const words = normal(passphrase);
  if ([...words].length < MIN_PASSPHRASE) throw new WeakPassphraseError(MIN_PASSPHRASE);
  const encrypter = new Encrypter();
  encrypter.setPassphrase(words);
  encrypter.setScryptWorkFactor(workLog2);
  const keyFile = `# public key: ${identity.recipient}\n${identity.secret()}\n`;
  return armor.encode(await collect(await sealWith(encrypter, new TextEncoder().encode(keyFile), {})));
}

/**
 * Reads a recovery file, armored or binary, of this program or of `age -p`.
 * @throws NotAgeFileError, TooMuchWorkError, WrongPassphraseError, TamperedError, TruncatedError or BadIdentityError.
 */
export async function importIdentity(file: string | Uint8Array, passphrase: string): Promise<SecretIdentity> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(normal(passphrase));
  const check = (header: Uint8Array): void => {
    const work = scryptWorkOf(header);
    if (work === undefined) throw new NotAgeFileError('no passphrase opens it');
    if (work > SCRYPT_WORK_LOG2) throw new TooMuchWorkError(work, SCRYPT_WORK_LOG2);
  };
  const bytes = typeof file === 'string' ? unarmor(file) : file;
  const plain = await openWith({ decrypter, nobody: () => new WrongPassphraseError(), check }, bytes, {});
  const keyFile = new TextDecoder().decode(await collect(plain));
  const keys = keyFile.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (keys.length !== 1) throw new BadIdentityError(`the file holds ${keys.length} keys instead of one`);
  return parseIdentity(keys[0]!);
}

/** One form for what looks the same: keyboards differ in how they compose a letter with an accent. */
const normal = (passphrase: string): string => passphrase.normalize('NFC');

function unarmor(text: string): Uint8Array {
  try {
    return armor.decode(text);
  } catch {
    throw new NotAgeFileError('it is not the text between "BEGIN" and "END AGE ENCRYPTED FILE"');
  }
}
