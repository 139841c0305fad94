import { armor, Encrypter } from 'age-encryption';
import { beforeAll, describe, expect, test } from 'vitest';

import {
  BadIdentityError,
  NotAgeFileError,
  NotExportableError,
  TamperedError,
  TooMuchWorkError,
  TruncatedError,
  WeakPassphraseError,
  WrongPassphraseError,
} from './errors.ts';
import { lockIdentity, newIdentity, type SecretIdentity } from './identity.ts';
import { exportIdentity, importIdentity, newPassphrase, SCRYPT_WORK_LOG2 } from './recovery.ts';
import { sealBytes } from './stream.ts';

/** Few rounds, so that the tests are fast. */
const QUICK = { workLog2: 8 };
const PASSPHRASE = 'correct horse battery';

let identity: SecretIdentity;
let file: string;
beforeAll(async () => {
  identity = await newIdentity();
  file = await exportIdentity(identity, PASSPHRASE, QUICK);
});

/** A passphrase file around any text, as a foreign tool could make it. */
async function foreign(text: string, workLog2 = 8): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(PASSPHRASE);
  encrypter.setScryptWorkFactor(workLog2);
  return encrypter.encrypt(text);
}

describe('a recovery file', () => {
  test('brings the key back, as text and as bytes', async () => {
    expect(file.startsWith('-----BEGIN AGE ENCRYPTED FILE-----\n')).toBe(true);
    expect((await importIdentity(file, PASSPHRASE)).secret()).toBe(identity.secret());
    expect((await importIdentity(armor.decode(file), PASSPHRASE)).recipient).toBe(identity.recipient);
    expect((await importIdentity(`\n${file.replaceAll('\n', '\r\n')}\n`, PASSPHRASE)).recipient).toBe(
      identity.recipient,
    );
  });

  test('does not care how a keyboard composes letters', async () => {
    const made = await exportIdentity(identity, 'Gr\u00fc\u00dfe aus \u00c5rhus', QUICK);
    expect((await importIdentity(made, 'Gru\u0308\u00dfe aus A\u030arhus')).recipient).toBe(identity.recipient);
  });

  test('takes the standard work unless told otherwise', async () => {
    const made = Buffer.from(armor.decode(await exportIdentity(identity, PASSPHRASE))).toString('latin1');
    expect(/^-> scrypt \S+ (\d+)$/m.exec(made)![1]).toBe(String(SCRYPT_WORK_LOG2));
  });

  test('of age-keygen, with comments, is read', async () => {
    const made = await foreign(
      `# created: 2026-01-01T00:00:00Z\n# public key: ${identity.recipient}\n${identity.secret()}\n`,
    );
    expect((await importIdentity(made, PASSPHRASE)).recipient).toBe(identity.recipient);
  });
});

describe('refused', () => {
  test('another passphrase', async () => {
    await expect(importIdentity(file, `${PASSPHRASE}!`)).rejects.toThrow(WrongPassphraseError);
  });

  test('a passphrase of eleven characters, not of twelve', async () => {
    await expect(exportIdentity(identity, 'x'.repeat(11), QUICK)).rejects.toThrow(WeakPassphraseError);
    await expect(exportIdentity(identity, 'x'.repeat(12), QUICK)).resolves.toContain('BEGIN AGE');
  });

  test('a locked key', async () => {
    await expect(exportIdentity(await lockIdentity(identity), PASSPHRASE, QUICK)).rejects.toThrow(NotExportableError);
  });

  test('more work than the limit, before it is done', async () => {
    const bytes = Buffer.from(await foreign(identity.secret())).toString('latin1');
    for (const work of [SCRYPT_WORK_LOG2 + 1, 30, 99_999]) {
      const costly = Buffer.from(bytes.replace(/^(-> scrypt \S+) 8$/m, `$1 ${work}`), 'latin1');
      await expect(importIdentity(costly, PASSPHRASE)).rejects.toThrow(
        new TooMuchWorkError(work, SCRYPT_WORK_LOG2).message,
      );
    }
  });

  test('a file for a recipient instead of a passphrase', async () => {
    const sealed = await sealBytes(Buffer.from(identity.secret()), [identity.recipient]);
    await expect(importIdentity(sealed, PASSPHRASE)).rejects.toThrow(
      'This is no age file: no passphrase opens it. Check that it is the sealed file, in binary form.',
    );
  });

  test('a file that was changed, cut or is something else', async () => {
    const bytes = armor.decode(file);
    const changed = Uint8Array.from(bytes);
    changed[changed.length - 1]! ^= 1;
    await expect(importIdentity(changed, PASSPHRASE)).rejects.toThrow(TamperedError);
    await expect(importIdentity(bytes.subarray(0, 60), PASSPHRASE)).rejects.toThrow(TruncatedError);
    await expect(importIdentity('my key', PASSPHRASE)).rejects.toThrow(NotAgeFileError);
  });

  test('a file with no key, two keys, or another text', async () => {
    for (const text of ['', '# public key: none\n', `${identity.secret()}\n${identity.secret()}\n`, 'hello']) {
      await expect(importIdentity(await foreign(text), PASSPHRASE)).rejects.toThrow(BadIdentityError);
    }
  });
});

test('a new passphrase has five groups of four letters and is another each time', () => {
  const made = Array.from({ length: 200 }, newPassphrase);
  for (const passphrase of made) expect(passphrase).toMatch(/^[a-km-z2-9]{4}(-[a-km-z2-9]{4}){4}$/);
  expect(new Set(made).size).toBe(200);
  expect(new Set(made.join('').replaceAll('-', '')).size).toBe(32);
});
