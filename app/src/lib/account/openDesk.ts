/** The desk of an account in this browser: its wallet, its tab's storage, its passkeys. */
import { createAccountApi } from '@dpu/sdk/accountApi';
import type { Address, WalletClient } from 'viem';

import { Desk } from './desk.svelte.ts';

/** How long a message to sign is good, milliseconds; the indexer takes ten minutes at most. */
const SIGN_MS = 300_000;

/** Opens the desk of `account`. Nothing is asked before `load`. */
export function openDesk(options: { indexerUrl: string; account: Address; wallet: () => Promise<WalletClient> }): Desk {
  const { indexerUrl, account, wallet } = options;
  const name = `dpu.session.${account.toLowerCase()}`;
  const token = {
    get: () => sessionStorage.getItem(name) ?? undefined,
    set: (given: string | undefined) => {
      if (given === undefined) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, given);
    },
  };
  return new Desk({
    token,
    api: createAccountApi(indexerUrl, { token: token.get }),
    transport: new URL(indexerUrl).origin === location.origin ? 'cookie' : 'bearer',
    async signMessage({ nonce, chainId, statement }) {
      const [client, { createSiweMessage }] = await Promise.all([wallet(), import('viem/siwe')]);
      const issuedAt = new Date();
      const message = createSiweMessage({
        ...{ address: account, chainId, nonce, statement, issuedAt, version: '1' },
        ...{ domain: location.host, uri: `${location.origin}/account` },
        expirationTime: new Date(issuedAt.getTime() + SIGN_MS),
      });
      return { message, signature: await client.signMessage({ account: client.account ?? account, message }) };
    },
    passkeys: {
      async make(options) {
        const { startRegistration } = await import('@simplewebauthn/browser');
        const response = await startRegistration({ optionsJSON: options as never });
        return response as unknown as Record<string, unknown>;
      },
      async use(options) {
        const { startAuthentication } = await import('@simplewebauthn/browser');
        const response = await startAuthentication({ optionsJSON: options as never });
        return response as unknown as Record<string, unknown>;
      },
    },
  });
}

/** Whether this page can have passkeys: browsers give none to bare IP addresses. @returns where to open it instead, or undefined */
export function passkeyPage(here: Pick<Location, 'hostname' | 'port' | 'protocol'>): string | undefined {
  if (!/^(\d+\.){3}\d+$|^\[/.test(here.hostname)) return undefined;
  return here.hostname === '127.0.0.1' ? `${here.protocol}//localhost:${here.port}/account` : '';
}
