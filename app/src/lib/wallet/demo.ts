import {
  createPublicClient,
  createWalletClient,
  http,
  type Address,
  type Chain,
  type Hex,
  type TransactionRequest,
  type WalletRpcSchema,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

/** How wallets announce themselves; also the id of the demo wallet's connector. */
export const DEMO_ID = 'network.dpu.demo';

/**
 * The tenth account that every local test chain funds. Its key is printed in the documentation of Anvil and Hardhat:
 * it protects nothing, which is why this wallet exists only on chain 31337.
 */
const TEST_KEY = '0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6';
const ALLOWED = 'dpu.demo.allowed';

/** An error as wallets report it (EIP-1193). */
class ProviderError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Listener = (...args: unknown[]) => void;

/** A wallet that signs at once, for trying the market on a local chain. Speaks EIP-1193 like any other. */
export function demoProvider(chain: Chain) {
  const account = privateKeyToAccount(TEST_KEY);
  const transport = http(chain.rpcUrls.default.http[0]);
  const reader = createPublicClient({ chain, transport });
  const writer = createWalletClient({ account, chain, transport });
  const listeners = new Map<string, Set<Listener>>();

  const allow = (): readonly Address[] => {
    localStorage.setItem(ALLOWED, '1');
    return [account.address];
  };

  async function request({ method, params = [] }: { method: string; params?: unknown }): Promise<unknown> {
    const args = params as readonly unknown[];
    switch (method) {
      case 'eth_requestAccounts':
        return allow();
      case 'eth_accounts':
        return localStorage.getItem(ALLOWED) ? [account.address] : [];
      case 'wallet_requestPermissions':
        allow();
        return [
          {
            parentCapability: 'eth_accounts',
            caveats: [{ type: 'restrictReturnedAccounts', value: [account.address] }],
          },
        ];
      case 'wallet_revokePermissions':
        localStorage.removeItem(ALLOWED);
        return null;
      case 'eth_chainId':
        return `0x${chain.id.toString(16)}`;
      case 'wallet_switchEthereumChain': {
        const wanted = Number((args[0] as { chainId: Hex }).chainId);
        if (wanted !== chain.id) throw new ProviderError(4902, 'The demo wallet knows the local network only.');
        return null;
      }
      case 'personal_sign':
        return account.signMessage({ message: { raw: args[0] as Hex } });
      case 'eth_signTypedData_v4':
        return account.signTypedData(JSON.parse(args[1] as string) as Parameters<typeof account.signTypedData>[0]);
      case 'eth_sendTransaction': {
        const { to, data, value, gas } = args[0] as TransactionRequest<Hex>;
        return writer.sendTransaction({
          to: to ?? null,
          ...(data && { data }),
          ...(value && { value: BigInt(value) }),
          ...(gas && { gas: BigInt(gas) }),
        });
      }
      case 'wallet_getCapabilities':
      case 'wallet_sendCalls':
        throw new ProviderError(4200, 'The demo wallet does not batch calls.');
      default:
        return reader.request({ method, params } as never);
    }
  }

  return {
    request: request as unknown as <Method extends WalletRpcSchema[number]['Method']>(args: {
      method: Method;
      params?: unknown;
    }) => Promise<never>,
    on(event: string, listener: Listener): void {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
    },
    removeListener(event: string, listener: Listener): void {
      listeners.get(event)?.delete(listener);
    },
  };
}
