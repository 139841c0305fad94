import { newJobKey } from '@dpu/sdk/privacy/envelope';
import { newIdentity } from '@dpu/sdk/privacy/identity';
import { sealSpec } from '@dpu/sdk/privacy/sealedSpec';
import { decodeSpec, encodeSpec, type JobSpec, type JobSpecInput } from '@dpu/sdk/spec';
import { expect, test } from 'vitest';

import { openWith } from './lock.ts';

const ID = `0x${'12'.repeat(32)}` as const;
const SPEC: JobSpecInput = {
  version: 1,
  name: 'Lungs of patient 17',
  runtime: 'wasm',
  module: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  args: ['17'],
  inputs: [],
  shards: 1,
  output: { name: 'out', mediaType: 'image/png' },
  limits: { memoryBytes: 65_536, units: 5, outputBytes: 100, seconds: 60 },
  comparator: { kind: 'exact' },
};

async function posted(own: string): Promise<JobSpec> {
  const sealed = await sealSpec(SPEC, { jobKey: await newJobKey(), requester: own });
  return decodeSpec(encodeSpec({ ...sealed.spec, private: sealed.private }).bytes);
}

test('the key that fits opens the job, whatever others there are', async () => {
  const [me, other] = [await newIdentity(), await newIdentity()];
  const opened = await openWith([other, me], await posted(me.recipient), ID);
  expect(opened.lock).toEqual({ status: 'open', recipient: me.recipient });
  expect('job' in opened && opened.job.spec.name).toBe('Lungs of patient 17');
});

test('no key and a wrong key are told apart', async () => {
  const [me, other] = [await newIdentity(), await newIdentity()];
  const spec = await posted(me.recipient);
  expect(await openWith([], spec, ID)).toEqual({ lock: { status: 'noKey' } });
  expect(await openWith([other], spec, ID)).toEqual({ lock: { status: 'otherKey' } });
});

test('a sealed part that somebody changed is said to be unsound', async () => {
  const me = await newIdentity();
  const spec = await posted(me.recipient);
  const proof = spec.private!.proof.map((byte) => byte ^ 1);
  const { lock } = await openWith([me], { ...spec, private: { ...spec.private!, proof } }, ID);
  expect(lock).toMatchObject({ status: 'unsound' });
});
