/** Everything about accounts, put together. */
import { randomBytes } from 'node:crypto';

import { marketDomain } from '@dpu/sdk/terms';
import type { Context } from 'hono';
import { desc } from 'ponder';
import { getAddress } from 'viem';

import { activity } from '../../ponder.schema.ts';
import type { Database } from '../api/app.ts';
import { ConfigError } from '../env.ts';
import type { LiveFacts } from '../live/facts.ts';
import type { Resolve } from '../notify/address.ts';
import { Channels } from '../notify/channels.ts';
import type { Mailer } from '../notify/mail.ts';
import { Notifier } from '../notify/notifier.ts';
import { Guard } from './guard.ts';
import { Keys } from './keys.ts';
import { Orders, type Relay } from './orders.ts';
import { Passkeys } from './passkeys.ts';
import { ServerKey } from './secrets.ts';
import { Sessions } from './sessions.ts';
import type { AccountSettings } from './settings.ts';
import type { VerifyMessage } from './siwe.ts';
import { setOnce, type Store } from './store.ts';

/** What accounts work with. */
export interface AccountsDeps {
  db: Database;
  store: Store;
  verify: VerifyMessage;
  relay: Relay | undefined;
  mailer: Mailer | undefined;
  live: LiveFacts;
  resolve: Resolve;
  callerOf: (c: Context) => string;
  /** Unix ms. */
  now: () => number;
  /** Milliseconds of a clock that never goes back, for rates. */
  steady: () => number;
}

/** The accounts of an indexer. */
export interface Accounts {
  readonly publicUrl: string;
  readonly store: Store;
  readonly guard: Guard;
  readonly sessions: Sessions;
  readonly passkeys: Passkeys;
  readonly keys: Keys;
  readonly orders: Orders;
  readonly channels: Channels;
  readonly notifier: Notifier;
  /** Whether it hears the nodes. */
  readonly hears: boolean;
  readonly now: () => number;
  close(): Promise<void>;
}

/** Accounts that may still be on their way. */
export interface AccountsHandle {
  /** @throws ProblemError `not-ready` until they are open */
  current(): Accounts;
}

type Settings = Pick<AccountSettings, 'chainId' | 'market' | 'origins' | 'publicUrl' | 'serverKey' | 'privateWebhooks'>;

/**
 * Puts accounts together on tables that are open. Loops are not started: `notifier.start()`.
 * @throws ConfigError when the tables are of another network
 */
export async function openAccounts(settings: Settings, deps: AccountsDeps): Promise<Accounts> {
  const { store, now, steady, verify, db, mailer, live, callerOf } = deps;
  const { chainId, market, origins, publicUrl, privateWebhooks } = settings;
  const network = `${chainId} ${market}`;
  const kept = await setOnce(store, 'network', network);
  if (kept !== network)
    throw new ConfigError(
      `the accounts' tables are of the Market ${kept}, and this is ${network}: name another PONDER_ACCOUNT_DIR or database`,
    );
  const key = new ServerKey(
    settings.serverKey ?? (await setOnce(store, 'server_key', randomBytes(32).toString('hex'))),
  );
  const about = { chainId, market, page: origins[0]! };

  const sessions = new Sessions({ origins, chainId }, { store, key, verify, now });
  const keys = new Keys({ store, now, steady });
  const newest = async (): Promise<string | undefined> => {
    const rows = await db.select({ event: activity.event }).from(activity).orderBy(desc(activity.event)).limit(1);
    return rows[0]?.event;
  };
  const notifier = new Notifier({ about, publicUrl, privateWebhooks }, { ...deps, key });
  return {
    ...{ publicUrl, store, sessions, keys, notifier, now, hears: live.listening },
    guard: new Guard({ publicUrl }, { sessions, keys, steady, callerOf }),
    passkeys: new Passkeys({ store, now }),
    orders: new Orders({ store, now, relay: deps.relay, domain: marketDomain(chainId, getAddress(market)) }),
    channels: new Channels({ about, privateWebhooks }, { store, key, mailer, newest, now }),
    async close() {
      await notifier.close();
      await store.close();
    },
  };
}
