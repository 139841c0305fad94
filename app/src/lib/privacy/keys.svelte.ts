import type { Identity, SecretIdentity } from '@dpu/sdk/privacy/identity';

import type { KeptKey, KeyStore } from './keyStore.ts';
import type { Recovery } from './recovery.ts';

/** A key that was made and is not kept yet: its secret is in this page until it is. */
export interface NewKey {
  identity: SecretIdentity;
  passphrase: string;
  /** Text of the recovery file. */
  file: string;
}

/** What `Keys` stands on. */
export interface KeysDeps {
  store: () => KeyStore;
  recovery: Recovery;
  now: () => number;
}

/** A person's own keys in this browser: jobs are sealed for the newest, and opened with whichever fits. */
export class Keys {
  #deps: KeysDeps;
  #all = $state.raw<readonly Identity[]>();
  #locked = $state(true);
  #reading: Promise<readonly Identity[]> | undefined;

  constructor(deps: KeysDeps) {
    this.#deps = deps;
  }

  /** The key that new jobs are for; undefined when there is none, and before `load` is done. */
  get current(): Identity | undefined {
    return this.#all?.[0];
  }

  /** Whether it is known what this browser has. */
  get loaded(): boolean {
    return this.#all !== undefined;
  }

  /** Whether the browser keeps its keys from every page, this one included. */
  get locked(): boolean {
    return this.#locked;
  }

  /** Keys of this browser, newest first. */
  load(): Promise<readonly Identity[]> {
    this.#reading ??= this.#read().catch((error: unknown) => {
      this.#reading = undefined;
      throw error;
    });
    return this.#reading;
  }

  /** Makes a key, a passphrase and the recovery file that the passphrase opens. Nothing is kept yet. */
  async make(): Promise<NewKey> {
    const [{ newIdentity }, { newPassphrase }] = await Promise.all([
      import('@dpu/sdk/privacy/identity'),
      import('@dpu/sdk/privacy/recovery'),
    ]);
    const identity = await newIdentity();
    const passphrase = newPassphrase();
    return { identity, passphrase, file: await this.#deps.recovery.write(identity.secret(), passphrase) };
  }

  /** Locks a key into this browser; it is the current one from then on. */
  async keep(secret: SecretIdentity): Promise<void> {
    const { lockIdentity, LockedIdentity } = await import('@dpu/sdk/privacy/identity');
    const identity = await lockIdentity(secret);
    const key: KeptKey['key'] = identity instanceof LockedIdentity ? identity.cryptoKey : identity.secret();
    await this.#deps.store().put({ recipient: identity.recipient, key, keptAt: this.#deps.now() });
    this.#reading = undefined;
    await this.load();
  }

  /**
   * Brings back a key from its recovery file, and keeps it.
   * @throws RecoveryFailed when file and passphrase do not belong together, or the file is another.
   */
  async restore(file: string, passphrase: string): Promise<void> {
    const { parseIdentity } = await import('@dpu/sdk/privacy/identity');
    await this.keep(await parseIdentity(await this.#deps.recovery.read(file, passphrase)));
  }

  async #read(): Promise<readonly Identity[]> {
    const { identityOfCryptoKey, parseIdentity } = await import('@dpu/sdk/privacy/identity');
    const kept = (await this.#deps.store().all()).toSorted((a, b) => b.keptAt - a.keptAt);
    this.#locked = kept.every(({ key }) => typeof key !== 'string');
    const all = await Promise.all(
      kept.map(({ key }) => (typeof key === 'string' ? parseIdentity(key) : identityOfCryptoKey(key))),
    );
    this.#all = all;
    return all;
  }
}
