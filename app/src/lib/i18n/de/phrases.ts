import { part1 } from './phrases1.ts';
import { part2 } from './phrases2.ts';
import { part3 } from './phrases3.ts';

/** What pages say in German, by what they say in English. Loaded when somebody asks for it. */
export const phrases: Readonly<Record<string, string>> = { ...part1, ...part2, ...part3 };
