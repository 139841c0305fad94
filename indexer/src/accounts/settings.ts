/** What an operator decides about accounts, from the environment (`indexer/.env.example`). */
import { isHex } from 'viem';

import { ConfigError } from '../env.ts';

type Hex = `0x${string}`;

export interface AccountSettings {
  chainId: number;
  market: Hex;
  /** Pages that people sign in at; the first is the one that mails and messages link to. */
  origins: readonly string[];
  /** Where people reach this API. */
  publicUrl: string;
  /** PostgreSQL, or else a folder of its own. */
  databaseUrl: string | undefined;
  folder: string;
  /** 32 bytes of hex, from which secrets are derived; undefined: one is made and kept in the tables. */
  serverKey: string | undefined;
  /** An account with gas that brings signed orders on chain. */
  relayerKey: Hex | undefined;
  smtp: { url: string; from: string } | undefined;
  /** Whether webhooks may be on loopback and private addresses, and without TLS. */
  privateWebhooks: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

/** @returns undefined when no page is named: then there are no accounts. @throws ConfigError */
export function accountSettings(env: Env): AccountSettings | undefined {
  const named = (env['PONDER_ACCOUNT_ORIGINS'] ?? '').split(',').map((part) => part.trim());
  const origins = named.filter((part) => part !== '').map((part) => originOf('PONDER_ACCOUNT_ORIGINS', part));
  const market = env['PONDER_MARKET']?.toLowerCase() as Hex | undefined;
  if (origins.length === 0 || !market) return undefined;
  const port = env['PORT'] || '42069';
  const publicUrl = originOf('PONDER_ACCOUNT_URL', env['PONDER_ACCOUNT_URL'] || `http://127.0.0.1:${port}`);
  return {
    chainId: Number(env['PONDER_CHAIN_ID'] || 31_337),
    market,
    origins,
    publicUrl,
    databaseUrl: env['DATABASE_URL'] || undefined,
    folder: env['PONDER_ACCOUNT_DIR'] || '.ponder/accounts',
    serverKey: keyOf(env, 'PONDER_ACCOUNT_KEY')?.slice(2),
    relayerKey: keyOf(env, 'PONDER_RELAYER_KEY'),
    smtp: smtpOf(env),
    privateWebhooks: env['PONDER_WEBHOOK_PRIVATE'] === '1',
  };
}

function originOf(name: string, given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== given.replace(/\/$/, ''))
    throw new ConfigError(`${name} has "${given}", but must have origins like https://dpu.example`);
  return url.origin;
}

/** 32 bytes of hex, with or without 0x. The value is a secret: no message has it. */
function keyOf(env: Env, name: string): Hex | undefined {
  const given = env[name];
  if (!given) return undefined;
  const key = (given.startsWith('0x') ? given : `0x${given}`).toLowerCase();
  if (!isHex(key) || key.length !== 66) throw new ConfigError(`${name} must be 32 bytes of hex`);
  return key;
}

function smtpOf(env: Env): AccountSettings['smtp'] {
  const url = env['PONDER_SMTP_URL'];
  if (!url) return undefined;
  if (!URL.canParse(url) || !/^smtps?:$/.test(new URL(url).protocol))
    throw new ConfigError('PONDER_SMTP_URL must be like smtps://user:password@mail.example:465');
  const from = env['PONDER_SMTP_FROM'];
  if (!from || !/^[^\s<>"]+@[^\s<>"]+$/.test(from))
    throw new ConfigError('PONDER_SMTP_FROM must be the e-mail address that mails come from');
  return { url, from };
}
