/** Accounts as the environment wants them. */
import type { Context } from 'hono';
import type { PublicClient } from 'viem';

import type { Database } from '../api/app.ts';
import type { LiveFacts } from '../live/facts.ts';
import { resolve } from '../notify/address.ts';
import { smtpMailer } from '../notify/mail.ts';
import { openAccounts, type Accounts } from './accounts.ts';
import { relayer } from './relayer.ts';
import { accountSettings } from './settings.ts';
import { messageVerifier } from './siwe.ts';
import { openEmbedded, openPostgres } from './store.ts';

/** `ponder dev` runs the API's files again after each change: the tables that the earlier ones opened must be given up first. */
const scope = globalThis as typeof globalThis & { dpuIndexerAccounts?: Accounts };

/** Opens the accounts and starts to tell people; undefined where the environment names no page to sign in at. */
export async function mountedAccounts(
  env: Readonly<Record<string, string | undefined>>,
  deps: {
    db: Database;
    client: Pick<PublicClient, 'verifyMessage'>;
    live: LiveFacts;
    callerOf: (c: Context) => string;
  },
): Promise<Accounts | undefined> {
  await scope.dpuIndexerAccounts?.close();
  delete scope.dpuIndexerAccounts;
  const settings = accountSettings(env);
  if (!settings) return undefined;
  const { databaseUrl, folder, relayerKey, smtp, chainId, market } = settings;
  const rpcUrl = env['PONDER_RPC_URL'] || 'http://127.0.0.1:8545';
  const store = await (databaseUrl ? openPostgres(databaseUrl) : openEmbedded(folder));
  const accounts = await openAccounts(settings, {
    ...{
      store,
      resolve,
      now: Date.now,
      steady: () => performance.now(),
      db: deps.db,
      live: deps.live,
      callerOf: deps.callerOf,
    },
    verify: messageVerifier(deps.client),
    relay: relayerKey && relayer({ key: relayerKey, rpcUrl, chainId, market }),
    mailer: smtp && smtpMailer(smtp),
  }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  accounts.notifier.start();
  return (scope.dpuIndexerAccounts = accounts);
}
