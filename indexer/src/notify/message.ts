/** What is told: as JSON for programs, in the words of Standard Webhooks, and as a mail for people. */
import { createHash } from 'node:crypto';

import { MESSAGE_KINDS, type MessageKind } from '@dpu/sdk/apiAccount';
import { z } from 'zod';

type Hex = `0x${string}`;
type Fact = string | number | boolean | null;

/** Something that accounts are to be told. */
export interface Told {
  kind: MessageKind;
  /** What tells it from everything else of its kind: the id of the message follows from it. */
  subject: string;
  accounts: readonly Hex[];
  /** Id of the event; null for what no event says. Channels that were made later are not told. */
  event: string | null;
  /** Unix seconds. */
  at: number;
  /** Facts, as they are in the API. */
  data: Readonly<Record<string, Fact>>;
  /** Path of the page that shows it. */
  path: string;
}

/** The network that messages are about. */
export interface About {
  chainId: number;
  market: Hex;
  /** The dApp. */
  page: string;
}

const bodySchema = z.object({
  type: z.enum(MESSAGE_KINDS),
  timestamp: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

/** The same for the same thing and account, whenever and wherever it is made: receivers know it again by this. */
export function messageId({ kind, subject }: Pick<Told, 'kind' | 'subject'>, account: Hex, about: About): string {
  const said = [about.chainId, about.market, kind, subject, account].join('\n');
  return `msg_${createHash('sha256').update(said).digest('hex').slice(0, 32)}`;
}

/** The body of a webhook. */
export function bodyOf({ kind, at, data, path }: Told, account: Hex, about: About): string {
  const { chainId, market, page } = about;
  return JSON.stringify({
    type: kind,
    timestamp: new Date(at * 1_000).toISOString(),
    data: { account, chainId, market, ...data, url: `${page}${path}` },
  });
}

/** Subjects are fixed words: nothing that anybody wrote gets into a header. */
const SUBJECTS: Readonly<Record<MessageKind, string>> = {
  'job.done': 'Your job has ended',
  'job.challenged': 'A result was challenged',
  'dispute.verdict': 'A jury has spoken',
  'node.unhealthy': 'Your node needs you, or is well again',
  'lease.risk': 'Your node is about to lose a bond, or has lost it',
  'proposal.live': 'A vote has begun',
  test: 'This is a test',
};

/** The facts of a message, one a line, for people. */
export function mailOf(body: string): { subject: string; text: string } {
  const { type, timestamp, data } = bodySchema.parse(JSON.parse(body));
  const { url, ...facts } = data;
  const lines = Object.entries(facts).map(([name, value]) => `${name}: ${oneLine(String(value))}`);
  return {
    subject: `DPU: ${SUBJECTS[type]}`,
    text: [`${SUBJECTS[type]}.`, '', ...lines, `time: ${timestamp}`, '', String(url)].join('\n'),
  };
}

/** Texts come from the chain, where anybody writes: they cannot look like more lines of ours. */
const oneLine = (text: string): string => text.replace(/[\p{C}\p{Z}]+/gu, ' ').slice(0, 500);
