import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Abi, Hex } from 'viem';

/** A contract of Uniswap v2 as its npm package was built: what is deployed on a local network is byte for byte what runs elsewhere. */
export interface Artifact {
  abi: Abi;
  bytecode: Hex;
}

const PACKAGES = {
  UniswapV2Factory: '@uniswap/v2-core',
  WETH9: '@uniswap/v2-periphery',
  UniswapV2Router02: '@uniswap/v2-periphery',
} as const;

/** Names of the contracts that a network needs. */
export type UniswapContract = keyof typeof PACKAGES;

/** Thrown when a package does not hold what it should. */
export class ArtifactMissing extends Error {
  constructor(file: string, cause?: unknown) {
    super(`${file} holds no bytecode: install the packages again with npm install.`, { cause });
    this.name = 'ArtifactMissing';
  }
}

/** The ABI and the bytecode of a Uniswap contract. @throws ArtifactMissing */
export function uniswapArtifact(name: UniswapContract): Artifact {
  const file = `${PACKAGES[name]}/build/${name}.json`;
  let built: { abi?: Abi; bytecode?: string };
  try {
    built = JSON.parse(readFileSync(createRequire(import.meta.url).resolve(file), 'utf8')) as typeof built;
  } catch (error) {
    throw new ArtifactMissing(file, error);
  }
  const { abi, bytecode } = built;
  if (!abi || !bytecode) throw new ArtifactMissing(file);
  return { abi, bytecode: bytecode.startsWith('0x') ? (bytecode as Hex) : `0x${bytecode}` };
}
