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
  #phrases = $state.raw<Readonly<Record<string, string>>>({});

  get language(): Language {
    return this.#language;
  }

  /** The dictionary. English until another has come. */
  get words(): Words {
    return this.#words;
  }

  /** A sentence of a page in the chosen language; as it is where it has none there, which a test looks for. */
  phrase<Text extends string | undefined>(text: Text): Text {
    const phrases = this.#phrases;
    return text !== undefined && Object.hasOwn(phrases, text) ? (phrases[text] as Text) : text;
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
    this.#phrases = phrases;
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

/** Says `text`, which stands in the source in English, in the chosen language. */
export const say = <Text extends string | undefined>(text: Text): Text => i18n.phrase(text);
