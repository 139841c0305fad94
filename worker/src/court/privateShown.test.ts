import { newJobKey, type JobKey } from '@dpu/sdk/privacy/envelope';
import { saltedHashOf } from '@dpu/sdk/privacy/salt';
import { newIdentity } from '@dpu/sdk/privacy/identity';
import { sealBytes } from '@dpu/sdk/privacy/stream';
import { beforeAll, expect, test } from 'vitest';

import { silentLog } from '../log.ts';
import type { JobSecret } from '../work/privateJob.ts';
import { MemoryBackend } from '../testing/memoryBackend.ts';
import { bytes32 } from '../testing/samples.ts';
import { Shown } from './shown.ts';

const never = new AbortController().signal;
const OUTPUT = new TextEncoder().encode('yes');
const SALT = bytes32(0x5a);

let jobKey: JobKey;
beforeAll(async () => {
  jobKey = await newJobKey();
});

const secretOf = (judgeable: boolean): JobSecret => ({ jobKey, salt: SALT, judgeable }) as unknown as JobSecret;

/** What a court sees of shard 3 whose stored file is sealed for these readers. */
async function seen(
  readers: string[],
  judgeable: boolean,
  hash = SALT,
): Promise<{ sealed: Uint8Array; bytes: unknown }> {
  const remote = new MemoryBackend();
  const sealed = await sealBytes(OUTPUT, readers);
  const { cid } = await remote.addFile(sealed);
  const shown = new Shown({ tries: 1, pauseMs: 0, tryMs: 1_000 }, { remote, reach: async () => {}, log: silentLog });
  const stated = await saltedHashOf(hash, 3, OUTPUT);
  const bytes = await shown.output({ shard: 3, cid, hash: stated }, OUTPUT.length, never, secretOf(judgeable));
  return { sealed, bytes };
}

test('a court that is among the readers opens a private output and checks its salted hash', async () => {
  expect((await seen([jobKey.recipient], true)).bytes).toEqual(OUTPUT);
  expect((await seen([jobKey.recipient], true, bytes32(0x5b))).bytes).toBeUndefined();
});

test('a file that does not open for its readers is as good as none', async () => {
  expect((await seen([(await newIdentity()).recipient], true)).bytes).toBeUndefined();
});

test('a court that is not among the readers sees that the file is there, and no more', async () => {
  const { sealed, bytes } = await seen([(await newIdentity()).recipient], false);
  expect(bytes).toEqual(sealed);
});
