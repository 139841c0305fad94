import { formatCount } from '../format.ts';
import { phrases } from './locale.ts';

/** What may stand at a placeholder. Numbers are written as the language does; what is no quantity, such as a node's number, comes as text. */
export type Value = string | number | bigint;

/** The placeholders of a sentence: `'{count} of {all}'` → `'count' | 'all'`. */
export type Slots<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Slots<Rest>
  : never;

type Given<Text> = Text extends string
  ? [Slots<Text>] extends [never]
    ? []
    : [values: Readonly<Record<Slots<Text>, Value>>]
  : [];

/** A part of a sentence: words, or the name of what stands there. */
export type Piece = { words: string } | { slot: string };

/** The German or other words for an English sentence; the sentence itself where a language has none, which a test looks for. */
function translated(text: string): string {
  const sentences = phrases();
  return Object.hasOwn(sentences, text) ? (sentences[text] ?? text) : text;
}

/** A value as it stands in a sentence. */
export function written(value: Value): string {
  return typeof value === 'string' ? value : formatCount(value);
}

/** A sentence in the chosen language, split at its placeholders. */
export function pieces(text: string): Piece[] {
  return translated(text)
    .split(/(\{\w+\})/)
    .filter((part) => part !== '')
    .map((part) => (/^\{\w+\}$/.test(part) ? { slot: part.slice(1, -1) } : { words: part }));
}

/**
 * Says a sentence, which stands in the source in English, in the chosen language. It is always whole: what changes in it stands in
 * braces and comes in `values`, for other languages put their words in another order. `Say.svelte` does the same with markup inside.
 */
export function say<const Text extends string | undefined>(
  text: Text,
  ...given: Given<Text>
): Text extends string ? string : undefined;
export function say(text: string | undefined, values: Readonly<Record<string, Value>> = {}): string | undefined {
  if (text === undefined) return undefined;
  return pieces(text)
    .map((piece) => ('words' in piece ? piece.words : written(values[piece.slot] ?? `{${piece.slot}}`)))
    .join('');
}

/** Says one of two sentences by number: `sayCount(3, '{count} shard', '{count} shards')`. */
export function sayCount(count: number | bigint, one: string, many: string): string {
  return (say as (text: string, values: object) => string)(BigInt(count) === 1n ? one : many, { count });
}
