/** Files of this sdk and files of other age programs are the same files. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hexToBytes } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { envelope, newJobKey, openEnvelope } from '../src/privacy/envelope.ts';
import { newIdentity } from '../src/privacy/identity.ts';
import { openBytes, sealBytes } from '../src/privacy/stream.ts';
import { randomBytes } from '../src/storage/fixtures.ts';
import { ageOpen, ageSeal } from './ageOracle.ts';

const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000];

describe('against a second implementation on node:crypto', () => {
  test.each(SIZES)('%i bytes sealed here open there', async (size) => {
    const [one, two] = [await newIdentity(), await newIdentity()];
    const plain = randomBytes(size);
    const sealed = await sealBytes(plain, [one.recipient, two.recipient]);
    expect(ageOpen(sealed, one.bytes()).equals(plain)).toBe(true);
    expect(ageOpen(sealed, two.bytes()).equals(plain)).toBe(true);
  });

  test.each(SIZES)('%i bytes sealed there open here', async (size) => {
    const [one, two] = [await newIdentity(), await newIdentity()];
    const plain = randomBytes(size);
    const sealed = ageSeal(
      plain,
      [one, two].map(({ key }) => hexToBytes(key)),
    );
    expect(Buffer.from(await openBytes(sealed, two)).equals(plain)).toBe(true);
  });

  test('an envelope is an age file around a key as age-keygen writes it', async () => {
    const [requester, jobKey] = [await newIdentity(), await newJobKey()];
    const sealed = await envelope(jobKey, [requester.recipient]);
    expect(ageOpen(sealed, requester.bytes()).toString()).toBe(jobKey.secret());
    const made = ageSeal(Buffer.from(`${jobKey.secret()}\n`), [hexToBytes(requester.key)]);
    expect((await openEnvelope(made, requester, jobKey.recipient)).secret()).toBe(jobKey.secret());
  });
});

const installed = spawnSync('age', ['--version']).status === 0;

describe.skipIf(!installed)('against the age command line tool', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'age-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  const age = (...args: string[]): void => {
    const { status, stderr } = spawnSync('age', args, { cwd: dir });
    expect(status, String(stderr)).toBe(0);
  };

  test.each(SIZES)('%i bytes go both ways', async (size) => {
    const identity = await newIdentity();
    const plain = randomBytes(size);
    writeFileSync(join(dir, 'key'), `${identity.secret()}\n`);
    writeFileSync(join(dir, 'sealed'), await sealBytes(plain, [identity.recipient]));
    age('-d', '-i', 'key', '-o', 'opened', 'sealed');
    expect(readFileSync(join(dir, 'opened')).equals(plain)).toBe(true);
    age('-r', identity.recipient, '-o', 'again', 'opened');
    expect(Buffer.from(await openBytes(readFileSync(join(dir, 'again')), identity)).equals(plain)).toBe(true);
  });
});
