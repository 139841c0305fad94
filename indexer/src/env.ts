/** The only reader of the environment: what `.env.example` lists, checked. */
import { getAddress, isAddress, type Address } from 'viem';

/** The environment is wrong; the message says which variable and what it should be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const env = process.env;

/** Text, or the fallback where it is not set or empty. */
export const text = (name: string, fallback: string): string => env[name] || fallback;

/** A whole number of at least 0. */
export function integer(name: string, fallback: number): number {
  const given = env[name];
  if (!given) return fallback;
  const value = Number(given);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ConfigError(`${name} is "${given}", but must be a whole number of at least 0`);
  }
  return value;
}

/** An address; undefined where it is not set. */
export function address(name: string): Address | undefined {
  const given = env[name];
  if (!given) return undefined;
  if (!isAddress(given, { strict: false })) throw new ConfigError(`${name} is "${given}", but must be an address`);
  return getAddress(given);
}

/** The Market's address, without which there is nothing to index. */
export function marketAddress(): Address {
  const market = address('PONDER_MARKET');
  if (!market) throw new ConfigError('PONDER_MARKET is not set; it is the address of the Market contract');
  return market;
}
