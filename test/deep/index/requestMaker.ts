import { writeCursor } from '../../../indexer/src/api/cursor.ts';

/** A request as it goes over the wire. `raw` is sent as it is, without a client that would mend it. */
export interface Asked {
  kind: 'rest' | 'cursor' | 'graphql' | 'sql' | 'stream' | 'signature' | 'raw';
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
  raw?: string;
}

/** What the maker knows of the API: its routes, and ids that are really there. */
export interface Known {
  routes: { method: string; path: string; parameters: string[] }[];
  ids: string[];
  tables: string[];
}

const NASTY = [
  ...[
    '',
    '0',
    '-1',
    '1e3',
    'NaN',
    'null',
    '{}',
    '[]',
    '../..',
    '%00',
    '%',
    '\u0000',
    '💥',
    "' or 1=1 --",
    '";drop table job;--',
  ],
  ...[
    '9'.repeat(78),
    `0x${'f'.repeat(64)}`,
    `0x${'0'.repeat(40)}`,
    '\ud800',
    'ÿ'.repeat(300),
    'a'.repeat(5_000),
    '__proto__',
    'constructor',
  ],
];
const LISTS = ['jobs', 'leases', 'nodes', 'activity', 'payments', 'settings', 'periods.day', 'voters', 'disputes'];
const TYPES = [
  'application/json',
  'application/json',
  'text/plain',
  '',
  'application/x-www-form-urlencoded',
  'application/json; charset=utf-16',
];
const WORDS = [
  '{',
  '}',
  '(',
  ')',
  '...',
  'on',
  'fragment f on Query',
  '$n',
  '"',
  '@skip(if: true)',
  '[',
  ':',
  'items',
  'jobs',
  'leases',
  'limit: 1000',
  'totalCount',
  'ofJob',
  '__schema',
  '__typename',
  'where: {id_in: []}',
  'after: "x"',
  'mutation',
  'first',
];
const CLAUSES = [
  ...[
    'select',
    'from',
    'where',
    'group by 1',
    'order by 1',
    'limit',
    '*',
    'count(*)',
    ',',
    '(',
    ')',
    '1',
    '1=1',
    'union all',
    'job',
    'lease',
    'activity',
    'j',
    'cross join',
    'pg_sleep(10)',
    'generate_series(1, 1e9)',
  ],
  ...[
    'repeat(spec, 1e8)',
    'with recursive r as (select 1 union all select 1 from r)',
    'for update',
    'into x',
    ';',
    '--',
    '/*',
    "E'\\\\'",
    'lower(spec)',
    'sum(paid)',
    '$1',
    'pg_catalog.pg_class',
    'current_user',
    'lo_import(1)',
    'having',
    'case when true then 1 end',
  ],
];

