/** The part of pngjs that the tests use; the package brings no types. */
declare module 'pngjs' {
  export class PNG {
    constructor(options: { width: number; height: number });
    width: number;
    height: number;
    data: Buffer;
    static sync: {
      read(file: Buffer): { width: number; height: number; data: Buffer };
      write(image: PNG, options: Record<string, unknown>): Buffer;
    };
  }
}
