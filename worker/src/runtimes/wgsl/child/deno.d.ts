/** The part of Deno that the child of a GPU shard uses; WebGPU's own types are those of the DOM library. */
declare const Deno: {
  readonly stdin: { readSync(target: Uint8Array): number | null };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  exit(code: number): never;
};