/** Makes request after request from a stream of draws in [0, 1): the same draws, the same request. */
export function makeRequest(draw: () => number, known: Known): Asked {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(draw() * of.length)]!;
  const some = <T>(most: number, one: () => T): T[] => Array.from({ length: Math.floor(draw() * (most + 1)) }, one);
  const bytes = (most: number) => some(most, () => String.fromCharCode(Math.floor(draw() * 0x3ff))).join('');
  const value = (): string => (draw() < 0.6 ? pick(NASTY) : draw() < 0.5 ? pick(known.ids) : bytes(60));
  const cursor = (): string => {
    const real = writeCursor(pick(LISTS), draw() < 0.5 ? '1'.repeat(75) : value().toWellFormed());
    const at = Math.floor(draw() * real.length);
    return draw() < 0.5 ? real : `${real.slice(0, at)}${pick(['=', '/', '💥', ''])}${real.slice(at + 1)}`;
  };
  const coded = (text: string) => encodeURIComponent(text.toWellFormed());
  const json = (depth = 0): unknown => {
    if (depth > 4 || draw() < 0.4)
      return pick<unknown>([value().toWellFormed(), 1e308, -1, null, true, [], {}, 2 ** 53, '1000000000000000000']);
    if (draw() < 0.3) return some(4, () => json(depth + 1));
    return Object.fromEntries(some(6, () => [pick([...QUOTED, value().toWellFormed()]), json(depth + 1)]));
  };
  const route = () => pick(known.routes);
  const pathOf = (path: string) => path.replace(/\{\w+\}/g, () => coded(draw() < 0.5 ? pick(known.ids) : value()));
  const search = (names: readonly string[]) =>
    some(
      4,
      () =>
        `${draw() < 0.8 ? pick(['cursor', 'limit', ...names]) : coded(value())}=${coded(draw() < 0.2 ? cursor() : value())}`,
    ).join('&');
  const headers = (): Record<string, string> => ({
    'content-type': pick(TYPES),
    ...(draw() < 0.2 && { 'if-none-match': coded(value()).slice(0, 200) }),
    ...(draw() < 0.2 && { authorization: `${pick(['Bearer', 'Basic', ''])} ${coded(value()).slice(0, 200)}` }),
    ...(draw() < 0.1 && { cookie: `session=${coded(value()).slice(0, 200)}` }),
    ...(draw() < 0.1 && { 'x-forwarded-for': coded(value()).slice(0, 200) }),
  });

  const kind = draw();
  if (kind < 0.3) {
    const { method, path, parameters } = route();
    const other = draw() < 0.2 ? pick(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) : method;
    const body = ['GET', 'HEAD'].includes(other)
      ? undefined
      : draw() < 0.7
        ? JSON.stringify(json())
        : value().toWellFormed();
    return {
      kind: 'rest',
      method: other,
      path: `${pathOf(path)}?${search(parameters)}`,
      headers: headers(),
      ...(body !== undefined && { body }),
    };
  }
  if (kind < 0.45) {
    const { path, parameters } = pick(
      known.routes.filter(({ method, parameters: has }) => method === 'GET' && has.includes('cursor')),
    );
    return {
      kind: 'cursor',
      method: 'GET',
      path: `${pathOf(path)}?cursor=${coded(cursor())}&${search(parameters)}`,
      headers: headers(),
    };
  }
  if (kind < 0.6) {
    const query = draw() < 0.5 ? some(60, () => pick(WORDS)).join(' ') : graph(pick, draw);
    const body = draw() < 0.9 ? JSON.stringify({ query, variables: json() }) : value().toWellFormed();
    return { kind: 'graphql', method: draw() < 0.9 ? 'POST' : 'GET', path: '/graphql', headers: headers(), body };
  }
  if (kind < 0.78) {
    const table = () => pick(known.tables);
    const sql = draw() < 0.5 ? `select ${some(20, () => pick(CLAUSES)).join(' ')}` : statement(pick, draw, table);
    const given = draw() < 0.85 ? JSON.stringify({ json: { sql, params: some(3, () => json()) } }) : value();
    return {
      kind: 'sql',
      method: 'GET',
      path: `/sql/${draw() < 0.95 ? 'db' : pick(['', 'x', 'live/../db'])}?sql=${coded(given)}`,
      headers: headers(),
    };
  }
  if (kind < 0.84) {
    const last = draw() < 0.5 ? `${'1'.repeat(75)}.${'a'.repeat(8)}` : coded(value()).slice(0, 300);
    return {
      kind: 'stream',
      method: 'GET',
      path: `/v1/live?${search(['job', 'node'])}`,
      headers: { ...headers(), 'last-event-id': last },
    };
  }
  if (kind < 0.94) {
    // Every route with a body, and what a signed message looks like that nobody signed.
    const { method, path } = pick(known.routes.filter((one) => one.method !== 'GET'));
    const hex = (length: number) => `0x${Array.from({ length }, () => Math.floor(draw() * 16).toString(16)).join('')}`;
    const signed = {
      transport: pick(['bearer', 'cookie', 'x']),
      message: draw() < 0.5 ? siwe(pick, hex) : value().toWellFormed(),
      signature: hex(pick([0, 1, 64, 130, 132, 2_000])),
      address: hex(40),
      nonce: hex(16),
      ...(json() as object),
    };
    return {
      kind: 'signature',
      method,
      path: pathOf(path),
      headers: { ...headers(), 'content-type': 'application/json' },
      body: JSON.stringify(signed),
    };
  }
  const line = pick([
    'GET /v1/jobs HTTP/1.1',
    'GET  HTTP/1.1',
    'G\u0000T / HTTP/1.1',
    `GET /${'a'.repeat(20_000)} HTTP/1.1`,
    'POST /v1/quote HTTP/1.1',
    'GET http://[::1 HTTP/1.1',
    '\u0016\u0003\u0001',
  ]);
  const more = pick([
    '',
    `x: ${'y'.repeat(20_000)}`,
    'content-length: -1',
    'content-length: 99999999999',
    'transfer-encoding: chunked\r\n\r\nzz',
    'content-length: 5\r\ncontent-length: 6',
    ': no name',
    'host: a\r\nhost: b',
  ]);
  return {
    kind: 'raw',
    method: 'RAW',
    path: line.slice(0, 60),
    headers: {},
    raw: `${line}\r\nhost: x\r\n${more}\r\n\r\n`,
  };
}

