import { en, type Words } from './en.ts';
import { LANGUAGES, speak, type Language } from './locale.ts';

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
    const [words, phrases] =
      language === 'de'
        ? await Promise.all([import('./de.ts'), import('./de/phrases.ts')]).then(
            ([{ de }, { phrases }]) => [de, phrases] as const,
          )
        : ([en, {}] as const);
    this.#language = language;
    this.#words = words;
    speak(language, phrases);
    document.documentElement.lang = language;
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

/** The pages' language. */
export const i18n = new I18n();
