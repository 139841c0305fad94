/** The repository's root folder. */
export const root: string;
/** Path of a Foundry tool's platform binary. Throws when npm did not install one for this platform. */
export function nativeBinary(tool: 'forge' | 'anvil' | 'cast'): string;
