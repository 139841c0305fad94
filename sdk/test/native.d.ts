/** Types of script/native.mjs, which is plain JavaScript because it runs before anything is built. */
declare module '*/script/native.mjs' {
  /** The repository's root folder. */
  export const root: string;
  /** Path of a Foundry tool's platform binary. */
  export function nativeBinary(tool: 'anvil' | 'cast' | 'forge'): string;
}
