import type { Context } from 'hono';
import type { CID } from 'multiformats/cid';
import { InvalidRequestError, NotAcceptableError } from '../storage/errors.ts';

/** How much of the graph under a root a CAR holds. */
export type Scope = 'block' | 'entity' | 'all';

/** What a CAR was asked to hold, and how. */
export interface CarRequest {
  readonly format: 'car';
  readonly scope: Scope;
  /** First and last byte of the file as asked: negative counts from the end, undefined is the end. */
  readonly range: { readonly first: number; readonly last: number | undefined };
  /** Whether a block that stands in the graph twice is sent twice. */
  readonly dups: boolean;
}

/** A read as it was asked for. */
export type ReadRequest = { readonly format: 'raw' } | CarRequest;

export const RAW = 'application/vnd.ipld.raw';
export const CAR = 'application/vnd.ipld.car';

interface Wanted {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/**
 * The format that a request asks for, by the trustless gateway specification: `?format=` wins over Accept, as links in pages cannot set
 * headers; of several types in Accept the one that is wanted most, of equals the first. @throws NotAcceptableError for all others.
 */
export function readRequestOf(c: Context): ReadRequest {
  const query = c.req.query('format');
  if (query === 'raw') return { format: 'raw' };
  const wanted = acceptedTypes(c.req.header('accept') ?? '');
  if (query === 'car') return carRequestOf(c, wanted.find(({ type }) => type === CAR)?.parameters);
  if (query !== undefined) throw new NotAcceptableError();
  for (const { type, parameters } of wanted) {
    if (type === RAW) return { format: 'raw' };
    if (type === CAR && canMake(parameters)) return carRequestOf(c, parameters);
  }
  throw new NotAcceptableError();
}

/** Whether `?format=` is absent, so that the Accept header chose the form of the answer. */
export const choseByHeader = (c: Context): boolean => c.req.query('format') === undefined;

/** The types of an Accept header, those that are wanted most first. */
function acceptedTypes(header: string): Wanted[] {
  return header
    .slice(0, 2_000)
    .split(',')
    .map((item): Wanted => {
      const [type = '', ...rest] = item.split(';').map((part) => part.trim().toLowerCase());
      const parameters = new Map(
        rest.map((part): [string, string] => {
          const [name = '', value = ''] = part.split('=', 2);
          return [name.trim(), value.trim().replaceAll('"', '')];
        }),
      );
      return { type, parameters, quality: Number(parameters.get('q') ?? 1) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
}

const canMake = (parameters: ReadonlyMap<string, string>): boolean =>
  (parameters.get('version') ?? '1') === '1' && ['dfs', 'unk', undefined].includes(parameters.get('order'));

function carRequestOf(c: Context, parameters: ReadonlyMap<string, string> = new Map()): CarRequest {
  // The address wins over the header, as with the format.
  const version = c.req.query('car-version') ?? parameters.get('version') ?? '1';
  if (version !== '1') throw new NotAcceptableError();
  const order = c.req.query('car-order') ?? parameters.get('order') ?? 'dfs';
  if (order !== 'dfs' && order !== 'unk') throw new InvalidRequestError('car-order is dfs or unk');
  const dups = c.req.query('car-dups') ?? parameters.get('dups') ?? 'y';
  if (dups !== 'y' && dups !== 'n') throw new InvalidRequestError('car-dups is y or n');
  const bytes = c.req.query('entity-bytes');
  // asking for a part of a file only makes sense for the file
  const scope = c.req.query('dag-scope') ?? (bytes === undefined ? 'all' : 'entity');
  if (scope !== 'block' && scope !== 'entity' && scope !== 'all') {
    throw new InvalidRequestError(`dag-scope is block, entity or all, not "${scope.slice(0, 20)}"`);
  }
  return { format: 'car', scope, range: rangeOf(bytes), dups: dups === 'y' };
}

function rangeOf(bytes: string | undefined): CarRequest['range'] {
  if (bytes === undefined) return { first: 0, last: undefined };
  const [, first, last] = /^(-?\d{1,15}):(-?\d{1,15}|\*)$/.exec(bytes) ?? [];
  if (first === undefined || last === undefined) {
    throw new InvalidRequestError('entity-bytes is <first>:<last>, whole numbers, the last inclusive or *');
  }
  const range = { first: Number(first), last: last === '*' ? undefined : Number(last) };
  // of both signs it depends on the file's size which is the earlier
  const sameSign = range.last !== undefined && range.first < 0 === range.last < 0;
  if (sameSign && range.last! < range.first) {
    throw new InvalidRequestError('entity-bytes ends before it begins');
  }
  return range;
}

/** Whether the client already has it. Weak comparison: any copy of the content will do. */
export function matchesTag(ifNoneMatch: string | undefined, etag: string): boolean {
  const plain = (tag: string): string => tag.trim().replace(/^W\//, '');
  return (ifNoneMatch ?? '').split(',').some((tag) => tag.trim() === '*' || plain(tag) === plain(etag));
}

/** Content under a CID never changes. */
const IMMUTABLE = 'public, max-age=29030400, immutable';

/** Headers of an answer, and of the 304 that stands for it. */
export function headersOf(cid: CID, request: ReadRequest, c: Context): Record<string, string> {
  const car = request.format === 'car';
  return {
    etag: car ? carEtag(cid, request) : `"${cid}.raw"`,
    'cache-control': IMMUTABLE,
    'content-type': car ? `${CAR}; version=1; order=dfs; dups=${request.dups ? 'y' : 'n'}` : RAW,
    'content-disposition': `attachment; filename="${cid}.${car ? 'car' : 'bin'}"`,
    ...(choseByHeader(c) ? { 'content-location': contentLocation(c, request.format) } : {}),
    vary: 'Accept',
    'x-content-type-options': 'nosniff',
    'x-ipfs-path': `/ipfs/${cid}`,
    'x-ipfs-roots': cid.toString(),
  };
}

/** Where caches that do not look at Accept find the same. */
function contentLocation(c: Context, format: string): string {
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.set('format', format);
  return `${pathname}?${searchParams}`;
}

const carEtag = (cid: CID, { scope, range, dups }: CarRequest): string =>
  `W/"${cid}.car.${scope}.${range.first}.${range.last ?? 'end'}${dups ? '' : '.n'}"`;
