import type { StorageBackend } from '@dpu/sdk/storage/backend';

/** How far an upload is. */
export interface UploadProgress {
  /** What is being stored now. */
  what: string;
  sent: number;
  /** Bytes of everything known so far. */
  total: number;
}

/** Bytes handed on at once while progress is counted. */
const SLICE = 256 * 1024;

/** Sends files to the gateway and says how far it is. */
export class Uploader {
  #backend: Pick<StorageBackend, 'addFile'>;
  #onUpload: (progress: UploadProgress) => void;
  #sent = 0;
  #total = 0;

  constructor(backend: Pick<StorageBackend, 'addFile'>, onUpload: (progress: UploadProgress) => void) {
    this.#backend = backend;
    this.#onUpload = onUpload;
  }

  /** Stores a file; it is complete at the gateway when this returns. */
  readonly addFile = async (bytes: Uint8Array): ReturnType<StorageBackend['addFile']> => {
    const before = this.#sent;
    this.#total += bytes.byteLength;
    this.say('Uploading files');
    const more = (at: number): void => {
      this.#sent = before + at;
      this.say('Uploading files');
    };
    async function* counted(): AsyncGenerator<Uint8Array> {
      // Called again when an interrupted upload is repeated, so the count begins anew.
      for (let at = 0; at < bytes.byteLength; at += SLICE) {
        yield bytes.subarray(at, at + SLICE);
        more(Math.min(bytes.byteLength, at + SLICE));
      }
    }
    return this.#backend.addFile(bytes.byteLength > 0 ? counted : bytes);
  };

  /** Says what is done now. */
  say(what: string): void {
    this.#onUpload({ what, sent: this.#sent, total: this.#total });
  }
}
