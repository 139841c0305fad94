import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { envelope, envelopeAgain, newJobKey, openEnvelope } from './envelope.ts';
import { BadIdentityError, NotARecipientError, WrongJobKeyError } from './errors.ts';
import { lockIdentity, newIdentity, type SecretIdentity } from './identity.ts';
import { openBytes, sealBytes } from './stream.ts';

const people = (count: number): Promise<SecretIdentity[]> => Promise.all(Array.from({ length: count }, newIdentity));

describe('an envelope', () => {
  test('has 372 bytes for a node and the requester', async () => {
    const [jobKey, requester, node] = [await newJobKey(), await newIdentity(), await newIdentity()];
    expect(await envelope(jobKey, [requester.recipient, node.recipient])).toHaveLength(372);
  });

  test('opens for each of its recipients and for nobody else', async () => {
    const all = await people(8);
    const jobKey = await newJobKey();
    await fc.assert(
      fc.asyncProperty(fc.subarray(all, { minLength: 1 }), async (chosen) => {
        const recipients = chosen.map(({ recipient }) => recipient);
        const sealed = await envelope(jobKey, recipients);
        expect(sealed).toHaveLength(176 + 98 * chosen.length);
        for (const person of all) {
          const opened = openEnvelope(sealed, person, jobKey.recipient);
          if (chosen.includes(person)) expect((await opened).secret()).toBe(jobKey.secret());
          else await expect(opened).rejects.toThrow(NotARecipientError);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('counts a recipient who is named twice once', async () => {
    const [jobKey, node] = [await newJobKey(), await newIdentity()];
    expect(await envelope(jobKey, [node.recipient, node.recipient])).toHaveLength(274);
  });

  test('opens with a locked key', async () => {
    const [jobKey, node] = [await newJobKey(), await newIdentity()];
    const opened = await openEnvelope(
      await envelope(jobKey, [node.recipient]),
      await lockIdentity(node),
      jobKey.recipient,
    );
    expect(opened.secret()).toBe(jobKey.secret());
  });

  test('is refused when it holds the key of another job, which anyone can send', async () => {
    const [jobKey, other, node] = [await newJobKey(), await newJobKey(), await newIdentity()];
    await expect(openEnvelope(await envelope(other, [node.recipient]), node, jobKey.recipient)).rejects.toThrow(
      new WrongJobKeyError(jobKey.recipient, other.recipient).message,
    );
  });

  test('is refused when it holds something else', async () => {
    const [jobKey, node] = [await newJobKey(), await newIdentity()];
    const sealed = await sealBytes(Buffer.from('hello'), [node.recipient]);
    await expect(openEnvelope(sealed, node, jobKey.recipient)).rejects.toThrow(BadIdentityError);
  });
});

test('a node that takes over gets an envelope of its own, and the inputs are not touched', async () => {
  const [requester, first, second] = (await people(3)) as [SecretIdentity, SecretIdentity, SecretIdentity];
  const jobKey = await newJobKey();
  const input = await sealBytes(Uint8Array.of(4, 2), [jobKey.recipient]);
  const sealed = await envelope(jobKey, [requester.recipient, first.recipient]);
  await expect(openEnvelope(sealed, second, jobKey.recipient)).rejects.toThrow(NotARecipientError);

  const again = await envelopeAgain(sealed, requester, jobKey.recipient, [requester.recipient, second.recipient]);
  const opened = await openEnvelope(again, second, jobKey.recipient);
  expect(await openBytes(input, opened)).toEqual(Uint8Array.of(4, 2));
  await expect(openEnvelope(again, first, jobKey.recipient)).rejects.toThrow(NotARecipientError);
});
