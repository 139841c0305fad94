import { en, type Words } from './en.ts';

/** Languages, by their own names. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;

/** A language that the pages speak. */
export type Language = keyof typeof LANGUAGES;

const STORED = 'dpu.language';

/** The language that somebody chose before, else English: a browser's wish would mix two languages where a page has one yet. */
export function chosenLanguage(stored: string | null): Language {
  return stored !== null && Object.hasOwn(LANGUAGES, stored) ? (stored as Language) : 'en';
}

/** What pages say, in the chosen language. Only English comes with the page; others are loaded when they are wanted. */
class I18n {
  #language = $state<Language>('en');
  #words = $state.raw<Words>(en);

  get language(): Language {
    return this.#language;
  }

  /** The dictionary. English until another has come. */
  get words(): Words {
    return this.#words;
  }

  /** Speaks as was chosen before. */
  async begin(): Promise<void> {
    await this.#speak(chosenLanguage(stored()));
  }

  /** Changes the language, and remembers it. */
  async choose(language: Language): Promise<void> {
    try {
      localStorage.setItem(STORED, language);
    } catch {
      // Without storage the choice lasts until the page is left.
    }
    await this.#speak(language);
  }

  async #speak(language: Language): Promise<void> {
    const words = language === 'de' ? (await import('./de.ts')).de : en;
    this.#language = language;
    this.#words = words;
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

/** The pages' language. Parts that are translated carry it as their `lang`; everything else is English. */
export const i18n = new I18n();
