import { createSubscriber } from 'svelte/reactivity';

/** Languages, by their own names. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;

/** A language that the pages speak. */
export type Language = keyof typeof LANGUAGES;

/** Sentences of a language by their English ones. */
export type Phrases = Readonly<Record<string, string>>;

let spoken: Language = 'en';
let table: Phrases = {};
let changed: (() => void) | undefined;
const watch = createSubscriber((update) => {
  changed = update;
  return () => (changed = undefined);
});

/** The language that is spoken. Whatever was made from it in a page is made again when it changes. */
export function language(): Language {
  watch();
  return spoken;
}

/** The sentences of that language; empty for English, which stands in the sources. */
export function phrases(): Phrases {
  watch();
  return table;
}

/** Speaks another language from now on. */
export function speak(next: Language, sentences: Phrases): void {
  spoken = next;
  table = sentences;
  changed?.();
}
