/** Turns the contract's numbers into words, for sentences that people read. */
import { formatUnits, hexToString, isAddressEqual, trim, type Address, type Hex } from 'viem';

import type { Deployment } from './deployment.ts';

/** What is known about the network an error comes from: without it amounts are in smallest units. */
export interface Names {
  token?: Address;
  currencies?: readonly Readonly<Deployment['currencies'][number]>[];
}

/** Words for the values in a contract's error. */
export interface Say {
  /** An amount of a currency, with its symbol when the currency is known: `1,250.5 DPU`. */
  amount(currency: Address, value: bigint): string;
  /** An amount of DPU wei. */
  dpu(value: bigint): string;
  /** A moment, from unix seconds: `2026-11-20 14:03:22 UTC`. */
  time(seconds: number | bigint): string;
  /** A length of time: `2 h 5 min`. */
  duration(seconds: number | bigint): string;
  /** An address or a hash, shortened: `0x1234…abcd`. */
  short(hex: Hex): string;
  /** A name that the contract packs into 32 bytes. */
  label(packed: Hex): string;
}

/** Words that know the currencies of a network. */
export function sayWith(names: Names = {}): Say {
  const known = names.currencies ?? [];
  const dpu = (value: bigint): string => `${decimal(value, 18)} DPU`;
  return {
    dpu,
    amount(currency, value) {
      const match = known.find(({ address }) => isAddressEqual(address, currency));
      if (match) return `${decimal(value, match.decimals)} ${match.symbol}`;
      if (names.token && isAddressEqual(names.token, currency)) return dpu(value);
      return `${grouped(value.toString())} smallest units of ${shorten(currency)}`;
    },
    time: (seconds) => `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    duration,
    short: shorten,
    label: (packed) => hexToString(trim(packed, { dir: 'right' })),
  };
}

/** A token amount in whole units, thousands grouped: `1,250.5`. */
export function decimal(value: bigint, decimals: number): string {
  const [whole, fraction] = formatUnits(value, decimals).split('.');
  return fraction ? `${grouped(whole!)}.${fraction}` : grouped(whole!);
}

/** A length of time in its two largest parts: `3 d 4 h`, `2 min 5 s`, `0 s`. */
export function duration(seconds: number | bigint): string {
  let left = Number(seconds);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}

/** The first and last four hex digits: `0x1234…abcd`. Short ones stay whole. */
export function shorten(hex: string): string {
  return hex.length <= 12 ? hex : `${hex.slice(0, 6)}…${hex.slice(-4)}`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}
