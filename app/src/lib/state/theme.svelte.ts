export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'dpu.theme';

function stored(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system';
  } catch {
    return 'system';
  }
}

/** Which theme the person chose. `/theme.js` applies the same choice before the first paint. */
class ThemeChoice {
  #choice = $state<Theme>(stored());

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#apply());
  }

  get choice(): Theme {
    return this.#choice;
  }

  set(choice: Theme): void {
    this.#choice = choice;
    try {
      if (choice === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, choice);
    } catch {
      // Without storage the choice lasts until the page is left.
    }
    this.#apply();
  }

  #apply(): void {
    const dark =
      this.#choice === 'dark' || (this.#choice === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  }
}

export const theme = new ThemeChoice();
