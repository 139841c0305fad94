/** The little of busboy that the Kubo stand-in uses; the package has no types of its own. */
declare module 'busboy' {
  import type { Readable, Writable } from 'node:stream';

  interface Busboy extends Writable {
    on(event: 'file', listener: (field: string, content: Readable, info: { filename: string }) => void): this;
    on(event: 'close', listener: () => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }

  export default function busboy(options: { headers: Record<string, string>; preservePath?: boolean }): Busboy;
}
