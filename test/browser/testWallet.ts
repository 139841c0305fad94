import type { Page } from 'playwright-core';
import { createPublicClient, createWalletClient, http, type Chain, type Hex, type LocalAccount } from 'viem';

/** Decides whether the person behind the wallet confirms. */
export type Policy = (method: string) => 'allow' | 'reject';

/** What the test sees of the wallet. */
export interface TestWallet {
  policy: Policy;
  readonly calls: { method: string; params: readonly unknown[] }[];
}

interface Options {
  account: LocalAccount;
  chain: Chain;
  rpcUrl: string;
  policy?: Policy;
}

/** Answers like a real wallet: `error` carries EIP-1193's code. */
type Answer = { result: unknown } | { error: { code: number; message: string } };

const NEEDS_CONSENT = new Set([
  'eth_requestAccounts',
  'wallet_requestPermissions',
  'eth_sendTransaction',
  'personal_sign',
  'eth_signTypedData_v4',
]);

/**
 * Announces an EIP-6963 wallet in the page. The key stays in this process; the page sees an EIP-1193 provider, as with a
 * browser extension.
 */
export async function installWallet(page: Page, options: Options): Promise<TestWallet> {
  const { account, chain, rpcUrl } = options;
  const publicClient = createPublicClient({ chain, transport: http(rpcUrl) });
  const walletClient = createWalletClient({ account, chain, transport: http(rpcUrl) });
  const wallet: TestWallet = { policy: options.policy ?? (() => 'allow'), calls: [] };
  let authorised = false;

  const handlers: Record<string, (params: readonly unknown[]) => Promise<unknown> | unknown> = {
    eth_requestAccounts: () => ((authorised = true), [account.address]),
    eth_accounts: () => (authorised ? [account.address] : []),
    wallet_requestPermissions: () => (
      (authorised = true),
      [{ parentCapability: 'eth_accounts', caveats: [{ type: 'restrictReturnedAccounts', value: [account.address] }] }]
    ),
    wallet_revokePermissions: () => ((authorised = false), null),
    eth_chainId: () => `0x${chain.id.toString(16)}`,
    personal_sign: ([raw]) => account.signMessage({ message: { raw: raw as Hex } }),
    eth_signTypedData_v4: ([, text]) => account.signTypedData(JSON.parse(text as string)),
    eth_sendTransaction: ([request]) => {
      const { to, data, value, gas } = request as { to: Hex; data: Hex; value?: Hex; gas?: Hex };
      return walletClient.sendTransaction({
        to,
        data,
        ...(value ? { value: BigInt(value) } : {}),
        ...(gas ? { gas: BigInt(gas) } : {}),
      });
    },
  };

  await page.exposeFunction(
    '__testWallet',
    async (method: string, params: readonly unknown[] = []): Promise<Answer> => {
      wallet.calls.push({ method, params });
      if (NEEDS_CONSENT.has(method) && wallet.policy(method) === 'reject') {
        return { error: { code: 4001, message: 'User rejected the request.' } };
      }
      if (method.startsWith('wallet_') && !(method in handlers))
        return { error: { code: 4200, message: 'Unsupported method' } };
      try {
        const handler = handlers[method];
        return { result: handler ? await handler(params) : await publicClient.request({ method, params } as never) };
      } catch (error) {
        const { code, details, message } = error as { code?: number; details?: string; message: string };
        return { error: { code: code ?? -32_603, message: details ?? message } };
      }
    },
  );
  await page.addInitScript(announce);
  return wallet;
}

/** Runs in the page. */
function announce(): void {
  type Call = (method: string, params?: unknown) => Promise<Answer>;
  const listeners = new Map<string, Set<(value: unknown) => void>>();
  const emit = (event: string, value: unknown): void => listeners.get(event)?.forEach((listener) => listener(value));
  const provider = {
    async request({ method, params }: { method: string; params?: unknown }): Promise<unknown> {
      const answer = await (globalThis as unknown as { __testWallet: Call }).__testWallet(method, params);
      if ('error' in answer) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
      if (method === 'eth_requestAccounts') emit('accountsChanged', answer.result);
      return answer.result;
    },
    on(event: string, listener: (value: unknown) => void) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
      return provider;
    },
    removeListener(event: string, listener: (value: unknown) => void) {
      listeners.get(event)?.delete(listener);
      return provider;
    },
  };
  const icon =
    'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1" fill="teal"/></svg>';
  const info = Object.freeze({
    uuid: '350670db-19fa-4704-a166-e52e178b59d2',
    name: 'Test Wallet',
    rdns: 'org.dpu.test',
    icon,
  });
  const detail = Object.freeze({ info, provider });
  const say = (): boolean => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }));
  window.addEventListener('eip6963:requestProvider', say);
  say();
}
