/** Scrypt keeps a thread busy for a second or more: this is that thread. */
import { PrivacyError } from '@dpu/sdk/privacy/errors';
import { parseIdentity } from '@dpu/sdk/privacy/identity';
import { exportIdentity, importIdentity } from '@dpu/sdk/privacy/recovery';

export type RecoveryRequest =
  { kind: 'write'; secret: string; passphrase: string } | { kind: 'read'; file: string; passphrase: string };

export type RecoveryAnswer = { ok: true; text: string } | { ok: false; message: string; action: string };

async function answer(request: RecoveryRequest): Promise<RecoveryAnswer> {
  const { passphrase } = request;
  try {
    const text =
      request.kind === 'write'
        ? await exportIdentity(await parseIdentity(request.secret), passphrase)
        : (await importIdentity(request.file, passphrase)).secret();
    return { ok: true, text };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, message, action: error instanceof PrivacyError ? error.action : 'Try again.' };
  }
}

addEventListener('message', ({ data }: MessageEvent<RecoveryRequest>) => {
  void answer(data).then((text) => postMessage(text));
});
