/** The part of the WebAssembly interface that this runtime uses; Node's types leave it to the DOM library. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: BufferSource);
    static imports(module: Module): { module: string; name: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Record<string, ModuleImports>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Global<T extends 'i32' | 'i64'> {
    value: T extends 'i64' ? bigint : number;
  }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  type BufferSource = ArrayBuffer | ArrayBufferView<ArrayBuffer>;
  type ModuleImports = Record<string, (...args: (number | bigint)[]) => number>;
  function validate(bytes: BufferSource): boolean;
}