/** A sign-in message (EIP-4361) that is right in most of its parts. */
function siwe(pick: <T>(of: readonly T[]) => T, hex: (length: number) => string): string {
  const page = pick(['127.0.0.1:24173', '127.0.0.1:24173', 'evil.example', '']);
  const time = () => pick(['2026-11-22T10:00:00Z', '2999-01-01T00:00:00Z', '0000-00-00', 'now', '']);
  return [
    `${page} wants you to sign in with your Ethereum account:`,
    pick([hex(40), `0x${'f'.repeat(39)}`, '']),
    '',
    pick(['Sign in to DPU. This costs nothing and moves nothing.', '']),
    '',
    `URI: ${pick(['http://127.0.0.1:24173', 'javascript:1', ''])}`,
    `Version: ${pick(['1', '2'])}`,
    `Chain ID: ${pick(['31337', '1', '-1', '1e99'])}`,
    `Nonce: ${hex(pick([0, 8, 200])).slice(2)}`,
    `Issued At: ${time()}`,
    `Expiration Time: ${time()}`,
  ].join('\n');
}

/** Names in the body of a quote, and of other routes that take one. */
const QUOTED = [
  'runtime',
  'currency',
  'minPrice',
  'maxPrice',
  'ramp',
  'bond',
  'shards',
  'maxLease',
  'openFor',
  'exec',
  'window',
  'tier',
  'seats',
  'direct',
  'node',
  'requester',
  'auditBps',
  'message',
  'signature',
  'name',
  'scopes',
  'url',
];

/** A query that may be allowed, and reads a lot. */
function graph(pick: <T>(of: readonly T[]) => T, draw: () => number): string {
  const page = (depth: number): string => {
    const limit = pick([1, 10, 50, 100, 1_000]);
    const inner =
      depth > 3 || draw() < 0.4 ? 'event' : `${pick(['leases', 'panels', 'payments', 'activity'])}${page(depth + 1)}`;
    return `(limit: ${limit}) { items { ${inner} } ${draw() < 0.3 ? 'totalCount' : ''} }`;
  };
  return `{ ${Array.from({ length: pick([1, 2, 12]) }, (_, at) => `a${at}: ${pick(['jobs', 'leases', 'activitys', 'payments'])}${page(0)}`).join(' ')} }`;
}

/** A statement that may be allowed, and costs a lot. */
function statement(pick: <T>(of: readonly T[]) => T, draw: () => number, table: () => string): string {
  const from = Array.from({ length: pick([1, 1, 2, 4, 6]) }, (_, at) => `"${table()}" as t${at}`);
  const what = pick([
    '*',
    'count(*)',
    'sum(t0.block)',
    'max(t0.event)',
    'lower(t0.event)',
    'row_number() over (order by t0.event)',
  ]);
  const where =
    draw() < 0.5
      ? ''
      : ` where ${pick(['t0.event > $1', "t0.event like '%9%9%9%9%9%'", 't0.block * t0.block > 5', 'true or true', 'exists (select 1 from job)'])}`;
  return `select ${what} from ${from.join(draw() < 0.5 ? ', ' : ' cross join ')}${where}${pick(['', ' limit 10', ' limit 1e9', ' order by 1 offset 1000000', ' group by 1 having count(*) > 0'])}`;
}
