import type { RecoveryAnswer, RecoveryRequest } from './recovery.worker.ts';

/** Makes and reads recovery files. Each takes a second or more and 256 MiB. */
export interface Recovery {
  /** The recovery file of a secret key. */
  write(secret: string, passphrase: string): Promise<string>;
  /** The secret key in a recovery file. */
  read(file: string, passphrase: string): Promise<string>;
}

/** What the worker could not do, in the words of the privacy layer. */
export class RecoveryFailed extends Error {
  readonly retryable = false;
  readonly action: string;

  constructor(message: string, action: string) {
    super(message);
    this.name = 'RecoveryFailed';
    this.action = action;
  }
}

/** In a thread of its own, so that the page stays alive meanwhile. */
export function recoveryInWorker(): Recovery {
  return {
    write: (secret, passphrase) => ask({ kind: 'write', secret, passphrase }),
    read: (file, passphrase) => ask({ kind: 'read', file, passphrase }),
  };
}

function ask(request: RecoveryRequest): Promise<string> {
  const worker = new Worker(new URL('./recovery.worker.ts', import.meta.url), { type: 'module' });
  return new Promise<string>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<RecoveryAnswer>) => {
      if (data.ok) resolve(data.text);
      else reject(new RecoveryFailed(data.message, data.action));
    };
    worker.onerror = ({ message }) =>
      reject(
        new RecoveryFailed(`The recovery file could not be worked on: ${message}.`, 'Reload the page and try again.'),
      );
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}
