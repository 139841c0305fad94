/** Which addresses a webhook may have: this service asks what strangers name, from inside of somebody's network. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

import { ProblemError } from '../api/problem.ts';

/** An address that DNS knows. */
export interface Resolved {
  address: string;
  family: number;
}
export type Resolve = (host: string) => Promise<Resolved[]>;
export const resolve: Resolve = (host) => lookup(host, { all: true });

/** Everything of IPv4 that is not on the public internet (RFC 6890 and its registry). */
const CLOSED_V4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Of IPv6 only 2000::/3 is on the public internet; these parts of it are not, or lead to an IPv4 address inside of them. */
const CLOSED_V6: readonly [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const closed = new BlockList();
for (const [net, bits] of CLOSED_V4) closed.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of CLOSED_V6) closed.addSubnet(net, bits, 'ipv6');
const open = new BlockList();
open.addSubnet('2000::', 3, 'ipv6');

/** Whether anybody on the internet can reach an IP address. Mapped and translated addresses are none. */
export function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !closed.check(address, 'ipv4');
    case 6:
      // A zone (`%eth0`) belongs to link-local addresses alone.
      return !address.includes('%') && open.check(address, 'ipv6') && !closed.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Thrown when a connection would leave the public internet. */
export class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress';

  constructor(host: string, address: string) {
    super(`${host} is ${address}, which is not on the public internet`);
  }
}

/**
 * The URL of a webhook, in its normal form.
 * @param allowPrivate Whether plain http, any port and any address are good.
 * @throws ProblemError `invalid-request`
 */
export function webhookUrl(given: string, allowPrivate: boolean): string {
  const refuse = (sentence: string): never => {
    throw new ProblemError('invalid-request', sentence, { errors: [{ path: 'url', sentence }] });
  };
  if (!URL.canParse(given)) return refuse('url must be like https://example.com/hook');
  const url = new URL(given);
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:'))
    return refuse('url must begin with https://');
  if (url.username || url.password) return refuse('url must have no user and no password in it');
  if (url.hash) return refuse('url must have no part after #');
  const port = Number(url.port || 443);
  if (!allowPrivate && port !== 443 && port < 1_024) return refuse('the port of url must be 443, or 1024 or higher');
  const literal = hostOf(url);
  if (!allowPrivate && isIP(literal) && !isPublic(literal))
    return refuse('the host of url must be on the public internet');
  return url.href;
}

/** The host of a URL as DNS and sockets take it. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

/**
 * Where a host is, for the connection that is made now: what is checked is what is connected to, so DNS cannot say one thing to the check and another
 * to the socket. One closed address among several is enough to refuse. @throws PrivateAddress
 */
export async function resolvePublic(host: string, allowPrivate: boolean, ask: Resolve): Promise<Resolved[]> {
  const family = isIP(host);
  const found = family ? [{ address: host, family }] : await ask(host);
  if (found.length === 0) throw new Error(`${host} has no address`);
  const bad = allowPrivate ? undefined : found.find(({ address }) => !isPublic(address));
  if (bad) throw new PrivateAddress(host, bad.address);
  return found;
}
