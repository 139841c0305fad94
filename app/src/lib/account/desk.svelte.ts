import type { AccountApi } from '@dpu/sdk/accountApi';
import { AccountError } from '@dpu/sdk/accountApi';
import type { Channel, Delivery, Key, My, Session } from '@dpu/sdk/apiAccount';

/** A page keeps its token here: it ends with the tab, and no other site can send it. */
export interface TokenStore {
  get(): string | undefined;
  set(token: string | undefined): void;
}

/** What the desk works with. */
export interface DeskDeps {
  api: AccountApi;
  token: TokenStore;
  /** `cookie` where the indexer has the page's own origin. */
  transport: 'cookie' | 'bearer';
  /** Has the wallet sign in: the message, and its signature. */
  signMessage: (given: {
    nonce: string;
    chainId: number;
    statement: string;
  }) => Promise<{ message: string; signature: `0x${string}` }>;
  /** Asks the browser for a passkey, by options of the indexer. */
  passkeys: {
    make: (options: Record<string, unknown>) => Promise<Record<string, unknown>>;
    use: (options: Record<string, unknown>) => Promise<Record<string, unknown>>;
  };
}

/** Where somebody stands: nobody knows yet, this indexer keeps no accounts, signed out, signed in, or it could not be asked. */
export type DeskState = 'loading' | 'off' | 'out' | 'in' | 'failed';

/** Everything that is shown of an account. */
export interface DeskBook {
  my: My;
  keys: Key[];
  channels: Channel[];
  sessions: Session[];
  deliveries: Delivery[];
}

/** Deliveries that are shown. */
const SHOWN = 20;

/** What the indexer keeps for one account, and every change of it. */
export class Desk {
  #deps: DeskDeps;
  #state = $state.raw<DeskState>('loading');
  #book = $state.raw<DeskBook>();
  #error = $state.raw<unknown>();

  constructor(deps: DeskDeps) {
    this.#deps = deps;
  }

  get state(): DeskState {
    return this.#state;
  }
  /** Undefined unless signed in. */
  get book(): DeskBook | undefined {
    return this.#book;
  }
  /** Why the state is `failed`. */
  get error(): unknown {
    return this.#error;
  }

  /** Finds out whether somebody is signed in, and reads what there is. */
  async load(): Promise<void> {
    const { api, token, transport } = this.#deps;
    if (transport === 'bearer' && token.get() === undefined) return this.#leave();
    try {
      const [my, keys, channels, sessions, { items }] = await Promise.all([
        api.my(),
        api.keys(),
        api.channels(),
        api.sessions(),
        api.deliveries({ limit: SHOWN }),
      ]);
      this.#book = { my, keys, channels, sessions, deliveries: items };
      this.#state = 'in';
    } catch (error) {
      if (error instanceof AccountError && error.status === 401) return this.#leave();
      if (error instanceof AccountError && error.problem === 'not-offered') this.#state = 'off';
      // What was read before stays in sight.
      else if (this.#book === undefined) this.#state = 'failed';
      this.#error = error;
    }
  }

  /** Signs in with the wallet. @throws what the wallet or the indexer refused */
  async signIn(): Promise<void> {
    const { api, token, transport, signMessage } = this.#deps;
    try {
      const signed = await signMessage(await api.nonce());
      const { token: given } = await api.signIn({ ...signed, transport });
      token.set(given ?? undefined);
    } catch (error) {
      if (error instanceof AccountError && error.problem === 'not-offered') {
        this.#state = 'off';
        return;
      }
      throw error;
    }
    await this.load();
  }

  /** Ends the session, here at least. */
  async signOut(): Promise<void> {
    await this.#deps.api.signOut().catch(() => undefined);
    this.#leave();
  }

  /**
   * Makes a change, asks for the passkey where one is needed, and reads everything again.
   * @throws what the indexer or the browser refused
   */
  async change<Result>(what: (api: AccountApi) => Promise<Result>): Promise<Result> {
    const { api } = this.#deps;
    try {
      const result = await what(api).catch(async (error: unknown) => {
        if (!(error instanceof AccountError) || error.problem !== 'passkey-needed') throw error;
        await this.usePasskey();
        return what(api);
      });
      await this.load();
      return result;
    } catch (error) {
      if (error instanceof AccountError && error.problem === 'signed-out') this.#leave();
      throw error;
    }
  }

  /** Registers a passkey. @throws what the browser or the indexer refused */
  async addPasskey(name: string): Promise<void> {
    const { passkeys } = this.#deps;
    const options = await this.change((api) => api.newPasskeyOptions());
    const response = await passkeys.make(options);
    await this.change((api) => api.addPasskey({ name, response }));
  }

  /** Uses a passkey: changes are possible for five minutes. @throws what the browser or the indexer refused */
  async usePasskey(): Promise<void> {
    const { api, passkeys } = this.#deps;
    await api.usePasskey({ response: await passkeys.use(await api.passkeyOptions()) });
  }

  #leave(): void {
    this.#deps.token.set(undefined);
    this.#book = undefined;
    this.#state = 'out';
  }
}
