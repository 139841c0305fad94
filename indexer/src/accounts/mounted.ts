/** Accounts as the environment wants them. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Context } from 'hono';
import type { PublicClient } from 'viem';

import type { Database } from '../api/app.ts';
import { ProblemError } from '../api/problem.ts';
import { ConfigError } from '../env.ts';
import type { LiveFacts } from '../live/facts.ts';
import { resolve } from '../notify/address.ts';
import { smtpMailer } from '../notify/mail.ts';
import { openAccounts, type Accounts, type AccountsHandle } from './accounts.ts';
import { relayer } from './relayer.ts';
import { accountSettings, type AccountSettings } from './settings.ts';
import { messageVerifier } from './siwe.ts';
import { openEmbedded, openPostgres, StoreTooNew } from './store.ts';

interface MountDeps {
  db: Database;
  client: Pick<PublicClient, 'verifyMessage'>;
  live: LiveFacts;
  callerOf: (c: Context) => string;
}

/** `ponder dev` runs the API's files again after each change: the tables that the earlier ones opened must be given up first. */
const scope = globalThis as typeof globalThis & { dpuIndexerAccounts?: () => Promise<void> };
/** Pause before tables that could not be opened are tried again, milliseconds: twice as long each time. */
const RETRY_MS = { first: 1_000, most: 60_000 };

/**
 * Opens the accounts and starts to tell people; undefined where the environment names no page to sign in at. Answers at once: Ponder gives the API's
 * files ten seconds, and tables may take longer. @throws ConfigError
 */
export async function mountedAccounts(
  env: Readonly<Record<string, string | undefined>>,
  deps: MountDeps,
): Promise<AccountsHandle | undefined> {
  await scope.dpuIndexerAccounts?.();
  delete scope.dpuIndexerAccounts;
  const settings = accountSettings(env);
  if (!settings) return undefined;
  const rpcUrl = env['PONDER_RPC_URL'] || 'http://127.0.0.1:8545';
  const closing = new AbortController();
  const { signal } = closing;
  let accounts: Accounts | undefined;
  let why = 'the accounts are being opened; come back in a second';

  const opening = (async () => {
    for (let pauseMs = RETRY_MS.first; !signal.aborted; pauseMs = Math.min(RETRY_MS.most, 2 * pauseMs)) {
      try {
        const opened = await open(settings, rpcUrl, deps);
        opened.notifier.start();
        accounts = opened;
        return;
      } catch (error) {
        why = 'the accounts cannot be opened; the log of the indexer says why';
        if (error instanceof ConfigError || error instanceof StoreTooNew) {
          console.error('There are no accounts until this is put right', { error });
          return;
        }
        console.warn('The accounts cannot be opened yet', { error });
        await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  })();
  scope.dpuIndexerAccounts = async () => {
    closing.abort();
    await opening;
    await accounts?.close();
  };
  return {
    current() {
      if (accounts) return accounts;
      throw new ProblemError('not-ready', why, { headers: { 'retry-after': '1' } });
    },
  };
}

async function open(settings: AccountSettings, rpcUrl: string, deps: MountDeps): Promise<Accounts> {
  const { databaseUrl, folder, relayerKey, smtp, chainId, market } = settings;
  const store = await (databaseUrl ? openPostgres(databaseUrl) : openEmbedded(folder));
  return openAccounts(settings, {
    ...{ store, resolve, now: Date.now, steady: () => performance.now() },
    ...{ db: deps.db, live: deps.live, callerOf: deps.callerOf },
    verify: messageVerifier(deps.client),
    relay: relayerKey && relayer({ key: relayerKey, rpcUrl, chainId, market }),
    mailer: smtp && smtpMailer(smtp),
  }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
}
