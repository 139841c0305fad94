/** Sign-in with Ethereum (EIP-4361): everything that a message must say, before its signature is looked at. */
import { recoverMessageAddress, type PublicClient } from 'viem';
import { parseSiweMessage } from 'viem/siwe';

import { ProblemError } from '../api/problem.ts';

type Hex = `0x${string}`;

/** What the wallet shows above everything else. */
export const STATEMENT = 'Sign in to DPU. This costs nothing and moves nothing.';
/** How long a nonce is good, and the most that a message may be good for. */
export const NONCE_MS = 600_000;
/** How far a wallet's clock may be ahead. */
const SKEW_MS = 60_000;

/** What a good message says. */
export interface SiweFacts {
  account: Hex;
  nonce: string;
  /** The page that signed in. */
  origin: string;
}

const refuse = (sentence: string): never => {
  throw new ProblemError('sign-in-refused', sentence);
};

/**
 * Reads a message and checks page, chain and times; nonce and signature are the caller's.
 * @param now Unix ms.
 * @throws ProblemError `sign-in-refused`, with what is wrong
 */
export function readSiwe(
  message: string,
  { origins, chainId, now }: { origins: readonly string[]; chainId: number; now: number },
): SiweFacts {
  const { address, domain, scheme, uri, version, nonce, issuedAt, expirationTime, notBefore, ...rest } =
    parseSiweMessage(message);
  if (!address || !nonce || !version) return refuse('the message is not one of EIP-4361');
  const origin = origins.find(
    (one) => new URL(one).host === domain && (scheme === undefined || one.startsWith(`${scheme}://`)),
  );
  if (!origin) return refuse(`the message is for the page ${domain}, which does not sign in here`);
  if (!uri || !URL.canParse(uri) || new URL(uri).origin !== origin)
    return refuse('the URI in the message is of another page than its domain');
  if (rest.chainId !== chainId) return refuse(`the message is for chain ${rest.chainId}, and this is chain ${chainId}`);
  if (rest.statement !== STATEMENT) return refuse('the statement in the message is not the one that /nonce gave');
  if (!issuedAt || !expirationTime) return refuse('the message must say when it was issued and when it expires');
  // A date that cannot be read is NaN, which no comparison lets through.
  if (!(issuedAt.getTime() <= now + SKEW_MS)) return refuse('the message was issued in the future');
  if (!(expirationTime.getTime() > now)) return refuse('the message has expired; sign a new one');
  if (!(expirationTime.getTime() <= now + NONCE_MS + SKEW_MS)) return refuse('the message is good for too long');
  if (notBefore && !(notBefore.getTime() <= now)) return refuse('the message is not good yet');
  return { account: address.toLowerCase() as Hex, nonce, origin };
}

/** Says whether an account has signed a message. */
export type VerifyMessage = (asked: { account: Hex; message: string; signature: Hex }) => Promise<boolean>;

/** Contract wallets that the chain is asked about at once. */
const ASKED_AT_ONCE = 8;

/** Keys are checked here; anything else is asked of the chain (ERC-1271, ERC-6492), a few at once. */
export function messageVerifier(client: Pick<PublicClient, 'verifyMessage'>): VerifyMessage {
  let asking = 0;
  return async ({ account, message, signature }) => {
    const signer = await recoverMessageAddress({ message, signature }).catch(() => undefined);
    if (signer?.toLowerCase() === account) return true;
    if (asking >= ASKED_AT_ONCE)
      throw new ProblemError('overloaded', 'too many contract wallets sign in at once; try again in a second', {
        headers: { 'retry-after': '1' },
      });
    asking += 1;
    try {
      return await client.verifyMessage({ address: account, message, signature });
    } catch (error) {
      console.warn('The chain did not say whether a wallet signed', { error });
      throw new ProblemError('chain-unavailable', 'the chain did not say whether this wallet signed; try again soon');
    } finally {
      asking -= 1;
    }
  };
}
