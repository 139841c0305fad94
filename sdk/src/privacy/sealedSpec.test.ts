import { createHmac, hkdfSync } from 'node:crypto';

import fc from 'fast-check';
import { hexToBytes, keccak256, sha256, toHex } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { encodeCanonical } from '../canonical.ts';
import { decodeSpec, encodeSpec, SpecError, type JobSpec, type JobSpecInput } from '../spec.ts';
import { envelope, envelopeAgain, newJobKey, type JobKey } from './envelope.ts';
import { NotARecipientError, SealedSpecError, WrongJobKeyError } from './errors.ts';
import { newIdentity, type SecretIdentity } from './identity.ts';
import { PRIVATE_NAME, privateManifestSchema, privateSpecSchema, type PrivateSpec } from './schema.ts';
import { openSpec, sealSpec } from './sealedSpec.ts';
import { sealBytes } from './stream.ts';

const FILE = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const SPEC: JobSpecInput = {
  version: 1,
  name: 'Lungs of patient 17',
  runtime: 'wasm',
  module: FILE,
  args: ['--patient', '17'],
  inputs: [{ name: 'scan.dcm', cid: FILE, size: 123_456 }],
  shards: 4,
  output: { name: 'out', mediaType: 'application/octet-stream' },
  limits: { memoryBytes: 65_536, units: 5, outputBytes: 100, seconds: 60 },
  comparator: { kind: 'exact' },
};

let requester: SecretIdentity;
let node: SecretIdentity;
let stranger: SecretIdentity;
let jobKey: JobKey;
let sealed: { spec: JobSpecInput; private: PrivateSpec };
let open: JobSpec;
beforeAll(async () => {
  [requester, node, stranger, jobKey] = await Promise.all([newIdentity(), newIdentity(), newIdentity(), newJobKey()]);
  sealed = await sealSpec(SPEC, { jobKey, requester: requester.recipient, nodes: [node.recipient] });
  open = decodeSpec(encodeSpec(sealed.spec).bytes);
});

/** The reason for which a node with the envelope refuses a spec. */
const refusal = (spec: JobSpec, section: PrivateSpec): Promise<string> =>
  openSpec(spec, section, node).then(
    () => 'none',
    (error: unknown) => (error instanceof SealedSpecError ? String(error.context['why']) : String(error)),
  );

/** A section whose sealed part holds `value`, with a proof by the job's key as the requester would make it. */
const sectionOf = (value: unknown): Promise<PrivateSpec> => sectionAround(encodeCanonical(value).bytes);

async function sectionAround(block: Uint8Array, recipient: string = jobKey.recipient): Promise<PrivateSpec> {
  const bytes = await sealBytes(block, [recipient]);
  const key = Buffer.from(hkdfSync('sha256', jobKey.bytes(), new Uint8Array(0), 'dpu/v1/private-spec', 32));
  const message = Buffer.concat([hexToBytes(encodeSpec(open).digest), hexToBytes(sha256(bytes))]);
  return { ...sealed.private, sealed: bytes, proof: createHmac('sha256', key).update(message).digest() };
}

describe('a private spec', () => {
  test('shows strangers what a node needs for deciding, and no more', () => {
    expect(sealed.spec).toEqual({ ...SPEC, name: PRIVATE_NAME, args: [], inputs: [] });
    const block = Buffer.from(encodeCanonical({ ...open, private: sealed.private }).bytes);
    for (const text of ['Lungs', '--patient', 'scan.dcm', requester.recipient, node.recipient]) {
      expect(block.includes(text), text).toBe(false);
    }
  });

  test.each(['requester', 'node'])('opens for the %s', async (who) => {
    const opened = await openSpec(open, sealed.private, who === 'node' ? node : requester);
    expect(opened.spec).toEqual(decodeSpec(encodeSpec(SPEC).bytes));
    expect(opened.jobKey.secret()).toBe(jobKey.secret());
    expect(opened).toMatchObject({ readers: [requester.recipient], moduleSealed: false });
    expect('afterSalt' in opened).toBe(false);
  });

  test('does not open for a stranger, until the requester makes an envelope', async () => {
    await expect(openSpec(open, sealed.private, stranger)).rejects.toThrow(NotARecipientError);
    const { recipient, envelope: first } = sealed.private;
    const later = await envelopeAgain(first, requester, recipient, [stranger.recipient]);
    expect((await openSpec(open, sealed.private, stranger, later)).spec.name).toBe(SPEC.name);
  });

  test('carries readers, a sealed module and the salt of an earlier job', async () => {
    const options = {
      readers: [requester.recipient, jobKey.recipient],
      moduleSealed: true,
      afterSalt: keccak256('0x01'),
    };
    const made = await sealSpec(SPEC, { jobKey, requester: requester.recipient, ...options });
    expect(await openSpec(open, made.private, requester)).toMatchObject(options);
  });

  test('opens as well when the section stands in the spec', async () => {
    const wired = { ...open, private: sealed.private };
    expect((await openSpec(wired, sealed.private, node)).spec).toEqual(decodeSpec(encodeSpec(SPEC).bytes));
  });

  test('is refused when the whole breaks a rule of specs', async () => {
    const twice = [...SPEC.inputs, ...SPEC.inputs];
    const options = { jobKey, requester: requester.recipient };
    await expect(sealSpec({ ...SPEC, inputs: twice }, options)).rejects.toThrow(SpecError);
    await expect(sealSpec(SPEC, { ...options, readers: [] })).rejects.toThrow(
      'The sealed part of the job spec is not valid: readers: must have at least one reader. Do not claim the job.',
    );
  });
});

