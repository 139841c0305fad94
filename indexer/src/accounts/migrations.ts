/**
 * The accounts' tables, as steps that are never changed once released: a new step comes last. Times are unix milliseconds, lists are text with commas,
 * addresses are lower-case hex. What each table is for, and for how long: `docs/accounts.md`.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    'CREATE TABLE setting (name text PRIMARY KEY, value text NOT NULL)',
    'CREATE TABLE used_nonce (nonce text PRIMARY KEY, expires bigint NOT NULL)',
    `CREATE TABLE session (
      id text PRIMARY KEY, account text NOT NULL, hash text NOT NULL UNIQUE, transport text NOT NULL, origin text NOT NULL,
      agent text NOT NULL, created bigint NOT NULL, used bigint NOT NULL, expires bigint NOT NULL,
      passkey_at bigint, challenge text, challenge_for text, challenge_until bigint)`,
    'CREATE INDEX session_account ON session (account)',
    `CREATE TABLE passkey (
      id text PRIMARY KEY, account text NOT NULL, name text NOT NULL, host text NOT NULL, public_key text NOT NULL,
      counter bigint NOT NULL, transports text NOT NULL, created bigint NOT NULL, used bigint)`,
    'CREATE INDEX passkey_account ON passkey (account)',
    'CREATE TABLE recovery (account text PRIMARY KEY, opens bigint NOT NULL)',
    `CREATE TABLE api_key (
      id text PRIMARY KEY, account text NOT NULL, hash text NOT NULL, name text NOT NULL, scopes text NOT NULL,
      per_second integer NOT NULL, created bigint NOT NULL, expires bigint, used bigint, revoked bigint)`,
    'CREATE INDEX api_key_account ON api_key (account, created)',
    `CREATE TABLE cap (
      key text NOT NULL REFERENCES api_key ON DELETE CASCADE, currency text NOT NULL, per_day numeric(78), total numeric(78),
      PRIMARY KEY (key, currency))`,
    // One job counts once, whoever brings it. A row without a transaction is reserved.
    `CREATE TABLE spend (
      job text PRIMARY KEY, key text NOT NULL REFERENCES api_key ON DELETE CASCADE, account text NOT NULL,
      currency text NOT NULL, amount numeric(78) NOT NULL, at bigint NOT NULL, transaction text)`,
    'CREATE INDEX spend_key ON spend (key, currency, at)',
    'CREATE INDEX spend_account ON spend (account, at)',
    // since: id of the newest event when the channel was made; it is told of later ones only.
    `CREATE TABLE channel (
      id text PRIMARY KEY, account text NOT NULL, type text NOT NULL, target text NOT NULL, kinds text NOT NULL, since text NOT NULL,
      created bigint NOT NULL, confirmed bigint, secret_version integer NOT NULL, rotating_until bigint,
      UNIQUE (account, type, target))`,
    `CREATE TABLE delivery (
      id bigserial PRIMARY KEY, channel text NOT NULL REFERENCES channel ON DELETE CASCADE, message text NOT NULL, kind text NOT NULL,
      body text NOT NULL, state text NOT NULL, attempts integer NOT NULL, due bigint NOT NULL, held_until bigint,
      status integer, error text, created bigint NOT NULL, done bigint, UNIQUE (channel, message))`,
    "CREATE INDEX delivery_due ON delivery (due) WHERE state = 'waiting'",
    "CREATE INDEX delivery_channel ON delivery (channel, due, id) WHERE state = 'waiting'",
    'CREATE INDEX delivery_done ON delivery (done)',
    'CREATE TABLE mail_sent (address text NOT NULL, account text NOT NULL, at bigint NOT NULL)',
    'CREATE INDEX mail_sent_at ON mail_sent (at)',
    // What was seen of a node last and since when, and what its owner was told last.
    'CREATE TABLE watch (node bigint PRIMARY KEY, seen text NOT NULL, since bigint NOT NULL, told text NOT NULL)',
  ],
];