describe('a node refuses', () => {
  const good = { version: 1, name: 'x', args: [], inputs: [], moduleSealed: false };

  test('a part that somebody else sealed, with an envelope that was copied', async () => {
    const thief = encodeCanonical({ ...good, readers: [stranger.recipient] });
    const copied = { ...sealed.private, sealed: await sealBytes(thief.bytes, [jobKey.recipient]) };
    expect(await refusal(open, copied)).toBe('it was not made, or not for this job, by someone who has the job key');
  });

  test.each([
    [
      'another module',
      {
        module: encodeCanonical(1)
          .cid.toString()
          .replace(/^bafyrei/, 'bafkrei'),
      },
    ],
    ['other limits', { limits: { ...SPEC.limits, outputBytes: 101 } }],
    ['other shards', { shards: 5 }],
  ])('a sealed part that was moved to a spec with %s', async (_what, change) => {
    const moved = decodeSpec(encodeSpec({ ...sealed.spec, ...change }).bytes);
    expect(await refusal(moved, sealed.private)).toBe(
      'it was not made, or not for this job, by someone who has the job key',
    );
  });

  test('any bit of the section changed', async () => {
    const fields = fc.constantFrom('sealed' as const, 'proof' as const, 'envelope' as const);
    await fc.assert(
      fc.asyncProperty(fields, fc.nat(), fc.nat(7), async (field, at, bit) => {
        const bytes = Uint8Array.from(sealed.private[field]);
        bytes[at % bytes.length]! ^= 1 << bit;
        expect(await refusal(open, { ...sealed.private, [field]: bytes })).not.toBe('none');
      }),
      { numRuns: 60 },
    );
  });

  test('an envelope with another key', async () => {
    const other = await envelope(await newJobKey(), [node.recipient]);
    await expect(openSpec(open, sealed.private, node, other)).rejects.toThrow(WrongJobKeyError);
  });

  test('arguments in the open beside sealed ones', async () => {
    expect(await refusal({ ...open, args: ['x'] }, sealed.private)).toBe(
      'arguments or inputs stand in the open beside it',
    );
  });

  test('nonsense that the requester sealed', async () => {
    const readers = [requester.recipient];
    expect(await refusal(open, await sectionOf({ ...good, readers }))).toBe('none');
    const cases: [value: unknown, why: string][] = [
      [{ ...good }, 'readers: is missing'],
      [{ ...good, readers: [] }, 'readers: must have at least one reader'],
      [{ ...good, readers: ['age1'] }, 'readers[0]: must be an X25519 recipient of age, age1 and 58 characters'],
      [{ ...good, readers: Array(17).fill(readers[0]) }, 'readers: must be at most 16 readers'],
      [{ ...good, readers, afterSalt: new Uint8Array(31) }, 'afterSalt: must be 32 bytes'],
      [{ ...good, readers, more: 1 }, 'has an unknown field: more'],
      [{ ...good, readers, version: 2 }, 'version: must be 1'],
      [{ ...good, readers, name: '' }, 'name: must not be empty'],
    ];
    for (const [value, why] of cases) expect(await refusal(open, await sectionOf(value))).toBe(why);
    const input = { name: 'a', cid: decodeSpec(encodeSpec(SPEC).bytes).module, size: 1 };
    const twice = await sectionOf({ ...good, readers, inputs: [input, input] });
    expect(await refusal(open, twice)).toBe('inputs[1].name: must differ from the other inputs: a is there twice');
    expect(await refusal(open, await sectionAround(Buffer.from('not cbor')))).toBe('it is not canonical dag-cbor');
    const foreign = await sectionAround(encodeCanonical({ ...good, readers }).bytes, stranger.recipient);
    expect(await refusal(open, foreign)).toBe('the job key does not open it');
  });
});

describe('the schema of the section', () => {
  const problems = (section: unknown): string[] =>
    privateSpecSchema.safeParse(section).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

  test('takes what was sealed', () => {
    expect(problems(sealed.private)).toEqual([]);
    expect(privateManifestSchema.parse({ version: 1 })).toEqual({ version: 1 });
    expect(privateManifestSchema.safeParse({ version: 2 }).success).toBe(false);
  });

  test.each([
    ['sealed', 65_536],
    ['envelope', 16_640],
  ] as const)('holds %s to %i bytes', (field, most) => {
    expect(problems({ ...sealed.private, [field]: new Uint8Array(most) })).toEqual([]);
    expect(problems({ ...sealed.private, [field]: new Uint8Array(most + 1) })).toEqual([
      `${field} must be at most ${most} bytes`,
    ]);
    expect(problems({ ...sealed.private, [field]: new Uint8Array(0) })).toEqual([`${field} must not be empty`]);
    expect(problems({ ...sealed.private, [field]: toHex('text') })).toContain(`${field} must be bytes`);
  });

  test('knows one form of a recipient and of a proof', () => {
    const upper = { ...sealed.private, recipient: sealed.private.recipient.toUpperCase() };
    expect(problems(upper)).toEqual(['recipient must be an X25519 recipient of age, age1 and 58 characters']);
    expect(problems({ ...sealed.private, proof: new Uint8Array(31) })).toEqual(['proof must be 32 bytes']);
    expect(problems({ ...sealed.private, extra: 1 })).toHaveLength(1);
  });
});
